/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sys/intake: which sockets of a tree take in work, here and in other networks. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "puppet.h"
#include "sockets.h"
#include "sys/intake.h"
#include "unit.h"

static Intake *intake;
static const IntakeSocket *found;
static size_t count, denied;

static void setup(void) {
        puppet_setup();
        ck_assert_int_eq(intake_new(puppet_loop, &intake), 0);
}

static void teardown(void) {
        intake = intake_free(intake);
        puppet_teardown();
}

static size_t find(void) {
        ck_assert_int_eq(intake_find(intake, puppet_tree, &found, &count, &denied), 0);
        return count;
}

static const IntakeSocket *find_named(const char *name) {
        for (size_t i = 0; i < count; i++)
                if (strcmp(found[i].name, name) == 0)
                        return &found[i];
        ck_abort_msg("%s is not there", name);
}

START_TEST(test_nothing) {
        uint16_t port = 0;
        int fd;

        ck_assert_uint_eq(find(), 0);
        puppet_start(NULL, NULL);
        fd = sockets_listen_tcp(AF_INET, &port);
        ck_assert_uint_eq(find(), 0);
        ck_assert_uint_eq(denied, 0);
        fd_close(fd);
}
END_TEST

START_TEST(test_tcp) {
        char name[INTAKE_NAME_MAX];
        const IntakeSocket *socket;
        int fd, port, family = sockets_families[_i];

        puppet_start(NULL, NULL);
        fd = puppet_do(PUPPET_LISTEN, family, 1, NULL);
        port = puppet_do(PUPPET_PORT, fd, 0, NULL);
        snprintf(name, sizeof(name), family == AF_INET ? "127.0.0.1:%d" : "[::1]:%d", port);
        ck_assert_uint_eq(find(), 1);
        socket = find_named(name);
        ck_assert_int_eq(socket->kind, INTAKE_TCP);
        ck_assert_int_eq(socket->pid, puppet_pid);
        ck_assert_int_eq(socket->fd, fd);
        ck_assert_int_eq(socket->port, port);
        ck_assert(socket->is_v6 == (family == AF_INET6));
        ck_assert(!socket->closed);
        ck_assert_uint_gt(socket->inode, 0);
        ck_assert_uint_gt(socket->network, 0);
        ck_assert_int_eq(puppet_do(PUPPET_CLOSE, fd, 0, NULL), 0);
        ck_assert_uint_eq(find(), 0);
}
END_TEST

START_TEST(test_both_families) {
        char name[INTAKE_NAME_MAX];
        int fd;

        puppet_start(NULL, NULL);
        fd = puppet_do(PUPPET_LISTEN_BOTH, 0, 1, NULL);
        snprintf(name, sizeof(name), "[::]:%d", puppet_do(PUPPET_PORT, fd, 0, NULL));
        ck_assert_uint_eq(find(), 1);
        ck_assert(find_named(name)->is_v6);
}
END_TEST

START_TEST(test_others) {
        char name[INTAKE_NAME_MAX];
        int udp;

        puppet_start(NULL, NULL);
        puppet_do(PUPPET_LISTEN_UNIX, 0, 1, sockets_path);
        puppet_do(PUPPET_LISTEN_UNIX, 0, 1, sockets_abstract);
        udp = puppet_do(PUPPET_BIND_UDP, AF_INET, 0, NULL);
        snprintf(name, sizeof(name), "127.0.0.1:%d", puppet_do(PUPPET_PORT, udp, 0, NULL));
        ck_assert_uint_eq(find(), 3);
        ck_assert_int_eq(find_named(sockets_path)->kind, INTAKE_UNIX);
        ck_assert_int_eq(find_named(sockets_abstract)->kind, INTAKE_ABSTRACT);
        ck_assert_int_eq(find_named(name)->kind, INTAKE_UDP);
        ck_assert_int_eq(find_named(name)->fd, udp);
}
END_TEST

/* What is accepted, connected, bound only, or a datagram socket without a port. */
START_TEST(test_what_takes_in_nothing) {
        int fd, client, accepted;
        uint16_t port;

        puppet_start(NULL, NULL);
        fd = puppet_do(PUPPET_LISTEN, AF_INET, 1, NULL);
        port = (uint16_t) puppet_do(PUPPET_PORT, fd, 0, NULL);
        client = sockets_connect(AF_INET, port);
        accepted = puppet_do(PUPPET_ACCEPT, fd, 0, NULL);
        ck_assert_int_ge(accepted, 0);
        puppet_do(PUPPET_CLOSE, fd, 0, NULL);
        puppet_do(PUPPET_OPEN, 3, 0, NULL);
        ck_assert_uint_eq(find(), 0);
        fd_close(client);
}
END_TEST

START_TEST(test_shared) {
        pid_t other;
        int fd;

        puppet_start(NULL, NULL);
        fd = puppet_do(PUPPET_LISTEN, AF_INET, 1, NULL);
        other = puppet_do(PUPPET_FORK, 0, 0, NULL);
        ck_assert_uint_eq(find(), 1);
        ck_assert_int_eq(found[0].pid, puppet_pid);
        puppet_do(PUPPET_CLOSE, fd, 0, NULL);
        ck_assert_uint_eq(find(), 1);
        ck_assert_int_eq(found[0].pid, other);
}
END_TEST

