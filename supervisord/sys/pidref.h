/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A process by identity, never by number alone: its pid, a pidfd and its start time.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/macro.h"

typedef struct PidRef {
        pid_t pid;           /* 0: none */
        int pidfd;           /* -1: none */
        uint64_t start_time; /* field 22 of /proc/PID/stat (proc(5)); 0: not known */
} PidRef;

#define PIDREF_NONE ((PidRef){ .pid = 0, .pidfd = -1 })

enum { PIDREF_E_GONE = 1 }; /* no such process (any more) */

/* Opens a pidfd (pidfd_open(2)) and reads the start time. *ret must be empty. */
int pidref_open(pid_t pid, PidRef *ret);

/* Takes over a pidfd that came from clone3(2); the start time is read. */
int pidref_take(pid_t pid, int pidfd_consume, PidRef *ret);

/* Closes and empties it. */
void pidref_done(PidRef *reference);

static inline bool pidref_is_set(const PidRef *reference) {
        return reference->pid > 0;
}

/* pidfd_send_signal(2). 0 or PIDREF_E_GONE. */
int pidref_signal(const PidRef *reference, int signo);

/* Whether it still runs; a zombie does not. */
bool pidref_is_alive(const PidRef *reference);
