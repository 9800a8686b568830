/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Probes: commands that tell whether a daemon is ready, good ones and ill-bred ones, and looks at
 * the health of those that run.
 */

#include <errno.h>
#include <signal.h>
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

/* Who is ready in time is, also if the next look would have come too late. */
START_TEST(the_deadline_looks_itself) {
        PROGRAM(.path = "/d", .acts = ACTS(LISTEN(3 * SEC - MS, 80)));
        one_assert_ready("ready: { on = \"listen\"; port = 80; timeout = \"3s\"; };", 3 * SEC);
        PROGRAM(.path = "/d", .acts = ACTS(LISTEN(3 * SEC + MS, 80)));
        one_assert_fails("ready: { on = \"listen\"; port = 80; timeout = \"3s\"; };" ONCE, 3 * SEC,
                         "not ready within 3s");
}
END_TEST

/* ---- readiness by a line ---- */

#define LINE "ready: { line = \"^ready (to|for) \"; timeout = \"3s\"; };"

START_TEST(a_line_shows_readiness) {
        PROGRAM(.path = "/d", .acts = ACTS(SAY(0, "not ready to serve\n"),
                                           SAY(500 * MS, "ready"), SAY(SEC, " to serve\n")));
        one_assert_ready(LINE, SEC);
}
END_TEST

/* What it said before anybody could know that it was executed is not lost. */
START_TEST(a_line_may_come_first) {
        PROGRAM(.path = "/stays");
        PROGRAM(.path = "/d", .acts = ACTS(SAY(0, "ready for you\n"), FORK_SESSION(0, "/stays"),
                                           EXIT(SEC, 0)));
        one_run("type = \"forking\";" LINE, 2 * SEC);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_READY, "d"), SEC);
        one_end();
}
END_TEST

START_TEST(other_lines_show_nothing) {
        PROGRAM(.path = "/d", .acts = ACTS(SAY(0, "already to go\n\nready to serve")));
        one_assert_fails(LINE ONCE, 3 * SEC, "not ready within 3s (ready.on = \"log\")");
}
END_TEST

START_TEST(an_output_that_cannot_be_read_back_is_told) {
        PROGRAM(.path = "/d");
        one_begin(LINE ONCE);
        fake_fail(DOOR_FOLLOW, ENOENT, 1, 2);
        sim_start();
        sim_run_until(10 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_FAILED);
        one_assert_said(MESSAGE_DAEMON_GIVEN_UP, "its output cannot be read back from the journal");
        one_end();
}
END_TEST

START_TEST(nobody_reads_on_afterwards) {
        PROGRAM(.path = "/d", .acts = ACTS(SAY(SEC, "ready to serve\n"), DIE(2 * SEC, 9)));
        one_run(LINE, 20 * SEC);
        ck_assert_uint_ge(sim_said(MESSAGE_DAEMON_READY, "d"), 2); /* once more for each run */
        one_end();
}
END_TEST

/* ---- health ---- */

#define HEALTH(more) "health: { interval = \"1s\"; timeout = \"500ms\"; " more " };"
#define FILE_IS_THERE "on = \"file\"; path = \"/alive\";"

static void assert_health(const char *verdict, unsigned failures) {
        ChildHealth health;

        child_health(sim_child("d"), &health);
        ck_assert_str_eq(health.verdict, verdict);
        ck_assert_uint_eq(health.failures, failures);
        ck_assert_int_eq(health.text[0] != '\0', failures > 0);
}

START_TEST(who_is_not_looked_at_costs_nothing) {
        PROGRAM(.path = "/d");
        one_run("", SEC);
        ck_assert_uint_eq(fake_timer_count(sim_loop()), 0);
        assert_health("", 0);
        one_end();
}
END_TEST

START_TEST(one_bad_look_is_none) {
        PROGRAM(.path = "/d", .acts = ACTS(WRITE(0, "/alive", "1")));
        one_run(HEALTH(FILE_IS_THERE), 10 * SEC);
        assert_health("well", 0);
        world_remove("/alive");
        sim_run_for(2 * SEC);
        assert_health("well", 2);
        world_write("/alive", "1");
        sim_run_for(SEC);
        assert_health("well", 0);
        sim_run_for(10 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_SICK, "d"), 0);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 1);
        one_end();
}
END_TEST

/* By freeze, drain and cleanup, each once, and then by its restart policy. */
START_TEST(a_sick_one_is_restarted_by_sequence) {
        PROGRAM(.path = "/d", .acts = ACTS(WRITE(0, "/alive", "1")));
        one_run(HEALTH(FILE_IS_THERE), 10 * SEC);
        pid_t pid = sim_main_pid("d");

        world_remove("/alive");
        sim_run_for(4 * SEC);
        one_assert_said(MESSAGE_DAEMON_SICK, "is sick: /alive does not exist (3 times)");
        ck_assert_uint_eq(sim_ordered("d", EVENT_FREEZE), 1);
        ck_assert_uint_eq(sim_ordered("d", EVENT_DRAIN), 1);
        ck_assert_uint_eq(sim_ordered("d", EVENT_CLEANUP), 1);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_RESTARTING, "d"), 1);
        sim_run_for(10 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_int_ne(sim_main_pid("d"), pid);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 2);
        assert_health("well", 0);
        ck_assert_str_eq(child_reason(sim_child("d")), "");
        ck_assert(!operations_are_active(sim_supervisor()));
        one_end();
}
END_TEST

