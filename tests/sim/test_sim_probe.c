/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Probes of one daemon: commands that tell whether it is ready, good ones and ill-bred ones. */

#include <string.h>

#include "fake/script.h"
#include "sim/one.h"
#include "unit.h"

#define PROBES "d.probe.helper" /* the tree of its probes */

static void assert_no_probe_is_left(void) {
        ck_assert_uint_eq(world_population(PROBES), 0);
        ck_assert_uint_eq(world_doubled(), 0);
}

/* ---- readiness ---- */

#define READY "ready: { command = [ \"/p\" ]; interval = \"500ms\"; command_timeout = \"2s\"; "

START_TEST(a_command_shows_readiness) {
        PROGRAM(.path = "/d");
        PROGRAM(.path = "/p", .acts = ACTS(EXIT(100 * MS, 1)));
        one_run(READY "};", 1600 * MS);
        ck_assert_int_eq(sim_state("d"), STATE_PROBING);
        PROGRAM(.path = "/p", .acts = ACTS(EXIT(100 * MS, 0))); /* the fourth run */
        sim_run_until(2 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 1);
        sim_run_for(10 * SEC);
        ck_assert_uint_eq(fake_timer_count(sim_loop()), 0);
        assert_no_probe_is_left();
        one_end();
}
END_TEST

START_TEST(a_command_that_never_succeeds_shows_nothing) {
        PROGRAM(.path = "/d");
        PROGRAM(.path = "/p", .acts = ACTS(SAY(0, "no db\n"), EXIT(0, 3)));
        one_assert_fails(READY "timeout = \"3s\"; };" ONCE, 3 * SEC,
                         "not ready within 3s (ready.on = \"command\"); /p exited with status 3: "
                         "no db");
}
END_TEST

START_TEST(a_command_that_hangs_is_killed_each_time) {
        PROGRAM(.path = "/d");
        PROGRAM(.path = "/p", .reactions = REACTIONS(DEAF(SIGTERM)));
        one_run(READY "timeout = \"9s\"; };" ONCE, 8 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_PROBING);
        ck_assert_uint_le(world_population(PROBES), 1);
        sim_run_until(10 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_FAILED);
        one_assert_said(MESSAGE_DAEMON_GIVEN_UP, "did not end within 2s and was killed");
        assert_no_probe_is_left();
        one_end();
}
END_TEST

/* What a command leaves behind is killed before the next one runs, by both ways of tracking. */
START_TEST(what_a_command_starts_is_killed_with_it) {
        PROGRAM(.path = "/d");
        PROGRAM(.path = "/stays", .reactions = REACTIONS(DEAF(SIGTERM)));
        PROGRAM(.path = "/p", .acts = ACTS(FORK_SESSION(0, "/stays"), FORK(0, "/stays"),
                                           EXIT(100 * MS, 1)));
        one_begin_with(_i == 0 ? "" : "cgroups = false;", READY "};");
        sim_start();
        for (usec_t when = 0; when < 10 * SEC; when += 10 * MS) {
                sim_run_until(when);
                ck_assert_uint_le(world_population(PROBES), 3);
        }
        PROGRAM(.path = "/p", .acts = ACTS(EXIT(100 * MS, 0)));
        sim_run_for(5 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        assert_no_probe_is_left();
        one_end();
}
END_TEST

START_TEST(a_command_that_cannot_be_started_shows_nothing) {
        PROGRAM(.path = "/d");
        PROGRAM(.path = "/p", .failing_step = SPAWN_STEP_EXEC, .error = 13);
        one_assert_fails(READY "timeout = \"3s\"; };" ONCE, 3 * SEC,
                         "could not be started: exec failed");
}
END_TEST

START_TEST(a_stop_does_not_wait_for_a_command) {
        PROGRAM(.path = "/d");
        PROGRAM(.path = "/p");
        one_run(READY "};", SEC);
        ck_assert_uint_eq(world_population(PROBES), 1);
        one_stop();
        assert_no_probe_is_left();
        one_end();
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sim/probe");
        TCase *tcase = tcase_create("readiness");

        tcase_add_test(tcase, a_command_shows_readiness);
        tcase_add_test(tcase, a_command_that_never_succeeds_shows_nothing);
        tcase_add_test(tcase, a_command_that_hangs_is_killed_each_time);
        tcase_add_loop_test(tcase, what_a_command_starts_is_killed_with_it, 0, 2);
        tcase_add_test(tcase, a_command_that_cannot_be_started_shows_nothing);
        tcase_add_test(tcase, a_stop_does_not_wait_for_a_command);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
