/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Many daemons: their order, the sequence over them, the signals, what systemd is told. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "fake/script.h"
#include "sim/sim.h"
#include "unit.h"

/* A daemon that is ready at once, and one that takes 1 s to be. */
#define QUICK(name, more)          #name ": { command = [ \"/quick\" ]; " more " };\n"
#define OTHER(name, program, more) #name ": { command = [ \"" program "\" ]; " more " };\n"
#define SLOW(name, more) #name ": { command = [ \"/slow\" ]; type = \"notify\"; " more " };\n"
#define DEAF_ONE(name, more)                                                                       \
#name ": { command = [ \"/deaf\" ]; stop: { signals = \"TERM 2s, KILL\"; }; " more " };\n"

#define PROGRAMS()                                                                                 \
        PROGRAM(.path = "/quick");                                                                 \
        PROGRAM(.path = "/slow", .acts = ACTS(NOTIFY(SEC, "READY=1\n")),                           \
                .reactions = REACTIONS(ON(SIGTERM, EXIT(SEC, 0)), ON(SIGUSR1, EXIT(3 * SEC, 0)))); \
        PROGRAM(.path = "/deaf", .reactions = REACTIONS(DEAF(SIGTERM), DEAF(SIGUSR1)));            \
        PROGRAM(.path = "/broken", .acts = ACTS(EXIT(500 * MS, 1)));                               \
        PROGRAM(.path = "/hang")

static usec_t ready_when(const char *name) {
        return sim_said_when(MESSAGE_DAEMON_READY, name);
}

static usec_t stopped_when(const char *name) {
        return sim_said_when(MESSAGE_DAEMON_STOPPED, name);
}

static void run(const char *config, usec_t until) {
        sim_begin(0, config);
        sim_start();
        sim_run_until(until);
}

/* ---- order ---- */

#define CHAIN                                                                                      \
        SLOW(web, "requires = [ \"app\" ];")                                                       \
        SLOW(app, "requires = [ \"db\" ]; after = [ \"cache\" ];")                                 \
        SLOW(db, "")                                                                               \
        SLOW(cache, "")

START_TEST(a_start_waits_for_readiness_and_is_parallel) {
        PROGRAMS();
        run(CHAIN, 5 * SEC);
        ck_assert_uint_eq(ready_when("db"), SEC);
        ck_assert_uint_eq(ready_when("cache"), SEC);
        ck_assert_uint_eq(ready_when("app"), 2 * SEC);
        ck_assert_uint_eq(ready_when("web"), 3 * SEC);
        ck_assert_uint_eq(fake_notify_when(NOTIFY_READY) - (world_now() - sim_now()), 3 * SEC);
        ck_assert_uint_eq(fake_notify_count(NOTIFY_READY), 1);

        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_uint_eq(stopped_when("web"), 6 * SEC);
        ck_assert_uint_eq(stopped_when("app"), 7 * SEC);
        ck_assert_uint_eq(stopped_when("db"), 8 * SEC);
        ck_assert_uint_eq(stopped_when("cache"), 8 * SEC);
        sim_end();
}
END_TEST

START_TEST(after_is_content_with_a_failure_requires_is_not) {
        PROGRAMS();
        run(OTHER(bad, "/broken", "type = \"notify\"; restart: { policy = \"never\"; };")
                    QUICK(a, "after = [ \"bad\" ];") QUICK(b, "requires = [ \"bad\" ];")
                            QUICK(c, "requires = [ \"b\" ];"),
            5 * SEC);
        ck_assert_int_eq(sim_state("a"), STATE_RUNNING);
        ck_assert_uint_eq(ready_when("a"), 500 * MS);
        ck_assert_int_eq(sim_state("b"), STATE_FAILED);
        ck_assert_int_eq(sim_state("c"), STATE_FAILED);
        ck_assert_uint_eq(fake_notify_count(NOTIFY_READY), 1);
        ck_assert_ptr_nonnull(strstr(fake_notify_status(), "failed"));
        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_int_eq(sim_code(), 0);
        sim_end();
}
END_TEST

