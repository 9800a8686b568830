/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Freezing and draining daemons that know nothing of it: their sockets are closed from outside, and
 * their connections tell when the work is finished.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "sim/naive.h"
#include "unit.h"

/* ---- a stop ---- */

START_TEST(what_is_in_flight_is_answered) {
        naive_program();
        naive_run("", LISTEN_ON);
        naive_clients(10, 200 * MS);
        sim_run_for(50 * MS);
        one_stop();
        naive_expect(10, 0);
        ck_assert_int_eq(sim_said_forced(MESSAGE_SUPERVISOR_STOPPED), 0);
        ck_assert_uint_ge(sim_said(MESSAGE_DAEMON_DRAINING, "d"), 1);
        ck_assert_uint_le(sim_now(), STOP + 50 * MS + 200 * MS + 3 * LOOK);
        sim_end();
}
END_TEST

START_TEST(without_it_they_are_cut) {
        naive_program();
        naive_run("", LISTEN_ON "freeze: { method = \"none\"; };");
        naive_clients(10, 200 * MS);
        sim_run_for(50 * MS);
        one_stop();
        naive_expect(0, 10);
        sim_end();
}
END_TEST

START_TEST(who_waits_in_the_queue_is_served) {
        FakeLife life = { .wait = 900 * MS, .work = 100 * MS, .requests = 1 };

        naive_program();
        naive_run("", LISTEN_ON);
        for (unsigned i = 0; i < 5; i++)
                world_connect(80, NULL, &life);
        sim_run_for(10 * MS);
        one_stop();
        naive_expect(5, 0);
        sim_end();
}
END_TEST

START_TEST(new_ones_are_refused_at_once) {
        naive_program();
        naive_run("", LISTEN_ON);
        naive_clients(1, 5 * SEC);
        sim_run_for(10 * MS);
        fake_signal(SIGTERM);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_mode(), MODE_DRAINING);
        ck_assert_uint_eq(world_closed(), 1);
        naive_clients(3, SEC);
        sim_run_to_exit();
        naive_expect(1, 0);
        ck_assert_uint_eq(world_tally(NULL).refused, 3);
        ck_assert_uint_eq(sim_ordered("d", EVENT_DRAIN_DEADLINE), 0);
        sim_end();
}
END_TEST

/* To another process of the daemon, just when it is about to be closed. */
static void move_listener(void) {
        FakeSocket *listener = socket_find(NULL, 80, NULL);
        const FakeProcess *holder = process_by_key(listener->process);

        socket_move(listener, process_add_to(holder->tree, holder->pid, NULL));
}

START_TEST(a_listener_that_moves_is_closed_all_the_same) {
        naive_program();
        naive_run("", LISTEN_ON);
        naive_clients(1, 5 * SEC);
        sim_run_for(10 * MS);
        fake_interrupt(DOOR_INTAKE_CLOSE, 1, move_listener);
        fake_signal(SIGTERM);
        sim_run_for(SEC);
        ck_assert_uint_eq(world_closed(), 1);
        sim_run_to_exit();
        naive_expect(1, 0);
        sim_end();
}
END_TEST

START_TEST(a_daemon_without_sockets_is_not_waited_for) {
        PROGRAM(.path = "/d");
        naive_run("", "");
        one_stop();
        ck_assert_uint_eq(sim_now(), STOP);
        sim_end();
}
END_TEST

START_TEST(an_answer_in_pieces_is_waited_for) {
        FakeLife life = { .work = 9 * SEC, .pieces = 6, .requests = 1 };

        naive_program();
        naive_run("", LISTEN_ON);
        world_connect(80, NULL, &life);
        sim_run_for(2 * SEC);
        one_stop();
        naive_expect(1, 0);
        sim_end();
}
END_TEST

START_TEST(the_deadline_names_who_was_busy) {
        naive_program();
        naive_run("drain_timeout = \"3s\";", LISTEN_ON);
        naive_clients(2, 60 * SEC);
        sim_run_for(10 * MS);
        one_stop();
        naive_expect(0, 2);
        one_assert_said(MESSAGE_DAEMON_FORCED, "drain forced after 3.00 s: 0 waiting, 2 busy");
        ck_assert_int_eq(sim_said_forced(MESSAGE_SUPERVISOR_STOPPED), 1);
        sim_end();
}
END_TEST

