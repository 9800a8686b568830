/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

int sockets_bind_tcp(int family, uint16_t *port) {
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
