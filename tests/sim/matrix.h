/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Two values for each setting of the schema: what a person may write, and then write otherwise. A
 * setting that is not in here has no rule, and the test that walks the schema says so.
 */

#include <stddef.h>

typedef struct MatrixRow {
        const char *path;
        /* all that is written beside the command (of command: instead of it), before and after */
        const char *before, *after;
} MatrixRow;

extern const MatrixRow matrix_daemon[];
extern const size_t matrix_daemon_count;
extern const MatrixRow matrix_supervisor[];
extern const size_t matrix_supervisor_count;

/* The row of a path, or NULL. */
const MatrixRow *matrix_find(const MatrixRow *rows, size_t count, const char *path);
