/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sequence: phases, barriers, order, deadlines, and what is cut short. */

#include "model/sequence.h"

#include <limits.h>

#include "sequences.h"
#include "unit.h"

START_TEST(all_freeze_at_once_and_wait_for_each_other) {
        states[APP] = states[DB] = STATE_STARTING; /* they serve nobody yet */
        begin(PHASE_FREEZE);
        expect_phase(PHASE_FREEZE, COUNT);
        expect_orders(EVENT_FREEZE, ALL);
        expect(SEQUENCE_WAIT);
        observe(WEB, STATE_FROZEN);
        observe(LONE, STATE_ENDED);
        observe(DB, STATE_FROZEN);
        expect(SEQUENCE_WAIT); /* the barrier: app is not frozen */
        observe(APP, STATE_FROZEN);
        expect(SEQUENCE_PHASE_ENDED);
        expect_phase(PHASE_DRAIN, 3);
}
END_TEST

/* What web has in flight may need app yet, and app db. */
START_TEST(who_serves_others_is_frozen_by_its_drain) {
        begin(PHASE_FREEZE);
        pass_freeze();
        expect_phase(PHASE_DRAIN, COUNT);
        expect_orders(EVENT_DRAIN, FRONT);
        expect(SEQUENCE_WAIT);
        ck_assert_int_eq(states[APP], STATE_RUNNING);
        observe(LONE, STATE_DRAINED);
        observe(WEB, STATE_DRAINED);
        expect_orders(EVENT_DRAIN, 1 << APP);
        expect(SEQUENCE_WAIT);
}
END_TEST

/* A freeze that nothing follows is for all who were named. */
START_TEST(a_freeze_alone_waits_for_nobody) {
        bool in_set[COUNT] = { true, true, true, true };

        sequence_begin(sequence, (SequenceSpan) { PHASE_FREEZE, PHASE_FREEZE }, in_set, states,
                       now);
        expect_phase(PHASE_FREEZE, COUNT);
        expect_orders(EVENT_FREEZE, ALL);
        observe_all(STATE_FROZEN);
        expect(SEQUENCE_PHASE_ENDED);
        expect(SEQUENCE_DONE);
}
END_TEST

START_TEST(drain_goes_from_the_dependents_down) {
        begin(PHASE_FREEZE);
        pass_freeze();
        expect_phase(PHASE_DRAIN, COUNT);
        expect_orders(EVENT_DRAIN, 1 << WEB | 1 << LONE);
        expect(SEQUENCE_WAIT);
        observe(LONE, STATE_DRAINED);
        expect(SEQUENCE_WAIT);
        observe(WEB, STATE_DRAINED);
        expect_orders(EVENT_DRAIN, 1 << APP);
        expect(SEQUENCE_WAIT);
        observe(APP, STATE_ENDED);
        expect_orders(EVENT_DRAIN, 1 << DB);
        observe(DB, STATE_DRAINED);
        expect(SEQUENCE_PHASE_ENDED);
}
END_TEST

START_TEST(cleanup_goes_from_the_dependents_down) {
        begin(PHASE_CLEANUP);
        expect_phase(PHASE_CLEANUP, COUNT);
        expect_orders(EVENT_CLEANUP, 1 << WEB | 1 << LONE);
        observe(WEB, STATE_STOPPING);
        expect(SEQUENCE_WAIT);
        observe(WEB, STATE_STOPPED);
        expect_orders(EVENT_CLEANUP, 1 << APP);
        observe(APP, STATE_FAILED); /* at rest is at rest */
        expect_orders(EVENT_CLEANUP, 1 << DB);
        observe(DB, STATE_STUCK);
        observe(LONE, STATE_STOPPED);
        expect(SEQUENCE_PHASE_ENDED);
        expect(SEQUENCE_DONE);
        ck_assert(!sequence_is_active(sequence));
        expect(SEQUENCE_DONE);
}
END_TEST

