/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The small decisions: start order, restarts, the supervisor's modes, status texts.
 */

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "model/mode.h"
#include "model/restart.h"
#include "model/start.h"
#include "model/status.h"
#include "unit.h"

#define S(seconds) ((usec_t) (seconds) *USEC_PER_SEC)

/* start: node 0 requires 1 and comes after 2 */

static StartVerdict verdict(DaemonState one,
                            bool one_pending,
                            DaemonState two,
                            bool two_pending,
                            unsigned *ret_because) {
        CLEANUP(graph_freep) Graph *graph = NULL;
        GraphInput edges[] = { { 0, 1, true }, { 0, 2, false } };
        DaemonState states[] = { STATE_STOPPED, one, two };
        bool pending[] = { true, one_pending, two_pending };
        bool paused[] = { false, one == STATE_FROZEN, two == STATE_DRAINED };
        StartView view = { states, pending, paused };

        *ret_because = UINT_MAX;
        ck_assert_int_eq(graph_new(3, edges, ELEMENTSOF(edges), &graph), 0);
        return start_verdict(graph, &view, 0, ret_because);
}

START_TEST(start_waits_for_readiness) {
        unsigned because;

        ck_assert_int_eq(verdict(STATE_RUNNING, false, STATE_RUNNING, false, &because), START_NOW);
        ck_assert_int_eq(verdict(STATE_PROBING, false, STATE_RUNNING, false, &because), START_WAIT);
        ck_assert_uint_eq(because, 1);
        ck_assert_int_eq(verdict(STATE_RUNNING, false, STATE_STARTING, false, &because),
                         START_WAIT);
        ck_assert_uint_eq(because, 2);
        ck_assert_int_eq(verdict(STATE_STOPPED, true, STATE_RUNNING, false, &because), START_WAIT);
        ck_assert_int_eq(verdict(STATE_SWEEPING, false, STATE_RUNNING, false, &because),
                         START_WAIT);
}
END_TEST

START_TEST(start_is_blocked_only_by_what_is_required) {
        unsigned because;

        ck_assert_int_eq(verdict(STATE_FAILED, false, STATE_RUNNING, false, &because),
                         START_BLOCKED);
        ck_assert_uint_eq(because, 1);
        ck_assert_int_eq(verdict(STATE_STOPPED, false, STATE_STARTING, false, &because),
                         START_BLOCKED);
        ck_assert_int_eq(verdict(STATE_RUNNING, false, STATE_FAILED, false, &because), START_NOW);
        ck_assert_int_eq(verdict(STATE_RUNNING, false, STATE_DELAYED, false, &because), START_NOW);
        ck_assert_int_eq(verdict(STATE_DELAYED, false, STATE_RUNNING, false, &because), START_WAIT);
}
END_TEST

START_TEST(start_waits_for_an_operator_only_if_it_has_to) {
        unsigned because;

        ck_assert_int_eq(verdict(STATE_FROZEN, false, STATE_RUNNING, false, &because), START_WAIT);
        ck_assert_uint_eq(because, 1);
        ck_assert_int_eq(verdict(STATE_RUNNING, false, STATE_DRAINED, false, &because), START_NOW);
        /* not paused: in a stop, it is on the way to its rest */
        ck_assert_int_eq(verdict(STATE_RUNNING, false, STATE_FROZEN, false, &because), START_WAIT);
        ck_assert_uint_eq(because, 2);
}
END_TEST

/* restart */

static const DaemonConfig restarting = {
        .restart = { RESTART_ALWAYS, .delay = S(1), .delay_max = S(5), .reset = S(60), .limit = 3,
                     .window = USEC_INFINITY },
};

START_TEST(restart_delays_grow_and_end) {
        RestartHistory history = { 0 };
        usec_t delay, now = S(100);
        static const usec_t expected[] = { S(1), S(2), S(4) };

        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                history.started = now;
                ck_assert_int_eq(restart_decide(&restarting, &history, false, now, &delay),
                                 RESTART_RETRY);
                ck_assert_uint_eq(delay, expected[i]);
        }
        history.started = now;
        ck_assert_int_eq(restart_decide(&restarting, &history, false, now, &delay),
                         RESTART_AT_LIMIT);
}
END_TEST

START_TEST(restart_delay_has_a_cap) {
        DaemonConfig config = restarting;
        RestartHistory history = { .in_a_row = 63, .started = S(100) };
        usec_t delay;

        config.restart.limit = 0;
        ck_assert_int_eq(restart_decide(&config, &history, false, S(100), &delay), RESTART_RETRY);
        ck_assert_uint_eq(delay, S(5));
}
END_TEST

START_TEST(restart_after_a_long_run_is_at_once) {
        RestartHistory history = { .in_a_row = 3, .started = S(100) };
        usec_t delay;

        ck_assert_int_eq(restart_decide(&restarting, &history, false, S(160), &delay),
                         RESTART_RETRY);
        ck_assert_uint_eq(delay, 0);
        ck_assert_uint_eq(history.in_a_row, 1);
}
END_TEST

