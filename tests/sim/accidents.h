/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What befalls a supervisor and its daemons in a random scenario: processes that are killed, hang
 * or fork, lies, doubled and needless wake-ups, doors that begin or cease to fail, a machine that
 * stands still, reloads, and what is asked for over the bus.
 */

#include <stdbool.h>

#include "base/macro.h"

/* Accidents at random, before and after the moment of the stop, some exactly at deadlines. */
void accidents_plan(usec_t stop);
/* Doors that fail, in some scenarios: true. From then on others may begin or cease to. */
bool accidents_plan_failures(void);
/* Processes that are nobody's, or of an earlier run. */
void accidents_plan_strangers(void);
/* The signal that ends it all, and some more. */
void accidents_plan_stop(usec_t stop);
