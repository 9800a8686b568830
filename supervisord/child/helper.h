/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A command that helps with a daemon: it runs beside the daemon in a tree of its own, as the
 * daemon's user and in its surroundings. A Helper runs one at a time; whoever starts it sets its
 * time. Each child has one for freeze, drain and cleanup, made with it.
 */

#include <stdbool.h>

#include "child/child.h"
#include "config/config.h"
#include "sys/reaper.h"
#include "sys/spawn.h"
#include "sys/tree.h"

/* How it went: not executed (`report`), or ended (`status`). */
typedef struct HelperResult {
        SpawnReport report;
        ExitStatus status;
} HelperResult;

typedef void (*HelperHandler)(void *userdata, const HelperResult *result);

/* Embedded in its owner; empty as { 0 }. */
typedef struct Helper {
        const ChildContext *context;
        Tree *tree;
        HelperHandler handler; /* NULL: none runs */
        void *userdata;
        Process process;
        int report_fd;
        SpawnReport report; /* where it came with the process */
} Helper;

/* All members are borrowed for the call. */
typedef struct HelperOrder {
        const DaemonConfig *daemon; /* whose surroundings it gets */
        char *const *command;
        pid_t main_pid; /* MAINPID= in its environment; 0: there is none */
        int output;     /* where it writes; -1: where the daemon does */
        HelperHandler handler;
        void *userdata;
} HelperOrder;

/* `name` is that of its tree. */
int helper_init(Helper *helper, const ChildContext *context, const char *name);
void helper_done(Helper *helper);

/*
 * Starts the command, after the end of one that runs; the handler is called once, later, unless
 * helper_cancel() comes first. A failure to start is told to the handler as well, but then before
 * this function returns.
 */
void helper_run(Helper *helper, const HelperOrder *order);

/* Kills it, if one runs. */
void helper_cancel(Helper *helper);

bool helper_succeeded(const HelperResult *result);
/* The same with other statuses than 0. */
bool helper_succeeded_with(const HelperResult *result, const StatusSet *success);

#define HELPER_TEXT_MAX 192
/* "exited with status 1", "could not be executed: …". Returns buffer. */
const char *helper_text(char buffer[static HELPER_TEXT_MAX], const HelperResult *result);
