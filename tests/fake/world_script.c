/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The programs of the world and how processes play their scripts: each act of a list happens once,
 * so long after the list was begun, if the process still lives then.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fake/fake.h"
#include "fake/parts.h"
#include "fake/script.h"
#include "fake/world_intake.h"

#define PROGRAM_MAX 512

static struct {
        const FakeProgram *table[PROGRAM_MAX];
        size_t count;
} programs;

void world_script_reset(void) {
        programs.count = 0;
}

void world_add_program(const FakeProgram *program) {
        for (size_t i = 0; i < programs.count; i++)
                if (strcmp(programs.table[i]->path, program->path) == 0) {
                        programs.table[i] = program;
                        return;
                }
        if (programs.count < PROGRAM_MAX)
                programs.table[programs.count++] = program;
}

const FakeProgram *world_find_program(const char *path) {
        for (size_t i = 0; i < programs.count; i++)
                if (strcmp(programs.table[i]->path, path) == 0)
                        return programs.table[i];
        return NULL;
}

/* ---- single acts ---- */

static void act_fork(FakeProcess *process, const FakeAct *act) {
        FakeProcess *child =
                process_add_to(process->tree, process->pid, world_find_program(act->text));
        if (!child)
                return;

        if (act->kind != ACT_FORK_SESSION) {
                child->pgid = process->pgid;
                child->sid = process->sid;
        }
        memcpy(child->invocation, process->invocation, sizeof(child->invocation));
        memcpy(child->notify_path, process->notify_path, sizeof(child->notify_path));
        process->last_child = child->pid;
        world_trace("  process %d forks %d (%s)", process->pid, child->pid, act->text);
        process_execute(child);
}

static void act_watch(FakeProcess *process, const FakeAct *act) {
        process->watching = act;
        act_fork(process, act);
}

/* Its descriptors close on exec, and what it was about to do it does not know any more. */
static void act_exec(FakeProcess *process, const char *path) {
        world_trace("  process %d executes %s", process->pid, path);
        process_close_sockets(process);
        world_cut_process(process);
        process->images++;
        process->watching = NULL;
        process->exits_alone = process->exits_served = false;
        process->program = world_find_program(path);
        process_execute(process);
}

static void act_signal_children(FakeProcess *process, int signo) {
        pid_t pid = process->pid;
        unsigned cursor = 0;

        for (FakeProcess *child; (child = process_each(&cursor));)
                if (child->ppid == pid && !child->zombie)
                        process_hear(child, signo);
}

static void act_exit_alone(FakeProcess *process, int status) {
        unsigned cursor = 0;

        process->exits_alone = true;
        process->exit_alone_status = status;
        for (const FakeProcess *child; (child = process_each(&cursor));)
                if (child->ppid == process->pid && !child->zombie)
                        return;
        process_exit(process, false, status);
}

static void act_hand_over(FakeProcess *process) {
        FakeProcess *child = process_find(process->last_child);

        if (process_is_alive(child))
                process_move_sockets(process, child);
}

static void act_write_pid(const char *path, pid_t pid) {
        char text[16];

        snprintf(text, sizeof(text), "%d\n", pid);
        world_write(path, text);
}

static void act_notify_main(const FakeProcess *process, pid_t pid) {
        char text[32];

        snprintf(text, sizeof(text), "MAINPID=%d\n", pid);
        fake_datagram(process->notify_path, process->pid, text);
}

static void act_perform(FakeProcess *process, const FakeAct *act) {
        switch (act->kind) {
        case ACT_END:
                break;
        case ACT_EXIT:
                process_exit(process, false, (int) act->number);
                break;
        case ACT_DIE:
                process_exit(process, true, (int) act->number);
                break;
        case ACT_EXIT_ALONE:
                act_exit_alone(process, (int) act->number);
                break;
        case ACT_FORK:
        case ACT_FORK_SESSION:
                act_fork(process, act);
                break;
        case ACT_WATCH:
                act_watch(process, act);
                break;
        case ACT_EXEC:
                act_exec(process, act->text);
                break;
        case ACT_SIGNAL_CHILDREN:
                act_signal_children(process, (int) act->number);
                break;
        case ACT_WRITE:
                world_write(act->text, act->content);
                break;
        case ACT_WRITE_PID:
                act_write_pid(act->text, process->pid);
                break;
        case ACT_WRITE_CHILD:
                act_write_pid(act->text, process->last_child);
                break;
        case ACT_LINK:
                world_write(act->text, NULL);
                break;
        case ACT_REMOVE:
                world_remove(act->text);
                break;
        case ACT_NOTIFY:
                fake_datagram(process->notify_path, process->pid, act->content);
                break;
        case ACT_NOTIFY_MAIN:
                act_notify_main(process, process->pid);
                break;
        case ACT_NOTIFY_CHILD:
                act_notify_main(process, process->last_child);
                break;
        case ACT_LISTEN:
                socket_add(process, (unsigned) act->number, act->text);
                break;
        case ACT_BIND_UDP:
                socket_add_udp(process, (unsigned) act->number);
                break;
        case ACT_CLOSE:
                process_close_sockets(process);
                break;
        case ACT_HAND_OVER:
                act_hand_over(process);
                break;
        case ACT_EXIT_SERVED:
                process_exit_served(process, (int) act->number);
                break;
        case ACT_SAY:
                fake_capture_say(process, act->content);
                fake_follow_say(process, act->content);
                break;
        case ACT_BLOCK:
                process_block(process, (usec_t) act->number);
                break;
        }
}

/* ---- lists of acts ---- */

#define IMAGE_SHIFT 48 /* in what is planned, above the key of the process */

static uint64_t act_key(const FakeProcess *process) {
        return process_key(process) | (uint64_t) process->images << IMAGE_SHIFT;
}

static void act_happen(void *userdata, uint64_t key) {
        const FakeAct *act = userdata;
        FakeProcess *process = process_by_key(key & ((UINT64_C(1) << IMAGE_SHIFT) - 1));

        if (!process_is_alive(process) || process->killed_by > 0 || act_key(process) != key)
                return;
        if (process_stands(process))
                process_postpone(process, act_happen, userdata, key);
        else
                act_perform(process, act);
}

void process_play_later(FakeProcess *process, const FakeAct *act, usec_t after) {
        world_at(usec_add(world_now(), after), act_happen, (void *) act, act_key(process));
}

void process_play(FakeProcess *process, const FakeAct *acts) {
        for (const FakeAct *act = acts; act && act->kind != ACT_END; act++)
                process_play_later(process, act, act->after);
}

FakeProcess *process_begin_session(FakeProcess *process, const char *path) {
        const FakeAct act = FORK_SESSION(0, path);

        act_fork(process, &act);
        return process_find(process->last_child);
}

void process_execute(FakeProcess *process) {
        process->executed = true;
        if (process->program)
                process_play(process, process->program->acts);
}
