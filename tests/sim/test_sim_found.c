/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What random scenarios found: each with the least that shows it. The seeds are those of the day;
 * what they choose changes with what random scenarios are made of.
 */

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "fake/script.h"
#include "fake/world_intake.h"
#include "service/request.h"
#include "sim/sim.h"
#include "unit.h"

#define NOTIFY_DAEMON(name, program, more)                                                         \
#name ": { command = [ \"" program "\" ]; type = \"notify\"; " more " };\n"

static void raise_term(void *userdata, uint64_t argument) {
        (void) userdata;
        (void) argument;
        fake_signal(SIGTERM);
}

static void end(void) {
        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_int_eq(sim_code(), 0);
        sim_end();
}

/* Seeds 15853, 90255: its change was noted at its old place among the daemons that were left. */
START_TEST(what_a_reload_removed_and_could_not_kill_may_end_before_the_verdict) {
        PROGRAM(.path = "/good", .acts = ACTS(NOTIFY(0, "READY=1\n")));
        PROGRAM(.path = "/slow", .acts = ACTS(NOTIFY(20 * SEC, "READY=1\n")));
        PROGRAM(.path = "/hard", .acts = ACTS(BLOCK(0, 15 * SEC)));
        sim_begin(0, NOTIFY_DAEMON(a, "/good", "") NOTIFY_DAEMON(
                             b, "/good", "") "c: { command = [ "
                                             "\"/hard\" ]; stop: { signals = \"KILL\"; }; };");
        sim_start();
        sim_run_until(5 * SEC);
        sim_set_config(NOTIFY_DAEMON(a, "/slow", ""));
        sim_reload();
        sim_run_until(14 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STUCK, "c"), 1);
        ck_assert_int_eq(sim_mode(), MODE_RELOADING);
        sim_run_until(40 * SEC);
        ck_assert_uint_eq(world_population("c"), 0);
        ck_assert_int_eq(sim_verdict(), RELOAD_APPLIED);
        end();
}
END_TEST

/* Seeds 823, 39367, 93662: the stop of everything took it for a deadline of its own. */
START_TEST(what_was_forced_before_a_stop_is_not_counted_in_it) {
        PROGRAM(.path = "/deaf", .acts = ACTS(BLOCK(0, 10 * SEC)));
        sim_begin(0, "d: { command = [ \"/deaf\" ]; stop: { signals = \"TERM 2s, KILL\"; }; };");
        sim_start();
        sim_run_until(SEC);
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "d"), 0);
        while (sim_state("d") != STATE_KILLING)
                ck_assert(sim_step());
        fake_signal(SIGTERM); /* before anybody else looks at it */
        sim_run_to_exit();
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_FORCED, "d"), 1);
        ck_assert_int_eq(sim_said_forced(MESSAGE_SUPERVISOR_STOPPED), 0);
        sim_end();
}
END_TEST

/* Seeds 21605, 26547, 28837: the sum of the stop counted it, its record did not, or the reverse. */
START_TEST(what_is_forced_before_the_first_phase_of_a_stop_is_not_counted_in_it) {
        PROGRAM(.path = "/deaf", .acts = ACTS(BLOCK(0, 10 * SEC)));
        sim_begin(0, "d: { command = [ \"/deaf\" ]; stop: { signals = \"TERM 2s, KILL\"; }; };");
        sim_start();
        sim_run_until(SEC);
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "d"), 0);
        world_at(world_now() + 2 * SEC, raise_term, NULL, 0); /* when its schedule is over */
        sim_run_to_exit();
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_FORCED, "d"), 1);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_FORCED, "d"), 3 * SEC);
        ck_assert_uint_eq(sim_said_when(MESSAGE_SUPERVISOR_STOPPING, NULL), 3 * SEC);
        ck_assert_int_eq(sim_said_forced(MESSAGE_SUPERVISOR_STOPPED), 0);
        sim_end();
}
END_TEST

