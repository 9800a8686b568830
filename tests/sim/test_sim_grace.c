/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* supervisor.grace: a stop within a given time, whatever is under way and whatever hangs. */

#include <signal.h>
#include <string.h>

#include "fake/script.h"
#include "sim/sim.h"
#include "unit.h"

#define STOP  (10 * SEC) /* when it begins */
#define GRACE "grace = \"10s\"; "

#define ONE(name, program, more) #name ": { command = [ \"" program "\" ]; " more " };\n"
#define HANGS                                                                                      \
        "freeze: { command = [ \"/hang\" ]; }; drain: { command = [ \"/hang\" ]; };"

/* /good ends at SIGTERM, /deaf does not hear it, /hang no more, and /block cannot be killed. */
static void run(const char *settings, const char *daemons) {
        static const FakeReaction deaf[] = { DEAF(SIGTERM), { 0 } };
        static const FakeAct block[] = { BLOCK(0, 0), { 0 } };
        static const FakeProgram programs[] = {
                { .path = "/good" },
                { .path = "/deaf", .reactions = deaf },
                { .path = "/hang", .reactions = deaf },
                { .path = "/block", .acts = block },
        };

        for (size_t i = 0; i < ELEMENTSOF(programs); i++)
                world_add_program(&programs[i]);
        sim_begin_with(0, settings, daemons);
        sim_start();
        sim_run_until(STOP);
        ck_assert_int_eq(sim_mode(), MODE_RUNNING);
}

/* Says how long it took. */
static usec_t stop(int signo) {
        usec_t begun = sim_now();

        fake_signal(signo);
        sim_run_to_exit();
        return sim_now() - begun;
}

static unsigned forced(void) {
        return (unsigned) sim_said_forced(MESSAGE_SUPERVISOR_STOPPED);
}

START_TEST(a_deaf_daemon_is_ended_in_time_by_the_defaults) {
        run(GRACE, ONE(d, "/deaf", ""));
        ck_assert_uint_eq(stop(SIGTERM), 1250 * MS); /* a quarter of "TERM 5s, KILL" */
        ck_assert_int_eq(sim_code(), 0);
        ck_assert_int_eq(sim_state("d"), STATE_STOPPED);
        ck_assert_uint_eq(forced(), 1);
        ck_assert_ptr_nonnull(
                strstr(sim_said_text(MESSAGE_SUPERVISOR_STOPPING, NULL), ", within 10 s"));
        sim_end();
}
END_TEST

START_TEST(the_worst_case_is_kept) {
        run(GRACE, ONE(d, "/deaf", HANGS "stop: { signals = \"TERM\"; };"));
        ck_assert_uint_eq(stop(SIGTERM), 8750 * MS);
        ck_assert_uint_eq(sim_ordered_when("d", EVENT_DRAIN), STOP + 1250 * MS);
        ck_assert_uint_eq(sim_ordered_when("d", EVENT_CLEANUP), STOP + 6250 * MS);
        ck_assert_uint_eq(world_population(NULL), 0);
        sim_end();
}
END_TEST

/* Five that need each other have "TERM 600ms, KILL"; and of a kill that hangs nobody knew. */
#define CHAIN(last)                                                                                \
        ONE(a, "/block", "after = [ \"b\" ];")                                                     \
        ONE(b, "/block", "after = [ \"c\" ];")                                                     \
        ONE(c, "/block", "after = [ \"d\" ];")                                                     \
        ONE(d, "/block", "after = [ \"e\" ];")                                                     \
        ONE(e, last, "")

