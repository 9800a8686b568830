/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json.h"

#include <stdio.h>

/* Microseconds in what takes hours; with the usual 17 digits 0.1 is 0.10000000000000001. */
#define REAL_DIGITS 10

void json_print(const json_t *value) {
        json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(REAL_DIGITS));
        putchar('\n');
}
