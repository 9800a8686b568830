/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The few macros that every file may use: cleanup attributes, array sizes, words, time units.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define ELEMENTSOF(array) (sizeof(array) / sizeof((array)[0]))

#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))

/* The word or words after a number: "%zu %s", count, PLURAL(count, "daemon", "daemons"). */
#define PLURAL(count, one, many) ((count) == 1 ? (one) : (many))

/* Runs `function` on the address of the variable when it goes out of scope. */
#define CLEANUP(function) __attribute__((cleanup(function)))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

/* Makes `function##p`, for CLEANUP(), out of a function that takes a pointer and accepts NULL. */
#define DEFINE_CLEANUP(Type, function)                                                             \
        static inline void function##p(Type **pointer) {                                           \
                if (*pointer)                                                                      \
                        function(*pointer);                                                        \
        }

static inline void freep(void *pointer) {
        free(*(void **) pointer);
}

/* Gives the value away and forgets it, so that a CLEANUP() variable does not release it. */
#define TAKE(variable)                                                                             \
        ({                                                                                         \
                typeof(variable) taken_ = (variable);                                              \
                (variable) = (typeof(variable)) { 0 };                                             \
                taken_;                                                                            \
        })

/* Time is counted in microseconds of CLOCK_MONOTONIC, a duration in microseconds. */
typedef uint64_t usec_t;
#define USEC_INFINITY UINT64_MAX
#define USEC_PER_MSEC ((usec_t) 1000)
#define USEC_PER_SEC  ((usec_t) 1000000)

/* a + b, where infinity stays infinity and nothing wraps. */
static inline usec_t usec_add(usec_t a, usec_t b) {
        return a > USEC_INFINITY - b ? USEC_INFINITY : a + b;
}

/* a - b, never below 0; infinity stays infinity. */
static inline usec_t usec_sub(usec_t a, usec_t b) {
        if (a == USEC_INFINITY)
                return a;
        return a > b ? a - b : 0;
}
