/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sys/capture: the end of what was written, however much it was, and nobody is waited for. */

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "sys/capture.h"
#include "unit.h"

static Loop *loop;
static Capture *capture;
static volatile size_t *written; /* shared with the writers: how much they have */

static void setup(void) {
        written = mmap(NULL, sizeof(*written), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0);
        ck_assert_ptr_ne((void *) written, MAP_FAILED);
        ck_assert_int_eq(loop_new(&loop), 0);
        ck_assert_int_eq(capture_new(loop, "capture", &capture), 0);
}

static void teardown(void) {
        capture = capture_free(capture);
        loop = loop_free(loop);
        ck_assert_int_eq(munmap((void *) written, sizeof(*written)), 0);
}

static void write_text(const char *text) {
        ck_assert_int_eq(write(capture_fd(capture), text, strlen(text)), (ssize_t) strlen(text));
}

static void assert_end(const char *text) {
        size_t size = 0;
        const char *end = capture_end(capture, &size);

        ck_assert_uint_eq(size, strlen(text));
        ck_assert_str_eq(end, text);
}

/* A child that writes `text` so often (0: for ever), then `last`, and exits. */
static pid_t start_writer(const char *text, size_t count, const char *last) {
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                int fd = capture_fd(capture);
                bool good = true;

                for (size_t i = 0; good && (count == 0 || i < count); i++) {
                        good = write(fd, text, strlen(text)) == (ssize_t) strlen(text);
                        *written += strlen(text);
                }
                if (good)
                        good = write(fd, last, strlen(last)) == (ssize_t) strlen(last);
                _exit(!good);
        }
        capture_started(capture);
        return pid;
}

static int on_event(void *userdata, uint32_t revents) {
        (void) userdata;
        (void) revents;
        return loop_exit(loop, 1);
}

static LoopSource *timer;
static usec_t waiting;       /* between looks for more than is kept; 0: it was written */
static struct rusage before; /* when it had */

static int on_timer(void *userdata) {
        (void) userdata;
        if (waiting == 0)
                return loop_exit(loop, 2);
        usec_t next = usec_add(loop_now(loop), waiting);
        if (*written > CAPTURE_MAX) {
                ck_assert_int_eq(getrusage(RUSAGE_SELF, &before), 0);
                waiting = 0;
        }
        return loop_timer_set(timer, next);
}

/* Runs the loop until the child has ended (1) or the time is over (2). Once, as any loop. */
static int run(pid_t pid, usec_t time) {
        LoopSource *source = NULL;
        int pidfd = pidfd_open(pid, 0);

        ck_assert_int_ge(pidfd, 0);
        ck_assert_int_eq(
                loop_add_io(loop, &source, pidfd, EPOLLIN, LOOP_PROCESS, "pidfd", on_event, NULL),
                0);
        ck_assert_int_eq(loop_add_timer(loop, &timer, LOOP_TIMER, "time", on_timer, NULL), 0);
        ck_assert_int_eq(loop_timer_set(timer, clock_now() + time), 0);
        int code = loop_run(loop);
        loop_source_free(source);
        loop_source_free(timer);
        fd_close(pidfd);
        return code;
}

/* The same for one without an end: that time from when it has written more than is kept. */
static void run_until_written(pid_t pid, usec_t time) {
        waiting = time;
        ck_assert_int_eq(run(pid, time), 2);
}

START_TEST(what_was_written) {
        write_text("one\n");
        write_text("two");
        assert_end("one\ntwo");
        assert_end("one\ntwo"); /* it stays */
}
END_TEST

START_TEST(nothing_at_all) {
        assert_end("");
        capture = capture_free(capture);
        ck_assert_ptr_null(capture_free(NULL));
        ck_assert_int_eq(capture_new(loop, "capture", &capture), 0);
        capture_started(capture);
        ck_assert_int_eq(capture_fd(capture), -1);
}
END_TEST

START_TEST(only_the_end_of_much) {
        char line[101], end[CAPTURE_MAX + 1] = "";
        int status;

        memset(line, 'x', 99);
        line[99] = '\n';
        line[100] = '\0';
        /* 2 MB: far more than a pipe holds */
        pid_t pid = start_writer(line, 20000, "the end\n");
        ck_assert_int_eq(run(pid, 60 * USEC_PER_SEC), 1);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);

        size_t size = 0;
        memcpy(end, capture_end(capture, &size), sizeof(end));
        ck_assert_uint_eq(size, CAPTURE_MAX);
        ck_assert_str_eq(end + CAPTURE_MAX - 8, "the end\n");
        ck_assert_int_eq(end[CAPTURE_MAX - 9], '\n');
        ck_assert_int_eq(end[0], 'x');
}
END_TEST

/* One that writes for ever waits for us, and we for nobody: it costs little, and nothing grows. */
START_TEST(a_flood_is_slowed_down) {
        struct rusage after;
        size_t size;

        pid_t pid = start_writer("yes\nyes\nyes\nyes\nyes\nyes\nyes\nyes\n", 0, "");
        run_until_written(pid, 500 * USEC_PER_MSEC);
        ck_assert_int_eq(getrusage(RUSAGE_SELF, &after), 0);
        (void) capture_end(capture, &size);
        ck_assert_uint_eq(size, CAPTURE_MAX);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);

        /* bytes read are not counted anywhere, but pages are */
        ck_assert_int_lt(after.ru_maxrss - before.ru_maxrss, 4096);
}
END_TEST

