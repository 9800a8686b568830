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

/* What is known of all daemons, by index. */
typedef struct StartView {
        const DaemonState *states;
        const bool *pending; /* still waits for its start */
        const bool *paused;  /* is out of service, until an operator wants it back */
} StartView;

/*
 * Whether `node` may start. `after` is satisfied by any daemon that is settled or paused,
 * `requires` only by a running one. *ret_because is the daemon that it waits for or is blocked by.
 */
StartVerdict start_verdict(const Graph *graph,
                           const StartView *view,
                           unsigned node,
                           unsigned *ret_because);
