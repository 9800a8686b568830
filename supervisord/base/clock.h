/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The clocks of the whole program, in one place, so that a test can move them.
 */

#include <time.h>

#include "base/macro.h"

/* Microseconds of CLOCK_MONOTONIC (clock_gettime(2)). Never fails, never goes back. */
usec_t clock_now(void);

/*
 * Microseconds since 1970, for people: what is written down and read another day. Anybody may set
 * that clock; nothing is measured with it.
 */
usec_t clock_realtime(void);

/*
 * For tests: from now on clock_now() answers *source, and clock_realtime() goes with it; NULL
 * returns to the real clocks.
 */
void clock_use(const usec_t *source);
