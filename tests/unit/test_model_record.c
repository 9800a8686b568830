/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is remembered of sequences, along real ones. */

#include "model/record.h"

#include <signal.h>
#include <string.h>

#include "configs.h"
#include "unit.h"

#define S(seconds) ((usec_t) (seconds) *USEC_PER_SEC)

enum { WEB, APP, DB, LONE, COUNT };

/* web needs app, app needs db, whose drain ends with it; lone stands alone. */
static Config *config;
static Sequence *sequence;
static Record *record;
static DaemonState states[COUNT];
static usec_t now;

static RecordMoment moment(void) {
        return (RecordMoment){ .monotonic = now, .realtime = S(1000000) + now };
}

static void setup(void) {
        CLEANUP(diag_freep) Diag *diag = NULL;

        ck_assert_int_eq(diag_new(&diag), 0);
        config = configs_resolve("daemons: {\n"
                                 " web: { command = [ \"/bin/true\" ]; requires = [ \"app\" ]; };\n"
                                 " app: { command = [ \"/bin/true\" ]; requires = [ \"db\" ]; };\n"
                                 " db: { command = [ \"/bin/true\" ];\n"
                                 "  drain: { signal = \"TERM\"; }; };\n"
                                 " lone: { command = [ \"/bin/true\" ]; };\n"
                                 "};\n",
                                 diag);
        configs_expect_count(diag, 0);
        ck_assert_int_eq(sequence_new(config, &sequence), 0);
        record = NULL;
        now = S(1000);
        for (int i = 0; i < COUNT; i++)
                states[i] = STATE_RUNNING;
        states[APP] = states[DB] = STATE_STARTING; /* who serves others freezes later */
}

static void teardown(void) {
        record_free(record);
        sequence_free(sequence);
        ck_assert_uint_eq(config->reference_count, 1);
        config_unref(config);
}

static const RecordRow *row(unsigned node) {
        for (size_t i = 0; i < record->row_count; i++)
                if (record->rows[i].node == node)
                        return &record->rows[i];
        ck_abort_msg("daemon %u has no part in it", node);
}

static void expect(unsigned node, Phase phase, RecordOutcome outcome, usec_t begun, usec_t ended) {
        const RecordSpan *span = &row(node)->phases[phase];

        ck_assert_str_eq(record_outcome_name(span->outcome), record_outcome_name(outcome));
        ck_assert_uint_eq(span->begun, begun);
        ck_assert_uint_eq(span->ended, ended);
}

/* As the service does it: what the sequence says is noted. */
static void drive(void) {
        SequenceOrder order;
        SequenceProgress progress;
        SequenceStep step;

        while ((step = sequence_next(sequence, now, &order)) != SEQUENCE_WAIT &&
               step != SEQUENCE_DONE) {
                sequence_progress(sequence, &progress);
                if (step == SEQUENCE_ORDER)
                        record_ordered(record, order, now);
                else if (step == SEQUENCE_PHASE_BEGUN)
                        record_phase_begun(record, &progress, sequence_counts(sequence), states);
                else
                        record_phase_ended(record, &progress, now);
        }
}

static void observe_cut(unsigned node, DaemonState state, bool cut) {
        states[node] = state;
        if (cut)
                sequence_note_forced(sequence, node);
        sequence_observe(sequence, node, state);
        record_observe(record, node, state, cut, now);
        drive();
}

static void observe(unsigned node, DaemonState state) {
        observe_cut(node, state, false);
}

static void begin(Phase first, const bool *set) {
        ck_assert_int_eq(record_new(config, "a test", &(RecordSets){ .stops = set }, &record), 0);
        record_begin(record, "uid 7 (process 8)", moment());
        sequence_begin(sequence, (SequenceSpan) { first, PHASE_CLEANUP }, set, states, now);
        drive();
}

static const bool everybody[COUNT] = { true, true, true, true };

static void end(RecordResult result) {
        record_end(record, result, moment());
        ck_assert_int_eq(record->result, result);
        ck_assert_uint_eq(record->ended.monotonic, now);
}

