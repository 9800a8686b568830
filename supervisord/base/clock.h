/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The monotonic clock of the whole program, in one place, so that a test can move it.
 */

#include <time.h>

#include "base/macro.h"

/* Microseconds of CLOCK_MONOTONIC (clock_gettime(2)). Never fails, never goes back. */
usec_t clock_now(void);

/* For tests: from now on clock_now() answers *source; NULL returns to the real clock. */
void clock_use(const usec_t *source);
