/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a child tells crowd, in one write(2), which a FIFO takes as a whole.
 */

#include <sys/types.h>
#include <time.h>

typedef struct Record {
        unsigned index; /* which of the daemons it is */
        pid_t pid;
        struct timespec time; /* when its main() began */
} Record;

static inline double milliseconds(struct timespec time) {
        return (double) time.tv_sec * 1e3 + (double) time.tv_nsec / 1e6;
}

static inline double now(void) {
        struct timespec time;

        clock_gettime(CLOCK_MONOTONIC, &time);
        return milliseconds(time);
}
