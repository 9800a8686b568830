/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/loop, source by source: timers and the clock, inotify, descriptors, the watchdog.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "probe.h"
#include "unit.h"

START_TEST(test_timer_is_disarmed_at_first) {
        Probe probe = { .letter = 't' };

        probe_add_timer(&probe, LOOP_TIMER);
        ck_assert_uint_eq(loop_timer_get(probe.source), USEC_INFINITY);
        probe_run_out();
        ck_assert_str_eq(probe_trace, ".");
        loop_source_free(probe.source);
}
END_TEST

START_TEST(test_timer_fires_once) {
        Probe timer = { .letter = 't' };
        Probe again = { .letter = 'a', .action = PROBE_AGAIN, .again = 5 };

        probe_add_timer(&timer, LOOP_TIMER);
        ck_assert_int_eq(loop_timer_set(timer.source, clock_now()), 0);
        ck_assert_uint_ne(loop_timer_get(timer.source), USEC_INFINITY);
        probe_arm_defer(&again, LOOP_SETTLE);

        probe_run_out();
        ck_assert_str_eq(probe_trace, "taaaaaa.");
        ck_assert_uint_eq(loop_timer_get(timer.source), USEC_INFINITY);
        loop_source_free(timer.source);
        loop_source_free(again.source);
}
END_TEST

START_TEST(test_timer_set_and_disarm) {
        Probe timer = { .letter = 't' };

        probe_add_timer(&timer, LOOP_TIMER);
        ck_assert_int_eq(loop_timer_set(timer.source, 1234567), 0);
        ck_assert_uint_eq(loop_timer_get(timer.source), 1234567);
        ck_assert_int_eq(loop_timer_disarm(timer.source), 0);
        ck_assert_uint_eq(loop_timer_get(timer.source), USEC_INFINITY);
        ck_assert_int_eq(loop_timer_set(timer.source, 1), 0);
        ck_assert_int_eq(loop_timer_set(timer.source, USEC_INFINITY), 0);
        ck_assert_uint_eq(loop_timer_get(timer.source), USEC_INFINITY);

        probe_run_out();
        ck_assert_str_eq(probe_trace, ".");
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

        ck_assert_uint_ge(loop_now(probe_loop), deadline->when);
        ck_assert_uint_eq(loop_timer_get(deadline->source), USEC_INFINITY);
        return --*deadline->left == 0 ? loop_exit(probe_loop, 0) : 0;
}

START_TEST(test_timers_wait_for_their_time) {
        Deadline deadlines[3];
        unsigned left = ELEMENTSOF(deadlines);
        usec_t start = clock_now();

        for (unsigned i = 0; i < ELEMENTSOF(deadlines); i++) {
                deadlines[i].when = start + (30 - 10 * i) * USEC_PER_MSEC;
                deadlines[i].left = &left;
                ck_assert_int_eq(loop_add_timer(probe_loop, &deadlines[i].source, LOOP_TIMER,
                                                "test", deadline_run, &deadlines[i]),
                                 0);
                ck_assert_int_eq(loop_timer_set(deadlines[i].source, deadlines[i].when), 0);
                ck_assert_uint_eq(loop_timer_get(deadlines[i].source), deadlines[i].when);
        }

        ck_assert_int_eq(loop_run(probe_loop), 0);
        ck_assert_uint_eq(left, 0);
        for (unsigned i = 0; i < ELEMENTSOF(deadlines); i++)
                loop_source_free(deadlines[i].source);
}
END_TEST

static int look_at_clock(void *userdata) {
        usec_t first = loop_now(probe_loop);
        usec_t start = clock_now();

        ck_assert_uint_gt(first, 0);
        ck_assert_uint_le(first, start);
        while (clock_now() == start)
                ;
        ck_assert_uint_eq(loop_now(probe_loop), first);
        *(bool *) userdata = true;
        return 0;
}

