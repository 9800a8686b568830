/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The processes of the world: birth, signals, death, adoption by us as the subreaper, reaping.
 * Pids come round soon and are used again at once, so that a number that was kept too long names
 * a stranger.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "fake/fake.h"
#include "fake/parts.h"
#include "fake/world_intake.h"

#define WORLD_HELPER_SUFFIX ".helper"
#define WORLD_SPARED_SUFFIX ".spared"

#define DYING_MOST (2 * USEC_PER_MSEC)

#define PID_ROUND 1200 /* so many numbers there are: more than fit at a time, fewer than are used */

#define SLOT_BITS  64
#define SLOT_WORDS (WORLD_PROCESS_MAX / SLOT_BITS)

#define POSTPONED_MAX 4096

static FakeProcess process_table[WORLD_PROCESS_MAX];

/* What standing processes were about to do. */
typedef struct Postponed {
        uint64_t process; /* key */
        WorldHandler handler;
        void *userdata;
        uint64_t argument;
} Postponed;

static Postponed postponed[POSTPONED_MAX];
static size_t postponed_count;

static struct {
        uint64_t used[SLOT_WORDS]; /* bit: that place of the table */
        uint16_t place[PID_ROUND]; /* by pid: place + 1, 0: nobody */
        unsigned generations;
        pid_t next_pid;
        unsigned harmed;
        unsigned doubled;
} processes;

void world_processes_reset(void) {
        unsigned cursor = 0;

        for (FakeProcess *process; (process = process_each(&cursor));)
                process->pid = 0;
        memset(&processes, 0, sizeof(processes));
        postponed_count = 0;
}

FakeProcess *process_find(pid_t pid) {
        if (pid < WORLD_FIRST_PID || pid >= WORLD_FIRST_PID + PID_ROUND)
                return NULL;
        uint16_t place = processes.place[pid - WORLD_FIRST_PID];

        return place > 0 ? &process_table[place - 1] : NULL;
}

FakeProcess *process_each(unsigned *cursor) {
        while (*cursor < WORLD_PROCESS_MAX) {
                unsigned word = *cursor / SLOT_BITS;
                uint64_t rest = processes.used[word] >> (*cursor % SLOT_BITS);

                if (rest != 0) {
                        *cursor += (unsigned) __builtin_ctzll(rest) + 1;
                        return &process_table[*cursor - 1];
                }
                *cursor = (word + 1) * SLOT_BITS;
        }
        return NULL;
}

/* The first free place, or NULL. */
static FakeProcess *process_place(void) {
        for (unsigned word = 0; word < SLOT_WORDS; word++)
                if (~processes.used[word] != 0)
                        return &process_table[word * SLOT_BITS +
                                              (unsigned) __builtin_ctzll(~processes.used[word])];
        return NULL;
}

static void process_mark(const FakeProcess *process, bool used) {
        size_t place = (size_t) (process - process_table);
        uint64_t bit = UINT64_C(1) << (place % SLOT_BITS);

        if (used)
                processes.used[place / SLOT_BITS] |= bit;
        else
                processes.used[place / SLOT_BITS] &= ~bit;
        processes.place[process->pid - WORLD_FIRST_PID] = used ? (uint16_t) (place + 1) : 0;
}

uint64_t process_key(const FakeProcess *process) {
        return (uint64_t) (process - process_table) << 32 | process->generation;
}

FakeProcess *process_by_key(uint64_t key) {
        FakeProcess *process = &process_table[key >> 32];

        return process->pid > 0 && process->generation == (uint32_t) key ? process : NULL;
}

static pid_t process_new_pid(void) {
        pid_t pid;

        do {
                pid = WORLD_FIRST_PID + processes.next_pid;
                processes.next_pid = (processes.next_pid + 1) % PID_ROUND;
        } while (pid == WORLD_SUPERVISOR || process_find(pid));
        return pid;
}

FakeProcess *process_add(pid_t ppid, const char *tree, const FakeProgram *program) {
        return process_add_to(world_tree(tree), ppid, program);
}

FakeProcess *process_add_to(WorldTree *tree, pid_t ppid, const FakeProgram *program) {
        FakeProcess *process = process_place();
        if (!process)
                return NULL;

        pid_t pid = process_new_pid();
        *process = (FakeProcess){
                .pid = pid,
                .ppid = ppid,
                .pgid = pid,
                .sid = pid,
                .generation = ++processes.generations,
                .start_time = world_ticks(),
                .program = program,
                .report_fd = -1,
                .tree = tree,
        };
        process_mark(process, true);
        tree->population++;
        if (tree->crashed == pid)
                tree->crashed = 0;
        return process;
}

/* ---- death ---- */

static unsigned process_children(const FakeProcess *process) {
        unsigned cursor = 0, count = 0;

        for (const FakeProcess *other; (other = process_each(&cursor));)
                count += other->ppid == process->pid && !other->zombie;
        return count;
}

