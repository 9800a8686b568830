/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One daemon on its way down: freeze, drain and cleanup by each method, in time and too late. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "fake/script.h"
#include "sim/one.h"
#include "unit.h"

#define STOP (10 * SEC) /* when SIGTERM comes */

/* Runs to STOP, stops, and says how long that took. */
static usec_t stop_after(const char *supervisor, const char *settings) {
        one_begin_with(supervisor, settings);
        sim_start();
        sim_run_until(STOP);
        ck_assert_int_eq(sim_mode(), MODE_RUNNING);
        one_stop();
        return sim_now() - STOP;
}

static unsigned forced(void) {
        return (unsigned) sim_said_forced(MESSAGE_SUPERVISOR_STOPPED);
}

/* ---- freeze ---- */

START_TEST(a_freeze_signal_lets_work_finish) {
        PROGRAM(.path = "/d", .reactions = REACTIONS(ON(SIGUSR1, EXIT(3 * SEC, 0)),
                                                     ON(SIGTERM, DIE(0, SIGABRT))));
        ck_assert_uint_eq(stop_after("", "freeze: { signal = \"USR1\"; };"), 3 * SEC);
        ck_assert_uint_eq(forced(), 0);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_STOPPED, "d"), STOP + 3 * SEC);
        sim_end();
}
END_TEST

START_TEST(a_freeze_command_is_waited_for) {
        PROGRAM(.path = "/d");
        PROGRAM(.path = "/freeze", .acts = ACTS(EXIT(2 * SEC, 0)));
        ck_assert_uint_eq(stop_after("", "freeze: { command = [ \"/freeze\" ]; };"), 2 * SEC);
        ck_assert_uint_eq(forced(), 0);
        ck_assert_uint_eq(sim_ordered_when("d", EVENT_DRAIN), STOP + 2 * SEC);
        sim_end();
}
END_TEST

START_TEST(a_freeze_command_that_fails_is_reported_and_passed_over) {
        PROGRAM(.path = "/d");
        PROGRAM(.path = "/freeze", .acts = ACTS(EXIT(SEC, 1)));
        ck_assert_uint_eq(stop_after("", "freeze: { command = [ \"/freeze\" ]; };"), SEC);
        one_assert_said(MESSAGE_HOOK_FAILED, "freeze.command exited with status 1");
        one_assert_said(MESSAGE_DAEMON_FORCED, "intake stays open");
        ck_assert_uint_eq(forced(), 1);
        sim_end();

        PROGRAM(.path = "/d");
        ck_assert_uint_eq(stop_after("", "freeze: { command = [ \"/nowhere\" ]; };"), 0);
        one_assert_said(MESSAGE_HOOK_FAILED, "could not be started");
        sim_end();
}
END_TEST

START_TEST(a_freeze_command_that_hangs_meets_the_deadline) {
        static const struct {
                const char *supervisor, *settings;
                usec_t time;
        } cases[] = {
                { "", "", 5 * SEC },
                { "freeze_timeout = \"2s\";", "", 2 * SEC },
                { "freeze_timeout = \"2s\";", "timeout = \"1s\";", SEC },
                { "freeze_timeout = \"2s\";", "timeout = \"9s\";", 9 * SEC },
                { "freeze_timeout = \"0\";", "", 0 },
        };
        char settings[128];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                PROGRAM(.path = "/d");
                PROGRAM(.path = "/freeze", .reactions = REACTIONS(DEAF(SIGTERM)));
                snprintf(settings, sizeof(settings), "freeze: { command = [ \"/freeze\" ]; %s };",
                         cases[i].settings);
                ck_assert_uint_eq(stop_after(cases[i].supervisor, settings), cases[i].time);
                ck_assert_uint_eq(sim_ordered_when("d", EVENT_FREEZE_DEADLINE),
                                  STOP + cases[i].time);
                ck_assert_uint_eq(forced(), 1);
                ck_assert_ptr_nonnull(strstr(fake_notify_status(), "1 forced, 0 left behind"));
                ck_assert_uint_eq(world_population(NULL), 0); /* nor does the command live on */
                sim_end();
        }
}
END_TEST

