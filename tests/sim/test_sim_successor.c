/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Daemons that change their main process while they work, and those that only seem to. */

#include <signal.h>
#include <string.h>

#include "fake/script.h"
#include "sim/one.h"
#include "unit.h"

#define RELOAD "reload: { signal = \"HUP\"; };"
#define NAMED  "pidfile = \"" PIDFILE "\";"

/* As sshd does it: at SIGHUP it starts anew in the background, and its first process exits. */
#define REEXECUTES(...)                                                                            \
        PROGRAM(.path = "/d", .acts = ACTS(__VA_ARGS__),                                           \
                .reactions = REACTIONS(ON(SIGHUP, FORK_SESSION(0, "/d"), EXIT(MS, 0))))

/* As nginx: at SIGUSR2 the next one comes beside it; SIGQUIT ends the old one. */
#define UPGRADES(...)                                                                              \
        PROGRAM(.path = "/d", .acts = ACTS(__VA_ARGS__),                                           \
                .reactions = REACTIONS(ON(SIGUSR2, FORK(0, "/d")), ON(SIGQUIT, EXIT(MS, 0))))

static void assert_followed(pid_t old) {
        char text[64];

        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_int_gt(sim_main_pid("d"), 0);
        ck_assert_int_ne(sim_main_pid("d"), old);
        snprintf(text, sizeof(text), "its main process is now %d, the successor of %d",
                 (int) sim_main_pid("d"), (int) old);
        one_assert_said(MESSAGE_MAIN_CHANGED, text);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_EXITED, "d"), 0);
}

static void assert_replaced(void) {
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_EXITED, "d"), 1);
        ck_assert_uint_eq(sim_said(MESSAGE_MAIN_CHANGED, "d"), 0);
}

START_TEST(a_reload_that_changes_the_pid_is_survived) {
        REEXECUTES({ 0 });
        one_run(RELOAD, SEC);
        pid_t old = sim_main_pid("d");
        ck_assert_int_eq(sim_ask(REQUEST_RELOAD, "d"), 0);
        sim_run_for(2 * SEC);
        assert_followed(old);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_RELOADED, "d"), 1);
        ck_assert_uint_eq(sim_population("d"), 1);
        one_end();
}
END_TEST

/* Until it is written nobody is there whom one could take for it. */
START_TEST(a_late_pidfile_is_waited_for) {
        PROGRAM(.path = "/first", .acts = ACTS(FORK_SESSION(20 * MS, "/d2"), EXIT(30 * MS, 0)));
        PROGRAM(.path = "/d2", .acts = ACTS(WRITE_PID(50 * MS, PIDFILE)),
                .reactions = REACTIONS(ON(SIGHUP, FORK_SESSION(0, "/first"), EXIT(MS, 0))));
        sim_begin(0, "d: { type = \"forking\"; command = [ \"/first\" ]; " NAMED RELOAD " };");
        sim_start();
        sim_run_until(SEC);
        pid_t old = sim_main_pid("d");
        ck_assert_int_eq(sim_ask(REQUEST_RELOAD, "d"), 0);
        sim_run_for(10 * MS);
        ck_assert_int_eq(sim_main_pid("d"), 0);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        sim_run_for(2 * SEC);
        assert_followed(old);
        ck_assert_uint_eq(fake_timer_count(sim_loop()), 0);
        one_end();
}
END_TEST

/* Sessions of the old one are of the same program, but were there before the reload. */
START_TEST(the_newest_one_is_taken_after_a_reload) {
        REEXECUTES({ 0 });
        one_run(RELOAD, SEC);
        pid_t old = sim_main_pid("d");
        FakeProcess *session = process_add(WORLD_SUPERVISOR, "d", world_find_program("/d"));
        sim_run_for(20 * MS); /* so that its time is another one */
        ck_assert_int_eq(sim_ask(REQUEST_RELOAD, "d"), 0);
        sim_run_for(2 * SEC);
        assert_followed(old);
        ck_assert_int_ne(sim_main_pid("d"), session->pid);
        one_end();
}
END_TEST