START_TEST(what_is_required_and_comes_back_is_waited_for) {
        PROGRAM(.path = "/third", .acts = ACTS(WRITE(0, "/run/tried", ""), EXIT(500 * MS, 1)));
        PROGRAMS();
        run(OTHER(bad, "/third", "type = \"notify\"; restart: { delay = \"1s\"; };")
                    QUICK(b, "requires = [ \"bad\" ];"),
            800 * MS);
        /* a service that comes up in part is up */
        ck_assert_uint_eq(fake_notify_count(NOTIFY_READY), 1);
        ck_assert_int_eq(sim_state("b"), STATE_STOPPED);
        PROGRAM(.path = "/third", .acts = ACTS(NOTIFY(0, "READY=1\n")));
        sim_run_until(5 * SEC);
        ck_assert_int_eq(sim_state("b"), STATE_RUNNING);
        fake_signal(SIGTERM);
        sim_run_to_exit();
        sim_end();
}
END_TEST

START_TEST(who_requires_a_daemon_stops_with_it) {
        PROGRAM(.path = "/mortal", .acts = ACTS(EXIT(10 * SEC, 0)));
        PROGRAMS();
        run(OTHER(db, "/mortal", "restart: { policy = \"on-failure\"; };")
                    SLOW(app, "requires = [ \"db\" ];") SLOW(web, "requires = [ \"app\" ];")
                            QUICK(other, "after = [ \"db\" ];"),
            30 * SEC);
        ck_assert_uint_eq(stopped_when("app"), 11 * SEC);
        ck_assert_uint_eq(stopped_when("web"), 12 * SEC);
        ck_assert_int_eq(sim_state("other"), STATE_RUNNING);
        ck_assert_uint_eq(fake_timer_count(sim_loop()), 0);
        ck_assert_int_eq(sim_mode(), MODE_RUNNING);
        ck_assert_uint_eq(fake_notify_count(NOTIFY_STOPPING), 0);
        fake_signal(SIGTERM);
        sim_run_to_exit();
        sim_end();
}
END_TEST

START_TEST(a_stop_takes_over_one_of_some) {
        PROGRAM(.path = "/mortal", .acts = ACTS(EXIT(10 * SEC, 0)));
        PROGRAMS();
        run(OTHER(db, "/mortal", "restart: { policy = \"on-failure\"; };")
                    SLOW(app, "requires = [ \"db\" ]; freeze: { signal = \"USR1\"; };")
                            QUICK(other, ""),
            10 * SEC + 500 * MS);
        ck_assert_int_eq(sim_state("app"), STATE_DRAINING);
        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_uint_eq(sim_now(), 13 * SEC); /* its work in flight was finished all the same */
        ck_assert_int_eq(sim_said_forced(MESSAGE_SUPERVISOR_STOPPED), 0);
        sim_end();
}
END_TEST

START_TEST(an_essential_daemon_takes_all_with_it) {
        PROGRAM(.path = "/mortal", .acts = ACTS(EXIT(10 * SEC, 1)));
        PROGRAMS();
        run(OTHER(db, "/mortal", "essential = true; restart: { policy = \"never\"; };")
                    QUICK(other, ""),
            10 * SEC - 1);
        ck_assert(!sim_exited());
        sim_run_to_exit();
        ck_assert_uint_eq(sim_now(), 10 * SEC);
        ck_assert_int_eq(sim_code(), 1);
        sim_end();
}
END_TEST

/* ---- the sequence ---- */

START_TEST(barriers_stand_between_the_phases) {
        PROGRAM(.path = "/freeze", .acts = ACTS(EXIT(2 * SEC, 0)));
        PROGRAMS();
        run(SLOW(a, "freeze: { command = [ \"/freeze\" ]; }; drain: { signal = \"USR1\"; };")
                    QUICK(b, ""),
            10 * SEC);
        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_uint_eq(sim_ordered_when("b", EVENT_FREEZE), 10 * SEC);
        ck_assert_uint_eq(sim_ordered_when("b", EVENT_DRAIN), 12 * SEC);
        ck_assert_uint_eq(sim_ordered_when("a", EVENT_DRAIN), 12 * SEC);
        ck_assert_uint_eq(sim_ordered_when("b", EVENT_CLEANUP), 15 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_PHASE_BEGUN, NULL), 3);
        ck_assert_uint_eq(sim_said(MESSAGE_PHASE_ENDED, NULL), 3);
        sim_end();
}
END_TEST