START_TEST(who_is_done_already_gets_no_order) {
        states[WEB] = STATE_STOPPED;
        states[LONE] = STATE_FAILED;
        begin(PHASE_FREEZE);
        expect_phase(PHASE_FREEZE, 1);
        expect_orders(EVENT_FREEZE, 1 << APP); /* nobody needs it any more */
        observe(APP, STATE_FROZEN);
        expect(SEQUENCE_PHASE_ENDED);
        expect_phase(PHASE_DRAIN, 2);
        expect_orders(EVENT_DRAIN, 1 << APP); /* nobody to wait for */
}
END_TEST

START_TEST(an_empty_set_is_done_in_three_phases) {
        bool none[COUNT] = { false };

        sequence_begin(sequence, (SequenceSpan) { PHASE_FREEZE, PHASE_CLEANUP }, none, states,
                       now);
        for (Phase phase = 0; phase < PHASE_MAX_; phase++) {
                expect_phase(phase, 0);
                expect(SEQUENCE_PHASE_ENDED);
        }
        expect(SEQUENCE_DONE);
}
END_TEST

START_TEST(others_than_the_set_are_left_alone) {
        bool in_set[COUNT] = { [DB] = true };

        sequence_begin(sequence, (SequenceSpan) { PHASE_CLEANUP, PHASE_CLEANUP }, in_set, states,
                       now);
        expect_phase(PHASE_CLEANUP, 1);
        expect_orders(EVENT_CLEANUP, 1 << DB); /* app runs on, but is not asked */
        observe(APP, STATE_STOPPED);
        expect(SEQUENCE_WAIT);
        observe(DB, STATE_STOPPED);
        expect(SEQUENCE_PHASE_ENDED);
        expect(SEQUENCE_DONE);
}
END_TEST

START_TEST(a_deadline_is_hit_exactly_and_given_once) {
        begin(PHASE_FREEZE);
        expect_phase(PHASE_FREEZE, FRONT_COUNT);
        expect_orders(EVENT_FREEZE, FRONT);
        observe(WEB, STATE_FREEZING);
        observe(LONE, STATE_FROZEN);
        ck_assert_uint_eq(sequence_deadline(sequence), S(1005));

        now = S(1005) - 1;
        expect(SEQUENCE_WAIT);
        now = S(1005);
        expect_orders(EVENT_FREEZE_DEADLINE, 1 << WEB);
        expect(SEQUENCE_WAIT);
        ck_assert_uint_eq(sequence_deadline(sequence), USEC_INFINITY);
        sequence_note_forced(sequence, WEB);
        observe(WEB, STATE_FROZEN);
        expect(SEQUENCE_PHASE_ENDED);

        SequenceProgress progress;
        sequence_progress(sequence, &progress);
        ck_assert_uint_eq(progress.forced, 1);
        ck_assert_uint_eq(progress.forced_in_all, 1);
}
END_TEST

START_TEST(each_has_a_deadline_while_it_is_at_work) {
        config->daemons[LONE].drain.timeout = S(2);
        ck_assert_uint_eq(sequence_deadline_of(sequence, LONE), USEC_INFINITY);
        begin(PHASE_FREEZE);
        pass_freeze();
        ck_assert_uint_eq(sequence_deadline_of(sequence, LONE), USEC_INFINITY);
        expect_phase(PHASE_DRAIN, COUNT);
        expect_orders(EVENT_DRAIN, 1 << WEB | 1 << LONE);
        ck_assert_uint_eq(sequence_deadline_of(sequence, LONE), S(1002));
        ck_assert_uint_eq(sequence_deadline_of(sequence, WEB), S(1020));
        ck_assert_uint_eq(sequence_deadline_of(sequence, APP), USEC_INFINITY);
        observe(WEB, STATE_DRAINED);
        ck_assert_uint_eq(sequence_deadline_of(sequence, WEB), USEC_INFINITY);
        now = S(1002);
        expect_orders(EVENT_DRAIN, 1 << APP);
        expect_orders(EVENT_DRAIN_DEADLINE, 1 << LONE);
        ck_assert_uint_eq(sequence_deadline_of(sequence, LONE), USEC_INFINITY);
}
END_TEST