START_TEST(each_way_to_look_sees_it) {
        static const char *const ways[] = {
                HEALTH("on = \"listen\";"),
                HEALTH("on = \"listen\"; port = 80;"),
                HEALTH("on = \"tcp\"; address = \"127.0.0.1:80\";"),
                HEALTH("on = \"unix\"; path = \"/run/s\";"),
                HEALTH("on = \"command\"; command = [ \"/p\" ];"),
        };

        PROGRAM(.path = "/d", .acts = ACTS(LISTEN(0, 80), LISTEN_UNIX(0, "/run/s"),
                                           CLOSE(10500 * MS)));
        PROGRAM(.path = "/p", .acts = ACTS(EXIT(100 * MS, 0)));
        one_run(ways[_i], 10 * SEC);
        assert_health("well", 0);
        PROGRAM(.path = "/p", .acts = ACTS(EXIT(100 * MS, 1)));
        sim_run_for(5 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_SICK, "d"), 1);
        one_end();
}
END_TEST

START_TEST(sickness_counts_as_a_failure) {
        PROGRAM(.path = "/d");
        one_run(HEALTH(FILE_IS_THERE "failures = 1;") "restart: { limit = 2; };", 60 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_FAILED);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 3);
        one_assert_said(MESSAGE_DAEMON_GIVEN_UP, "sick: /alive does not exist");
        ck_assert_str_eq(child_reason(sim_child("d")),
                         "2 restarts in 2.00 s, last: sick: /alive does not exist");
        one_end();
}
END_TEST

/* The cleanup command that hangs takes nothing from the policy. */
START_TEST(a_cleanup_that_is_cut_is_no_end) {
        PROGRAM(.path = "/d", .acts = ACTS(WRITE(0, "/alive", "1")));
        PROGRAM(.path = "/hangs");
        one_run(HEALTH(FILE_IS_THERE)
                "cleanup: { command = [ \"/hangs\" ]; timeout = \"3s\"; };",
                10 * SEC);
        world_remove("/alive");
        sim_run_for(20 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 2);
        one_end();
}
END_TEST

START_TEST(never_only_tells) {
        PROGRAM(.path = "/d", .acts = ACTS(WRITE(0, "/alive", "1")));
        one_run(HEALTH(FILE_IS_THERE "successes = 2;") ONCE, 10 * SEC);
        world_remove("/alive");
        sim_run_for(10 * SEC);
        assert_health("sick", 10);
        ck_assert_str_eq(child_reason(sim_child("d")), "sick: /alive does not exist");
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        world_write("/alive", "1");
        sim_run_for(3 * SEC);
        assert_health("well", 0);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_SICK, "d"), 1);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_WELL, "d"), 1);
        ck_assert_str_eq(child_reason(sim_child("d")), "");
        one_end();
}
END_TEST

START_TEST(nobody_looks_while_it_is_out_of_service) {
        PROGRAM(.path = "/d", .acts = ACTS(WRITE(0, "/alive", "1")));
        one_run(HEALTH(FILE_IS_THERE), 10 * SEC);
        ck_assert_int_eq(sim_pause(true, "d"), 0);
        world_remove("/alive");
        sim_run_for(30 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_DRAINED);
        assert_health("", 0);
        world_write("/alive", "1");
        ck_assert_int_eq(sim_thaw("d"), 0);
        sim_run_for(30 * SEC);
        assert_health("well", 0);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 1);
        one_end();
}
END_TEST

/* As when it dies. */
START_TEST(who_requires_a_sick_one_goes_on) {
        PROGRAM(.path = "/db");
        PROGRAM(.path = "/d");
        sim_begin(0, "d: { command = [ \"/d\" ]; " HEALTH(FILE_IS_THERE "failures = 1;")
                     " restart: { limit = 1; }; };"
                     "web: { command = [ \"/db\" ]; requires = [ \"d\" ]; };");
        sim_start();
        sim_run_until(1500 * MS);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 2);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "web"), 1);
        ck_assert_int_eq(sim_state("web"), STATE_RUNNING);
        sim_run_for(10 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_FAILED);
        ck_assert_int_eq(sim_state("web"), STATE_STOPPED);
        one_end();
}
END_TEST

START_TEST(an_operator_comes_first) {
        PROGRAM(.path = "/d", .acts = ACTS(WRITE(0, "/alive", "1")), .reactions = REACTIONS(
                        DEAF(SIGTERM)));
        one_run(HEALTH(FILE_IS_THERE "failures = 1;"), 10 * SEC);
        world_remove("/alive");
        sim_run_for(2 * SEC); /* its cleanup waits */
        ck_assert_int_eq(sim_state("d"), STATE_STOPPING);
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "d"), 0);
        sim_run_for(60 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_STOPPED);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 1);
        one_end();
}
END_TEST

