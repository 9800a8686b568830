/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Starting programs in tests of sys/spawn.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "sys/spawn.h"

#define SPAWNING_WAYS   (SPAWN_FORKING + 1) /* for loop tests */
#define SPAWNING_NOBODY 65534

extern char *const SPAWNING_SLEEP[];
extern char *const SPAWNING_TRUE[];

/* Why nothing can be started here (the valgrind of Debian 12 does not know pidfds), or NULL. */
const char *spawning_missing(void);
bool spawning_has_clone3(void);

/* A request without anything particular and with an empty environment. */
SpawnRequest spawning_request(char *const *command);

/* Starts it and waits for the exec, which succeeds. */
Spawned spawning_start(const SpawnRequest *request);
/* Starts it and waits for its failure. */
void spawning_expect_failure(const SpawnRequest *request, SpawnStep step, int error);

/* Waits for the end of the process and closes its descriptors; what waitpid(2) says. */
int spawning_status(Spawned *spawned);
/* Kills it first. */
void spawning_end(Spawned *spawned);

/* The number of our own open descriptors, also where /proc hides them from us. */
unsigned spawning_descriptors(void);

/* Runs `function` in a process of its own; 0, or a number for the line where it went wrong. */
int spawning_run_apart(int (*function)(void));

#define REQUIRE(condition)                                                                         \
        do                                                                                         \
                if (!(condition))                                                                  \
                        return __LINE__ % 255 + 1;                                                 \
        while (0)

/* Lets two calls fail as an older kernel or a filter of a container would make them fail. */
int spawning_deny_calls(const int calls[2], int error);
