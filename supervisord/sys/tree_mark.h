/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A mark that processes hand down to all that they start and can hardly lose: the soft limit
 * RLIMIT_LOCKS, which Linux has not used since 2.4.25 (getrlimit(2)). The environment and the
 * session say the same as long as a daemon leaves them alone, but many overwrite the one
 * (setproctitle) and leave the other in their first milliseconds, before anybody has looked.
 */

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#define TREE_MARK_NONE RLIM_INFINITY

/*
 * Whatever we start from now on carries a mark made of `text`. TREE_MARK_NONE if that is not
 * allowed here.
 */
rlim_t tree_mark_begin(const char *text);

/* Whether a process carries it; never for TREE_MARK_NONE. */
bool tree_mark_is_on(pid_t pid, rlim_t mark);
