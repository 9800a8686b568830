/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Workers that outlive their master's crash with work in flight (cleanup.leftovers = "wait"): they
 * take in nothing more, finish, and only then there is a replacement.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "sim/naive.h"
#include "unit.h"

#define WAIT "cleanup: { leftovers = \"wait\"; wait = \"3s\"; };"

/* A master that has given its socket away, and the worker that serves; it dies of SIGTERM. */
static void master_program(void) {
        static const FakeAct makes[] = { LISTEN(10 * MS, 80), FORK(20 * MS, "/worker"),
                                         HAND_OVER(30 * MS), { 0 } };
        static const FakeProgram master = { .path = "/d", .acts = makes };
        static const FakeProgram worker = { .path = "/worker" };

        world_add_program(&master);
        world_add_program(&worker);
}

static void master_dies(void) {
        process_hear(process_find(sim_main_pid("d")), SIGKILL);
        sim_run_for(MS);
        ck_assert_int_eq(sim_state("d"), STATE_SWEEPING);
}

/* Its master dies with so many requests in flight that take so long. */
static void master_dies_at_work(const char *settings, unsigned count, usec_t work) {
        master_program();
        naive_run("", settings);
        naive_clients(count, work);
        sim_run_for(10 * MS);
        master_dies();
}

/* There is another one, and it serves. */
static void assert_replaced(void) {
        FakeTally before = world_tally(NULL);

        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_uint_eq(sim_population("d"), 2);
        ck_assert_uint_eq(world_closed(), 0);
        naive_clients(3, MS);
        sim_run_for(SEC);
        naive_expect(before.answered + 3, before.cut);
}

START_TEST(a_crash_leaves_its_work_to_be_finished) {
        master_dies_at_work(LISTEN_ON WAIT, 4, SEC);
        ck_assert_uint_eq(world_closed(), 1);
        ck_assert_str_eq(child_status(sim_child("d")),
                         "1 left-over process, 0 waiting, 4 busy, 0 idle");
        naive_clients(3, MS);
        ck_assert_uint_eq(world_tally(NULL).refused, 3);
        sim_run_for(SEC + 3 * LOOK);
        naive_expect(4, 0);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_FORCED, "d"), 0);
        ck_assert_uint_ge(sim_said(MESSAGE_DAEMON_DRAINING, "d"), 1);
        ck_assert_str_eq(child_status(sim_child("d")), "");
        assert_replaced();
        one_end();
}
END_TEST

START_TEST(who_has_nothing_to_do_is_not_waited_for) {
        master_program();
        naive_run("", LISTEN_ON WAIT);
        master_dies();
        sim_run_for(2 * LOOK);
        assert_replaced();
        one_end();
}
END_TEST

START_TEST(the_end_of_its_time_names_who_was_busy) {
        master_dies_at_work(LISTEN_ON WAIT, 2, 60 * SEC);
        sim_run_for(3 * SEC - 2 * MS);
        naive_expect(0, 0);
        sim_run_for(SEC);
        naive_expect(0, 2);
        one_assert_said(MESSAGE_DAEMON_FORCED,
                        "left-over processes forced after 3.00 s: 0 waiting, 2 busy, 0 idle (198.");
        assert_replaced();
        one_stop();
        ck_assert_int_eq(sim_said_forced(MESSAGE_SUPERVISOR_STOPPED), 0); /* not by the stop */
        sim_end();
}
END_TEST

START_TEST(idle_clients_are_nudged_at_the_end_of_its_time) {
        FakeLife life = { .work = 20 * MS, .requests = 100000, .pause = 300 * MS };

        master_program();
        naive_run("", LISTEN_ON "drain: { count = \"http\"; };" WAIT);
        world_connect(80, NULL, &life);
        sim_run_for(SEC);
        master_dies();
        sim_run_for(2900 * MS);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_FORCED, "d"), 0);
        ck_assert_uint_eq(world_tally(NULL).cut, 0);
        assert_replaced();
        one_end();
}
END_TEST

/* They knock again, at the socket of the next one. */
START_TEST(who_is_held_meets_the_next_one) {
        master_dies_at_work(LISTEN_ON "freeze: { method = \"hold\"; };" WAIT, 1, SEC);
        naive_clients(3, MS);
        sim_run_for(10 * SEC);
        naive_expect(4, 0);
        ck_assert_uint_eq(world_tally(NULL).refused, 0);
        assert_replaced();
        one_end();
}
END_TEST

