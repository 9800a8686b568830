/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a daemon's user may do with a path, as far as modes, owners and groups tell (no ACLs, no
 * capabilities, no mandatory rules). Asks the file system.
 */

#include <sys/stat.h>

#include "config/config.h"

enum {
        PERMIT_E_MISSING = 1, /* there is no such directory */
        PERMIT_E_ENTER,       /* the user may not enter a directory on the way */
        PERMIT_E_WRITE,       /* … or not make a file in the last one */
        PERMIT_E_READ_ONLY,   /* nobody may: a read-only file system */
        PERMIT_E_KEPT,        /* what is there belongs to others, and may not be replaced */
};

/* Whether the daemon's user has these permissions (07) on what *st describes. */
bool permit_has(const DaemonConfig *daemon, const struct stat *st, mode_t permissions);

/*
 * Whether the daemon can write the file `path` (absolute), or make it once more after supervisord
 * has removed it: 0 or PERMIT_E_…, with *ret_length as the length of the directory concerned.
 */
int permit_make(const DaemonConfig *daemon, const char *path, size_t *ret_length);

/*
 * Whether the file at `path` was made beforehand for a daemon that could not make it: it may write
 * the file, but not its directory. Such a file must not be removed.
 */
bool permit_is_prepared(const DaemonConfig *daemon, const char *path);

#define PERMIT_TEXT_MAX 320

/* "its user may not write into /run", in `buffer`; "" for 0. */
const char *permit_text(char buffer[static PERMIT_TEXT_MAX],
                        int outcome,
                        const char *path,
                        size_t length);
