/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What we tell systemd (sd_notify(3)). Without NOTIFY_SOCKET all of it does nothing.
 */

#include "base/macro.h"

/* "READY=1" with a STATUS. */
void notify_ready(const char *status);
/* "RELOADING=1" with MONOTONIC_USEC. */
void notify_reloading(const char *status);
void notify_stopping(const char *status);
void notify_status(const char *status);
/* "EXTEND_TIMEOUT_USEC=…": from now on so long. */
void notify_extend(usec_t duration);
