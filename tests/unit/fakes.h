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

extern Loop *loop;
extern Reaper *reaper;
extern CgroupRoot *cgroups;
extern usec_t zero; /* when the world began */

/* What handlers have written, in order, and how the last process ended. */
extern char story[256];
extern ExitStatus last_status;

/* As a fixture: the world without a seed; at the end no source and no descriptor may be left. */
void fakes_setup(void);
void fakes_teardown(void);
void fakes_begin(uint64_t seed);
void fakes_end(void);

/* Handlers; userdata is the text to write. */
int tell(void *userdata);
int tell_io(void *userdata, uint32_t revents);
int tell_end(void *userdata, const Process *process, const ExitStatus *status);

/* Spawns a program into a cgroup (-1: none). */
Spawned start(const char *path, int cgroup_fd);
/* Closes its descriptors. */
void let_go(Spawned *spawned);