START_TEST(freezing_at_its_deadline_is_not_too_late) {
        PROGRAM(.path = "/d");
        PROGRAM(.path = "/freeze", .acts = ACTS(EXIT(5 * SEC, 0)));
        ck_assert_uint_eq(stop_after("", "freeze: { command = [ \"/freeze\" ]; };"), 5 * SEC);
        ck_assert_uint_eq(forced(), 0);
        sim_end();
}
END_TEST

/* ---- drain ---- */

START_TEST(drain_by_exit_ends_with_the_last_process) {
        PROGRAM(.path = "/session", .acts = ACTS(EXIT(15 * SEC, 0)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/session")),
                .reactions = REACTIONS(ON(SIGUSR2, EXIT(0, 0))));
        ck_assert_uint_eq(stop_after("", "drain: { signal = \"USR2\"; };"), 5 * SEC);
        ck_assert_uint_eq(forced(), 0);
        sim_end();
}
END_TEST

START_TEST(drain_meets_its_deadline_to_the_tick) {
        PROGRAM(.path = "/d",
                .reactions = REACTIONS(ON(SIGUSR2, EXIT(SEC, 0)), ON(SIGTERM, EXIT(0, 0))));
        ck_assert_uint_eq(stop_after("drain_timeout = \"1s\";", "drain: { signal = \"USR2\"; };"),
                          SEC);
        ck_assert_uint_eq(forced(), 0);
        sim_end();

        PROGRAM(.path = "/d",
                .reactions = REACTIONS(ON(SIGUSR2, EXIT(SEC + 1, 0)), ON(SIGTERM, EXIT(0, 0))));
        ck_assert_uint_eq(stop_after("drain_timeout = \"1s\";", "drain: { signal = \"USR2\"; };"),
                          SEC);
        one_assert_said(MESSAGE_DAEMON_FORCED, "drain forced");
        ck_assert_uint_eq(forced(), 1);
        sim_end();
}
END_TEST

START_TEST(drain_by_jobs_waits_for_all_but_the_main_process) {
        PROGRAM(.path = "/job", .acts = ACTS(EXIT(11 * SEC, 0)));
        PROGRAM(.path = "/long", .acts = ACTS(FORK(0, "/job"), EXIT(14 * SEC, 0)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK(0, "/job"), FORK_SESSION(0, "/long")));
        ck_assert_uint_eq(stop_after("", "drain: { until = \"jobs\"; };"), 4 * SEC);
        ck_assert_uint_eq(sim_ordered_when("d", EVENT_CLEANUP), STOP + 4 * SEC);
        ck_assert_uint_eq(forced(), 0);
        sim_end();
}
END_TEST

START_TEST(jobs_that_cannot_be_waited_for_are_not_taken_for_finished) {
        static const FakeDoor doors[] = { DOOR_PIDREF_OPEN, DOOR_LOOP_IO };

        for (size_t i = 0; i < ELEMENTSOF(doors); i++) {
                PROGRAM(.path = "/job");
                PROGRAM(.path = "/d", .acts = ACTS(FORK(0, "/job")));
                one_run("drain: { until = \"jobs\"; };", STOP);
                watch_allow_failures();
                fake_fail(doors[i], EMFILE, 1, 1000);
                one_stop();
                one_assert_said(MESSAGE_DAEMON_FORCED, "drain given up");
                ck_assert_uint_eq(forced(), 1);
                sim_end();
        }
}
END_TEST

START_TEST(a_drain_command_is_asked_again) {
        PROGRAM(.path = "/d");
        PROGRAM(.path = "/drain", .acts = ACTS(EXIT(100 * MS, 1)));
        one_run("drain: { command = [ \"/drain\" ]; interval = \"1s\"; };", STOP);
        fake_signal(SIGTERM);
        sim_run_for(3 * SEC);
        ck_assert_uint_eq(fake_door_count(DOOR_SPAWN), 1 + 3); /* at 0, 1.1 and 2.2 s */
        PROGRAM(.path = "/drain", .acts = ACTS(EXIT(100 * MS, 0)));
        sim_run_to_exit();
        ck_assert_uint_eq(sim_now(), STOP + 3400 * MS);
        ck_assert_uint_eq(forced(), 0);
        sim_end();
}
END_TEST

START_TEST(a_drain_command_that_cannot_run_or_hangs_is_cut) {
        PROGRAM(.path = "/d");
        ck_assert_uint_eq(stop_after("", "drain: { command = [ \"/nowhere\" ]; };"), 0);
        one_assert_said(MESSAGE_DAEMON_FORCED, "drain given up");
        sim_end();

        PROGRAM(.path = "/d");
        PROGRAM(.path = "/drain");
        ck_assert_uint_eq(stop_after("", "drain: { command = [ \"/drain\" ]; };"), 20 * SEC);
        ck_assert_uint_eq(forced(), 1);
        ck_assert_uint_eq(world_population(NULL), 0);
        sim_end();
}
END_TEST

START_TEST(what_ends_by_itself_on_the_way_down_is_not_restarted) {
        PROGRAM(.path = "/d", .acts = ACTS(DIE(12 * SEC, SIGSEGV)));
        PROGRAM(.path = "/freeze", .acts = ACTS(EXIT(4 * SEC, 0)));
        ck_assert_uint_eq(stop_after("", "freeze: { command = [ \"/freeze\" ]; };"), 2 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 1);
        ck_assert_uint_eq(forced(), 0);
        sim_end();
}
END_TEST

/* ---- the stop schedule ---- */

START_TEST(each_step_has_its_time) {
        PROGRAM(.path = "/d", .reactions = REACTIONS(DEAF(SIGQUIT), DEAF(SIGTERM)));
        ck_assert_uint_eq(stop_after("", "stop: { signals = \"QUIT 2s, TERM 3s, KILL\"; };"),
                          5 * SEC);
        one_assert_said(MESSAGE_DAEMON_FORCED, "killing 1 process");
        ck_assert_uint_eq(forced(), 1);
        sim_end();

        PROGRAM(.path = "/d", .reactions = REACTIONS(DEAF(SIGQUIT), ON(SIGTERM, EXIT(SEC, 0))));
        ck_assert_uint_eq(stop_after("", "stop: { signals = \"QUIT 2s, TERM 3s, KILL\"; };"),
                          3 * SEC);
        ck_assert_uint_eq(forced(), 0);
        sim_end();

        PROGRAM(.path = "/d", .reactions = REACTIONS(DEAF(SIGTERM)));
        ck_assert_uint_eq(stop_after("", "stop: { signals = \"KILL\"; };"), 0);
        sim_end();
}
END_TEST

START_TEST(a_last_step_without_a_time_has_the_phase_s) {
        PROGRAM(.path = "/d", .reactions = REACTIONS(DEAF(SIGTERM)));
        ck_assert_uint_eq(stop_after("", "stop: { signals = \"TERM\"; };"), 10 * SEC);
        ck_assert_uint_eq(forced(), 1);
        sim_end();

        PROGRAM(.path = "/d", .reactions = REACTIONS(DEAF(SIGTERM)));
        ck_assert_uint_eq(
                stop_after("", "stop: { signals = \"TERM\"; }; cleanup: { timeout = \"3s\"; };"),
                3 * SEC);
        sim_end();
}
END_TEST

START_TEST(a_longer_schedule_is_not_cut_by_the_phase) {
        PROGRAM(.path = "/d", .reactions = REACTIONS(ON(SIGTERM, EXIT(25 * SEC, 0))));
        ck_assert_uint_eq(stop_after("", "stop: { signals = \"TERM 30s, KILL\"; };"), 25 * SEC);
        ck_assert_uint_eq(forced(), 0);
        sim_end();
}
END_TEST

START_TEST(stopped_means_that_all_of_the_tree_is_gone) {
        PROGRAM(.path = "/worker", .reactions = REACTIONS(DEAF(SIGTERM)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/worker")));
        ck_assert_uint_eq(stop_after("", "stop: { signals = \"TERM 4s, KILL\"; };"), 4 * SEC);
        ck_assert_uint_eq(world_population(NULL), 0);
        sim_end();
}
END_TEST

START_TEST(what_cannot_be_killed_is_left_and_named) {
        PROGRAM(.path = "/d", .acts = ACTS(BLOCK(0, 0)));
        ck_assert_uint_eq(stop_after("", "stop: { signals = \"TERM 1s, KILL\"; };"), 3 * SEC);
        one_assert_said(MESSAGE_DAEMON_STUCK, "1 process could not be killed, leaving it behind");
        ck_assert_uint_eq(sim_population("d"), 1);
        ck_assert_uint_eq(forced(), 1);
        sim_end();
}
END_TEST

START_TEST(what_could_not_be_killed_may_still_end) {
        PROGRAM(.path = "/worker", .acts = ACTS(BLOCK(0, 20 * SEC)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK(0, "/worker"), EXIT(10 * SEC, 1)));
        one_run("stop: { signals = \"TERM 1s, KILL\"; }; cleanup: { remove = [ \"/run/x\" ]; };",
                14 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_STUCK);
        world_write("/run/x", "");
        sim_run_until(21 * SEC);
        ck_assert_int_ne(sim_state("d"), STATE_STUCK);
        ck_assert(!world_exists("/run/x"));
        one_end();
}
END_TEST

START_TEST(failing_doors_do_not_hold_up_a_stop) {
        static const FakeDoor doors[] = {
                DOOR_PIDREF_SIGNAL, DOOR_TREE_SIGNAL, DOOR_TREE_WATCH,  DOOR_TREE_RELEASE,
                DOOR_TREE_BUSY,     DOOR_FILE_REMOVE, DOOR_PIDREF_OPEN, DOOR_LOOP_IO,
        };

        for (size_t i = 0; i < ELEMENTSOF(doors); i++) {
                PROGRAM(.path = "/worker");
                PROGRAM(.path = "/d", .acts = ACTS(FORK(0, "/worker")));
                one_run("drain: { until = \"jobs\"; }; cleanup: { remove = [ \"/run/x\" ]; };",
                        STOP);
                watch_allow_failures();
                fake_fail(doors[i], EIO, 1, 1000);
                one_stop();
                ck_assert_uint_le(sim_now(), STOP + 30 * SEC);
                ck_assert_uint_eq(world_population(NULL), 0);
                ck_assert_int_eq(sim_state("d"), STATE_STOPPED);
                sim_end();
        }
}
END_TEST

START_TEST(a_kill_that_fails_is_not_taken_for_an_end) {
        PROGRAM(.path = "/d", .reactions = REACTIONS(DEAF(SIGTERM)));
        one_run("stop: { signals = \"TERM 1s, KILL\"; };", STOP);
        watch_allow_failures();
        fake_fail(DOOR_TREE_KILL, EPERM, 1, 1000);
        one_stop();
        ck_assert_int_eq(sim_state("d"), STATE_STUCK);
        one_assert_said(MESSAGE_CLEANUP_FAILED, "Operation not permitted");
        sim_end();
}
END_TEST

/* ---- tidying up ---- */

#define TIDY "cleanup: { command = [ \"/tidy\" ]; remove = [ \"/run/a\", \"/run/b\" ]; };"

START_TEST(the_cleanup_command_and_the_files_come_last) {
        PROGRAM(.path = "/tidy", .acts = ACTS(WRITE(0, "/run/tidied", ""), EXIT(SEC, 0)));
        PROGRAM(.path = "/d", .acts = ACTS(WRITE(0, "/run/a", ""), WRITE(0, "/run/b", "")));
        ck_assert_uint_eq(stop_after("", TIDY), SEC);
        ck_assert(world_exists("/run/tidied"));
        ck_assert(!world_exists("/run/a") && !world_exists("/run/b"));
        sim_end();
}
END_TEST

START_TEST(a_cleanup_command_that_fails_or_hangs_is_passed_over) {
        PROGRAM(.path = "/d", .acts = ACTS(WRITE(0, "/run/a", "")));
        PROGRAM(.path = "/tidy", .acts = ACTS(EXIT(SEC, 1)));
        ck_assert_uint_eq(stop_after("", TIDY), SEC);
        one_assert_said(MESSAGE_HOOK_FAILED, "cleanup.command exited with status 1");
        ck_assert(!world_exists("/run/a"));
        sim_end();

        PROGRAM(.path = "/d", .acts = ACTS(WRITE(0, "/run/a", "")));
        PROGRAM(.path = "/tidy");
        ck_assert_uint_eq(stop_after("", TIDY), 10 * SEC);
        ck_assert(!world_exists("/run/a"));
        ck_assert_uint_eq(world_population(NULL), 0);
        sim_end();
}
END_TEST

/* ---- a stop during a start ---- */

START_TEST(a_start_is_broken_off) {
        static const char *const settings[] = {
                "",
                "type = \"notify\";",
                "type = \"forking\";",
                "type = \"forking\"; pidfile = \"" PIDFILE "\";",
        };

        for (size_t i = 0; i < ELEMENTSOF(settings); i++)
                for (usec_t when = 0; when < 5 * SEC; when += 500 * MS) {
                        PROGRAM(.path = "/daemon");
                        PROGRAM(.path = "/d", .exec_time = SEC,
                                .acts = ACTS(FORK_SESSION(SEC, "/daemon"), EXIT(2 * SEC, 0)));
                        one_run(settings[i], when);
                        one_stop();
                        /* nobody is deaf; what is left of the tree hears of it in mid-step */
                        ck_assert_uint_le(sim_now(), when + 2500 * MS);
                        ck_assert_uint_eq(world_population(NULL), 0);
                        ck_assert_uint_eq(forced(), 0);
                        sim_end();
                }
}
END_TEST

START_TEST(a_restart_that_is_due_is_called_off) {
        PROGRAM(.path = "/d", .acts = ACTS(EXIT(0, 1)));
        one_run("restart: { delay = \"5s\"; };", SEC);
        ck_assert_int_eq(sim_state("d"), STATE_DELAYED);
        one_stop();
        ck_assert_uint_eq(sim_now(), SEC);
        sim_end();
}
END_TEST

START_TEST(a_sweep_under_way_is_taken_over) {
        PROGRAM(.path = "/worker", .reactions = REACTIONS(DEAF(SIGTERM)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK(0, "/worker"), DIE(SEC, SIGSEGV)));
        one_run("stop: { signals = \"TERM 5s, KILL\"; };", 2 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_SWEEPING);
        one_stop();
        ck_assert_uint_eq(sim_now(), 6 * SEC); /* its schedule goes on as it is */
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 1);
        sim_end();
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sim_stop");
        TCase *work = tcase_create("freeze and drain");
        TCase *end = tcase_create("cleanup");

        tcase_add_test(work, a_freeze_signal_lets_work_finish);
        tcase_add_test(work, a_freeze_command_is_waited_for);
        tcase_add_test(work, a_freeze_command_that_fails_is_reported_and_passed_over);
        tcase_add_test(work, a_freeze_command_that_hangs_meets_the_deadline);
        tcase_add_test(work, freezing_at_its_deadline_is_not_too_late);
        tcase_add_test(work, drain_by_exit_ends_with_the_last_process);
        tcase_add_test(work, drain_meets_its_deadline_to_the_tick);
        tcase_add_test(work, drain_by_jobs_waits_for_all_but_the_main_process);
        tcase_add_test(work, jobs_that_cannot_be_waited_for_are_not_taken_for_finished);
        tcase_add_test(work, a_drain_command_is_asked_again);
        tcase_add_test(work, a_drain_command_that_cannot_run_or_hangs_is_cut);
        tcase_add_test(work, what_ends_by_itself_on_the_way_down_is_not_restarted);
        suite_add_tcase(suite, work);

        tcase_add_test(end, each_step_has_its_time);
        tcase_add_test(end, a_last_step_without_a_time_has_the_phase_s);
        tcase_add_test(end, a_longer_schedule_is_not_cut_by_the_phase);
        tcase_add_test(end, stopped_means_that_all_of_the_tree_is_gone);
        tcase_add_test(end, what_cannot_be_killed_is_left_and_named);
        tcase_add_test(end, what_could_not_be_killed_may_still_end);
        tcase_add_test(end, failing_doors_do_not_hold_up_a_stop);
        tcase_add_test(end, a_kill_that_fails_is_not_taken_for_an_end);
        tcase_add_test(end, the_cleanup_command_and_the_files_come_last);
        tcase_add_test(end, a_cleanup_command_that_fails_or_hangs_is_passed_over);
        tcase_add_test(end, a_start_is_broken_off);
        tcase_add_test(end, a_restart_that_is_due_is_called_off);
        tcase_add_test(end, a_sweep_under_way_is_taken_over);
        suite_add_tcase(suite, end);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
