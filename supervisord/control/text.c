/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pure; see the header. */

#include "control/text.h"

#include <stdint.h>

#include "base/parse.h"

/* Whether a number is a character that may be exchanged, as the Unicode standard has it. */
static bool text_is_character(uint32_t number) {
        if (number > 0x10ffff || (number >= 0xd800 && number <= 0xdfff))
                return false;
        return (number & 0xfffe) != 0xfffe && (number < 0xfdd0 || number > 0xfdef);
}

/* The length of the character that text begins with; 0: none. */
static size_t text_character(const char *text) {
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        const unsigned char *bytes = (const unsigned char *) text;
        size_t length = bytes[0] < 0x80                       ? 1
                        : bytes[0] >= 0xc0 && bytes[0] < 0xe0 ? 2
                        : bytes[0] >= 0xe0 && bytes[0] < 0xf0 ? 3
                        : bytes[0] >= 0xf0 && bytes[0] < 0xf8 ? 4
                                                              : 0;
        if (length < 2)
                return length;

        uint32_t number = bytes[0] & (0xffu >> (length + 1));
        for (size_t i = 1; i < length; i++) {
                if ((bytes[i] & 0xc0) != 0x80) /* also the NUL at the end */
                        return 0;
                number = number << 6 | (bytes[i] & 0x3f);
        }
        return number >= least[length] && text_is_character(number) ? length : 0;
}

bool text_is_valid(const char *text) {
        while (*text) {
                size_t length = text_character(text);

                if (length == 0)
                        return false;
                text += length;
        }
        return true;
}

void text_repair(char *text) {
        while (*text) {
                size_t length = text_character(text);

                if (length == 0) {
                        *text = '?';
                        length = 1;
                }
                text += length;
        }
}

const char *text_show(char *buffer, size_t size, const char *text) {
        format_visible(buffer, size, text);
        text_repair(buffer);
        return buffer;
}
