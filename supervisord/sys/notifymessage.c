/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/notifysocket.h"

/*
 * The text of a notify datagram (sd_notify(3)): lines KEY=value. It comes from a daemon that may
 * be broken or hostile: nothing here trusts a length, a number or an encoding. Pure.
 */

#include <string.h>

#include "base/error.h"
#include "base/parse.h"

#define NOTIFY_NUMBER_MAX 24
#define NOTIFY_ERRNO_MAX  4095      /* MAX_ERRNO of the kernel */
#define NOTIFY_PID_MAX    (1 << 22) /* PID_MAX_LIMIT of the kernel */

/* A piece of the datagram; not NUL-terminated. */
typedef struct NotifyText {
        const char *data;
        size_t size;
} NotifyText;

static bool notify_text_equal(NotifyText text, const char *word) {
        return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

/* The whole text is one number, within the bounds. */
static int notify_number(NotifyText text, int64_t minimum, int64_t maximum, int64_t *ret) {
        char digits[NOTIFY_NUMBER_MAX];

        if (text.size >= sizeof(digits))
                return NOTIFY_E_MALFORMED;
        memcpy(digits, text.data, text.size);
        digits[text.size] = '\0';

        return parse_int(digits, minimum, maximum, ret) == 0 ? 0 : NOTIFY_E_MALFORMED;
}

/* The length of the printable UTF-8 character at the start; 0 if there is none. */
static size_t notify_character(NotifyText text) {
        static const struct {
                unsigned char mask, lead;
                uint32_t minimum;
        } forms[] = {
                { 0x80, 0x00, 0x20 },
                { 0xe0, 0xc0, 0xa0 }, /* the controls up to U+009F are no text either */
                { 0xf0, 0xe0, 0x800 },
                { 0xf8, 0xf0, 0x10000 },
        };
        const unsigned char *data = (const unsigned char *) text.data;
        size_t form = 0;
        uint32_t value;

        while (form < ELEMENTSOF(forms) && (data[0] & forms[form].mask) != forms[form].lead)
                form++;
        if (form == ELEMENTSOF(forms) || form >= text.size)
                return 0;

        value = data[0] & (unsigned char) ~forms[form].mask;
        for (size_t i = 1; i <= form; i++) {
                if ((data[i] & 0xc0) != 0x80)
                        return 0;
                value = value << 6 | (data[i] & 0x3f);
        }

        if (value < forms[form].minimum || value == 0x7f || value > 0x10ffff ||
            (value >= 0xd800 && value <= 0xdfff))
                return 0;
        return form + 1;
}

/* What cannot be shown becomes '?', so that it may be passed on to a terminal and to systemd. */
static void notify_status_copy(NotifyText text, char ret[static NOTIFY_STATUS_MAX]) {
        size_t length = 0;

        while (text.size > 0) {
                size_t size = notify_character(text);
                size_t taken = MAX_OF(size, (size_t) 1);

                if (length + taken >= NOTIFY_STATUS_MAX)
                        break;
                if (size > 0)
                        memcpy(ret + length, text.data, size);
                else
                        ret[length] = '?';
                length += taken;
                text.data += taken;
                text.size -= taken;
        }
        ret[length] = '\0';
}

static int notify_pair(NotifyText key, NotifyText value, NotifyMessage *message) {
        int64_t number;
        int r = 0;

        if (notify_text_equal(key, "READY"))
                message->ready = message->ready || notify_text_equal(value, "1");
        else if (notify_text_equal(key, "RELOADING"))
                message->reloading = message->reloading || notify_text_equal(value, "1");
        else if (notify_text_equal(key, "STOPPING"))
                message->stopping = message->stopping || notify_text_equal(value, "1");
        else if (notify_text_equal(key, "WATCHDOG"))
                message->watchdog = message->watchdog || notify_text_equal(value, "1");
        else if (notify_text_equal(key, "STATUS"))
                notify_status_copy(value, message->status);
        else if (notify_text_equal(key, "MAINPID")) {
                r = notify_number(value, 1, NOTIFY_PID_MAX, &number);
                if (r == 0)
                        message->main_pid = (pid_t) number;
        } else if (notify_text_equal(key, "ERRNO")) {
                r = notify_number(value, 0, NOTIFY_ERRNO_MAX, &number);
                if (r == 0)
                        message->error = (int) number;
        } else if (notify_text_equal(key, "EXTEND_TIMEOUT_USEC")) {
                r = notify_number(value, 1, INT64_MAX, &number);
                if (r == 0)
                        message->extend = (usec_t) number;
        }
        return r;
}

static int notify_line(NotifyText line, NotifyMessage *message) {
        const char *equals = memchr(line.data, '=', line.size);
        size_t length;

        if (!equals || equals == line.data)
                return NOTIFY_E_MALFORMED;

        length = (size_t) (equals - line.data);
        return notify_pair((NotifyText){ line.data, length },
                           (NotifyText){ equals + 1, line.size - length - 1 }, message);
}

int notify_message_parse(const char *data, size_t size, NotifyMessage *ret) {
        NotifyMessage message = { 0 };
        bool empty = true;
        int r;

        if (size > NOTIFY_DATAGRAM_MAX)
                return NOTIFY_E_TOO_LONG;
        /* Some daemons send their string with its end; systemd allows that too. */
        if (size > 0 && data[size - 1] == '\0')
                size--;
        if (size == 0)
                return NOTIFY_E_EMPTY;
        if (memchr(data, '\0', size))
                return NOTIFY_E_MALFORMED;

        for (size_t at = 0; at < size;) {
                const char *end = memchr(data + at, '\n', size - at);
                size_t length = end ? (size_t) (end - data) - at : size - at;

                if (length > 0) {
                        r = notify_line((NotifyText){ data + at, length }, &message);
                        if (r != 0)
                                return r;
                        empty = false;
                }
                at += length + 1;
        }
        if (empty)
                return NOTIFY_E_MALFORMED;

        *ret = message;
        return 0;
}
