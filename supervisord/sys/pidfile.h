/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Reading pidfiles as hostile input. Nothing is concluded from the number here: whether the process
 * belongs to the daemon is for the tree to say.
 */

#include <sys/types.h>

#include "base/macro.h"

enum {
        PIDFILE_E_MISSING = 1,
        PIDFILE_E_EMPTY,   /* nothing in it (yet) */
        PIDFILE_E_GARBAGE, /* no number, several, or too large */
        PIDFILE_E_LINK,    /* a symbolic link, or no regular file */
        PIDFILE_E_DENIED,
        PIDFILE_E_FORBIDDEN, /* names process 1 or supervisord itself */
};

int pidfile_read(const char *path, pid_t *ret);

/* The same for a pidfile's content (size bytes, no NUL needed): 0 or PIDFILE_E_EMPTY, … */
int pidfile_parse(const char *data, size_t size, pid_t *ret);

/* What an outcome above means, for a log line: "is empty". */
const char *pidfile_outcome_text(int outcome);