/* A client that never stops asking holds a drain up, unless it is hung up on in time. */
static usec_t stop_with_a_client_that_goes_on(const char *count) {
        FakeLife life = { .work = 20 * MS, .requests = 100000, .pause = 300 * MS };
        char settings[128];

        snprintf(settings, sizeof(settings),
                 LISTEN_ON "drain: { count = \"%s\"; timeout = \"9s\"; };", count);
        naive_program();
        naive_run("", settings);
        world_connect(80, NULL, &life);
        sim_run_for(SEC);
        one_stop();
        return sim_now() - STOP - SEC;
}

START_TEST(idle_http_clients_are_nudged_in_the_last_third) {
        usec_t took = stop_with_a_client_that_goes_on("http");

        ck_assert_uint_ge(took, 6 * SEC);
        ck_assert_uint_lt(took, 8 * SEC);
        ck_assert_uint_eq(world_tally(NULL).cut, 0);
        ck_assert_int_eq(sim_said_forced(MESSAGE_SUPERVISOR_STOPPED), 0);
        sim_end();
}
END_TEST

START_TEST(others_are_not_nudged) {
        ck_assert_uint_ge(stop_with_a_client_that_goes_on("careful"), 9 * SEC);
        ck_assert_int_eq(sim_said_forced(MESSAGE_SUPERVISOR_STOPPED), 1);
        sim_end();
}
END_TEST

START_TEST(a_listener_that_comes_late_is_closed_late) {
        PROGRAM(.path = "/d", .acts = ACTS(LISTEN(10 * MS, 80), LISTEN(STOP + SEC, 81)));
        naive_run("", LISTEN_ON);
        naive_clients(1, 5 * SEC);
        sim_run_for(10 * MS);
        fake_signal(SIGTERM);
        sim_run_for(3 * SEC);
        ck_assert_uint_eq(world_closed(), 2);
        sim_run_to_exit();
        naive_expect(1, 0);
        sim_end();
}
END_TEST

/*
 * Each is naive, and the one in front asks the one behind for its answers: that one takes in work
 * until the other has drained, and only then is closed.
 */
START_TEST(dependents_drain_first) {
        FakeLife front = { .work = 3 * SEC, .requests = 1 };
        FakeLife back = { .work = 500 * MS, .requests = 1 };

        PROGRAM(.path = "/web", .acts = ACTS(LISTEN(10 * MS, 80)));
        PROGRAM(.path = "/app", .acts = ACTS(LISTEN(10 * MS, 81)));
        sim_begin(0, "web: { command = [ \"/web\" ]; " LISTEN_ON " requires = [ \"app\" ]; };"
                     "app: { command = [ \"/app\" ]; " LISTEN_ON " };");
        sim_start();
        sim_run_until(STOP);
        world_connect(80, NULL, &front);
        sim_run_for(10 * MS);
        fake_signal(SIGTERM);
        sim_run_for(2 * SEC);
        world_connect(81, NULL, &back); /* as web does */
        world_connect(80, NULL, &front);
        sim_run_for(SEC);
        ck_assert_uint_eq(world_tally(NULL).refused, 1);
        sim_run_to_exit();
        ck_assert_uint_eq(sim_ordered("app", EVENT_FREEZE), 0);
        ck_assert_uint_ge(sim_ordered_when("app", EVENT_DRAIN), STOP + 3 * SEC);
        naive_expect(2, 0);
        sim_end();
}
END_TEST

/* ---- a restart ---- */

START_TEST(at_a_restart_new_clients_wait) {
        naive_program();
        naive_run("", LISTEN_ON);
        naive_clients(2, 500 * MS);
        sim_run_for(10 * MS);
        ck_assert_int_eq(sim_ask(REQUEST_RESTART, "d"), 0);
        sim_run_for(100 * MS);
        naive_clients(4, 100 * MS);
        sim_run_for(20 * SEC);
        naive_expect(6, 0);
        ck_assert_uint_eq(world_tally(NULL).refused, 0);
        ck_assert_uint_eq(world_closed(), 0);
        one_end();
}
END_TEST

