/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/reaper.h"

/*
 * SIGCHLD only says that something may be there; waitid(2) says what. The two are never mixed with
 * child sources of sd-event: those lose a child that somebody else reaps.
 */

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/parse.h"

/*
 * Who dies may be replaced by his handler, and the replacement may die before the next look: after
 * so many it is the turn of everybody else.
 */
#define REAPER_TURN 256

struct Reaper {
        LoopSource *source;
        LoopSource *again; /* there may be more of them */
        Process *processes; /* by pid; borrowed, each knows its place */
        ReapedHandler handler;
        void *userdata;
};

static void reaper_forget(Reaper *reaper, Process *process) {
        HASH_DEL(reaper->processes, process);
        *process = (Process){ 0 };
}

static ExitStatus reaper_status(const siginfo_t *info) {
        return (ExitStatus){
                .known = true,
                .signaled = info->si_code != CLD_EXITED,
                .core = info->si_code == CLD_DUMPED,
                .code = info->si_status,
        };
}

/* 0, or what the handler returned below it. */
static int reaper_tell(Reaper *reaper, const siginfo_t *info, unsigned *strangers) {
        ExitStatus status = reaper_status(info);
        ProcessHandler handler;
        Process *process;
        void *userdata;

        HASH_FIND_INT(reaper->processes, &info->si_pid, process);
        if (!process) {
                (*strangers)++;
                return 0;
        }

        /* Emptied first: the handler may wait for the next process with it. */
        handler = process->handler;
        userdata = process->userdata;
        reaper_forget(reaper, process);
        return handler(userdata, process, &status);
}

/* 1: *ret is the next one that has ended, 0: there is none. It keeps its number. */
static int reaper_next(siginfo_t *ret) {
        siginfo_t info = { 0 };

        while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
                if (errno == ECHILD)
                        return 0;
                if (errno != EINTR)
                        return errno_negative();
        }

        *ret = info;
        return info.si_pid > 0;
}

static int reaper_reap(Reaper *reaper, siginfo_t *info, unsigned *strangers) {
        Process *process;
        int r;

        HASH_FIND_INT(reaper->processes, &info->si_pid, process);
        if (process && process->dying) {
                r = process->dying(process->userdata);
                if (r < 0)
                        return r;
        }
        if (waitid(P_PID, (id_t) info->si_pid, info, WEXITED | WNOHANG) < 0)
                return errno_negative();
        return reaper_tell(reaper, info, strangers);
}

static int reaper_on_signal(void *userdata) {
        Reaper *reaper = userdata;
        unsigned strangers = 0, reaped = 0;
        siginfo_t info;
        int r = 0;

        while (reaped < REAPER_TURN && (r = reaper_next(&info)) > 0) {
                reaped++;
                r = reaper_reap(reaper, &info, &strangers);
                if (r < 0)
                        return r;
        }
        if (r >= 0 && reaped == REAPER_TURN)
                r = loop_defer_arm(reaper->again);
        if (r < 0)
                return r;
        return reaped > 0 && reaper->handler ? reaper->handler(reaper->userdata, strangers) : 0;
}

int reaper_new(Loop *loop, Reaper **ret) {
        CLEANUP(reaper_freep) Reaper *reaper = calloc(1, sizeof(*reaper));
        const struct sigaction action = { .sa_handler = SIG_DFL };
        int r;

        if (!reaper)
                return -ENOMEM;

        /* Who started us may have left it ignored: then the kernel reaps and tells nobody. */
        if (sigaction(SIGCHLD, &action, NULL) < 0)
                return errno_negative();
        if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
                return errno_negative();

        r = loop_add_signal(loop, &reaper->source, SIGCHLD, LOOP_CHILD, "reaper", reaper_on_signal,
                            reaper);
        if (r >= 0)
                r = loop_add_defer(loop, &reaper->again, LOOP_CHILD, "reaper", reaper_on_signal,
                                   reaper);
        if (r < 0)
                return r;

        *ret = TAKE(reaper);
        return 0;
}

Reaper *reaper_free(Reaper *reaper) {
        Process *process, *next;

        if (!reaper)
                return NULL;

        HASH_ITER(hh, reaper->processes, process, next)
                reaper_forget(reaper, process);
        loop_source_free(reaper->again);
        loop_source_free(reaper->source);
        free(reaper);
        return NULL;
}

void reaper_on_reaped(Reaper *reaper, ReapedHandler handler, void *userdata) {
        reaper->handler = handler;
        reaper->userdata = userdata;
}

void reaper_add(
        Reaper *reaper, Process *process, pid_t pid, ProcessHandler handler, void *userdata) {
        reaper_remove(reaper, process);
        *process = (Process){ .pid = pid, .handler = handler, .userdata = userdata };
        HASH_ADD_INT(reaper->processes, pid, process);
}

void reaper_hear(Process *process, LoopHandler dying) {
        process->dying = dying;
}

void reaper_remove(Reaper *reaper, Process *process) {
        if (process->pid > 0)
                reaper_forget(reaper, process);
}

const char *exit_status_text(char buffer[static EXIT_STATUS_TEXT_MAX], const ExitStatus *status) {
        char signal_text[SIGNAL_TEXT_MAX];

        if (!status->known)
                (void) snprintf(buffer, EXIT_STATUS_TEXT_MAX, "ended (status unknown)");
        else if (status->signaled)
                (void) snprintf(buffer, EXIT_STATUS_TEXT_MAX, "killed by SIG%s%s",
                                format_signal(signal_text, status->code),
                                status->core ? " (core dumped)" : "");
        else
                (void) snprintf(buffer, EXIT_STATUS_TEXT_MAX, "exited with status %d",
                                status->code);
        return buffer;
}
