/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Sockets for tests of sys/socket.
 */

#include <stdint.h>

#define SOCKETS_MAX 300 /* in the queue of a listener */

/* AF_INET and AF_INET6, and how many of them there are here. */
extern const int sockets_families[];
int sockets_count_families(void);

/* Names for a UNIX socket of the test: a path, and an abstract one with "@". */
extern char sockets_path[64], sockets_abstract[64];

/* A checked fixture; may be part of another. */
void sockets_setup(void);
void sockets_teardown(void);

/* On the loopback, on a port of the kernel's choice if *port is 0. */
int sockets_bind_tcp(int family, uint16_t *port);
int sockets_listen_tcp(int family, uint16_t *port);

int sockets_bind_unix(const char *name, int type);
int sockets_bind_udp(int family);
uint16_t sockets_port(int fd);
uint64_t sockets_inode(int fd);

/* Connected, or -1 with errno. A UNIX one does not wait for room in the queue. */
int sockets_connect(int family, uint16_t port);
int sockets_connect_unix(const char *name);
/* A TCP socket that is under way and not yet connected. */
int sockets_knock(int family, uint16_t port);
