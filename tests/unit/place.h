/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A cgroup for a test, below that of the test program, and children that live in it.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/macro.h"

typedef struct Place {
        char path[1024]; /* its directory */
        char group[1024]; /* what /proc/PID/cgroup says of processes in it */
} Place;

/* Makes it; NULL if it is there, or why it cannot be: for unit_add_skipped(). */
const char *place_make(Place *place);
/* Kills what is in it and below it but ourselves, waits for the end of that, and removes it. */
void place_remove(const Place *place);

/* Makes a cgroup below it. */
void place_make_below(const Place *place, const char *name, Place *ret);

/* Moves this process there, or to the cgroup above it. */
void place_enter(const Place *place);
void place_leave(const Place *place);

/* Writes to one of its files. */
void place_write(const Place *place, const char *file, const char *text);

/*
 * Runs `function` in a child, in the cgroup if `place` is not NULL, and in a mount namespace of its
 * own. It fails the test that calls ck_assert…() in there or ends otherwise than by returning.
 */
void place_run(const Place *place, void (*function)(void *userdata), void *userdata);

/* In a child of place_run(): an empty /run, with or without a systemd that was booted. */
void place_hide_run(bool systemd);
