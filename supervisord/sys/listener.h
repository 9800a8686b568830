/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A listening UNIX stream socket, and who connects to it, as the kernel tells it.
 */

#include <stddef.h>
#include <sys/types.h>

#include "base/macro.h"

typedef struct Listener Listener;

/* Who connected: its credentials at that moment. */
typedef struct Peer {
        int fd;    /* close-on-exec, non-blocking */
        pid_t pid; /* 0: not known, from another pid namespace */
        uid_t uid;
        gid_t gid;
        gid_t *groups; /* supplementary ones */
        size_t group_count;
} Peer;

/* Closes and empties it. */
void peer_clear(Peer *peer);

enum {
        LISTENER_E_IN_USE = 1, /* somebody answers at this path */
        LISTENER_E_NO_SOCKET,  /* something that is no socket stands there */
};

/*
 * Makes the socket at `path`, in the place of one that nobody listens on any more; only our own
 * user can connect at first. -ENAMETOOLONG: the path does not fit in a sockaddr_un.
 */
int listener_open(const char *path, Listener **ret);
/* Closes it, and removes the path if it is still ours. Accepts NULL; returns NULL. */
Listener *listener_close(Listener *listener);
DEFINE_CLEANUP(Listener, listener_close)

/* Who can connect: chown(2) to the group ((gid_t) -1: as it is), then chmod(2). */
int listener_permit(const Listener *listener, gid_t group, mode_t mode);

int listener_fd(const Listener *listener);

/* 1: *ret is the caller's; 0: nobody waits; a negative errno, after which others may still come. */
int listener_accept(const Listener *listener, Peer *ret);
/* Who is at the other end of a connected socket; closes the descriptor on failure. */
int peer_read(int fd_consume, Peer *ret);

enum {
        PEER_E_NOTHING = 1, /* nothing waits to be read */
        PEER_E_END,         /* … nor will it: the other side hung up */
};

/* Copies up to `size` bytes of what waits to be read from a socket; there they go on waiting. */
int peer_peek(int fd, void *buffer, size_t size, size_t *ret_size);

/* How many bytes may wait in the socket until the other side reads them, roughly. */
int peer_limit_queue(int fd, size_t size);