START_TEST(test_now) {
        const usec_t moved = 5;
        LoopSource *source;
        bool looked = false;

        ck_assert_int_eq(
                loop_add_defer(probe_loop, &source, LOOP_NORMAL, "test", look_at_clock, &looked),
                0);
        ck_assert_int_eq(loop_defer_arm(source), 0);
        probe_run_out();
        ck_assert(looked);

        clock_use(&moved);
        ck_assert_uint_eq(loop_now(probe_loop), moved);
        clock_use(NULL);
        loop_source_free(source);
}
END_TEST

static int probe_run_inotify(void *userdata, const struct inotify_event *event) {
        ck_assert_uint_ne(event->mask & IN_CREATE, 0);
        ck_assert_str_eq(event->name, "file");
        return probe_run(userdata);
}

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
                { .letter = 'i', .action = PROBE_FREE_ITSELF },
                { .letter = 'i' },
        };
        Probe gone = { .letter = 'g' };
        char directory[32];

        make_directory(directory);
        for (size_t i = 0; i < ELEMENTSOF(probes); i++)
                ck_assert_int_eq(loop_add_inotify(probe_loop, &probes[i].source, directory,
                                                  IN_CREATE, LOOP_TREE, "test", probe_run_inotify,
                                                  &probes[i]),
                                 0);
        ck_assert_int_eq(loop_add_inotify(probe_loop, &gone.source, directory, IN_CREATE, LOOP_TREE,
                                          "test", probe_run_inotify, &gone),
                         0);
        gone.source = loop_source_free(gone.source);
        make_file(directory);

        probe_run_out();
        ck_assert_str_eq(probe_trace, "iii.");
        ck_assert_ptr_null(probes[1].source);
        loop_source_free(probes[0].source);
        loop_source_free(probes[2].source);
        remove_directory(directory);
}
END_TEST

START_TEST(test_inotify_without_a_path) {
        LoopSource *source = NULL;

        ck_assert_int_eq(loop_add_inotify(probe_loop, &source, "/nonexistent/path", IN_CREATE,
                                          LOOP_TREE, "test", probe_run_inotify, NULL),
                         -ENOENT);
        ck_assert_ptr_null(source);
}
END_TEST

START_TEST(test_io_of_a_closed_descriptor) {
        LoopSource *source = NULL;

        ck_assert_int_lt(loop_add_io(probe_loop, &source, 9999, EPOLLIN, LOOP_NORMAL, "test",
                                     probe_run_io, NULL),
                         0);
        ck_assert_ptr_null(source);
}
END_TEST

START_TEST(test_no_watchdog) {
        unsetenv("WATCHDOG_USEC");
        unsetenv("NOTIFY_SOCKET");
        ck_assert_int_eq(loop_enable_watchdog(probe_loop), 0);
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

        ck_assert_int_eq(loop_enable_watchdog(probe_loop), 1);
        ck_assert_int_gt(recv(fd, text, sizeof(text) - 1, 0), 0);
        ck_assert_str_eq(text, "WATCHDOG=1");

        unsetenv("WATCHDOG_USEC");
        unsetenv("NOTIFY_SOCKET");
        remove_directory(directory);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sys/loop sources");
        TCase *tcase = tcase_create("sources");

        tcase_add_checked_fixture(tcase, probe_setup, probe_teardown);
        tcase_add_test(tcase, test_timer_is_disarmed_at_first);
        tcase_add_test(tcase, test_timer_fires_once);
        tcase_add_test(tcase, test_timer_set_and_disarm);
        tcase_add_test(tcase, test_timers_wait_for_their_time);
        tcase_add_test(tcase, test_now);
        tcase_add_test(tcase, test_inotify);
        tcase_add_test(tcase, test_inotify_without_a_path);
        tcase_add_test(tcase, test_io_of_a_closed_descriptor);
        tcase_add_test(tcase, test_no_watchdog);
        tcase_add_test(tcase, test_watchdog);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
