/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether a socket listens: the doors behind the readiness conditions listen, tcp and unix.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "sys/tree.h"

/*
 * Whether a stream socket held by a process of the tree listens: on `port`, or with port 0 on any
 * port or path. Asks sock_diag(7) and reads /proc/PID/fd; costs about 0.1 ms for a small daemon.
 */
int socket_tree_listens(Tree *tree, uint16_t port, bool *ret);

typedef struct SocketAddress {
        union {
                struct sockaddr any;
                struct sockaddr_storage storage;
        };
        socklen_t length;
} SocketAddress;

enum {
        SOCKET_E_SYNTAX = 1,
        SOCKET_E_UNDER_WAY,
        SOCKET_E_REFUSED,
};

/* "127.0.0.1:80", "[::1]:80"; ":80" and "80" are 127.0.0.1. Numbers only: nothing is looked up. */
int socket_parse_tcp(const char *text, SocketAddress *ret);
/* A path, or "@name" for an abstract one. */
int socket_parse_unix(const char *text, SocketAddress *ret);

/*
 * Begins to connect without blocking. 0: connected, SOCKET_E_UNDER_WAY: wait for EPOLLOUT, then
 * socket_connect_result(), SOCKET_E_REFUSED: nobody there. With the first two *ret is the caller's
 * descriptor.
 */
int socket_connect(const SocketAddress *address, int *ret);
/* After EPOLLOUT: true if connected. */
bool socket_connect_result(int fd);
