/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * supervisor.grace: the time that a stop of everything has from outside, from the first signal to
 * the exit of supervisord (docker stop gives 10 s, Kubernetes 30 s). It is divided beforehand:
 *
 *   freeze, drain, cleanup   their worst case, as phase_plan() computes it
 *   the reserve              a tenth of grace, but 1 s at least and 5 s at most: killed processes
 *                            vanish, files are removed, and in its last half second supervisord
 *                            itself ends
 *
 * Times that nobody wrote, defaults and those of profiles, are scaled down together, in whole
 * percents, until the worst case fits; what somebody wrote is never changed.
 */

#include "base/diag.h"
#include "base/macro.h"
#include "config/config.h"

usec_t budget_reserve(usec_t grace);

/* From the begin of the stop: when the phases are over, and when nobody is waited for any more. */
usec_t budget_phases(usec_t grace);
usec_t budget_end(usec_t grace);

/*
 * Fits a resolved configuration into its supervisor.grace, if it has one, or says why that cannot
 * be.
 */
int budget_resolve(Config *config, Diag *diag);
