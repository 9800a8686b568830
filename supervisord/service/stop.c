/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Driving the sequence: the model says who gets which order when, here it is given. The same for a
 * stop of everything and for the daemons that lost what they require. Allocates nothing.
 */

#include <stdio.h>

#include "base/parse.h"
#include "service/object.h"

#define STOP_FIELD_MAX 64

static void stop_set_all(Supervisor *supervisor, bool value) {
        for (size_t i = 0; i < supervisor->count; i++)
                supervisor->in_set[i] = value;
}

static void stop_begin_sequence(Supervisor *supervisor, Phase first) {
        for (size_t i = 0; i < supervisor->count; i++)
                if (supervisor->in_set[i])
                        child_unwant(supervisor->children[i]);

        supervisor->stop_begun = loop_now(supervisor->loop);
        sequence_begin(supervisor->sequence, first, supervisor->in_set, supervisor->states,
                       supervisor->stop_begun);
        loop_defer_arm(supervisor->settle);
}

void stop_begin(Supervisor *supervisor, bool fast) {
        log_write(LOG_INFO, &(LogContext) { .message = MESSAGE_SUPERVISOR_STOPPING },
                  "stopping %zu daemons%s", supervisor->count,
                  fast ? " at once, by cleanup" : ": freeze, drain, cleanup");

        start_cancel(supervisor);
        stop_set_all(supervisor, true);
        stop_begin_sequence(supervisor, fast ? PHASE_CLEANUP : PHASE_FREEZE);
        report_stopping(supervisor);
}

/* Whether it is up although something that it requires is not, nor will be. */
static bool stop_has_fallen(const Supervisor *supervisor, unsigned node) {
        if (!daemon_state_is_up(supervisor->states[node]))
                return false;

        GraphEdges needs = graph_needs(supervisor->config->graph, node);
        for (size_t i = 0; i < needs.count; i++)
                if (needs.edges[i].required && !supervisor->pending[needs.edges[i].node]
                    && daemon_state_is_resting(supervisor->states[needs.edges[i].node]))
                        return true;
        return false;
}

void stop_fallen(Supervisor *supervisor) {
        bool any = false;

        if (mode_is_stopping(supervisor->mode) || sequence_is_active(supervisor->sequence))
                return;

        /* only direct ones: when they are at rest, those that require them come next */
        for (unsigned i = 0; i < supervisor->count; i++) {
                supervisor->in_set[i] = stop_has_fallen(supervisor, i);
                if (!supervisor->in_set[i])
                        continue;
                any = true;
                log_write(LOG_WARNING, &(LogContext) { .daemon = child_name(supervisor->children[i]) },
                          "stopping: a daemon that it requires is gone");
        }
        if (any)
                stop_begin_sequence(supervisor, PHASE_FREEZE);
}

static void stop_note_phase_begun(Supervisor *supervisor) {
        SequenceProgress progress;
        char limit[DURATION_TEXT_MAX];

        sequence_progress(supervisor->sequence, &progress);
        log_write(LOG_INFO,
                  &(LogContext) { .message = MESSAGE_PHASE_BEGUN, .phase = phase_name(progress.phase) },
                  "%s begins: %zu daemons, at most %s", phase_name(progress.phase), progress.total,
                  format_elapsed(limit, usec_sub(progress.latest, progress.begun)));

        if (!mode_is_stopping(supervisor->mode))
                return;
        if (progress.phase == PHASE_DRAIN)
                (void) mode_step(&supervisor->mode, MODE_EVENT_DRAIN_BEGUN);
        if (progress.phase == PHASE_CLEANUP)
                (void) mode_step(&supervisor->mode, MODE_EVENT_CLEANUP_BEGUN);
        report_now(supervisor);
}

static void stop_note_phase_ended(Supervisor *supervisor) {
        SequenceProgress progress;
        char elapsed[DURATION_TEXT_MAX], forced[STOP_FIELD_MAX];
        const char *fields[] = { forced, NULL };

        sequence_progress(supervisor->sequence, &progress);
        format_elapsed(elapsed, usec_sub(loop_now(supervisor->loop), progress.begun));
        snprintf(forced, sizeof(forced), "SUPERVISOR_FORCED=%zu", progress.forced);

        LogContext context = {
                .message = MESSAGE_PHASE_ENDED,
                .phase = phase_name(progress.phase),
                .fields = fields,
        };
        if (progress.left > 0)
                log_write(LOG_NOTICE, &context, "%s skipped after %s, %zu of %zu daemons were not done",
                          phase_name(progress.phase), elapsed, progress.left, progress.total);
        else if (progress.forced > 0)
                log_write(LOG_WARNING, &context, "%s ended after %s, %zu of %zu daemons forced",
                          phase_name(progress.phase), elapsed, progress.forced, progress.total);
        else
                log_write(LOG_INFO, &context, "%s ended after %s, %zu daemons done",
                          phase_name(progress.phase), elapsed, progress.total);
}

static size_t stop_count_stuck(const Supervisor *supervisor) {
        size_t count = 0;

        for (size_t i = 0; i < supervisor->count; i++)
                count += supervisor->states[i] == STATE_STUCK;
        return count;
}

static void stop_finish(Supervisor *supervisor) {
        SequenceProgress progress;
        char elapsed[DURATION_TEXT_MAX], forced[STOP_FIELD_MAX];
        const char *fields[] = { forced, NULL };

        if (!mode_is_stopping(supervisor->mode))
                return;

        sequence_progress(supervisor->sequence, &progress);
        format_elapsed(elapsed, usec_sub(loop_now(supervisor->loop), supervisor->stop_begun));
        snprintf(forced, sizeof(forced), "SUPERVISOR_FORCED=%zu", progress.forced_in_all);
        log_write(progress.forced_in_all > 0 ? LOG_WARNING : LOG_INFO,
                  &(LogContext) { .message = MESSAGE_SUPERVISOR_STOPPED, .fields = fields },
                  "stopped after %s: %zu daemons, %zu forced, %zu left behind", elapsed,
                  supervisor->count, progress.forced_in_all, stop_count_stuck(supervisor));

        (void) mode_step(&supervisor->mode, MODE_EVENT_ALL_AT_REST);
        loop_exit(supervisor->loop, supervisor->exit_code);
}

void stop_drive(Supervisor *supervisor) {
        SequenceOrder order;

        if (!sequence_is_active(supervisor->sequence))
                return;

        for (;;) {
                switch (sequence_next(supervisor->sequence, loop_now(supervisor->loop), &order)) {
                case SEQUENCE_ORDER:
                        child_order(supervisor->children[order.node], order.event);
                        break;
                case SEQUENCE_PHASE_BEGUN:
                        stop_note_phase_begun(supervisor);
                        break;
                case SEQUENCE_PHASE_ENDED:
                        stop_note_phase_ended(supervisor);
                        break;
                case SEQUENCE_DONE:
                        loop_timer_disarm(supervisor->deadline);
                        loop_defer_arm(supervisor->settle); /* meanwhile others may have fallen */
                        stop_finish(supervisor);
                        return;
                case SEQUENCE_WAIT:
                        loop_timer_set(supervisor->deadline, sequence_deadline(supervisor->sequence));
                        return;
                }
        }
}