START_TEST(what_hangs_at_its_kill_does_not_eat_up_the_time_of_all) {
        run(GRACE, CHAIN("/deaf"));
        fake_signal(SIGTERM);
        sim_run_until(STOP + 9 * SEC - 1);
        ck_assert_int_eq(sim_state("c"), STATE_STUCK);
        ck_assert_int_eq(sim_state("d"), STATE_KILLING);
        ck_assert_uint_eq(sim_ordered("e", EVENT_CLEANUP), 0);
        sim_run_until(STOP + 9 * SEC);
        ck_assert_uint_eq(sim_ordered_when("e", EVENT_CLEANUP), STOP + 9 * SEC);
        ck_assert_int_eq(sim_state("e"), STATE_STOPPED); /* killed at once */
        ck_assert_int_eq(sim_state("d"), STATE_KILLING);
        sim_run_to_exit();
        ck_assert_uint_eq(sim_now(), STOP + 9500 * MS);
        ck_assert_int_eq(sim_state("d"), STATE_STUCK);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_STUCK, "d"), STOP + 9500 * MS);
        ck_assert_uint_eq(forced(), 5);
        sim_end();
}
END_TEST

START_TEST(a_cleanup_command_that_hangs_is_cut_at_the_end) {
        run(GRACE "cleanup_timeout = \"9s\"; freeze_timeout = 0; drain_timeout = 0;",
            ONE(d, "/deaf",
                "stop: { signals = \"TERM\"; };"
                "cleanup: { command = [ \"/hang\" ]; remove = [ \"/run/x\" ]; };"));
        world_write("/run/x", "");
        ck_assert_uint_eq(stop(SIGTERM), 9500 * MS);
        ck_assert_int_eq(sim_state("d"), STATE_STOPPED);
        ck_assert(!world_exists("/run/x"));
        ck_assert_uint_eq(world_population(NULL), 0); /* nor does the command live on */
        sim_end();
}
END_TEST

/* ---- what is under way ---- */

START_TEST(a_stop_in_the_middle_of_a_restart_has_its_time) {
        run(GRACE, ONE(d, "/deaf", HANGS));
        ck_assert_int_eq(sim_ask(REQUEST_RESTART, "d"), 0);
        sim_run_for(3 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_DRAINING);
        ck_assert_uint_le(stop(SIGTERM), 9500 * MS);
        ck_assert_uint_eq(sim_ended(OPERATION_CANCELED), 1);
        sim_end();
}
END_TEST

START_TEST(a_stop_in_the_middle_of_a_reload_has_the_time_in_force) {
        run("grace = \"1min\";", ONE(d, "/deaf", HANGS) ONE(x, "/good", ""));
        sim_set_config_with(GRACE, ONE(d, "/good", "") ONE(x, "/good", ""));
        sim_reload();
        sim_run_for(3 * SEC);
        ck_assert_int_eq(sim_mode(), MODE_RELOADING);
        usec_t took = stop(SIGTERM);
        ck_assert_uint_gt(took, 10 * SEC);
        ck_assert_uint_le(took, 60 * SEC);
        ck_assert_int_eq(sim_verdict(), RELOAD_CANCELED);
        sim_end();
}
END_TEST

START_TEST(a_fast_stop_in_the_middle_counts_from_the_first_signal) {
        run(GRACE, CHAIN("/block"));
        fake_signal(SIGTERM);
        sim_run_for(4 * SEC);
        (void) stop(SIGQUIT);
        ck_assert_uint_eq(sim_now(), STOP + 9500 * MS);
        sim_end();

        run(GRACE, CHAIN("/block"));
        ck_assert_uint_eq(stop(SIGQUIT), 9500 * MS);
        sim_end();
}
END_TEST

START_TEST(the_loss_of_an_essential_daemon_gives_no_more_time) {
        run(GRACE, CHAIN("/block") ONE(x, "/good",
                                       "essential = true; restart: { policy = \"never\"; };"));
        process_signal(process_find(sim_main_pid("x")), SIGKILL);
        sim_run_to_exit();
        ck_assert_uint_eq(sim_now(), STOP + 9500 * MS);
        ck_assert_int_eq(sim_code(), 1);
        sim_end();
}
END_TEST

START_TEST(a_machine_that_stood_still_for_too_long_ends_it_all) {
        run(GRACE, ONE(web, "/deaf", HANGS "after = [ \"db\" ];") ONE(db, "/deaf", HANGS));
        fake_signal(SIGTERM);
        sim_run_for(SEC);
        sim_sleep(60 * SEC);
        sim_run_to_exit();
        ck_assert_uint_eq(sim_now(), STOP + 61 * SEC);
        ck_assert_uint_eq(forced(), 2);
        ck_assert_uint_eq(world_population(NULL), 0);
        sim_end();
}
END_TEST

