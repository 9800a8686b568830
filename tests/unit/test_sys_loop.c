/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/loop: the order within a round, sources that end themselves or each other, failures.
 */

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"
#include "unit.h"

START_TEST(test_exit_code) {
        Probe probe = { .letter = 'a', .action = PROBE_EXIT, .code = 42 };

        probe_arm_defer(&probe, LOOP_NORMAL);
        ck_assert_int_eq(loop_run(probe_loop), 42);
        loop_source_free(probe.source);
}
END_TEST

START_TEST(test_order_of_a_round) {
        Probe stop = { .letter = 's' }, io = { .letter = 'i' }, timer = { .letter = 't' };
        Probe reload = { .letter = 'r' }, settle = { .letter = 'z' };
        int fds[2];

        io.fd = -1;
        io.action = PROBE_FREE_ITSELF;
        probe_arm_defer(&settle, LOOP_SETTLE);
        probe_add_timer(&timer, LOOP_TIMER);
        ck_assert_int_eq(loop_timer_set(timer.source, 1), 0);
        probe_add_signal(&reload, SIGHUP, LOOP_NORMAL);
        probe_add_pipe(&io, fds, LOOP_NOTIFY);
        probe_add_signal(&stop, SIGTERM, LOOP_STOP);
        ck_assert_int_eq(raise(SIGHUP), 0);
        ck_assert_int_eq(raise(SIGTERM), 0);

        probe_run_out();
        ck_assert_str_eq(probe_trace, "sirtz.");

        loop_source_free(stop.source);
        loop_source_free(timer.source);
        loop_source_free(reload.source);
        loop_source_free(settle.source);
        probe_close_pipe(fds);
}
END_TEST

START_TEST(test_signal_has_a_sender) {
        Probe probe = { .letter = 's' };
        int status;

        probe_add_signal(&probe, SIGUSR1, LOOP_NORMAL);
        ck_assert_int_eq(loop_signal_sender(probe.source).pid, 0);
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                _exit(kill(getppid(), SIGUSR1) == 0 ? 0 : 1);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        probe_run_out();
        ck_assert_str_eq(probe_trace, "s.");
        ck_assert_int_eq(loop_signal_sender(probe.source).pid, pid);
        ck_assert_uint_eq(loop_signal_sender(probe.source).uid, getuid());
        loop_source_free(probe.source);
}
END_TEST

