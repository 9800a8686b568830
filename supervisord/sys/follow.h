/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a daemon writes, read back line by line from where it goes: its file, or the journal. The
 * daemon writes there by itself, notices nothing of this, and outlives it. However much it writes,
 * a round of the loop takes a bounded time, there are at most a hundred in a second, and no more
 * memory than for one line is used.
 */

#include <stdbool.h>
#include <stddef.h>

#include "sys/loop.h"

#define FOLLOW_LINE_MAX 4096 /* of a longer line only the beginning is looked at */

typedef struct Follow Follow;

enum { FOLLOW_E_ABSENT = 1 }; /* it is no regular file, or there is no journald here */

/*
 * To be made before the daemon is started: what is written from now on counts. `name` (borrowed) is
 * that of the daemon.
 */
int follow_file_new(Loop *loop, const char *name, const char *path, Follow **ret);
/* The lines of that SYSLOG_IDENTIFIER= in that unit (NULL: any); both are borrowed. */
int follow_journal_new(Loop *loop,
                       const char *name,
                       const char *identifier,
                       const char *unit,
                       Follow **ret);
/* Accepts NULL; returns NULL. */
Follow *follow_free(Follow *follow);
DEFINE_CLEANUP(Follow, follow_free)

/* Whether that line is it; without its end, which may hold any bytes, NULs too. */
typedef bool (*FollowTest)(void *userdata, const char *line, size_t length);

/*
 * Begins to look. `found` is called once, later, for the first line that passes the test; from
 * inside it the object may be freed. Opening the journal may take some milliseconds.
 */
int follow_start(Follow *follow, FollowTest test, LoopHandler found, void *userdata);
