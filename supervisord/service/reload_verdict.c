/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verdict of a reload, to all who want to know: the caller, the journal, systemd. */

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/parse.h"
#include "service/object.h"

#define VERDICT_FIELD_MAX 320
#define VERDICT_FIELDS    6

const char *reload_verdict_name(ReloadVerdict verdict) {
        static const char *const names[] = {
                [RELOAD_APPLIED] = "applied",   [RELOAD_NOTHING] = "nothing-changed",
                [RELOAD_REFUSED] = "refused",   [RELOAD_ROLLED_BACK] = "rolled-back",
                [RELOAD_CANCELED] = "canceled",
        };
        static_assert(ELEMENTSOF(names) == RELOAD_VERDICT_MAX_, "every verdict has a name");
        return names[verdict];
}

void reload_log_findings(const Diag *diag) {
        for (size_t i = 0; i < diag_count(diag); i++) {
                CLEANUP(freep) char *text = finding_text(diag_get(diag, i));
                int priority =
                        diag_get(diag, i)->severity == SEVERITY_ERROR ? LOG_ERR : LOG_WARNING;

                log_write(priority, NULL, "%s",
                          text ? text : "a finding could not be shown: no memory");
        }
}

void reload_log_plan(const Supervisor *supervisor) {
        const Reload *reload = &supervisor->reload;

        log_info(
                "reloading: %zu to start, %zu to restart, %zu to stop, %zu with new settings, "
                "%zu with new files, %zu kept",
                reload->plan->counts[PLAN_START], reload->plan->counts[PLAN_RESTART],
                reload->plan->counts[PLAN_STOP], reload->plan->counts[PLAN_LIVE],
                reload->plan->counts[PLAN_RELOAD], reload->plan->counts[PLAN_KEEP]);
        for (size_t i = 0; i < reload->plan->count; i++) {
                const PlanEntry *entry = &reload->plan->entries[i];

                if (entry->action == PLAN_KEEP)
                        continue;
                CLEANUP(freep) char *reason = plan_entry_reason(reload->diff, entry);
                log_write(LOG_INFO, &(LogContext){ .daemon = entry->diff->name }, "%s: %s",
                          plan_action_name(entry->action),
                          reason ? reason : "no memory to say why");
        }
}

static MessageId verdict_message(ReloadVerdict verdict) {
        switch (verdict) {
        case RELOAD_REFUSED:
                return MESSAGE_RELOAD_REFUSED;
        case RELOAD_ROLLED_BACK:
                return MESSAGE_RELOAD_ROLLED_BACK;
        default:
                return MESSAGE_RELOAD_DONE;
        }
}

/* "stop: done after 1.2 s, sequence 41" */
static void verdict_step_field(char buffer[static VERDICT_FIELD_MAX], const RecordStep *step) {
        char elapsed[DURATION_TEXT_MAX];
        int used = snprintf(buffer, VERDICT_FIELD_MAX, "SUPERVISOR_STEP=%s: %s after %s",
                            step->name, record_step_outcome_name(step->outcome),
                            format_elapsed(elapsed, usec_sub(step->ended, step->begun)));

        if (step->sequence > 0)
                snprintf(buffer + used, VERDICT_FIELD_MAX - (size_t) used, ", sequence %" PRIu64,
                         step->sequence);
}

/* Of one that was canceled before it began, or for which there was no memory, little is known. */
static void verdict_log(const Supervisor *supervisor, ReloadVerdict verdict, const char *text) {
        ReloadRecord nothing = { 0 };
        const ReloadRecord *known =
                supervisor->reload.record ? supervisor->reload.record : &nothing;
        char fields[VERDICT_FIELDS + RELOAD_RECORD_STEPS_MAX][VERDICT_FIELD_MAX];
        const char *list[ELEMENTSOF(fields) + 1] = { NULL };
        char elapsed[DURATION_TEXT_MAX];

        recording_requesters(supervisor, nothing.who);
        snprintf(fields[0], VERDICT_FIELD_MAX, "SUPERVISOR_VERDICT=%s",
                 reload_verdict_name(verdict));
        snprintf(fields[1], VERDICT_FIELD_MAX, "SUPERVISOR_REQUESTER=%s", known->who);
        snprintf(fields[2], VERDICT_FIELD_MAX, "SUPERVISOR_DIGEST_BEFORE=%s", known->before.digest);
        snprintf(fields[3], VERDICT_FIELD_MAX, "SUPERVISOR_DIGEST_AFTER=%s", known->after.digest);
        snprintf(fields[4], VERDICT_FIELD_MAX, "SUPERVISOR_LOADED_BEFORE=%" PRIu64,
                 known->before.loaded);
        snprintf(fields[5], VERDICT_FIELD_MAX, "SUPERVISOR_LOADED_AFTER=%" PRIu64,
                 known->after.loaded);
        for (size_t i = 0; i < known->step_count; i++)
                verdict_step_field(fields[VERDICT_FIELDS + i], &known->steps[i]);
        for (size_t i = 0; i < VERDICT_FIELDS + known->step_count; i++)
                list[i] = fields[i];

        bool good = verdict == RELOAD_APPLIED || verdict == RELOAD_NOTHING;
        log_write(good ? LOG_INFO : LOG_ERR,
                  &(LogContext){ .message = verdict_message(verdict), .fields = list },
                  "reload %s after %s (asked for by %s): %s", reload_verdict_name(verdict),
                  format_elapsed(elapsed,
                                 usec_sub(known->ended.monotonic, known->begun.monotonic)),
                  known->who, text);
}

void reload_conclude(Supervisor *supervisor, ReloadVerdict verdict, const char *format, ...) {
        Reload *reload = &supervisor->reload;
        char text[sizeof(reload->verdict) / 2];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);

        if (reload->diag)
                reload_log_findings(reload->diag);
        recording_reload_over(supervisor, verdict, text);
        verdict_log(supervisor, verdict, text);
        (void) records_take_reload(supervisor->records, TAKE(reload->record));
        snprintf(reload->verdict, sizeof(reload->verdict), "last reload %s: %s",
                 reload_verdict_name(verdict), text);

        ReloadWaiter *waiter;
        while ((waiter = TAILQ_FIRST(&reload->waiters))) {
                TAILQ_REMOVE(&reload->waiters, waiter, link);
                if (waiter->handler)
                        waiter->handler(waiter->userdata, verdict, text, reload->diag);
                free(waiter->who);
                free(waiter);
        }
}
