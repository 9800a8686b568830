/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * When a daemon is looked at while it runs, and when so many looks in a row make it sick or well.
 * Pure.
 */

#include "config/config.h"

/* What the looks of a run have shown so far; empty as { 0 }. */
typedef struct HealthCount {
        unsigned failures;  /* in a row, up to now */
        unsigned successes; /* … likewise */
        bool sick;
} HealthCount;

typedef enum HealthVerdict {
        HEALTH_AS_BEFORE,
        HEALTH_FELL_SICK,
        HEALTH_GOT_WELL,
} HealthVerdict;

/* One look more. With health.on = "notify" the first one decides. */
HealthVerdict health_count(const DaemonConfig *daemon, HealthCount *count, bool good);

/*
 * The first time after `now` at which the daemon is due: each has a place of its own in the
 * interval, by its index, so that the looks at many daemons are spread over it however they were
 * started.
 */
usec_t health_next(const DaemonConfig *daemon, usec_t now);
