/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/notifysocket.h"

/*
 * One datagram socket per daemon. Who may write to it is a matter of its mode; who did write, the
 * kernel tells (SO_PASSCRED); whether that process belongs to the daemon, the handler decides.
 *
 * A daemon may send faster than we can read. Two bounds keep the loop free: datagrams per dispatch,
 * and dispatches per time (the source is more important than most others, so that without the
 * second bound they would never have their turn). What waits fills the socket's short queue and
 * slows the sender down, nobody else.
 */

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

#define NOTIFY_DISPATCH_MAX   16
#define NOTIFY_LIMIT_BURST    32
#define NOTIFY_LIMIT_INTERVAL (100 * USEC_PER_MSEC)
#define NOTIFY_FDS_MAX        253 /* SCM_MAX_FD of the kernel */

struct NotifySocket {
        int fd;
        char *path;
        dev_t device; /* of the path; inode 0: there is none of ours */
        ino_t inode;
        LoopSource *source;
        NotifyHandler handler;
        void *userdata;
        bool dispatching;
        bool dead; /* freed by its own handler; the memory goes after it */
};

/* A datagram as it came. */
typedef struct NotifyDatagram {
        char data[NOTIFY_DATAGRAM_MAX];
        size_t size;
        bool truncated;
        pid_t sender; /* 0: not known, from another pid namespace */
} NotifyDatagram;

/* Takes the sender out of the control data and closes whatever descriptors are in it. */
static void notify_control_read(struct msghdr *header, NotifyDatagram *datagram) {
        for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
                const unsigned char *data = CMSG_DATA(c);
                size_t size = c->cmsg_len - CMSG_LEN(0);

                if (c->cmsg_level != SOL_SOCKET)
                        continue;
                if (c->cmsg_type == SCM_CREDENTIALS && size >= sizeof(struct ucred)) {
                        struct ucred credentials;

                        memcpy(&credentials, data, sizeof(credentials));
                        datagram->sender = credentials.pid;
                } else if (c->cmsg_type == SCM_RIGHTS)
                        for (; size >= sizeof(int); data += sizeof(int), size -= sizeof(int)) {
                                int fd;

                                memcpy(&fd, data, sizeof(fd));
                                fd_close(fd);
                        }
        }
}

/* 1: one was read, 0: there is none. */
static int notify_socket_read(NotifySocket *notify, NotifyDatagram *ret) {
        union {
                struct cmsghdr alignment;
                char space[CMSG_SPACE(sizeof(struct ucred)) +
                           CMSG_SPACE(NOTIFY_FDS_MAX * sizeof(int))];
        } control;
        struct iovec part = { .iov_base = ret->data, .iov_len = sizeof(ret->data) };
        struct msghdr header = {
                .msg_iov = &part,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        ssize_t size;

        do
                size = recvmsg(notify->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        while (size < 0 && errno == EINTR);
        if (size < 0)
                return errno == EAGAIN ? 0 : errno_negative();

        ret->size = (size_t) size;
        ret->truncated = header.msg_flags & MSG_TRUNC;
        ret->sender = 0;
        notify_control_read(&header, ret);
        return 1;
}

static int notify_socket_deliver(NotifySocket *notify, const NotifyDatagram *datagram) {
        NotifyMessage message;
        int outcome = NOTIFY_E_TOO_LONG;

        if (!datagram->truncated)
                outcome = notify_message_parse(datagram->data, datagram->size, &message);
        return notify->handler(notify->userdata, datagram->sender, outcome,
                               outcome == 0 ? &message : NULL);
}

static int notify_socket_dispatch(void *userdata, uint32_t revents) {
        NotifySocket *notify = userdata;
        NotifyDatagram datagram;
        int r = 0;

        (void) revents;
        notify->dispatching = true;
        for (int i = 0; i < NOTIFY_DISPATCH_MAX && !notify->dead; i++) {
                r = notify_socket_read(notify, &datagram);
                if (r <= 0)
                        break;
                r = notify_socket_deliver(notify, &datagram);
                if (r < 0)
                        break;
        }
        notify->dispatching = false;

        if (notify->dead)
                free(notify);
        return r;
}

int notify_socket_hear(NotifySocket *notify) {
        int r = notify_socket_dispatch(notify, EPOLLIN);

        return r < 0 ? r : 0;
}

/*
 * Who runs as root may drop that at any time before it speaks (unbound, named, tor, squid do), as
 * a user that we do not know: then anybody may write, and the handler sorts them out by their tree.
 */
static mode_t notify_socket_mode(uid_t uid) {
        return uid == 0 ? 0666 : 0600;
}

static int notify_socket_bind(NotifySocket *notify, uid_t uid) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct stat status;

        if (strlen(notify->path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, notify->path);

        if (unlink(notify->path) < 0 && errno != ENOENT)
                return errno_negative();
        if (bind(notify->fd, &address, sizeof(address)) < 0)
                return errno_negative();
        if (lstat(notify->path, &status) < 0)
                return errno_negative();
        notify->device = status.st_dev;
        notify->inode = status.st_ino;

        if (uid != geteuid() && lchown(notify->path, uid, (gid_t) -1) < 0)
                return errno_negative();
        return chmod(notify->path, notify_socket_mode(uid)) < 0 ? errno_negative() : 0;
}

static int notify_socket_open(NotifySocket *notify, Loop *loop, uid_t uid) {
        const int on = 1;
        int r;

        notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (notify->fd < 0)
                return errno_negative();
        if (setsockopt(notify->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
                return errno_negative();

        r = notify_socket_bind(notify, uid);
        if (r < 0)
                return r;
        r = loop_add_io(loop, &notify->source, notify->fd, EPOLLIN, LOOP_NOTIFY, "notify",
                        notify_socket_dispatch, notify);
        if (r < 0)
                return r;
        return loop_io_limit(notify->source, NOTIFY_LIMIT_INTERVAL, NOTIFY_LIMIT_BURST);
}

int notify_socket_new(Loop *loop,
                      const char *path,
                      uid_t uid,
                      NotifyHandler handler,
                      void *userdata,
                      NotifySocket **ret) {
        NotifySocket *notify = calloc(1, sizeof(*notify));
        int r;

        if (!notify)
                return -ENOMEM;
        notify->fd = -1;
        notify->handler = handler;
        notify->userdata = userdata;

        notify->path = strdup(path);
        r = notify->path ? notify_socket_open(notify, loop, uid) : -ENOMEM;
        if (r < 0) {
                notify_socket_free(notify);
                return r;
        }

        *ret = notify;
        return 0;
}

/* A successor may have taken the path over by now: then it stays. */
static void notify_socket_unlink(const NotifySocket *notify) {
        struct stat status;

        if (notify->inode != 0 && lstat(notify->path, &status) == 0 &&
            status.st_dev == notify->device && status.st_ino == notify->inode)
                (void) unlink(notify->path);
}

NotifySocket *notify_socket_free(NotifySocket *notify) {
        if (!notify)
                return NULL;

        loop_source_free(notify->source);
        notify_socket_unlink(notify);
        fd_close(notify->fd);
        free(notify->path);

        notify->dead = true;
        if (!notify->dispatching)
                free(notify);
        return NULL;
}
