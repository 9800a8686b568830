/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/loop: the order within a round, sources that end themselves or each other, failures.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "sys/loop.h"
#include "unit.h"

#define FAILURE (-ENOTRECOVERABLE)

static Loop *loop;

/* What ran, in order: one letter each. */
static char trace[64];
static size_t trace_length;

static void setup(void) {
        trace_length = 0;
        memset(trace, 0, sizeof(trace));
        ck_assert_int_eq(loop_new(&loop), 0);
}

static void teardown(void) {
        loop = loop_free(loop);
}

static void trace_add(char letter) {
        ck_assert_uint_lt(trace_length, sizeof(trace) - 1);
        trace[trace_length++] = letter;
}

/* A handler with its source; what it does is written in `action`. */
typedef enum Action {
        ACTION_NOTHING,
        ACTION_FREE_ITSELF,
        ACTION_FREE_OTHER,
        ACTION_ARM_OTHER,
        ACTION_AGAIN, /* a defer source arms itself */
        ACTION_FAIL,
        ACTION_EXIT,
} Action;

typedef struct Probe Probe;

struct Probe {
        char letter;
        Action action;
        LoopSource *source;
        Probe *other;
        int code;
        int fd; /* read empty when it runs; -1: none */
        unsigned again;
};

static int probe_run(void *userdata) {
        Probe *probe = userdata;

        trace_add(probe->letter);
        switch (probe->action) {
        case ACTION_NOTHING:
                return 0;
        case ACTION_FREE_ITSELF:
                probe->source = loop_source_free(probe->source);
                return 0;
        case ACTION_FREE_OTHER:
                probe->other->source = loop_source_free(probe->other->source);
                return 0;
        case ACTION_ARM_OTHER:
                return loop_defer_arm(probe->other->source);
        case ACTION_AGAIN:
                return probe->again-- > 0 ? loop_defer_arm(probe->source) : 0;
        case ACTION_FAIL:
                return FAILURE;
        case ACTION_EXIT:
                return loop_exit(loop, probe->code);
        }
        return FAILURE;
}

static int probe_run_io(void *userdata, uint32_t revents) {
        Probe *probe = userdata;
        char byte;

        ck_assert_uint_ne(revents & EPOLLIN, 0);
        if (probe->fd >= 0)
                while (read(probe->fd, &byte, 1) == 1)
                        ;
        return probe_run(probe);
}

static int probe_run_inotify(void *userdata, const struct inotify_event *event) {
        ck_assert_uint_ne(event->mask & IN_CREATE, 0);
        ck_assert_str_eq(event->name, "file");
        return probe_run(userdata);
}

static void add_defer(Probe *probe, LoopPriority priority) {
        ck_assert_int_eq(loop_add_defer(loop, &probe->source, priority, "test", probe_run, probe),
                         0);
}

static void arm_defer(Probe *probe, LoopPriority priority) {
        add_defer(probe, priority);
        ck_assert_int_eq(loop_defer_arm(probe->source), 0);
}

static void add_timer(Probe *probe, LoopPriority priority) {
        ck_assert_int_eq(loop_add_timer(loop, &probe->source, priority, "test", probe_run, probe),
                         0);
}

static void add_signal(Probe *probe, int signo, LoopPriority priority) {
        ck_assert_int_eq(
                loop_add_signal(loop, &probe->source, signo, priority, "test", probe_run, probe),
                0);
}

/* A pipe with something in it, whose reading end is watched. */
static void add_pipe(Probe *probe, int fds[2], LoopPriority priority) {
        ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
        ck_assert_int_eq(write(fds[1], "x", 1), 1);
        ck_assert_int_eq(loop_add_io(loop, &probe->source, fds[0], EPOLLIN, priority, "test",
                                     probe_run_io, probe),
                         0);
}

static void close_pipe(int fds[2]) {
        fd_close(fds[0]);
        fd_close(fds[1]);
}

/* Runs until nothing is left to do, by a source less important than all others. */
static void run_out(void) {
        Probe last = { .letter = '.', .action = ACTION_EXIT, .code = 7 };

        arm_defer(&last, LOOP_SETTLE + 100);
        ck_assert_int_eq(loop_run(loop), 7);
        loop_source_free(last.source);
}

