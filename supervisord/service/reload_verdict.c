/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verdict of a reload, to all who want to know: the caller, the journal, systemd. */

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/parse.h"
#include "service/object.h"

#define VERDICT_FIELD_MAX 128

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

static void verdict_log(Supervisor *supervisor, ReloadVerdict verdict, const char *text) {
        const Reload *reload = &supervisor->reload;
        const ReloadWaiter *first = TAILQ_FIRST(&reload->waiters);
        const char *who = first && first->who ? first->who : "SIGHUP";
        char before[CONFIG_DIGEST_MAX] = "", after[CONFIG_DIGEST_MAX] = "",
             elapsed[DURATION_TEXT_MAX];
        char fields[4][VERDICT_FIELD_MAX];
        const char *list[] = { fields[0], fields[1], fields[2], fields[3], NULL };

        if (reload->diff) {
                config_digest(reload->diff->before, before);
                config_digest(reload->diff->after, after);
        }
        snprintf(fields[0], VERDICT_FIELD_MAX, "SUPERVISOR_VERDICT=%s",
                 reload_verdict_name(verdict));
        snprintf(fields[1], VERDICT_FIELD_MAX, "SUPERVISOR_REQUESTER=%s", who);
        snprintf(fields[2], VERDICT_FIELD_MAX, "SUPERVISOR_DIGEST_BEFORE=%s", before);
        snprintf(fields[3], VERDICT_FIELD_MAX, "SUPERVISOR_DIGEST_AFTER=%s", after);

        bool good = verdict == RELOAD_APPLIED || verdict == RELOAD_NOTHING;
        log_write(good ? LOG_INFO : LOG_ERR,
                  &(LogContext){ .message = verdict_message(verdict), .fields = list },
                  "reload %s after %s (asked for by %s): %s", reload_verdict_name(verdict),
                  format_elapsed(elapsed, usec_sub(loop_now(supervisor->loop), reload->begun)), who,
                  text);
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
        verdict_log(supervisor, verdict, text);
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
