/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/socket: who listens, told apart from all that only looks like it; addresses; and connecting
 * without ever waiting. The daemons are forks of the test.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "sys/loop.h"
#include "sys/socket.h"
#include "sys/tree.h"
#include "unit.h"

#define INVOCATION  "SUPERVISOR_INVOCATION=0123"
#define SOCKETS_MAX 300

static char directory[32];
static char path[64];
static char abstract[64];
static Loop *loop;
static Tree *tree;
static pid_t daemon_pid;

static void setup(void) {
        ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
        (void) strcpy(directory, "/tmp/test-socket-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        snprintf(path, sizeof(path), "%s/socket", directory);
        snprintf(abstract, sizeof(abstract), "@supervisord-test.%d", (int) getpid());
        ck_assert_int_eq(loop_new(&loop), 0);
        ck_assert_int_eq(tree_new(loop, NULL, "web", &tree), 0);
        ck_assert_int_eq(tree_prepare(tree), 0);
        daemon_pid = 0;
}

static int kill_one(void *userdata, pid_t pid) {
        (void) userdata;
        return kill(pid, SIGKILL) == 0 ? 0 : errno;
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
        (void) unlink(path);
        ck_assert_int_eq(rmdir(directory), 0);
}

/* A socket on the loopback, on a port of the kernel's choice unless there is one. */
static int tcp_bound(int family, uint16_t *port) {
        struct sockaddr_in v4 = { .sin_family = AF_INET };
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
        struct sockaddr_storage own;
        socklen_t length = sizeof(own);
        int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

        ck_assert_int_ge(fd, 0);
        v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        v4.sin_port = v6.sin6_port = htons(*port);
        r = family == AF_INET ? bind(fd, (struct sockaddr *) &v4, sizeof(v4))
                              : bind(fd, (struct sockaddr *) &v6, sizeof(v6));
        ck_assert_msg(r == 0, "bind: %s", strerror(errno));
        ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &own, &length), 0);
        /* The port is at the same place in both. */
        *port = ntohs(((struct sockaddr_in *) &own)->sin_port);
        return fd;
}

static int tcp_listening(int family, uint16_t *port) {
        int fd = tcp_bound(family, port);

        ck_assert_int_eq(listen(fd, SOCKETS_MAX), 0);
        return fd;
}

static int unix_bound(const char *name, int type) {
        SocketAddress address;
        int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(socket_parse_unix(name, &address), 0);
        ck_assert_int_eq(bind(fd, &address.any, address.length), 0);
        return fd;
}

/* Also that of a test that fails. */
static void wait_for_the_end(void) {
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
                (void) pause();
}

/* Runs `serve` in a daemon of the tree and returns once that has returned; it tells a port. */
static uint16_t start_daemon(uint16_t (*serve)(void *userdata), void *userdata) {
        uint16_t port = 0;
        int told[2];

        ck_assert_int_eq(pipe2(told, O_CLOEXEC), 0);
        tree_set_invocation(tree, INVOCATION);
        daemon_pid = fork();
        ck_assert_int_ge(daemon_pid, 0);
        if (daemon_pid == 0) {
                (void) setsid();
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

/* ---- listening ---- */

static uint16_t serve_nothing(void *userdata) {
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
        fd = tcp_listening(AF_INET, &port);
        ck_assert(!listens_on(0));
        ck_assert(!listens_on(port));
        fd_close(fd);
}
END_TEST

static uint16_t serve_tcp(void *userdata) {
        uint16_t port = 0;

        tcp_listening(*(const int *) userdata, &port);
        return port;
}

static int families[] = { AF_INET, AF_INET6 };

/* Without IPv6 only the first. */
static int count_families(void) {
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
        int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool usable = fd >= 0 && bind(fd, (struct sockaddr *) &v6, sizeof(v6)) == 0;

        fd_close(fd);
        return usable ? 2 : 1;
}

START_TEST(test_tcp) {
        uint16_t port = start_daemon(serve_tcp, &families[_i]);

        ck_assert(listens_on(0));
        ck_assert(listens_on(port));
        ck_assert(!listens_on(port == 65535 ? 1 : port + 1));
        ck_assert_int_eq(kill(daemon_pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(daemon_pid, NULL, 0), daemon_pid);
        ck_assert(!listens_on(port));
}
END_TEST

static uint16_t serve_grandchild(void *userdata) {
        uint16_t port = 0;
        int fd = tcp_listening(AF_INET, &port);

        (void) userdata;
        if (fork() == 0)
                wait_for_the_end();
        fd_close(fd);
        return port;
}

START_TEST(test_held_below) {
        uint16_t port = start_daemon(serve_grandchild, NULL);

        ck_assert(listens_on(port));
}
END_TEST

typedef struct Server {
        int fd; /* the daemon has it by the fork, but shall not keep it */
        uint16_t port;
} Server;

/* Bound, connected, datagrams: all that has a port or a path and does not listen. */
static uint16_t serve_all_but_listening(void *userdata) {
        const Server *server = userdata;
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(server->port) };
        uint16_t port = 0;
        int fd = tcp_bound(AF_INET, &port);

        fd_close(server->fd);

        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ck_assert_int_eq(connect(fd, (struct sockaddr *) &to, sizeof(to)), 0);
        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        to.sin_port = htons(port);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &to, sizeof(to)), 0);
        unix_bound(path, SOCK_STREAM);
        unix_bound(abstract, SOCK_DGRAM);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, (int[2]){ 0 }), 0);
        return port;
}