/* A watchdog makes what it watches anew, unless that ended as it should. */
static void process_watch(FakeProcess *parent, const FakeProcess *child) {
        const FakeAct *watching = parent->watching;

        if (watching && child->program && strcmp(child->program->path, watching->text) == 0 &&
            (child->signaled || child->code != 0))
                process_play_later(parent, watching, (usec_t) watching->number);
}

/* What a parent does when a child of it has died. */
static void process_bury(FakeProcess *process) {
        FakeProcess *parent = process_find(process->ppid);

        if (process->ppid == WORLD_SUPERVISOR) {
                fake_signal(SIGCHLD);
                return;
        }
        if (process_is_alive(parent))
                process_watch(parent, process);
        if (!parent || !parent->program || !parent->program->negligent)
                process_reap(process);
        if (process_is_alive(parent) && parent->exits_alone && process_children(parent) == 0)
                process_exit(parent, false, parent->exit_alone_status);
}

/* What it was about to do, and will not do any more. */
static void process_forget_postponed(const FakeProcess *process) {
        uint64_t key = process_key(process);
        size_t kept = 0;

        for (size_t i = 0; i < postponed_count; i++)
                if (postponed[i].process != key)
                        postponed[kept++] = postponed[i];
        postponed_count = kept;
}

/* Orphans come to us, dead ones too. */
static void process_orphan(const FakeProcess *process) {
        unsigned cursor = 0;

        for (FakeProcess *child; (child = process_each(&cursor));) {
                if (child->ppid != process->pid || child == process)
                        continue;
                child->ppid = WORLD_SUPERVISOR;
                if (child->zombie)
                        fake_signal(SIGCHLD);
        }
}

static void process_note_end(const FakeProcess *process, bool signaled, int code) {
        WorldTree *tree = process->tree;

        if (signaled && code == SIGSEGV && process->ppid == WORLD_SUPERVISOR)
                tree->crashed = process->pid;
        if (process->generation != tree->spawned)
                return;
        tree->first_ended = true;
        tree->first_signaled = signaled;
        tree->first_code = code;
}

void process_exit(FakeProcess *process, bool signaled, int code) {
        if (!process_is_alive(process))
                return;

        world_trace("  process %d (%s) ends: %s %d", process->pid,
                    process->program ? process->program->path : "?", signaled ? "signal" : "status",
                    code);

        const WorldTree *tree = process->tree;
        if (!process->executed)
                descriptor_report(process, (SpawnReport){ SPAWN_STEP_NONE, 0 });
        process_forget_postponed(process);
        process->zombie = true;
        process->tree->population--;
        process->signaled = signaled;
        process->code = code;
        process_note_end(process, signaled, code);
        process_close_sockets(process);
        world_cut_process(process);
        process_orphan(process);
        process_bury(process);
        if (*tree->name)
                fake_tree_changed(tree);
}

void process_reap(FakeProcess *process) {
        process->tree->population -= !process->zombie;
        process->tree->blocked -= process->blocked_until > 0;
        process_mark(process, false);
        *process = (FakeProcess){ 0 };
}

/* ---- signals ---- */

static void process_dead(void *userdata, uint64_t key) {
        FakeProcess *process = process_by_key(key);

        (void) userdata;
        if (process_is_alive(process))
                process_exit(process, true, process->killed_by);
}

/* A killed process is not dead at once: it has to be scheduled, and to let go of its memory. */
static void process_die(FakeProcess *process, int signo) {
        if (!world_is_seeded()) {
                process_exit(process, true, signo);
                return;
        }
        if (process->killed_by > 0)
                return;
        process->killed_by = signo;
        world_at(usec_add(world_now(), world_choose(DYING_MOST)), process_dead, NULL,
                 process_key(process));
}

static bool process_is_ours(const FakeProcess *process) {
        return *process->tree->name || *process->invocation || process->ppid == WORLD_SUPERVISOR;
}

static bool signal_is_harmless(int signo) {
        return signo == 0 || signo == SIGCHLD || signo == SIGURG || signo == SIGWINCH ||
               signo == SIGCONT;
}

static const FakeReaction *process_reaction(const FakeProcess *process, int signo) {
        const FakeReaction *reaction = process->program ? process->program->reactions : NULL;

        /* before its exec, dispositions are the default ones */
        for (; process->executed && reaction && reaction->signo > 0; reaction++)
                if (reaction->signo == signo)
                        return reaction;
        return NULL;
}

bool process_stands(const FakeProcess *process) {
        return process->blocked_until > 0 || process->stopped || process->tree->paused;
}

void process_postpone(FakeProcess *process,
                      WorldHandler handler,
                      void *userdata,
                      uint64_t argument) {
        if (postponed_count == POSTPONED_MAX) {
                fprintf(stderr, "the fake world is too small for so many things that wait\n");
                abort();
        }
        postponed[postponed_count++] = (Postponed){
                .process = process_key(process),
                .handler = handler,
                .userdata = userdata,
                .argument = argument,
        };
}

