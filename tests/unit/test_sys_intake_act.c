/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/intake: closing and opening TCP sockets of a daemon that does not know of it. Clients are the
 * test's own.
 */

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "puppet.h"
#include "sockets.h"
#include "sys/intake.h"
#include "unit.h"

#define BACKLOG     20
#define PATIENCE_MS 20000 /* until a SYN comes again */

static Intake *intake;
static IntakeSocket found;
static int family, listener;
static uint16_t port;

static void setup(void) {
        puppet_setup();
        family = AF_INET;
        ck_assert_int_eq(intake_new(puppet_loop, &intake), 0);
}

static void teardown(void) {
        intake = intake_free(intake);
        puppet_teardown();
}

static void find(void) {
        const IntakeSocket *sockets;
        size_t count;

        ck_assert_int_eq(intake_find(intake, puppet_tree, &sockets, &count, NULL), 0);
        ck_assert_uint_eq(count, 1);
        found = sockets[0];
}

static void start(void) {
        puppet_start(NULL, NULL);
        listener = puppet_do(PUPPET_LISTEN, family, BACKLOG, NULL);
        port = (uint16_t) puppet_do(PUPPET_PORT, listener, 0, NULL);
        find();
}

static int intake_do_close(IntakeMethod method) {
        return intake_close(intake, &found, method);
}

static int intake_do_open(void) {
        return intake_open(intake, &found);
}

static void assert_refused(void) {
        ck_assert_int_eq(sockets_connect(family, port), -1);
        ck_assert_int_eq(errno, ECONNREFUSED);
}

/* A request of a client is answered by the daemon, which accepts it before or now. */
static void assert_served(int client, int accepted) {
        struct pollfd answer = { .fd = client, .events = POLLIN };
        char piece[16];

        ck_assert_int_eq(send(client, "request", 7, 0), 7);
        if (accepted < 0)
                accepted = puppet_do(PUPPET_ACCEPT, listener, 0, NULL);
        ck_assert_int_ge(accepted, 0);
        ck_assert_int_eq(puppet_do(PUPPET_READ, accepted, 16, NULL), 7);
        ck_assert_int_eq(puppet_do(PUPPET_WRITE, accepted, 5, NULL), 5);
        ck_assert_int_eq(poll(&answer, 1, PATIENCE_MS), 1);
        ck_assert_int_eq(recv(client, piece, sizeof(piece), 0), 5);
        ck_assert_int_eq(puppet_do(PUPPET_CLOSE, accepted, 0, NULL), 0);
        fd_close(client);
}

/* ---- refuse ---- */

static int clients[BACKLOG];

START_TEST(test_refuse) {
        int known, accepted;

        family = sockets_families[_i];
        start();
        known = sockets_connect(family, port);
        accepted = puppet_do(PUPPET_ACCEPT, listener, 0, NULL);
        for (unsigned i = 0; i < BACKLOG; i++)
                ck_assert_int_ge(clients[i] = sockets_connect(family, port), 0);

        ck_assert_int_eq(intake_do_close(INTAKE_REFUSE), 0);
        ck_assert_int_eq(intake_do_close(INTAKE_REFUSE), 0);
        assert_refused();
        find();
        ck_assert(found.closed);
        assert_served(known, accepted);
        for (unsigned i = 0; i < BACKLOG; i++)
                assert_served(clients[i], -1);
        assert_refused();

        ck_assert(intake_can_reopen(intake));
        ck_assert_int_eq(intake_do_open(), 0);
        ck_assert_int_eq(intake_do_open(), 0);
        find();
        ck_assert(!found.closed);
        assert_served(sockets_connect(family, port), -1);
}
END_TEST