START_TEST(test_not_listening) {
        Server server = { .port = 0 };
        uint16_t port;

        server.fd = tcp_listening(AF_INET, &server.port);
        port = start_daemon(serve_all_but_listening, &server);
        ck_assert(!listens_on(0));
        ck_assert(!listens_on(port));
        ck_assert(!listens_on(server.port));
        fd_close(server.fd);
}
END_TEST

typedef struct UnixListener {
        const char *name;
        int type;
} UnixListener;

static UnixListener unix_listeners[] = {
        { path, SOCK_STREAM },
        { abstract, SOCK_STREAM },
        { path, SOCK_SEQPACKET },
};

static uint16_t serve_unix(void *userdata) {
        const UnixListener *listener = userdata;

        ck_assert_int_eq(listen(unix_bound(listener->name, listener->type), 1), 0);
        return 1;
}

START_TEST(test_unix) {
        start_daemon(serve_unix, &unix_listeners[_i]);
        ck_assert(listens_on(0));
        ck_assert(!listens_on(1));
}
END_TEST

/* Many connections before and behind it in the tables. */
static uint16_t serve_busy(void *userdata) {
        uint16_t port = 0;
        struct sockaddr_in to = { .sin_family = AF_INET };
        int other = tcp_listening(AF_INET, &port);

        (void) userdata;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons(port);
        for (unsigned i = 0; i < SOCKETS_MAX; i++) {
                int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

                ck_assert_int_eq(connect(fd, (struct sockaddr *) &to, sizeof(to)), 0);
        }
        fd_close(other);
        port = 0;
        tcp_listening(count_families() == 2 ? AF_INET6 : AF_INET, &port);
        return port;
}

START_TEST(test_busy) {
        uint16_t port = start_daemon(serve_busy, NULL);

        ck_assert(listens_on(port));
        ck_assert(listens_on(0));
}
END_TEST

/* In a network of its own, where the same port is another one. */
static uint16_t serve_elsewhere(void *userdata) {
        uint16_t port = 0;

        (void) userdata;
        if (unshare(CLONE_NEWNET) < 0)
                return 0;
        ck_assert_int_eq(listen(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 1), 0);
        /* Its loopback is down, but any address will do. */
        for (port = 20000; port < 20010; port++) {
                struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
                int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

                if (bind(fd, (struct sockaddr *) &any, sizeof(any)) == 0 && listen(fd, 1) == 0)
                        return port;
        }
        return 0;
}

START_TEST(test_other_network) {
        uint16_t ours = 0, port = start_daemon(serve_elsewhere, NULL);
        int fd = tcp_listening(AF_INET, &ours);

        if (port != 0) {
                ck_assert(listens_on(port));
                ck_assert(!listens_on(ours));
        } else /* no new network may be made here: then it has no listener at all */
                ck_assert(!listens_on(0));
        fd_close(fd);
}
END_TEST

/* One process listens where we are, the other has gone elsewhere. */
static uint16_t serve_in_two(void *userdata) {
        uint16_t port = serve_grandchild(NULL);

        (void) userdata;
        return unshare(CLONE_NEWNET) == 0 ? port : 0;
}

START_TEST(test_two_networks) {
        uint16_t port = start_daemon(serve_in_two, NULL);

        if (port != 0)
                ck_assert(listens_on(port));
}
END_TEST

/* ---- addresses ---- */

typedef struct AddressCase {
        const char *text;
        const char *host; /* NULL: refused */
        unsigned port;
} AddressCase;