START_TEST(dependents_drain_before_what_they_need) {
        PROGRAMS();
        run(SLOW(web, "requires = [ \"db\" ]; drain: { signal = \"USR1\"; };")
                    SLOW(db, "drain: { signal = \"USR1\"; };"),
            10 * SEC);
        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_uint_eq(sim_ordered_when("web", EVENT_DRAIN), 10 * SEC);
        ck_assert_uint_eq(sim_ordered_when("db", EVENT_DRAIN), 13 * SEC);
        ck_assert_uint_eq(sim_now(), 16 * SEC);
        sim_end();
}
END_TEST

START_TEST(the_deaf_are_ended_in_parallel) {
        char config[40000] = "", name[400];

        PROGRAMS();
        for (unsigned i = 0; i < 50; i++) {
                snprintf(
                        name, sizeof(name),
                        "n%u: { command = [ \"%s\" ]; stop: { signals = \"TERM 2s, KILL\"; }; };\n",
                        i, i % 10 == 0 ? "/deaf" : "/quick");
                strcat(config, name);
        }
        run(config, 10 * SEC);
        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_uint_eq(sim_now(), 12 * SEC);
        ck_assert_int_eq(sim_said_forced(MESSAGE_SUPERVISOR_STOPPED), 5);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_FORCED, NULL), 5);
        sim_end();
}
END_TEST

START_TEST(a_slow_daemon_does_not_eat_up_another_s_time) {
        PROGRAMS();
        sim_begin_with(
                0, "drain_timeout = \"2s\";",
                "web: { command = [ \"/deaf\" ]; requires = [ \"db\" ]; "
                "drain: { signal = \"USR1\"; timeout = \"9s\"; }; stop: { signals = \"KILL\"; }; };"
                "db: { command = [ \"/deaf\" ]; drain: { signal = \"USR1\"; }; "
                "stop: { signals = \"KILL\"; }; };");
        sim_start();
        sim_run_until(SEC);
        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_uint_eq(sim_ordered_when("web", EVENT_DRAIN_DEADLINE), 10 * SEC);
        ck_assert_uint_eq(sim_ordered_when("db", EVENT_DRAIN_DEADLINE), 12 * SEC);
        ck_assert(!fake_notify_overdue());
        sim_end();
}
END_TEST

START_TEST(deadlines_may_fall_on_one_instant) {
        PROGRAMS();
        sim_begin_with(
                0, "freeze_timeout = \"1s\"; drain_timeout = \"1s\"; cleanup_timeout = \"1s\";",
                "a: { command = [ \"/deaf\" ]; freeze: { command = [ \"/hang\" ]; }; "
                "drain: { command = [ \"/hang\" ]; }; stop: { signals = \"TERM 1s, KILL\"; }; };"
                "b: { command = [ \"/deaf\" ]; freeze: { command = [ \"/hang\" ]; }; "
                "drain: { command = [ \"/hang\" ]; }; stop: { signals = \"TERM 1s, KILL\"; }; };");
        sim_start();
        sim_run_until(SEC);
        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_uint_eq(sim_now(), 4 * SEC);
        ck_assert_int_eq(sim_said_forced(MESSAGE_SUPERVISOR_STOPPED), 2);
        sim_end();
}
END_TEST

/* ---- signals ---- */

#define MIXED                                                                                      \
        SLOW(web, "requires = [ \"db\" ]; freeze: { signal = \"USR1\"; };")                        \
        DEAF_ONE(db, "freeze: { command = [ \"/hang\" ]; };") SLOW(other, "")

/* The orders of one stop, with these signals at these times. */
static char *orders_of(const int *signals, const usec_t *times, size_t count) {
        PROGRAMS();
        run(MIXED, 10 * SEC);
        for (size_t i = 0; i < count; i++) {
                sim_run_until(10 * SEC + times[i]);
                if (!sim_exited())
                        fake_signal(signals[i]);
        }
        sim_run_to_exit();
        char *orders = sim_orders();
        sim_end();
        return orders;
}

START_TEST(a_repeated_stop_changes_nothing) {
        static const int once[] = { SIGTERM };
        static const int often[] = { SIGTERM, SIGTERM, SIGINT,  SIGTERM,
                                     SIGHUP,  SIGTERM, SIGUSR1, SIGTERM };
        static const usec_t times[] = { 0, 0, MS, SEC, 2 * SEC, 5 * SEC, 6 * SEC, 8 * SEC };
        char *expected = orders_of(once, times, 1);
        char *actual = orders_of(often, times, ELEMENTSOF(often));

        ck_assert_str_eq(actual, expected);
        free(expected);
        free(actual);
}
END_TEST

