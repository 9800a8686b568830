/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * From the names in `requires` and `after` to the graph.
 */

#include "base/diag.h"
#include "config/config.h"

/* Makes config->graph. Unknown names, a daemon that needs itself and cycles become findings. */
int order_resolve(Config *config, Diag *diag);