/* All but lone are so far a second later, one after the other. */
static void pass(DaemonState state) {
        static const unsigned order[] = { WEB, APP, DB };

        now += S(1);
        for (size_t i = 0; i < ELEMENTSOF(order); i++)
                observe(order[i], state);
}

START_TEST(a_stop_goes_through_the_phases) {
        begin(PHASE_FREEZE, everybody);
        observe(LONE, STATE_FROZEN);
        pass(STATE_FROZEN); /* at 1001 */
        observe(LONE, STATE_DRAINED);
        pass(STATE_DRAINED); /* at 1002 */
        observe(LONE, STATE_STOPPED);
        now += S(1);
        observe(WEB, STATE_STOPPED);
        now += S(1);
        observe(APP, STATE_STOPPED);
        now += S(1);
        observe(DB, STATE_STOPPED);
        end(RECORD_OVER);

        ck_assert_str_eq(record->what, "a test");
        ck_assert_str_eq(record->who, "uid 7 (process 8)");
        ck_assert_uint_eq(record->begun.monotonic, S(1000));
        ck_assert_uint_eq(record->begun.realtime, S(1001000));
        ck_assert_uint_eq(record->row_count, COUNT);
        ck_assert(record->stops && !record->fast);
        ck_assert_uint_eq(record->hurried, 0);
        expect(LONE, PHASE_FREEZE, RECORD_DONE, S(1000), S(1000));
        expect(WEB, PHASE_FREEZE, RECORD_DONE, S(1000), S(1001));
        expect(DB, PHASE_DRAIN, RECORD_DONE, S(1002), S(1002));
        expect(WEB, PHASE_CLEANUP, RECORD_DONE, S(1002), S(1003));
        expect(APP, PHASE_CLEANUP, RECORD_DONE, S(1003), S(1004));
        expect(DB, PHASE_CLEANUP, RECORD_DONE, S(1004), S(1005));
        ck_assert_uint_eq(record->phases[PHASE_FREEZE].begun, S(1000));
        ck_assert_uint_eq(record->phases[PHASE_FREEZE].ended, S(1001));
        ck_assert_uint_eq(record->phases[PHASE_CLEANUP].ended, S(1005));
        ck_assert_uint_eq(record->phases[PHASE_CLEANUP].total, COUNT);
        ck_assert_uint_eq(record_count_cut(record), 0);
}
END_TEST

START_TEST(what_is_cut_says_by_what) {
        begin(PHASE_FREEZE, everybody);
        observe(LONE, STATE_FROZEN);
        observe(WEB, STATE_FROZEN);
        observe_cut(APP, STATE_FROZEN, true); /* its command failed */
        now += S(5);
        drive();
        ck_assert(row(DB)->overdue && !row(APP)->overdue);
        observe_cut(DB, STATE_FROZEN, true);
        expect(APP, PHASE_FREEZE, RECORD_FAILED, S(1000), S(1000));
        expect(DB, PHASE_FREEZE, RECORD_FORCED, S(1000), S(1005));
        ck_assert_uint_eq(record->phases[PHASE_FREEZE].forced, 2);

        observe(LONE, STATE_DRAINED);
        pass(STATE_DRAINED);
        observe_cut(LONE, STATE_KILLING, true); /* its schedule is over before its deadline */
        observe_cut(WEB, STATE_KILLING, true);
        observe(LONE, STATE_STOPPED);
        observe(WEB, STATE_STUCK);
        observe(APP, STATE_STOPPED);
        observe(DB, STATE_STOPPED);
        end(RECORD_OVER);
        expect(LONE, PHASE_CLEANUP, RECORD_FORCED, S(1006), S(1006));
        expect(WEB, PHASE_CLEANUP, RECORD_STUCK, S(1006), S(1006));
        ck_assert_uint_eq(record_count_cut(record), 4);
        ck_assert(record_row_is_cut(row(WEB)));
}
END_TEST

