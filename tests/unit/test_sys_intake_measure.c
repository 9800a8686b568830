/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sys/intake: what is in flight at a daemon, counted from outside. */

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/file.h"
#include "measuring.h"
#include "puppet.h"
#include "sockets.h"
#include "unit.h"

#define MORE_THAN_FITS (1 << 20)

/* ---- the queue ---- */

START_TEST(test_queue) {
        int clients[MEASURING_BACKLOG];

        family = sockets_families[_i];
        measuring_start();
        ck_assert_uint_eq(measure_now(), 0);
        ck_assert_uint_eq(measured_waiting(), 0);
        for (int i = 0; i < MEASURING_BACKLOG; i++) {
                ck_assert_int_ge(clients[i] = sockets_connect(family, port), 0);
                ck_assert_uint_eq(measure_now(), (size_t) i + 1);
                ck_assert_uint_eq(measured_waiting(), (unsigned) i + 1);
                ck_assert_uint_eq(measured_not_accepted(), (unsigned) i + 1);
        }
        for (int i = 0; i < MEASURING_BACKLOG; i++) {
                ck_assert_int_ge(puppet_do(PUPPET_ACCEPT, listener, 0, NULL), 0);
                ck_assert_uint_eq(measure_now(), MEASURING_BACKLOG);
                ck_assert_uint_eq(measured_waiting(), MEASURING_BACKLOG - 1 - (unsigned) i);
                ck_assert_uint_eq(measured_not_accepted(), MEASURING_BACKLOG - 1 - (unsigned) i);
        }
        for (int i = 0; i < MEASURING_BACKLOG; i++)
                fd_close(clients[i]);
}
END_TEST

/* The daemon is only told of clients that have sent something: until then they are half open. */
START_TEST(test_half_open) {
        int seconds = 30;

        family = sockets_families[_i];
        puppet_start(NULL, NULL);
        listener = puppet_do(PUPPET_LISTEN, family, MEASURING_BACKLOG, NULL);
        port = (uint16_t) puppet_do(PUPPET_PORT, listener, 0, NULL);
        measuring_find();
        ck_assert_int_eq(puppet_do(PUPPET_DEFER, listener, seconds, NULL), 0);
        client = sockets_connect(family, port);
        ck_assert_uint_eq(measure_now(), 1);
        ck_assert_uint_eq(measured_not_accepted(), 1);
        ck_assert(!answer.connections[0].closing);
        ck_assert_int_eq(send(client, "x", 1, 0), 1);
        ck_assert_int_ge(puppet_do(PUPPET_ACCEPT, listener, 0, NULL), 0);
        ck_assert_uint_eq(measure_now(), 1);
        ck_assert_uint_eq(measured_not_accepted(), 0);
        fd_close(client);
}
END_TEST

/* Also those of IPv4 that come by a socket of IPv6. */
START_TEST(test_both_families) {
        int clients[4], seconds = 30;
        char peer[INTAKE_NAME_MAX];

        puppet_start(NULL, NULL);
        listener = puppet_do(PUPPET_LISTEN_BOTH, 0, MEASURING_BACKLOG, NULL);
        port = (uint16_t) puppet_do(PUPPET_PORT, listener, 0, NULL);
        measuring_find();
        clients[0] = sockets_connect(AF_INET, port);
        ck_assert_uint_eq(measure_now(), 1);
        ck_assert_ptr_eq(answer.connections[0].socket, &sockets[0]);
        snprintf(peer, sizeof(peer), "127.0.0.1:%u", sockets_port(clients[0]));
        ck_assert_str_eq(answer.connections[0].peer, peer);
        clients[1] = sockets_connect(AF_INET6, port);
        ck_assert_uint_eq(measure_now(), 2);
        ck_assert_uint_eq(measured_waiting(), 2);
        ck_assert_int_eq(puppet_do(PUPPET_DEFER, listener, seconds, NULL), 0);
        clients[2] = sockets_connect(AF_INET, port);
        ck_assert_uint_eq(measure_now(), 3);
        clients[3] = sockets_connect(AF_INET6, port);
        ck_assert_uint_eq(measure_now(), 4);
        ck_assert_uint_eq(measured_not_accepted(), 4);
        for (size_t i = 0; i < ELEMENTSOF(clients); i++)
                fd_close(clients[i]);
}
END_TEST