/* Seed 70491: it was not restored that it waited. */
START_TEST(who_waited_for_its_start_waits_again_after_a_reload_that_is_undone) {
        PROGRAM(.path = "/good", .acts = ACTS(NOTIFY(0, "READY=1\n")));
        PROGRAM(.path = "/bad", .acts = ACTS(EXIT(0, 3)));
        sim_begin(0, NOTIFY_DAEMON(base, "/good", "restart: { delay = \"20s\"; };")
                             NOTIFY_DAEMON(top, "/bad",
                                           "requires = [ \"base\" ]; restart: { policy = "
                                           "\"never\"; };"));
        sim_start();
        sim_run_until(SEC);
        ck_assert_int_eq(sim_state("top"), STATE_FAILED);
        PROGRAM(.path = "/good", .acts = ACTS(EXIT(0, 3)));
        process_signal(process_find(sim_main_pid("base")), SIGKILL);
        ck_assert_int_eq(sim_ask(REQUEST_START, "top"), 0);
        sim_run_until(3 * SEC);
        ck_assert_int_eq(sim_state("base"), STATE_DELAYED);
        ck_assert(supervisor_is_pending(sim_supervisor(), sim_child("top")));

        sim_set_config(NOTIFY_DAEMON(base, "/good", "restart: { delay = \"20s\"; };")
                               NOTIFY_DAEMON(top, "/bad", "restart: { policy = \"never\"; };"));
        sim_reload();
        sim_run_until(10 * SEC);
        PROGRAM(.path = "/good", .acts = ACTS(NOTIFY(0, "READY=1\n")));
        ck_assert_int_eq(sim_verdict(), RELOAD_ROLLED_BACK);
        ck_assert(supervisor_is_pending(sim_supervisor(), sim_child("top")));
        sim_run_until(30 * SEC);
        ck_assert_uint_eq(sim_ordered("top", EVENT_START), 3);
        end();
}
END_TEST

/* Without inotify there is no notice of an empty tree: a drain that was over was forced. */
START_TEST(who_ended_unseen_is_not_forced) {
        PROGRAM(.path = "/d", .acts = ACTS(FORK(0, "/job")),
                .reactions = REACTIONS(ON(SIGUSR2, EXIT(SEC, 0))));
        PROGRAM(.path = "/job", .acts = ACTS(EXIT(3 * SEC, 0)));
        sim_begin(0, "d: { command = [ \"/d\" ]; drain: { until = \"exit\"; signal = \"USR2\"; "
                     "timeout = \"3s\"; }; };");
        sim_start();
        sim_run_until(SEC);
        fake_fail(DOOR_TREE_WATCH, ENOSPC, 1, 100);
        watch_allow_failures();
        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_uint_eq(sim_now(), 4 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_FORCED, "d"), 0);
        sim_end();
}
END_TEST

/* ---- the intake; watch_intake.c looks at it ---- */

#define SERVER(more) "d: { command = [ \"/server\" ]; " more " };"

/* What was known from the first freeze was not closed by a second one. */
START_TEST(who_was_thawed_can_be_frozen_again) {
        PROGRAM(.path = "/server", .acts = ACTS(LISTEN(0, 80)));
        sim_begin(0, SERVER());
        sim_start();
        sim_run_until(SEC);
        for (unsigned i = 0; i < 3; i++) {
                ck_assert_int_eq(sim_pause(false, "d"), 0);
                sim_run_for(SEC);
                ck_assert_uint_eq(world_closed(), 1);
                ck_assert_int_eq(sim_thaw("d"), 0);
                sim_run_for(SEC);
                ck_assert_uint_eq(world_closed(), 0);
        }
        end();
}
END_TEST

/* It was closed only by the first look for more, a second after the begin of the drain. */
START_TEST(a_listener_that_was_opened_while_frozen_is_closed_when_the_drain_begins) {
        PROGRAM(.path = "/server", .acts = ACTS(LISTEN(3 * SEC, 80)));
        PROGRAM(.path = "/slow", .acts = ACTS(EXIT(5 * SEC, 0)));
        sim_begin(0, SERVER() "slow: { command = [ \"/server\" ]; freeze: { command = [ \"/slow\" "
                              "]; timeout = \"10s\"; }; };");
        sim_start();
        sim_run_until(SEC);
        fake_signal(SIGTERM);
        while (sim_ordered("d", EVENT_DRAIN) == 0)
                ck_assert(sim_step());
        ck_assert_uint_ge(world_closed(), 1);
        sim_run_to_exit();
        sim_end();
}
END_TEST