/* One socket for both families refuses both. */
START_TEST(test_refuse_both) {
        puppet_start(NULL, NULL);
        listener = puppet_do(PUPPET_LISTEN_BOTH, 0, BACKLOG, NULL);
        port = (uint16_t) puppet_do(PUPPET_PORT, listener, 0, NULL);
        find();
        ck_assert_int_eq(intake_do_close(INTAKE_REFUSE), 0);
        for (family = AF_INET6;; family = AF_INET) {
                assert_refused();
                if (family == AF_INET)
                        break;
        }
        ck_assert_int_eq(intake_do_open(), 0);
        assert_served(sockets_connect(AF_INET, port), -1);
        assert_served(sockets_connect(AF_INET6, port), -1);
}
END_TEST

/* Who was on the way in is let in. */
START_TEST(test_half_open) {
        int client;

        start();
        ck_assert_int_eq(puppet_do(PUPPET_DEFER, listener, 30, NULL), 0);
        client = sockets_connect(family, port);
        ck_assert_int_ge(client, 0);
        ck_assert_int_eq(intake_do_close(_i == 0 ? INTAKE_REFUSE : INTAKE_HOLD), 0);
        assert_served(client, -1);
        ck_assert_int_eq(intake_do_open(), 0);
}
END_TEST

/* Several sockets at one port, which share the clients. */
START_TEST(test_refuse_shared) {
        const IntakeSocket *sockets;
        size_t count;

        puppet_start(NULL, NULL);
        listener = puppet_do(PUPPET_LISTEN_SHARED, 0, BACKLOG, NULL);
        port = (uint16_t) puppet_do(PUPPET_PORT, listener, 0, NULL);
        ck_assert_int_ge(puppet_do(PUPPET_LISTEN_SHARED, port, BACKLOG, NULL), 0);
        ck_assert_int_ge(puppet_do(PUPPET_LISTEN_SHARED, port, BACKLOG, NULL), 0);
        ck_assert_int_eq(intake_find(intake, puppet_tree, &sockets, &count, NULL), 0);
        ck_assert_uint_eq(count, 3);
        for (size_t i = 0; i < count; i++)
                ck_assert_int_eq(intake_close(intake, &sockets[i], INTAKE_REFUSE), 0);
        for (unsigned i = 0; i < 20; i++)
                assert_refused();
        for (size_t i = 0; i < count; i++)
                ck_assert_int_eq(intake_open(intake, &sockets[i]), 0);
        for (unsigned i = 0; i < 20; i++)
                fd_close(sockets_connect(family, port));
}
END_TEST

/* What an earlier supervisor has done is undone by this one. */
START_TEST(test_open_after_another) {
        start();
        ck_assert_int_eq(intake_do_close(INTAKE_REFUSE), 0);
        intake = intake_free(intake);
        assert_refused();
        ck_assert_int_eq(intake_new(puppet_loop, &intake), 0);
        find();
        ck_assert(found.closed);
        ck_assert_int_eq(intake_do_open(), 0);
        assert_served(sockets_connect(family, port), -1);
}
END_TEST

/* ---- hold ---- */

static int tcp_state(int fd) {
        struct tcp_info info;
        socklen_t size = sizeof(info);

        ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
        return info.tcpi_state;
}

START_TEST(test_hold) {
        struct pollfd held = { .events = POLLOUT };
        int known, accepted, waiting;

        family = sockets_families[_i];
        start();
        known = sockets_connect(family, port);
        accepted = puppet_do(PUPPET_ACCEPT, listener, 0, NULL);
        waiting = sockets_connect(family, port);
        ck_assert_int_eq(intake_do_close(INTAKE_HOLD), 0);
        ck_assert_int_eq(intake_do_close(INTAKE_HOLD), 0);
        find();
        ck_assert(found.closed);

        held.fd = sockets_knock(family, port);
        ck_assert_int_eq(tcp_state(held.fd), TCP_SYN_SENT);
        assert_served(known, accepted);
        assert_served(waiting, -1);

        ck_assert_int_eq(intake_do_open(), 0);
        find();
        ck_assert(!found.closed);
        ck_assert_int_eq(poll(&held, 1, PATIENCE_MS), 1);
        assert_served(held.fd, -1);
}
END_TEST

