/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sequence with a limit: the phases are over after 20 s, the whole after 22 s. */

#include "model/sequence.h"

#include "sequences.h"
#include "unit.h"

static void begin_limited(Phase first) {
        begin(first);
        sequence_limit(sequence, (SequenceLimit){ .cut = S(1020), .end = S(1022) });
}

static usec_t latest(void) {
        SequenceProgress progress;

        sequence_progress(sequence, &progress);
        return progress.latest;
}

START_TEST(no_deadline_is_beyond_the_limit) {
        begin_limited(PHASE_FREEZE);
        pass_freeze();
        now = S(1003);
        expect_phase(PHASE_DRAIN, COUNT);
        ck_assert_uint_eq(latest(), S(1020));
        expect_orders(EVENT_DRAIN, 1 << WEB | 1 << LONE);
        ck_assert_uint_eq(sequence_deadline(sequence), S(1020)); /* instead of 1023 */
        now = S(1020);
        expect_orders(EVENT_DRAIN_DEADLINE, 1 << WEB | 1 << LONE);
        expect(SEQUENCE_WAIT);
        observe(LONE, STATE_DRAINED);
        observe(WEB, STATE_DRAINED);
        expect_orders(EVENT_DRAIN, 1 << APP);
        observe(APP, STATE_DRAINING);
        expect_orders(EVENT_DRAIN_DEADLINE, 1 << APP);
}
END_TEST

START_TEST(the_limit_changes_nothing_for_those_in_time) {
        begin_limited(PHASE_CLEANUP);
        expect_phase(PHASE_CLEANUP, COUNT);
        expect_orders(EVENT_CLEANUP, 1 << WEB | 1 << LONE);
        ck_assert_uint_eq(sequence_deadline(sequence), S(1010));
        now = S(1010);
        expect_orders(EVENT_CLEANUP_DEADLINE, 1 << WEB | 1 << LONE);
        expect(SEQUENCE_WAIT);
        observe(LONE, STATE_STOPPED);
        observe(WEB, STATE_STOPPED);
        expect_orders(EVENT_CLEANUP, 1 << APP);
        observe(APP, STATE_STOPPED);
        expect_orders(EVENT_CLEANUP, 1 << DB);
        observe(DB, STATE_STOPPED);
        expect(SEQUENCE_PHASE_ENDED);
        ck_assert_uint_eq(sequence_deadline(sequence), USEC_INFINITY);
        expect(SEQUENCE_DONE);
}
END_TEST

START_TEST(at_its_cut_the_rest_is_ended_in_no_order) {
        begin_limited(PHASE_CLEANUP);
        expect_phase(PHASE_CLEANUP, COUNT);
        expect_orders(EVENT_CLEANUP, 1 << WEB | 1 << LONE);
        observe(LONE, STATE_STOPPED);
        now = S(1010);
        expect_orders(EVENT_CLEANUP_DEADLINE, 1 << WEB);
        observe(WEB, STATE_KILLING);
        expect(SEQUENCE_WAIT); /* the kernel does not let go of it */
        ck_assert_uint_eq(sequence_deadline(sequence), S(1020));

        now = S(1020);
        expect(SEQUENCE_CUT);
        ck_assert_uint_eq(latest(), S(1022));
        expect_orders(EVENT_CLEANUP, 1 << APP | 1 << DB);
        expect_orders(EVENT_CLEANUP_DEADLINE, 1 << APP | 1 << DB);
        expect(SEQUENCE_WAIT);
        observe(APP, STATE_KILLING);
        observe(DB, STATE_KILLING);
        observe(WEB, STATE_STOPPED); /* which gives nobody a second order */
        observe(APP, STATE_STOPPED);
        expect(SEQUENCE_WAIT);
        ck_assert_uint_eq(sequence_deadline(sequence), S(1022));

        now = S(1022);
        expect_orders(EVENT_GRACE_OVER, 1 << DB);
        expect(SEQUENCE_WAIT);
        ck_assert_uint_eq(sequence_deadline(sequence), USEC_INFINITY);
        observe(DB, STATE_STUCK);
        expect(SEQUENCE_PHASE_ENDED);
        expect(SEQUENCE_DONE);
}
END_TEST

START_TEST(a_machine_that_stood_still_leaves_no_time_for_anything) {
        begin_limited(PHASE_FREEZE);
        expect_phase(PHASE_FREEZE, FRONT_COUNT);
        expect_orders(EVENT_FREEZE, FRONT);
        now = S(5000);
        expect_orders(EVENT_FREEZE_DEADLINE, FRONT);
        observe_all(STATE_FROZEN);
        expect(SEQUENCE_PHASE_ENDED);
        expect_phase(PHASE_DRAIN, COUNT);
        observe_all(STATE_DRAINED);
        expect(SEQUENCE_PHASE_ENDED);
        expect_phase(PHASE_CLEANUP, COUNT);
        expect_orders(EVENT_CLEANUP, 1 << WEB | 1 << LONE);
        expect_orders(EVENT_CLEANUP_DEADLINE, 1 << WEB | 1 << LONE);
        expect(SEQUENCE_CUT);
        expect_orders(EVENT_CLEANUP, 1 << APP | 1 << DB);
        expect_orders(EVENT_CLEANUP_DEADLINE, 1 << APP | 1 << DB);
        expect_orders(EVENT_GRACE_OVER, ALL);
        observe_all(STATE_STUCK);
        expect(SEQUENCE_PHASE_ENDED);
        expect(SEQUENCE_DONE);
}
END_TEST

START_TEST(the_next_sequence_has_no_limit) {
        begin_limited(PHASE_FREEZE);
        begin(PHASE_CLEANUP);
        now = S(5000);
        expect_phase(PHASE_CLEANUP, COUNT);
        expect_orders(EVENT_CLEANUP, 1 << WEB | 1 << LONE);
        expect(SEQUENCE_WAIT);
        ck_assert_uint_eq(sequence_deadline(sequence), S(5010));
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("model/sequence with a limit");
        TCase *tcase = tcase_create("limit");

        tcase_add_checked_fixture(tcase, sequences_setup, sequences_teardown);
        tcase_add_test(tcase, no_deadline_is_beyond_the_limit);
        tcase_add_test(tcase, the_limit_changes_nothing_for_those_in_time);
        tcase_add_test(tcase, at_its_cut_the_rest_is_ended_in_no_order);
        tcase_add_test(tcase, a_machine_that_stood_still_leaves_no_time_for_anything);
        tcase_add_test(tcase, the_next_sequence_has_no_limit);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
