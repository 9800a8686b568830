/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether a file is another one than before, told by what stat(2) says of it and never by reading
 * it.
 */

#include <stdint.h>

/* With more entries than this a directory counts as a whole, by its own times. */
#define FINGERPRINT_ENTRIES_MAX 4096

/*
 * A number for what is at a path now: device, inode, size and times of a file; of a directory these
 * of each entry in it, one level and in any order, but for names that begin with a dot (editors
 * keep files of their own there). Links are followed. What is missing or cannot be reached has a
 * number too, so that coming and going are changes. Opens nothing but directories, so that no FIFO
 * or device notices; blocks where the file system does.
 */
uint64_t fingerprint_take(const char *path);
