/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How far daemons are that are on their way from one state to another: as text, and kept from the
 * signals of supervisord. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

#define PROGRESS_NAME_MAX   128 /* of a daemon at most 64 */
#define PROGRESS_STATE_MAX  16
#define PROGRESS_STATUS_MAX 256

/* What DaemonChanged says, as far as it is of interest; borrowed. */
typedef struct ProgressNews {
        const char *name, *state, *status;
        uint64_t deadline; /* CLOCK_MONOTONIC; 0: none */
} ProgressNews;

typedef struct ProgressRow {
        char name[PROGRESS_NAME_MAX];
        char state[PROGRESS_STATE_MAX];
        char status[PROGRESS_STATUS_MAX];
        uint64_t deadline;
} ProgressRow;

/* Those that are on their way, in the order in which they set out. */
typedef struct Progress {
        ProgressRow *rows;
        size_t count, room;
} Progress;

/* Without memory for it a daemon is left out. */
void progress_update(Progress *progress, const ProgressNews *news);
void progress_done(Progress *progress);

/* The width of the longest name, for progress_row_text(). */
int progress_width(const Progress *progress);

#define PROGRESS_TEXT_MAX 512
/* "web  draining   2 waiting, 5 busy, 1 idle, 8 s left". Returns buffer. */
const char *progress_row_text(char buffer[static PROGRESS_TEXT_MAX],
                              const ProgressRow *row,
                              int width,
                              usec_t now);

#define PROGRESS_LEFT_MAX 80
/* "8 s left"; "" without a deadline (0). Returns buffer. */
const char *progress_left(char buffer[static PROGRESS_LEFT_MAX], uint64_t deadline, usec_t now);
