/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The clocks. One global, the source that a test has put in place of the real ones.
 * Nothing here can block.
 */

#include "base/clock.h"

/* What clock_realtime() begins with in a test: 2020-01-01. */
#define CLOCK_TEST_EPOCH (1577836800 * USEC_PER_SEC)

static const usec_t *clock_source;

static usec_t clock_read(clockid_t clock) {
        struct timespec now;

        /* Fails only for an unknown clock or a bad address. */
        (void) clock_gettime(clock, &now);
        return (usec_t) now.tv_sec * USEC_PER_SEC + (usec_t) now.tv_nsec / 1000;
}

usec_t clock_now(void) {
        return clock_source ? *clock_source : clock_read(CLOCK_MONOTONIC);
}

usec_t clock_realtime(void) {
        return clock_source ? usec_add(CLOCK_TEST_EPOCH, *clock_source)
                            : clock_read(CLOCK_REALTIME);
}

void clock_use(const usec_t *source) {
        clock_source = source;
}