/* Two daemons, one tree: processes that do not descend from each other. */
START_TEST(test_several_processes) {
        puppet_start(NULL, NULL);
        for (int i = 0; i < 5; i++) {
                ck_assert_int_ge(puppet_do(PUPPET_LISTEN, AF_INET, 1, NULL), 0);
                ck_assert_int_gt(puppet_do(PUPPET_FORK, 0, 0, NULL), 0);
        }
        ck_assert_uint_eq(find(), 5);
}
END_TEST

START_TEST(test_many_descriptors) {
        struct rlimit limit;

        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = MIN_OF(limit.rlim_max, (rlim_t) 4000);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        puppet_start(NULL, NULL);
        ck_assert_int_gt(puppet_do(PUPPET_OPEN, (int) limit.rlim_cur - 50, 0, NULL), 100);
        ck_assert_int_gt(puppet_do(PUPPET_LISTEN, AF_INET, 1, NULL), 100);
        ck_assert_uint_eq(find(), 1);
}
END_TEST

static void end_by_and_by(void) {
        for (unsigned i = 0; i < 200; i++)
                if (puppet_fork() == 0) {
                        for (volatile unsigned turn = 0; turn < i * 10000; turn++)
                                ;
                        _exit(0);
                }
        puppet_wait();
}

static uint16_t prepare_dying(const void *userdata) {
        uint16_t port = 0;

        (void) userdata;
        sockets_listen_tcp(AF_INET, &port);
        if (puppet_fork() == 0)
                end_by_and_by();
        return port;
}

START_TEST(test_processes_that_end_meanwhile) {
        puppet_start(prepare_dying, NULL);
        for (unsigned i = 0; i < 200; i++)
                ck_assert_uint_eq(find(), 1);
        ck_assert_uint_eq(denied, 0);
}
END_TEST

/* ---- once for all within a handler ---- */

static size_t counts[4];
static unsigned rounds;

static int find_and_listen(void *userdata) {
        LoopSource **source = userdata;

        counts[rounds * 2] = find();
        puppet_do(PUPPET_LISTEN, AF_INET, 1, NULL);
        counts[rounds * 2 + 1] = find();
        return ++rounds < 2 ? loop_defer_arm(*source) : loop_exit(puppet_loop, 0);
}

START_TEST(test_asked_once_in_a_handler) {
        LoopSource *source;

        puppet_start(NULL, NULL);
        ck_assert_int_eq(loop_add_defer(puppet_loop, &source, LOOP_SETTLE, "find", find_and_listen,
                                        &source),
                         0);
        loop_defer_arm(source);
        ck_assert_int_eq(loop_run(puppet_loop), 0);
        ck_assert_uint_eq(counts[0], 0);
        ck_assert_uint_eq(counts[1], 0);
        ck_assert_uint_eq(counts[2], 1);
        ck_assert_uint_eq(counts[3], 1);
        ck_assert_uint_eq(find(), 2);
        loop_source_free(source);
}
END_TEST

/* ---- networks ---- */

START_TEST(test_other_network) {
        uint16_t port = 0;
        int fd;

        puppet_elsewhere = true;
        puppet_start(NULL, NULL);
        fd = sockets_listen_tcp(AF_INET, &port);
        puppet_do(PUPPET_LISTEN, AF_INET, 1, NULL);
        puppet_do(PUPPET_LISTEN_UNIX, 0, 1, sockets_abstract);
        puppet_do(PUPPET_FORK, 0, 0, NULL);
        ck_assert_uint_eq(find(), 2);
        ck_assert_uint_eq(found[0].network, found[1].network);
        /* We are where we were. */
        fd_close(sockets_connect(AF_INET, port));
        fd_close(fd);
}
END_TEST

START_TEST(test_socket_of_ours_taken_elsewhere) {
        puppet_start(NULL, NULL);
        puppet_do(PUPPET_LISTEN, AF_INET, 1, NULL);
        ck_assert_uint_eq(find(), 1);
        ck_assert_int_eq(puppet_do(PUPPET_LEAVE, 0, 0, NULL), 0);
        puppet_do(PUPPET_LISTEN, AF_INET, 1, NULL);
        ck_assert_uint_eq(find(), 2);
        ck_assert_uint_ne(found[0].network, found[1].network);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("intake_find");
        TCase *tcase = tcase_create("find");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_nothing);
        tcase_add_loop_test(tcase, test_tcp, 0, sockets_count_families());
        if (sockets_count_families() == 2)
                tcase_add_test(tcase, test_both_families);
        tcase_add_test(tcase, test_others);
        tcase_add_test(tcase, test_what_takes_in_nothing);
        tcase_add_test(tcase, test_shared);
        tcase_add_test(tcase, test_several_processes);
        tcase_add_test(tcase, test_many_descriptors);
        tcase_add_test(tcase, test_processes_that_end_meanwhile);
        tcase_add_test(tcase, test_asked_once_in_a_handler);
        suite_add_tcase(suite, tcase);
        if (!puppet_can_enter_network()) {
                unit_add_skipped(suite, "networks", "no network namespace can be made here");
                return suite;
        }
        tcase_add_test(tcase, test_other_network);
        tcase_add_test(tcase, test_socket_of_ours_taken_elsewhere);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