START_TEST(test_exit_code) {
        Probe probe = { .letter = 'a', .action = ACTION_EXIT, .code = 42 };

        arm_defer(&probe, LOOP_NORMAL);
        ck_assert_int_eq(loop_run(loop), 42);
        loop_source_free(probe.source);
}
END_TEST

START_TEST(test_order_of_a_round) {
        Probe stop = { .letter = 's' }, io = { .letter = 'i' }, timer = { .letter = 't' };
        Probe reload = { .letter = 'r' }, settle = { .letter = 'z' };
        int fds[2];

        io.fd = -1;
        io.action = ACTION_FREE_ITSELF;
        arm_defer(&settle, LOOP_SETTLE);
        add_timer(&timer, LOOP_TIMER);
        ck_assert_int_eq(loop_timer_set(timer.source, 1), 0);
        add_signal(&reload, SIGHUP, LOOP_NORMAL);
        add_pipe(&io, fds, LOOP_NOTIFY);
        add_signal(&stop, SIGTERM, LOOP_STOP);
        ck_assert_int_eq(raise(SIGHUP), 0);
        ck_assert_int_eq(raise(SIGTERM), 0);

        run_out();
        ck_assert_str_eq(trace, "sirtz.");

        loop_source_free(stop.source);
        loop_source_free(timer.source);
        loop_source_free(reload.source);
        loop_source_free(settle.source);
        close_pipe(fds);
}
END_TEST

