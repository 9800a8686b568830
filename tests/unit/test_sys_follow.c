/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/follow with a file: lines that come in pieces, with any bytes, too long, at full speed. The
 * journal is for the tests with a real systemd.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "sys/follow.h"
#include "unit.h"

static Loop *loop;
static Follow *follow;
static char path[] = "/tmp/test-follow-XXXXXX";
static int fd;
static unsigned lines, found;
static size_t longest;
static usec_t slowness; /* so long it takes to look at a line */

static void setup(void) {
        strcpy(path + sizeof(path) - 7, "XXXXXX");
        fd = mkostemp(path, O_APPEND | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(loop_new(&loop), 0);
        lines = found = 0;
        longest = 0;
        slowness = 0;
}

static void teardown(void) {
        follow = follow_free(follow);
        loop = loop_free(loop);
        fd = fd_close(fd);
        (void) unlink(path);
}

static void append(const char *data, size_t size) {
        ck_assert_int_eq(write(fd, data, size), (ssize_t) size);
}

static void say(const char *text) {
        append(text, strlen(text));
}

/* It is the line "up". */
static bool on_line(void *userdata, const char *line, size_t length) {
        usec_t begin = clock_now();

        (void) userdata;
        while (clock_now() < begin + slowness)
                ;
        lines++;
        longest = MAX_OF(longest, length);
        return length == 2 && memcmp(line, "up", 2) == 0;
}

/* It goes as its owner does. */
static int on_found(void *userdata) {
        (void) userdata;
        found++;
        follow = follow_free(follow);
        return loop_exit(loop, 0);
}

/*
 * What a test does and sees, one after the other, with a moment between; false: not yet, it comes
 * again. Who shows that something is not seen tries for as long as a moment.
 */
typedef bool (*Step)(void);
static const Step *steps;
static LoopSource *stepper;

#define MOMENT (60 * USEC_PER_MSEC)

static int on_step(void *userdata) {
        (void) userdata;
        if (!*steps)
                return 0; /* the line is on its way */
        steps += (*steps)();
        return loop_timer_set(stepper, usec_add(loop_now(loop), MOMENT));
}

/* Until the line is there (0), or a step ends it. */
static int run(const Step *list) {
        steps = list;
        ck_assert_int_eq(
                loop_add_timer(loop, &stepper, LOOP_RECORD, "steps", on_step, NULL), 0);
        ck_assert_int_eq(loop_timer_set(stepper, clock_now()), 0);
        int r = loop_run(loop);
        stepper = loop_source_free(stepper);
        return r;
}

#define RUN(...) run((const Step[]){ __VA_ARGS__, NULL })

static bool saw(unsigned count) {
        ck_assert_uint_le(lines, count);
        ck_assert_uint_eq(found, 0);
        return lines == count;
}

static bool saw_nothing(void) {
        return saw(0);
}

static void begin(void) {
        ck_assert_int_eq(follow_file_new(loop, "d", path, &follow), 0);
}

static void start(void) {
        ck_assert_int_eq(follow_start(follow, on_line, on_found, NULL), 0);
}

static bool say_up(void) {
        say("u");
        say("p\n");
        return true;
}

START_TEST(test_what_comes_later) {
        say("up\n"); /* before anybody looked */
        begin();
        say("down\n");
        start();
        ck_assert_int_eq(RUN(say_up), 0);
        ck_assert_uint_eq(lines, 2);
}
END_TEST

START_TEST(test_what_came_before_the_start) {
        begin();
        say("down\nup\nmore\n");
        start();
        ck_assert_int_eq(RUN(NULL), 0);
        ck_assert_uint_eq(lines, 2);
        ck_assert_uint_eq(found, 1);
}
END_TEST

static bool say_u(void) {
        say("u");
        return true;
}

static bool say_p(void) {
        say("p");
        return true;
}

static bool say_end(void) {
        say("\n");
        return true;
}

START_TEST(test_half_a_line_is_none) {
        begin();
        start();
        ck_assert_int_eq(RUN(say_u, saw_nothing, say_p, saw_nothing, say_end), 0);
        ck_assert_uint_eq(lines, 1);
}
END_TEST

static bool say_bytes(void) {
        static const char bytes[] = "\0\0up\nup\0\n\377\376\n\n";

        append(bytes, sizeof(bytes) - 1);
        return true;
}

static bool saw_four(void) {
        return saw(4);
}

START_TEST(test_any_bytes) {
        begin();
        start();
        ck_assert_int_eq(RUN(say_bytes, saw_four, say_up), 0);
}
END_TEST

static bool say_without_end(void) {
        static char block[64 * 1024];

        memset(block, 'x', sizeof(block));
        for (unsigned i = 0; i < 8; i++)
                append(block, sizeof(block));
        return true;
}

/* Of a line that is too long the begin is looked at, once. */
START_TEST(test_no_end_of_a_line) {
        begin();
        start();
        ck_assert_int_eq(RUN(say_without_end, say_without_end, saw_nothing, say_end, say_up), 0);
        ck_assert_uint_eq(lines, 2);
        ck_assert_uint_eq(longest, FOLLOW_LINE_MAX);
}
END_TEST

static bool move_away(void) {
        char moved[sizeof(path) + 4];

        snprintf(moved, sizeof(moved), "%s.1", path);
        ck_assert_int_eq(rename(path, moved), 0);
        say("something\n");
        return true;
}

static bool move_back_and_empty(void) {
        char moved[sizeof(path) + 4];

        snprintf(moved, sizeof(moved), "%s.1", path);
        ck_assert_int_eq(rename(moved, path), 0);
        ck_assert_int_eq(ftruncate(fd, 0), 0);
        return true;
}

static bool saw_one(void) {
        return saw(1);
}

/* Its log is moved away, as a rotation does; emptied, likewise, with half a line in it. */
START_TEST(test_a_rotation) {
        begin();
        start();
        ck_assert_int_eq(RUN(move_away, saw_one, say_u, move_back_and_empty, say_up), 0);
        ck_assert_uint_eq(lines, 2);
}
END_TEST

#define FLOOD_LINES 300000

/* 14 MB, as fast as they can be written. */
static pid_t start_flood(void) {
        static const char text[] = "one more line of somebody who has a lot to say\n";
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid > 0)
                return pid;
        for (size_t i = 0; i < FLOOD_LINES; i++)
                (void) !write(fd, text, sizeof(text) - 1);
        (void) !write(fd, "up\n", 3);
        _exit(0);
}

