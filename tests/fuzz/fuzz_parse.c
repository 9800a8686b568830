/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * base/parse with whatever bytes: every parser returns one of its outcomes and touches its result
 * only on success; what it takes is within its bounds, and formatted it is parsed to the same
 * value.
 */

#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

#define UNTOUCHED 4711

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* assert(3) would be silent in a release build. */
static void fuzz_require(bool holds) {
        if (!holds)
                abort();
}

/* Whether the value was taken; a refusal has to leave what was there. */
static bool fuzz_taken(int r, bool untouched) {
        fuzz_require(r == 0 || ((r == PARSE_E_SYNTAX || r == PARSE_E_RANGE) && untouched));
        return r == 0;
}

static void fuzz_duration(const char *text) {
        char formatted[DURATION_TEXT_MAX], elapsed[DURATION_TEXT_MAX];
        usec_t value = UNTOUCHED, again;

        if (!fuzz_taken(parse_duration(text, &value), value == UNTOUCHED))
                return;
        fuzz_require(parse_duration(format_duration(formatted, value), &again) == 0);
        fuzz_require(again == value);
        fuzz_require(strlen(format_elapsed(elapsed, value)) > 0);
}

static void fuzz_size(const char *text) {
        uint64_t value = UNTOUCHED, again;
        char formatted[32];

        if (!fuzz_taken(parse_size(text, &value), value == UNTOUCHED) || value == UINT64_MAX)
                return;
        (void) snprintf(formatted, sizeof(formatted), "%ju", (uintmax_t) value);
        fuzz_require(parse_size(formatted, &again) == 0);
        fuzz_require(again == value);
}

static void fuzz_int(const char *text) {
        int64_t value = UNTOUCHED, bounded = UNTOUCHED, again;
        char formatted[32];

        if (!fuzz_taken(parse_int(text, INT64_MIN, INT64_MAX, &value), value == UNTOUCHED))
                return;
        (void) snprintf(formatted, sizeof(formatted), "%jd", (intmax_t) value);
        fuzz_require(parse_int(formatted, value, value, &again) == 0);
        fuzz_require(again == value);
        if (fuzz_taken(parse_int(text, -20, 19, &bounded), bounded == UNTOUCHED))
                fuzz_require(bounded == value && bounded >= -20 && bounded <= 19);
}

static void fuzz_mode(const char *text) {
        mode_t value = UNTOUCHED, again;
        char formatted[32];

        if (!fuzz_taken(parse_mode(text, &value), value == UNTOUCHED))
                return;
        fuzz_require(value <= 07777);
        (void) snprintf(formatted, sizeof(formatted), "%04o", (unsigned) value);
        fuzz_require(parse_mode(formatted, &again) == 0);
        fuzz_require(again == value);
}

static void fuzz_signal(const char *text) {
        char formatted[SIGNAL_TEXT_MAX];
        int value = UNTOUCHED, again;

        if (!fuzz_taken(parse_signal(text, &value), value == UNTOUCHED))
                return;
        fuzz_require(value >= 1 && value <= SIGRTMAX);
        fuzz_require(parse_signal(format_signal(formatted, value), &again) == 0);
        fuzz_require(again == value);
}

static void fuzz_pid(const char *text) {
        pid_t value = UNTOUCHED, again;
        char formatted[32];

        if (!fuzz_taken(parse_pid(text, &value), value == UNTOUCHED))
                return;
        fuzz_require(value >= 1);
        (void) snprintf(formatted, sizeof(formatted), "\n %d \n", value);
        fuzz_require(parse_pid(formatted, &again) == 0);
        fuzz_require(again == value);
}

/* The bytes as a value instead of a text: every value there is can be formatted and parsed. */
static void fuzz_values(const uint8_t *data, size_t size) {
        char duration[DURATION_TEXT_MAX], name[SIGNAL_TEXT_MAX];
        usec_t value = 0, again;
        int signo = 0;

        memcpy(&value, data, MIN_OF(size, sizeof(value)));
        fuzz_require(parse_duration(format_duration(duration, value), &again) == 0);
        fuzz_require(again == value);
        memcpy(&signo, data, MIN_OF(size, sizeof(signo)));
        fuzz_require(strlen(format_signal(name, signo)) > 0);
}

/* Nothing invisible is left, nothing is written beyond the size, and enough room is enough. */
static void fuzz_visible(const char *text) {
        size_t whole = 4 * strlen(text) + 1;

        for (size_t size = 1; size <= whole; size += 1 + size / 3) {
                char *shown = malloc(size);

                if (!shown)
                        return;
                format_visible(shown, size, text);
                fuzz_require(strlen(shown) < size);
                for (const char *c = shown; *c; c++)
                        fuzz_require(((unsigned char) *c >= ' ' && *c != 0x7f) || *c == '\t');
                free(shown);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        /* A copy of exactly its length, so that a sanitizer sees a read behind the end. */
        char *text = malloc(size + 1);

        if (!text)
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';

        fuzz_duration(text);
        fuzz_size(text);
        fuzz_int(text);
        fuzz_mode(text);
        fuzz_signal(text);
        fuzz_pid(text);
        if (size > 0)
                fuzz_values(data, size);
        fuzz_visible(text);
        free(text);
        return 0;
}
