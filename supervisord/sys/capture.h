/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a command writes, of which only the end is kept. It writes into a pipe that is read while it
 * runs: slowly if it floods, so that it waits and not we, and never more than so many bytes at a
 * time. What holds the pipe open after its end keeps nobody waiting.
 */

#include "sys/loop.h"

#define CAPTURE_MAX 1024 /* bytes that are kept */

typedef struct Capture Capture;

/* Begins to read; `name` (borrowed) is that of its source. */
int capture_new(Loop *loop, const char *name, Capture **ret);
/* Accepts NULL; returns NULL. */
Capture *capture_free(Capture *capture);
DEFINE_CLEANUP(Capture, capture_free)

/* The end for the command, until capture_started(). Borrowed; blocking, as commands expect it. */
int capture_fd(const Capture *capture);
/* The command has its copy now, or was not started: ours is closed. */
void capture_started(Capture *capture);

/*
 * The command has ended: takes in what is still in the pipe and closes it. The end of what was
 * written, as it came, with a NUL behind its *ret_size bytes. Borrowed.
 */
const char *capture_end(Capture *capture, size_t *ret_size);