START_TEST(a_stop_breaks_in) {
        PROGRAM(.path = "/d", .reactions = REACTIONS(DEAF(SIGTERM)));
        one_run(HEALTH(FILE_IS_THERE "failures = 1;"), 2 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_STOPPING);
        one_end();
}
END_TEST

/* A look that never ends is ended, and never meets the next one. */
START_TEST(a_look_that_hangs_has_failed) {
        PROGRAM(.path = "/d");
        PROGRAM(.path = "/p", .acts = ACTS(FORK_SESSION(0, "/p2")));
        PROGRAM(.path = "/p2", .reactions = REACTIONS(DEAF(SIGTERM)));
        one_begin_with(_i == 0 ? "" : "cgroups = false;",
                       HEALTH("on = \"command\"; command = [ \"/p\" ];") ONCE);
        sim_start();
        for (usec_t when = 0; when < 10 * SEC; when += 10 * MS) {
                sim_run_until(when);
                ck_assert_uint_le(world_population(PROBES), 2);
        }
        one_assert_said(MESSAGE_DAEMON_SICK, "/p did not end within 500ms and was killed");
        one_end();
        assert_no_probe_is_left();
}
END_TEST

/* ---- the watchdog ---- */

#define WATCHDOG "health: { on = \"notify\"; timeout = \"2s\"; };"

START_TEST(a_word_in_time_is_enough) {
        PROGRAM(.path = "/d", .acts = ACTS(NOTIFY(SEC, "WATCHDOG=1\n"), NOTIFY(2 * SEC,
                        "STATUS=x\nWATCHDOG=1\n"), NOTIFY(3900 * MS, "WATCHDOG=1\n")));
        one_run(WATCHDOG, 5800 * MS);
        assert_health("well", 0);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_SICK, "d"), 0);
        sim_run_for(200 * MS);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_SICK, "d"), 5900 * MS);
        one_assert_said(MESSAGE_DAEMON_SICK, "is sick: it did not say WATCHDOG=1 within 2s");
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 2);
        one_end();
}
END_TEST

/* Who was not told of it at its start cannot know. */
START_TEST(who_was_not_told_is_not_blamed) {
        PROGRAM(.path = "/d");
        one_run("", 10 * SEC);
        sim_set_config("d: { command = [ \"/d\" ]; " WATCHDOG " };");
        sim_reload();
        sim_run_for(10 * SEC);
        ck_assert_int_eq(sim_verdict(), RELOAD_APPLIED);
        assert_health("", 0);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_SICK, "d"), 0);
        process_signal(process_find(sim_main_pid("d")), SIGKILL);
        sim_run_for(SEC);
        assert_health("unknown", 0);
        sim_run_for(2 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_SICK, "d"), 1);
        one_end();
}
END_TEST

START_TEST(strangers_do_not_speak_for_it) {
        PROGRAM(.path = "/d");
        one_run(WATCHDOG, SEC);
        const FakeProcess *stranger = process_add(1, "", NULL);
        fake_datagram(SIM_RUNTIME "/notify/d", stranger->pid, "WATCHDOG=1\n");
        sim_run_until(2100 * MS);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_SICK, "d"), 2 * SEC);
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
        tcase_add_test(tcase, the_deadline_looks_itself);
        tcase_add_test(tcase, a_line_shows_readiness);
        tcase_add_test(tcase, a_line_may_come_first);
        tcase_add_test(tcase, other_lines_show_nothing);
        tcase_add_test(tcase, an_output_that_cannot_be_read_back_is_told);
        tcase_add_test(tcase, nobody_reads_on_afterwards);
        suite_add_tcase(suite, tcase);

        tcase = tcase_create("health");
        tcase_add_test(tcase, who_is_not_looked_at_costs_nothing);
        tcase_add_test(tcase, one_bad_look_is_none);
        tcase_add_test(tcase, a_sick_one_is_restarted_by_sequence);
        tcase_add_loop_test(tcase, each_way_to_look_sees_it, 0, 5);
        tcase_add_test(tcase, sickness_counts_as_a_failure);
        tcase_add_test(tcase, a_cleanup_that_is_cut_is_no_end);
        tcase_add_test(tcase, never_only_tells);
        tcase_add_test(tcase, nobody_looks_while_it_is_out_of_service);
        tcase_add_test(tcase, who_requires_a_sick_one_goes_on);
        tcase_add_test(tcase, an_operator_comes_first);
        tcase_add_test(tcase, a_stop_breaks_in);
        tcase_add_loop_test(tcase, a_look_that_hangs_has_failed, 0, 2);
        suite_add_tcase(suite, tcase);

        tcase = tcase_create("watchdog");
        tcase_add_test(tcase, a_word_in_time_is_enough);
        tcase_add_test(tcase, who_was_not_told_is_not_blamed);
        tcase_add_test(tcase, strangers_do_not_speak_for_it);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
