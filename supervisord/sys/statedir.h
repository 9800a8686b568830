/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The directory of what outlives a run, and a reboot: a few small files, read at the start, written
 * as a whole. It belongs to one supervisor at a time (flock(2) on the directory itself). What is
 * found in it is to be read as the work of strangers.
 */

#include <stddef.h>

#include "base/macro.h"

typedef struct StateDirectory StateDirectory;

enum { STATE_DIRECTORY_E_LOCKED = 1 }; /* another supervisord uses it */

/*
 * Makes it if it is missing (0755) and takes its lock. A negative errno also where nothing may be
 * written into it.
 */
int state_directory_open(const char *path, StateDirectory **ret);
/* Gives up the lock; removes nothing. Accepts NULL; returns NULL. */
StateDirectory *state_directory_close(StateDirectory *directory);
DEFINE_CLEANUP(StateDirectory, state_directory_close)

const char *state_directory_path(const StateDirectory *directory);

/*
 * Makes a directory in it, for us alone (0700); one that is there already is fine. 0 or a negative
 * errno.
 */
int state_directory_make(const StateDirectory *directory, const char *name);

/*
 * Tells every name in a directory in it, in no order. The handler may remove what it is told of. 0,
 * FILE_E_MISSING or a negative errno.
 */
typedef void (*StateNameHandler)(void *userdata, const char *name);
int state_directory_each(const StateDirectory *directory,
                         const char *name,
                         StateNameHandler handler,
                         void *userdata);

/* As file_read(): 0, FILE_E_… (a symbolic link is FILE_E_NOT_REGULAR) or a negative errno. */
int state_directory_read(const StateDirectory *directory,
                         const char *name,
                         size_t limit,
                         char **ret,
                         size_t *ret_size);

/* As file_replace(), with 0644. Waits for the disk. 0 or a negative errno. */
int state_directory_write(const StateDirectory *directory,
                          const char *name,
                          const char *content,
                          size_t size);

/* As file_replace_soon(), with 0600: for what is no loss if the machine crashes. */
int state_directory_write_soon(const StateDirectory *directory,
                               const char *name,
                               const char *content,
                               size_t size);

/* 0, also if it is missing, or a negative errno. */
int state_directory_remove(const StateDirectory *directory, const char *name);
