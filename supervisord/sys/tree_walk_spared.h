/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the walk knows of processes that were spared: who they were, and the invocations and marks
 * of their runs, by which it knows what they have made since. For tree_walk.c only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#define SPARED_INVOCATION_MAX 128
#define SPARED_RUNS_MAX       16 /* the last ones */

typedef struct SparedRun {
        char invocation[SPARED_INVOCATION_MAX]; /* "SUPERVISOR_INVOCATION=…" */
        rlim_t mark;
} SparedRun;

typedef struct SparedProcess {
        pid_t pid;
        uint64_t start_time;
} SparedProcess;

/* Empty as { 0 }. */
typedef struct WalkSpared {
        SparedRun runs[SPARED_RUNS_MAX]; /* a ring */
        size_t run_count;
        SparedProcess *processes;
        size_t count, capacity;
} WalkSpared;

void walk_spared_done(WalkSpared *spared);

/* A run of which something is spared; what ended since the last time is forgotten. */
void walk_spared_add_run(WalkSpared *spared, const char *invocation, rlim_t mark);
int walk_spared_add(WalkSpared *spared, pid_t pid, uint64_t start_time);

/* Whether a live process is one of them, or was made by them. */
bool walk_spared_has(const WalkSpared *spared, pid_t pid, uint64_t start_time);
