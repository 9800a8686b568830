/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/netspace.h"

/*
 * A socket belongs for ever to the namespace in which it was made. So we are elsewhere for one
 * socket(2) only, and never leave before it is certain that we may come back.
 */

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "sys/sockdiag.h"

#define PROC_PATH_MAX 64
#define OWN           "/proc/self/ns/net"

static int netspace_failure(void) {
        if (errno == ENOENT || errno == ESRCH)
                return NETSPACE_E_GONE;
        return errno == EACCES || errno == EPERM ? NETSPACE_E_DENIED : errno_negative();
}

static void netspace_path(pid_t pid, char path[static PROC_PATH_MAX]) {
        if (pid == 0)
                (void) snprintf(path, PROC_PATH_MAX, OWN);
        else
                (void) snprintf(path, PROC_PATH_MAX, "/proc/%d/ns/net", (int) pid);
}

int netspace_of(pid_t pid, uint64_t *ret) {
        char path[PROC_PATH_MAX];
        struct stat st;

        netspace_path(pid, path);
        if (stat(path, &st) < 0)
                return netspace_failure();
        *ret = st.st_ino;
        return 0;
}

static int netspace_sockdiag_here(int *ret) {
        int r = sockdiag_open(ret);

        return r == SOCKDIAG_E_UNSUPPORTED ? NETSPACE_E_UNSUPPORTED : r;
}

static int netspace_open(pid_t pid, uint64_t network, int *ret) {
        char path[PROC_PATH_MAX];
        struct stat st;
        int fd;

        netspace_path(pid, path);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return netspace_failure();
        if (fstat(fd, &st) < 0 || st.st_ino != network) {
                fd_close(fd);
                return NETSPACE_E_GONE;
        }
        *ret = fd;
        return 0;
}

/* To enter our own one is no change, but asks for the same privileges as to come back to it. */
static int netspace_visit(int there, int own, int *ret) {
        int r;

        if (setns(own, CLONE_NEWNET) < 0 || setns(there, CLONE_NEWNET) < 0)
                return netspace_failure();
        r = netspace_sockdiag_here(ret);
        if (setns(own, CLONE_NEWNET) < 0)
                abort(); /* in a foreign network nothing that we do is right */
        return r;
}

int netspace_open_sockdiag(pid_t pid, uint64_t network, int *ret) {
        CLEANUP(fd_closep) int there = -1;
        CLEANUP(fd_closep) int own = -1;
        uint64_t here = 0;
        int r;

        r = netspace_of(0, &here);
        if (r != 0)
                return r;
        if (network == here)
                return netspace_sockdiag_here(ret);

        r = netspace_open(pid, network, &there);
        if (r == 0)
                r = netspace_open(0, here, &own);
        return r != 0 ? r : netspace_visit(there, own, ret);
}
