/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Driving a sequence: the model says who gets which order when, here it is given and told. The same
 * for a stop of everything and for some daemons. Allocates nothing.
 */

#include <stdio.h>

#include "base/clock.h"
#include "base/parse.h"
#include "service/object.h"

#define DRIVE_FIELD_MAX 64
#define DRIVE_MOMENT    (100 * USEC_PER_MSEC)

void drive_begin(Supervisor *supervisor, Sequence *sequence, SequenceSpan span, const bool *set) {
        Generation *generation = supervisor->generation;

        for (size_t i = 0; i < generation->count; i++) {
                if (!set[i])
                        continue;
                child_unwant(generation->children[i]);
                generation->pending_count -= generation->pending[i];
                generation->pending[i] = false;
        }

        sequence_begin(sequence, span, set, generation->states, loop_now(supervisor->loop));
        /* nobody waits any longer for those that were called off */
        for (unsigned i = 0; i < generation->count; i++)
                if (set[i])
                        start_consider_after(supervisor, i);
        loop_defer_arm(supervisor->settle);
}

static void drive_note_begun(const Sequence *sequence, const char *what) {
        SequenceProgress progress;
        char limit[DURATION_TEXT_MAX];

        sequence_progress(sequence, &progress);
        if (progress.total == 0)
                return;
        log_write(LOG_INFO,
                  &(LogContext){ .message = MESSAGE_PHASE_BEGUN,
                                 .phase = phase_name(progress.phase) },
                  "%s begins (%s): %zu %s, at most %s", phase_name(progress.phase), what,
                  progress.total, PLURAL(progress.total, "daemon", "daemons"),
                  format_elapsed(limit, usec_sub(progress.latest, progress.begun)));
}

/* A stop of everything shows its phases in the mode. */
static void drive_enter_phase(Supervisor *supervisor, const Sequence *sequence) {
        SequenceProgress progress;

        if (!mode_is_stopping(supervisor->mode))
                return;
        sequence_progress(sequence, &progress);
        if (progress.phase == PHASE_DRAIN)
                (void) mode_step(&supervisor->mode, MODE_EVENT_DRAIN_BEGUN);
        if (progress.phase == PHASE_CLEANUP)
                (void) mode_step(&supervisor->mode, MODE_EVENT_CLEANUP_BEGUN);
        report_now(supervisor);
}

static void drive_note_ended(const Supervisor *supervisor,
                             const Sequence *sequence,
                             const char *what) {
        SequenceProgress progress;
        char elapsed[DURATION_TEXT_MAX], forced[DRIVE_FIELD_MAX];
        const char *fields[] = { forced, NULL };

        sequence_progress(sequence, &progress);
        if (progress.total == 0)
                return;
        format_elapsed(elapsed, usec_sub(loop_now(supervisor->loop), progress.begun));
        snprintf(forced, sizeof(forced), "SUPERVISOR_FORCED=%zu", progress.forced);

        LogContext context = {
                .message = MESSAGE_PHASE_ENDED,
                .phase = phase_name(progress.phase),
                .fields = fields,
        };
        if (progress.left > 0)
                log_write(LOG_NOTICE, &context,
                          "%s skipped (%s) after %s, %zu of %zu %s not done", context.phase, what,
                          elapsed, progress.left, progress.total,
                          PLURAL(progress.total, "daemon was", "daemons were"));
        else if (progress.forced > 0)
                log_write(LOG_WARNING, &context,
                          "%s ended (%s) after %s, %zu of %zu %s forced", context.phase, what,
                          elapsed, progress.forced, progress.total,
                          PLURAL(progress.total, "daemon", "daemons"));
        else
                log_write(LOG_INFO, &context, "%s ended (%s) after %s, %zu %s done", context.phase,
                          what, elapsed, progress.total,
                          PLURAL(progress.total, "daemon", "daemons"));
}

/* More time went by than the worst case allows: something hung at its kill, or we did. */
static void drive_note_cut(const Sequence *sequence, const char *what) {
        SequenceProgress progress;

        sequence_progress(sequence, &progress);
        log_write(LOG_WARNING, &(LogContext){ .phase = phase_name(progress.phase) },
                  "the time is over (%s), ending %zu of %zu %s at once and in no order", what,
                  progress.left, progress.total, PLURAL(progress.total, "daemon", "daemons"));
}

static void drive_record_begun(const Supervisor *supervisor,
                               const Sequence *sequence,
                               Record *record) {
        SequenceProgress progress;

        sequence_progress(sequence, &progress);
        record_phase_begun(record, &progress, sequence_counts(sequence),
                           supervisor->generation->states);
}

static void drive_record_ended(const Sequence *sequence, Record *record, usec_t now) {
        SequenceProgress progress;

        sequence_progress(sequence, &progress);
        record_phase_ended(record, &progress, now);
}

/* Orders cost time: the moment at which the loop has to be left is not to be missed by them. */
static bool drive_is_too_late(const Supervisor *supervisor) {
        if (supervisor->stop_end == USEC_INFINITY)
                return false;
        return clock_now() >= MAX_OF(supervisor->stop_end,
                                     usec_add(loop_now(supervisor->loop), DRIVE_MOMENT));
}

bool drive_sequence(Supervisor *supervisor,
                    Sequence *sequence,
                    Record *record,
                    const char *what) {
        SequenceOrder order;

        while (!drive_is_too_late(supervisor)) {
                usec_t now = loop_now(supervisor->loop);

                switch (sequence_next(sequence, now, &order)) {
                case SEQUENCE_ORDER:
                        record_ordered(record, order, now);
                        child_order(supervisor->generation->children[order.node], order.event);
                        break;
                case SEQUENCE_PHASE_BEGUN:
                        drive_record_begun(supervisor, sequence, record);
                        drive_note_begun(sequence, what);
                        drive_enter_phase(supervisor, sequence);
                        break;
                case SEQUENCE_PHASE_ENDED:
                        drive_record_ended(sequence, record, now);
                        drive_note_ended(supervisor, sequence, what);
                        break;
                case SEQUENCE_CUT:
                        drive_note_cut(sequence, what);
                        break;
                case SEQUENCE_WAIT:
                        return false;
                case SEQUENCE_DONE:
                        return true;
                }
        }
        return false;
}
