/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What holds for records: they tell what was seen here. The begin of one is seen by the linker's
 * --wrap= of record_phase_begun(), its end by that of records_take_…().
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/record_text.h"
#include "sim/watch.h"

#define RECORD_MAX_ 64
#define TEXT_EVERY  4

/* What there was when the first phase of a record began. */
typedef struct Begin {
        const Record *record; /* NULL: free */
        Phase last; /* the one that it ends with */
        size_t orders;
        unsigned forced[DAEMON_MAX];
} Begin;

static struct {
        Begin begins[RECORD_MAX_];
        unsigned stops; /* records of a stop of everything */
        bool stop_counts; /* its first phase has begun */
} seen;

void watch_records_begin(void) {
        memset(&seen, 0, sizeof(seen));
}

static Begin *watch_find_begin(const Record *record) {
        for (Begin *begin = seen.begins; begin < seen.begins + RECORD_MAX_; begin++)
                if (begin->record == record)
                        return begin;
        if (!record)
                sim_fail("so many records cannot be watched");
        return NULL;
}

static const char *row_name(const Record *record, const RecordRow *row) {
        return record->config->daemons[row->node].name;
}

static const RecordRow *watch_find_row(const Record *record, unsigned node) {
        for (size_t i = 0; i < record->row_count; i++)
                if (record->rows[i].node == node)
                        return &record->rows[i];
        return NULL;
}

/* It has a row for each daemon of the sequence, and for no other one. */
static void watch_judge_set(const Record *record) {
        for (unsigned i = 0; i < watch_count(); i++) {
                const RecordRow *row = watch_find_row(record, i);

                if ((row && row->stops) != watch.run->in_set[i])
                        sim_fail("the record of the %s is wrong about %s having a part in it",
                                 record->what, watch_name(i));
        }
}

static bool watch_is_first_phase(const Record *record) {
        for (Phase phase = PHASE_FREEZE; phase < record->phase; phase++)
                if (record->phases[phase].begun > 0)
                        return false;
        return true;
}

/* What was cut before the first phase of a stop is none of its business. */
static void watch_stop_counts(void) {
        for (size_t i = 0; !seen.stop_counts && i < watch.daemon_count; i++)
                watch.daemons[i].cut = false;
        seen.stop_counts = true;
}

void __real_record_phase_begun(Record *record,
                               const SequenceProgress *progress,
                               const bool *counts,
                               const DaemonState *states);
void __wrap_record_phase_begun(Record *record,
                               const SequenceProgress *progress,
                               const bool *counts,
                               const DaemonState *states);

void __wrap_record_phase_begun(Record *record,
                               const SequenceProgress *progress,
                               const bool *counts,
                               const DaemonState *states) {
        __real_record_phase_begun(record, progress, counts, states);
        if (watch.stop_begun > 0)
                watch_stop_counts();
        if (!record || record->row_count == 0 || !watch_is_first_phase(record))
                return;

        Begin *begin = watch_find_begin(NULL);
        begin->record = record;
        begin->last = watch.run->last;
        begin->orders = watch.order_count;
        for (size_t i = 0; i < watch.daemon_count; i++)
                begin->forced[i] = watch.daemons[i].forced;
        watch_judge_set(record);
}

/* ---- a sequence that is over ---- */

static DaemonEvent watch_phase_order(Phase phase) {
        return phase == PHASE_FREEZE ? EVENT_FREEZE
               : phase == PHASE_DRAIN ? EVENT_DRAIN
                                      : EVENT_CLEANUP;
}

static DaemonEvent watch_phase_deadline(Phase phase) {
        return phase == PHASE_FREEZE ? EVENT_FREEZE_DEADLINE
               : phase == PHASE_DRAIN ? EVENT_DRAIN_DEADLINE
                                      : EVENT_CLEANUP_DEADLINE;
}

/* When that order was given since; 0: never. */
static usec_t watch_ordered_since(size_t from, const char *name, DaemonEvent event) {
        for (size_t i = from; i < watch.order_count; i++)
                if (watch_orders[i].event == event &&
                    strcmp(watch_orders[i].daemon->name, name) == 0)
                        return watch_orders[i].when + world_now() - sim_now();
        return 0;
}

