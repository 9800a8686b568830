/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a command writes, of which only the end is kept. It writes into a pipe that is read while it
 * runs: slowly if it floods, so that it waits and not we, and never more than so many bytes at a
 * time. What holds the pipe open after its end keeps nobody waiting.
 *
 * It can be passed on as well, for a command that starts a daemon: then what is written goes where
 * the daemon's output goes, and who inherits the pipe goes on writing through us. The end that they
 * have is open for reading too, so that they do not die of SIGPIPE when we are gone.
 */

#include "sys/loop.h"

#define CAPTURE_MAX 1024 /* bytes that are kept */

typedef struct Capture Capture;

/* Begins to read; `name` (borrowed) is that of its source. */
int capture_new(Loop *loop, const char *name, Capture **ret);
/* Accepts NULL; returns NULL. */
Capture *capture_free(Capture *capture);
DEFINE_CLEANUP(Capture, capture_free)

/*
 * From now on all of it goes to `output_consume` too (-1: nowhere). To be told before the command
 * is started. What cannot be written there at once waits in the pipe, and the command with it.
 */
int capture_pass_on(Capture *capture, int output_consume);
/*
 * The command has ended well: from now on those who still write never wait; what does not fit into
 * the pipe is lost to them. False: nobody holds it any more, and it is closed.
 */
bool capture_leave(Capture *capture);

/* The end for the command, until capture_started(). Borrowed; blocking, as commands expect it. */
int capture_fd(const Capture *capture);
/* The command has its copy now, or was not started: ours is closed. */
void capture_started(Capture *capture);

/*
 * The command has ended: takes in what is still in the pipe and closes it. The end of what was
 * written, as it came, with a NUL behind its *ret_size bytes. Borrowed.
 */
const char *capture_end(Capture *capture, size_t *ret_size);
