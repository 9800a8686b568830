/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Identity tells for those that were seen, the invocation and the mark for all that came later.
 * What has lost both, its environment and its limits, cannot be told from others any more.
 */

#include "sys/tree_walk_spared.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sys/procfs.h"
#include "sys/tree_mark.h"

#define SPARED_FIRST 16

void walk_spared_done(WalkSpared *spared) {
        free(spared->processes);
        *spared = (WalkSpared){ 0 };
}

static bool spared_is_there(const SparedProcess *process) {
        ProcStat stat;

        return procfs_stat(process->pid, &stat) == 0 && stat.start_time == process->start_time;
}

static void spared_forget_dead(WalkSpared *spared) {
        size_t kept = 0;

        for (size_t i = 0; i < spared->count; i++)
                if (spared_is_there(&spared->processes[i]))
                        spared->processes[kept++] = spared->processes[i];
        spared->count = kept;
}

void walk_spared_add_run(WalkSpared *spared, const char *invocation, rlim_t mark) {
        SparedRun *run = &spared->runs[spared->run_count++ % SPARED_RUNS_MAX];

        snprintf(run->invocation, sizeof(run->invocation), "%s", invocation);
        run->mark = mark;
        spared_forget_dead(spared);
}

int walk_spared_add(WalkSpared *spared, pid_t pid, uint64_t start_time) {
        if (spared->count == spared->capacity) {
                size_t capacity = spared->capacity == 0 ? SPARED_FIRST : spared->capacity * 2;
                SparedProcess *processes =
                        reallocarray(spared->processes, capacity, sizeof(*processes));

                if (!processes)
                        return -ENOMEM;
                spared->processes = processes;
                spared->capacity = capacity;
        }
        spared->processes[spared->count++] = (SparedProcess){ pid, start_time };
        return 0;
}

static bool spared_is_of_run(const SparedRun *run, pid_t pid) {
        return procfs_has_variable(pid, run->invocation) > 0 || tree_mark_is_on(pid, run->mark);
}

bool walk_spared_has(const WalkSpared *spared, pid_t pid, uint64_t start_time) {
        size_t runs = MIN_OF(spared->run_count, (size_t) SPARED_RUNS_MAX);

        for (size_t i = 0; i < spared->count; i++)
                if (spared->processes[i].pid == pid &&
                    spared->processes[i].start_time == start_time)
                        return true;
        for (size_t i = 0; i < runs; i++)
                if (spared_is_of_run(&spared->runs[i], pid))
                        return true;
        return false;
}
