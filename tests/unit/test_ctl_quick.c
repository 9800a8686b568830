/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* supervisorctl/quick and wire: the quick status, from a real server and from bad ones. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "control/names.h"
#include "exits.h"
#include "quick.h"
#include "serving.h"
#include "unit.h"
#include "wire.h"

#define OUTPUT_MAX 4096

/* What quick_status() printed. */
static char output[OUTPUT_MAX];

static int quick(const char *path, const char *config, int *ret_status) {
        int pipe_fds[2], kept = dup(STDOUT_FILENO);
        ssize_t size;

        ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
        ck_assert_int_ge(dup2(pipe_fds[1], STDOUT_FILENO), 0);
        int r = quick_status(path, config, ret_status);
        ck_assert_int_ge(dup2(kept, STDOUT_FILENO), 0);
        close(kept);
        close(pipe_fds[1]);
        size = read(pipe_fds[0], output, sizeof(output) - 1);
        ck_assert_int_ge(size, 0);
        output[size] = '\0';
        close(pipe_fds[0]);
        return r;
}

static void assert_begins(const char *text, const char *begin) {
        if (strncmp(text, begin, strlen(begin)) != 0)
                ck_abort_msg("\"%s\" does not begin with \"%s\"", text, begin);
}

/* ---- a real server ---- */

/* Where the columns are, and what of it is never shown to a terminal. */
START_TEST(test_status) {
        int status = -1;

        serving_expect();
        ck_assert_int_eq(quick(serving_path(), NULL, &status), 0);
        ck_assert_int_eq(status, EXIT_NOT_RUNNING);
        const char *line = strstr(output, "idle");
        ck_assert_ptr_nonnull(line);
        assert_begins(line, "idle  waiting           -  ");
        assert_begins(output, "web   running          11  ");
        ck_assert_ptr_nonnull(strstr(output, "  \xe2\x82\xac ?\ndb "));
}
END_TEST

START_TEST(test_only_of_that_configuration) {
        int status = -1;

        serving_expect();
        ck_assert_int_eq(quick(serving_path(), "/etc/another.conf", &status), -ENOENT);
        ck_assert_str_eq(output, "");
        ck_assert_int_eq(quick(serving_path(), "/etc/stub?.conf", &status), 0);
}
END_TEST

START_TEST(test_another_method) {
        WireReply reply;

        serving_expect();
        ck_assert_int_eq(wire_call(serving_path(), "NoSuchMethod", &reply), -EPROTO);
        ck_assert_int_eq(wire_call("/no/such/socket", "StatusTable", &reply), -ENOENT);
        ck_assert_int_eq(wire_call(SOURCE_DIRECTORY, "StatusTable", &reply), -ECONNREFUSED);
}
END_TEST

/* ---- bad servers ---- */

typedef struct Answer {
        const char *data;
        size_t size;
} Answer;

#define LOGIN "OK 0123456789abcdef0123456789abcdef\r\n"
/* A method return with a body of that length (one byte) and without fields. */
#define HEADER(length) "l\x02\x01\x01" length "\0\0\0\x01\0\0\0\0\0\0\0"
#define ANSWER(text)                                                                               \
        { text, sizeof(text) - 1 }

static const Answer bad_answers[] = {
        ANSWER(""),
        ANSWER("\n"),
        ANSWER("REJECTED EXTERNAL\r\n"),
        ANSWER("OK without an end"),
        ANSWER(LOGIN),
        ANSWER(LOGIN "l\x02\x01"),
        ANSWER(LOGIN "B\x02\x01\x01\0\0\0\x10\0\0\0\x01\0\0\0\0"),
        ANSWER(LOGIN HEADER("\x0a")),
        /* texts that end behind the body, or not at all */
        ANSWER(LOGIN HEADER("\x08") "\x01\0\0\0a\0\0\0"),
        ANSWER(LOGIN HEADER("\x08") "\x04\0\0\0abcd"),
        ANSWER(LOGIN HEADER("\x08") "\xff\xff\xff\xff\0\0\0\0"),
        ANSWER(LOGIN HEADER("\x08") "\x03\0\0\0abcd"),
        ANSWER(LOGIN HEADER("\x03") "\0\0\0"),
        /* far too long: neither waited for nor allocated */
        ANSWER(LOGIN "l\x02\x01\x01\xff\xff\xff\xff\x01\0\0\0\0\0\0\0"),
        ANSWER(LOGIN "l\x02\x01\x01\0\0\0\0\x01\0\0\0\xff\xff\xff\xff"),
        /* an error */
        ANSWER(LOGIN "l\x03\x01\x01\0\0\0\0\x01\0\0\0\0\0\0\0"),
        /* good, but no table */
        ANSWER(LOGIN HEADER("\x10") "\x01\0\0\0a\0\0\0\x03\0\0\0abc\0"),
        ANSWER(LOGIN HEADER("\x0e") "\x01\0\0\0a\0\0\0\x01\0\0\0\n\0"),
};

static char rogue_path[sizeof(((struct sockaddr_un *) 0)->sun_path)];
static pid_t rogue_pid;

/* Answers one client with these bytes, and hangs up. */
static void rogue_serve(int fd, const char *data, size_t size) {
        char query[1024];
        int client = accept(fd, NULL, NULL);

        if (client < 0 || read(client, query, sizeof(query)) <= 0 ||
            (size > 0 && write(client, data, size) < 0))
                _exit(1);
        _exit(0);
}

static void rogue_begin(const char *data, size_t size) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) snprintf(rogue_path, sizeof(rogue_path), "/tmp/test-quick-%d", (int) getpid());
        (void) strcpy(address.sun_path, rogue_path);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        ck_assert_int_eq(listen(fd, 1), 0);
        rogue_pid = fork();
        ck_assert_int_ge(rogue_pid, 0);
        if (rogue_pid == 0)
                rogue_serve(fd, data, size);
        close(fd);
}

