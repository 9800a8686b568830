/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the main process leaves when it ends: it is ended with it, waited for, or spared. */

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "fake/script.h"
#include "sim/one.h"
#include "unit.h"

#define SPARE "cleanup: { leftovers = \"spare\"; };"
#define WAIT  "cleanup: { leftovers = \"wait\"; wait = \"3s\"; };"

/* A server with a session that ends by itself after a minute, and hears no SIGTERM. */
#define SESSION_SERVER()                                                                           \
        PROGRAM(.path = "/session", .acts = ACTS(EXIT(60 * SEC, 0)),                               \
                .reactions = REACTIONS(DEAF(SIGTERM)));                                            \
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(MS, "/session")))

static void assert_last_record_says(const char *text) {
        ck_assert_ptr_nonnull(strstr(sim_said_text(MESSAGE_DAEMON_STOPPED, "d"), text));
}

START_TEST(a_session_is_spared_by_a_stop) {
        SESSION_SERVER();
        one_run(SPARE, SEC);
        ck_assert_uint_eq(sim_population("d"), 2);
        one_stop();
        ck_assert_uint_eq(sim_population("d"), 0);
        ck_assert_uint_eq(sim_population("d.spared"), 1);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_FORCED, "d"), 0);
        one_assert_said(MESSAGE_DAEMON_SPARED, "1 left-over process lives on: ");
        assert_last_record_says("stopped, 1 left-over process lives on");
        sim_end();
        ck_assert_uint_eq(world_harmed(), 0);
}
END_TEST

START_TEST(what_is_spared_is_to_be_seen) {
        SESSION_SERVER();
        one_run(SPARE, SEC);
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_STOPPED);
        ck_assert_ptr_nonnull(strstr(child_reason(sim_child("d")), "stopped by an operator"));
        ck_assert_ptr_nonnull(strstr(child_reason(sim_child("d")), "; 1 left-over process lives"));
        ck_assert_int_eq(sim_ask(REQUEST_START, "d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_str_eq(child_reason(sim_child("d")), "");
        ck_assert_uint_eq(sim_population("d"), 2);
        one_end();
}
END_TEST

/* The replacement does not wait for it, and does not take it for one of its own. */
START_TEST(a_session_is_spared_by_a_crash) {
        SESSION_SERVER();
        one_run(SPARE, SEC);
        process_hear(process_find(sim_main_pid("d")), SIGKILL);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_uint_eq(sim_said(MESSAGE_LEFTOVERS, "d"), 0);
        ck_assert_uint_eq(sim_population("d"), 2);
        ck_assert_uint_eq(sim_population("d.spared"), 1);
        one_stop();
        ck_assert_uint_eq(sim_population("d.spared"), 2);
        sim_end();
}
END_TEST

/* A main process that does not hear is killed; nobody else is. */
START_TEST(a_session_is_spared_by_a_kill) {
        PROGRAM(.path = "/session");
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(MS, "/session")),
                .reactions = REACTIONS(DEAF(SIGTERM)));
        one_run(SPARE "stop: { signals = \"TERM 1s, KILL\"; };", SEC);
        one_stop();
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_FORCED, "d"), 1);
        ck_assert_uint_eq(sim_population("d"), 0);
        ck_assert_uint_eq(sim_population("d.spared"), 1);
        sim_end();
}
END_TEST

/* What was spared may go on making processes: they are nobody's either. */
START_TEST(what_a_session_makes_is_spared) {
        PROGRAM(.path = "/job");
        PROGRAM(.path = "/session", .acts = ACTS(FORK_SESSION(5 * SEC, "/job")));
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(MS, "/session")));
        one_run(SPARE, SEC);
        process_hear(process_find(sim_main_pid("d")), SIGKILL);
        sim_run_until(8 * SEC);
        ck_assert_uint_eq(sim_population("d"), 3);
        ck_assert_uint_eq(sim_population("d.spared"), 2);
        one_end();
}
END_TEST

/* Before it was ready it had taken in nothing that could go on. */
START_TEST(what_was_never_ready_leaves_nothing) {
        PROGRAM(.path = "/helper");
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(MS, "/helper"), EXIT(SEC, 1)));
        one_run("ready: { on = \"listen\"; };" SPARE ONCE, 20 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_FAILED);
        ck_assert_uint_eq(sim_population("d.spared"), 0);
        ck_assert_uint_eq(sim_population("d"), 0);
        one_end();
}
END_TEST

