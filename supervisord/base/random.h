/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Ids that nobody else has.
 */

#include <stddef.h>

/* Fills the buffer with size - 1 random hexadecimal digits and a NUL. Never fails. */
void random_hex(char *buffer, size_t size);
