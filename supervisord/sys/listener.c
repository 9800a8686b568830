/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/listener.h"

/*
 * The path is made with a mode that lets nobody else in, and opened to others only afterwards. A
 * path left behind by a supervisor that died is told from one in use by connecting to it. Nothing
 * here blocks: connect(2) to a UNIX socket answers at once, or with EAGAIN where the queue is full.
 */

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

#define LISTENER_BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */
#define LISTENER_MODE    0600
#define PEER_GROUPS      32 /* at first */

struct Listener {
        int fd;
        char *path;
        dev_t device; /* of the path */
        ino_t inode;
};

void peer_clear(Peer *peer) {
        fd_close(peer->fd);
        free(peer->groups);
        *peer = (Peer) { .fd = -1 };
}

static int listener_address(const char *path, struct sockaddr_un *ret) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        *ret = address;
        return 0;
}

static int listener_socket(int *ret) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return errno_negative();
        *ret = fd;
        return 0;
}

/* Makes way for the path: 0, or an outcome of listener_open(). */
static int listener_sweep(const struct sockaddr_un *address) {
        CLEANUP(fd_closep) int fd = -1;
        struct stat st;

        if (lstat(address->sun_path, &st) < 0)
                return errno == ENOENT ? 0 : errno_negative();
        if (!S_ISSOCK(st.st_mode))
                return LISTENER_E_NO_SOCKET;

        int r = listener_socket(&fd);
        if (r < 0)
                return r;
        if (connect(fd, (const struct sockaddr *) address, sizeof(*address)) == 0 ||
            errno != ECONNREFUSED)
                return LISTENER_E_IN_USE;
        return file_remove(address->sun_path);
}

static int listener_bind(Listener *listener, const struct sockaddr_un *address) {
        struct stat st;

        /* Until it listens nobody can connect, whatever the umask left. */
        if (bind(listener->fd, (const struct sockaddr *) address, sizeof(*address)) < 0)
                return errno_negative();
        if (lstat(listener->path, &st) < 0)
                return errno_negative();
        listener->device = st.st_dev;
        listener->inode = st.st_ino;

        int r = listener_permit(listener, (gid_t) -1, LISTENER_MODE);
        if (r < 0)
                return r;
        return listen(listener->fd, LISTENER_BACKLOG) < 0 ? errno_negative() : 0;
}

int listener_open(const char *path, Listener **ret) {
        CLEANUP(listener_closep) Listener *listener = calloc(1, sizeof(*listener));
        struct sockaddr_un address;

        if (!listener)
                return -ENOMEM;
        listener->fd = -1;
        listener->path = strdup(path);
        if (!listener->path)
                return -ENOMEM;

        int r = listener_address(path, &address);
        if (r == 0)
                r = listener_sweep(&address);
        if (r == 0)
                r = listener_socket(&listener->fd);
        if (r == 0)
                r = listener_bind(listener, &address);
        if (r != 0)
                return r;

        *ret = TAKE(listener);
        return 0;
}

Listener *listener_close(Listener *listener) {
        struct stat st;

        if (!listener)
                return NULL;
        if (listener->inode != 0 && lstat(listener->path, &st) == 0 &&
            st.st_dev == listener->device && st.st_ino == listener->inode)
                (void) unlink(listener->path);
        fd_close(listener->fd);
        free(listener->path);
        free(listener);
        return NULL;
}

int listener_permit(const Listener *listener, gid_t group, mode_t mode) {
        if (group != (gid_t) -1 && chown(listener->path, (uid_t) -1, group) < 0)
                return errno_negative();
        return chmod(listener->path, mode) < 0 ? errno_negative() : 0;
}

int listener_fd(const Listener *listener) {
        return listener->fd;
}

static int peer_read_groups(Peer *peer) {
        size_t room = PEER_GROUPS;

        for (;;) {
                gid_t *groups = reallocarray(peer->groups, room, sizeof(gid_t));
                if (!groups)
                        return -ENOMEM;
                peer->groups = groups;

                socklen_t size = (socklen_t) (room * sizeof(gid_t));
                if (getsockopt(peer->fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0) {
                        peer->group_count = size / sizeof(gid_t);
                        return 0;
                }
                if (errno != ERANGE)
                        return errno_negative();
                room = size / sizeof(gid_t); /* the kernel says how many there are */
        }
}

int peer_read(int fd_consume, Peer *ret) {
        CLEANUP(peer_clear) Peer peer = { .fd = fd_consume };
        struct ucred credentials;
        socklen_t size = sizeof(credentials);

        if (getsockopt(peer.fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
                return errno_negative();
        peer.pid = credentials.pid;
        peer.uid = credentials.uid;
        peer.gid = credentials.gid;

        int r = peer_read_groups(&peer);
        if (r < 0)
                return r;
        *ret = peer;
        peer = (Peer) { .fd = -1 };
        return 0;
}

/* What accept(2) says of one connection that came to nothing, not of the socket. */
static bool listener_is_passing(int error) {
        return error == EINTR || error == ECONNABORTED || error == EPROTO;
}

int listener_accept(const Listener *listener, Peer *ret) {
        int fd;

        do
                fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        while (fd < 0 && listener_is_passing(errno));
        if (fd < 0)
                return errno == EAGAIN ? 0 : errno_negative();

        int r = peer_read(fd, ret);
        return r < 0 ? r : 1;
}

int peer_peek(int fd, void *buffer, size_t size, size_t *ret_size) {
        ssize_t n;

        do
                n = recv(fd, buffer, size, MSG_PEEK | MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return errno == EAGAIN ? PEER_E_NOTHING : errno_negative();
        if (n == 0)
                return PEER_E_END;
        *ret_size = (size_t) n;
        return 0;
}

int peer_limit_queue(int fd, size_t size) {
        int value = (int) size;

        if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, sizeof(value)) < 0)
                return errno_negative();
        return 0;
}
