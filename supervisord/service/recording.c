/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Filling the records: from the children at the end of a sequence, and step by step for a reload.
 * Where there is no memory for it there is no record, and what it is about goes on.
 */

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "service/object.h"

RecordMoment recording_moment(const Supervisor *supervisor) {
        return (RecordMoment){
                .monotonic = loop_now(supervisor->loop),
                .realtime = clock_realtime(),
        };
}

void recording_start(Supervisor *supervisor, const bool *set) {
        const Generation *generation = supervisor->generation;

        int r = record_new(generation->config, "start of everything",
                           &(RecordSets){ .starts = set }, &supervisor->starting);
        if (r < 0) {
                log_warning("there will be no record of the start: %s", strerror(-r));
                return;
        }
        record_begin(supervisor->starting, "supervisord", recording_moment(supervisor));
        record_starting(supervisor->starting, generation->states, loop_now(supervisor->loop));
}

static RecordOutcome recording_judge_start(const Generation *generation, unsigned node) {
        if (generation->pending[node])
                return RECORD_WAITING;
        switch (generation->states[node]) {
        case STATE_RUNNING:
        case STATE_DONE:
                return RECORD_DONE;
        case STATE_STOPPED: /* a clean end that its restart policy accepts */
                return RECORD_ENDED;
        default:
                return RECORD_FAILED;
        }
}

static void recording_take_start(const Generation *generation, Record *record, unsigned node) {
        const Child *child = generation->children[node];
        RecordOutcome outcome = recording_judge_start(generation, node);

        record_started(record, node, outcome, child_started(child),
                       outcome == RECORD_WAITING ? 0 : child_state_since(child));
        if (outcome == RECORD_FAILED)
                record_note(record, node, RECORD_REASON, child_reason(child));
}

static void recording_take_flight(const Child *child, Record *record, const RecordRow *row) {
        ChildInFlight flight;

        if (row->phases[PHASE_DRAIN].begun == 0 ||
            !child_in_flight(child, row->phases[PHASE_DRAIN].begun, &flight))
                return;
        record_in_flight(record, row->node, flight.first);
        record_in_flight(record, row->node, flight.last);
        if (row->phases[PHASE_DRAIN].cut)
                record_note(record, row->node, RECORD_PEERS, flight.peers);
}

/* What the daemons themselves know of what happened. */
static void recording_take_children(const Generation *generation,
                                    Record *record,
                                    RecordResult result) {
        RecordSignal signals[RECORD_SIGNALS_MAX];

        for (size_t i = 0; i < record->row_count; i++) {
                const RecordRow *row = &record->rows[i];
                const Child *child = generation->children[row->node];
                size_t count = child_signals(child, signals);

                record_signals(record, row->node, signals, count);
                recording_take_flight(child, record, row);
                if (row->stops)
                        record_note(record, row->node, RECORD_SPARED,
                                    child_spared(child, record->begun.monotonic));
                if (row->start.outcome == RECORD_OPEN && result == RECORD_OVER)
                        recording_take_start(generation, record, row->node);
                if (row->reload.outcome == RECORD_FAILED)
                        record_note(record, row->node, RECORD_REASON, child_reload_text(child));
        }
}

uint64_t recording_over(Supervisor *supervisor, Record *record_consume, RecordResult result) {
        CLEANUP(record_freep) Record *record = record_consume;

        supervisor->recorded = 0;
        if (!record || record->row_count == 0)
                return 0;
        recording_take_children(supervisor->generation, record, result);
        record_end(record, result, recording_moment(supervisor));
        supervisor->recorded = records_take_sequence(supervisor->records, TAKE(record));
        return supervisor->recorded;
}

void recording_own_reload(Supervisor *supervisor, Record *record, unsigned node) {
        const Child *child = supervisor->generation->children[node];
        bool done = child_reload_outcome(child) == CHILD_RELOAD_DONE;

        record_reloaded(record, node, done ? RECORD_DONE : RECORD_FAILED,
                        loop_now(supervisor->loop));
}

/* ---- reloads ---- */

