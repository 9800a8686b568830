/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The child's side of spawn(): what happens between the fork and the exec. Everything here is
 * async-signal-safe (signal-safety(7)): no malloc, no stdio, no locale, no log.
 */

#include <stdbool.h>
#include <stdnoreturn.h>

#include "sys/spawn.h"

#define SPAWN_OOM_TEXT_MAX 16

/* What the child needs; made ready by the parent, because the child may not format numbers. */
typedef struct SpawnPlan {
        const SpawnRequest *request;
        int report_fd;                     /* above 2, closed by the exec */
        SpawnReport *report;               /* where the memory is shared, in place of report_fd */
        bool enter_cgroup;                 /* it was not born in its cgroup */
        char oom_text[SPAWN_OOM_TEXT_MAX]; /* for /proc/self/oom_score_adj; "": as it is */
} SpawnPlan;

/*
 * Runs in the child with all signals blocked. Executes the program, or writes a SpawnReport to
 * report or report_fd and exits with status 127.
 */
noreturn void spawn_child_run(const SpawnPlan *plan);