START_TEST(test_hold_and_refuse) {
        start();
        ck_assert_int_eq(intake_do_close(INTAKE_HOLD), 0);
        ck_assert_int_eq(intake_do_close(INTAKE_REFUSE), 0);
        assert_refused();
        ck_assert_int_eq(intake_do_open(), 0);
        assert_served(sockets_connect(family, port), -1);
}
END_TEST

/* ---- what is not ours ---- */

/* A descriptor of the daemon's socket, as somebody else would get it. */
static int take(void) {
        int pidfd = pidfd_open(puppet_pid, 0), fd = pidfd_getfd(pidfd, listener, 0);

        ck_assert_int_ge(fd, 0);
        fd_close(pidfd);
        return fd;
}

static struct sock_filter let_all_pass[] = { BPF_STMT(BPF_RET | BPF_K, UINT32_MAX) };
static struct sock_filter longer[8];

static void attach(int fd, struct sock_filter *filter, size_t length) {
        struct sock_fprog program = { (unsigned short) length, filter };
        int r = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));

        ck_assert_int_eq(r, 0);
}

static size_t filter_length(int fd) {
        struct sock_filter filter[16];
        socklen_t length = ELEMENTSOF(filter);

        ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, filter, &length), 0);
        return length;
}

START_TEST(test_foreign_filter) {
        size_t length = _i == 0 ? ELEMENTSOF(let_all_pass) : ELEMENTSOF(longer);
        int fd;

        for (size_t i = 0; i < ELEMENTSOF(longer); i++)
                longer[i] = let_all_pass[0];
        start();
        fd = take();
        attach(fd, _i == 0 ? let_all_pass : longer, length);
        ck_assert_int_eq(intake_do_close(INTAKE_HOLD), INTAKE_E_FOREIGN);
        ck_assert_int_eq(intake_do_open(), 0);
        ck_assert_uint_eq(filter_length(fd), length);
        find();
        ck_assert(!found.closed);
        /* It is in the way of a filter only. */
        ck_assert_int_eq(intake_do_close(INTAKE_REFUSE), 0);
        assert_refused();
        ck_assert_int_eq(intake_do_open(), 0);
        ck_assert_uint_eq(filter_length(fd), length);
        fd_close(fd);
}
END_TEST

START_TEST(test_foreign_interface) {
        int fd, loopback = 1, interface = 0;
        socklen_t size = sizeof(interface);

        start();
        fd = take();
        ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &loopback, sizeof(loopback)),
                         0);
        ck_assert_int_eq(intake_do_close(INTAKE_REFUSE), INTAKE_E_FOREIGN);
        ck_assert_int_eq(intake_do_open(), 0);
        ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &interface, &size), 0);
        ck_assert_int_eq(interface, loopback);
        fd_close(fd);
        assert_served(sockets_connect(family, port), -1);
}
END_TEST

/* ---- what is not there any more, or cannot be closed ---- */

START_TEST(test_number_used_again) {
        start();
        ck_assert_int_eq(puppet_do(PUPPET_CLOSE, listener, 0, NULL), 0);
        ck_assert_int_eq(intake_do_close(INTAKE_REFUSE), INTAKE_E_GONE);
        ck_assert_int_eq(puppet_do(PUPPET_LISTEN, family, 1, NULL), listener);
        port = (uint16_t) puppet_do(PUPPET_PORT, listener, 0, NULL);
        ck_assert_int_eq(intake_do_close(INTAKE_REFUSE), INTAKE_E_GONE);
        ck_assert_int_eq(intake_do_close(INTAKE_HOLD), INTAKE_E_GONE);
        ck_assert_int_eq(intake_do_open(), INTAKE_E_GONE);
        assert_served(sockets_connect(family, port), -1);
}
END_TEST

