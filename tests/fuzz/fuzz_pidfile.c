/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/pidfile with whatever a daemon, or somebody in its place, writes: one of the outcomes, and a
 * number only if it is all that the file holds.
 */

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/pidfile.h"

#define UNTOUCHED (-4711)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* assert(3) would be silent in a release build. */
static void fuzz_require(bool holds) {
        if (!holds)
                abort();
}

/* Whether `digits`, perhaps behind zeros, is all there is but white space. */
static bool fuzz_holds_only(const uint8_t *data, size_t size, const char *digits) {
        size_t length = strlen(digits);

        while (size > 0 && isspace(data[size - 1]))
                size--;
        while (size > length && (isspace(*data) || *data == '0')) {
                data++;
                size--;
        }
        return size == length && memcmp(data, digits, length) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        pid_t pid = UNTOUCHED;
        char digits[32];
        int r;

        r = pidfile_parse((const char *) data, size, &pid);
        switch (r) {
        case 0:
                fuzz_require(pid > 1 && pid != getpid());
                snprintf(digits, sizeof(digits), "%d", (int) pid);
                fuzz_require(fuzz_holds_only(data, size, digits));
                break;
        case PIDFILE_E_EMPTY:
                for (size_t i = 0; i < size; i++)
                        fuzz_require(isspace(data[i]));
                fuzz_require(pid == UNTOUCHED);
                break;
        case PIDFILE_E_GARBAGE:
        case PIDFILE_E_FORBIDDEN:
                fuzz_require(pid == UNTOUCHED);
                break;
        default:
                fuzz_require(false);
        }
        fuzz_require(strlen(pidfile_outcome_text(r)) > 0);
        return 0;
}
