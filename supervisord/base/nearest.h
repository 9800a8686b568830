/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The nearest known word to a mistyped one, for "did you mean".
 */

#include "base/macro.h"

/*
 * The entry of words[0..count) with the least edit distance (insert, delete, replace, swap of
 * neighbours) to `word`, if that is small enough to be a slip; otherwise NULL. Borrowed.
 */
const char *nearest_word(const char *word, const char *const *words, size_t count);
