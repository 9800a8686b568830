/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/pidfile: one number, or the outcome that says why not; nothing that a file can be blocks us,
 * is followed elsewhere or is taken for a number.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "sys/pidfile.h"
#include "unit.h"

#define NOBODY    65534
#define UNTOUCHED 4711

static char directory[32];
static char path[64];

static void setup(void) {
        (void) strcpy(directory, "/tmp/test-pidfile-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        ck_assert_int_eq(chmod(directory, 0777), 0);
        snprintf(path, sizeof(path), "%s/pid", directory);
}

static void teardown(void) {
        (void) remove(path);
        ck_assert_int_eq(rmdir(directory), 0);
}

static void write_file(const char *content, size_t size) {
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, content, size), (ssize_t) size);
        fd_close(fd);
}

static void assert_outcome(int outcome) {
        pid_t pid = UNTOUCHED;

        ck_assert_int_eq(pidfile_read(path, &pid), outcome);
        ck_assert_int_eq(pid, UNTOUCHED);
}

typedef struct ContentCase {
        const char *content;
        size_t size; /* 0: up to its NUL */
        int outcome;
        pid_t pid;
} ContentCase;

static const ContentCase cases[] = {
        { "2", 0, 0, 2 },
        { "1234\n", 0, 0, 1234 },
        { "  1234  \n", 0, 0, 1234 }, /* as postfix writes it */
        { "1234\r\n", 0, 0, 1234 },
        { "\n\n1234", 0, 0, 1234 },
        { "4194303\n", 0, 0, 4194303 },
        { "", 0, PIDFILE_E_EMPTY, 0 },
        { "\n", 0, PIDFILE_E_EMPTY, 0 },
        { " \t\r\n \n", 0, PIDFILE_E_EMPTY, 0 },
        { "1\n", 0, PIDFILE_E_FORBIDDEN, 0 },
        { "0001", 0, PIDFILE_E_FORBIDDEN, 0 },
        { "0\n", 0, PIDFILE_E_GARBAGE, 0 },
        { "-1\n", 0, PIDFILE_E_GARBAGE, 0 },
        { "-1234\n", 0, PIDFILE_E_GARBAGE, 0 },
        { "+1234\n", 0, PIDFILE_E_GARBAGE, 0 },
        { "0x4d2\n", 0, PIDFILE_E_GARBAGE, 0 },
        { "1234 5678\n", 0, PIDFILE_E_GARBAGE, 0 },
        { "1234\n5678\n", 0, PIDFILE_E_GARBAGE, 0 }, /* haproxy with several processes */
        { "1234.0\n", 0, PIDFILE_E_GARBAGE, 0 },
        { "nginx: 1234\n", 0, PIDFILE_E_GARBAGE, 0 },
        { "1234abc\n", 0, PIDFILE_E_GARBAGE, 0 },
        { "2147483648\n", 0, PIDFILE_E_GARBAGE, 0 },
        { "4294967297\n", 0, PIDFILE_E_GARBAGE, 0 }, /* 1, if somebody counted in 32 bits */
        { "18446744073709551618\n", 0, PIDFILE_E_GARBAGE, 0 },
        { "99999999999999999999999999999999\n", 0, PIDFILE_E_GARBAGE, 0 },
        { "12\00034\n", 6, PIDFILE_E_GARBAGE, 0 },
        { "1234\0", 5, PIDFILE_E_GARBAGE, 0 },
        { "\0", 1, PIDFILE_E_GARBAGE, 0 },
        { "\0001234\n", 6, PIDFILE_E_GARBAGE, 0 },
        { "\xef\xbb\xbf" "1234\n", 0, PIDFILE_E_GARBAGE, 0 },
        { "\xd9\xa1\xd9\xa2\n", 0, PIDFILE_E_GARBAGE, 0 }, /* digits, but not ours */
};

START_TEST(test_content) {
        const ContentCase *c = &cases[_i];
        size_t size = c->size > 0 ? c->size : strlen(c->content);
        pid_t pid = UNTOUCHED;

        write_file(c->content, size);
        ck_assert_int_eq(pidfile_read(path, &pid), c->outcome);
        ck_assert_int_eq(pid, c->outcome == 0 ? c->pid : UNTOUCHED);
}
END_TEST

