/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * All stream sockets that listen in a network namespace, whosever they are.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"

typedef struct Listeners {
        uint64_t *inodes;
        size_t count, capacity;
} Listeners;

void listeners_done(Listeners *listeners);

/*
 * Reads those of the network namespace in which a process lives, in place of what was there: with
 * `port` of TCP only, with 0 of any port and of UNIX sockets. It takes about 0.1 ms, in a namespace
 * that we may not enter some milliseconds.
 */
int listeners_read(Listeners *listeners, pid_t pid, uint16_t port);

bool listeners_has(const Listeners *listeners, uint64_t inode);
