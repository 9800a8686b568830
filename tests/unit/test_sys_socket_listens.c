/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/socket: who listens, told apart from all that only looks like it, here and in another
 * network. The daemons are forks of the test.
 */

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/file.h"
#include "puppet.h"
#include "sockets.h"
#include "sys/socket.h"
#include "unit.h"

static bool listens_on(uint16_t port) {
        bool listens = false;

        ck_assert_int_eq(socket_tree_listens(puppet_tree, port, &listens), 0);
        return listens;
}

static uint16_t serve_nothing(const void *userdata) {
        (void) userdata;
        return 1;
}

START_TEST(test_nothing) {
        uint16_t port = 0;
        int fd;

        ck_assert(!listens_on(0));
        puppet_start(serve_nothing, NULL);
        ck_assert(!listens_on(0));
        /* Somebody else, and be it ourselves, does not count. */
        fd = sockets_listen_tcp(AF_INET, &port);
        ck_assert(!listens_on(0));
        ck_assert(!listens_on(port));
        fd_close(fd);
}
END_TEST

static uint16_t serve_tcp(const void *userdata) {
        uint16_t port = 0;

        sockets_listen_tcp(*(const int *) userdata, &port);
        return port;
}

START_TEST(test_tcp) {
        uint16_t port = puppet_start(serve_tcp, &sockets_families[_i]);

        ck_assert(listens_on(0));
        ck_assert(listens_on(port));
        ck_assert(!listens_on(port == 65535 ? 1 : port + 1));
        ck_assert_int_eq(kill(puppet_pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(puppet_pid, NULL, 0), puppet_pid);
        ck_assert(!listens_on(port));
}
END_TEST

static uint16_t serve_grandchild(const void *userdata) {
        uint16_t port = 0;
        int fd = sockets_listen_tcp(AF_INET, &port);

        (void) userdata;
        if (puppet_fork() == 0)
                puppet_wait();
        fd_close(fd);
        return port;
}

START_TEST(test_held_below) {
        uint16_t port = puppet_start(serve_grandchild, NULL);

        ck_assert(listens_on(port));
}
END_TEST

/* A socket for connections, and one for datagrams at the same port, which others may have. */
static int bind_both(struct sockaddr_in *address, uint16_t *port) {
        for (;;) {
                int datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), fd;

                *port = 0;
                fd = sockets_bind_tcp(AF_INET, port);
                address->sin_port = htons(*port);
                if (bind(datagrams, (struct sockaddr *) address, sizeof(*address)) == 0)
                        return fd;
                ck_assert_int_eq(errno, EADDRINUSE);
                fd_close(datagrams);
                fd_close(fd);
        }
}

/* Bound, connected, datagrams: all that has a port or a path and does not listen. */
static uint16_t serve_all_but_listening(const void *userdata) {
        struct sockaddr_in to = { .sin_family = AF_INET };
        uint16_t port = 0, server_port = 0;
        int server = sockets_listen_tcp(AF_INET, &server_port), fd;

        (void) userdata;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fd = bind_both(&to, &port);
        to.sin_port = htons(server_port);
        ck_assert_int_eq(connect(fd, (struct sockaddr *) &to, sizeof(to)), 0);
        ck_assert_int_ge(accept4(server, NULL, NULL, SOCK_CLOEXEC), 0);
        fd_close(server);

        sockets_bind_unix(sockets_path, SOCK_STREAM);
        sockets_bind_unix(sockets_abstract, SOCK_DGRAM);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, (int[2]){ 0 }), 0);
        return port;
}

START_TEST(test_not_listening) {
        uint16_t port;

        puppet_elsewhere = _i == 1;
        port = puppet_start(serve_all_but_listening, NULL);
        ck_assert(!listens_on(0));
        ck_assert(!listens_on(port));
}
END_TEST

typedef struct UnixListener {
        const char *name;
        int type;
} UnixListener;

static UnixListener unix_listeners[] = {
        { sockets_path, SOCK_STREAM },
        { sockets_abstract, SOCK_STREAM },
        { sockets_path, SOCK_SEQPACKET },
};

static uint16_t serve_unix(const void *userdata) {
        const UnixListener *listener = userdata;

        ck_assert_int_eq(listen(sockets_bind_unix(listener->name, listener->type), 1), 0);
        return 1;
}

START_TEST(test_unix) {
        puppet_elsewhere = _i >= (int) ELEMENTSOF(unix_listeners);
        puppet_start(serve_unix, &unix_listeners[_i % (int) ELEMENTSOF(unix_listeners)]);
        ck_assert(listens_on(0));
        ck_assert(!listens_on(1));
}
END_TEST

/* Many connections before and behind it in the tables. */
static uint16_t serve_busy(const void *userdata) {
        uint16_t port = 0;
        struct sockaddr_in to = { .sin_family = AF_INET };
        int other = sockets_listen_tcp(AF_INET, &port);

        (void) userdata;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons(port);
        for (unsigned i = 0; i < SOCKETS_MAX; i++) {
                int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

                ck_assert_int_eq(connect(fd, (struct sockaddr *) &to, sizeof(to)), 0);
        }
        fd_close(other);
        port = 0;
        sockets_listen_tcp(sockets_count_families() == 2 ? AF_INET6 : AF_INET, &port);
        return port;
}

START_TEST(test_busy) {
        uint16_t port;

        puppet_elsewhere = _i == 1;
        port = puppet_start(serve_busy, NULL);
        ck_assert(listens_on(port));
        ck_assert(listens_on(0));
}
END_TEST

/* The same port is another one in another network. */
START_TEST(test_other_network) {
        uint16_t ours = 0, port;
        int fd;

        puppet_elsewhere = true;
        port = puppet_start(serve_tcp, &sockets_families[_i]);
        fd = sockets_listen_tcp(AF_INET, &ours);
        ck_assert(listens_on(port));
        ck_assert(listens_on(0));
        if (ours != port)
                ck_assert(!listens_on(ours));
        fd_close(fd);
}
END_TEST

/* One process listens where we are, the other has gone elsewhere. */
static uint16_t serve_in_two(const void *userdata) {
        uint16_t port = serve_grandchild(userdata);

        puppet_enter_network();
        return port;
}

START_TEST(test_two_networks) {
        uint16_t port = puppet_start(serve_in_two, NULL);

        ck_assert(listens_on(port));
}
END_TEST

static Suite *make_suite(void) {
        int networks = puppet_can_enter_network() ? 2 : 1;
        Suite *suite = suite_create("socket_listens");
        TCase *tcase = tcase_create("listens");

        tcase_add_checked_fixture(tcase, puppet_setup, puppet_teardown);
        tcase_add_test(tcase, test_nothing);
        tcase_add_loop_test(tcase, test_tcp, 0, sockets_count_families());
        tcase_add_test(tcase, test_held_below);
        tcase_add_loop_test(tcase, test_not_listening, 0, networks);
        tcase_add_loop_test(tcase, test_unix, 0, ELEMENTSOF(unix_listeners) * networks);
        tcase_add_loop_test(tcase, test_busy, 0, networks);
        suite_add_tcase(suite, tcase);
        if (networks == 1) {
                unit_add_skipped(suite, "networks", "no network namespace can be made here");
                return suite;
        }
        tcase_add_loop_test(tcase, test_other_network, 0, sockets_count_families());
        tcase_add_test(tcase, test_two_networks);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
