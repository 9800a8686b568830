/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * For the tests of the fakes: a world with a loop, a reaper and cgroups, and handlers that write a
 * story.
 */

#include "fake/fake.h"
#include "sys/cgroup.h"

#define SEC USEC_PER_SEC
#define MS  USEC_PER_MSEC

typedef struct Fakes {
        Loop *loop;
        Reaper *reaper;
        CgroupRoot *cgroups;
        usec_t zero;            /* when the world began */
        char story[256];        /* what handlers have written, in order */
        ExitStatus last_status; /* how the last process ended */
} Fakes;

extern Fakes fakes;

/* As a fixture: the world without a seed; at the end no source and no descriptor may be left. */
void fakes_setup(void);
void fakes_teardown(void);
void fakes_begin(uint64_t seed);
void fakes_end(void);

/* Handlers; userdata is the text to write. */
int fakes_tell(void *userdata);
int fakes_tell_io(void *userdata, uint32_t revents);
int fakes_tell_end(void *userdata, const Process *process, const ExitStatus *status);

/* Spawns a program into a cgroup (-1: none). */
Spawned fakes_start(const char *path, int cgroup_fd);
/* Closes its descriptors. */
void fakes_let_go(Spawned *spawned);