START_TEST(test_signals_coalesce) {
        Probe probe = { .letter = 'u' };
        sigset_t mask;

        add_signal(&probe, SIGUSR1, LOOP_NORMAL);
        ck_assert_int_eq(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
        ck_assert_int_eq(sigismember(&mask, SIGUSR1), 1);
        for (int i = 0; i < 100; i++)
                ck_assert_int_eq(raise(SIGUSR1), 0);

        run_out();
        ck_assert_str_eq(trace, "u.");
        loop_source_free(probe.source);
}
END_TEST

START_TEST(test_defer_is_disarmed_at_first) {
        Probe probe = { .letter = 'a' };

        add_defer(&probe, LOOP_NORMAL);
        run_out();
        ck_assert_str_eq(trace, ".");
        loop_source_free(probe.source);
}
END_TEST

START_TEST(test_defer_runs_once) {
        Probe probe = { .letter = 'a' };

        arm_defer(&probe, LOOP_NORMAL);
        ck_assert_int_eq(loop_defer_arm(probe.source), 0);
        ck_assert_int_eq(loop_defer_arm(probe.source), 0);
        run_out();
        ck_assert_str_eq(trace, "a.");
        loop_source_free(probe.source);
}
END_TEST

START_TEST(test_defer_arms_itself) {
        Probe probe = { .letter = 'a', .action = ACTION_AGAIN, .again = 3 };

        arm_defer(&probe, LOOP_NORMAL);
        run_out();
        ck_assert_str_eq(trace, "aaaa.");
        loop_source_free(probe.source);
}
END_TEST

/* However many things happened in a round: they are looked at once, behind all of them. */
START_TEST(test_settle_sees_everything) {
        Probe settle = { .letter = 'z' };
        Probe probes[5];
        int fds[5][2];

        add_defer(&settle, LOOP_SETTLE);
        for (size_t i = 0; i < ELEMENTSOF(probes); i++) {
                probes[i] = (Probe){ .letter = 'c', .action = ACTION_ARM_OTHER, .other = &settle };
                add_pipe(&probes[i], fds[i], LOOP_CHILD);
                probes[i].fd = fds[i][0];
        }

        run_out();
        ck_assert_str_eq(trace, "cccccz.");

        for (size_t i = 0; i < ELEMENTSOF(probes); i++) {
                loop_source_free(probes[i].source);
                close_pipe(fds[i]);
        }
        loop_source_free(settle.source);
}
END_TEST

START_TEST(test_free_itself) {
        Probe defer = { .letter = 'd', .action = ACTION_FREE_ITSELF };
        Probe timer = { .letter = 't', .action = ACTION_FREE_ITSELF };
        Probe signal = { .letter = 's', .action = ACTION_FREE_ITSELF };
        Probe io = { .letter = 'i', .action = ACTION_FREE_ITSELF, .fd = -1 };
        int fds[2];

        arm_defer(&defer, LOOP_SETTLE);
        add_timer(&timer, LOOP_TIMER);
        ck_assert_int_eq(loop_timer_set(timer.source, 1), 0);
        add_signal(&signal, SIGUSR1, LOOP_NORMAL);
        ck_assert_int_eq(raise(SIGUSR1), 0);
        add_pipe(&io, fds, LOOP_NOTIFY);

        run_out();
        ck_assert_str_eq(trace, "istd.");
        close_pipe(fds);
}
END_TEST

START_TEST(test_free_pending_other) {
        Probe victim = { .letter = 'v' };
        Probe probe = { .letter = 'p', .action = ACTION_FREE_OTHER, .other = &victim };

        arm_defer(&victim, LOOP_SETTLE);
        arm_defer(&probe, LOOP_NORMAL);
        run_out();
        ck_assert_str_eq(trace, "p.");
        loop_source_free(probe.source);
}
END_TEST

START_TEST(test_failure_ends_the_loop) {
        Probe probe = { .letter = 'f', .action = ACTION_FAIL };
        Probe never = { .letter = 'n' };

        arm_defer(&probe, LOOP_NORMAL);
        arm_defer(&never, LOOP_SETTLE);
        ck_assert_int_eq(loop_run(loop), FAILURE);
        ck_assert_str_eq(trace, "f");
        loop_source_free(probe.source);
        loop_source_free(never.source);
}
END_TEST

START_TEST(test_failure_of_io) {
        Probe probe = { .letter = 'f', .action = ACTION_FAIL, .fd = -1 };
        int fds[2];

        add_pipe(&probe, fds, LOOP_NORMAL);
        ck_assert_int_eq(loop_run(loop), FAILURE);
        loop_source_free(probe.source);
        close_pipe(fds);
}
END_TEST

START_TEST(test_timer_is_disarmed_at_first) {
        Probe probe = { .letter = 't' };

        add_timer(&probe, LOOP_TIMER);
        ck_assert_uint_eq(loop_timer_get(probe.source), USEC_INFINITY);
        run_out();
        ck_assert_str_eq(trace, ".");
        loop_source_free(probe.source);
}
END_TEST

START_TEST(test_timer_fires_once) {
        Probe timer = { .letter = 't' };
        Probe again = { .letter = 'a', .action = ACTION_AGAIN, .again = 5 };

        add_timer(&timer, LOOP_TIMER);
        ck_assert_int_eq(loop_timer_set(timer.source, clock_now()), 0);
        ck_assert_uint_ne(loop_timer_get(timer.source), USEC_INFINITY);
        arm_defer(&again, LOOP_SETTLE);

        run_out();
        ck_assert_str_eq(trace, "taaaaaa.");
        ck_assert_uint_eq(loop_timer_get(timer.source), USEC_INFINITY);
        loop_source_free(timer.source);
        loop_source_free(again.source);
}
END_TEST

START_TEST(test_timer_set_and_disarm) {
        Probe timer = { .letter = 't' };

        add_timer(&timer, LOOP_TIMER);
        ck_assert_int_eq(loop_timer_set(timer.source, 1234567), 0);
        ck_assert_uint_eq(loop_timer_get(timer.source), 1234567);
        ck_assert_int_eq(loop_timer_disarm(timer.source), 0);
        ck_assert_uint_eq(loop_timer_get(timer.source), USEC_INFINITY);
        ck_assert_int_eq(loop_timer_set(timer.source, 1), 0);
        ck_assert_int_eq(loop_timer_set(timer.source, USEC_INFINITY), 0);
        ck_assert_uint_eq(loop_timer_get(timer.source), USEC_INFINITY);

        run_out();
        ck_assert_str_eq(trace, ".");
        loop_source_free(timer.source);
}
END_TEST

/* A deadline and what is due with it; the last one that fires ends the loop. */
typedef struct Deadline {
        LoopSource *source;
        usec_t when;
        unsigned *left;
} Deadline;

static int deadline_run(void *userdata) {
        Deadline *deadline = userdata;

        ck_assert_uint_ge(loop_now(loop), deadline->when);
        ck_assert_uint_eq(loop_timer_get(deadline->source), USEC_INFINITY);
        return --*deadline->left == 0 ? loop_exit(loop, 0) : 0;
}

START_TEST(test_timers_wait_for_their_time) {
        Deadline deadlines[3];
        unsigned left = ELEMENTSOF(deadlines);
        usec_t start = clock_now();

        for (unsigned i = 0; i < ELEMENTSOF(deadlines); i++) {
                deadlines[i].when = start + (30 - 10 * i) * USEC_PER_MSEC;
                deadlines[i].left = &left;
                ck_assert_int_eq(loop_add_timer(loop, &deadlines[i].source, LOOP_TIMER, "test",
                                                deadline_run, &deadlines[i]),
                                 0);
                ck_assert_int_eq(loop_timer_set(deadlines[i].source, deadlines[i].when), 0);
                ck_assert_uint_eq(loop_timer_get(deadlines[i].source), deadlines[i].when);
        }

        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_uint_eq(left, 0);
        for (unsigned i = 0; i < ELEMENTSOF(deadlines); i++)
                loop_source_free(deadlines[i].source);
}
END_TEST

static int look_at_clock(void *userdata) {
        usec_t first = loop_now(loop);
        usec_t start = clock_now();

        ck_assert_uint_gt(first, 0);
        ck_assert_uint_le(first, start);
        while (clock_now() == start)
                ;
        ck_assert_uint_eq(loop_now(loop), first);
        *(bool *) userdata = true;
        return 0;
}

START_TEST(test_now) {
        const usec_t moved = 5;
        LoopSource *source;
        bool looked = false;

        ck_assert_int_eq(loop_add_defer(loop, &source, LOOP_NORMAL, "test", look_at_clock, &looked),
                         0);
        ck_assert_int_eq(loop_defer_arm(source), 0);
        run_out();
        ck_assert(looked);

        clock_use(&moved);
        ck_assert_uint_eq(loop_now(loop), moved);
        clock_use(NULL);
        loop_source_free(source);
}
END_TEST

/* Without its limit the flood would be dispatched for ever and nothing else ever. */
START_TEST(test_limited_flood) {
        Probe flood = { .letter = 'f', .fd = -1 };
        Probe settle = { .letter = 'z', .action = ACTION_EXIT };
        int fds[2];

        add_pipe(&flood, fds, LOOP_NOTIFY);
        ck_assert_int_eq(loop_io_limit(flood.source, USEC_PER_SEC, 3), 0);
        arm_defer(&settle, LOOP_SETTLE);
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_str_eq(trace, "fffz");
        loop_source_free(flood.source);
        loop_source_free(settle.source);
        close_pipe(fds);
}
END_TEST

/* A directory of its own, removed by remove_directory(). */
static void make_directory(char path[static 32]) {
        (void) strcpy(path, "/tmp/test-loop-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(path));
}

static void make_file(const char *directory) {
        char path[64];

        (void) snprintf(path, sizeof(path), "%s/file", directory);
        fd_close(open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
}

static void remove_directory(const char *directory) {
        char path[64];

        (void) snprintf(path, sizeof(path), "%s/file", directory);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(rmdir(directory), 0);
}

START_TEST(test_inotify) {
        Probe probes[] = {
                { .letter = 'i' },
                { .letter = 'i', .action = ACTION_FREE_ITSELF },
                { .letter = 'i' },
        };
        Probe gone = { .letter = 'g' };
        char directory[32];

        make_directory(directory);
        for (size_t i = 0; i < ELEMENTSOF(probes); i++)
                ck_assert_int_eq(loop_add_inotify(loop, &probes[i].source, directory, IN_CREATE,
                                                  LOOP_TREE, "test", probe_run_inotify, &probes[i]),
                                 0);
        ck_assert_int_eq(loop_add_inotify(loop, &gone.source, directory, IN_CREATE, LOOP_TREE,
                                          "test", probe_run_inotify, &gone),
                         0);
        gone.source = loop_source_free(gone.source);
        make_file(directory);

        run_out();
        ck_assert_str_eq(trace, "iii.");
        ck_assert_ptr_null(probes[1].source);
        loop_source_free(probes[0].source);
        loop_source_free(probes[2].source);
        remove_directory(directory);
}
END_TEST

START_TEST(test_inotify_without_a_path) {
        LoopSource *source = NULL;

        ck_assert_int_eq(loop_add_inotify(loop, &source, "/nonexistent/path", IN_CREATE, LOOP_TREE,
                                          "test", probe_run_inotify, NULL),
                         -ENOENT);
        ck_assert_ptr_null(source);
}
END_TEST

START_TEST(test_io_of_a_closed_descriptor) {
        LoopSource *source = NULL;

        ck_assert_int_lt(
                loop_add_io(loop, &source, 9999, EPOLLIN, LOOP_NORMAL, "test", probe_run_io, NULL),
                0);
        ck_assert_ptr_null(source);
}
END_TEST

START_TEST(test_sources_outlive_the_loop) {
        Probe defer = { .letter = 'd' }, timer = { .letter = 't' };

        arm_defer(&defer, LOOP_NORMAL);
        add_timer(&timer, LOOP_TIMER);
        loop = loop_free(loop);
        ck_assert_ptr_null(loop_source_free(defer.source));
        ck_assert_ptr_null(loop_source_free(timer.source));
        ck_assert_ptr_null(loop_source_free(NULL));
        ck_assert_ptr_null(loop_free(NULL));
}
END_TEST

START_TEST(test_no_watchdog) {
        unsetenv("WATCHDOG_USEC");
        unsetenv("NOTIFY_SOCKET");
        ck_assert_int_eq(loop_enable_watchdog(loop), 0);
}
END_TEST

START_TEST(test_watchdog) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        CLEANUP(fd_closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        char directory[32], path[64], text[32] = "";

        make_directory(directory);
        (void) snprintf(path, sizeof(path), "%s/file", directory);
        (void) strcpy(address.sun_path, path);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        setenv("NOTIFY_SOCKET", path, 1);
        setenv("WATCHDOG_USEC", "60000000", 1);
        unsetenv("WATCHDOG_PID");

        ck_assert_int_eq(loop_enable_watchdog(loop), 1);
        ck_assert_int_gt(recv(fd, text, sizeof(text) - 1, 0), 0);
        ck_assert_str_eq(text, "WATCHDOG=1");

        unsetenv("WATCHDOG_USEC");
        unsetenv("NOTIFY_SOCKET");
        remove_directory(directory);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sys/loop");
        TCase *tcase = tcase_create("loop");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_exit_code);
        tcase_add_test(tcase, test_order_of_a_round);
        tcase_add_test(tcase, test_signals_coalesce);
        tcase_add_test(tcase, test_defer_is_disarmed_at_first);
        tcase_add_test(tcase, test_defer_runs_once);
        tcase_add_test(tcase, test_defer_arms_itself);
        tcase_add_test(tcase, test_settle_sees_everything);
        tcase_add_test(tcase, test_free_itself);
        tcase_add_test(tcase, test_free_pending_other);
        tcase_add_test(tcase, test_failure_ends_the_loop);
        tcase_add_test(tcase, test_failure_of_io);
        tcase_add_test(tcase, test_timer_is_disarmed_at_first);
        tcase_add_test(tcase, test_timer_fires_once);
        tcase_add_test(tcase, test_timer_set_and_disarm);
        tcase_add_test(tcase, test_timers_wait_for_their_time);
        tcase_add_test(tcase, test_now);
        tcase_add_test(tcase, test_limited_flood);
        tcase_add_test(tcase, test_inotify);
        tcase_add_test(tcase, test_inotify_without_a_path);
        tcase_add_test(tcase, test_io_of_a_closed_descriptor);
        tcase_add_test(tcase, test_sources_outlive_the_loop);
        tcase_add_test(tcase, test_no_watchdog);
        tcase_add_test(tcase, test_watchdog);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