/* That an operator wanted it to be back soon was another time. */
START_TEST(after_a_restart_they_are_refused_all_the_same) {
        master_program();
        naive_run("", LISTEN_ON WAIT);
        ck_assert_int_eq(sim_ask(REQUEST_RESTART, "d"), 0);
        sim_run_for(5 * SEC);
        naive_clients(1, SEC);
        sim_run_for(10 * MS);
        master_dies();
        naive_clients(3, MS);
        ck_assert_uint_eq(world_tally(NULL).refused, 3);
        sim_run_for(2 * SEC);
        assert_replaced();
        one_end();
}
END_TEST

START_TEST(what_would_tell_the_main_process_is_done_from_outside) {
        static const char *const ways[] = {
                "freeze: { signal = \"USR1\"; };",
                "freeze: { command = [ \"/h\" ]; };",
                "freeze: { signal = \"USR1\"; }; drain: { command = [ \"/h\" ]; };",
                "drain: { until = \"exit\"; signal = \"USR2\"; };",
                "drain: { until = \"file\"; path = \"/run/d.file\"; };",
        };

        for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
                char settings[256];

                PROGRAM(.path = "/h");
                snprintf(settings, sizeof(settings), LISTEN_ON WAIT "%s", ways[i]);
                master_dies_at_work(settings, 2, SEC);
                ck_assert_uint_eq(world_closed(), 1);
                ck_assert_uint_eq(sim_population("d.helper"), 0);
                sim_run_for(SEC + 3 * LOOK);
                naive_expect(2, 0);
                assert_replaced();
                one_end();
        }
}
END_TEST

/* Nobody sees whether it is finished: it has its whole time, and new ones are refused. */
START_TEST(what_cannot_be_seen_has_its_whole_time) {
        static const char *const ways[] = {
                "drain: { until = \"jobs\"; };",
                "drain: { until = \"none\"; };",
                "drain: { count = \"session\"; };",
        };

        for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
                char settings[256];

                snprintf(settings, sizeof(settings), LISTEN_ON WAIT "%s", ways[i]);
                master_dies_at_work(settings, 2, SEC);
                ck_assert_uint_eq(world_closed(), 1);
                sim_run_for(3 * SEC - 2 * MS);
                ck_assert_uint_eq(sim_population("d"), 1);
                ck_assert_str_eq(child_status(sim_child("d")),
                                 "1 left-over process has up to 3s to end");
                naive_expect(2, 0);
                sim_run_for(100 * MS);
                ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_FORCED, "d"), 0);
                ck_assert_str_eq(child_status(sim_child("d")), "");
                assert_replaced();
                one_end();
        }
}
END_TEST

START_TEST(whose_intake_shall_stay_open_serves_on) {
        master_dies_at_work(LISTEN_ON "freeze: { method = \"none\"; };" WAIT, 2, SEC);
        ck_assert_uint_eq(world_closed(), 0);
        naive_clients(3, MS);
        sim_run_for(2 * SEC);
        naive_expect(5, 0);
        ck_assert_int_eq(sim_state("d"), STATE_SWEEPING);
        sim_run_for(1100 * MS);
        assert_replaced();
        one_end();
}
END_TEST

START_TEST(who_cannot_be_looked_at_has_its_whole_time) {
        master_program();
        one_begin(LISTEN_ON WAIT);
        watch_allow_failures();
        sim_start();
        sim_run_until(STOP);
        naive_clients(2, SEC);
        sim_run_for(10 * MS);
        fake_fail(DOOR_INTAKE_MEASURE, EIO, 3, 1); /* the third look */
        master_dies();
        sim_run_for(3 * SEC - 2 * MS);
        naive_expect(2, 0);
        ck_assert_int_eq(sim_state("d"), STATE_SWEEPING);
        ck_assert_uint_eq(sim_population("d"), 1);
        sim_run_for(100 * MS);
        assert_replaced();
        one_end();
}
END_TEST

/* The path is moved aside, and the one of the replacement is in nobody's way. */
START_TEST(a_path_is_free_for_the_replacement) {
        FakeLife life = { .work = SEC, .requests = 1 };

        PROGRAM(.path = "/worker");
        PROGRAM(.path = "/d", .acts = ACTS(LISTEN_UNIX(10 * MS, "/run/s"), FORK(20 * MS, "/worker"),
                                           HAND_OVER(30 * MS)));
        naive_run("", "ready: { on = \"unix\"; path = \"/run/s\"; };" WAIT);
        world_connect(0, "/run/s", &life);
        sim_run_for(10 * MS);
        master_dies();
        ck_assert(!world_exists("/run/s"));
        world_connect(0, "/run/s", &life);
        ck_assert_uint_eq(world_tally(NULL).refused, 1);
        sim_run_for(4 * SEC);
        naive_expect(1, 0);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert(world_exists("/run/s"));
        ck_assert(!world_exists("/run/s.supervisord-aside"));
        world_connect(0, "/run/s", &life);
        sim_run_for(2 * SEC);
        naive_expect(2, 0);
        one_end();
}
END_TEST

