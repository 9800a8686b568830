/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Why a configuration does not fit into its supervisor.grace, as a person wants to read it: the
 * sum phase by phase, where each part comes from, and what to do.
 */

#include "base/macro.h"
#include "config/config.h"

/*
 * `order` is that of graph_order(), `percent` what is left of the times that nobody wrote (0: all
 * are written), `enough` the grace with which none of them has to be scaled. *ret is malloc'ed, and
 * the caller's after a failure too. 0 or -ENOMEM.
 */
int budget_text(
        const Config *config, const unsigned *order, unsigned percent, usec_t enough, char **ret);