/* The clock does not move while something is done: the end is brought forward instead. */
START_TEST(a_machine_that_is_too_slow_leaves_what_is_not_done) {
        run(GRACE, ONE(a, "/deaf", HANGS) ONE(b, "/good", "after = [ \"a\" ];"));
        fake_signal(SIGTERM);
        sim_run_for(SEC);
        watch_allow_abandoning();
        ck_assert_int_ge(loop_timer_set(sim_supervisor()->end, world_now()), 0);
        sim_run_to_exit();
        ck_assert_uint_eq(sim_now(), STOP + SEC);
        ck_assert_int_eq(sim_code(), 0);
        ck_assert_uint_eq(world_population(NULL), 0); /* not of the commands either */
        ck_assert_ptr_nonnull(
                strstr(sim_said_text(MESSAGE_SUPERVISOR_STOPPED, NULL), "2 left behind"));
        sim_end();
}
END_TEST

/* ---- a change of it ---- */

START_TEST(a_reload_brings_another_grace_into_force) {
        run("", ONE(d, "/deaf", "") ONE(other, "/good", ""));
        pid_t pid = sim_main_pid("d");
        sim_set_config_with(GRACE, ONE(d, "/deaf", "") ONE(other, "/good", ""));
        sim_reload();
        sim_run_for(5 * SEC);
        ck_assert_int_eq(sim_verdict(), RELOAD_APPLIED);
        ck_assert_int_eq(sim_main_pid("d"), pid);
        ck_assert_uint_eq(stop(SIGTERM), 1250 * MS);
        sim_end();

        run(GRACE, ONE(d, "/deaf", ""));
        pid = sim_main_pid("d");
        sim_set_config_with("", ONE(d, "/deaf", ""));
        sim_reload();
        sim_run_for(5 * SEC);
        ck_assert_int_eq(sim_main_pid("d"), pid);
        ck_assert_uint_eq(stop(SIGTERM), 5 * SEC);
        sim_end();
}
END_TEST

START_TEST(an_operation_has_no_limit_of_its_own) {
        run("grace = \"30s\";",
            ONE(d, "/deaf", "drain: { command = [ \"/hang\" ]; timeout = \"12s\"; };"));
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "d"), 0);
        sim_run_for(40 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_STOPPED);
        ck_assert_uint_eq(sim_ordered_when("d", EVENT_DRAIN_DEADLINE), STOP + 12 * SEC);
        ck_assert_uint_eq(sim_ordered("d", EVENT_GRACE_OVER), 0);
        ck_assert_uint_eq(stop(SIGTERM), 0);
        sim_end();
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sim/grace");
        TCase *tcase = tcase_create("grace");

        tcase_add_test(tcase, a_deaf_daemon_is_ended_in_time_by_the_defaults);
        tcase_add_test(tcase, the_worst_case_is_kept);
        tcase_add_test(tcase, what_hangs_at_its_kill_does_not_eat_up_the_time_of_all);
        tcase_add_test(tcase, a_cleanup_command_that_hangs_is_cut_at_the_end);
        tcase_add_test(tcase, a_stop_in_the_middle_of_a_restart_has_its_time);
        tcase_add_test(tcase, a_stop_in_the_middle_of_a_reload_has_the_time_in_force);
        tcase_add_test(tcase, a_fast_stop_in_the_middle_counts_from_the_first_signal);
        tcase_add_test(tcase, the_loss_of_an_essential_daemon_gives_no_more_time);
        tcase_add_test(tcase, a_machine_that_stood_still_for_too_long_ends_it_all);
        tcase_add_test(tcase, a_machine_that_is_too_slow_leaves_what_is_not_done);
        tcase_add_test(tcase, a_reload_brings_another_grace_into_force);
        tcase_add_test(tcase, an_operation_has_no_limit_of_its_own);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
