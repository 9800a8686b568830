/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What random scenarios found when the habits of ill-bred daemons came into them, each with the
 * least that shows it; and those habits once each, as the random ones have them (random_habit.c).
 */

#include <signal.h>
#include <string.h>

#include "fake/script.h"
#include "fake/world_intake.h"
#include "sim/one.h"
#include "unit.h"

#define ONCE "restart: { policy = \"never\"; };"

/* ---- found ---- */

#define SPEAKING "health: { on = \"notify\"; timeout = \"1min\"; };"

/* Seed 28574: with MAINPID= it was ready at once, and how its command ended did not matter. */
START_TEST(a_main_process_that_is_named_early_does_not_end_the_wait_for_the_first) {
        PROGRAM(.path = "/next");
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/next"), NOTIFY_CHILD(100 * MS),
                                           EXIT(SEC, 0)));
        one_run("type = \"command\"; ready: { on = \"exit\"; };" SPEAKING, 900 * MS);
        ck_assert_int_eq(sim_state("d"), STATE_STARTING);
        sim_run_until(2 * SEC);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_READY, "d"), SEC);
        ck_assert_str_eq(process_find(sim_main_pid("d"))->program->path, "/next");
        one_end();

        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/next"), NOTIFY_CHILD(100 * MS),
                                           EXIT(SEC, 3)));
        one_assert_fails("type = \"command\"; ready: { on = \"exit\"; };" SPEAKING ONCE, SEC,
                         "its command exited with status 3");
}
END_TEST

/* Named before, and of the two that stay the younger one: a guess would take the other. */
START_TEST(who_was_named_early_is_the_main_process) {
        PROGRAM(.path = "/old");
        PROGRAM(.path = "/next", .acts = ACTS(NOTIFY_MAIN(100 * MS)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/old"), FORK_SESSION(MS, "/next"),
                                           EXIT(SEC, 0)));
        one_run("type = \"forking\"; ready: { on = \"exit\"; };" SPEAKING, 2 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_str_eq(process_find(sim_main_pid("d"))->program->path, "/next");
        one_end();
}
END_TEST

/* ---- the habits ---- */

/* uwsgi: the pid stays, and so it is up until the schedule is over. */
START_TEST(a_daemon_that_begins_anew_at_term_is_killed) {
        PROGRAM(.path = "/d", .acts = ACTS(LISTEN(100 * MS, 80)),
                .reactions = REACTIONS(ON(SIGTERM, EXEC(0, "/d"))));
        one_run("drain: { until = \"none\"; }; stop: { signals = \"TERM 2s, KILL\"; };", SEC);
        pid_t main = sim_main_pid("d");
        one_stop();
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_STOPPED, "d"), 3 * SEC);
        ck_assert_ptr_null(process_find(main));
        sim_end();
}
END_TEST

/* mysqld_safe: signalling it does nothing, and what it starts is of its tree. */
START_TEST(a_watchdog_is_ended_with_what_it_starts) {
        PROGRAM(.path = "/inner", .acts = ACTS(WRITE_PID(MS, PIDFILE)));
        PROGRAM(.path = "/d", .acts = ACTS(WATCH(0, "/inner", 100 * MS)),
                .reactions = REACTIONS(DEAF(SIGTERM)));
        one_run("stop: { signals = \"TERM 2s, KILL\"; };", SEC);
        for (unsigned i = 0; i < 3; i++) {
                const FakeProcess *watchdog = process_find(sim_main_pid("d"));
                pid_t inner = watchdog->last_child;

                process_hear(process_find(inner), SIGKILL);
                sim_run_for(50 * MS);
                ck_assert_uint_eq(sim_population("d"), 1);
                sim_run_for(SEC);
                ck_assert_uint_eq(sim_population("d"), 2);
                ck_assert_int_ne(watchdog->last_child, inner);
        }
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_EXITED, "d"), 0);
        one_stop();
        ck_assert_uint_eq(world_population("d"), 0);
        sim_end();
}
END_TEST

