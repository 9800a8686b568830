/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A row per daemon that has a part in it, found by its index; see the header. A span is closed by
 * the first state that is so far, as the sequence has it.
 */

#include "model/record.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NOTES_AT_LEAST 8

const char *record_outcome_name(RecordOutcome outcome) {
        static const char *const names[] = {
                [RECORD_NONE] = "none",       [RECORD_OPEN] = "open",
                [RECORD_DONE] = "done",       [RECORD_ALREADY] = "already",
                [RECORD_LATE] = "late",       [RECORD_ENDED] = "ended",
                [RECORD_FORCED] = "forced",   [RECORD_FAILED] = "failed",
                [RECORD_SKIPPED] = "skipped", [RECORD_STUCK] = "stuck",
                [RECORD_WAITING] = "waiting", [RECORD_CANCELED] = "canceled",
        };
        static_assert(ELEMENTSOF(names) == RECORD_OUTCOME_MAX_, "every outcome has a name");
        return names[outcome];
}

static bool set_has(const bool *set, size_t node) {
        return set && set[node];
}

/* The part that a daemon has in it; false: none. */
static bool record_part(const RecordSets *sets, size_t node, RecordRow *ret) {
        *ret = (RecordRow){
                .node = (unsigned) node,
                .stops = !sets || set_has(sets->stops, node),
                .starts = sets && set_has(sets->starts, node),
                .reloads = sets && set_has(sets->reloads, node),
        };
        return ret->stops || ret->starts || ret->reloads;
}

static size_t record_count_rows(const Config *config, const RecordSets *sets) {
        size_t count = 0;
        RecordRow row;

        for (size_t i = 0; i < config->daemon_count; i++)
                count += record_part(sets, i, &row);
        return count;
}

int record_new(Config *config, const char *what, const RecordSets *sets, Record **ret) {
        CLEANUP(record_freep) Record *record = calloc(1, sizeof(*record));
        if (!record)
                return -ENOMEM;

        size_t count = record_count_rows(config, sets);
        record->config = config_ref(config);
        record->what = strndup(what, RECORD_WHAT_MAX);
        record->rows = calloc(MAX_OF(count, (size_t) 1), sizeof(*record->rows));
        record->note_room = MIN_OF(NOTES_AT_LEAST + count, (size_t) RECORD_NOTES_MAX);
        record->notes = calloc(record->note_room, sizeof(*record->notes));
        if (!record->what || !record->rows || !record->notes)
                return -ENOMEM;

        for (size_t i = 0; record->row_count < count; i++) {
                RecordRow *row = &record->rows[record->row_count];

                if (!record_part(sets, i, row))
                        continue;
                record->stops |= row->stops;
                record->row_count++;
        }
        *ret = TAKE(record);
        return 0;
}

Record *record_free(Record *record) {
        if (!record)
                return NULL;
        config_unref(record->config);
        free(record->what);
        free(record->rows);
        free(record->notes);
        free(record);
        return NULL;
}

static RecordRow *record_row(const Record *record, unsigned node) {
        size_t low = 0, high = record ? record->row_count : 0;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (record->rows[middle].node == node)
                        return &record->rows[middle];
                if (record->rows[middle].node < node)
                        low = middle + 1;
                else
                        high = middle;
        }
        return NULL;
}

void record_begin(Record *record, const char *who, RecordMoment now) {
        if (!record)
                return;
        snprintf(record->who, sizeof(record->who), "%s", who);
        record->begun = now;
        record->ended = (RecordMoment){ 0 };
        record->result = RECORD_RUNNING;
        record->fast = record->in_phase = false;
        record->hurried = 0;
        record->note_count = record->notes_lost = 0;
        memset(record->phases, 0, sizeof(record->phases));
        for (size_t i = 0; i < record->row_count; i++) {
                RecordRow *row = &record->rows[i];

                *row = (RecordRow){
                        .node = row->node,
                        .stops = row->stops,
                        .starts = row->starts,
                        .reloads = row->reloads,
                };
        }
}

