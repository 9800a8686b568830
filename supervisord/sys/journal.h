/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A daemon's line into journald: a stream that the daemon writes to directly, nothing passes
 * through us. Our unit's name stands in the header, so that lines of short-lived writers keep it.
 */

#include <stdbool.h>

#include "base/macro.h"

enum { JOURNAL_E_ABSENT = 1 }; /* no journald here, or it does not answer at once */

/* A blocking descriptor for stdout and stderr. `unit` may be NULL. Never blocks. */
int journal_stream_open(const char *identifier, const char *unit, int priority, int *ret);

/* Whether there seems to be a journald. */
bool journal_is_there(void);

/* The unit that supervisord runs in, from its cgroup; NULL if it is none. Static. */
const char *journal_own_unit(void);
