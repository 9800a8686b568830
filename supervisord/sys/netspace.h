/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Network namespaces (network_namespaces(7)), named by their inode.
 */

#include <stdint.h>
#include <sys/types.h>

enum {
        NETSPACE_E_GONE = 1, /* no such process, or it lives in another one by now */
        NETSPACE_E_DENIED,   /* our privileges do not suffice */
        NETSPACE_E_UNSUPPORTED,
};

/* That in which a process lives; 0: we. */
int netspace_of(pid_t pid, uint64_t *ret);

/*
 * A socket to ask sock_diag(7) by (sockdiag_open()) in the namespace `network`, which is that of
 * the process. For another one than ours we go there and back, so there must not be threads; it
 * needs CAP_SYS_ADMIN.
 */
int netspace_open_sockdiag(pid_t pid, uint64_t network, int *ret);
