/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A command that helps with a daemon (freeze, drain, cleanup): it runs beside the daemon in a tree
 * of its own, as the daemon's user. A daemon has one at a time; whoever starts it sets its time.
 */

#include <stdbool.h>

#include "sys/reaper.h"
#include "sys/spawn.h"
#include "sys/tree.h"

typedef struct Child Child;

/* How it went: not executed (`report`), or ended (`status`). */
typedef struct HelperResult {
        SpawnReport report;
        ExitStatus status;
} HelperResult;

typedef void (*HelperHandler)(Child *child, const HelperResult *result);

/* Embedded in its Child. */
typedef struct Helper {
        HelperHandler handler; /* NULL: none runs */
        Tree *tree;            /* made with the child */
        Process process;
        int report_fd;
} Helper;

int helper_init(Child *child);
void helper_done(Child *child);

/*
 * Starts `command`; `handler` is called once, later, unless helper_cancel() comes first. A failure
 * to start is told to the handler as well, but then before this function returns.
 */
void helper_start(Child *child, char *const *command, HelperHandler handler);

/* Kills it, if one runs. */
void helper_cancel(Child *child);

bool helper_succeeded(const HelperResult *result);

#define HELPER_TEXT_MAX 192
/* "exited with status 1", "could not be executed: …". Returns buffer. */
const char *helper_text(char buffer[static HELPER_TEXT_MAX], const HelperResult *result);
