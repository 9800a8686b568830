/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A daemon with sockets that does what the test says: a fork of the test, in a tree that is walked.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sys/loop.h"
#include "sys/tree.h"

extern Loop *puppet_loop;
extern Tree *puppet_tree;
extern pid_t puppet_pid;
extern bool puppet_elsewhere; /* it lives in a network of its own, where there is only a loopback */

/* Checked fixtures; they include those of sockets.h. */
void puppet_setup(void);
void puppet_teardown(void);

/*
 * Starts it: it runs `prepare` (may be NULL), whose result is returned, and then waits for orders.
 * A test may start several; orders go to the last one.
 */
uint16_t puppet_start(uint16_t (*prepare)(const void *userdata), const void *userdata);

typedef enum PuppetOrder {
        PUPPET_LISTEN,      /* on TCP of family `a`, with a backlog of `b`: descriptor */
        PUPPET_LISTEN_SHARED, /* on TCP port `a` of IPv4 (0: any), together with others */
        PUPPET_LISTEN_BOTH, /* on v6 and v4 by one socket */
        PUPPET_LISTEN_UNIX, /* at `text`, as sockets_bind_unix() takes it */
        PUPPET_LISTEN_RELATIVE, /* at `text`, seen from its working directory */
        PUPPET_BIND_UDP,    /* on family `a` */
        PUPPET_DEFER,       /* accepts at `a` after data only, which it awaits for `b` s */
        PUPPET_PORT,        /* of descriptor `a` */
        PUPPET_ACCEPT,      /* at descriptor `a`: descriptor */
        PUPPET_READ,        /* from descriptor `a`, at most `b` bytes, without waiting */
        PUPPET_WRITE,       /* likewise */
        PUPPET_SHUT,        /* ends the writing side of `a` */
        PUPPET_CLOSE,       /* descriptor `a` */
        PUPPET_CONNECT,     /* to TCP port `a` of IPv4: descriptor */
        PUPPET_OPEN,        /* `a` descriptors more of other kinds: how many */
        PUPPET_FORK,        /* a process that holds the same and waits: pid */
        PUPPET_LEAVE,       /* to a network of its own */
        PUPPET_CHANGE,      /* to directory `text` */
        PUPPET_ROOT,        /* … as root directory */
        PUPPET_HIDE,        /* an empty file system on `text`, for itself only */
        PUPPET_USER,        /* becomes user and group `a` */
} PuppetOrder;

/* What came of it, or a negative errno. */
int puppet_do(PuppetOrder order, int a, int b, const char *text);

/* In a daemon: a process of it that dies with the test, and one that does nothing. */
pid_t puppet_fork(void);
void puppet_wait(void);
void puppet_enter_network(void);

bool puppet_can_enter_network(void);

/* Why sockets cannot be taken out of a puppet, opened again, or held here; NULL: they can. */
const char *puppet_cannot_take(void);
const char *puppet_cannot_reopen(void);
const char *puppet_cannot_hold(void);