/* It was found with one process, was gone from there when it was to be closed, and stayed open. */
START_TEST(a_socket_that_moves_while_it_is_closed_is_closed) {
        for (uint64_t seed = 1; seed <= 300; seed++) {
                PROGRAM(.path = "/server",
                        .acts = ACTS(FORK(0, "/worker"), LISTEN(0, 80), LISTEN(0, 81),
                                     LISTEN(0, 82), LISTEN(0, 83), HAND_OVER(SEC)));
                PROGRAM(.path = "/worker");
                sim_begin(seed, SERVER("drain: { until = \"connections\"; timeout = \"3s\"; };"));
                sim_start();
                sim_run_until(500 * MS);
                world_connect(80, NULL, &(FakeLife){ .idle = USEC_INFINITY });
                world_plan(world_now() + 500 * MS, raise_term, NULL, 0);
                sim_run_to_exit();
                sim_end();
        }
}
END_TEST

/* The stop found nothing to do and was done, and then the restart started it. */
START_TEST(a_stop_wins_over_a_restart_that_has_not_come_to_its_start) {
        PROGRAM(.path = "/bad", .acts = ACTS(EXIT(0, 3)));
        PROGRAM(.path = "/slow", .reactions = REACTIONS(ON(SIGTERM, EXIT(3 * SEC, 0))));
        sim_begin(0, "a: { command = [ \"/bad\" ]; restart: { policy = \"never\"; }; };"
                     "b: { command = [ \"/slow\" ]; };");
        sim_start();
        sim_run_until(SEC);
        ck_assert_int_eq(sim_state("a"), STATE_FAILED);
        ck_assert_int_eq(sim_ask(REQUEST_RESTART, "a", "b"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "a"), 0);
        PROGRAM(.path = "/bad");
        sim_run_for(10 * SEC);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 2);
        ck_assert_int_eq(sim_state("a"), STATE_STOPPED);
        ck_assert_int_eq(sim_state("b"), STATE_RUNNING);
        end();
}
END_TEST

/* What could not be killed counted as failed, and a reload that changed it started it. */
START_TEST(what_an_operator_stopped_stays_so_even_if_it_could_not_be_killed) {
        PROGRAM(.path = "/hard", .acts = ACTS(BLOCK(0, 0)));
        PROGRAM(.path = "/good");
        sim_begin(0, "a: { command = [ \"/hard\" ]; stop: { signals = \"KILL\"; }; };");
        sim_start();
        sim_run_until(SEC);
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "a"), 0);
        sim_run_for(10 * SEC);
        ck_assert_int_eq(sim_state("a"), STATE_STUCK);
        sim_set_config("a: { command = [ \"/good\" ]; };");
        sim_reload();
        sim_run_for(10 * SEC);
        ck_assert_int_eq(sim_verdict(), RELOAD_APPLIED);
        ck_assert_uint_eq(sim_ordered("a", EVENT_START), 1);
        end();
}
END_TEST

