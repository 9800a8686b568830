/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes only; see the header, and the D-Bus specification for the form of a message. */

#include "control/frame.h"

#include <stdbool.h>
#include <string.h>

#define FRAME_BEGIN     "BEGIN\r\n"
#define FRAME_HEAD      16 /* the part of a message that tells its size */
#define FRAME_VERSION   1
#define FRAME_TYPE_MAX  4
#define FRAME_ALIGNMENT 8

static uint32_t frame_number(const uint8_t *data, uint8_t order) {
        uint32_t number = 0;

        for (size_t i = 0; i < sizeof(number); i++)
                number |= (uint32_t) data[order == 'l' ? i : sizeof(number) - 1 - i] << (8 * i);
        return number;
}

/* Whether a message can begin so, as far as its bytes are there. */
static bool frame_is_head(const uint8_t *data, size_t size) {
        if (size == 0 || (data[0] != 'l' && data[0] != 'B'))
                return false;
        if (size > 1 && (data[1] == 0 || data[1] > FRAME_TYPE_MAX))
                return false;
        return size <= 3 || data[3] == FRAME_VERSION;
}

static uint64_t frame_size(const uint8_t *data) {
        uint64_t body = frame_number(data + 4, data[0]), fields = frame_number(data + 12, data[0]);

        return FRAME_HEAD + (fields + FRAME_ALIGNMENT - 1) / FRAME_ALIGNMENT * FRAME_ALIGNMENT +
               body;
}

static int frame_check_rest(const uint8_t *data, size_t size, bool cut, unsigned *ret_count) {
        unsigned count = 0;

        while (frame_is_head(data, size)) {
                if (size < FRAME_HEAD) {
                        if (!cut)
                                return FRAME_E_PIECE;
                        break;
                }
                uint64_t length = frame_size(data);
                if (length > FRAME_MESSAGE_MAX)
                        return FRAME_E_TOO_LARGE;
                count++;
                if (length >= size)
                        break;
                data += length;
                size -= length;
        }
        *ret_count = count;
        return 0;
}

int frame_check(const uint8_t *data, size_t size, unsigned *ret_count) {
        return frame_check_rest(data, size, size == FRAME_LOOK, ret_count);
}

int frame_check_login(const uint8_t *data, size_t size, unsigned *ret_count) {
        bool cut = size == FRAME_LOOK;

        if (size > 0 && data[0] == '\0') { /* the very first byte, by custom */
                data++;
                size--;
        }
        while (size > 0) {
                const uint8_t *end = memchr(data, '\n', size);
                if (!end)
                        return cut ? FRAME_E_TOO_LARGE : FRAME_E_PIECE;

                size_t line = (size_t) (end + 1 - data);
                bool begins = line == strlen(FRAME_BEGIN) && memcmp(data, FRAME_BEGIN, line) == 0;

                data += line;
                size -= line;
                if (begins)
                        return frame_check_rest(data, size, cut, ret_count);
        }
        *ret_count = 0;
        return 0;
}
