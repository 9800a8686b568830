/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Daemons that scripts start and stop. */

#include <signal.h>
#include <string.h>

#include "fake/script.h"
#include "sim/one.h"
#include "unit.h"

#define COMMAND "type = \"command\"; "

static const char *sim_main_path(void) {
        const FakeProcess *process = process_find(sim_main_pid("d"));

        return process ? process->program->path : "";
}

/* ---- start ---- */

START_TEST(a_command_leaves_a_daemon) {
        PROGRAM(.path = "/daemon");
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(SEC, "/daemon"), EXIT(2 * SEC, 0)));
        one_run(COMMAND, 3 * SEC);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_READY, "d"), 2 * SEC);
        ck_assert_str_eq(sim_main_path(), "/daemon");
        one_end();
}
END_TEST

START_TEST(its_pidfile_is_believed) {
        PROGRAM(.path = "/helper");
        PROGRAM(.path = "/daemon", .acts = ACTS(WRITE_PID(SEC, PIDFILE)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/helper"), FORK_SESSION(0, "/daemon"),
                                           EXIT(MS, 0)));
        one_run(COMMAND "pidfile = \"" PIDFILE "\";", 3 * SEC);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_READY, "d"), SEC);
        ck_assert_str_eq(sim_main_path(), "/daemon");
        one_end();
}
END_TEST

START_TEST(its_statuses_are_mapped) {
        static const FakeAct with_0[] = { FORK_SESSION(0, "/daemon"), EXIT(SEC, 0), { 0 } };
        static const FakeAct with_3[] = { FORK_SESSION(0, "/daemon"), EXIT(SEC, 3), { 0 } };

        PROGRAM(.path = "/daemon");
        PROGRAM(.path = "/d", .acts = with_3);
        one_assert_ready(COMMAND "start: { success = [ 0, 3 ]; };", SEC);
        PROGRAM(.path = "/daemon");
        PROGRAM(.path = "/d", .acts = with_3);
        one_assert_fails(COMMAND ONCE, SEC, "its command exited with status 3");
        PROGRAM(.path = "/daemon");
        PROGRAM(.path = "/d", .acts = with_0);
        one_assert_fails(COMMAND ONCE "start: { success = 3; };", SEC, "exited with status 0");
        PROGRAM(.path = "/daemon");
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/daemon"), DIE(SEC, SIGKILL)));
        one_assert_fails(COMMAND ONCE, SEC, "killed by SIGKILL");
}
END_TEST

START_TEST(its_last_words_are_in_the_reason) {
        PROGRAM(.path = "/d", .acts = ACTS(SAY(0, "1\n2\n3\n4\n"), SAY(0, "no \033cluster\n"),
                                           EXIT(SEC, 1)));
        one_assert_fails(COMMAND ONCE, SEC,
                         "exited with status 1; it wrote: 2 | 3 | 4 | no \\x1bcluster");
        PROGRAM(.path = "/d", .acts = ACTS(SAY(0, "\n\nwaiting for the disk")));
        one_assert_fails(COMMAND ONCE "ready: { timeout = \"2s\"; };", 2 * SEC,
                         "its command did not exit within 2s; it wrote: waiting for the disk");
}
END_TEST

START_TEST(success_without_a_daemon_is_a_failure) {
        PROGRAM(.path = "/d", .acts = ACTS(EXIT(SEC, 0)));
        one_assert_fails(COMMAND ONCE, SEC, "nothing of it is left");
}
END_TEST

/* ---- stop ---- */

#define STOP(more) "stop: { command = [ \"/stop\" ]; " more " };"

/* A daemon that ends at SIGUSR1, with what its stop command does. */
static void run_stop(const FakeAct *stop, const char *settings) {
        static const FakeAct ends[] = { EXIT(100 * MS, 0), { 0 } };
        static const FakeReaction reactions[] = { { SIGUSR1, ends }, DEAF(SIGTERM), { 0 } };

        PROGRAM(.path = "/d", .reactions = reactions);
        PROGRAM(.path = "/stop", .acts = stop);
        one_run(settings, SEC);
        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_int_eq(sim_code(), 0);
}

