/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The private notify socket of one daemon: it speaks sd_notify(3) to us, never to systemd.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "sys/loop.h"

#define NOTIFY_DATAGRAM_MAX 4096
#define NOTIFY_STATUS_MAX   256

/* What a datagram said. */
typedef struct NotifyMessage {
        bool ready, reloading, stopping, watchdog;
        pid_t main_pid;                 /* 0: not named */
        int error;                      /* ERRNO=, 0: not named */
        usec_t extend;                  /* EXTEND_TIMEOUT_USEC=, 0: not named */
        char status[NOTIFY_STATUS_MAX]; /* STATUS=, made printable, cut; "" if not named */
} NotifyMessage;

enum {
        NOTIFY_E_MALFORMED = 1, /* no KEY=value lines, NUL bytes but at the end, bad numbers */
        NOTIFY_E_TOO_LONG,
        NOTIFY_E_EMPTY,
};

/* Reads a datagram's text. Unknown keys are passed over. Hostile input. */
int notify_message_parse(const char *data, size_t size, NotifyMessage *ret);

typedef struct NotifySocket NotifySocket;

/* outcome: 0 or NOTIFY_E_…; message is NULL unless it is 0. sender is the kernel's word for it. */
typedef int (*NotifyHandler)(void *userdata,
                             pid_t sender,
                             int outcome,
                             const NotifyMessage *message);

/*
 * Makes the socket at `path` (replacing an old one), writable for `uid`; with root, for everybody,
 * because such a daemon may drop its privileges before it speaks. Descriptors sent along are
 * closed. The handler may free the socket. -ENAMETOOLONG: the path does not fit in a sockaddr_un.
 */
int notify_socket_new(Loop *loop,
                      const char *path,
                      uid_t uid,
                      NotifyHandler handler,
                      void *userdata,
                      NotifySocket **ret);
/* Reads what waits, or 16 of it, now and not in its turn. What the handler returned if below 0. */
int notify_socket_hear(NotifySocket *socket);
/* Removes the path as well; accepts NULL; returns NULL. */
NotifySocket *notify_socket_free(NotifySocket *socket);