START_TEST(test_signals_coalesce) {
        Probe probe = { .letter = 'u' };
        sigset_t mask;

        probe_add_signal(&probe, SIGUSR1, LOOP_NORMAL);
        ck_assert_int_eq(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
        ck_assert_int_eq(sigismember(&mask, SIGUSR1), 1);
        for (int i = 0; i < 100; i++)
                ck_assert_int_eq(raise(SIGUSR1), 0);

        probe_run_out();
        ck_assert_str_eq(probe_trace, "u.");
        loop_source_free(probe.source);
}
END_TEST

START_TEST(test_defer_is_disarmed_at_first) {
        Probe probe = { .letter = 'a' };

        probe_add_defer(&probe, LOOP_NORMAL);
        probe_run_out();
        ck_assert_str_eq(probe_trace, ".");
        loop_source_free(probe.source);
}
END_TEST

START_TEST(test_defer_runs_once) {
        Probe probe = { .letter = 'a' };

        probe_arm_defer(&probe, LOOP_NORMAL);
        ck_assert_int_eq(loop_defer_arm(probe.source), 0);
        ck_assert_int_eq(loop_defer_arm(probe.source), 0);
        probe_run_out();
        ck_assert_str_eq(probe_trace, "a.");
        loop_source_free(probe.source);
}
END_TEST

START_TEST(test_defer_arms_itself) {
        Probe probe = { .letter = 'a', .action = PROBE_AGAIN, .again = 3 };

        probe_arm_defer(&probe, LOOP_NORMAL);
        probe_run_out();
        ck_assert_str_eq(probe_trace, "aaaa.");
        loop_source_free(probe.source);
}
END_TEST

/* However many things happened in a round: they are looked at once, behind all of them. */
START_TEST(test_settle_sees_everything) {
        Probe settle = { .letter = 'z' };
        Probe probes[5];
        int fds[5][2];

        probe_add_defer(&settle, LOOP_SETTLE);
        for (size_t i = 0; i < ELEMENTSOF(probes); i++) {
                probes[i] = (Probe){ .letter = 'c', .action = PROBE_ARM_OTHER, .other = &settle };
                probe_add_pipe(&probes[i], fds[i], LOOP_CHILD);
                probes[i].fd = fds[i][0];
        }

        probe_run_out();
        ck_assert_str_eq(probe_trace, "cccccz.");

        for (size_t i = 0; i < ELEMENTSOF(probes); i++) {
                loop_source_free(probes[i].source);
                probe_close_pipe(fds[i]);
        }
        loop_source_free(settle.source);
}
END_TEST

/* Looks may be due all the time, if each takes as long as it is until the next one. */
START_TEST(test_settle_does_not_wait_for_looks) {
        Probe look = { .letter = 'l', .action = PROBE_AGAIN, .again = 3 };
        Probe settle = { .letter = 'z' };

        probe_arm_defer(&look, LOOP_PROBE);
        probe_arm_defer(&settle, LOOP_SETTLE);
        probe_run_out();
        ck_assert_str_eq(probe_trace, "zllll.");
        loop_source_free(look.source);
        loop_source_free(settle.source);
}
END_TEST

START_TEST(test_free_itself) {
        Probe defer = { .letter = 'd', .action = PROBE_FREE_ITSELF };
        Probe timer = { .letter = 't', .action = PROBE_FREE_ITSELF };
        Probe signal = { .letter = 's', .action = PROBE_FREE_ITSELF };
        Probe io = { .letter = 'i', .action = PROBE_FREE_ITSELF, .fd = -1 };
        int fds[2];

        probe_arm_defer(&defer, LOOP_SETTLE);
        probe_add_timer(&timer, LOOP_TIMER);
        ck_assert_int_eq(loop_timer_set(timer.source, 1), 0);
        probe_add_signal(&signal, SIGUSR1, LOOP_NORMAL);
        ck_assert_int_eq(raise(SIGUSR1), 0);
        probe_add_pipe(&io, fds, LOOP_NOTIFY);

        probe_run_out();
        ck_assert_str_eq(probe_trace, "istd.");
        probe_close_pipe(fds);
}
END_TEST

START_TEST(test_free_pending_other) {
        Probe victim = { .letter = 'v' };
        Probe probe = { .letter = 'p', .action = PROBE_FREE_OTHER, .other = &victim };

        probe_arm_defer(&victim, LOOP_SETTLE);
        probe_arm_defer(&probe, LOOP_NORMAL);
        probe_run_out();
        ck_assert_str_eq(probe_trace, "p.");
        loop_source_free(probe.source);
}
END_TEST

START_TEST(test_failure_ends_the_loop) {
        Probe probe = { .letter = 'f', .action = PROBE_FAIL };
        Probe never = { .letter = 'n' };

        probe_arm_defer(&probe, LOOP_NORMAL);
        probe_arm_defer(&never, LOOP_SETTLE);
        ck_assert_int_eq(loop_run(probe_loop), PROBE_FAILURE);
        ck_assert_str_eq(probe_trace, "f");
        loop_source_free(probe.source);
        loop_source_free(never.source);
}
END_TEST

START_TEST(test_failure_of_io) {
        Probe probe = { .letter = 'f', .action = PROBE_FAIL, .fd = -1 };
        int fds[2];

        probe_add_pipe(&probe, fds, LOOP_NORMAL);
        ck_assert_int_eq(loop_run(probe_loop), PROBE_FAILURE);
        loop_source_free(probe.source);
        probe_close_pipe(fds);
}
END_TEST

/* Without its limit the flood would be dispatched for ever and nothing else ever. */
START_TEST(test_limited_flood) {
        Probe flood = { .letter = 'f', .fd = -1 };
        Probe settle = { .letter = 'z', .action = PROBE_EXIT };
        int fds[2];

        probe_add_pipe(&flood, fds, LOOP_NOTIFY);
        ck_assert_int_eq(loop_io_limit(flood.source, USEC_PER_SEC, 3), 0);
        probe_arm_defer(&settle, LOOP_SETTLE);
        ck_assert_int_eq(loop_run(probe_loop), 0);
        ck_assert_str_eq(probe_trace, "fffz");
        loop_source_free(flood.source);
        loop_source_free(settle.source);
        probe_close_pipe(fds);
}
END_TEST

/* What clients do is not counted: it says nothing about the daemons. */
START_TEST(test_work_is_counted) {
        Probe settle = { .letter = 's' }, timer = { .letter = 't' };
        Probe client = { .letter = 'c' }, accepting = { .letter = 'a' };

        probe_arm_defer(&settle, LOOP_SETTLE);
        probe_add_timer(&timer, LOOP_TIMER);
        ck_assert_int_eq(loop_timer_set(timer.source, 1), 0);
        probe_arm_defer(&client, LOOP_CLIENT);
        probe_arm_defer(&accepting, LOOP_ACCEPT);
        ck_assert_uint_eq(loop_work(probe_loop), 0);
        probe_run_out();
        ck_assert_str_eq(probe_trace, "tsca.");
        ck_assert_uint_eq(loop_work(probe_loop), 2);

        loop_source_free(settle.source);
        loop_source_free(timer.source);
        loop_source_free(client.source);
        loop_source_free(accepting.source);
}
END_TEST

START_TEST(test_sources_outlive_the_loop) {
        Probe defer = { .letter = 'd' }, timer = { .letter = 't' };

        probe_arm_defer(&defer, LOOP_NORMAL);
        probe_add_timer(&timer, LOOP_TIMER);
        probe_loop = loop_free(probe_loop);
        ck_assert_ptr_null(loop_source_free(defer.source));
        ck_assert_ptr_null(loop_source_free(timer.source));
        ck_assert_ptr_null(loop_source_free(NULL));
        ck_assert_ptr_null(loop_free(NULL));
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sys/loop");
        TCase *tcase = tcase_create("loop");

        tcase_add_checked_fixture(tcase, probe_setup, probe_teardown);
        tcase_add_test(tcase, test_exit_code);
        tcase_add_test(tcase, test_order_of_a_round);
        tcase_add_test(tcase, test_signal_has_a_sender);
        tcase_add_test(tcase, test_signals_coalesce);
        tcase_add_test(tcase, test_defer_is_disarmed_at_first);
        tcase_add_test(tcase, test_defer_runs_once);
        tcase_add_test(tcase, test_defer_arms_itself);
        tcase_add_test(tcase, test_settle_sees_everything);
        tcase_add_test(tcase, test_settle_does_not_wait_for_looks);
        tcase_add_test(tcase, test_free_itself);
        tcase_add_test(tcase, test_free_pending_other);
        tcase_add_test(tcase, test_failure_ends_the_loop);
        tcase_add_test(tcase, test_failure_of_io);
        tcase_add_test(tcase, test_limited_flood);
        tcase_add_test(tcase, test_work_is_counted);
        tcase_add_test(tcase, test_sources_outlive_the_loop);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