void recording_requesters(const Supervisor *supervisor, char buffer[static RELOAD_RECORD_WHO_MAX]) {
        const Reload *reload = &supervisor->reload;
        const ReloadWaiter *waiter;
        size_t used = 0;

        buffer[0] = '\0';
        if (reload->signal[0] != '\0')
                used = (size_t) snprintf(buffer, RELOAD_RECORD_WHO_MAX, "%s", reload->signal);
        TAILQ_FOREACH(waiter, &reload->waiters, link)
        if (waiter->who && used < RELOAD_RECORD_WHO_MAX)
                used += (size_t) snprintf(buffer + used, RELOAD_RECORD_WHO_MAX - used, "%s%s",
                                          used > 0 ? ", " : "", waiter->who);
}

void recording_reload(Supervisor *supervisor) {
        Reload *reload = &supervisor->reload;
        char who[RELOAD_RECORD_WHO_MAX];

        recording_requesters(supervisor, who);
        reload->signal[0] = '\0';
        int r = reload_record_new(who, recording_moment(supervisor), &reload->record);
        if (r < 0) {
                log_warning("there will be no record of the reload: %s", strerror(-r));
                return;
        }
        reload_record_describe(&reload->record->before, supervisor->generation->config);
}

static void recording_take_findings(const Reload *reload) {
        for (size_t i = 0; reload->diag && i < diag_count(reload->diag); i++) {
                CLEANUP(freep) char *text = finding_text(diag_get(reload->diag, i));

                if (!text || reload_record_find(reload->record, text) < 0)
                        reload->record->findings_lost++;
        }
}

void recording_reload_plan(Supervisor *supervisor) {
        const Reload *reload = &supervisor->reload;

        if (!reload->record)
                return;
        recording_take_findings(reload);
        if (reload->diff)
                reload_record_describe(&reload->record->after, reload->diff->after);
        if (reload->plan && reload_record_plan(reload->record, reload->diff, reload->plan) < 0)
                log_warning("there is no memory to remember the plan of the reload");
}

/* By the clock, not by the loop's: reading the files takes its time within one round. */
void recording_reload_step(Supervisor *supervisor, ReloadStage stage) {
        static const char *const names[] = {
                [RELOAD_IDLE] = "check",
                [RELOAD_TESTING] = "test",
                [RELOAD_STOPPING] = "stop",
                [RELOAD_STARTING] = "start",
                [RELOAD_TELLING] = "tell",
                [RELOAD_UNDO_STOPPING] = "undo-stop",
                [RELOAD_UNDO_STARTING] = "undo-start",
        };
        static_assert(ELEMENTSOF(names) == RELOAD_STAGE_MAX_, "every stage has a name");

        reload_record_step(supervisor->reload.record, names[stage], clock_now());
}

void recording_reload_step_over(Supervisor *supervisor, OperationOutcome outcome) {
        reload_record_step_over(supervisor->reload.record,
                                outcome == OPERATION_DONE ? RECORD_STEP_DONE : RECORD_STEP_CANCELED,
                                supervisor->recorded, clock_now());
}

/* What a verdict means for the step at hand; after one that is over it means nothing. */
static RecordStepOutcome recording_judge_step(ReloadVerdict verdict) {
        switch (verdict) {
        case RELOAD_REFUSED:
                return RECORD_STEP_FAILED;
        case RELOAD_CANCELED:
                return RECORD_STEP_CANCELED;
        default:
                return RECORD_STEP_DONE;
        }
}

void recording_reload_over(Supervisor *supervisor, ReloadVerdict verdict, const char *text) {
        ReloadRecord *record = supervisor->reload.record;

        /* then it has not come to its plan */
        if (verdict == RELOAD_REFUSED || verdict == RELOAD_NOTHING)
                recording_reload_plan(supervisor);
        reload_record_step_over(record, recording_judge_step(verdict), 0, clock_now());
        reload_record_end(record, reload_verdict_name(verdict), text,
                          (RecordMoment){ clock_now(), clock_realtime() });
}
