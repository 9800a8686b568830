/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The STATUS= line, as `systemctl status` shows it. Pure.
 */

#include "config/config.h"
#include "model/mode.h"
#include "model/sequence.h"

#define STATUS_TEXT_MAX 512

/* How the daemons stand, by kind of state. The names are borrowed; NULL: none. */
typedef struct StatusCounts {
        size_t total;
        size_t running;
        size_t starting; /* on the way up, or waiting for another one */
        size_t delayed;  /* between two tries */
        size_t failed;   /* given up, or stuck */
        size_t stopped;
        size_t paused; /* frozen or drained by an operator */
        const char *starting_name; /* the first of them */
        const char *failed_name, *failed_reason; /* the latter may be NULL */
} StatusCounts;

/* "running: 5 of 5 daemons", "starting: 3 of 5 ready, waiting for db", … */
void status_text(char buffer[static STATUS_TEXT_MAX], Mode mode, const StatusCounts *counts);

/*
 * "drain: 3 of 7 left, slowest web (12 s; 2 waiting, 1 busy), 8 s to the deadline, 1 forced";
 * slowest may be NULL, its detail "".
 */
void status_text_stopping(char buffer[static STATUS_TEXT_MAX],
                          const SequenceProgress *progress,
                          const char *slowest,
                          const char *detail,
                          usec_t now);
