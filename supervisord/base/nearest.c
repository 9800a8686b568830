/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * "Did you mean": the optimal string alignment distance, the least number of single slips (a
 * letter too many, missing or wrong, two neighbours swapped) that turn one word into the other, no
 * letter being touched twice. Pure, on the stack, nothing here can block.
 */

#include "base/nearest.h"

#include <string.h>

/* No known word comes near this; what is longer is no slip but something else. */
#define NEAREST_LENGTH_MAX 64

static size_t nearest_least(size_t a, size_t b, size_t c) {
        return MIN_OF(MIN_OF(a, b), c);
}

/* Three rows of the table are enough: a swap looks two rows back. */
static size_t nearest_distance(const char *a, size_t a_length, const char *b, size_t b_length) {
        size_t rows[3][NEAREST_LENGTH_MAX + 1];
        size_t *before = rows[0], *above = rows[1], *row = rows[2];

        for (size_t j = 0; j <= b_length; j++)
                above[j] = j;

        for (size_t i = 1; i <= a_length; i++) {
                size_t *oldest = before;

                row[0] = i;
                for (size_t j = 1; j <= b_length; j++) {
                        size_t replaced = above[j - 1] + (a[i - 1] != b[j - 1]);

                        row[j] = nearest_least(above[j] + 1, row[j - 1] + 1, replaced);
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                                row[j] = MIN_OF(row[j], before[j - 2] + 1);
                }
                before = above;
                above = row;
                row = oldest;
        }
        return above[b_length];
}

const char *nearest_word(const char *word, const char *const *words, size_t count) {
        size_t length = strnlen(word, NEAREST_LENGTH_MAX + 1);
        const char *nearest = NULL;
        size_t limit;

        if (length > NEAREST_LENGTH_MAX)
                return NULL;

        /* About every third letter may be wrong; a tie goes to the first, which `limit` sees to. */
        limit = MAX_OF(length / 3, (size_t) 1);
        for (size_t i = 0; i < count; i++) {
                size_t candidate = strnlen(words[i], NEAREST_LENGTH_MAX + 1);
                size_t distance;

                if (candidate > NEAREST_LENGTH_MAX)
                        continue;
                distance = nearest_distance(word, length, words[i], candidate);
                if (distance > limit)
                        continue;
                if (distance == 0)
                        return words[i];
                nearest = words[i];
                limit = distance - 1;
        }
        return nearest;
}