/* ---- the sequence ---- */

void record_phase_begun(Record *record,
                        const SequenceProgress *progress,
                        const bool *counts,
                        const DaemonState *states) {
        if (!record)
                return;

        Phase phase = progress->phase;
        bool first = record->phases[PHASE_FREEZE].begun == 0;

        record->phase = phase;
        record->in_phase = true;
        record->fast |= phase == PHASE_CLEANUP && first && record->hurried == 0;
        record->phases[phase] = (RecordPhase){
                .begun = progress->begun,
                .total = progress->total,
        };
        for (size_t i = 0; i < record->row_count; i++) {
                RecordRow *row = &record->rows[i];

                if (!row->stops)
                        continue;
                row->overdue = false;
                row->phases[phase].outcome = counts[row->node] ? RECORD_OPEN
                                             : phase_done(phase, states[row->node])
                                                     ? RECORD_ALREADY
                                                     : RECORD_LATE;
        }
}

/* Closes the spans of the phase at hand that are open. */
static void record_close_phase(Record *record, RecordOutcome outcome, usec_t now) {
        record->in_phase = false;
        record->phases[record->phase].ended = now;
        for (size_t i = 0; i < record->row_count; i++) {
                RecordSpan *span = &record->rows[i].phases[record->phase];

                if (span->outcome != RECORD_OPEN)
                        continue;
                span->outcome = outcome;
                span->ended = now;
        }
}

void record_phase_ended(Record *record, const SequenceProgress *progress, usec_t now) {
        if (!record)
                return;

        RecordPhase *phase = &record->phases[progress->phase];
        phase->forced = progress->forced;
        phase->skipped = progress->left;
        record_close_phase(record, RECORD_SKIPPED, now);
}

void record_ordered(Record *record, SequenceOrder order, usec_t now) {
        RecordRow *row = record_row(record, order.node);

        if (!row || !record->in_phase)
                return;
        if (order.event == EVENT_FREEZE || order.event == EVENT_DRAIN ||
            order.event == EVENT_CLEANUP)
                row->phases[record->phase].begun = now;
        else
                row->overdue = true;
}

/* What it means that a daemon is so far. */
static RecordOutcome record_judge(const Record *record, const RecordRow *row, DaemonState state) {
        const RecordSpan *span = &row->phases[record->phase];
        bool gone = state == STATE_ENDED || daemon_state_is_resting(state);

        if (state == STATE_STUCK && record->phase == PHASE_CLEANUP)
                return RECORD_STUCK;
        if (span->cut)
                return row->overdue || record->phase == PHASE_CLEANUP ? RECORD_FORCED
                                                                      : RECORD_FAILED;
        if (span->begun == 0)
                return RECORD_ENDED;
        if (record->phase == PHASE_CLEANUP || !gone)
                return RECORD_DONE;
        /* there its end is what it was asked for */
        if (record->phase == PHASE_DRAIN &&
            record->config->daemons[row->node].drain.until == DRAIN_EXIT)
                return RECORD_DONE;
        return RECORD_ENDED;
}

void record_observe(Record *record, unsigned node, DaemonState state, bool cut, usec_t now) {
        RecordRow *row = record_row(record, node);

        if (!row || !row->stops || !record->in_phase)
                return;

        RecordSpan *span = &row->phases[record->phase];
        span->cut |= cut;
        if (span->outcome != RECORD_OPEN || !phase_done(record->phase, state))
                return;
        span->outcome = record_judge(record, row, state);
        span->ended = now;
}

void record_hurried(Record *record, const char *who, usec_t now) {
        if (!record || record->hurried > 0)
                return;
        record->hurried = now;
        snprintf(record->hurried_by, sizeof(record->hurried_by), "%s", who);
}

