/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What /proc says of a process (proc(5)). All answers are snapshots.
 */

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"

enum { PROCFS_E_GONE = 1 }; /* no such process */

typedef struct ProcStat {
        pid_t pid;
        pid_t ppid;
        pid_t pgid;
        pid_t sid;
        char state;          /* R, S, D, Z, … */
        uint64_t start_time; /* clock ticks since boot */
        char comm[32];
} ProcStat;

int procfs_stat(pid_t pid, ProcStat *ret);

/* It has ended, and its parent has not heard of it yet. */
static inline bool procfs_is_dead(const ProcStat *process) {
        return process->state == 'Z' || process->state == 'X';
}

/* The cgroup v2 path of a process, from the root of our cgroup namespace, "/system.slice/x". */
int procfs_cgroup(pid_t pid, char ret[static PATH_MAX]);

/* How a variable of a process, as it was at its exec, stands to the one that is looked for. */
typedef enum ProcfsVariable {
        PROCFS_VARIABLE_NONE,  /* it is not set, or nobody may know */
        PROCFS_VARIABLE_OTHER, /* it has another value */
        PROCFS_VARIABLE_SAME,
} ProcfsVariable;

/* With one look at the environment, for `variable` ("KEY=value"). */
ProcfsVariable procfs_compare_variable(pid_t pid, const char *variable);

/* 1 if its environment at exec contained exactly `variable` ("KEY=value"), 0 if not (or hidden). */
int procfs_has_variable(pid_t pid, const char *variable);

/* Whether a signal that was sent to the process waits: it is blocked, or nothing of it has run. */
bool procfs_has_pending(pid_t pid, int signo);

/* The start time that a process would have that was made now. */
uint64_t procfs_now(void);

/* Tells programs apart: equal for processes that run the same one. 0: not known, or denied. */
uint64_t procfs_program(pid_t pid);

/*
 * Calls `visit` for every socket that a process holds; a result other than 0 ends the walk and is
 * returned. -EACCES: we may not look into it. One that ends meanwhile holds nothing any more.
 */
typedef int (*ProcSocketVisitor)(void *userdata, int fd, uint64_t inode);
int procfs_each_socket(pid_t pid, ProcSocketVisitor visit, void *userdata);

/*
 * Calls `visit` for every process; a result other than 0 ends the walk and is returned. Processes
 * that vanish meanwhile are passed over.
 */
typedef int (*ProcVisitor)(void *userdata, const ProcStat *process);
int procfs_each(ProcVisitor visit, void *userdata);