/* ---- accepted ones ---- */

/* Time goes by, since all that matters here is told in milliseconds. */
static void pass_time(void) {
        usec_t begin = clock_now();

        while (clock_now() < begin + 20 * USEC_PER_MSEC)
                ;
}

START_TEST(test_request_and_answer) {
        const IntakeConnection *connection;
        char name[INTAKE_NAME_MAX];

        family = sockets_families[_i];
        measuring_start_connected();
        snprintf(name, sizeof(name), family == AF_INET ? "127.0.0.1:%u" : "[::1]:%u",
                 sockets_port(client));
        connection = measure_one();
        ck_assert_str_eq(connection->peer, name);
        ck_assert(connection->has_times && !connection->closing);
        ck_assert_uint_eq(connection->received, 0);
        ck_assert_uint_eq(connection->sent, 0);

        /* A request that the daemon has not read. */
        pass_time();
        ck_assert_int_eq(send(client, "request", 7, 0), 7);
        connection = measure_one();
        ck_assert_uint_eq(connection->unread, 7);
        ck_assert_uint_eq(connection->received, 7);

        /* It works on it: the peer spoke last. */
        ck_assert_int_eq(puppet_do(PUPPET_READ, accepted, 16, NULL), 7);
        connection = measure_one();
        ck_assert_uint_eq(connection->unread, 0);
        ck_assert_uint_lt(connection->since_received, connection->since_sent);

        /* It has answered. */
        pass_time();
        ck_assert_int_eq(puppet_do(PUPPET_WRITE, accepted, 100, NULL), 100);
        connection = measure_one();
        ck_assert_uint_eq(connection->unsent, 0);
        ck_assert_uint_eq(connection->sent, 100);
        ck_assert_uint_lt(connection->since_sent, connection->since_received);
        fd_close(client);
}
END_TEST

START_TEST(test_answer_that_is_not_taken) {
        int written, before;

        measuring_start_connected();
        written = puppet_do(PUPPET_WRITE, accepted, MORE_THAN_FITS, NULL);
        ck_assert_int_gt(written, 0);
        do { /* until nothing fits any more */
                before = written;
                written = puppet_do(PUPPET_WRITE, accepted, MORE_THAN_FITS, NULL);
        } while (written > 0 && before > 0);
        ck_assert_uint_gt(measure_one()->unsent, 0);
        fd_close(client);
}
END_TEST

START_TEST(test_ended_by_the_client) {
        const IntakeConnection *connection;

        measuring_start_connected();
        ck_assert_int_eq(send(client, "request", 7, 0), 7);
        ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
        connection = measure_one();
        ck_assert(connection->closing);
        ck_assert_uint_eq(connection->unread, 7); /* without the end */
        ck_assert_int_eq(puppet_do(PUPPET_READ, accepted, 16, NULL), 7);
        ck_assert_uint_eq(measure_one()->unread, 0);
        ck_assert_int_eq(puppet_do(PUPPET_READ, accepted, 16, NULL), 0);
        connection = measure_one();
        ck_assert(connection->closing);
        ck_assert_uint_eq(connection->unread, 0);
        fd_close(client);
}
END_TEST

/* One that ends its side goes on; what it lets go is the kernel's. */
START_TEST(test_ended_by_the_daemon) {
        measuring_start_connected();
        ck_assert_int_eq(puppet_do(PUPPET_SHUT, accepted, 0, NULL), 0);
        ck_assert(measure_one()->closing);
        ck_assert_int_eq(puppet_do(PUPPET_CLOSE, accepted, 0, NULL), 0);
        ck_assert_uint_eq(measure_now(), 0);
        fd_close(client);
}
END_TEST

/* A client that has gone before it was accepted is in the queue still. */
START_TEST(test_gone_while_it_waits) {
        measuring_start();
        client = sockets_connect(family, port);
        fd_close(client);
        ck_assert_uint_eq(measure_now(), 1);
        ck_assert_uint_eq(measured_waiting(), 1);
        ck_assert_uint_eq(answer.connections[0].inode, 0);
        ck_assert(answer.connections[0].closing);
}
END_TEST

/* ---- what does not count ---- */