/* Killed itself it leaves what it watched, which is ended before another one is made. */
START_TEST(what_a_watchdog_leaves_is_in_nobodys_way) {
        PROGRAM(.path = "/inner", .reactions = REACTIONS(DEAF(SIGTERM)));
        PROGRAM(.path = "/d", .acts = ACTS(WATCH(0, "/inner", 100 * MS)),
                .reactions = REACTIONS(DEAF(SIGTERM)));
        one_run("stop: { signals = \"TERM 500ms, KILL\"; };", SEC);
        process_hear(process_find(sim_main_pid("d")), SIGKILL);
        sim_run_for(10 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_uint_eq(sim_population("d"), 2);
        ck_assert_uint_eq(world_doubled(), 0);
        one_end();
}
END_TEST

/* sshd: each connection has a process, which lives as long as it. */
START_TEST(sessions_are_processes_of_their_own) {
        PROGRAM(.path = "/session", .acts = ACTS(EXIT_SERVED(0, 0)));
        PROGRAM(.path = "/d", .acts = ACTS(LISTEN(0, 80)), .session = "/session");
        one_run("drain: { until = \"jobs\"; timeout = \"20s\"; };", SEC);
        for (unsigned i = 1; i <= 3; i++)
                world_connect(80, NULL, &(FakeLife){ .work = i * SEC, .requests = 1 });
        sim_run_for(10 * MS);
        ck_assert_uint_eq(sim_population("d"), 4);
        one_stop();
        ck_assert_uint_eq(world_tally("d").answered, 3);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_FORCED, "d"), 0);
        sim_end();
}
END_TEST

/* squid: the kid says it, and it is of the tree. */
START_TEST(a_kid_may_say_that_it_is_ready) {
        PROGRAM(.path = "/kid", .acts = ACTS(NOTIFY(SEC, "READY=1\n")));
        PROGRAM(.path = "/d", .acts = ACTS(FORK(MS, "/kid")));
        one_assert_ready("type = \"notify\";", SEC + MS);
}
END_TEST

/* What a second start by hand writes is none of the daemon's, dead or alive. */
START_TEST(a_second_start_by_hand_changes_nothing) {
        PROGRAM(.path = "/inner", .acts = ACTS(WRITE_PID(0, PIDFILE)),
                .reactions = REACTIONS(DEAF(SIGHUP)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/inner"), EXIT(10 * MS, 0)));
        PROGRAM(.path = "/second", .acts = ACTS(WRITE_PID(0, PIDFILE), EXIT(SEC, 1)));
        one_run("type = \"forking\"; pidfile = \"" PIDFILE "\"; reload: { signal = \"HUP\"; };",
                SEC);
        pid_t main = sim_main_pid("d");
        process_execute(process_add(1, "", world_find_program("/second")));
        sim_run_for(500 * MS);
        ck_assert_int_eq(sim_ask(REQUEST_RELOAD, "d"), 0);
        sim_run_for(2 * SEC);
        ck_assert_int_eq(sim_main_pid("d"), main);
        ck_assert_uint_eq(world_harmed(), 0);
        process_hear(process_find(main), SIGKILL);
        sim_run_for(SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_READY, "d"), 2);
        one_end();
}
END_TEST

int main(void) {
        Suite *suite = suite_create("sim_habits");
        TCase *found = tcase_create("found"), *habits = tcase_create("habits");

        tcase_add_test(found,
                       a_main_process_that_is_named_early_does_not_end_the_wait_for_the_first);
        tcase_add_test(found, who_was_named_early_is_the_main_process);
        suite_add_tcase(suite, found);
        tcase_add_test(habits, a_daemon_that_begins_anew_at_term_is_killed);
        tcase_add_test(habits, a_watchdog_is_ended_with_what_it_starts);
        tcase_add_test(habits, what_a_watchdog_leaves_is_in_nobodys_way);
        tcase_add_test(habits, sessions_are_processes_of_their_own);
        tcase_add_test(habits, a_kid_may_say_that_it_is_ready);
        tcase_add_test(habits, a_second_start_by_hand_changes_nothing);
        suite_add_tcase(suite, habits);
        return unit_main(suite);
}