static const AddressCase tcp_cases[] = {
        { "127.0.0.1:80", "127.0.0.1", 80 },
        { "10.1.2.3:65535", "10.1.2.3", 65535 },
        { "[::1]:80", "::1", 80 },
        { "[2001:db8::5]:1", "2001:db8::5", 1 },
        { ":80", "127.0.0.1", 80 },
        { "80", "127.0.0.1", 80 },
        { "", NULL, 0 },
        { ":", NULL, 0 },
        { "0", NULL, 0 },
        { "65536", NULL, 0 },
        { "-1", NULL, 0 },
        { "127.0.0.1", NULL, 0 },
        { "127.0.0.1:", NULL, 0 },
        { "127.0.0.1:0", NULL, 0 },
        { "127.0.0.1:80 ", NULL, 0 },
        { " 127.0.0.1:80", NULL, 0 },
        { "127.0.0.1:http", NULL, 0 },
        { "localhost:80", NULL, 0 },
        { "127.0.1:80", NULL, 0 },
        { "127.0.0.256:80", NULL, 0 },
        { "::1:80", NULL, 0 }, /* which colon? */
        { "[::1]", NULL, 0 },
        { "[::1]80", NULL, 0 },
        { "[]:80", NULL, 0 },
        { "[:80", NULL, 0 },
        { "]:80", NULL, 0 },
        { "[127.0.0.1]:80", NULL, 0 },
        { "[fe80::1%lo]:80", NULL, 0 },
        { "[[::1]]:80", NULL, 0 },
        { "1111111111222222222233333333334444444444555555555566666666667777777777:80", NULL, 0 },
};

START_TEST(test_parse_tcp) {
        const AddressCase *c = &tcp_cases[_i];
        SocketAddress address = { .length = 4711 };
        char host[INET6_ADDRSTRLEN];
        int r = socket_parse_tcp(c->text, &address);

        if (!c->host) {
                ck_assert_int_eq(r, SOCKET_E_SYNTAX);
                ck_assert_uint_eq(address.length, 4711);
                return;
        }
        ck_assert_int_eq(r, 0);
        if (address.any.sa_family == AF_INET) {
                const struct sockaddr_in *v4 = (const struct sockaddr_in *) &address.storage;

                ck_assert_uint_eq(address.length, sizeof(*v4));
                ck_assert_uint_eq(ntohs(v4->sin_port), c->port);
                inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
        } else {
                const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *) &address.storage;

                ck_assert_uint_eq(address.length, sizeof(*v6));
                ck_assert_uint_eq(ntohs(v6->sin6_port), c->port);
                inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
        }
        ck_assert_str_eq(host, c->host);
}
END_TEST

START_TEST(test_parse_unix) {
        const size_t room = sizeof(((struct sockaddr_un *) NULL)->sun_path);
        char text[200];
        SocketAddress address = { .length = 4711 };

        ck_assert_int_eq(socket_parse_unix("", &address), SOCKET_E_SYNTAX);
        ck_assert_int_eq(socket_parse_unix("/", &address), SOCKET_E_SYNTAX);
        ck_assert_int_eq(socket_parse_unix("@", &address), SOCKET_E_SYNTAX);
        ck_assert_int_eq(socket_parse_unix("run/x", &address), SOCKET_E_SYNTAX);
        ck_assert_int_eq(socket_parse_unix("./x", &address), SOCKET_E_SYNTAX);
        memset(text, 'x', sizeof(text));
        text[room] = '\0';
        for (unsigned i = 0; i < 2; i++) {
                text[0] = i == 0 ? '/' : '@';
                ck_assert_int_eq(socket_parse_unix(text, &address), SOCKET_E_SYNTAX);
        }
        ck_assert_uint_eq(address.length, 4711);

        /* The longest that fits; an abstract name has no end of its own, so its length is exact. */
        text[room - 1] = '\0';
        ck_assert_int_eq(socket_parse_unix(text, &address), 0);
        ck_assert_uint_eq(address.length, offsetof(struct sockaddr_un, sun_path) + room - 1);
        text[0] = '/';
        ck_assert_int_eq(socket_parse_unix(text, &address), 0);
        ck_assert_uint_eq(address.length, offsetof(struct sockaddr_un, sun_path) + room);
        ck_assert_str_eq(((struct sockaddr_un *) &address.storage)->sun_path, text);
}
END_TEST

/* ---- connecting ---- */

/* Whether it comes to a connection; *ret is closed. */
static bool connects(const SocketAddress *address) {
        struct pollfd poll_fd = { .fd = -1, .events = POLLOUT };
        bool connected = false;

        switch (socket_connect(address, &poll_fd.fd)) {
        case 0:
                connected = true;
                break;
        case SOCKET_E_UNDER_WAY:
                ck_assert_int_ne(fcntl(poll_fd.fd, F_GETFL) & O_NONBLOCK, 0);
                ck_assert_int_eq(poll(&poll_fd, 1, -1), 1);
                connected = socket_connect_result(poll_fd.fd);
                break;
        case SOCKET_E_REFUSED:
                ck_assert_int_eq(poll_fd.fd, -1);
                return false;
        default:
                ck_abort();
        }
        ck_assert_int_ne(fcntl(poll_fd.fd, F_GETFD) & FD_CLOEXEC, 0);
        fd_close(poll_fd.fd);
        return connected;
}