START_TEST(test_others) {
        int other_listener, other_client, outgoing, ours;
        uint16_t other_port, our_port = 0;

        measuring_start_connected();
        /* By another socket, which nobody asks for. */
        other_listener = puppet_do(PUPPET_LISTEN, AF_INET, 1, NULL);
        other_port = (uint16_t) puppet_do(PUPPET_PORT, other_listener, 0, NULL);
        other_client = sockets_connect(AF_INET, other_port);
        /* From the daemon to somebody. */
        ours = sockets_listen_tcp(AF_INET, &our_port);
        outgoing = puppet_do(PUPPET_CONNECT, our_port, 0, NULL);
        ck_assert_int_ge(outgoing, 0);
        (void) measure_one();

        measuring_find();
        ck_assert_uint_eq(socket_count, 2);
        ck_assert_uint_eq(measure_now(), 2);
        ck_assert_uint_eq(answer.queue_count, 2);
        fd_close(other_client);
        fd_close(client);
        fd_close(ours);
}
END_TEST

/* The same port at another address is another socket. */
START_TEST(test_same_port_other_address) {
        struct sockaddr_in other = { .sin_family = AF_INET };
        int ours = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int stranger = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        measuring_start_connected();
        other.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
        other.sin_port = htons(port);
        ck_assert_int_eq(bind(ours, (struct sockaddr *) &other, sizeof(other)), 0);
        ck_assert_int_eq(listen(ours, 1), 0);
        ck_assert_int_eq(connect(stranger, (struct sockaddr *) &other, sizeof(other)), 0);
        (void) measure_one();
        ck_assert_uint_eq(measured_waiting(), 0);
        fd_close(stranger);
        fd_close(ours);
        fd_close(client);
}
END_TEST

/* More ports than the kernel is told. */
START_TEST(test_many_ports) {
        measuring_start_connected();
        for (unsigned i = 0; i < 40; i++) {
                sockets[1] = sockets[0];
                sockets[1].port = (uint16_t) (i + 1);
                sockets[1].inode = 1;
                socket_count = 2;
                ck_assert_uint_eq(measure_now(), 1);
        }
        fd_close(client);
}
END_TEST

START_TEST(test_listener_is_gone) {
        measuring_start_connected();
        ck_assert_int_eq(puppet_do(PUPPET_CLOSE, listener, 0, NULL), 0);
        (void) measure_one();
        ck_assert_uint_eq(answer.queue_count, 0);
        fd_close(client);
}
END_TEST

/* It serves for a while that depends on what it cost, but not once something was changed. */
START_TEST(test_snapshot) {
        usec_t first, clock = clock_now();

        measuring_start_connected();
        ck_assert_uint_eq(measure(), 1);
        first = answer.when;
        ck_assert_uint_le(first, clock_now());
        while (measure() == 1 && answer.when == first)
                ;
        ck_assert_uint_gt(answer.when, first);
        first = answer.when;
        ck_assert_uint_eq(measure_now(), 1);
        ck_assert_uint_gt(answer.when, first);
        clock_use(&clock);
        ck_assert_uint_eq(measure_now(), 1);
        ck_assert_uint_eq(answer.when, clock);
        clock_use(NULL);
        fd_close(client);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("intake_measure");
        TCase *tcase = tcase_create("measure");
        int families = sockets_count_families();

        suite_add_tcase(suite, tcase);
        tcase_add_checked_fixture(tcase, measuring_setup, measuring_teardown);
        tcase_add_loop_test(tcase, test_queue, 0, families);
        tcase_add_loop_test(tcase, test_half_open, 0, families);
        if (families == 2)
                tcase_add_test(tcase, test_both_families);
        tcase_add_loop_test(tcase, test_request_and_answer, 0, families);
        tcase_add_test(tcase, test_answer_that_is_not_taken);
        tcase_add_test(tcase, test_ended_by_the_client);
        tcase_add_test(tcase, test_ended_by_the_daemon);
        tcase_add_test(tcase, test_gone_while_it_waits);
        tcase_add_test(tcase, test_others);
        tcase_add_test(tcase, test_same_port_other_address);
        tcase_add_test(tcase, test_many_ports);
        tcase_add_test(tcase, test_listener_is_gone);
        tcase_add_test(tcase, test_snapshot);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
