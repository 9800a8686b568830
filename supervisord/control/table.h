/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * How all daemons stand, as one text: what StatusTable() answers. A text is made, sent and read in
 * a tenth of the time that a thousand structures on the bus take.
 */

#include "base/buffer.h"
#include "service/request.h"

/* Appends the lines: names of the columns, then a line for each daemon; see control/names.h. */
void table_add(Buffer *buffer, const Supervisor *supervisor);
