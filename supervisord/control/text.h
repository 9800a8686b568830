/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Text for the bus, which takes nothing but UTF-8, while what daemons and files say may be
 * anything.
 */

#include <stdbool.h>
#include <stddef.h>

/* Whether the bus takes it: UTF-8 without surrogates and noncharacters. */
bool text_is_valid(const char *text);

/* Replaces every byte that does not belong to such a character by '?'. */
void text_repair(char *text);

/* Copies what fits into `size` bytes (1 at least), control characters shown, the rest repaired. */
const char *text_show(char *buffer, size_t size, const char *text);
