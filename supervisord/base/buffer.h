/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Text that grows line by line, where printf(3) would cost more than all the rest: a table of a
 * thousand lines. Room is made for a whole line at once; its pieces are then put one behind the
 * other without another look:
 *
 *         char *at = buffer_extend(&buffer, NAME_MAX + NUMBER_TEXT_MAX + 1);
 *         if (!at)
 *                 return;
 *         at = stpcpy(at, name);
 *         at = format_digits(at, number);
 *         *at++ = '\n';
 *         buffer_end(&buffer, at);
 */

#include <stdbool.h>
#include <stddef.h>

typedef struct Buffer {
        char *data;    /* not terminated; NULL: nothing yet */
        size_t length; /* bytes of it that are used */
        size_t room;
        bool failed; /* there was no memory: lines are missing */
} Buffer;

/* Frees what it holds; it can be used again. */
void buffer_done(Buffer *buffer);
/* Forgets the text and keeps the room. */
void buffer_clear(Buffer *buffer);

/* Room for `size` bytes behind the text: where they go; NULL: no memory, which is remembered. */
char *buffer_extend(Buffer *buffer, size_t size);

/* The text ends there now, in what buffer_extend() gave. */
static inline void buffer_end(Buffer *buffer, const char *end) {
        buffer->length = (size_t) (end - buffer->data);
}
