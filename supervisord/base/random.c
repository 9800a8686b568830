/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random ids by getrandom(2), which neither blocks nor fails once the system is up. */

#include "base/random.h"

#include <stdint.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/macro.h"

#define RANDOM_BYTES_MAX 64

void random_hex(char *buffer, size_t size) {
        static const char digits[] = "0123456789abcdef";
        uint8_t bytes[RANDOM_BYTES_MAX];

        if (getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) != (ssize_t) sizeof(bytes)) {
                /* in early boot: ids have to differ, not to be secret */
                usec_t now = clock_now();
                for (size_t i = 0; i < sizeof(bytes); i++)
                        bytes[i] = (uint8_t) (now >> (i % sizeof(now) * 8));
        }
        for (size_t i = 0; i + 1 < size; i++)
                buffer[i] = digits[bytes[i % RANDOM_BYTES_MAX] % 16];
        buffer[size - 1] = '\0';
}