START_TEST(a_repeated_stop_is_logged_once_per_phase) {
        PROGRAMS();
        run(MIXED, 10 * SEC);
        fake_signal(SIGTERM);
        while (!sim_exited()) {
                sim_run_for(10 * MS);
                fake_signal(SIGTERM);
        }
        ck_assert_uint_ge(sim_said(MESSAGE_STOP_REPEATED, NULL), 2);
        ck_assert_uint_le(sim_said(MESSAGE_STOP_REPEATED, NULL), 3);
        ck_assert_uint_eq(sim_said(MESSAGE_SUPERVISOR_STOPPING, NULL), 1);
        sim_end();
}
END_TEST

START_TEST(quit_goes_to_cleanup_at_once) {
        for (usec_t after = 0; after <= 9 * SEC; after += SEC) {
                PROGRAMS();
                run(MIXED, 10 * SEC);
                fake_signal(SIGTERM);
                sim_run_for(after);
                if (sim_exited()) {
                        sim_end();
                        continue;
                }
                bool cleaning = sim_mode() == MODE_CLEANING;
                fake_signal(SIGQUIT);
                sim_step();
                sim_run_for(0);
                sim_run_to_exit();
                if (!cleaning)
                        ck_assert_uint_le(sim_now(), 10 * SEC + after + 3 * SEC);
                sim_end();
        }
}
END_TEST

START_TEST(quit_alone_does_not_freeze) {
        PROGRAMS();
        run(MIXED, 10 * SEC);
        fake_signal(SIGQUIT);
        sim_run_to_exit();
        ck_assert_uint_eq(sim_ordered("web", EVENT_FREEZE), 0);
        ck_assert_uint_eq(sim_ordered("web", EVENT_DRAIN), 0);
        ck_assert_uint_eq(sim_now(), 13 * SEC); /* web 1 s, then db 2 s */
        sim_end();
}
END_TEST

START_TEST(a_stop_breaks_into_a_start) {
        PROGRAMS();
        run(CHAIN, 1500 * MS);
        ck_assert_int_eq(sim_mode(), MODE_STARTING);
        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_uint_eq(sim_ordered("web", EVENT_START), 0);
        ck_assert_uint_eq(fake_notify_count(NOTIFY_READY), 0);
        ck_assert_uint_eq(fake_notify_count(NOTIFY_STOPPING), 1);
        ck_assert_int_eq(sim_code(), 0);
        sim_end();
}
END_TEST

START_TEST(a_reload_stops_nothing) {
        static const struct {
                int outcome;
                MessageId message;
        } cases[] = {
                { 0, MESSAGE_RELOAD_DONE },
                { CONFIG_E_INVALID, MESSAGE_RELOAD_REFUSED },
                { -ENOMEM, MESSAGE_RELOAD_REFUSED },
        };

        PROGRAMS();
        run(QUICK(a, "") QUICK(b, ""), SEC);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                sim_set_reload(cases[i].outcome);
                fake_signal(SIGHUP);
                sim_run_for(SEC);
                ck_assert_uint_eq(fake_notify_count(NOTIFY_RELOADING), i + 1);
                ck_assert_uint_eq(fake_notify_count(NOTIFY_READY), i + 2);
                ck_assert_uint_eq(sim_said_when(cases[i].message, NULL), sim_now() - SEC);
                ck_assert_int_eq(sim_mode(), MODE_RUNNING);
                ck_assert_uint_eq(sim_population("a") + sim_population("b"), 2);
        }
        fake_signal(SIGTERM);
        sim_run_to_exit();
        sim_end();
}
END_TEST

START_TEST(a_storm_of_reloads_is_two_of_them) {
        PROGRAMS();
        run(QUICK(a, ""), SEC);
        for (int i = 0; i < 1000; i++) {
                fake_signal(SIGHUP);
                sim_run_for(100);
        }
        sim_run_for(10 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_RELOAD_DONE, NULL), 2);
        ck_assert_uint_eq(fake_timer_count(sim_loop()), 0);
        fake_signal(SIGTERM);
        sim_run_to_exit();
        sim_end();
}
END_TEST