START_TEST(what_ended_by_itself_says_so) {
        states[LONE] = STATE_STOPPED;
        begin(PHASE_FREEZE, everybody);
        observe(WEB, STATE_ENDED);
        observe(APP, STATE_FROZEN);
        observe(DB, STATE_FROZEN);
        expect(LONE, PHASE_FREEZE, RECORD_ALREADY, 0, 0);
        expect(WEB, PHASE_FREEZE, RECORD_ENDED, S(1000), S(1000));
        expect(WEB, PHASE_DRAIN, RECORD_ALREADY, 0, 0);
        ck_assert_uint_eq(record->phases[PHASE_DRAIN].total, 2);
        now += S(1);
        observe(DB, STATE_ENDED); /* while it waited for app */
        expect(DB, PHASE_DRAIN, RECORD_ENDED, 0, S(1001));
        observe(APP, STATE_ENDED); /* nobody asked it to */
        expect(APP, PHASE_DRAIN, RECORD_ENDED, S(1000), S(1001));
}
END_TEST

START_TEST(who_serves_others_is_late) {
        states[APP] = states[DB] = STATE_RUNNING;
        begin(PHASE_FREEZE, everybody);
        observe(LONE, STATE_FROZEN);
        observe(WEB, STATE_FROZEN);
        expect(WEB, PHASE_FREEZE, RECORD_DONE, S(1000), S(1000));
        expect(APP, PHASE_FREEZE, RECORD_LATE, 0, 0);
        expect(DB, PHASE_FREEZE, RECORD_LATE, 0, 0);
        expect(APP, PHASE_DRAIN, RECORD_OPEN, 0, 0);
        ck_assert_uint_eq(record->phases[PHASE_FREEZE].total, 2);
        ck_assert_uint_eq(record->phases[PHASE_DRAIN].total, 4);
}
END_TEST

START_TEST(an_end_that_was_asked_for_is_no_accident) {
        static const bool set[COUNT] = { [DB] = true };

        begin(PHASE_FREEZE, set);
        ck_assert_uint_eq(record->row_count, 1);
        observe(WEB, STATE_STOPPED); /* means nothing here */
        observe(DB, STATE_FROZEN);
        observe(DB, STATE_DRAINING);
        now += S(1);
        observe(DB, STATE_ENDED);
        expect(DB, PHASE_DRAIN, RECORD_DONE, S(1000), S(1001));
}
END_TEST

START_TEST(a_hurried_one_skips_what_is_left) {
        begin(PHASE_FREEZE, everybody);
        observe(WEB, STATE_FROZEN);
        now += S(1);
        record_hurried(record, "SIGQUIT", now);
        record_hurried(record, "another", now + 1);
        sequence_hurry(sequence);
        drive();
        expect(WEB, PHASE_FREEZE, RECORD_DONE, S(1000), S(1000));
        expect(APP, PHASE_FREEZE, RECORD_SKIPPED, S(1000), S(1001));
        expect(APP, PHASE_DRAIN, RECORD_NONE, 0, 0);
        expect(WEB, PHASE_CLEANUP, RECORD_OPEN, S(1001), 0);
        ck_assert_uint_eq(record->phases[PHASE_FREEZE].skipped, 3);
        ck_assert_uint_eq(record->phases[PHASE_DRAIN].begun, 0);
        ck_assert_uint_eq(record->hurried, S(1001));
        ck_assert_str_eq(record->hurried_by, "SIGQUIT");
        ck_assert(!record->fast);
}
END_TEST

START_TEST(a_fast_one_begins_with_cleanup) {
        begin(PHASE_CLEANUP, everybody);
        ck_assert(record->fast);
        ck_assert_uint_eq(record->hurried, 0);
        expect(WEB, PHASE_FREEZE, RECORD_NONE, 0, 0);
        expect(WEB, PHASE_CLEANUP, RECORD_OPEN, S(1000), 0);
}
END_TEST