static void rogue_end(void) {
        int status;

        ck_assert_int_eq(waitpid(rogue_pid, &status, 0), rogue_pid);
        ck_assert_int_eq(status, 0);
        ck_assert_int_eq(unlink(rogue_path), 0);
}

START_TEST(test_bad_answer) {
        int status = -1;

        rogue_begin(bad_answers[_i].data, bad_answers[_i].size);
        ck_assert_int_lt(quick(rogue_path, NULL, &status), 0);
        ck_assert_str_eq(output, "");
        rogue_end();
}
END_TEST

/* The table `table` as an answer. */
static void rogue_begin_table(const char *table) {
        static char answer[OUTPUT_MAX];
        const char head[] = LOGIN "l\x02\x01\x01";
        size_t length = strlen(table), at = sizeof(head) - 1;
        uint32_t numbers[] = { (uint32_t) (8 + 4 + length + 1), 1, 0, 1 };

        memcpy(answer, head, at);
        memcpy(answer + at, numbers, sizeof(numbers));
        at += sizeof(numbers);
        memcpy(answer + at, "c\0\0\0", 4);
        at += 4;
        numbers[0] = (uint32_t) length;
        memcpy(answer + at, numbers, 4);
        memcpy(answer + at + 4, table, length + 1);
        rogue_begin(answer, at + 4 + length + 1);
}

static const char *const bad_tables[] = {
        "name\tstate\n",
        CONTROL_TABLE_COLUMNS "x\n",
        CONTROL_TABLE_COLUMNS,
        CONTROL_TABLE_COLUMNS "\nweb\trunning\t0\t1\t1\t1\n",
        CONTROL_TABLE_COLUMNS "\nweb\trunning\t0\t1\t1\t1\twhy\tsays\t0\n",
        CONTROL_TABLE_COLUMNS "\n\n",
};

START_TEST(test_bad_table) {
        int status = -1;

        rogue_begin_table(bad_tables[_i]);
        ck_assert_int_eq(quick(rogue_path, NULL, &status), -EPROTO);
        ck_assert_str_eq(output, "");
        rogue_end();
}
END_TEST

/* No byte gets to the terminal that it would obey; columns of later versions do not matter. */
START_TEST(test_table_of_a_later_version) {
        int status = -1;

        rogue_begin_table(CONTROL_TABLE_COLUMNS
                          "\tmore\n"
                          "a\trunning\t0\t7\t0\t0\twhy\t\x1b[31m\xc2\x9bx \xc2\xa0\t0\t0\tx\n"
                          "bcd\tfailed\t0\t0\t0\t0\twhy\tsays\t0\t0\tx\n");
        ck_assert_int_eq(quick(rogue_path, NULL, &status), 0);
        ck_assert_int_eq(status, EXIT_NOT_RUNNING);
        ck_assert_ptr_nonnull(strstr(output, "  ?[31m\xc2?x \xc2\xa0\nbcd  failed "));
        ck_assert_ptr_nonnull(strstr(output, "  why\n"));
        rogue_end();
}
END_TEST

/* What is out of service, and how far. */
START_TEST(test_paused) {
        int status = -1;

        rogue_begin_table(CONTROL_TABLE_COLUMNS
                          "\n"
                          "a\tfrozen\t0\t7\t0\t0\t\tsays\t1\t0\n"
                          "b\tdrained\t0\t7\t0\t0\tcut\tsays\t1\t0\n"
                          "c\tdraining\t0\t7\t0\t0\t\t5 busy\t1\t1\n"
                          "d\tdraining\t0\t7\t0\t0\twhy\t\t0\t1\n"
                          "e\tstopping\t0\t7\t0\t0\t\tsays\t0\t1\n");
        ck_assert_int_eq(quick(rogue_path, NULL, &status), 0);
        ck_assert_int_eq(status, EXIT_NOT_RUNNING);
        ck_assert_ptr_nonnull(strstr(output, "  by an operator\nb  drained "));
        ck_assert_ptr_nonnull(strstr(output, "  by an operator: cut\nc  draining "));
        ck_assert_ptr_nonnull(strstr(output, "  by an operator: 5 busy, 0 s left\nd  draining "));
        ck_assert_ptr_nonnull(strstr(output, "  why, 0 s left\ne  stopping "));
        ck_assert_ptr_nonnull(strstr(output, "  0 s left\n"));
        rogue_end();
}
END_TEST

START_TEST(test_empty_table) {
        int status = -1;

        rogue_begin_table(CONTROL_TABLE_COLUMNS "\n");
        ck_assert_int_eq(quick(rogue_path, NULL, &status), 0);
        ck_assert_int_eq(status, 0);
        ck_assert_str_eq(output, "");
        rogue_end();
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("supervisorctl/quick");
        TCase *cases = tcase_create("served"), *bad = tcase_create("bad");

        tcase_add_checked_fixture(cases, serving_setup, serving_teardown);
        tcase_add_test(cases, test_status);
        tcase_add_test(cases, test_only_of_that_configuration);
        tcase_add_test(cases, test_another_method);
        suite_add_tcase(suite, cases);

        tcase_add_loop_test(bad, test_bad_answer, 0, ELEMENTSOF(bad_answers));
        tcase_add_loop_test(bad, test_bad_table, 0, ELEMENTSOF(bad_tables));
        tcase_add_test(bad, test_table_of_a_later_version);
        tcase_add_test(bad, test_paused);
        tcase_add_test(bad, test_empty_table);
        suite_add_tcase(suite, bad);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
