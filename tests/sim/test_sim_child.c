/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One daemon: how it comes up, how it fails to, and how it is kept up. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "fake/script.h"
#include "sim/one.h"
#include "unit.h"

/* ---- in the foreground ---- */

START_TEST(simple_is_ready_when_executed) {
        PROGRAM(.path = "/d", .exec_time = 2 * MS);
        one_assert_ready("", 2 * MS);
}
END_TEST

START_TEST(a_file_shows_readiness) {
        PROGRAM(.path = "/d", .acts = ACTS(WRITE(SEC, "/run/up", "")));
        one_assert_ready("ready: { on = \"file\"; path = \"/run/up\"; };", SEC);
}
END_TEST

START_TEST(a_socket_shows_readiness) {
        static const char *const ready[] = {
                "ready: { on = \"listen\"; };",
                "ready: { on = \"listen\"; port = 80; };",
                "ready: { on = \"tcp\"; address = \"127.0.0.1:80\"; };",
                "ready: { on = \"unix\"; path = \"/run/s\"; };",
        };

        for (size_t i = 0; i < ELEMENTSOF(ready); i++) {
                PROGRAM(.path = "/d", .acts = ACTS(LISTEN(SEC, 80), LISTEN_UNIX(SEC, "/run/s")));
                one_run(ready[i], SEC - 1);
                ck_assert_int_eq(sim_state("d"), STATE_PROBING);
                sim_run_for(201 * MS);
                ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
                sim_run_for(SEC);
                ck_assert_uint_eq(fake_timer_count(sim_loop()), 0);
                one_end();
        }
}
END_TEST

START_TEST(another_port_shows_nothing) {
        PROGRAM(.path = "/d", .acts = ACTS(LISTEN(SEC, 81)));
        one_assert_fails("ready: { on = \"listen\"; port = 80; timeout = \"3s\"; };" ONCE, 3 * SEC,
                         "not ready within 3s");
}
END_TEST

START_TEST(notify_is_ready_when_it_says_so) {
        PROGRAM(.path = "/d",
                .acts = ACTS(NOTIFY(SEC, "STATUS=soon\n"), NOTIFY(2 * SEC, "READY=1\n")));
        one_assert_ready("type = \"notify\";", 2 * SEC);
}
END_TEST

START_TEST(notify_may_be_ready_before_its_exec_is_known) {
        PROGRAM(.path = "/d", .acts = ACTS(NOTIFY(0, "READY=1\n")));
        one_assert_ready("type = \"notify\";", 0);
}
END_TEST

START_TEST(strangers_are_not_heard) {
        PROGRAM(.path = "/d", .acts = ACTS(NOTIFY(5 * SEC, "READY=1\n")));
        one_run("type = \"notify\";", SEC);
        FakeProcess *stranger = process_add(1, "", NULL);
        for (int i = 0; i < 5; i++)
                fake_datagram(SIM_RUNTIME "/notify/d", stranger->pid, "READY=1\nMAINPID=1\n");
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_PROBING);
        ck_assert_uint_eq(sim_said(MESSAGE_NOTIFY_REFUSED, "d"), 3); /* at 1, 2, 4 */
        sim_run_for(4 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        one_end();
}
END_TEST