static void plan_signal(void *userdata, uint64_t pid) {
        FakeProcess *process = process_find((pid_t) pid);

        (void) userdata;
        if (process)
                process_hear(process, SIGUSR1);
}

START_TEST(the_stop_command_comes_first) {
        FakeAct stop[] = { EXIT(2 * SEC, 0), { 0 } };

        PROGRAM(.path = "/d", .reactions = REACTIONS(ON(SIGUSR1, EXIT(0, 0)), DEAF(SIGTERM)));
        PROGRAM(.path = "/stop", .acts = stop);
        one_run(STOP("signals = \"TERM 20s, KILL\";"), SEC);
        world_plan(world_now() + SEC, plan_signal, NULL,
                   (uint64_t) sim_main_pid("d"));
        fake_signal(SIGTERM);
        sim_run_to_exit();
        /* the daemon was gone after 1 s; its command was let finish, and no signal was sent */
        ck_assert_uint_eq(sim_now(), 3 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_HOOK_FAILED, "d"), 0);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_FORCED, "d"), 0);
        sim_end();
}
END_TEST

START_TEST(what_it_leaves_gets_the_signals) {
        run_stop(ACTS(EXIT(SEC, 0)), STOP("signals = \"TERM 2s, USR1 2s, KILL\";"));
        ck_assert_uint_eq(sim_now(), 4 * SEC + 100 * MS);
        ck_assert_uint_eq(sim_said(MESSAGE_HOOK_FAILED, "d"), 0);
        sim_end();
}
END_TEST

START_TEST(one_that_hangs_is_cut) {
        run_stop(NULL, STOP("command_timeout = \"3s\"; signals = \"USR1 2s, KILL\";"));
        ck_assert_uint_eq(sim_now(), 4 * SEC + 100 * MS);
        one_assert_said(MESSAGE_HOOK_FAILED, "stop.command does not end");
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_FORCED, "d"), 0);
        sim_end();
}
END_TEST

START_TEST(its_failure_is_passed_over) {
        run_stop(ACTS(EXIT(0, 4)), STOP("signals = \"USR1 2s, KILL\";"));
        one_assert_said(MESSAGE_HOOK_FAILED, "stop.command exited with status 4");
        sim_end();
        run_stop(ACTS(EXIT(0, 4)), STOP("success = [ 4 ]; signals = \"USR1 2s, KILL\";"));
        ck_assert_uint_eq(sim_said(MESSAGE_HOOK_FAILED, "d"), 0);
        sim_end();
        run_stop(NULL, "stop: { command = [ \"/missing\" ]; signals = \"USR1 2s, KILL\"; };");
        one_assert_said(MESSAGE_HOOK_FAILED, "could not be started");
        ck_assert_uint_eq(sim_now(), SEC + 100 * MS);
        sim_end();
}
END_TEST

START_TEST(after_a_crash_nobody_is_told) {
        PROGRAM(.path = "/worker", .reactions = REACTIONS(DEAF(SIGTERM)));
        PROGRAM(.path = "/stop");
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/worker"), DIE(10 * SEC, SIGSEGV)));
        one_run(STOP("signals = \"TERM 1s, KILL\";"), 12 * SEC);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_READY, "d"), 11 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_HOOK_FAILED, "d"), 0);
        one_end();
}
END_TEST

START_TEST(the_deadline_of_cleanup_cuts_it) {
        run_stop(NULL, STOP("command_timeout = \"1min\"; ") "cleanup: { timeout = \"2s\"; };");
        ck_assert_uint_eq(sim_now(), 3 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_FORCED, "d"), 1);
        sim_end();
}
END_TEST

/* ---- oneshot ---- */

#define ONESHOT "type = \"oneshot\"; "

