/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who may be started when: a daemon once all that it needs is ready. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "config/graph.h"
#include "model/fsm.h"

typedef enum StartVerdict {
        START_NOW,     /* everything that it needs is there */
        START_WAIT,    /* something that it needs is not settled yet */
        START_BLOCKED, /* something that it requires has failed or is stopped */
} StartVerdict;

/*
 * Whether `node` may start, given the states of all and which of them still wait for their first
 * start (pending). `after` is satisfied by any settled daemon, `requires` only by a running one.
 * *ret_because is the daemon that it waits for or is blocked by.
 */
StartVerdict start_verdict(const Graph *graph,
                           const DaemonState *states,
                           const bool *pending,
                           unsigned node,
                           unsigned *ret_because);