/* Somebody of low priority who always has something to do. */
static unsigned ticks;
static LoopSource *ticker;

static int on_tick(void *userdata) {
        (void) userdata;
        ticks++;
        return loop_timer_set(ticker, loop_now(loop));
}

/* Others have their turn meanwhile: at each look no more than 128 KiB are read. */
START_TEST(test_full_speed) {
        ticks = 0;
        ck_assert_int_eq(loop_add_timer(loop, &ticker, LOOP_RECORD, "tick", on_tick, NULL), 0);
        ck_assert_int_eq(loop_timer_set(ticker, clock_now()), 0);
        begin();
        start();
        pid_t pid = start_flood();
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_uint_eq(lines, FLOOD_LINES + 1);
        ck_assert_uint_gt(ticks, 50);
        ticker = loop_source_free(ticker);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

/* … and if a look takes longer than the pause between two of them, as on a slow machine. */
START_TEST(test_slow_looks) {
        static char line[1024];

        ticks = 0;
        slowness = 100; /* us; 128 lines at a look */
        memset(line, 'x', sizeof(line));
        line[sizeof(line) - 1] = '\n';
        ck_assert_int_eq(loop_add_timer(loop, &ticker, LOOP_RECORD, "tick", on_tick, NULL), 0);
        ck_assert_int_eq(loop_timer_set(ticker, clock_now()), 0);
        begin();
        for (unsigned i = 0; i < 20 * 128; i++)
                append(line, sizeof(line));
        (void) say_up();
        start();
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_uint_gt(ticks, 0);
        ticker = loop_source_free(ticker);
}
END_TEST

/* Who reads it would take it from others, or wait for ever. */
START_TEST(test_no_regular_file) {
        static const char *const others[] = { "/dev/null", "/", "/does/not/exist" };
        char fifo[sizeof(path) + 5];

        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                ck_assert_int_eq(follow_file_new(loop, "d", others[i], &follow), FOLLOW_E_ABSENT);
        snprintf(fifo, sizeof(fifo), "%s.fifo", path);
        ck_assert_int_eq(mkfifo(fifo, 0600), 0);
        ck_assert_int_eq(follow_file_new(loop, "d", fifo, &follow), FOLLOW_E_ABSENT);
        ck_assert_int_eq(unlink(fifo), 0);
}
END_TEST

static bool say_down(void) {
        say("down\n");
        return true;
}

static bool let_go(void) {
        follow = follow_free(follow);
        return true;
}

static bool leave(void) {
        ck_assert_int_eq(loop_exit(loop, 1), 0);
        return true;
}

START_TEST(test_free_at_any_time) {
        begin();
        let_go();
        begin();
        start();
        let_go();
        begin();
        start();
        ck_assert_int_eq(RUN(say_down, let_go, say_up, leave), 1);
        ck_assert_uint_eq(found, 0);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sys/follow");
        TCase *tcase = tcase_create("file");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_what_comes_later);
        tcase_add_test(tcase, test_what_came_before_the_start);
        tcase_add_test(tcase, test_half_a_line_is_none);
        tcase_add_test(tcase, test_any_bytes);
        tcase_add_test(tcase, test_no_end_of_a_line);
        tcase_add_test(tcase, test_a_rotation);
        tcase_add_test(tcase, test_full_speed);
        tcase_add_test(tcase, test_slow_looks);
        tcase_add_test(tcase, test_no_regular_file);
        tcase_add_test(tcase, test_free_at_any_time);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
