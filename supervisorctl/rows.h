/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How daemons stand, as a table for people. Nothing here takes a library: `status` has to be quick.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/macro.h"

/* What a line is made from; all pointers are borrowed. */
typedef struct Row {
        const char *name, *state;
        bool pending;
        unsigned pid;
        usec_t since; /* of the state, CLOCK_MONOTONIC */
        const char *reason, *status;
        bool paused;     /* an operator took it out of service */
        usec_t deadline; /* of the phase that it is in, likewise; 0: none */
} Row;

bool row_is_running(const Row *row);
/* The word for people: one that waits for another is not just stopped. */
const char *row_state(const Row *row);
/* Whether it is draining: then its status is about its work in flight. */
bool row_is_draining(const Row *row);
/* One of the codes of terminal.h. */
const char *row_colour(const Row *row);

/* The table while it is put together. */
typedef struct Rows {
        Buffer text;
        size_t width; /* of the longest name */
        usec_t now;
        bool colours;
        bool all_run; /* the daemons so far */
} Rows;

/* For names of that length at most. */
void rows_begin(Rows *rows, size_t width);
void rows_add(Rows *rows, const Row *row);
/* Writes it to stdout, in one piece; an exit status. */
int rows_print(const Rows *rows);
void rows_done(Rows *rows);