START_TEST(a_named_main_process_is_followed) {
        PROGRAM(.path = "/worker");
        PROGRAM(.path = "/d", .acts = ACTS(FORK(0, "/worker"), NOTIFY_CHILD(SEC),
                                           NOTIFY(SEC, "READY=1\n"), EXIT(2 * SEC, 0)));
        one_run("type = \"notify\";", 3 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_str_eq(process_find(sim_main_pid("d"))->program->path, "/worker");
        ck_assert_uint_eq(sim_population("d"), 1);
        process_signal(process_find(sim_main_pid("d")), SIGKILL);
        sim_run_for(MS);
        one_assert_said(MESSAGE_DAEMON_EXITED, "killed by SIGKILL");
        one_end();
}
END_TEST

/* However late it is heard. */
START_TEST(a_main_process_may_be_named_by_its_last_words) {
        PROGRAM(.path = "/worker");
        PROGRAM(.path = "/d", .acts = ACTS(FORK(0, "/worker"), NOTIFY_CHILD(SEC),
                                           NOTIFY(SEC, "READY=1\n"), EXIT(SEC, 0)));
        one_run(_i == 0 ? "type = \"notify\";" : "type = \"forking\"; ready: { on = \"notify\"; };",
                SEC + MS);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_str_eq(process_find(sim_main_pid("d"))->program->path, "/worker");
        ck_assert_uint_eq(sim_said(MESSAGE_NOTIFY_REFUSED, "d"), 0);
        one_end();
}
END_TEST

START_TEST(a_foreign_main_process_is_refused) {
        FakeProcess *stranger;
        char text[32];

        PROGRAM(.path = "/d");
        one_run("type = \"notify\";", SEC);
        stranger = process_add(1, "", NULL);
        snprintf(text, sizeof(text), "MAINPID=%d\n", stranger->pid);
        pid_t pid = sim_main_pid("d");
        fake_datagram(SIM_RUNTIME "/notify/d", pid, text);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_main_pid("d"), pid);
        one_assert_said(MESSAGE_NOTIFY_REFUSED, "none of its own");
        one_end();
}
END_TEST

/* ---- in the background ---- */

#define FORKING "type = \"forking\"; pidfile = \"" PIDFILE "\";"

START_TEST(a_pidfile_names_the_main_process) {
        /* by the daemon after or before its parent ends, by the parent, late after lies */
        const FakeAct *const parents[] = {
                ACTS(FORK_SESSION(0, "/after"), EXIT(MS, 0)),
                ACTS(FORK_SESSION(0, "/before"), EXIT(SEC, 0)),
                ACTS(FORK_SESSION(0, "/silent"), WRITE_CHILD(SEC, PIDFILE), EXIT(SEC, 0)),
                ACTS(FORK_SESSION(0, "/slow"), EXIT(MS, 0)),
        };
        const char *const names[] = { "/after", "/before", "/silent", "/slow" };
        const usec_t ready[] = { SEC, SEC, SEC, 2 * SEC };

        for (size_t i = 0; i < ELEMENTSOF(parents); i++) {
                PROGRAM(.path = "/after", .acts = ACTS(WRITE_PID(SEC, PIDFILE)));
                PROGRAM(.path = "/before", .acts = ACTS(WRITE_PID(500 * MS, PIDFILE)));
                PROGRAM(.path = "/silent");
                PROGRAM(.path = "/slow",
                        .acts = ACTS(WRITE(SEC, PIDFILE, ""), WRITE(SEC, PIDFILE, "12 13\n"),
                                     WRITE_PID(2 * SEC, PIDFILE)));
                PROGRAM(.path = "/d", .acts = parents[i]);
                one_run(FORKING, 5 * SEC);
                ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_READY, "d"), ready[i]);
                ck_assert_str_eq(process_find(sim_main_pid("d"))->program->path, names[i]);
                ck_assert_uint_eq(fake_timer_count(sim_loop()), 0);
                one_stop();
                ck_assert(!world_exists(PIDFILE));
                sim_end();
        }
}
END_TEST