/* It hears and does what waited, unless it stands still for another reason. */
static void process_go_on(FakeProcess *process) {
        uint64_t key = process_key(process), pending = process->pending;
        size_t kept = 0;

        if (process_stands(process))
                return;
        for (size_t i = 0; i < postponed_count; i++)
                if (postponed[i].process == key)
                        world_at(world_now(), postponed[i].handler, postponed[i].userdata,
                                 postponed[i].argument);
                else
                        postponed[kept++] = postponed[i];
        postponed_count = kept;

        process->pending = 0;
        if (pending & (UINT64_C(1) << SIGKILL))
                process_hear(process, SIGKILL);
        for (int signo = 1; signo < 64; signo++)
                if (pending & (UINT64_C(1) << signo) && process_by_key(key))
                        process_hear(process, signo);
}

static void process_unblock(void *userdata, uint64_t key) {
        FakeProcess *process = process_by_key(key);

        (void) userdata;
        if (!process_is_alive(process))
                return;
        process->blocked_until = 0;
        process->tree->blocked--;
        if (process->pending & (UINT64_C(1) << SIGKILL))
                process_hear(process, SIGKILL);
        else
                process_go_on(process);
}

void world_pause(WorldTree *tree, bool pause) {
        unsigned cursor = 0;

        tree->paused = pause;
        for (FakeProcess *process; !pause && (process = process_each(&cursor));)
                if (process->tree == tree && process_is_alive(process))
                        process_go_on(process);
}

void process_block(FakeProcess *process, usec_t duration) {
        process->tree->blocked += process->blocked_until == 0;
        process->blocked_until = usec_add(world_now(), duration > 0 ? duration : USEC_INFINITY);
        if (process->blocked_until != USEC_INFINITY)
                world_at(process->blocked_until, process_unblock, NULL, process_key(process));
}

void process_signal(FakeProcess *process, int signo) {
        processes.harmed += !process_is_ours(process) || world_is_spared(process->tree->name);
        process_hear(process, signo);
}

void process_hear(FakeProcess *process, int signo) {
        char name[SIGNAL_TEXT_MAX];

        if (!process_is_alive(process) || process->killed_by > 0)
                return;

        world_trace("  process %d gets SIG%s", process->pid, format_signal(name, signo));
        if (signo == SIGCONT)
                process->pending &= ~(UINT64_C(1) << SIGSTOP);
        if (signo == SIGCONT && TAKE(process->stopped))
                process_go_on(process);
        if (process->blocked_until > 0 || (process_stands(process) && signo != SIGKILL)) {
                process->pending |= UINT64_C(1) << signo;
                return;
        }
        if (signo == SIGSTOP) {
                process->stopped = true;
                return;
        }

        const FakeReaction *reaction = signo == SIGKILL ? NULL : process_reaction(process, signo);
        if (reaction)
                process_play(process, reaction->acts);
        else if (!signal_is_harmless(signo))
                process_die(process, signo);
}

/* ---- when we are gone ---- */

static void process_move(FakeProcess *process, WorldTree *tree) {
        process->tree->population -= !process->zombie;
        process->tree->blocked -= process->blocked_until > 0;
        process->tree = tree;
        tree->population += !process->zombie;
        tree->blocked += process->blocked_until > 0;
}

void process_spare(FakeProcess *process) {
        char name[WORLD_NAME_MAX];

        snprintf(name, sizeof(name), "%.*s" WORLD_SPARED_SUFFIX,
                 (int) (sizeof(name) - sizeof(WORLD_SPARED_SUFFIX)), process->tree->name);
        process_move(process, world_tree(name));
        if (process_is_alive(process))
                process_go_on(process);
}

void world_forget_trees(void) {
        unsigned cursor = 0;

        for (FakeProcess *process; (process = process_each(&cursor));) {
                process_move(process, world_tree(""));
                if (process_is_alive(process))
                        process_go_on(process);
        }
}

void process_leave_to_init(void) {
        unsigned cursor = 0;

        for (FakeProcess *process; (process = process_each(&cursor));) {
                if (process->ppid != WORLD_SUPERVISOR)
                        continue;
                process->ppid = 1;
                if (process->zombie)
                        process_reap(process);
        }
        fake_signals_reset();
}

/* ---- counting ---- */

uint64_t world_births(void) {
        return processes.generations;
}

unsigned world_descendants(void) {
        unsigned cursor = 0, count = 0;

        for (const FakeProcess *process; (process = process_each(&cursor));)
                count += process_is_ours(process);
        return count;
}

static bool world_ends_with(const char *name, const char *suffix) {
        size_t length = strlen(name), ending = strlen(suffix);

        return length > ending && strcmp(name + length - ending, suffix) == 0;
}

bool world_is_helper(const char *name) {
        return world_ends_with(name, WORLD_HELPER_SUFFIX);
}

bool world_is_spared(const char *name) {
        return world_ends_with(name, WORLD_SPARED_SUFFIX);
}

void world_count_doubled(const WorldTree *tree) {
        processes.doubled += *tree->name && !world_is_helper(tree->name) && tree->population > 0;
}

unsigned world_doubled(void) {
        return processes.doubled;
}

unsigned world_harmed(void) {
        return processes.harmed;
}