static void watch_judge_span(const Record *record,
                             const RecordRow *row,
                             Phase phase,
                             const Begin *begin) {
        const RecordSpan *span = &row->phases[phase];
        const RecordPhase *whole = &record->phases[phase];
        const char *name = row_name(record, row);
        usec_t ordered = watch_ordered_since(begin->orders, name, watch_phase_order(phase));
        bool overdue = watch_ordered_since(begin->orders, name, watch_phase_deadline(phase)) > 0;

        if ((span->outcome == RECORD_NONE) != (whole->begun == 0) || span->outcome == RECORD_OPEN)
                sim_fail("the record has %s for %s of %s", record_outcome_name(span->outcome),
                         phase_name(phase), name);
        if (span->outcome == RECORD_LATE && phase != PHASE_FREEZE)
                sim_fail("the record has %s late in %s", name, phase_name(phase));
        if (span->begun != ordered)
                sim_fail("the record has %s ordered to %s at another time", name,
                         phase_name(phase));
        if (span->ended > 0 && (span->ended < whole->begun || span->ended > whole->ended ||
                                span->ended < span->begun))
                sim_fail("the record has %s end %s out of the phase", name, phase_name(phase));
        if (span->outcome == RECORD_FORCED && phase != PHASE_CLEANUP && !overdue)
                sim_fail("the record has %s forced in %s, but no deadline was given", name,
                         phase_name(phase));
        if ((span->outcome == RECORD_FORCED || span->outcome == RECORD_FAILED) && !span->cut)
                sim_fail("the record has %s forced, but does not count it", name);
        if (span->cut && (span->outcome == RECORD_DONE || span->outcome == RECORD_ENDED))
                sim_fail("the record has %s counted as forced, but done", name);
}

static void watch_judge_phase_counts(const Record *record, Phase phase) {
        const RecordPhase *whole = &record->phases[phase];
        size_t total = 0, forced = 0, skipped = 0;

        for (size_t i = 0; i < record->row_count; i++) {
                const RecordSpan *span = &record->rows[i].phases[phase];

                total += span->outcome != RECORD_NONE && span->outcome != RECORD_ALREADY &&
                         span->outcome != RECORD_LATE;
                forced += span->cut;
                skipped += span->outcome == RECORD_SKIPPED;
        }
        if (total != whole->total)
                sim_fail("the record has %zu daemons in %s, and %zu rows", whole->total,
                         phase_name(phase), total);
        if (record->result == RECORD_OVER && (forced != whole->forced || skipped != whole->skipped))
                sim_fail("the record has %zu forced and %zu skipped in %s, and rows for %zu and "
                         "%zu",
                         whole->forced, whole->skipped, phase_name(phase), forced, skipped);
}

/* One after the other to the last one, none left out but by a fast stop. */
static void watch_judge_phases(const Record *record, Phase last_phase) {
        usec_t last = record->begun.monotonic;

        for (Phase phase = PHASE_FREEZE; phase < PHASE_MAX_; phase++) {
                const RecordPhase *whole = &record->phases[phase];

                if (whole->begun == 0 && record->stops && record->result == RECORD_OVER &&
                    phase <= last_phase && !record->fast && record->hurried == 0)
                        sim_fail("the record knows nothing of %s", phase_name(phase));
                if (whole->begun == 0)
                        continue;
                if (whole->begun < last || whole->ended < whole->begun)
                        sim_fail("the record has %s out of order", phase_name(phase));
                last = whole->ended;
                watch_judge_phase_counts(record, phase);
        }
        if (record->ended.monotonic < last)
                sim_fail("the record ends before its last phase");
}

/* Forced exactly if that was said; what is canceled may miss what came at that very moment. */
static void watch_judge_forced(const Record *record, const RecordRow *row, const Begin *begin) {
        const Watched *daemon = watch_daemon(row_name(record, row));
        bool said = daemon->forced > begin->forced[daemon - watch.daemons];

        if (record->result == RECORD_OVER && said != record_row_is_cut(row))
                sim_fail("%s was %sforced, but the record says otherwise", daemon->name,
                         said ? "" : "not ");
}

static void watch_judge_started(const Record *record, const RecordRow *row) {
        const RecordSpan *start = &row->start;
        /* as it was settled: a request may have it stopped again at this very moment */
        DaemonState state = watch.generation->states[row->node];
        bool runs = daemon_state_is_ready(state);

        if ((start->outcome == RECORD_NONE) != (!row->starts || record->result != RECORD_OVER) &&
            record->result == RECORD_OVER)
                sim_fail("the record has %s for the start of %s",
                         record_outcome_name(start->outcome), row_name(record, row));
        if (start->outcome == RECORD_OPEN || (start->outcome == RECORD_DONE) > runs ||
            (start->outcome == RECORD_FAILED && runs))
                sim_fail("the record has %s for the start of %s, which is %s",
                         record_outcome_name(start->outcome), row_name(record, row),
                         daemon_state_name(state));
        if (start->outcome == RECORD_DONE && start->ended < start->begun)
                sim_fail("the record has %s ready before its start", row_name(record, row));
}