START_TEST(one_who_ends_at_the_instant_of_the_deadline_is_not_forced) {
        begin(PHASE_FREEZE);
        expect_phase(PHASE_FREEZE, FRONT_COUNT);
        expect_orders(EVENT_FREEZE, FRONT);
        now = S(1005);
        observe(WEB, STATE_FROZEN);
        observe(LONE, STATE_FROZEN);
        expect(SEQUENCE_PHASE_ENDED);
}
END_TEST

START_TEST(the_phase_holds_for_those_who_had_to_wait) {
        begin(PHASE_FREEZE);
        pass_freeze();
        expect_phase(PHASE_DRAIN, COUNT);
        expect_orders(EVENT_DRAIN, 1 << WEB | 1 << LONE);
        observe(LONE, STATE_DRAINED);
        now += S(18);
        observe(WEB, STATE_DRAINED);
        expect_orders(EVENT_DRAIN, 1 << APP);
        ck_assert_uint_eq(sequence_deadline(sequence), S(1020));
}
END_TEST

START_TEST(a_time_of_its_own_counts_from_the_order) {
        config->daemons[WEB].drain.timeout = S(45);
        config->daemons[LONE].drain.timeout = S(2);
        begin(PHASE_FREEZE);
        pass_freeze();
        expect_phase(PHASE_DRAIN, COUNT);

        SequenceProgress progress;
        sequence_progress(sequence, &progress);
        /* web may take 45 s, then app gets the phase's 20 s afresh, and db after it */
        ck_assert_uint_eq(progress.latest, S(1000 + 45 + 20 + 20));

        expect_orders(EVENT_DRAIN, 1 << WEB | 1 << LONE);
        ck_assert_uint_eq(sequence_deadline(sequence), S(1002));
        now = S(1002);
        expect_orders(EVENT_DRAIN_DEADLINE, 1 << LONE);
        observe(LONE, STATE_DRAINED);
        expect(SEQUENCE_WAIT);
        ck_assert_uint_eq(sequence_deadline(sequence), S(1045));
        now = S(1040);
        observe(WEB, STATE_DRAINED);
        expect_orders(EVENT_DRAIN, 1 << APP);
        ck_assert_uint_eq(sequence_deadline(sequence), S(1060));
}
END_TEST

START_TEST(nobody_is_killed_for_having_had_to_wait) {
        begin(PHASE_CLEANUP);
        expect_phase(PHASE_CLEANUP, COUNT);
        expect_orders(EVENT_CLEANUP, 1 << WEB | 1 << LONE);
        observe(LONE, STATE_STOPPED);
        now += S(9);
        observe(WEB, STATE_STOPPED);
        expect_orders(EVENT_CLEANUP, 1 << APP);
        /* "TERM 5s, KILL" from its order, though the phase ends one second later */
        ck_assert_uint_eq(sequence_deadline(sequence), S(1000 + 9 + 5));
}
END_TEST

START_TEST(an_order_comes_even_when_its_time_is_over) {
        config->daemons[WEB].cleanup.timeout = S(30);
        config->daemons[APP].cleanup.timeout = 0;
        begin(PHASE_CLEANUP);
        expect_phase(PHASE_CLEANUP, COUNT);
        expect_orders(EVENT_CLEANUP, 1 << WEB | 1 << LONE);
        observe(LONE, STATE_STOPPED);
        observe(WEB, STATE_STOPPED);
        expect_orders(EVENT_CLEANUP, 1 << APP);
        observe(APP, STATE_STOPPING);
        expect_orders(EVENT_CLEANUP_DEADLINE, 1 << APP);
        expect(SEQUENCE_WAIT);
}
END_TEST

START_TEST(hurry_skips_to_cleanup) {
        begin(PHASE_FREEZE);
        expect_phase(PHASE_FREEZE, FRONT_COUNT);
        expect_orders(EVENT_FREEZE, FRONT);
        sequence_hurry(sequence);
        sequence_hurry(sequence);
        expect(SEQUENCE_PHASE_ENDED);
        expect_phase(PHASE_CLEANUP, COUNT);
        expect_orders(EVENT_CLEANUP, 1 << WEB | 1 << LONE);
        sequence_hurry(sequence); /* nothing left to skip */
        expect(SEQUENCE_WAIT);
}
END_TEST