START_TEST(test_size) {
        char content[66];

        memset(content, ' ', sizeof(content));
        (void) memcpy(content, "1234", 4);
        if (_i <= 64) {
                pid_t pid = UNTOUCHED;

                write_file(content, (size_t) _i);
                ck_assert_int_eq(pidfile_read(path, &pid), 0);
                ck_assert_int_eq(pid, 1234);
        } else {
                write_file(content, (size_t) _i);
                assert_outcome(PIDFILE_E_GARBAGE);
        }
}
END_TEST

START_TEST(test_huge) {
        write_file("1234\n", 5);
        ck_assert_int_eq(truncate(path, (off_t) 1 << 40), 0);
        assert_outcome(PIDFILE_E_GARBAGE);
}
END_TEST

START_TEST(test_ourselves) {
        char content[32];

        snprintf(content, sizeof(content), "%d\n", (int) getpid());
        write_file(content, strlen(content));
        assert_outcome(PIDFILE_E_FORBIDDEN);
}
END_TEST

START_TEST(test_missing) {
        pid_t pid = UNTOUCHED;
        char below[128];

        assert_outcome(PIDFILE_E_MISSING);
        snprintf(below, sizeof(below), "%s/missing/pid", directory);
        ck_assert_int_eq(pidfile_read(below, &pid), PIDFILE_E_MISSING);
        write_file("1234\n", 5);
        snprintf(below, sizeof(below), "%s/pid", path);
        ck_assert_int_eq(pidfile_read(below, &pid), PIDFILE_E_MISSING);
        ck_assert_int_eq(pid, UNTOUCHED);
}
END_TEST

/* Also if it leads to a good one, to nowhere or to itself. */
START_TEST(test_symlink) {
        static const char *const targets[] = { "target", "/nonexistent/pid", "pid", "/dev/zero" };
        char target[64];

        snprintf(target, sizeof(target), "%s/target", directory);
        ck_assert_int_eq(symlink(targets[_i], path), 0);
        if (_i == 0) {
                int fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

                ck_assert_int_eq(write(fd, "1234\n", 5), 5);
                fd_close(fd);
        }
        assert_outcome(PIDFILE_E_LINK);
        (void) unlink(target);
}
END_TEST

START_TEST(test_directory) {
        ck_assert_int_eq(mkdir(path, 0755), 0);
        assert_outcome(PIDFILE_E_LINK);
}
END_TEST

/* Would block at open(2) or read(2). */
START_TEST(test_fifo) {
        int writer = -1;

        ck_assert_int_eq(mkfifo(path, 0644), 0);
        if (_i == 1) {
                writer = open(path, O_RDWR | O_CLOEXEC);
                ck_assert_int_ge(writer, 0);
        }
        assert_outcome(PIDFILE_E_LINK);
        fd_close(writer);
}
END_TEST

START_TEST(test_socket) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) strcpy(address.sun_path, path);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        assert_outcome(PIDFILE_E_LINK);
        fd_close(fd);
}
END_TEST

START_TEST(test_denied) {
        write_file("1234\n", 5);
        ck_assert_int_eq(chmod(path, 0), 0);
        if (geteuid() == 0)
                ck_assert_int_eq(seteuid(NOBODY), 0);
        assert_outcome(PIDFILE_E_DENIED);
        ck_assert_int_eq(seteuid(getuid()), 0);
}
END_TEST

/* Each outcome has a text of its own that ends the sentence "the pidfile …". */
START_TEST(test_outcome_text) {
        for (int a = 0; a <= PIDFILE_E_FORBIDDEN + 1; a++) {
                ck_assert_uint_gt(strlen(pidfile_outcome_text(a)), 5);
                for (int b = 0; b < a; b++)
                        ck_assert_str_ne(pidfile_outcome_text(a), pidfile_outcome_text(b));
        }
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("pidfile");
        TCase *tcase = tcase_create("read");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, test_content, 0, ELEMENTSOF(cases));
        tcase_add_loop_test(tcase, test_size, 63, 67);
        tcase_add_test(tcase, test_huge);
        tcase_add_test(tcase, test_ourselves);
        tcase_add_test(tcase, test_missing);
        tcase_add_loop_test(tcase, test_symlink, 0, 4);
        tcase_add_test(tcase, test_directory);
        tcase_add_loop_test(tcase, test_fifo, 0, 2);
        tcase_add_test(tcase, test_socket);
        tcase_add_test(tcase, test_denied);
        tcase_add_test(tcase, test_outcome_text);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