START_TEST(a_broken_off_one_closes_what_is_open) {
        begin(PHASE_FREEZE, everybody);
        observe(WEB, STATE_FROZEN);
        now += S(2);
        end(RECORD_BROKEN_OFF);
        expect(WEB, PHASE_FREEZE, RECORD_DONE, S(1000), S(1000));
        expect(DB, PHASE_FREEZE, RECORD_CANCELED, S(1000), S(1002));
        ck_assert_uint_eq(record->phases[PHASE_FREEZE].ended, S(1002));
        expect(DB, PHASE_DRAIN, RECORD_NONE, 0, 0);
}
END_TEST

START_TEST(a_start_tells_of_each_daemon) {
        static const bool set[COUNT] = { true, true, true, true };

        states[WEB] = states[APP] = states[DB] = STATE_STOPPED;
        ck_assert_int_eq(record_new(config, "start", &(RecordSets){ .starts = set }, &record), 0);
        ck_assert(!record->stops);
        record_begin(record, "somebody", moment());
        now += S(1);
        record_starting(record, states, now);
        record_started(record, DB, RECORD_DONE, S(1002), S(1003));
        record_started(record, APP, RECORD_FAILED, S(900), S(901)); /* of an earlier run */
        record_started(record, LONE, RECORD_FAILED, S(1002), S(1003));
        record_note(record, APP, RECORD_REASON, "it did not want to");
        record_note(record, APP, RECORD_REASON, "");
        now += S(9);
        end(RECORD_BROKEN_OFF);

        ck_assert_int_eq(row(LONE)->start.outcome, RECORD_ALREADY);
        ck_assert_int_eq(row(DB)->start.outcome, RECORD_DONE);
        ck_assert_uint_eq(row(DB)->start.begun, S(1002));
        ck_assert_uint_eq(row(DB)->start.ended, S(1003));
        ck_assert_int_eq(row(APP)->start.outcome, RECORD_FAILED);
        ck_assert_uint_eq(row(APP)->start.begun, S(1001));
        ck_assert_int_eq(row(WEB)->start.outcome, RECORD_CANCELED);
        ck_assert_uint_eq(row(WEB)->start.ended, S(1010));
        ck_assert_uint_eq(record->note_count, 1);
        ck_assert_uint_eq(record->notes[0].node, APP);
        ck_assert_str_eq(record->notes[0].text, "it did not want to");
}
END_TEST

START_TEST(own_reloads_are_told) {
        static const bool set[COUNT] = { [APP] = true, [DB] = true, [LONE] = true };

        ck_assert_int_eq(record_new(config, "reload", &(RecordSets){ .reloads = set }, &record), 0);
        ck_assert_uint_eq(record->row_count, 3);
        record_begin(record, "somebody", moment());
        record_reloaded(record, DB, RECORD_DONE, now); /* it has not begun */
        record_reloading(record, S(1001));
        record_reloaded(record, DB, RECORD_DONE, S(1002));
        record_reloaded(record, DB, RECORD_FAILED, S(1003));
        record_reloaded(record, APP, RECORD_FAILED, S(1004));
        record_reloaded(record, WEB, RECORD_FAILED, S(1004));
        now = S(1005);
        end(RECORD_BROKEN_OFF);
        ck_assert_int_eq(row(DB)->reload.outcome, RECORD_DONE);
        ck_assert_uint_eq(row(DB)->reload.begun, S(1001));
        ck_assert_uint_eq(row(DB)->reload.ended, S(1002));
        ck_assert_int_eq(row(APP)->reload.outcome, RECORD_FAILED);
        ck_assert_int_eq(row(LONE)->reload.outcome, RECORD_CANCELED);
        ck_assert_uint_eq(row(LONE)->reload.ended, S(1005));
        expect(DB, PHASE_CLEANUP, RECORD_NONE, 0, 0);
}
END_TEST

START_TEST(signals_of_before_are_left_out) {
        RecordSignal signals[RECORD_SIGNALS_MAX];

        begin(PHASE_FREEZE, everybody);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                signals[i] = (RecordSignal){ .when = S(998 + i), .signo = SIGTERM };
        record_signals(record, DB, signals, ELEMENTSOF(signals));
        ck_assert_uint_eq(row(DB)->signal_count, ELEMENTSOF(signals) - 2);
        ck_assert_uint_eq(row(DB)->signals[0].when, S(1000));
        ck_assert_uint_eq(row(WEB)->signal_count, 0);
}
END_TEST

