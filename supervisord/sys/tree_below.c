/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * All that is below us at once. We are the subreaper: what loses its parent becomes our child and
 * is found by the next pass.
 */

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "sys/pidref.h"
#include "sys/procfs.h"
#include "sys/tree_internal.h"

#define BELOW_PASSES 3
#define BELOW_DEPTH  64 /* generations that are followed; no tree is so deep */

static bool below_is_ours(const ProcStat *process) {
        pid_t own = getpid();
        ProcStat parent = *process;

        for (unsigned i = 0; i < BELOW_DEPTH && parent.ppid > 0; i++) {
                if (parent.ppid == own)
                        return true;
                if (procfs_stat(parent.ppid, &parent) != 0)
                        return false; /* it has just lost its parent: the next pass finds it */
        }
        return false;
}

static bool below_is_spared(pid_t pid) {
        const size_t length = strlen(TREE_SPARED_SUFFIX);
        char group[PATH_MAX];

        if (procfs_cgroup(pid, group) != 0)
                return false;
        const char *found = strstr(group, TREE_SPARED_SUFFIX);
        while (found && found[length] != '\0' && found[length] != '/')
                found = strstr(found + length, TREE_SPARED_SUFFIX);
        return found;
}

static int below_kill(void *userdata, const ProcStat *process) {
        CLEANUP(pidref_done) PidRef reference = PIDREF_NONE;
        int *error = userdata, r;

        if (process->state == 'Z' || process->state == 'X' || !below_is_ours(process)
            || below_is_spared(process->pid))
                return 0;
        r = pidref_open(process->pid, &reference);
        if (r == 0 && reference.start_time == process->start_time)
                r = pidref_signal(&reference, SIGKILL);
        if (r < 0)
                *error = r;
        return 0;
}

int tree_kill_below(void) {
        int error = 0;

        if (getpid() == 1)
                return 0;
        for (unsigned pass = 0; pass < BELOW_PASSES; pass++) {
                int r = procfs_each(below_kill, &error);
                if (r < 0)
                        return r;
        }
        return error;
}
