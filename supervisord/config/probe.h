/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is wrong with the probes of a daemon by itself: those of its readiness and of its health.
 * Pure, but for the memory that a regular expression takes.
 */

#include "base/diag.h"
#include "config/config.h"

/* After "auto" was decided. */
void probe_check(const DaemonConfig *daemon, Diag *diag);
