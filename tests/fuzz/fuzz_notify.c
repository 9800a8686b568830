/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/notifymessage with anything in the datagram. Whatever comes: an outcome that is documented,
 * and of a message that was taken only what its reader may rely on.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sys/notifysocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
        if (!condition)
                abort();
}

/* Valid UTF-8 without a control character; rough, for its opposite is what would do harm. */
static bool is_harmless(const char *status) {
        for (const unsigned char *c = (const unsigned char *) status; *c; c++) {
                if (*c < 0x20 || *c == 0x7f)
                        return false;
                if (*c == 0xc2 && c[1] < 0xa0)
                        return false;
                if (*c >= 0xc0 && (c[1] & 0xc0) != 0x80)
                        return false;
                if (*c >= 0xe0 && (c[2] & 0xc0) != 0x80)
                        return false;
                if (*c >= 0xf0 && (c[3] & 0xc0) != 0x80)
                        return false;
        }
        return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        NotifyMessage message = { .main_pid = -7 };
        int r = notify_message_parse((const char *) data, size, &message);

        switch (r) {
        case 0:
                require(size > 0 && size <= NOTIFY_DATAGRAM_MAX);
                require(message.main_pid >= 0);
                require(message.error >= 0);
                require(memchr(message.status, '\0', sizeof(message.status)) != NULL);
                require(is_harmless(message.status));
                break;
        case NOTIFY_E_MALFORMED:
        case NOTIFY_E_TOO_LONG:
        case NOTIFY_E_EMPTY:
                require(message.main_pid == -7);
                break;
        default:
                abort();
        }
        return 0;
}
