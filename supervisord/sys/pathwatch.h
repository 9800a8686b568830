/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Watches a path whose directory need not exist yet. It tells that something may have changed;
 * what, the handler finds out itself.
 */

#include "sys/loop.h"

typedef struct PathWatch PathWatch;

/*
 * Begins to watch. Does not call the handler for what is there already: look once yourself, after
 * this call.
 */
int pathwatch_new(
        Loop *loop, const char *path, LoopHandler handler, void *userdata, PathWatch **ret);
/* Also from inside the handler; accepts NULL; returns NULL. */
PathWatch *pathwatch_free(PathWatch *watch);