/* It goes on as it is, and nothing is started any more. */
START_TEST(a_stop_takes_over_what_drains) {
        master_dies_at_work(LISTEN_ON WAIT, 2, SEC);
        sim_run_for(100 * MS);
        one_stop();
        naive_expect(2, 0);
        ck_assert_int_eq(sim_said_forced(MESSAGE_SUPERVISOR_STOPPED), 0);
        ck_assert_uint_le(sim_now(), STOP + 20 * MS + SEC + 3 * LOOK);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_READY, "d"), 1);
        sim_end();
}
END_TEST

START_TEST(a_stop_keeps_the_time_of_what_drains) {
        master_dies_at_work(LISTEN_ON WAIT, 2, 60 * SEC);
        sim_run_for(SEC);
        one_stop();
        naive_expect(0, 2);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_FORCED, "d"), STOP + 10 * MS + 3 * SEC);
        ck_assert_int_eq(sim_said_forced(MESSAGE_SUPERVISOR_STOPPED), 1);
        sim_end();
}
END_TEST

/* Whatever an operator asks for, what drains is served and then replaced. */
static void ask_while_it_drains(RequestVerb request, DaemonState state) {
        master_dies_at_work(LISTEN_ON WAIT, 2, SEC);
        ck_assert_int_eq(sim_ask(request, "d"), 0);
        sim_run_for(500 * MS);
        ck_assert_int_eq(sim_state("d"), state);
        sim_run_for(SEC);
        naive_expect(2, 0);
        assert_replaced();
        one_end();
}

START_TEST(an_operator_starts_none_beside_what_drains) {
        ask_while_it_drains(REQUEST_START, STATE_SWEEPING);
}
END_TEST

START_TEST(a_restart_takes_over_what_drains) {
        ask_while_it_drains(REQUEST_RESTART, STATE_STOPPING);
}
END_TEST

/* Another configuration, by which nothing would be waited for, comes too late for these. */
START_TEST(a_reload_leaves_what_drains) {
        master_dies_at_work(LISTEN_ON WAIT, 2, SEC);
        sim_set_config("d: { command = [ \"/d\" ]; " LISTEN_ON " };");
        fake_signal(SIGHUP);
        sim_run_for(500 * MS);
        naive_expect(0, 0);
        ck_assert_uint_eq(sim_population("d"), 1);
        sim_run_for(2 * SEC);
        naive_expect(2, 0);
        assert_replaced();
        one_end();
}
END_TEST

int main(void) {
        Suite *suite = suite_create("sim_orphans");
        TCase *drain = tcase_create("drain");

        tcase_add_test(drain, a_crash_leaves_its_work_to_be_finished);
        tcase_add_test(drain, who_has_nothing_to_do_is_not_waited_for);
        tcase_add_test(drain, the_end_of_its_time_names_who_was_busy);
        tcase_add_test(drain, idle_clients_are_nudged_at_the_end_of_its_time);
        tcase_add_test(drain, who_is_held_meets_the_next_one);
        tcase_add_test(drain, after_a_restart_they_are_refused_all_the_same);
        tcase_add_test(drain, what_would_tell_the_main_process_is_done_from_outside);
        tcase_add_test(drain, what_cannot_be_seen_has_its_whole_time);
        tcase_add_test(drain, whose_intake_shall_stay_open_serves_on);
        tcase_add_test(drain, who_cannot_be_looked_at_has_its_whole_time);
        tcase_add_test(drain, a_path_is_free_for_the_replacement);
        tcase_add_test(drain, a_stop_takes_over_what_drains);
        tcase_add_test(drain, a_stop_keeps_the_time_of_what_drains);
        tcase_add_test(drain, an_operator_starts_none_beside_what_drains);
        tcase_add_test(drain, a_restart_takes_over_what_drains);
        tcase_add_test(drain, a_reload_leaves_what_drains);
        suite_add_tcase(suite, drain);
        return unit_main(suite);
}
