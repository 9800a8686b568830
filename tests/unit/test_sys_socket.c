/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/socket: addresses, and connecting to them without ever waiting.
 */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "sockets.h"
#include "sys/socket.h"
#include "unit.h"

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
        int fd = sockets_bind_tcp(sockets_families[_i], &port);

        snprintf(text, sizeof(text), _i == 0 ? "127.0.0.1:%u" : "[::1]:%u", port);
        ck_assert_int_eq(socket_parse_tcp(text, &address), 0);
        ck_assert(!connects(&address));
        ck_assert_int_eq(listen(fd, 8), 0);
        ck_assert(connects(&address));
        /* it listens no more, and nobody else can get the port */
        ck_assert_int_eq(shutdown(fd, SHUT_RDWR), 0);
        ck_assert(!connects(&address));
        fd_close(fd);
}
END_TEST

START_TEST(test_connect_unix) {
        const char *name = _i == 0 ? sockets_path : sockets_abstract;
        SocketAddress address;
        int fd;

        ck_assert_int_eq(socket_parse_unix(name, &address), 0);
        ck_assert(!connects(&address));
        fd = sockets_bind_unix(name, SOCK_STREAM);
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
        int fds[16], fd = sockets_bind_unix(sockets_path, SOCK_STREAM);
        unsigned count = 0;

        ck_assert_int_eq(listen(fd, 1), 0);
        ck_assert_int_eq(socket_parse_unix(sockets_path, &address), 0);
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

        fd_close(open(sockets_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
        ck_assert_int_eq(socket_parse_unix(sockets_path, &address), 0);
        ck_assert(!connects(&address));
}
END_TEST

/* TCP lets a socket connect to itself, if it happens to get the port that it is to connect to. */
START_TEST(test_connected_to_itself) {
        uint16_t port = 0;
        int fd = sockets_bind_tcp(sockets_families[_i], &port);
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
        TCase *parse = tcase_create("parse"), *connect = tcase_create("connect");

        tcase_add_loop_test(parse, test_parse_tcp, 0, ELEMENTSOF(tcp_cases));
        tcase_add_test(parse, test_parse_unix);
        suite_add_tcase(suite, parse);

        tcase_add_checked_fixture(connect, sockets_setup, sockets_teardown);
        tcase_add_loop_test(connect, test_connect_tcp, 0, sockets_count_families());
        tcase_add_loop_test(connect, test_connect_unix, 0, 2);
        tcase_add_test(connect, test_connect_full);
        tcase_add_test(connect, test_connect_file);
        tcase_add_loop_test(connect, test_connected_to_itself, 0, sockets_count_families());
        tcase_add_test(connect, test_connect_result);
        suite_add_tcase(suite, connect);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