START_TEST(work_in_flight_has_a_first_and_a_last_count) {
        begin(PHASE_FREEZE, everybody);
        ck_assert(!row(WEB)->measured);
        record_in_flight(record, WEB, 7);
        record_in_flight(record, WEB, 9);
        record_in_flight(record, WEB, 2);
        ck_assert(row(WEB)->measured && !row(DB)->measured);
        ck_assert_uint_eq(row(WEB)->in_flight_first, 7);
        ck_assert_uint_eq(row(WEB)->in_flight_last, 2);
}
END_TEST

START_TEST(notes_are_bounded) {
        char text[2 * RECORD_NOTE_MAX];

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        begin(PHASE_FREEZE, everybody);
        for (unsigned i = 0; i < 1000; i++)
                record_note(record, i % COUNT, RECORD_PEERS, text);
        ck_assert_uint_le(record->note_count, RECORD_NOTES_MAX);
        ck_assert_uint_eq(record->note_count + record->notes_lost, 1000);
        ck_assert_uint_eq(strlen(record->notes[0].text), RECORD_NOTE_MAX - 1);
}
END_TEST

START_TEST(one_that_could_not_be_had_takes_everything) {
        SequenceProgress progress = { .phase = PHASE_FREEZE };

        record_begin(NULL, "somebody", moment());
        record_phase_begun(NULL, &progress, NULL, states);
        record_ordered(NULL, (SequenceOrder){ WEB, EVENT_FREEZE }, now);
        record_observe(NULL, WEB, STATE_FROZEN, true, now);
        record_phase_ended(NULL, &progress, now);
        record_hurried(NULL, "somebody", now);
        record_signals(NULL, WEB, NULL, 0);
        record_starting(NULL, states, now);
        record_started(NULL, WEB, RECORD_DONE, now, now);
        record_reloading(NULL, now);
        record_reloaded(NULL, WEB, RECORD_DONE, now);
        record_in_flight(NULL, WEB, 1);
        record_note(NULL, WEB, RECORD_PEERS, "peer");
        record_end(NULL, RECORD_OVER, moment());
        ck_assert_ptr_null(record_free(NULL));
}
END_TEST

/* A thousand daemons are remembered in a quarter of a mebibyte; all of it is there beforehand. */
START_TEST(it_is_small) {
        ck_assert_uint_le(sizeof(RecordRow), 288);
        ck_assert_uint_le(sizeof(Record) + RECORD_NOTES_MAX * sizeof(RecordNote), 16384);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("model_record");
        TCase *sequences = tcase_create("sequences");

        tcase_add_checked_fixture(sequences, setup, teardown);
        tcase_add_test(sequences, a_stop_goes_through_the_phases);
        tcase_add_test(sequences, what_is_cut_says_by_what);
        tcase_add_test(sequences, what_ended_by_itself_says_so);
        tcase_add_test(sequences, who_serves_others_is_late);
        tcase_add_test(sequences, an_end_that_was_asked_for_is_no_accident);
        tcase_add_test(sequences, a_hurried_one_skips_what_is_left);
        tcase_add_test(sequences, a_fast_one_begins_with_cleanup);
        tcase_add_test(sequences, a_broken_off_one_closes_what_is_open);
        tcase_add_test(sequences, a_start_tells_of_each_daemon);
        tcase_add_test(sequences, own_reloads_are_told);
        tcase_add_test(sequences, signals_of_before_are_left_out);
        tcase_add_test(sequences, work_in_flight_has_a_first_and_a_last_count);
        tcase_add_test(sequences, notes_are_bounded);
        tcase_add_test(sequences, one_that_could_not_be_had_takes_everything);
        tcase_add_test(sequences, it_is_small);
        suite_add_tcase(suite, sequences);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