START_TEST(a_lying_pidfile_is_refused) {
        static const struct {
                FakeAct lie;
                const char *reason;
        } lies[] = {
                { WRITE(0, PIDFILE, ""), "empty" },
                { WRITE(0, PIDFILE, "x\n"), "garbage" },
                { WRITE(0, PIDFILE, "1\n"), "forbidden" },
                { WRITE_LINK(0, PIDFILE), "link" },
                { WRITE(0, PIDFILE, "100\n"), "none of this daemon's" },
                { REMOVE(0, PIDFILE), "missing" },
        };

        for (size_t i = 0; i < ELEMENTSOF(lies); i++) {
                PROGRAM(.path = "/daemon", .acts = ACTS(lies[i].lie));
                PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/daemon"), EXIT(0, 0)));
                one_begin(FORKING "ready: { timeout = \"3s\"; };" ONCE);
                ck_assert_int_eq(process_add(1, "", NULL)->pid, 100);
                sim_start();
                sim_run_until(10 * SEC);
                ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_START_FAILED, "d"), 3 * SEC);
                one_assert_said(MESSAGE_DAEMON_START_FAILED, lies[i].reason);
                ck_assert_uint_eq(sim_population("d"), 0);
                one_end();
        }
}
END_TEST

START_TEST(the_pidfile_of_an_earlier_run_is_removed_first) {
        PROGRAM(.path = "/daemon");
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/daemon"), EXIT(0, 0)));
        one_begin(FORKING "ready: { timeout = \"3s\"; };" ONCE);
        world_write(PIDFILE, "101\n"); /* just the number that /daemon will get */
        sim_start();
        sim_run_until(SEC);
        ck_assert(process_is_alive(process_find(101)));
        ck_assert_int_eq(sim_state("d"), STATE_STARTING);
        ck_assert(!world_exists(PIDFILE));
        one_end();
}
END_TEST

START_TEST(without_a_pidfile_the_one_that_stays_is_followed) {
        PROGRAM(.path = "/daemon", .acts = ACTS(FORK(0, "/worker")));
        PROGRAM(.path = "/worker");
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/daemon"), EXIT(SEC, 0)));
        one_run("type = \"forking\";", 2 * SEC);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_READY, "d"), SEC);
        ck_assert_str_eq(process_find(sim_main_pid("d"))->program->path, "/daemon");
        one_end();
}
END_TEST

START_TEST(the_middle_of_a_double_fork_is_not_taken_for_the_daemon) {
        PROGRAM(.path = "/daemon");
        PROGRAM(.path = "/middle", .acts = ACTS(FORK_SESSION(MS, "/daemon"), EXIT(2 * MS, 0)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK(0, "/middle"), EXIT(0, 0)));
        one_run("type = \"forking\";", 5 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_str_eq(process_find(sim_main_pid("d"))->program->path, "/daemon");
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_EXITED, "d"), 0);
        one_end();
}
END_TEST

