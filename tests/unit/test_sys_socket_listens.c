/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/socket: who listens, told apart from all that only looks like it, here and in another
 * network. The daemons are forks of the test.
 */

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "sockets.h"
#include "sys/loop.h"
#include "sys/socket.h"
#include "sys/tree.h"
#include "unit.h"

#define INVOCATION "SUPERVISOR_INVOCATION=0123"

static Loop *loop;
static Tree *tree;
static pid_t daemon_pid;
static bool elsewhere; /* daemons live in a network of their own */

static void setup(void) {
        sockets_setup();
        elsewhere = false;
        daemon_pid = 0;
        ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
        ck_assert_int_eq(loop_new(&loop), 0);
        ck_assert_int_eq(tree_new(loop, NULL, "web", &tree), 0);
        ck_assert_int_eq(tree_prepare(tree), 0);
}

static int kill_one(void *userdata, pid_t pid) {
        (void) userdata;
        (void) kill(pid, SIGKILL); /* it may have gone by itself */
        return 0;
}

static void teardown(void) {
        while (!tree_is_empty(tree)) {
                ck_assert_int_eq(tree_each(tree, kill_one, NULL), 0);
                (void) waitpid(-1, NULL, WNOHANG);
        }
        while (waitpid(-1, NULL, 0) > 0)
                ;
        tree = tree_free(tree);
        loop = loop_free(loop);
        sockets_teardown();
}

/* Also that of a test that fails. */
static pid_t fork_daemon(void) {
        pid_t parent = getpid(), pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent))
                _exit(1);
        return pid;
}

static void wait_for_the_end(void) {
        for (;;)
                (void) pause();
}

/* Goes to a network of its own, where there is nothing but a loopback. */
static void enter_network(void) {
        struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
        int fd;

        ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
        fd_close(fd);
}

/* Runs `serve` in a daemon of the tree and returns once that has returned; it tells a port. */
static uint16_t start_daemon(uint16_t (*serve)(const void *userdata), const void *userdata) {
        uint16_t port = 0;
        int told[2];

        ck_assert_int_eq(pipe2(told, O_CLOEXEC), 0);
        tree_set_invocation(tree, INVOCATION);
        daemon_pid = fork_daemon();
        if (daemon_pid == 0) {
                (void) setsid();
                if (elsewhere)
                        enter_network();
                port = serve(userdata);
                if (write(told[1], &port, sizeof(port)) == sizeof(port))
                        wait_for_the_end();
                _exit(1);
        }
        tree_set_leader(tree, daemon_pid);
        fd_close(told[1]);
        ck_assert_int_eq(read(told[0], &port, sizeof(port)), sizeof(port));
        fd_close(told[0]);
        return port;
}

static bool listens_on(uint16_t port) {
        bool listens = false;

        ck_assert_int_eq(socket_tree_listens(tree, port, &listens), 0);
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
        start_daemon(serve_nothing, NULL);
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
        uint16_t port = start_daemon(serve_tcp, &sockets_families[_i]);

        ck_assert(listens_on(0));
        ck_assert(listens_on(port));
        ck_assert(!listens_on(port == 65535 ? 1 : port + 1));
        ck_assert_int_eq(kill(daemon_pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(daemon_pid, NULL, 0), daemon_pid);
        ck_assert(!listens_on(port));
}
END_TEST

static uint16_t serve_grandchild(const void *userdata) {
        uint16_t port = 0;
        int fd = sockets_listen_tcp(AF_INET, &port);

        (void) userdata;
        if (fork_daemon() == 0)
                wait_for_the_end();
        fd_close(fd);
        return port;
}

START_TEST(test_held_below) {
        uint16_t port = start_daemon(serve_grandchild, NULL);

        ck_assert(listens_on(port));
}
END_TEST

/* Bound, connected, datagrams: all that has a port or a path and does not listen. */
static uint16_t serve_all_but_listening(const void *userdata) {
        struct sockaddr_in to = { .sin_family = AF_INET };
        uint16_t port = 0, server_port = 0;
        int server = sockets_listen_tcp(AF_INET, &server_port);
        int fd = sockets_bind_tcp(AF_INET, &port);

        (void) userdata;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons(server_port);
        ck_assert_int_eq(connect(fd, (struct sockaddr *) &to, sizeof(to)), 0);
        ck_assert_int_ge(accept4(server, NULL, NULL, SOCK_CLOEXEC), 0);
        fd_close(server);

        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        to.sin_port = htons(port);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &to, sizeof(to)), 0);
        sockets_bind_unix(sockets_path, SOCK_STREAM);
        sockets_bind_unix(sockets_abstract, SOCK_DGRAM);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, (int[2]){ 0 }), 0);
        return port;
}

START_TEST(test_not_listening) {
        uint16_t port;

        elsewhere = _i == 1;
        port = start_daemon(serve_all_but_listening, NULL);
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
        elsewhere = _i >= (int) ELEMENTSOF(unix_listeners);
        start_daemon(serve_unix, &unix_listeners[_i % (int) ELEMENTSOF(unix_listeners)]);
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

        elsewhere = _i == 1;
        port = start_daemon(serve_busy, NULL);
        ck_assert(listens_on(port));
        ck_assert(listens_on(0));
}
END_TEST

/* The same port is another one in another network. */
START_TEST(test_other_network) {
        uint16_t ours = 0, port;
        int fd;

        elsewhere = true;
        port = start_daemon(serve_tcp, &sockets_families[_i]);
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

        enter_network();
        return port;
}

START_TEST(test_two_networks) {
        uint16_t port = start_daemon(serve_in_two, NULL);

        ck_assert(listens_on(port));
}
END_TEST

static bool can_make_network(void) {
        int status = 0;
        pid_t pid = fork();

        if (pid == 0)
                _exit(unshare(CLONE_NEWNET) == 0 ? 0 : 1);
        return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static Suite *make_suite(void) {
        int networks = can_make_network() ? 2 : 1;
        Suite *suite = suite_create("socket_listens");
        TCase *tcase = tcase_create("listens");

        tcase_add_checked_fixture(tcase, setup, teardown);
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