START_TEST(test_connect_tcp) {
        SocketAddress address;
        uint16_t port = 0;
        char text[64];
        int fd = tcp_bound(families[_i], &port);

        snprintf(text, sizeof(text), _i == 0 ? "127.0.0.1:%u" : "[::1]:%u", port);
        ck_assert_int_eq(socket_parse_tcp(text, &address), 0);
        ck_assert(!connects(&address));
        ck_assert_int_eq(listen(fd, 8), 0);
        ck_assert(connects(&address));
        fd_close(fd);
        ck_assert(!connects(&address));
}
END_TEST

START_TEST(test_connect_unix) {
        const char *name = _i == 0 ? path : abstract;
        SocketAddress address;
        int fd;

        ck_assert_int_eq(socket_parse_unix(name, &address), 0);
        ck_assert(!connects(&address));
        fd = unix_bound(name, SOCK_STREAM);
        ck_assert(!connects(&address));
        ck_assert_int_eq(listen(fd, 8), 0);
        ck_assert(connects(&address));
        fd_close(fd);
        ck_assert(!connects(&address)); /* the path of the first is still there */
}
END_TEST

/* A listener whose queue is full does not stop us. */
START_TEST(test_connect_full) {
        SocketAddress address;
        int fds[16], fd = unix_bound(path, SOCK_STREAM);
        unsigned count = 0;

        ck_assert_int_eq(listen(fd, 1), 0);
        ck_assert_int_eq(socket_parse_unix(path, &address), 0);
        while (count < ELEMENTSOF(fds) && socket_connect(&address, &fds[count]) == 0)
                count++;
        ck_assert_uint_gt(count, 0);
        ck_assert_uint_lt(count, ELEMENTSOF(fds));
        while (count > 0)
                fd_close(fds[--count]);
        fd_close(fd);
}
END_TEST

START_TEST(test_connect_file) {
        SocketAddress address;

        fd_close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
        ck_assert_int_eq(socket_parse_unix(path, &address), 0);
        ck_assert(!connects(&address));
}
END_TEST

/* TCP lets a socket connect to itself, if it happens to get the port that it is to connect to. */
START_TEST(test_connected_to_itself) {
        uint16_t port = 0;
        int fd = tcp_bound(families[_i], &port);
        struct sockaddr_storage own;
        socklen_t length = sizeof(own);

        ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &own, &length), 0);
        ck_assert_int_eq(connect(fd, (struct sockaddr *) &own, length), 0);
        ck_assert(!socket_connect_result(fd));
        fd_close(fd);
}
END_TEST

START_TEST(test_connect_result) {
        int pair[2], fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert(!socket_connect_result(fd));
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        ck_assert(socket_connect_result(pair[0]));
        fd_close(pair[0]);
        fd_close(pair[1]);
        fd_close(fd);
        ck_assert(!socket_connect_result(fd));
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("socket");
        TCase *listens = tcase_create("listens"), *parse = tcase_create("parse");
        TCase *connect = tcase_create("connect");

        tcase_add_checked_fixture(listens, setup, teardown);
        tcase_add_test(listens, test_nothing);
        tcase_add_loop_test(listens, test_tcp, 0, count_families());
        tcase_add_test(listens, test_held_below);
        tcase_add_test(listens, test_not_listening);
        tcase_add_loop_test(listens, test_unix, 0, ELEMENTSOF(unix_listeners));
        tcase_add_test(listens, test_busy);
        tcase_add_test(listens, test_other_network);
        tcase_add_test(listens, test_two_networks);
        suite_add_tcase(suite, listens);

        tcase_add_loop_test(parse, test_parse_tcp, 0, ELEMENTSOF(tcp_cases));
        tcase_add_test(parse, test_parse_unix);
        suite_add_tcase(suite, parse);

        tcase_add_checked_fixture(connect, setup, teardown);
        tcase_add_loop_test(connect, test_connect_tcp, 0, count_families());
        tcase_add_loop_test(connect, test_connect_unix, 0, 2);
        tcase_add_test(connect, test_connect_full);
        tcase_add_test(connect, test_connect_file);
        tcase_add_loop_test(connect, test_connected_to_itself, 0, count_families());
        tcase_add_test(connect, test_connect_result);
        suite_add_tcase(suite, connect);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