/* When it began to do anything: before that it may have waited for others. */
static usec_t record_first_moment(const Record *record) {
        for (Phase phase = PHASE_FREEZE; phase < PHASE_MAX_; phase++)
                if (record->phases[phase].begun > 0)
                        return record->phases[phase].begun;
        return record->begun.monotonic;
}

void record_signals(Record *record, unsigned node, const RecordSignal *signals, size_t count) {
        RecordRow *row = record_row(record, node);

        if (!row)
                return;
        row->signal_count = 0;
        for (size_t i = 0; i < count && row->signal_count < RECORD_SIGNALS_MAX; i++)
                if (signals[i].when >= record_first_moment(record))
                        row->signals[row->signal_count++] = signals[i];
}

/* ---- the start ---- */

void record_starting(Record *record, const DaemonState *states, usec_t now) {
        for (size_t i = 0; record && i < record->row_count; i++) {
                RecordRow *row = &record->rows[i];

                if (row->starts)
                        row->start = daemon_state_is_ready(states[row->node])
                                             ? (RecordSpan){ .outcome = RECORD_ALREADY }
                                             : (RecordSpan){ .begun = now, .outcome = RECORD_OPEN };
        }
}

void record_started(
        Record *record, unsigned node, RecordOutcome outcome, usec_t begun, usec_t ended) {
        RecordRow *row = record_row(record, node);

        if (!row || row->start.outcome != RECORD_OPEN)
                return;
        /* an earlier run is not this start */
        row->start.begun = MAX_OF(row->start.begun, begun);
        row->start.ended = MAX_OF(row->start.begun, ended);
        row->start.outcome = outcome;
}

/* ---- own reloads ---- */

void record_reloading(Record *record, usec_t now) {
        for (size_t i = 0; record && i < record->row_count; i++)
                if (record->rows[i].reloads)
                        record->rows[i].reload = (RecordSpan){
                                .begun = now,
                                .outcome = RECORD_OPEN,
                        };
}

void record_reloaded(Record *record, unsigned node, RecordOutcome outcome, usec_t now) {
        RecordRow *row = record_row(record, node);

        if (!row || row->reload.outcome != RECORD_OPEN)
                return;
        row->reload.ended = now;
        row->reload.outcome = outcome;
}

/* ---- the end ---- */

static void record_cancel_span(RecordSpan *span, usec_t now) {
        if (span->outcome != RECORD_OPEN)
                return;
        span->outcome = RECORD_CANCELED;
        span->ended = now;
}

void record_end(Record *record, RecordResult result, RecordMoment now) {
        if (!record)
                return;
        if (record->in_phase)
                record_close_phase(record, RECORD_CANCELED, now.monotonic);
        for (size_t i = 0; i < record->row_count; i++) {
                record_cancel_span(&record->rows[i].start, now.monotonic);
                record_cancel_span(&record->rows[i].reload, now.monotonic);
        }
        record->ended = now;
        record->result = result;
}

/* ---- what more is known ---- */

void record_in_flight(Record *record, unsigned node, uint64_t count) {
        RecordRow *row = record_row(record, node);

        if (!row)
                return;
        if (!row->measured)
                row->in_flight_first = count;
        row->measured = true;
        row->in_flight_last = count;
}

void record_note(Record *record, unsigned node, RecordNoteKind kind, const char *text) {
        if (!record_row(record, node) || text[0] == '\0')
                return;
        if (record->note_count == record->note_room) {
                record->notes_lost++;
                return;
        }

        RecordNote *note = &record->notes[record->note_count++];
        note->node = node;
        note->kind = kind;
        snprintf(note->text, sizeof(note->text), "%s", text);
}

bool record_row_is_cut(const RecordRow *row) {
        for (Phase phase = PHASE_FREEZE; phase < PHASE_MAX_; phase++)
                if (row->phases[phase].cut)
                        return true;
        return false;
}

size_t record_count_cut(const Record *record) {
        size_t count = 0;

        for (size_t i = 0; i < record->row_count; i++)
                count += record_row_is_cut(&record->rows[i]);
        return count;
}