START_TEST(a_reload_during_a_start_comes_after_it) {
        PROGRAMS();
        run(CHAIN, SEC / 2);
        fake_signal(SIGHUP);
        fake_signal(SIGUSR1);
        sim_run_until(2500 * MS);
        ck_assert_uint_eq(sim_said(MESSAGE_RELOAD_DONE, NULL), 0);
        ck_assert_uint_ge(sim_said(MESSAGE_STATE, NULL), 5);
        sim_run_until(5 * SEC);
        ck_assert_uint_eq(sim_said_when(MESSAGE_RELOAD_DONE, NULL), 3 * SEC);
        fake_signal(SIGTERM);
        sim_run_to_exit();
        sim_end();
}
END_TEST

/* ---- systemd ---- */

START_TEST(systemd_waits_as_long_as_it_takes) {
        PROGRAM(.path = "/very-slow", .acts = ACTS(NOTIFY(100 * SEC, "READY=1\n")),
                .reactions = REACTIONS(ON(SIGUSR1, EXIT(200 * SEC, 0))));
        run("a: { command = [ \"/very-slow\" ]; type = \"notify\"; ready: { timeout = \"150s\"; }; "
            "freeze: { signal = \"USR1\"; }; drain: { timeout = \"300s\"; }; };",
            120 * SEC);
        ck_assert(!fake_notify_overdue());
        ck_assert_int_eq(sim_mode(), MODE_RUNNING);
        fake_signal(SIGTERM);
        sim_run_until(150 * SEC);
        ck_assert_ptr_nonnull(strstr(fake_notify_status(), "drain: 1 of 1 left, slowest a"));
        sim_run_to_exit();
        ck_assert_uint_eq(sim_now(), 320 * SEC);
        ck_assert(!fake_notify_overdue());
        ck_assert_int_eq(sim_said_forced(MESSAGE_SUPERVISOR_STOPPED), 0);
        sim_end();
}
END_TEST

START_TEST(an_idle_supervisor_sleeps) {
        PROGRAMS();
        run(CHAIN, 10 * SEC);
        uint64_t before = fake_loop_dispatched(sim_loop());
        sim_run_until(100000 * SEC);
        ck_assert_uint_eq(fake_loop_dispatched(sim_loop()), before);
        fake_signal(SIGTERM);
        sim_run_to_exit();
        sim_end();
}
END_TEST

START_TEST(a_machine_that_stood_still_does_not_confuse_a_stop) {
        PROGRAMS();
        run(MIXED, 10 * SEC);
        fake_signal(SIGTERM);
        sim_run_for(SEC);
        sim_sleep(1000 * SEC);
        sim_run_to_exit();
        ck_assert_uint_eq(world_population(NULL), 0);
        sim_end();
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sim_service");
        TCase *order = tcase_create("order");
        TCase *signals = tcase_create("signals");

        tcase_add_test(order, a_start_waits_for_readiness_and_is_parallel);
        tcase_add_test(order, after_is_content_with_a_failure_requires_is_not);
        tcase_add_test(order, what_is_required_and_comes_back_is_waited_for);
        tcase_add_test(order, who_requires_a_daemon_stops_with_it);
        tcase_add_test(order, a_stop_takes_over_one_of_some);
        tcase_add_test(order, an_essential_daemon_takes_all_with_it);
        tcase_add_test(order, barriers_stand_between_the_phases);
        tcase_add_test(order, dependents_drain_before_what_they_need);
        tcase_add_test(order, the_deaf_are_ended_in_parallel);
        tcase_add_test(order, a_slow_daemon_does_not_eat_up_another_s_time);
        tcase_add_test(order, deadlines_may_fall_on_one_instant);
        suite_add_tcase(suite, order);

        tcase_add_test(signals, a_repeated_stop_changes_nothing);
        tcase_add_test(signals, a_repeated_stop_is_logged_once_per_phase);
        tcase_add_test(signals, quit_goes_to_cleanup_at_once);
        tcase_add_test(signals, quit_alone_does_not_freeze);
        tcase_add_test(signals, a_stop_breaks_into_a_start);
        tcase_add_test(signals, a_reload_stops_nothing);
        tcase_add_test(signals, a_storm_of_reloads_is_two_of_them);
        tcase_add_test(signals, a_reload_during_a_start_comes_after_it);
        tcase_add_test(signals, systemd_waits_as_long_as_it_takes);
        tcase_add_test(signals, an_idle_supervisor_sleeps);
        tcase_add_test(signals, a_machine_that_stood_still_does_not_confuse_a_stop);
        suite_add_tcase(suite, signals);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
