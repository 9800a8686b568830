/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What operators stopped, as a text that outlives a run: a line that says what it is, then one
 * daemon on a line, with who stopped it and when (these two may be left out together):
 *
 *         supervisord-stopped 1
 *         db 0 1767225600
 *
 * Whoever may write the file may write anything: it is read with care, and what is wrong in it is
 * a warning. No I/O.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "child/hold.h"

#define STOPPED_SIZE_MAX     ((size_t) 1 << 20)
#define STOPPED_FINDINGS_MAX 20 /* of one text; what is beyond is only counted */

/* Told of each daemon, by a name that is good until it returns; false: there is no such daemon. */
typedef bool (*StoppedHandler)(void *userdata, const char *name, const Hold *hold);

/*
 * Reads a text of `size` bytes that came from `file`. What is wrong goes into `diag`, with file and
 * line, and is passed over.
 */
void stopped_read(const char *file,
                  const char *text,
                  size_t size,
                  Diag *diag,
                  StoppedHandler handler,
                  void *userdata);

/* The same the other way around. */
void stopped_write_begin(FILE *stream);
void stopped_write(FILE *stream, const char *name, const Hold *hold);
