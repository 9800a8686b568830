/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stops, starts and restarts of some daemons, while the others go on. */

#include <signal.h>
#include <string.h>

#include "fake/script.h"
#include "sim/sim.h"
#include "unit.h"

/* Ready 1 s after its start, gone 1 s after SIGTERM. */
#define SLOW(name, more)                                                                           \
        #name ": { command = [ \"/slow\" ]; type = \"notify\"; " more " };\n"
#define CHAIN                                                                                      \
        SLOW(web, "requires = [ \"app\" ];")                                                       \
        SLOW(app, "requires = [ \"db\" ];")                                                        \
        SLOW(db, "")                                                                               \
        SLOW(other, "")

static void add_programs(void) {
        static const FakeAct ready[] = { NOTIFY(SEC, "READY=1\n"), { 0 } };
        static const FakeAct gone[] = { EXIT(SEC, 0), { 0 } };
        static const FakeAct fails[] = { EXIT(500 * MS, 1), { 0 } };
        static const FakeReaction reactions[] = { { SIGTERM, gone }, { 0 } };
        static const FakeProgram slow = { .path = "/slow", .acts = ready, .reactions = reactions };
        static const FakeProgram broken = { .path = "/broken", .acts = fails };

        world_add_program(&slow);
        world_add_program(&broken);
}

static void run(const char *config) {
        add_programs();
        sim_begin(0, config);
        sim_start();
        sim_run_until(10 * SEC);
        ck_assert_int_eq(sim_mode(), MODE_RUNNING);
}

static void end(void) {
        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_int_eq(sim_code(), 0);
        sim_end();
}

static usec_t stopped_when(const char *name) {
        return sim_said_when(MESSAGE_DAEMON_STOPPED, name);
}

START_TEST(a_stop_takes_along_what_requires_it) {
        run(CHAIN);
        pid_t db = sim_main_pid("db"), other = sim_main_pid("other");
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "app"), 0);
        sim_run_until(20 * SEC);
        ck_assert_uint_eq(stopped_when("web"), 11 * SEC);
        ck_assert_uint_eq(stopped_when("app"), 12 * SEC);
        ck_assert_int_eq(sim_state("app"), STATE_STOPPED);
        ck_assert_int_eq(sim_state("web"), STATE_STOPPED);
        ck_assert_int_eq(sim_main_pid("db"), db);
        ck_assert_int_eq(sim_main_pid("other"), other);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 1);
        ck_assert_int_eq(sim_mode(), MODE_RUNNING);
        ck_assert_uint_eq(fake_notify_count(NOTIFY_STOPPING), 0);
        ck_assert_uint_eq(fake_timer_count(sim_loop()), 0);
        end();
}
END_TEST

START_TEST(a_start_brings_along_what_it_requires) {
        run(CHAIN);
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "db"), 0);
        sim_run_until(20 * SEC);
        ck_assert_int_eq(sim_state("db"), STATE_STOPPED);
        ck_assert_int_eq(sim_ask(REQUEST_START, "app"), 0);
        sim_run_until(30 * SEC);
        ck_assert_int_eq(sim_state("db"), STATE_RUNNING);
        ck_assert_int_eq(sim_state("app"), STATE_RUNNING);
        ck_assert_int_eq(sim_state("web"), STATE_STOPPED);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_READY, "app"), 22 * SEC);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 2);
        end();
}
END_TEST

START_TEST(a_restart_brings_back_what_ran) {
        run(CHAIN);
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "web"), 0);
        sim_run_until(20 * SEC);
        pid_t app = sim_main_pid("app"), db = sim_main_pid("db"), other = sim_main_pid("other");
        ck_assert_int_eq(sim_ask(REQUEST_RESTART, "db"), 0);
        sim_run_until(30 * SEC);
        ck_assert_int_ne(sim_main_pid("app"), app);
        ck_assert_int_ne(sim_main_pid("db"), db);
        ck_assert_int_eq(sim_main_pid("other"), other);
        ck_assert_int_eq(sim_state("app"), STATE_RUNNING);
        ck_assert_int_eq(sim_state("web"), STATE_STOPPED); /* it was stopped on purpose */
        end();
}
END_TEST

START_TEST(a_restart_starts_what_was_named_in_any_case) {
        run(CHAIN);
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "other"), 0);
        sim_run_until(20 * SEC);
        ck_assert_int_eq(sim_ask(REQUEST_RESTART, "other"), 0);
        sim_run_until(30 * SEC);
        ck_assert_int_eq(sim_state("other"), STATE_RUNNING);
        end();
}
END_TEST

START_TEST(a_start_of_what_runs_changes_nothing) {
        run(CHAIN);
        pid_t web = sim_main_pid("web");
        usec_t started = child_started(sim_child("web")), below = child_started(sim_child("db"));
        ck_assert_int_eq(sim_ask(REQUEST_START, "web"), 0);
        sim_run_until(20 * SEC);
        ck_assert_int_eq(sim_main_pid("web"), web);
        ck_assert_uint_eq(child_started(sim_child("web")), started);
        ck_assert_uint_eq(child_started(sim_child("db")), below);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 1);
        end();
}
END_TEST

START_TEST(a_start_that_fails_is_over_too) {
        run("bad: { command = [ \"/broken\" ]; type = \"notify\"; "
            "restart: { policy = \"never\"; }; };"
            "more: { command = [ \"/slow\" ]; type = \"notify\"; requires = [ \"bad\" ]; };");
        ck_assert_int_eq(sim_state("more"), STATE_FAILED);
        ck_assert_int_eq(sim_ask(REQUEST_START, "more"), 0);
        sim_run_until(20 * SEC);
        ck_assert_uint_eq(sim_ordered("bad", EVENT_START), 2);
        ck_assert_int_eq(sim_state("bad"), STATE_FAILED);
        ck_assert_int_eq(sim_state("more"), STATE_FAILED);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 1);
        end();
}
END_TEST

