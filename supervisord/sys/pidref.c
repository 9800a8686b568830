/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/pidref.h"

/*
 * The pidfd is what counts: signals and questions go through it and never reach a stranger who got
 * the same number later. The start time is for what a pidfd cannot do: to be written down.
 */

#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>

#include "base/error.h"
#include "base/file.h"
#include "sys/procfs.h"

int pidref_open(pid_t pid, PidRef *ret) {
        int pidfd;

        if (pid <= 0)
                return PIDREF_E_GONE;

        pidfd = pidfd_open(pid, 0);
        if (pidfd < 0) {
                /* What is not ESRCH here is a thread that is not the main one of its process. */
                if (errno == ESRCH || errno == EINVAL || errno == ENOENT)
                        return PIDREF_E_GONE;
                return errno_negative();
        }

        return pidref_take(pid, pidfd, ret);
}

/* Unless it is, its number was its own all the time. A process of another user says EPERM. */
static bool pidref_is_reaped(const PidRef *reference) {
        return pidfd_send_signal(reference->pidfd, 0, NULL, 0) < 0 && errno == ESRCH;
}

int pidref_take(pid_t pid, int pidfd_consume, PidRef *ret) {
        PidRef reference = { .pid = pid, .pidfd = pidfd_consume };
        ProcStat stat;
        int r;

        /* PROCFS_E_GONE may also mean that /proc is hidden from us: only the pidfd knows. */
        r = procfs_stat(pid, &stat);
        if (r == 0)
                reference.start_time = stat.start_time;
        if (r >= 0)
                r = pidref_is_reaped(&reference) ? PIDREF_E_GONE : 0;
        if (r != 0) {
                fd_close(pidfd_consume);
                return r;
        }

        *ret = reference;
        return 0;
}

void pidref_done(PidRef *reference) {
        fd_close(reference->pidfd);
        *reference = PIDREF_NONE;
}

int pidref_signal(const PidRef *reference, int signo) {
        if (!pidref_is_set(reference))
                return PIDREF_E_GONE;
        if (pidfd_send_signal(reference->pidfd, signo, NULL, 0) == 0)
                return 0;
        return errno == ESRCH ? PIDREF_E_GONE : errno_negative();
}

bool pidref_is_alive(const PidRef *reference) {
        struct pollfd poll_fd = { .fd = reference->pidfd, .events = POLLIN };

        /* A pidfd becomes readable when its process has ended, reaped or not. */
        return pidref_is_set(reference) && poll(&poll_fd, 1, 0) <= 0;
}
