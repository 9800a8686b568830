/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Starting a program with exactly the surroundings that it shall have and nothing else of ours:
 * empty signal mask, default dispositions, its own session, only its own descriptors.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/macro.h"

/*
 * The variable that the new process gets its own number in, if its environment has it, as
 * sd_watchdog_enabled(3) wants it. Its value has to be SPAWN_PID_ROOM, which is written over: also
 * the caller's, where the two share their memory until the exec, so that it is for one start only.
 */
#define SPAWN_PID_VARIABLE "WATCHDOG_PID"
#define SPAWN_PID_ROOM     "0000000000"

/* All members are borrowed for the call. */
typedef struct SpawnRequest {
        char *const *command;     /* argv; command[0] is executed as it stands */
        char *const *environment; /* the whole environment */
        const char *directory;    /* NULL: / */
        mode_t umask;
        int input, output, error; /* descriptors for 0, 1, 2; -1: /dev/null */

        bool switch_user;
        uid_t uid;
        gid_t gid;
        const gid_t *groups;
        size_t group_count;

        const bool *limit_set; /* RLIM_NLIMITS entries, or NULL */
        const struct rlimit *limits;
        int nice;
        int oom_score_adjust; /* 0: as it is */
        bool no_new_privileges;

        int cgroup_fd;     /* -1: stays in ours; must not be frozen */
        bool enter_cgroup; /* it is not born in it but goes there, see tree_was_killed() */
} SpawnRequest;

/* At which step a start failed in the child. */
typedef enum SpawnStep {
        SPAWN_STEP_NONE,
        SPAWN_STEP_CGROUP,
        SPAWN_STEP_DESCRIPTORS,
        SPAWN_STEP_LIMITS,
        SPAWN_STEP_PRIORITY, /* nice, oom score */
        SPAWN_STEP_GROUPS,
        SPAWN_STEP_USER,
        SPAWN_STEP_PRIVILEGES,
        SPAWN_STEP_DIRECTORY,
        SPAWN_STEP_EXEC,
        SPAWN_STEP_MAX_,
} SpawnStep;

typedef struct SpawnReport {
        SpawnStep failed_step; /* SPAWN_STEP_NONE: the program was executed */
        int error;             /* positive errno */
} SpawnReport;

typedef struct Spawned {
        pid_t pid;
        int pidfd;          /* the caller's */
        int report_fd;      /* the caller's: readable or at its end once it is known how the exec
                               went. -1: it is known already */
        SpawnReport report; /* without report_fd */
} Spawned;

/*
 * Forks into the cgroup (clone3(2) with CLONE_INTO_CGROUP and CLONE_PIDFD; where that is not
 * allowed fork(2), after which the child moves itself) and executes. Does not wait for the exec,
 * but where that will not take long: then the child shares our memory until it (vfork(2)), which
 * spares the copy, a third of the time or more. A negative errno: no process was made.
 */
int spawn(const SpawnRequest *request, Spawned *ret);

/* Reads the report (never blocks): 0, or -EAGAIN if there is none yet. */
int spawn_report_read(int report_fd, SpawnReport *ret);

/* "changing the user" for SPAWN_STEP_USER. */
const char *spawn_step_text(SpawnStep step);

typedef enum SpawnWay {
        SPAWN_SHARING, /* clone3(2), as vfork(2) where that may be */
        SPAWN_COPYING, /* clone3(2) */
        SPAWN_FORKING, /* fork(2) */
} SpawnWay;

/* For tests: no way before this one. */
void spawn_limit(SpawnWay first);
