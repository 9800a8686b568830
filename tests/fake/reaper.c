/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/reaper.h on the fake world: the zombies that are ours are taken one by one, in an order of
 * choice, until none is left.
 */

#include "sys/reaper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "base/parse.h"
#include "fake/fake.h"

struct Reaper {
        LoopSource *source;
        Process *processes; /* by pid; borrowed */
        ReapedHandler handler;
        void *userdata;
};

static FakeProcess *reaper_next(void) {
        FakeProcess *chosen = NULL;
        unsigned cursor = 0, seen = 0;

        world_race();
        for (FakeProcess *process; (process = process_each(&cursor));)
                if (process->zombie && process->ppid == WORLD_SUPERVISOR &&
                    world_choose(++seen) == 0)
                        chosen = process;
        return chosen;
}

static int reaper_listen(const Reaper *reaper, pid_t pid) {
        Process *process;

        HASH_FIND_INT(reaper->processes, &pid, process);
        return process && process->dying ? process->dying(process->userdata) : 0;
}

static int reaper_tell(Reaper *reaper, const FakeProcess *dead, unsigned *strangers) {
        ExitStatus status = { .known = true, .signaled = dead->signaled, .code = dead->code };
        Process *process;

        HASH_FIND_INT(reaper->processes, &dead->pid, process);
        if (!process) {
                (*strangers)++;
                return 0;
        }

        ProcessHandler handler = process->handler;
        void *userdata = process->userdata;
        reaper_remove(reaper, process);
        return handler(userdata, process, &status);
}

static int reaper_on_signal(void *userdata) {
        Reaper *reaper = userdata;
        unsigned strangers = 0;
        bool reaped = false;

        for (FakeProcess *process; (process = reaper_next());) {
                FakeProcess dead = *process;
                int r = reaper_listen(reaper, dead.pid);
                if (r < 0)
                        return r;

                world_trace("  process %d is reaped", dead.pid);
                process_reap(process);
                reaped = true;
                r = reaper_tell(reaper, &dead, &strangers);
                if (r < 0)
                        return r;
        }
        return reaped && reaper->handler ? reaper->handler(reaper->userdata, strangers) : 0;
}

int reaper_new(Loop *loop, Reaper **ret) {
        CLEANUP(reaper_freep) Reaper *reaper = calloc(1, sizeof(*reaper));
        if (!reaper)
                return -ENOMEM;

        int r = loop_add_signal(loop, &reaper->source, SIGCHLD, LOOP_CHILD, "reaper",
                                reaper_on_signal, reaper);
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
                reaper_remove(reaper, process);
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
        if (process->pid == 0)
                return;
        HASH_DEL(reaper->processes, process);
        *process = (Process){ 0 };
}

unsigned fake_reaper_waits(const Reaper *reaper) {
        return HASH_COUNT(reaper->processes);
}

const char *exit_status_text(char buffer[static EXIT_STATUS_TEXT_MAX], const ExitStatus *status) {
        char name[SIGNAL_TEXT_MAX];

        if (!status->known)
                snprintf(buffer, EXIT_STATUS_TEXT_MAX, "ended (status unknown)");
        else if (status->signaled)
                snprintf(buffer, EXIT_STATUS_TEXT_MAX, "killed by SIG%s",
                         format_signal(name, status->code));
        else
                snprintf(buffer, EXIT_STATUS_TEXT_MAX, "exited with status %d", status->code);
        return buffer;
}
