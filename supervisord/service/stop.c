/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stop of everything, by the sequence that exists since the configuration was loaded. Its whole
 * time, where it has one (supervisor.grace), counts from here, whatever began it and whatever broke
 * in later.
 */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "config/budget.h"
#include "service/object.h"
#include "sys/tree.h"

#define STOP_FIELD_MAX 64

static void stop_note_begun(const Generation *generation, bool fast) {
        usec_t grace = generation->config->supervisor.grace;
        char limit[DURATION_TEXT_MAX];

        format_elapsed(limit, grace);
        log_write(LOG_INFO, &(LogContext){ .message = MESSAGE_SUPERVISOR_STOPPING },
                  "stopping %zu %s%s%s%s", generation->count,
                  PLURAL(generation->count, "daemon", "daemons"),
                  fast ? " at once, by cleanup" : ": freeze, drain, cleanup",
                  grace != USEC_INFINITY ? ", within " : "", grace != USEC_INFINITY ? limit : "");
}

static void stop_limit(Supervisor *supervisor, usec_t grace) {
        usec_t begun = supervisor->stop_begun;

        supervisor->stop_end = usec_add(begun, budget_end(grace));
        sequence_limit(supervisor->generation->sequence,
                       (SequenceLimit){
                               .cut = usec_add(begun, budget_phases(grace)),
                               .end = supervisor->stop_end,
                       });
        loop_timer_set(supervisor->end, supervisor->stop_end);
}

void stop_begin(Supervisor *supervisor, bool fast, const char *who) {
        Generation *generation = supervisor->generation;
        usec_t grace = generation->config->supervisor.grace;

        stop_note_begun(generation, fast);

        records_hold(supervisor->records);
        reload_cancel(supervisor);
        operations_cancel(supervisor);
        start_cancel(supervisor);
        (void) recording_over(supervisor, TAKE(supervisor->starting), RECORD_BROKEN_OFF);
        record_begin(generation->record, who, recording_moment(supervisor));

        for (size_t i = 0; i < generation->count; i++) {
                generation->in_set[i] = true;
                (void) child_take_forced(generation->children[i]); /* not by this stop */
                child_set_purpose(generation->children[i], PURPOSE_STOP);
        }
        supervisor->stop_begun = loop_now(supervisor->loop);
        drive_begin(supervisor, generation->sequence,
                    (SequenceSpan){ fast ? PHASE_CLEANUP : PHASE_FREEZE, PHASE_CLEANUP },
                    generation->in_set);
        if (grace != USEC_INFINITY)
                stop_limit(supervisor, grace);
        report_stopping(supervisor);
}

static size_t stop_count_left(const Generation *generation) {
        size_t count = 0;

        for (size_t i = 0; i < generation->count; i++)
                count += generation->states[i] == STATE_STUCK ||
                         !daemon_state_is_resting(generation->states[i]);
        return count;
}

static void stop_finish(Supervisor *supervisor) {
        Generation *generation = supervisor->generation;
        SequenceProgress progress;
        char elapsed[DURATION_TEXT_MAX], forced[STOP_FIELD_MAX], text[STATUS_TEXT_MAX];
        const char *fields[] = { forced, NULL };

        sequence_progress(generation->sequence, &progress);
        format_elapsed(elapsed, usec_sub(clock_now(), supervisor->stop_begun));
        snprintf(forced, sizeof(forced), "SUPERVISOR_FORCED=%zu", progress.forced_in_all);
        snprintf(text, sizeof(text), "stopped after %s: %zu %s, %zu forced, %zu left behind",
                 elapsed, generation->count, PLURAL(generation->count, "daemon", "daemons"),
                 progress.forced_in_all, stop_count_left(generation));
        log_write(progress.forced_in_all > 0 ? LOG_WARNING : LOG_INFO,
                  &(LogContext){ .message = MESSAGE_SUPERVISOR_STOPPED, .fields = fields }, "%s",
                  text);
        report_tell(supervisor, text); /* systemd shows it when we are gone */

        (void) recording_over(supervisor, TAKE(generation->record),
                              sequence_is_active(generation->sequence) ? RECORD_BROKEN_OFF
                                                                       : RECORD_OVER);
        records_flush(supervisor->records);
        (void) mode_step(&supervisor->mode, MODE_EVENT_ALL_AT_REST);
        loop_exit(supervisor->loop, supervisor->exit_code);
}

void stop_drive(Supervisor *supervisor) {
        Generation *generation = supervisor->generation;

        if (drive_sequence(supervisor, generation->sequence, generation->record, "stop"))
                stop_finish(supervisor);
}

/*
 * All that a stop does takes time too: a machine that is too slow for its daemons may get here with
 * some of them not even killed. What can be done for each in a moment is done, and then what can be
 * done for all at once.
 */
int stop_on_end(void *userdata) {
        Supervisor *supervisor = userdata;

        (void) settle_run(supervisor);
        if (supervisor->mode == MODE_EXITED)
                return 0;

        log_error("the time for the stop is over: killing what is left, and not waiting for it");
        int r = tree_kill_below();
        if (r < 0)
                log_error("cannot kill all that is left: %s", strerror(-r));
        stop_finish(supervisor);
        return 0;
}
