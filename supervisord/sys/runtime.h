/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The directory in which everything lives that a run needs: the lock that keeps a second supervisor
 * out, and the daemons' notify sockets. Several supervisors stand side by side with one each.
 */

#include <sys/types.h>

#include "base/macro.h"

typedef struct RuntimeDirectory RuntimeDirectory;

enum { RUNTIME_E_LOCKED = 1 }; /* another supervisord runs in it */

/*
 * Makes it if it is missing (0755) and takes its lock (flock(2)). With RUNTIME_E_LOCKED *ret_holder
 * is the pid of the other one; 0: not known.
 */
int runtime_directory_open(const char *path, RuntimeDirectory **ret, pid_t *ret_holder);
/*
 * Removes what is ours (lock, an empty `notify`), and the directory if we made it; gives up the
 * lock. Accepts NULL; returns NULL.
 */
RuntimeDirectory *runtime_directory_close(RuntimeDirectory *directory);

const char *runtime_directory_path(const RuntimeDirectory *directory);