/* Those that died together are not started together; whoever ran long enough does not wait. */
START_TEST(restart_jitter_differs_by_name) {
        DaemonConfig config = restarting;
        usec_t delays[100], now = S(100);
        unsigned equal = 0;

        config.restart.jitter = 10;
        for (unsigned i = 0; i < ELEMENTSOF(delays); i++) {
                RestartHistory history = { .started = now };
                char name[16];

                snprintf(name, sizeof(name), "web-%u", i);
                config.name = name;
                ck_assert_int_eq(restart_decide(&config, &history, false, now, &delays[i]),
                                 RESTART_RETRY);
                ck_assert_uint_ge(delays[i], S(1));
                ck_assert_uint_le(delays[i], S(1) + S(1) / 10);
                for (unsigned j = 0; j < i; j++)
                        equal += delays[j] == delays[i];

                history = (RestartHistory){ .started = now };
                ck_assert_int_eq(restart_decide(&config, &history, false, now + S(1), &delays[i]),
                                 RESTART_RETRY);
                ck_assert_uint_eq(delays[i], 0);
        }
        ck_assert_uint_lt(equal, 20);
}
END_TEST

START_TEST(restart_limit_in_a_window) {
        DaemonConfig config = restarting;
        RestartHistory history = { 0 };
        char text[RESTART_TEXT_MAX];
        usec_t delay;

        config.restart.window = S(300);
        for (unsigned i = 0; i < 3; i++) { /* each run is a long one */
                history.started = S(100 * i);
                ck_assert_int_eq(restart_decide(&config, &history, false, S(100 * i + 90), &delay),
                                 RESTART_RETRY);
                ck_assert_uint_eq(history.in_a_row, 1);
        }
        ck_assert_str_eq(restart_count_text(text, &config, &history, S(290)), "restart 3 of 3");
        ck_assert_int_eq(restart_decide(&config, &history, false, S(389), &delay),
                         RESTART_AT_LIMIT);
        ck_assert_str_eq(restart_limit_text(text, &config, &history, S(130)), "3 restarts in 40 s");
        ck_assert_int_eq(restart_decide(&config, &history, false, S(390), &delay), RESTART_RETRY);
        restart_forget(&history);
        ck_assert_int_eq(restart_decide(&config, &history, false, S(391), &delay), RESTART_RETRY);
        ck_assert_str_eq(restart_count_text(text, &config, &history, S(391)), "restart 1 of 3");
}
END_TEST

START_TEST(restart_policies) {
        DaemonConfig config = restarting;
        RestartHistory history = { .started = S(100) };
        usec_t delay;

        ck_assert_int_eq(restart_decide(&config, &history, true, S(100), &delay), RESTART_RETRY);
        config.restart.policy = RESTART_ON_FAILURE;
        ck_assert_int_eq(restart_decide(&config, &history, true, S(100), &delay), RESTART_REST);
        ck_assert_int_eq(restart_decide(&config, &history, false, S(100), &delay), RESTART_RETRY);
        config.restart.policy = RESTART_NEVER;
        ck_assert_int_eq(restart_decide(&config, &history, true, S(100), &delay), RESTART_REST);
        ck_assert_int_eq(restart_decide(&config, &history, false, S(100), &delay), RESTART_GIVE_UP);
}
END_TEST

/* mode */

START_TEST(mode_names_are_complete) {
        for (int m = 0; m < MODE_MAX_; m++)
                ck_assert_ptr_nonnull(mode_name(m));
        for (int e = 0; e < MODE_EVENT_MAX_; e++)
                ck_assert_ptr_nonnull(mode_event_name(e));
        for (int a = MODE_BUG; a <= MODE_FINISH; a++)
                ck_assert_ptr_nonnull(mode_action_name(a));
}
END_TEST

START_TEST(signals_are_taken_in_every_mode) {
        static const ModeEvent signals[] = { MODE_EVENT_STOP, MODE_EVENT_QUIT, MODE_EVENT_RELOAD };

        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                Mode mode = (Mode) _i;
                ck_assert_int_ne(mode_step(&mode, signals[i]), MODE_BUG);
        }
}
END_TEST

START_TEST(a_stop_breaks_in_and_cannot_be_revoked) {
        static const Mode from[] = { MODE_STARTING, MODE_RUNNING, MODE_RELOADING };

        for (size_t i = 0; i < ELEMENTSOF(from); i++) {
                Mode mode = from[i];
                ck_assert_int_eq(mode_step(&mode, MODE_EVENT_STOP), MODE_BEGIN_STOP);
                ck_assert_int_eq(mode, MODE_FREEZING);
                ck_assert_int_eq(mode_step(&mode, MODE_EVENT_STOP), MODE_REPEAT);
                ck_assert_int_eq(mode_step(&mode, MODE_EVENT_RELOAD), MODE_IGNORE);
                ck_assert_int_eq(mode_step(&mode, MODE_EVENT_SETTLED), MODE_IGNORE);
                ck_assert_int_eq(mode_step(&mode, MODE_EVENT_QUIT), MODE_HURRY);
                ck_assert_int_eq(mode_step(&mode, MODE_EVENT_CLEANUP_BEGUN), MODE_ENTER);
                ck_assert_int_eq(mode, MODE_CLEANING);
                ck_assert_int_eq(mode_step(&mode, MODE_EVENT_ALL_AT_REST), MODE_FINISH);
                ck_assert_int_eq(mode, MODE_EXITED);
        }
}
END_TEST

