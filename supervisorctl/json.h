/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What --json prints.
 */

#include <jansson.h>

/* A line, or several, on stdout. Seconds have as many digits as we measure, and no more. */
void json_print(const json_t *value);
