/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A look at what a client has sent, before sd-bus reads it: sd-bus makes room for whatever size a
 * message claims, up to 128 MiB. Clients send lines and heads of messages in one piece each, so
 * that a look at what waits in the socket is enough; who does otherwise is up to no good. Pure.
 */

#include <stddef.h>
#include <stdint.h>

enum {
        FRAME_E_PIECE = 1, /* a line or a head that is not whole */
        FRAME_E_TOO_LARGE, /* a message that claims to be longer than FRAME_MESSAGE_MAX */
};

#define FRAME_LOOK        (16u << 10)  /* bytes that are looked at in one go */
#define FRAME_MESSAGE_MAX (256u << 10) /* bytes */

/*
 * Data that waits at the beginning of a message: *ret_count is the number of messages that may be
 * read before the next look. 0 also if it is the rest of a message: then nothing is to be said.
 * Data of FRAME_LOOK bytes may be cut at its end, less is all that there is.
 */
int frame_check(const uint8_t *data, size_t size, unsigned *ret_count);

/* The same while the client authenticates itself: lines, and behind BEGIN messages. */
int frame_check_login(const uint8_t *data, size_t size, unsigned *ret_count);
