/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sys/procfs.h on the fake world. */

#include "sys/procfs.h"

#include <stdio.h>
#include <string.h>

#include "fake/fake.h"

static ProcStat procfs_stat_of(const FakeProcess *process) {
        ProcStat stat = {
                .pid = process->pid,
                .ppid = process->ppid,
                .pgid = process->pgid,
                .sid = process->sid,
                .state = process->zombie              ? 'Z'
                         : process->blocked_until > 0 ? 'D'
                                                      : 'S',
                .start_time = process->start_time,
        };

        strncat(stat.comm, process->program ? process->program->path : "?", sizeof(stat.comm) - 1);
        return stat;
}

int procfs_stat(pid_t pid, ProcStat *ret) {
        int r = fake_door(DOOR_PROCFS);
        if (r < 0)
                return r;

        const FakeProcess *process = process_find(pid);
        if (!process)
                return PROCFS_E_GONE;
        *ret = procfs_stat_of(process);
        return 0;
}

bool procfs_has_pending(pid_t pid, int signo) {
        const FakeProcess *process = process_find(pid);

        return process && (process->pending >> signo & 1) != 0;
}

uint64_t procfs_now(void) {
        return world_ticks();
}

uint64_t procfs_program(pid_t pid) {
        const FakeProcess *process = process_find(pid);

        return process && process->program ? (uint64_t) (uintptr_t) process->program : 0;
}