static void watch_judge_signals(const Record *record, const RecordRow *row) {
        usec_t last = record->begun.monotonic;

        for (size_t i = 0; i < row->signal_count; i++) {
                if (row->signals[i].when < last || row->signals[i].when > record->ended.monotonic)
                        sim_fail("the record has a signal for %s out of its time",
                                 row_name(record, row));
                last = row->signals[i].when;
        }
}

/* What was written is read again; of some, since it takes its time. */
static void watch_judge_text(RecordKind kind, uint64_t id, char *text_consume) {
        CLEANUP(freep) char *text = text_consume, *checked = NULL;

        if (!text || record_text_check(text, strlen(text), kind, id, true, &checked) != 0 ||
            strcmp(text, checked) != 0)
                sim_fail("a record cannot be read again: %s", text ? text : "there is none");
}

uint64_t __real_records_take_sequence(Records *records, Record *record);
uint64_t __wrap_records_take_sequence(Records *records, Record *record);

uint64_t __wrap_records_take_sequence(Records *records, Record *record) {
        static const Begin nothing;
        Begin *begin = watch_find_begin(record);

        watch_judge_phases(record, begin ? begin->last : PHASE_CLEANUP);
        for (size_t i = 0; i < record->row_count; i++) {
                const RecordRow *row = &record->rows[i];

                for (Phase phase = PHASE_FREEZE; row->stops && begin && phase < PHASE_MAX_; phase++)
                        watch_judge_span(record, row, phase, begin);
                if (begin)
                        watch_judge_forced(record, row, begin);
                watch_judge_started(record, row);
                watch_judge_signals(record, row);
        }
        seen.stops += record->stops && record->row_count == watch_count() &&
                      strcmp(record->what, "stop of everything") == 0;
        if (begin)
                *begin = nothing;

        uint64_t id = __real_records_take_sequence(records, record);
        if (id % TEXT_EVERY == 0)
                watch_judge_text(RECORD_KIND_SEQUENCE, id, record_text_of_sequence(record));
        return id;
}

unsigned watch_stop_records(void) {
        return seen.stops;
}

/* ---- a reload that is over ---- */

static void watch_judge_steps(const ReloadRecord *record) {
        usec_t last = record->begun.monotonic;

        if (record->step_count == 0 || strcmp(record->steps[0].name, "check") != 0)
                sim_fail("the record of a reload does not begin with its check");
        for (size_t i = 0; i < record->step_count; i++) {
                const RecordStep *step = &record->steps[i];

                if (step->begun < last || step->ended < step->begun ||
                    step->outcome == RECORD_STEP_OPEN)
                        sim_fail("the record of a reload has %s out of order", step->name);
                last = step->ended;
        }
        if (record->ended.monotonic < last)
                sim_fail("the record of a reload ends before its last step");
}

static bool watch_has_step(const ReloadRecord *record,
                           const char *name,
                           RecordStepOutcome outcome) {
        for (size_t i = 0; i < record->step_count; i++)
                if (strcmp(record->steps[i].name, name) == 0)
                        return record->steps[i].outcome == outcome;
        return false;
}

static void watch_judge_reload(const ReloadRecord *record) {
        const Plan *plan = sim_supervisor()->reload.plan;
        bool applied = strcmp(record->verdict, "applied") == 0;
        bool undone = strcmp(record->verdict, "rolled-back") == 0;

        if (applied && !watch_has_step(record, "start", RECORD_STEP_DONE))
                sim_fail("a reload was applied, but its record has no step for it");
        if (undone && ((!watch_has_step(record, "start", RECORD_STEP_FAILED) &&
                        !watch_has_step(record, "tell", RECORD_STEP_FAILED)) ||
                       !watch_has_step(record, "undo-start", RECORD_STEP_DONE)))
                sim_fail("a reload was undone, but its record has no steps for it");
        if ((applied || undone) && record->plan_count + record->kept != plan->count)
                sim_fail("the record of a reload has not the whole plan");
        if (record->before.digest[0] == '\0' || record->who[0] == '\0')
                sim_fail("the record of a reload does not say where it came from");
}

uint64_t __real_records_take_reload(Records *records, ReloadRecord *record);
uint64_t __wrap_records_take_reload(Records *records, ReloadRecord *record);

uint64_t __wrap_records_take_reload(Records *records, ReloadRecord *record) {
        if (!record) /* one that was canceled before it began */
                return __real_records_take_reload(records, record);
        watch_judge_steps(record);
        watch_judge_reload(record);

        uint64_t id = __real_records_take_reload(records, record);
        if (id % TEXT_EVERY == 0)
                watch_judge_text(RECORD_KIND_RELOAD, id, record_text_of_reload(record));
        return id;
}
