/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "sys/socket.h"
#include "unit.h"

char sockets_path[64], sockets_abstract[64];

static char directory[32];

void sockets_setup(void) {
        (void) strcpy(directory, "/tmp/test-socket-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        snprintf(sockets_path, sizeof(sockets_path), "%s/socket", directory);
        snprintf(sockets_abstract, sizeof(sockets_abstract), "@supervisord-test.%d",
                 (int) getpid());
}

void sockets_teardown(void) {
        (void) unlink(sockets_path);
        ck_assert_int_eq(rmdir(directory), 0);
}

uint16_t sockets_port(int fd) {
        struct sockaddr_storage own;
        socklen_t length = sizeof(own);

        ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &own, &length), 0);
        /* It is at the same place in both families. */
        return ntohs(((struct sockaddr_in *) &own)->sin_port);
}

static SocketAddress loopback(int family, uint16_t port) {
        struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
        struct sockaddr_in6 v6 = {
                .sin6_family = AF_INET6,
                .sin6_port = htons(port),
                .sin6_addr = IN6ADDR_LOOPBACK_INIT,
        };
        SocketAddress address = { .length = family == AF_INET ? sizeof(v4) : sizeof(v6) };

        v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        memcpy(&address.storage, family == AF_INET ? (void *) &v4 : (void *) &v6, address.length);
        return address;
}

static int bind_inet(int family, int type, uint16_t port) {
        SocketAddress address = loopback(family, port);
        int fd = socket(family, type | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        ck_assert_msg(bind(fd, &address.any, address.length) == 0, "bind: %s", strerror(errno));
        return fd;
}

int sockets_bind_udp(int family) {
        return bind_inet(family, SOCK_DGRAM, 0);
}

int sockets_bind_tcp(int family, uint16_t *port) {
        int fd = bind_inet(family, SOCK_STREAM, *port);

        *port = sockets_port(fd);
        return fd;
}

static int connect_to(int type, const SocketAddress *address) {
        int fd = socket(address->any.sa_family, type | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        return connect(fd, &address->any, address->length) == 0 ? fd : fd_close(fd);
}

int sockets_connect(int family, uint16_t port) {
        SocketAddress address = loopback(family, port);

        return connect_to(SOCK_STREAM, &address);
}

int sockets_knock(int family, uint16_t port) {
        SocketAddress address = loopback(family, port);
        int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(connect(fd, &address.any, address.length), -1);
        ck_assert_int_eq(errno, EINPROGRESS);
        return fd;
}

int sockets_connect_unix(const char *name) {
        SocketAddress address;

        ck_assert_int_eq(socket_parse_unix(name, &address), 0);
        return connect_to(SOCK_STREAM | SOCK_NONBLOCK, &address);
}

uint64_t sockets_inode(int fd) {
        struct stat st;

        ck_assert_int_eq(fstat(fd, &st), 0);
        return st.st_ino;
}

int sockets_listen_tcp(int family, uint16_t *port) {
        int fd = sockets_bind_tcp(family, port);

        ck_assert_int_eq(listen(fd, SOCKETS_MAX), 0);
        return fd;
}

int sockets_bind_unix(const char *name, int type) {
        SocketAddress address;
        int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(socket_parse_unix(name, &address), 0);
        ck_assert_int_eq(bind(fd, &address.any, address.length), 0);
        return fd;
}

const int sockets_families[] = { AF_INET, AF_INET6 };

int sockets_count_families(void) {
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
        int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool usable = fd >= 0 && bind(fd, (struct sockaddr *) &v6, sizeof(v6)) == 0;

        fd_close(fd);
        return usable ? 2 : 1;
}
