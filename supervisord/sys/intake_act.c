/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Closing and opening. A socket is changed through a second descriptor, which exists for this
 * moment only. What we put on it carries a signature, so that a later supervisor knows it as ours:
 *
 * - refused: it is bound to an interface of an index that does not exist, always the same one. No
 *   SYN comes from there, so that the kernel finds nobody at the port.
 * - held: a filter drops SYNs. It begins with a load that has no effect, of a constant of ours.
 *
 * Whatever else is on a socket is somebody else's, and stays.
 */

#include <linux/filter.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "sys/intake_internal.h"

#define NOWHERE   0x53757065 /* index of no interface: those of a machine count up from 1 */
#define SIGNATURE 0x53757064

#define TCP_FLAGS_AT  13 /* in its header, with which the filter of a TCP socket begins */
#define TCP_FLAG_SYN  0x02
#define TCP_FLAG_ACK  0x10
#define TCP_FLAG_BOTH (TCP_FLAG_SYN | TCP_FLAG_ACK)

static const struct sock_filter hold_filter[] = {
        BPF_STMT(BPF_LD | BPF_IMM, SIGNATURE),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, TCP_FLAGS_AT),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TCP_FLAG_BOTH),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TCP_FLAG_SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
};

static int act_failure(void) {
        switch (errno) {
        case ESRCH:
        case EBADF:
        case ENOENT:
                return INTAKE_E_GONE;
        case EPERM:
        case EACCES:
                return INTAKE_E_DENIED;
        case ENOSYS:
        case ENOPROTOOPT:
        case EOPNOTSUPP:
                return INTAKE_E_UNSUPPORTED;
        default:
                return errno_negative();
        }
}

/* ---- the second descriptor ---- */

int intake_duplicate(int pidfd, int fd, uint64_t inode, int *ret) {
        int duplicate = pidfd_getfd(pidfd, fd, 0);
        struct stat st;

        if (duplicate < 0)
                return act_failure();
        /* The number may stand for something else by now. */
        if (fstat(duplicate, &st) < 0 || !S_ISSOCK(st.st_mode) || st.st_ino != inode) {
                fd_close(duplicate);
                return INTAKE_E_GONE;
        }
        *ret = duplicate;
        return 0;
}

static int act_take(const IntakeSocket *socket, int *ret) {
        CLEANUP(fd_closep) int pidfd = pidfd_open(socket->pid, 0);

        /* EINVAL: the number is that of a thread by now. */
        if (pidfd < 0)
                return errno == EINVAL ? INTAKE_E_GONE : act_failure();
        return intake_duplicate(pidfd, socket->fd, socket->inode, ret);
}

/* ---- refuse ---- */

static int refuse_get(int fd, int *ret) {
        socklen_t size = sizeof(*ret);

        return getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, ret, &size) < 0 ? act_failure() : 0;
}

static int refuse_set(int fd, int interface) {
        return setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &interface, sizeof(interface)) < 0
                ? act_failure()
                : 0;
}

/* Whether there is, against all expectation, such an interface in the network of the socket. */
static bool refuse_leads_somewhere(int fd) {
        struct ifreq request = { .ifr_ifindex = NOWHERE };

        return ioctl(fd, SIOCGIFNAME, &request) == 0;
}

static int refuse_close(int fd) {
        int interface, r;

        r = refuse_get(fd, &interface);
        if (r != 0)
                return r;
        if (interface == NOWHERE)
                return 0;
        if (interface != 0)
                return INTAKE_E_FOREIGN;
        return refuse_leads_somewhere(fd) ? INTAKE_E_UNSUPPORTED : refuse_set(fd, NOWHERE);
}

static int refuse_open(int fd) {
        int interface, r;

        r = refuse_get(fd, &interface);
        if (r == INTAKE_E_UNSUPPORTED)
                return 0;
        return r == 0 && interface == NOWHERE ? refuse_set(fd, 0) : r;
}

bool intake_try_reopen(void) {
        CLEANUP(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        return fd >= 0 && refuse_set(fd, NOWHERE) == 0 && refuse_set(fd, 0) == 0;
}

/* ---- hold ---- */

typedef enum Filter {
        FILTER_NONE,
        FILTER_OURS,
        FILTER_FOREIGN,
} Filter;

/* Any error means that it is longer than ours, or not to be seen (eBPF). */
static Filter hold_get(int fd) {
        struct sock_filter filter[ELEMENTSOF(hold_filter)];
        socklen_t length = ELEMENTSOF(filter); /* in instructions */

        if (getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, filter, &length) < 0)
                return FILTER_FOREIGN;
        if (length == 0)
                return FILTER_NONE;
        return length == ELEMENTSOF(filter) && memcmp(filter, hold_filter, sizeof(filter)) == 0
                ? FILTER_OURS
                : FILTER_FOREIGN;
}

static int hold_close(int fd) {
        struct sock_filter filter[ELEMENTSOF(hold_filter)];
        struct sock_fprog program = { ELEMENTSOF(filter), filter };

        switch (hold_get(fd)) {
        case FILTER_OURS:
                return 0;
        case FILTER_FOREIGN:
                return INTAKE_E_FOREIGN;
        case FILTER_NONE:
                break;
        }
        memcpy(filter, hold_filter, sizeof(filter));
        return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0
                ? act_failure()
                : 0;
}

static int hold_open(int fd) {
        int nothing = 0;

        if (hold_get(fd) != FILTER_OURS)
                return 0;
        return setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &nothing, sizeof(nothing)) < 0
                ? act_failure()
                : 0;
}

/* ---- both ---- */

int intake_close(Intake *intake, const IntakeSocket *socket, IntakeMethod method) {
        CLEANUP(fd_closep) int fd = -1;
        int r;

        intake_touch(intake);
        if (socket->kind == INTAKE_UNIX && method == INTAKE_REFUSE)
                return intake_path_close(intake, socket);
        if (socket->kind != INTAKE_TCP)
                return INTAKE_E_UNSUPPORTED;

        r = act_take(socket, &fd);
        if (r != 0)
                return r;
        return method == INTAKE_REFUSE ? refuse_close(fd) : hold_close(fd);
}

int intake_open(Intake *intake, const IntakeSocket *socket) {
        CLEANUP(fd_closep) int fd = -1;
        int r, held;

        intake_touch(intake);
        if (socket->kind == INTAKE_UNIX)
                return intake_path_open(intake, socket);
        if (socket->kind != INTAKE_TCP)
                return 0;

        r = act_take(socket, &fd);
        if (r != 0)
                return r;
        /* Both in any case: what can be undone is undone. */
        held = hold_open(fd);
        r = refuse_open(fd);
        return r != 0 ? r : held;
}

bool intake_is_closed(const IntakeCandidate *candidate, const IntakeSocket *socket) {
        CLEANUP(fd_closep) int fd = -1;

        switch (socket->kind) {
        case INTAKE_TCP:
                return candidate->interface == NOWHERE
                        || (act_take(socket, &fd) == 0 && hold_get(fd) == FILTER_OURS);
        case INTAKE_UNIX:
                return intake_path_is_closed(candidate, socket);
        case INTAKE_UDP:
        case INTAKE_ABSTRACT:
                break;
        }
        return false;
}