START_TEST(exit_0_of_the_parent_is_not_success) {
        PROGRAM(.path = "/daemon", .acts = ACTS(EXIT(500 * MS, 1)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/daemon"), EXIT(MS, 0)));
        one_assert_fails(FORKING ONCE, 500 * MS, "nothing of it is left");

        PROGRAM(.path = "/d", .acts = ACTS(EXIT(MS, 0)));
        one_assert_fails("type = \"forking\";" ONCE, MS, "nothing of it is left");
}
END_TEST

/* ---- failures ---- */

START_TEST(what_goes_wrong_with_the_first_process_is_said) {
        PROGRAM(.path = "/d", .failing_step = SPAWN_STEP_EXEC, .error = EACCES);
        one_assert_fails(ONCE, 0, "Permission denied");

        PROGRAM(.path = "/d", .acts = ACTS(EXIT(SEC, 3)));
        one_assert_fails("type = \"notify\";" ONCE, SEC,
                         "exited with status 3 before it was ready");

        PROGRAM(.path = "/d", .acts = ACTS(EXIT(SEC, 2)));
        one_assert_fails("type = \"forking\";" ONCE, SEC, "exited with status 2");

        PROGRAM(.path = "/d", .acts = ACTS(DIE(SEC, SIGSEGV)));
        one_assert_fails("type = \"forking\";" ONCE, SEC, "killed by SIGSEGV");

        PROGRAM(.path = "/d");
        one_assert_fails("type = \"forking\"; ready: { timeout = \"2s\"; };" ONCE, 2 * SEC,
                         "did not exit within 2s");

        PROGRAM(.path = "/d");
        one_assert_fails("type = \"notify\"; ready: { timeout = \"2s\"; };" ONCE, 2 * SEC,
                         "not ready within 2s");

        PROGRAM(.path = "/d", .exec_time = 3 * SEC);
        one_assert_fails("type = \"notify\"; ready: { timeout = \"2s\"; };" ONCE, 2 * SEC,
                         "not executed within 2s");
}
END_TEST

START_TEST(a_door_that_fails_is_a_failed_start) {
        static const struct {
                FakeDoor door;
                const char *settings;
                const char *reason;
        } doors[] = {
                { DOOR_SPAWN, "", "Cannot allocate memory" },
                { DOOR_TREE_PREPARE, "", "cgroup cannot be made" },
                { DOOR_PIDREF_TAKE, "", "Cannot allocate memory" },
                { DOOR_LOOP_IO, "", "Cannot allocate memory" },
                { DOOR_JOURNAL, "", "Cannot allocate memory" },
                { DOOR_NOTIFY_SOCKET, "type = \"notify\";", "notify socket" },
                { DOOR_PATHWATCH, "ready: { on = \"file\"; path = \"/x\"; };",
                  "cannot be looked for" },
                { DOOR_SOCKET_LISTENS, "ready: { on = \"listen\"; };", "cannot be looked for" },
                { DOOR_SOCKET_CONNECT, "ready: { on = \"unix\"; path = \"/x\"; };",
                  "cannot be looked for" },
        };
        char settings[256];

        for (size_t i = 0; i < ELEMENTSOF(doors); i++) {
                PROGRAM(.path = "/d", .exec_time = MS);
                snprintf(settings, sizeof(settings), "%s %s", doors[i].settings, ONCE);
                one_begin(settings);
                watch_allow_failures();
                fake_fail(doors[i].door, ENOMEM, 1, 1);
                sim_start();
                sim_run_until(30 * SEC);
                one_assert_said(MESSAGE_DAEMON_START_FAILED, doors[i].reason);
                ck_assert_int_eq(sim_state("d"), STATE_FAILED);
                ck_assert_uint_eq(sim_population("d"), 0);
                one_end();
        }
}
END_TEST

START_TEST(without_journald_it_starts_all_the_same) {
        PROGRAM(.path = "/d");
        one_begin("");
        fake_fail(DOOR_JOURNAL, ENOENT, 1, 1);
        sim_start();
        sim_run_until(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        one_end();
}
END_TEST

START_TEST(what_an_earlier_run_left_is_ended_first) {
        const FakeProgram deaf = { .path = "/old", .reactions = REACTIONS(DEAF(SIGTERM)) };

        PROGRAM(.path = "/d");
        one_begin("stop: { signals = \"TERM 3s, KILL\"; };");
        process_execute(process_add(1, "d", &deaf));
        process_execute(process_add(1, "d", NULL));
        sim_start();
        sim_run_until(3 * SEC - 1);
        ck_assert_uint_eq(sim_population("d"), 1);
        sim_run_until(4 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_LEFTOVERS, "d"), 1);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_READY, "d"), 3 * SEC + MS);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_START_FAILED, "d"), 0);
        /* nobody is told that the start is over before it had its chance */
        ck_assert_uint_eq(fake_notify_when(NOTIFY_READY) - (world_now() - sim_now()),
                          3 * SEC + MS);
        one_end();
}
END_TEST

/* ---- kept up ---- */

START_TEST(a_crash_is_followed_by_a_restart) {
        PROGRAM(.path = "/d", .acts = ACTS(DIE(10 * SEC, SIGSEGV)));
        one_run("restart: { delay = \"2s\"; };", 15 * SEC);
        one_assert_said(MESSAGE_DAEMON_EXITED, "killed by SIGSEGV");
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_READY, "d"), 2);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_READY, "d"), 10 * SEC); /* it had run long */
        one_end();
}
END_TEST

