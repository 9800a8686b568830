/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether an exec would have to wait for a disk or a network: asked of the caches of the kernel,
 * and without waiting.
 */

#include <stdbool.h>

/*
 * Whether this program and the interpreters that its first line names, found from this directory
 * (NULL: /), are at hand in memory as far as execve(2) reads them. In doubt they are not. See
 * openat2(2), RESOLVE_CACHED; mincore(2); preadv2(2), RWF_NOWAIT.
 */
bool spawn_is_cached(const char *program, const char *directory);
