/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The end of connections: made by us for idle ones, and heard of. To end the receiving side is the
 * only way that loses nothing which has arrived: it is read and answered, and then comes the end.
 */

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "sys/intake_internal.h"
#include "sys/procfs.h"
#include "sys/sockdiag.h"

#define WATCH_INTERVAL (10 * USEC_PER_MSEC)
#define WATCH_PIECE    4096

/* ---- nudging ---- */

/* What goes along with a walk over a tree. */
typedef struct Nudge {
        const uint64_t *inodes; /* in order */
        size_t count;
        pid_t pid;
        int pidfd; /* of this process; -1: not open yet */
        size_t nudged;
} Nudge;

static int inode_compare(const void *a, const void *b) {
        const uint64_t *left = a, *right = b;

        return *left < *right ? -1 : *left > *right;
}

/* Whatever the caller says: one that listens would be ruined by it. */
static bool is_connection(int fd) {
        socklen_t size = sizeof(int);
        int listens = 1;

        return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && !listens;
}

static int nudge_look(void *userdata, int number, uint64_t inode) {
        CLEANUP(fd_closep) int fd = -1;
        Nudge *nudge = userdata;

        if (!bsearch(&inode, nudge->inodes, nudge->count, sizeof(inode), inode_compare))
                return 0;
        if (nudge->pidfd < 0)
                nudge->pidfd = pidfd_open(nudge->pid, 0);
        if (nudge->pidfd < 0 || intake_duplicate(nudge->pidfd, number, inode, &fd) != 0)
                return 0; /* gone, or not for us */
        /* It fails if the peer has gone: then the daemon sees the end all the same. */
        if (is_connection(fd) && shutdown(fd, SHUT_RD) == 0)
                nudge->nudged++;
        return 0;
}

static int nudge_visit(void *userdata, pid_t pid) {
        Nudge *nudge = userdata;
        int r;

        nudge->pid = pid;
        nudge->pidfd = -1;
        r = procfs_each_socket(pid, nudge_look, nudge);
        nudge->pidfd = fd_close(nudge->pidfd);
        return r == -EACCES ? 0 : r;
}

int intake_nudge(
        Intake *intake, Tree *tree, const uint64_t *inodes, size_t count, size_t *ret_count) {
        uint64_t *room = intake_grow(intake->nudged, &intake->nudged_capacity, count,
                                     sizeof(*inodes));
        Nudge nudge = { .inodes = room, .count = count };
        int r;

        if (!room)
                return -ENOMEM;
        intake->nudged = room;
        if (count > 0)
                memcpy(room, inodes, count * sizeof(*inodes));
        qsort(room, count, sizeof(*inodes), inode_compare);
        intake_touch(intake);

        r = tree_each(tree, nudge_visit, &nudge);
        if (r < 0)
                return r;
        *ret_count = nudge.nudged;
        return 0;
}

/* ---- watching ---- */

/* What they say is of no interest, nor how many there were. ENOBUFS: some were lost. */
static int watch_on_event(void *userdata, uint32_t revents) {
        Intake *intake = userdata;
        char piece[WATCH_PIECE];

        (void) revents;
        while (recv(intake->watch_fd, piece, sizeof(piece), MSG_DONTWAIT | MSG_TRUNC) >= 0
               || errno == ENOBUFS || errno == EINTR)
                ;
        return intake->handler(intake->userdata);
}

static int watch_end(Intake *intake, int r) {
        intake->watch = loop_source_free(intake->watch);
        intake->watch_fd = fd_close(intake->watch_fd);
        return r;
}

/* Without bind(2), which gives it an address, nothing is sent to it, and no error told either. */
static int watch_open(int *ret) {
        static const int groups[] = { SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY };
        struct sockaddr_nl address = { .nl_family = AF_NETLINK };
        CLEANUP(fd_closep) int fd = -1;
        int r;

        r = sockdiag_open(&fd);
        if (r != 0)
                return r < 0 ? r : INTAKE_E_UNSUPPORTED;
        if (bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return errno_negative();
        for (size_t i = 0; i < ELEMENTSOF(groups); i++)
                if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
                               sizeof(groups[i])) < 0)
                        return INTAKE_E_UNSUPPORTED;
        *ret = fd;
        fd = -1;
        return 0;
}

int intake_watch(Intake *intake, LoopHandler handler, void *userdata) {
        int r;

        if (!handler)
                return watch_end(intake, 0);
        intake->handler = handler;
        intake->userdata = userdata;
        if (intake->watch)
                return 0;

        r = watch_open(&intake->watch_fd);
        if (r != 0)
                return r;
        r = loop_add_io(intake->loop, &intake->watch, intake->watch_fd, EPOLLIN, LOOP_PROBE,
                        "intake", watch_on_event, intake);
        if (r == 0)
                r = loop_io_limit(intake->watch, WATCH_INTERVAL, 1);
        return r < 0 ? watch_end(intake, r) : 0;
}