START_TEST(the_delay_doubles_and_the_limit_ends_it) {
        PROGRAM(.path = "/d", .acts = ACTS(EXIT(0, 1)));
        one_run("restart: { delay = \"1s\"; delay_max = \"5s\"; jitter = 0; limit = 5; };",
                100 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 6);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_STARTING, "d"), (1 + 2 + 4 + 5 + 5) * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_GIVEN_UP, "d"), 1);
        one_assert_said(MESSAGE_DAEMON_GIVEN_UP,
                        "given up: 5 restarts in 17 s, last: main process exited with status 1");
        ck_assert_ptr_nonnull(strstr(fake_notify_status(), "1 failed (d: 5 restarts in 17 s, "));
        ck_assert_int_eq(sim_state("d"), STATE_FAILED);
        one_end();
}
END_TEST

/* While it waits, too, it is to be seen how often that was. */
START_TEST(a_crash_loop_is_to_be_seen) {
        PROGRAM(.path = "/d", .acts = ACTS(EXIT(0, 3)));
        one_run("restart: { delay = \"5s\"; delay_max = \"5s\"; jitter = 0; };", 12 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_DELAYED);
        ck_assert_ptr_nonnull(strstr(child_reason(sim_child("d")), "exited with status 3"));
        ck_assert_ptr_nonnull(strstr(child_reason(sim_child("d")), "; restart 3 of 5"));
        one_assert_said(MESSAGE_DAEMON_RESTARTING, "starting again in 5.00 s, restart 3 of 5");
        one_end();
}
END_TEST

/* Not more than a few lines in a minute, whatever it does; and a run that lasted has its own. */
START_TEST(a_crash_loop_does_not_fill_the_journal) {
        PROGRAM(.path = "/d", .acts = ACTS(EXIT(0, 3)));
        log_set_priority(LOG_INFO);
        one_begin("restart: { delay = \"10ms\"; delay_max = \"10ms\"; limit = 0; };");
        log_set_priority(LOG_INFO);
        sim_start();
        sim_run_until(10 * 60 * SEC);
        ck_assert_uint_gt(world_births(), 10000);
        ck_assert_uint_le(sim_said(MESSAGE_DAEMON_STARTING, "d"), 8 + 10 + 1);
        ck_assert_uint_le(sim_said(MESSAGE_DAEMON_EXITED, "d") +
                                  sim_said(MESSAGE_DAEMON_START_FAILED, "d"),
                          8 + 10 + 1);
        ck_assert_uint_le(sim_said(MESSAGE_DAEMON_RESTARTING, "d"), 8 + 10 + 1);

        PROGRAM(.path = "/d", .acts = ACTS(EXIT(70 * SEC, 3)));
        unsigned said = sim_said(MESSAGE_DAEMON_EXITED, "d");
        sim_run_for(71 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_EXITED, "d"), said + 1);
        one_end();
}
END_TEST

