/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A growing piece of memory. Nothing here can block. */

#include "base/buffer.h"

#include <stdlib.h>

#include "base/macro.h"

#define BUFFER_ROOM_MIN ((size_t) 16 << 10)

void buffer_done(Buffer *buffer) {
        free(buffer->data);
        *buffer = (Buffer){};
}

void buffer_clear(Buffer *buffer) {
        buffer->length = 0;
        buffer->failed = false;
}

char *buffer_extend(Buffer *buffer, size_t size) {
        if (buffer->failed)
                return NULL;
        if (buffer->room - buffer->length < size) {
                size_t room = MAX_OF(2 * (buffer->length + size), BUFFER_ROOM_MIN);
                char *grown = realloc(buffer->data, room);

                if (!grown) {
                        buffer->failed = true;
                        return NULL;
                }
                buffer->data = grown;
                buffer->room = room;
        }
        return buffer->data + buffer->length;
}
