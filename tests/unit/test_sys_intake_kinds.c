/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sys/intake: what is in flight by sockets of other kinds than TCP, and in other networks. */

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "measuring.h"
#include "puppet.h"
#include "sockets.h"
#include "unit.h"

START_TEST(test_unix) {
        const char *name = _i == 0 ? sockets_path : sockets_abstract;
        int clients[5], connection;

        puppet_start(NULL, NULL);
        listener = puppet_do(PUPPET_LISTEN_UNIX, 0, MEASURING_BACKLOG, name);
        measuring_find();
        for (unsigned i = 0; i < ELEMENTSOF(clients); i++)
                ck_assert_int_ge(clients[i] = sockets_connect_unix(name), 0);
        ck_assert_uint_eq(measure_now(), 0);
        ck_assert_uint_eq(measured_waiting(), ELEMENTSOF(clients));

        connection = puppet_do(PUPPET_ACCEPT, listener, 0, NULL);
        ck_assert_uint_eq(measure_now(), 1);
        ck_assert_uint_eq(measured_waiting(), ELEMENTSOF(clients) - 1);
        ck_assert(!answer.connections[0].has_times && !answer.connections[0].closing);
        ck_assert_int_eq(send(clients[0], "request", 7, 0), 7);
        ck_assert_uint_eq(measure_now(), 1);
        ck_assert_uint_eq(answer.connections[0].unread, 7);
        ck_assert_int_eq(puppet_do(PUPPET_READ, connection, 16, NULL), 7);
        ck_assert_int_eq(puppet_do(PUPPET_WRITE, connection, 100, NULL), 100);
        ck_assert_uint_eq(measure_now(), 1);
        ck_assert_uint_eq(answer.connections[0].unread, 0);
        ck_assert_uint_gt(answer.connections[0].unsent, 0);
        fd_close(clients[0]);
        ck_assert_uint_eq(measure_now(), 1);
        ck_assert(answer.connections[0].closing);

        ck_assert_int_eq(puppet_do(PUPPET_CLOSE, listener, 0, NULL), 0);
        ck_assert_uint_eq(measure_now(), 1);
        ck_assert_uint_eq(answer.queue_count, 0);
        for (unsigned i = 1; i < ELEMENTSOF(clients); i++)
                fd_close(clients[i]);
}
END_TEST

START_TEST(test_udp) {
        struct sockaddr_in to = { .sin_family = AF_INET };
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        puppet_start(NULL, NULL);
        listener = puppet_do(PUPPET_BIND_UDP, AF_INET, 0, NULL);
        measuring_find();
        ck_assert_uint_eq(measure_now(), 0);
        ck_assert_uint_eq(measured_waiting(), 0);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons((uint16_t) puppet_do(PUPPET_PORT, listener, 0, NULL));
        ck_assert_int_eq(sendto(fd, "query", 5, 0, (struct sockaddr *) &to, sizeof(to)), 5);
        ck_assert_uint_eq(measure_now(), 0);
        ck_assert_uint_gt(measured_waiting(), 0);
        ck_assert_int_eq(puppet_do(PUPPET_READ, listener, 16, NULL), 5);
        ck_assert_uint_eq(measure_now(), 0);
        ck_assert_uint_eq(measured_waiting(), 0);
        fd_close(fd);
}
END_TEST

START_TEST(test_all_kinds_at_once) {
        puppet_start(NULL, NULL);
        for (int i = 0; i < sockets_count_families(); i++) {
                puppet_do(PUPPET_LISTEN, sockets_families[i], 1, NULL);
                puppet_do(PUPPET_BIND_UDP, sockets_families[i], 0, NULL);
        }
        puppet_do(PUPPET_LISTEN_UNIX, 0, 1, sockets_path);
        puppet_do(PUPPET_LISTEN_UNIX, 0, 1, sockets_abstract);
        measuring_find();
        ck_assert_uint_eq(measure(), 0);
        ck_assert_uint_eq(answer.queue_count, socket_count);
        ck_assert_uint_le(answer.when, clock_now());
        socket_count = 0;
        ck_assert_uint_eq(measure(), 0);
}
END_TEST

START_TEST(test_other_network) {
        int other;

        puppet_elsewhere = true;
        measuring_start();
        other = puppet_do(PUPPET_CONNECT, port, 0, NULL);
        ck_assert_int_ge(other, 0);
        ck_assert_uint_eq(measure_now(), 1);
        ck_assert_uint_eq(measured_waiting(), 1);
        ck_assert_int_ge(puppet_do(PUPPET_ACCEPT, listener, 0, NULL), 0);
        (void) measure_one();
        ck_assert_int_eq(puppet_do(PUPPET_CLOSE, other, 0, NULL), 0);

        ck_assert_int_eq(kill(puppet_pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(puppet_pid, NULL, 0), puppet_pid);
        (void) intake_open(intake, &sockets[0]);
        ck_assert_int_eq(measuring_try(), INTAKE_E_GONE);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("intake_kinds");
        TCase *tcase = tcase_create("kinds");

        suite_add_tcase(suite, tcase);
        tcase_add_checked_fixture(tcase, measuring_setup, measuring_teardown);
        tcase_add_loop_test(tcase, test_unix, 0, 2);
        tcase_add_test(tcase, test_udp);
        tcase_add_test(tcase, test_all_kinds_at_once);
        if (puppet_can_enter_network())
                tcase_add_test(tcase, test_other_network);
        else
                unit_add_skipped(suite, "networks", "no network namespace can be made here");
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
