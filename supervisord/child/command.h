/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A command that somebody waits for: a daemon's configuration test, its reload.command, or a probe.
 * It runs beside the daemon, in its surroundings, for a limited time, and what it writes last is
 * kept for the verdict. It goes by a configuration that need not be in force.
 */

#include "child/child.h"

typedef struct Command Command;

typedef struct CommandOrder {
        const ChildContext *context;
        Config *config;             /* a reference is taken */
        const DaemonConfig *daemon; /* in it */
        const char *purpose;        /* "reload", "probe": one runs at a time for each of them */
        char *const *command;       /* in it */
        pid_t main_pid;             /* MAINPID= in its environment; 0: there is none */
        usec_t timeout;
        bool alone; /* it has ended when nothing of it lives, also where trees go by descent */
        void (*ended)(void *userdata); /* the bare notice: look at it */
        void *userdata;
} CommandOrder;

/*
 * Starts it. `ended` is called once, later; but not for one that could not be started at all: look
 * at it after this call.
 */
int command_start(const CommandOrder *order, Command **ret);
/* Kills it if it runs. Accepts NULL; returns NULL. Not from inside `ended`. */
Command *command_free(Command *command);
DEFINE_CLEANUP(Command, command_free)

/* Processes were reaped, where trees are found by descent. */
void command_processes_reaped(Command *command);

bool command_has_ended(const Command *command);
/* Whether it exited with 0. */
bool command_succeeded(const Command *command);
/* "/usr/sbin/nginx -t exited with status 1"; long ones are cut. Of one that has ended. */
const char *command_text(const Command *command);

/* The last lines that it wrote, NULL-terminated, control characters shown. Borrowed. */
#define COMMAND_LINES_MAX 6
char *const *command_lines(const Command *command);