START_TEST(what_cannot_be_held_is_refused) {
        naive_program();
        naive_run("", LISTEN_ON);
        fake_allow(MAY_LOOK | MAY_REOPEN | MAY_DIAG);
        naive_clients(1, 3 * SEC);
        sim_run_for(10 * MS);
        ck_assert_int_eq(sim_ask(REQUEST_RESTART, "d"), 0);
        sim_run_for(SEC);
        naive_clients(1, SEC);
        sim_run_for(20 * SEC);
        naive_expect(1, 0);
        ck_assert_uint_eq(world_tally(NULL).refused, 1);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        one_end();
}
END_TEST

/* ---- what may not be ---- */

START_TEST(without_a_look_the_intake_stays_open) {
        naive_program();
        naive_run("", LISTEN_ON);
        fake_allow(MAY_REOPEN | MAY_HOLD | MAY_DIAG);
        one_stop();
        ck_assert_uint_eq(sim_population("d"), 0);
        sim_end();
}
END_TEST

START_TEST(without_sock_diag_the_drain_is_given_up) {
        naive_program();
        naive_run("", LISTEN_ON);
        naive_clients(1, 60 * SEC);
        sim_run_for(10 * MS);
        fake_allow(MAY_LOOK | MAY_REOPEN | MAY_HOLD);
        one_stop();
        ck_assert_int_eq(sim_said_forced(MESSAGE_SUPERVISOR_STOPPED), 1);
        sim_end();
}
END_TEST

START_TEST(a_foreign_filter_is_left_alone) {
        unsigned cursor = 0;

        naive_program();
        naive_run("", LISTEN_ON);
        socket_each(&cursor)->foreign = true;
        one_stop();
        ck_assert_uint_eq(sim_said(MESSAGE_INTAKE_OPEN, "d"), 1);
        one_assert_said(MESSAGE_INTAKE_OPEN, "somebody else");
        ck_assert_int_eq(sim_said_forced(MESSAGE_SUPERVISOR_STOPPED), 1);
        sim_end();
}
END_TEST

START_TEST(doors_that_fail_do_not_hold_up_a_stop) {
        static const FakeDoor doors[] = { DOOR_INTAKE_FIND, DOOR_INTAKE_CLOSE, DOOR_INTAKE_MEASURE,
                                          DOOR_INTAKE_NUDGE, DOOR_FILE_REPLACE };

        for (size_t i = 0; i < ELEMENTSOF(doors); i++) {
                naive_program();
                one_begin(LISTEN_ON "drain: { timeout = \"3s\"; };");
                watch_allow_failures();
                sim_start();
                sim_run_until(STOP);
                naive_clients(1, SEC);
                sim_run_for(10 * MS);
                fake_fail(doors[i], EIO, 1, 1000);
                one_stop();
                ck_assert_uint_le(sim_now(), STOP + 5 * SEC);
                sim_end();
        }
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sim/flight");
        TCase *tcase = tcase_create("flight");

        tcase_add_test(tcase, what_is_in_flight_is_answered);
        tcase_add_test(tcase, without_it_they_are_cut);
        tcase_add_test(tcase, who_waits_in_the_queue_is_served);
        tcase_add_test(tcase, new_ones_are_refused_at_once);
        tcase_add_test(tcase, a_listener_that_moves_is_closed_all_the_same);
        tcase_add_test(tcase, a_daemon_without_sockets_is_not_waited_for);
        tcase_add_test(tcase, an_answer_in_pieces_is_waited_for);
        tcase_add_test(tcase, the_deadline_names_who_was_busy);
        tcase_add_test(tcase, idle_http_clients_are_nudged_in_the_last_third);
        tcase_add_test(tcase, others_are_not_nudged);
        tcase_add_test(tcase, a_listener_that_comes_late_is_closed_late);
        tcase_add_test(tcase, dependents_drain_first);
        tcase_add_test(tcase, at_a_restart_new_clients_wait);
        tcase_add_test(tcase, what_cannot_be_held_is_refused);
        tcase_add_test(tcase, without_a_look_the_intake_stays_open);
        tcase_add_test(tcase, without_sock_diag_the_drain_is_given_up);
        tcase_add_test(tcase, a_foreign_filter_is_left_alone);
        tcase_add_test(tcase, doors_that_fail_do_not_hold_up_a_stop);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