START_TEST(what_cannot_be_spared_is_ended) {
        SESSION_SERVER();
        one_run(SPARE, SEC);
        watch_allow_failures();
        fake_fail(DOOR_TREE_SPARE, EPERM, 1, 100);
        one_stop();
        ck_assert_uint_eq(sim_said(MESSAGE_CLEANUP_FAILED, "d"), 1);
        ck_assert_uint_eq(sim_population("d"), 0);
        ck_assert_uint_eq(sim_population("d.spared"), 0);
        sim_end();
}
END_TEST

/* ---- wait ---- */

START_TEST(a_job_has_its_time) {
        PROGRAM(.path = "/job", .acts = ACTS(EXIT(3 * SEC, 0)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(MS, "/job")));
        one_run(WAIT, SEC);
        one_stop();
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_STOPPED, "d"), 3 * SEC + MS);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_FORCED, "d"), 0);
        sim_end();
}
END_TEST

/* When it is over, the schedule begins anew for them. */
START_TEST(a_job_has_no_more_than_its_time) {
        PROGRAM(.path = "/job", .reactions = REACTIONS(ON(SIGTERM, EXIT(SEC, 0))));
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(MS, "/job")));
        one_run(WAIT "drain: { until = \"none\"; };", SEC);
        one_stop();
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_STOPPED, "d"), 5 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_FORCED, "d"), 0);
        sim_end();
}
END_TEST

START_TEST(a_deaf_job_is_killed_after_its_time) {
        PROGRAM(.path = "/job", .reactions = REACTIONS(DEAF(SIGTERM)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(MS, "/job")));
        one_run(WAIT "stop: { signals = \"TERM 2s, KILL\"; };", SEC);
        one_stop();
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_FORCED, "d"), 1);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_FORCED, "d"), 6 * SEC);
        sim_end();
}
END_TEST

/* The replacement waits with it: never two of a daemon. */
START_TEST(a_crash_leaves_a_job_its_time) {
        PROGRAM(.path = "/job", .acts = ACTS(EXIT(3 * SEC, 0)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(MS, "/job")));
        one_run(WAIT, SEC);
        process_hear(process_find(sim_main_pid("d")), SIGKILL);
        sim_run_until(2 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_SWEEPING);
        sim_run_until(4 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_RESTARTING, "d"), 3 * SEC + MS);
        one_end();
}
END_TEST

/* A stop that comes meanwhile goes on with the same time. */
START_TEST(a_stop_takes_over_a_wait) {
        PROGRAM(.path = "/job", .reactions = REACTIONS(ON(SIGTERM, EXIT(SEC, 0))));
        PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(MS, "/job")));
        one_run(WAIT, SEC);
        process_hear(process_find(sim_main_pid("d")), SIGKILL);
        sim_run_until(2 * SEC);
        one_stop();
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_STOPPED, "d"), 5 * SEC);
        sim_end();
}
END_TEST

int main(void) {
        Suite *suite = suite_create("sim_leftovers");
        TCase *spare = tcase_create("spare"), *wait = tcase_create("wait");

        tcase_add_test(spare, a_session_is_spared_by_a_stop);
        tcase_add_test(spare, what_is_spared_is_to_be_seen);
        tcase_add_test(spare, a_session_is_spared_by_a_crash);
        tcase_add_test(spare, a_session_is_spared_by_a_kill);
        tcase_add_test(spare, what_a_session_makes_is_spared);
        tcase_add_test(spare, what_was_never_ready_leaves_nothing);
        tcase_add_test(spare, what_cannot_be_spared_is_ended);
        suite_add_tcase(suite, spare);
        tcase_add_test(wait, a_job_has_its_time);
        tcase_add_test(wait, a_job_has_no_more_than_its_time);
        tcase_add_test(wait, a_deaf_job_is_killed_after_its_time);
        tcase_add_test(wait, a_crash_leaves_a_job_its_time);
        tcase_add_test(wait, a_stop_takes_over_a_wait);
        suite_add_tcase(suite, wait);
        return unit_main(suite);
}