START_TEST(an_upgrade_is_followed) {
        UPGRADES({ 0 });
        one_run("", SEC);
        pid_t old = sim_main_pid("d");
        ck_assert(child_signal(sim_child("d"), SIGUSR2));
        sim_run_for(5 * SEC);
        ck_assert_int_eq(sim_main_pid("d"), old);
        ck_assert(child_signal(sim_child("d"), SIGQUIT));
        sim_run_for(SEC);
        assert_followed(old);
        one_end();
}
END_TEST

/* Whoever signals it by hand need not tell us. */
START_TEST(an_upgrade_behind_our_back_is_followed) {
        UPGRADES({ 0 });
        one_run("", SEC);
        pid_t old = sim_main_pid("d");
        process_hear(process_find(old), SIGUSR2);
        sim_run_for(60 * SEC);
        process_hear(process_find(old), SIGQUIT);
        sim_run_for(SEC);
        assert_followed(old);
        one_end();
}
END_TEST

START_TEST(a_main_process_that_it_names_is_followed) {
        PROGRAM(.path = "/next", .acts = ACTS(NOTIFY_MAIN(200 * MS)));
        PROGRAM(.path = "/d", .acts = ACTS(NOTIFY(0, "READY=1\n")),
                .reactions = REACTIONS(ON(SIGHUP, FORK_SESSION(0, "/next"), EXIT(MS, 0))));
        one_run("type = \"notify\";" RELOAD, SEC);
        pid_t old = sim_main_pid("d");
        ck_assert_int_eq(sim_ask(REQUEST_RELOAD, "d"), 0);
        sim_run_for(2 * SEC);
        assert_followed(old);
        one_end();
}
END_TEST

/* ---- those that are none ---- */

START_TEST(workers_are_no_successors) {
        PROGRAM(.path = "/worker");
        PROGRAM(.path = "/d", .acts = ACTS(FORK(MS, "/worker"), EXIT(2 * SEC, 0)));
        one_run("restart: { delay = \"5s\"; };", 3 * SEC);
        assert_replaced();
        one_end();
}
END_TEST

/* What was there before it was ready is part of it. */
START_TEST(old_processes_are_no_successors) {
        PROGRAM(.path = "/fork", .acts = ACTS(EXIT(60 * SEC, 0)));
        PROGRAM(.path = "/d", .acts = ACTS(LISTEN(SEC, 80), EXIT(2 * SEC, 0)));
        one_run("ready: { on = \"listen\"; }; restart: { delay = \"5s\"; };", 500 * MS);
        FakeProcess *twin = process_add(sim_main_pid("d"), "d", world_find_program("/d"));
        ck_assert_ptr_nonnull(twin);
        sim_run_until(4 * SEC);
        assert_replaced();
        one_end();
}
END_TEST

/*
 * A watchdog, which makes a new main process when the old one dies, is as old as that: it had begun
 * in the same tick of the clock (10 ms) in which that was ready.
 */
START_TEST(a_watchdog_is_no_successor) {
        PROGRAM(.path = "/first", .acts = ACTS(FORK_SESSION(MS, "/d"), EXIT(2 * MS, 0)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK(MS, "/main")));
        PROGRAM(.path = "/main", .acts = ACTS(WRITE_PID(MS, PIDFILE)));
        sim_begin(0, "d: { type = \"forking\"; command = [ \"/first\" ]; " NAMED
                     "restart: { delay = \"5s\"; }; };");
        sim_start();
        sim_run_until(SEC);
        pid_t old = sim_main_pid("d");
        pid_t watchdog = process_find(old)->ppid;
        process_find(watchdog)->program = world_find_program("/main");
        process_hear(process_find(old), SIGKILL);
        sim_run_for(100 * MS);
        ck_assert_int_eq(sim_main_pid("d"), 0);
        FakeProcess *next = process_add(watchdog, "d", world_find_program("/main"));
        process_execute(next);
        sim_run_for(100 * MS);
        ck_assert_int_eq(sim_main_pid("d"), next->pid);
        assert_followed(old);
        one_end();
}
END_TEST

START_TEST(of_two_candidates_none_is_taken) {
        PROGRAM(.path = "/d",
                .reactions = REACTIONS(ON(SIGUSR2, FORK(0, "/d"), FORK(0, "/d")),
                                       ON(SIGQUIT, EXIT(MS, 0))));
        one_run("restart: { delay = \"5s\"; };", SEC);
        process_hear(process_find(sim_main_pid("d")), SIGUSR2);
        sim_run_for(100 * MS);
        process_hear(process_find(sim_main_pid("d")), SIGQUIT);
        sim_run_for(SEC);
        assert_replaced();
        one_end();
}
END_TEST