/* It never ended, and every reload waited for it. */
START_TEST(an_operation_does_not_wait_for_one_that_is_out_of_service) {
        PROGRAM(.path = "/good", .acts = ACTS(NOTIFY(0, "READY=1\n")));
        sim_begin(0,
                  NOTIFY_DAEMON(base, "/good", "") NOTIFY_DAEMON(out, "/good", "")
                          NOTIFY_DAEMON(top, "/good", "requires = [ \"base\", \"out\" ];")
                                  NOTIFY_DAEMON(other, "/good",
                                                "requires = [ \"base\" ]; after = [ \"out\" ];"));
        sim_start();
        sim_run_until(SEC);
        ck_assert_int_eq(sim_pause(false, "out"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_ask(REQUEST_RESTART, "base"), 0);
        sim_run_for(SEC);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 2);
        ck_assert(supervisor_is_pending(sim_supervisor(), sim_child("top")));
        ck_assert_int_eq(sim_state("other"), STATE_RUNNING);
        sim_reload();
        sim_run_for(SEC);
        ck_assert_int_eq(sim_verdict(), RELOAD_NOTHING);
        ck_assert_int_eq(sim_thaw("out"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("top"), STATE_RUNNING);
        end();
}
END_TEST

/* Seed 17590: it was neither started nor at rest, and the operation waited for it for ever. */
START_TEST(an_operation_does_not_wait_for_one_out_of_service_that_may_not_start) {
        PROGRAM(.path = "/good", .acts = ACTS(NOTIFY(0, "READY=1\n")));
        sim_begin(0, NOTIFY_DAEMON(base, "/good", "restart: { policy = \"never\"; };")
                             NOTIFY_DAEMON(top, "/good", "requires = [ \"base\" ];"));
        sim_start();
        sim_run_until(SEC);
        ck_assert_int_eq(sim_pause(false, "top"), 0);
        sim_run_for(SEC);
        PROGRAM(.path = "/good", .acts = ACTS(EXIT(0, 3)));
        process_signal(process_find(sim_main_pid("base")), SIGKILL);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("base"), STATE_FAILED);
        ck_assert_int_eq(sim_ask(REQUEST_START, "base", "top"), 0);
        sim_run_for(SEC);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 2);
        ck_assert_int_eq(sim_state("top"), STATE_FROZEN);
        end();
}
END_TEST

/* Seed 12513: the one that was known was given up first, and a daemon without one kept us busy. */
START_TEST(who_cannot_be_watched_does_not_take_the_place_of_the_main_process) {
        PROGRAM(.path = "/next", .acts = ACTS(NOTIFY_MAIN(MS)));
        PROGRAM(.path = "/good", .acts = ACTS(NOTIFY(0, "READY=1\n"), FORK(SEC, "/next")));
        sim_begin(0, NOTIFY_DAEMON(d, "/good", ""));
        sim_start();
        sim_run_until(SEC / 2);
        pid_t main = sim_main_pid("d");
        fake_fail(DOOR_LOOP_IO, ENOMEM, 1, 1);
        sim_run_until(2 * SEC);
        ck_assert_int_gt(main, 0);
        ck_assert_uint_eq(world_population("d"), 2);
        ck_assert_int_eq(sim_main_pid("d"), main);
        end();
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sim_found");
        TCase *found = tcase_create("found"), *intake = tcase_create("intake");

        tcase_add_test(found, what_a_reload_removed_and_could_not_kill_may_end_before_the_verdict);
        tcase_add_test(found, what_was_forced_before_a_stop_is_not_counted_in_it);
        tcase_add_test(found, what_is_forced_before_the_first_phase_of_a_stop_is_not_counted_in_it);
        tcase_add_test(found, who_waited_for_its_start_waits_again_after_a_reload_that_is_undone);
        tcase_add_test(found, who_ended_unseen_is_not_forced);
        tcase_add_test(found, what_an_operator_stopped_stays_so_even_if_it_could_not_be_killed);
        tcase_add_test(found, a_stop_wins_over_a_restart_that_has_not_come_to_its_start);
        tcase_add_test(found, an_operation_does_not_wait_for_one_that_is_out_of_service);
        tcase_add_test(found, an_operation_does_not_wait_for_one_out_of_service_that_may_not_start);
        tcase_add_test(found, who_cannot_be_watched_does_not_take_the_place_of_the_main_process);
        suite_add_tcase(suite, found);

        tcase_add_test(intake, who_was_thawed_can_be_frozen_again);
        tcase_add_test(intake,
                       a_listener_that_was_opened_while_frozen_is_closed_when_the_drain_begins);
        tcase_add_test(intake, a_socket_that_moves_while_it_is_closed_is_closed);
        suite_add_tcase(suite, intake);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
