/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether and when a daemon that ended unasked is started again. Pure.
 */

#include "config/config.h"

/* What is remembered of a daemon's earlier ends. */
typedef struct RestartHistory {
        unsigned in_a_row; /* restarts since the last long enough run */
        usec_t started;    /* when the run that has just ended was started */
} RestartHistory;

typedef enum RestartVerdict {
        RESTART_REST,    /* a clean end that the policy accepts */
        RESTART_RETRY,   /* start again after *ret_delay */
        RESTART_GIVE_UP, /* the limit is reached, or the policy forbids it */
} RestartVerdict;

/*
 * Decides after an end at `now`; `clean` means exit status 0 after it had been ready. Updates the
 * history.
 */
RestartVerdict restart_decide(const DaemonConfig *config,
                              RestartHistory *history,
                              bool clean,
                              usec_t now,
                              usec_t *ret_delay);