START_TEST(a_crash_has_no_successor) {
        UPGRADES({ 0 });
        one_run("restart: { delay = \"5s\"; };", SEC);
        process_hear(process_find(sim_main_pid("d")), SIGUSR2);
        sim_run_for(SEC);
        process_hear(process_find(sim_main_pid("d")), SIGKILL);
        sim_run_for(SEC);
        assert_replaced();
        one_end();
}
END_TEST

/* Even if it was told something just now, and what it left is waited for otherwise. */
START_TEST(a_crash_after_a_reload_is_answered_at_once) {
        PROGRAM(.path = "/worker");
        PROGRAM(.path = "/d", .acts = ACTS(WRITE_PID(0, PIDFILE), FORK(MS, "/worker")),
                .reactions = REACTIONS(DEAF(SIGHUP)));
        one_run(NAMED RELOAD, SEC);
        ck_assert_int_eq(sim_ask(REQUEST_RELOAD, "d"), 0);
        sim_run_for(SEC);
        process_hear(process_find(sim_main_pid("d")), SIGKILL);
        sim_run_for(10 * MS);
        assert_replaced();
        one_end();
}
END_TEST

/* A pidfile that stays as it is ends the wait, and then it was an end like any other. */
START_TEST(nobody_is_waited_for_in_vain_for_long) {
        PROGRAM(.path = "/worker");
        PROGRAM(.path = "/d", .acts = ACTS(WRITE_PID(0, PIDFILE), FORK(MS, "/worker")),
                .reactions = REACTIONS(ON(SIGHUP, EXIT(0, 0))));
        one_run(NAMED RELOAD, SEC);
        ck_assert_int_eq(sim_ask(REQUEST_RELOAD, "d"), 0);
        sim_run_for(999 * MS);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_EXITED, "d"), 0);
        sim_run_for(10 * MS);
        assert_replaced();
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_RELOAD_FAILED, "d"), 1);
        one_assert_said(MESSAGE_DAEMON_RELOAD_FAILED, "it did not survive it");
        one_end();
}
END_TEST

START_TEST(a_stop_does_not_wait_for_a_successor) {
        PROGRAM(.path = "/worker");
        PROGRAM(.path = "/d", .acts = ACTS(WRITE_PID(0, PIDFILE), FORK(MS, "/worker")),
                .reactions = REACTIONS(ON(SIGHUP, EXIT(0, 0))));
        one_run(NAMED RELOAD "drain: { until = \"none\"; };", SEC);
        ck_assert_int_eq(sim_ask(REQUEST_RELOAD, "d"), 0);
        sim_run_for(100 * MS);
        one_stop();
        ck_assert_uint_lt(sim_said_when(MESSAGE_DAEMON_STOPPED, "d"), 1200 * MS);
        sim_end();
}
END_TEST

int main(void) {
        Suite *suite = suite_create("sim_successor");
        TCase *found = tcase_create("found"), *none = tcase_create("none");

        tcase_add_test(found, a_reload_that_changes_the_pid_is_survived);
        tcase_add_test(found, a_late_pidfile_is_waited_for);
        tcase_add_test(found, the_newest_one_is_taken_after_a_reload);
        tcase_add_test(found, an_upgrade_is_followed);
        tcase_add_test(found, an_upgrade_behind_our_back_is_followed);
        tcase_add_test(found, a_main_process_that_it_names_is_followed);
        suite_add_tcase(suite, found);
        tcase_add_test(none, workers_are_no_successors);
        tcase_add_test(none, old_processes_are_no_successors);
        tcase_add_test(none, a_watchdog_is_no_successor);
        tcase_add_test(none, of_two_candidates_none_is_taken);
        tcase_add_test(none, a_crash_has_no_successor);
        tcase_add_test(none, a_crash_after_a_reload_is_answered_at_once);
        tcase_add_test(none, nobody_is_waited_for_in_vain_for_long);
        tcase_add_test(none, a_stop_does_not_wait_for_a_successor);
        suite_add_tcase(suite, none);
        return unit_main(suite);
}