START_TEST(reloads_coalesce) {
        Mode mode = MODE_STARTING;

        ck_assert_int_eq(mode_step(&mode, MODE_EVENT_RELOAD), MODE_POSTPONE);
        ck_assert_int_eq(mode_step(&mode, MODE_EVENT_SETTLED), MODE_ENTER);
        ck_assert_int_eq(mode_step(&mode, MODE_EVENT_RELOAD), MODE_BEGIN_RELOAD);
        ck_assert_int_eq(mode_step(&mode, MODE_EVENT_RELOAD), MODE_POSTPONE);
        ck_assert_int_eq(mode_step(&mode, MODE_EVENT_RELOADED), MODE_ENTER);
        ck_assert_int_eq(mode, MODE_RUNNING);
}
END_TEST

/* status */

START_TEST(status_while_running) {
        char text[STATUS_TEXT_MAX];

        status_text(text, MODE_RUNNING, &(StatusCounts){ .total = 5, .running = 5 });
        ck_assert_str_eq(text, "running: 5 of 5 daemons");
        status_text(text, MODE_RUNNING, &(StatusCounts){ .total = 1 });
        ck_assert_str_eq(text, "running: 0 of 1 daemon");
        status_text(
                text, MODE_STARTING,
                &(StatusCounts){ .total = 5, .running = 3, .starting = 2, .starting_name = "db" });
        ck_assert_str_eq(text, "starting: 3 of 5 ready, 2 starting (db, …)");
        status_text(
                text, MODE_RUNNING,
                &(StatusCounts){
                        .total = 3, .running = 1, .delayed = 1, .failed = 1, .failed_name = "x" });
        ck_assert_str_eq(text, "running: 1 of 3 daemons, 1 waiting to be restarted, 1 failed (x)");
}
END_TEST

START_TEST(status_while_stopping) {
        char text[STATUS_TEXT_MAX];
        SequenceProgress progress = {
                .phase = PHASE_DRAIN,
                .latest = S(120),
                .total = 7,
                .left = 3,
                .forced_in_all = 1,
                .slowest_since = S(100),
        };

        status_text_stopping(text, &progress, "web", "", S(112));
        ck_assert_str_eq(
                text, "drain: 3 of 7 left, slowest web (12 s), 8.00 s to the deadline, 1 forced");
        status_text_stopping(text, &progress, "web", "2 waiting, 1 busy", S(112));
        ck_assert_str_eq(text, "drain: 3 of 7 left, slowest web (12 s; 2 waiting, 1 busy), 8.00 s "
                               "to the deadline, 1 forced");
        progress.left = progress.forced_in_all = 0;
        status_text_stopping(text, &progress, NULL, "", S(112));
        ck_assert_str_eq(text, "drain: 0 of 7 left");
}
END_TEST

START_TEST(status_is_cut_and_terminated) {
        char text[STATUS_TEXT_MAX], name[2 * STATUS_TEXT_MAX];

        memset(name, 'x', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        status_text(text, MODE_STARTING,
                    &(StatusCounts){ .total = 1, .starting = 1, .starting_name = name });
        ck_assert_uint_eq(strlen(text), STATUS_TEXT_MAX - 1);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("model/policy");
        TCase *tcase = tcase_create("policy");

        tcase_add_test(tcase, start_waits_for_readiness);
        tcase_add_test(tcase, start_is_blocked_only_by_what_is_required);
        tcase_add_test(tcase, start_waits_for_an_operator_only_if_it_has_to);
        tcase_add_test(tcase, restart_delays_grow_and_end);
        tcase_add_test(tcase, restart_delay_has_a_cap);
        tcase_add_test(tcase, restart_after_a_long_run_is_at_once);
        tcase_add_test(tcase, restart_jitter_differs_by_name);
        tcase_add_test(tcase, restart_limit_in_a_window);
        tcase_add_test(tcase, restart_policies);
        tcase_add_test(tcase, mode_names_are_complete);
        tcase_add_loop_test(tcase, signals_are_taken_in_every_mode, 0, MODE_MAX_);
        tcase_add_test(tcase, a_stop_breaks_in_and_cannot_be_revoked);
        tcase_add_test(tcase, reloads_coalesce);
        tcase_add_test(tcase, status_while_running);
        tcase_add_test(tcase, status_while_stopping);
        tcase_add_test(tcase, status_is_cut_and_terminated);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