START_TEST(test_dead) {
        start();
        ck_assert_int_eq(kill(puppet_pid, SIGKILL), 0);
        ck_assert_int_eq(waitid(P_PID, (id_t) puppet_pid, NULL, WEXITED | WNOWAIT), 0);
        ck_assert_int_eq(intake_do_close(INTAKE_REFUSE), INTAKE_E_GONE);
        ck_assert_int_eq(waitpid(puppet_pid, NULL, 0), puppet_pid);
        ck_assert_int_eq(intake_do_close(INTAKE_REFUSE), INTAKE_E_GONE);
        ck_assert_int_eq(intake_do_open(), INTAKE_E_GONE);
}
END_TEST

START_TEST(test_held_by_another) {
        pid_t other;

        start();
        other = puppet_do(PUPPET_FORK, 0, 0, NULL);
        puppet_do(PUPPET_CLOSE, listener, 0, NULL);
        ck_assert_int_eq(intake_do_close(INTAKE_REFUSE), INTAKE_E_GONE);
        find();
        ck_assert_int_eq(found.pid, other);
        ck_assert_int_eq(intake_do_close(INTAKE_REFUSE), 0);
        assert_refused();
}
END_TEST

START_TEST(test_no_method_for_it) {
        puppet_start(NULL, NULL);
        if (_i == 0)
                puppet_do(PUPPET_BIND_UDP, AF_INET, 0, NULL);
        else
                puppet_do(PUPPET_LISTEN_UNIX, 0, 1, _i == 1 ? sockets_abstract : sockets_path);
        find();
        ck_assert_int_eq(intake_do_close(INTAKE_HOLD), INTAKE_E_UNSUPPORTED);
        if (_i < 2)
                ck_assert_int_eq(intake_do_close(INTAKE_REFUSE), INTAKE_E_UNSUPPORTED);
        ck_assert_int_eq(intake_do_open(), 0);
}
END_TEST

/* ---- elsewhere ---- */

/* Nobody can connect from here; but the daemon itself can. */
START_TEST(test_other_network) {
        puppet_elsewhere = true;
        start();
        ck_assert_int_ge(puppet_do(PUPPET_CONNECT, port, 0, NULL), 0);
        ck_assert_int_eq(intake_do_close(INTAKE_REFUSE), 0);
        ck_assert_int_eq(puppet_do(PUPPET_CONNECT, port, 0, NULL), -ECONNREFUSED);
        ck_assert_int_eq(intake_do_open(), 0);
        ck_assert_int_ge(puppet_do(PUPPET_CONNECT, port, 0, NULL), 0);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("intake_act");
        int families = sockets_count_families();
        const char *cannot = puppet_cannot_take();
        TCase *tcase;

        if (!cannot)
                cannot = puppet_cannot_reopen();
        if (cannot) {
                unit_add_skipped(suite, "act", cannot);
                return suite;
        }
        tcase = tcase_create("act");
        suite_add_tcase(suite, tcase);
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, test_refuse, 0, families);
        if (families == 2)
                tcase_add_test(tcase, test_refuse_both);
        tcase_add_test(tcase, test_refuse_shared);
        tcase_add_test(tcase, test_open_after_another);
        tcase_add_test(tcase, test_foreign_interface);
        tcase_add_test(tcase, test_number_used_again);
        tcase_add_test(tcase, test_dead);
        tcase_add_test(tcase, test_held_by_another);
        tcase_add_loop_test(tcase, test_no_method_for_it, 0, 3);
        if (puppet_can_enter_network())
                tcase_add_test(tcase, test_other_network);
        else
                unit_add_skipped(suite, "networks", "no network namespace can be made here");

        cannot = puppet_cannot_hold();
        if (cannot) {
                unit_add_skipped(suite, "hold", cannot);
                return suite;
        }
        tcase_add_loop_test(tcase, test_half_open, 0, 2);
        tcase_add_loop_test(tcase, test_hold, 0, families);
        tcase_add_test(tcase, test_hold_and_refuse);
        tcase_add_loop_test(tcase, test_foreign_filter, 0, 2);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