START_TEST(operations_on_different_daemons_run_side_by_side) {
        run(SLOW(a, "") SLOW(b, ""));
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "a"), 0);
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "b"), 0);
        sim_run_until(20 * SEC);
        ck_assert_uint_eq(stopped_when("a"), 11 * SEC);
        ck_assert_uint_eq(stopped_when("b"), 11 * SEC);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 2);
        end();
}
END_TEST

START_TEST(operations_on_the_same_daemon_queue) {
        run(SLOW(a, "") SLOW(b, "requires = [ \"a\" ];") SLOW(c, ""));
        ck_assert_int_eq(sim_ask(REQUEST_RESTART, "b"), 0);
        ck_assert_int_eq(sim_ask(REQUEST_RESTART, "a"), 0); /* with b: 2 s down, 2 s up */
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "c"), 0);
        sim_run_until(30 * SEC);
        ck_assert_uint_eq(stopped_when("c"), 11 * SEC);
        ck_assert_uint_eq(sim_ordered("b", EVENT_START), 3);
        ck_assert_uint_eq(sim_ordered("a", EVENT_START), 2);
        ck_assert_uint_eq(sim_ordered_when("b", EVENT_FREEZE), 12 * SEC);
        ck_assert_uint_eq(stopped_when("a"), 14 * SEC);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_READY, "b"), 16 * SEC);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 3);
        end();
}
END_TEST

START_TEST(a_later_stop_wins_over_a_start_that_waits) {
        run(SLOW(a, ""));
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "a"), 0);
        ck_assert_int_eq(sim_ask(REQUEST_START, "a"), 0);
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "a"), 0);
        sim_run_until(30 * SEC);
        ck_assert_int_eq(sim_state("a"), STATE_STOPPED);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 3);
        end();
}
END_TEST

START_TEST(a_stop_of_everything_cancels_them) {
        for (usec_t after = 0; after <= 5 * SEC; after += 500 * MS) {
                run(CHAIN);
                ck_assert_int_eq(sim_ask(REQUEST_RESTART, "db"), 0);
                ck_assert_int_eq(sim_ask(REQUEST_RESTART, "web"), 0);
                sim_run_for(after);
                fake_signal(SIGTERM);
                sim_run_to_exit();
                ck_assert_uint_eq(sim_ended(OPERATION_CANCELED) + sim_ended(OPERATION_DONE), 2);
                ck_assert_uint_ge(sim_ended(OPERATION_CANCELED), 1);
                ck_assert_uint_eq(world_population(NULL), 0);
                ck_assert_int_eq(sim_ask(REQUEST_START, "db"), REQUEST_E_BUSY);
                sim_end();
        }
}
END_TEST

START_TEST(a_name_that_is_none_does_nothing_at_all) {
        run(CHAIN);
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "web", "wep"), REQUEST_E_UNKNOWN);
        sim_run_until(20 * SEC);
        ck_assert_int_eq(sim_state("web"), STATE_RUNNING);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 0);
        end();
}
END_TEST

START_TEST(an_operation_may_be_asked_for_during_the_start) {
        add_programs();
        sim_begin(0, CHAIN);
        sim_start();
        sim_run_until(500 * MS);
        ck_assert_int_eq(sim_mode(), MODE_STARTING);
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "app"), 0);
        sim_run_until(20 * SEC);
        ck_assert_int_eq(sim_mode(), MODE_RUNNING);
        ck_assert_int_eq(sim_state("db"), STATE_RUNNING);
        ck_assert_int_eq(sim_state("app"), STATE_STOPPED);
        ck_assert_int_eq(sim_state("web"), STATE_STOPPED);
        ck_assert_uint_eq(fake_notify_count(NOTIFY_READY), 1);
        end();
}
END_TEST

START_TEST(what_is_stopped_is_not_restarted_when_it_fails_on_the_way) {
        run("a: { command = [ \"/slow\" ]; type = \"notify\"; "
            "freeze: { command = [ \"/missing\" ]; }; "
            "drain: { until = \"exit\"; timeout = \"5s\"; }; };");
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "a"), 0);
        sim_run_until(12 * SEC);
        process_exit(process_find(sim_main_pid("a")), true, SIGSEGV);
        sim_run_until(30 * SEC);
        ck_assert_int_eq(sim_state("a"), STATE_STOPPED);
        ck_assert_uint_eq(sim_ordered("a", EVENT_START), 1);
        end();
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sim_operation");
        TCase *some = tcase_create("some"), *several = tcase_create("several");

        tcase_add_test(some, a_stop_takes_along_what_requires_it);
        tcase_add_test(some, a_start_brings_along_what_it_requires);
        tcase_add_test(some, a_restart_brings_back_what_ran);
        tcase_add_test(some, a_restart_starts_what_was_named_in_any_case);
        tcase_add_test(some, a_start_of_what_runs_changes_nothing);
        tcase_add_test(some, a_start_that_fails_is_over_too);
        tcase_add_test(some, a_name_that_is_none_does_nothing_at_all);
        tcase_add_test(some, an_operation_may_be_asked_for_during_the_start);
        tcase_add_test(some, what_is_stopped_is_not_restarted_when_it_fails_on_the_way);
        suite_add_tcase(suite, some);

        tcase_add_test(several, operations_on_different_daemons_run_side_by_side);
        tcase_add_test(several, operations_on_the_same_daemon_queue);
        tcase_add_test(several, a_later_stop_wins_over_a_start_that_waits);
        tcase_add_test(several, a_stop_of_everything_cancels_them);
        suite_add_tcase(suite, several);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
