/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reaps everything there is at SIGCHLD (waitid(2) until nothing is left), tells those who wait for
 * a process of theirs, and everybody who cares that something was reaped. We are the subreaper
 * (PR_SET_CHILD_SUBREAPER), so that orphans of our daemons come to us and nobody is lost.
 */

#include <stdbool.h>
#include <sys/types.h>
#include <uthash.h>

#include "sys/loop.h"

/* How a process ended. */
typedef struct ExitStatus {
        bool known;    /* false: it was not our child, nobody could tell */
        bool signaled; /* ended by a signal */
        bool core;
        int code; /* exit status, or signal */
} ExitStatus;

typedef struct Reaper Reaper;
typedef struct Process Process;

typedef int (*ProcessHandler)(void *userdata, const Process *process, const ExitStatus *status);

/* A process somebody waits for; embedded in its owner, empty as { 0 }. */
struct Process {
        pid_t pid; /* 0: not waited for */
        ProcessHandler handler;
        LoopHandler dying; /* NULL: none */
        void *userdata;
        UT_hash_handle hh;
};

/* Becomes subreaper, blocks SIGCHLD and makes it an event. */
int reaper_new(Loop *loop, Reaper **ret);
Reaper *reaper_free(Reaper *reaper);
DEFINE_CLEANUP(Reaper, reaper_free)

/* Called once after a round of reaping, with the number of processes that nobody waited for. */
typedef int (*ReapedHandler)(void *userdata, unsigned strangers);
void reaper_on_reaped(Reaper *reaper, ReapedHandler handler, void *userdata);

/* Waits for `pid`. When it is reaped, `process` is emptied first, then the handler runs. */
void reaper_add(
        Reaper *reaper, Process *process, pid_t pid, ProcessHandler handler, void *userdata);
/*
 * `dying` runs first, with the same userdata, when the process has ended and still has its number:
 * for what it had said before, which is lost once nobody can tell any more who said it. It may end
 * the wait.
 */
void reaper_hear(Process *process, LoopHandler dying);
/* Waits no longer; nothing if it does not. */
void reaper_remove(Reaper *reaper, Process *process);

#define EXIT_STATUS_TEXT_MAX 64
/*
 * "exited with status 3", "killed by SIGSEGV (core dumped)", "ended (status unknown)". Returns
 * buffer.
 */
const char *exit_status_text(char buffer[static EXIT_STATUS_TEXT_MAX], const ExitStatus *status);
