/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether an exec would have to wait for a disk or a network: asked of the caches of the kernel, and
 * without waiting.
 */

#include <stdbool.h>

/*
 * Whether this program and the interpreters that its first line names, found from this directory
 * (NULL: /), are at hand in memory as far as execve(2) reads them. In doubt they are not. (openat2(2)
 * with RESOLVE_CACHED, preadv2(2) with RWF_NOWAIT, mincore(2) where a file system has not got that.)
 */
bool spawn_is_cached(const char *program, const char *directory);