START_TEST(who_holds_the_pipe_open_keeps_nobody_waiting) {
        size_t size;
        pid_t pid = start_writer("on and on\n", 0, "");

        run_until_written(pid, 10 * USEC_PER_MSEC);
        (void) capture_end(capture, &size); /* returns although it goes on */
        ck_assert_uint_eq(size, CAPTURE_MAX);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

static usec_t processor_time(const struct rusage *usage) {
        return (usec_t) (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * USEC_PER_SEC +
               (usec_t) (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

START_TEST(one_that_closes_its_output_does_not_keep_us_busy) {
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                (void) !write(capture_fd(capture), "bye", 3);
                capture_started(capture);
                *written = CAPTURE_MAX + 1;
                for (;;)
                        pause();
        }
        capture_started(capture);
        struct rusage after;
        run_until_written(pid, 200 * USEC_PER_MSEC);
        ck_assert_int_eq(getrusage(RUSAGE_SELF, &after), 0);
        ck_assert_uint_lt(processor_time(&after) - processor_time(&before), 100000);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        assert_end("bye");
}
END_TEST

static bool has_pidfd(void) {
        int pidfd = (int) syscall(SYS_pidfd_open, getpid(), 0);
        bool has = pidfd >= 0;

        fd_close(pidfd);
        return has;
}

/* ---- passed on ---- */

static int passed_fd; /* where it comes out */

/* From now on it goes into a pipe. */
static void pass_on(void) {
        int fds[2];

        ck_assert_int_eq(pipe(fds), 0);
        passed_fd = fds[0];
        ck_assert_int_eq(capture_pass_on(capture, fds[1]), 0);
}

static void assert_passed(const char *text) {
        char passed[256] = "";

        ck_assert_int_eq(read(passed_fd, passed, sizeof(passed) - 1), (ssize_t) strlen(text));
        ck_assert_str_eq(passed, text);
}

START_TEST(what_is_passed_on_comes_out) {
        pass_on();
        ck_assert_int_eq(run(start_writer("line\n", 2, "end\n"), 60 * USEC_PER_SEC), 1);
        assert_end("line\nline\nend\n");
        assert_passed("line\nline\nend\n");
        fd_close(passed_fd);
}
END_TEST

START_TEST(nobody_holds_it_after_its_end) {
        pass_on();
        ck_assert_int_eq(run(start_writer("", 1, "end\n"), 60 * USEC_PER_SEC), 1);
        ck_assert(!capture_leave(capture));
        assert_passed("end\n");
        fd_close(passed_fd);
}
END_TEST

/* Says a word, waits until it is told to go on, and writes more than fits anywhere. */
static pid_t start_survivor(const int go_on[2]) {
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                static char much[300 << 10];
                char byte;

                fd_close(go_on[1]);
                if (read(go_on[0], &byte, 1) != 0)
                        _exit(1);
                for (int i = 0; i < 10; i++)
                        (void) !write(capture_fd(capture), much, sizeof(much));
                _exit(7);
        }
        capture_started(capture);
        return pid;
}

START_TEST(who_inherits_it_is_neither_killed_nor_stopped) {
        int fds[2], status = 0;

        pass_on();
        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        pid_t pid = start_survivor(fds);
        ck_assert(capture_leave(capture)); /* it is still held */
        capture = capture_free(capture);   /* and we are gone */
        fd_close(fds[1]);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
        fd_close(fds[0]);
        fd_close(passed_fd);
}
END_TEST

/* Reads so much, but not at once; exits with 1 if it comes to an end before. */
static pid_t start_reader(size_t size) {
        static char much[4096];
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                capture = capture_free(capture);
                usleep(200000);
                while (size > 0) {
                        ssize_t n = read(passed_fd, much, sizeof(much));
                        if (n <= 0)
                                _exit(1);
                        size -= (size_t) n;
                }
                _exit(0);
        }
        return pid;
}

START_TEST(an_output_that_is_full_is_waited_for) {
        static char line[1000];
        int status = 1;

        memset(line, 'x', sizeof(line) - 1);
        pass_on();
        pid_t reader = start_reader(300 * (sizeof(line) - 1)); /* pipes hold 64 KiB */
        (void) start_writer(line, 300, "");
        ck_assert_int_eq(run(reader, 60 * USEC_PER_SEC), 1);
        ck_assert_int_eq(waitpid(reader, &status, 0), reader);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        fd_close(passed_fd);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sys/capture");
        TCase *tcase = tcase_create("capture");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, what_was_written);
        tcase_add_test(tcase, nothing_at_all);
        suite_add_tcase(suite, tcase);
        if (!has_pidfd()) {
                unit_add_skipped(suite, "processes", "no pidfd_open here (an old valgrind?)");
                return suite;
        }
        tcase_add_test(tcase, only_the_end_of_much);
        tcase_add_test(tcase, a_flood_is_slowed_down);
        tcase_add_test(tcase, who_holds_the_pipe_open_keeps_nobody_waiting);
        tcase_add_test(tcase, one_that_closes_its_output_does_not_keep_us_busy);
        tcase_add_test(tcase, what_is_passed_on_comes_out);
        tcase_add_test(tcase, nobody_holds_it_after_its_end);
        tcase_add_test(tcase, who_inherits_it_is_neither_killed_nor_stopped);
        tcase_add_test(tcase, an_output_that_is_full_is_waited_for);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