START_TEST(a_window_counts_whatever_came_between) {
        PROGRAM(.path = "/d", .acts = ACTS(EXIT(10 * SEC, 1)));
        one_run("restart: { limit = 3; reset = \"5s\"; window = \"1min\"; };", 60 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_FAILED);
        one_assert_said(MESSAGE_DAEMON_GIVEN_UP, "given up: 3 restarts in 30 s, last: ");
        one_end();

        PROGRAM(.path = "/d", .acts = ACTS(EXIT(30 * SEC, 1)));
        one_run("restart: { limit = 3; reset = \"5s\"; window = \"1min\"; };", 600 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        one_end();
}
END_TEST

START_TEST(the_policy_decides_after_a_clean_end) {
        PROGRAM(.path = "/d", .acts = ACTS(EXIT(10 * SEC, 0)));
        one_run("restart: { policy = \"on-failure\"; };", 15 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_STOPPED);
        one_end();

        PROGRAM(.path = "/d", .acts = ACTS(EXIT(10 * SEC, 0)));
        one_run("restart: { policy = \"always\"; };", 15 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        one_end();

        PROGRAM(.path = "/d", .acts = ACTS(EXIT(10 * SEC, 1)));
        one_run("restart: { policy = \"never\"; };", 15 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_FAILED);
        one_end();
}
END_TEST

START_TEST(what_a_crash_leaves_is_swept_before_the_restart) {
        PROGRAM(.path = "/worker", .reactions = REACTIONS(DEAF(SIGTERM)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/worker"), DIE(10 * SEC, SIGABRT)));
        one_run("stop: { signals = \"TERM 3s, KILL\"; };", 12 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_SWEEPING);
        sim_run_until(14 * SEC);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_READY, "d"), 13 * SEC);
        ck_assert_uint_eq(sim_population("d"), 2);
        one_end();
}
END_TEST

START_TEST(by_descent_it_works_the_same) {
        PROGRAM(.path = "/worker");
        PROGRAM(.path = "/daemon",
                .acts = ACTS(FORK(0, "/worker"), WRITE_PID(SEC, PIDFILE), DIE(5 * SEC, SIGABRT)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/daemon"), EXIT(MS, 0)));
        one_begin_with("cgroups = false;", FORKING);
        sim_start();
        sim_run_until(8 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_TRACKING_LIMITED, NULL), 1);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_READY, "d"), 2);
        ck_assert_uint_eq(sim_population("d"), 2);
        one_end();
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sim_child");
        TCase *starts = tcase_create("starts");
        TCase *failures = tcase_create("failures");

        tcase_add_test(starts, simple_is_ready_when_executed);
        tcase_add_test(starts, a_file_shows_readiness);
        tcase_add_test(starts, a_socket_shows_readiness);
        tcase_add_test(starts, another_port_shows_nothing);
        tcase_add_test(starts, notify_is_ready_when_it_says_so);
        tcase_add_test(starts, notify_may_be_ready_before_its_exec_is_known);
        tcase_add_test(starts, strangers_are_not_heard);
        tcase_add_test(starts, a_named_main_process_is_followed);
        tcase_add_loop_test(starts, a_main_process_may_be_named_by_its_last_words, 0, 2);
        tcase_add_test(starts, a_foreign_main_process_is_refused);
        tcase_add_test(starts, a_pidfile_names_the_main_process);
        tcase_add_test(starts, a_lying_pidfile_is_refused);
        tcase_add_test(starts, the_pidfile_of_an_earlier_run_is_removed_first);
        tcase_add_test(starts, without_a_pidfile_the_one_that_stays_is_followed);
        tcase_add_test(starts, the_middle_of_a_double_fork_is_not_taken_for_the_daemon);
        tcase_add_test(starts, exit_0_of_the_parent_is_not_success);
        suite_add_tcase(suite, starts);

        tcase_add_test(failures, what_goes_wrong_with_the_first_process_is_said);
        tcase_add_test(failures, a_door_that_fails_is_a_failed_start);
        tcase_add_test(failures, without_journald_it_starts_all_the_same);
        tcase_add_test(failures, what_an_earlier_run_left_is_ended_first);
        tcase_add_test(failures, a_crash_is_followed_by_a_restart);
        tcase_add_test(failures, the_delay_doubles_and_the_limit_ends_it);
        tcase_add_test(failures, a_crash_loop_is_to_be_seen);
        tcase_add_test(failures, a_crash_loop_does_not_fill_the_journal);
        tcase_add_test(failures, a_window_counts_whatever_came_between);
        tcase_add_test(failures, the_policy_decides_after_a_clean_end);
        tcase_add_test(failures, what_a_crash_leaves_is_swept_before_the_restart);
        tcase_add_test(failures, by_descent_it_works_the_same);
        suite_add_tcase(suite, failures);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