START_TEST(a_oneshot_is_done_and_counts_as_up) {
        PROGRAM(.path = "/d", .acts = ACTS(EXIT(2 * SEC, 0)));
        PROGRAM(.path = "/e");
        sim_begin(0, "d: { command = [ \"/d\" ]; " ONESHOT " };"
                     "e: { command = [ \"/e\" ]; requires = [ \"d\" ]; };");
        sim_start();
        sim_run_until(100 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_DONE);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_READY, "d"), 2 * SEC);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_READY, "e"), 2 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 1);
        ck_assert_uint_eq(fake_timer_count(sim_loop()), 0);
        /* its stop takes those along that require it, and a start brings it back */
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_STOPPED);
        ck_assert_int_eq(sim_state("e"), STATE_STOPPED);
        ck_assert_int_eq(sim_ask(REQUEST_START, "d"), 0);
        sim_run_for(3 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_DONE);
        ck_assert_int_eq(sim_ask(REQUEST_RESTART, "d"), 0);
        sim_run_for(3 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 3);
        one_end();
}
END_TEST

START_TEST(a_stop_undoes_it) {
        PROGRAM(.path = "/d", .acts = ACTS(EXIT(SEC, 0)));
        PROGRAM(.path = "/stop", .acts = ACTS(WRITE(SEC, "/undone", ""), EXIT(SEC, 0)));
        one_run(ONESHOT "stop: { command = [ \"/stop\" ]; };", 10 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_DONE);
        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_uint_eq(sim_now(), 11 * SEC);
        ck_assert(world_exists("/undone"));
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_FORCED, "d"), 0);
        sim_end();
}
END_TEST

START_TEST(what_a_oneshot_leaves_is_ended) {
        PROGRAM(.path = "/job");
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/job"), EXIT(SEC, 0)));
        one_run(ONESHOT, 10 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_DONE);
        ck_assert_uint_eq(sim_population("d"), 0);
        ck_assert_uint_eq(sim_said(MESSAGE_LEFTOVERS, "d"), 1);
        one_end();
}
END_TEST

START_TEST(a_oneshot_that_fails_is_run_again) {
        static const FakeAct fails[] = { SAY(0, "no rules\n"), EXIT(SEC, 3), { 0 } };

        PROGRAM(.path = "/d", .acts = fails);
        one_assert_fails(ONESHOT ONCE, SEC, "its command exited with status 3; it wrote: no rules");
        PROGRAM(.path = "/d", .acts = fails);
        one_run(ONESHOT "restart: { policy = \"on-failure\"; limit = 2; };", 100 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 3);
        ck_assert_int_eq(sim_state("d"), STATE_FAILED);
        one_end();
        PROGRAM(.path = "/d", .acts = fails);
        one_run(ONESHOT "start: { success = [ 3 ]; };", 10 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_DONE);
        one_end();
        PROGRAM(.path = "/d");
        one_assert_fails(ONESHOT ONCE "ready: { timeout = \"2s\"; };", 2 * SEC,
                         "its command did not exit within 2s");
}
END_TEST

/* ---- auto ---- */

#define AUTO "type = \"auto\"; "

START_TEST(auto_finds_out_that_it_stays) {
        /* nothing shows it ready but that it lives on; a socket; a word */
        PROGRAM(.path = "/d");
        one_assert_ready(AUTO, SEC);
        PROGRAM(.path = "/d", .acts = ACTS(LISTEN(30 * MS, 80)));
        one_assert_ready(AUTO, 35 * MS);
        PROGRAM(.path = "/d", .acts = ACTS(NOTIFY(200 * MS, "READY=1\n")));
        one_assert_ready(AUTO, 200 * MS);
        PROGRAM(.path = "/d");
        one_assert_ready(AUTO "ready: { timeout = \"600ms\"; };", 300 * MS);
}
END_TEST

START_TEST(auto_finds_out_that_it_forks) {
        PROGRAM(.path = "/worker");
        PROGRAM(.path = "/daemon", .acts = ACTS(FORK(0, "/worker"), FORK(0, "/worker")));
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/daemon"), EXIT(400 * MS, 0)));
        one_run(AUTO, 10 * SEC);
        ck_assert_str_eq(sim_main_path(), "/daemon");
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_READY, "d"), 1400 * MS);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_EXITED, "d"), 0);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 1);
        one_end();

        /* a slow script, after it was taken for a daemon that stays */
        PROGRAM(.path = "/worker");
        PROGRAM(.path = "/daemon", .acts = ACTS(FORK(0, "/worker")));
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/daemon"), EXIT(3 * SEC, 0)));
        one_run(AUTO, 10 * SEC);
        ck_assert_str_eq(sim_main_path(), "/daemon");
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_READY, "d"), SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 1);
        one_end();
}
END_TEST