START_TEST(a_new_sequence_takes_over) {
        bool in_set[COUNT] = { [LONE] = true };

        sequence_begin(sequence, (SequenceSpan) { PHASE_FREEZE, PHASE_CLEANUP }, in_set, states,
                       now);
        expect_phase(PHASE_FREEZE, 1);
        expect_orders(EVENT_FREEZE, 1 << LONE);
        observe(LONE, STATE_DRAINING);

        begin(PHASE_FREEZE);
        expect_phase(PHASE_FREEZE, 1); /* lone is past it */
        expect_orders(EVENT_FREEZE, 1 << WEB);
        observe(WEB, STATE_FROZEN);
        expect(SEQUENCE_PHASE_ENDED);
        expect_phase(PHASE_DRAIN, COUNT);
        expect_orders(EVENT_DRAIN, 1 << WEB | 1 << LONE);
}
END_TEST

START_TEST(progress_names_the_slowest) {
        SequenceProgress progress;

        begin(PHASE_FREEZE);
        pass_freeze();
        expect_phase(PHASE_DRAIN, COUNT);
        sequence_progress(sequence, &progress);
        ck_assert_uint_eq(progress.slowest, UINT_MAX);

        expect_orders(EVENT_DRAIN, 1 << WEB | 1 << LONE);
        observe(LONE, STATE_DRAINED);
        now += S(3);
        sequence_progress(sequence, &progress);
        ck_assert_uint_eq(progress.slowest, WEB);
        ck_assert_uint_eq(progress.slowest_since, S(1000));
        ck_assert_uint_eq(progress.left, 3);
        observe(WEB, STATE_DRAINED);
        expect_orders(EVENT_DRAIN, 1 << APP);
        sequence_progress(sequence, &progress);
        ck_assert_uint_eq(progress.slowest, APP);
        ck_assert_uint_eq(progress.slowest_since, S(1003));
}
END_TEST

START_TEST(forced_daemons_are_counted_once_in_all) {
        SequenceProgress progress;

        begin(PHASE_FREEZE);
        pass_freeze();
        sequence_note_forced(sequence, WEB);
        expect_phase(PHASE_DRAIN, COUNT);
        sequence_note_forced(sequence, WEB);
        sequence_note_forced(sequence, WEB);
        sequence_note_forced(sequence, LONE);
        sequence_progress(sequence, &progress);
        ck_assert_uint_eq(progress.forced, 2);
        ck_assert_uint_eq(progress.forced_in_all, 2);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("model/sequence");
        TCase *tcase = tcase_create("sequence");

        tcase_add_checked_fixture(tcase, sequences_setup, sequences_teardown);
        tcase_add_test(tcase, all_freeze_at_once_and_wait_for_each_other);
        tcase_add_test(tcase, who_serves_others_is_frozen_by_its_drain);
        tcase_add_test(tcase, a_freeze_alone_waits_for_nobody);
        tcase_add_test(tcase, drain_goes_from_the_dependents_down);
        tcase_add_test(tcase, cleanup_goes_from_the_dependents_down);
        tcase_add_test(tcase, who_is_done_already_gets_no_order);
        tcase_add_test(tcase, an_empty_set_is_done_in_three_phases);
        tcase_add_test(tcase, others_than_the_set_are_left_alone);
        tcase_add_test(tcase, a_deadline_is_hit_exactly_and_given_once);
        tcase_add_test(tcase, each_has_a_deadline_while_it_is_at_work);
        tcase_add_test(tcase, one_who_ends_at_the_instant_of_the_deadline_is_not_forced);
        tcase_add_test(tcase, the_phase_holds_for_those_who_had_to_wait);
        tcase_add_test(tcase, a_time_of_its_own_counts_from_the_order);
        tcase_add_test(tcase, nobody_is_killed_for_having_had_to_wait);
        tcase_add_test(tcase, an_order_comes_even_when_its_time_is_over);
        tcase_add_test(tcase, hurry_skips_to_cleanup);
        tcase_add_test(tcase, a_new_sequence_takes_over);
        tcase_add_test(tcase, progress_names_the_slowest);
        tcase_add_test(tcase, forced_daemons_are_counted_once_in_all);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
