/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether and when a daemon that ended unasked is started again. Pure.
 */

#include "config/config.h"

#define RESTART_TEXT_MAX 96

/* What is remembered of a daemon's earlier ends. */
typedef struct RestartHistory {
        unsigned in_a_row; /* restarts since the last long enough run */
        usec_t row_begun;  /* the first of the ends that led to them */
        usec_t started;    /* when the run that has just ended was started */
        usec_t ends[RESTART_WINDOW_MAX]; /* the last ones that led to a restart; a ring */
        unsigned end_count;
} RestartHistory;

typedef enum RestartVerdict {
        RESTART_REST,    /* a clean end that the policy accepts */
        RESTART_RETRY,   /* start again after *ret_delay */
        RESTART_GIVE_UP, /* the policy forbids it */
        RESTART_AT_LIMIT, /* … or the limit: no use */
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

/* An operator wants it started: what was before counts no more. */
void restart_forget(RestartHistory *history);

/* "5 restarts in 12.3 s" at the limit, "restart 3 of 5" before. Returns buffer. */
const char *restart_limit_text(char buffer[static RESTART_TEXT_MAX],
                               const DaemonConfig *config,
                               const RestartHistory *history,
                               usec_t now);
const char *restart_count_text(char buffer[static RESTART_TEXT_MAX],
                               const DaemonConfig *config,
                               const RestartHistory *history,
                               usec_t now);