START_TEST(auto_believes_the_pidfile) {
        PROGRAM(.path = "/helper");
        PROGRAM(.path = "/daemon", .acts = ACTS(WRITE_PID(5 * SEC, PIDFILE)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/helper"), FORK_SESSION(0, "/daemon"),
                                           EXIT(MS, 0)));
        one_run(AUTO "pidfile = \"" PIDFILE "\";", 10 * SEC);
        ck_assert_str_eq(sim_main_path(), "/daemon");
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        one_end();
}
END_TEST

/* It was taken for the end of the daemon: the one that was found had ended before it was held. */
START_TEST(auto_looks_again_in_the_middle_of_a_double_fork) {
        PROGRAM(.path = "/daemon");
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/daemon"), EXIT(400 * MS, 0)));
        one_begin(AUTO);
        sim_start();
        sim_run_until(300 * MS);
        fake_fail(DOOR_PIDREF_OPEN, ESRCH, 1, 1);
        sim_run_until(10 * SEC);
        ck_assert_str_eq(sim_main_path(), "/daemon");
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 1);
        one_end();
}
END_TEST

START_TEST(auto_is_not_deceived) {
        /* exit 0, and then death: not ready */
        PROGRAM(.path = "/daemon", .acts = ACTS(EXIT(500 * MS, 1)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/daemon"), EXIT(10 * MS, 0)));
        one_assert_fails(AUTO ONCE, 500 * MS, "exited with status 1 before it was ready");
        PROGRAM(.path = "/d", .acts = ACTS(EXIT(10 * MS, 0)));
        one_assert_fails(AUTO ONCE, 10 * MS, "exited with status 0 before it was ready");
        PROGRAM(.path = "/daemon");
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/daemon"), EXIT(10 * MS, 1)));
        one_assert_fails(AUTO ONCE, 10 * MS, "exited with status 1 before it was ready");

        /* long after its start an exit is an end, whatever it leaves */
        PROGRAM(.path = "/job");
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(50 * SEC, "/job"), EXIT(60 * SEC, 0)));
        one_run(AUTO, 65 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_EXITED, "d"), 1);
        one_end();
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sim_types");
        TCase *start = tcase_create("start");
        TCase *stop = tcase_create("stop");
        TCase *oneshot = tcase_create("oneshot");
        TCase *automatic = tcase_create("auto");

        tcase_add_test(start, a_command_leaves_a_daemon);
        tcase_add_test(start, its_pidfile_is_believed);
        tcase_add_test(start, its_statuses_are_mapped);
        tcase_add_test(start, its_last_words_are_in_the_reason);
        tcase_add_test(start, success_without_a_daemon_is_a_failure);
        suite_add_tcase(suite, start);

        tcase_add_test(stop, the_stop_command_comes_first);
        tcase_add_test(stop, what_it_leaves_gets_the_signals);
        tcase_add_test(stop, one_that_hangs_is_cut);
        tcase_add_test(stop, its_failure_is_passed_over);
        tcase_add_test(stop, after_a_crash_nobody_is_told);
        tcase_add_test(stop, the_deadline_of_cleanup_cuts_it);
        suite_add_tcase(suite, stop);

        tcase_add_test(oneshot, a_oneshot_is_done_and_counts_as_up);
        tcase_add_test(oneshot, a_stop_undoes_it);
        tcase_add_test(oneshot, what_a_oneshot_leaves_is_ended);
        tcase_add_test(oneshot, a_oneshot_that_fails_is_run_again);
        suite_add_tcase(suite, oneshot);

        tcase_add_test(automatic, auto_finds_out_that_it_stays);
        tcase_add_test(automatic, auto_finds_out_that_it_forks);
        tcase_add_test(automatic, auto_believes_the_pidfile);
        tcase_add_test(automatic, auto_looks_again_in_the_middle_of_a_double_fork);
        tcase_add_test(automatic, auto_is_not_deceived);
        suite_add_tcase(suite, automatic);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
