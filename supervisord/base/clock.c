/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The clock. One global, the source that a test has put in place of the real clock.
 * Nothing here can block.
 */

#include "base/clock.h"

static const usec_t *clock_source;

usec_t clock_now(void) {
        struct timespec now;

        if (clock_source)
                return *clock_source;

        /* Fails only for an unknown clock or a bad address. */
        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (usec_t) now.tv_sec * USEC_PER_SEC + (usec_t) now.tv_nsec / 1000;
}

void clock_use(const usec_t *source) {
        clock_source = source;
}
