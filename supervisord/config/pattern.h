/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Regular expressions, as somebody wrote them.
 */

#include <stdbool.h>

#define PATTERN_WHY_MAX 128

/*
 * Whether it is an extended one (regex(7)) that compiles at a bearable cost: repeats within repeats
 * take memory by the gigabyte. If not, ret_why says why.
 */
bool pattern_is_valid(const char *pattern, char ret_why[static PATTERN_WHY_MAX]);
