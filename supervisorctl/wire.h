/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One call of D-Bus by hand, with libc alone: loading a library for it takes longer than the call.
 * Authentication and call are sent in one piece, so that the answer is there after one change to
 * supervisord and back. For everything else there is sd-bus (client.h).
 */

#include <stddef.h>

#include "base/macro.h"

/* The answer, and the two texts in it. */
typedef struct WireReply {
        char *data; /* all that came */
        size_t size, room;
        char *first, *second; /* in `data`; may be written to */
} WireReply;

void wire_reply_done(WireReply *reply);

/*
 * Calls a method that takes no arguments and answers with two strings, and waits a few seconds at
 * most. 0 or a negative errno; -EPROTO if anything but that answer came.
 */
int wire_call(const char *socket, const char *member, WireReply *ret);
