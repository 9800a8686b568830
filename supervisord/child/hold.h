/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What operators want of a daemon that is not running: that it stays so. A daemon that is held is
 * not started by the supervisor of its own accord; who holds it and since when is shown as the
 * reason why it is stopped.
 */

#include <sys/types.h>

#include "base/macro.h"

typedef struct Child Child;

#define HOLD_NO_UID ((uid_t) -1)

typedef struct Hold {
        uid_t uid;   /* who stopped it; HOLD_NO_UID: not known */
        usec_t when; /* clock_realtime(); 0: not known */
} Hold;

#define HOLD_TEXT_MAX 96
/* "stopped by an operator (uid 0, since 2026-01-01 00:00:00)", in local time; returns buffer. */
const char *hold_text(char buffer[static HOLD_TEXT_MAX], const Hold *hold);

/* From now on it is held; who was the first to hold it remains so. */
void child_hold(Child *child, const Hold *hold);
void child_release(Child *child);
/* NULL: it is not held. */
const Hold *child_get_hold(const Child *child);

/* An operator wants it stopped: if it has failed, that is over with. */
void child_dismiss(Child *child);

/* It is not started, because `other`, which it requires, is not either. */
void child_leave_stopped(Child *child, const Child *other);
