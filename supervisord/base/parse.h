/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Words and values that people write in the configuration: durations, sizes, signals, modes,
 * numbers. Every parser takes the whole string or nothing.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"

/* All parsers below: 0, or PARSE_E_SYNTAX (not of that form) or PARSE_E_RANGE (does not fit). */
enum {
        PARSE_E_SYNTAX = 1,
        PARSE_E_RANGE,
};

/*
 * "500ms", "5s", "1min 30s", "2h", "1d", "infinity". Units: us ms s min h d (and systemd's long
 * names sec, minutes, …). A number without a unit is refused, but for "0".
 */
int parse_duration(const char *text, usec_t *ret);

/* "4096", "64K", "1M", "2G" (powers of 1024), "infinity" as UINT64_MAX. */
int parse_size(const char *text, uint64_t *ret);

/* A decimal integer within [minimum, maximum]. */
int parse_int(const char *text, int64_t minimum, int64_t maximum, int64_t *ret);

/* Octal digits as in umask(1), up to 07777. */
int parse_mode(const char *text, mode_t *ret);

/* "TERM", "SIGTERM", "term", "15", "RTMIN+3". Never 0. */
int parse_signal(const char *text, int *ret);

/* A pid as a pidfile holds it: decimal, surrounded by white space at most. */
int parse_pid(const char *text, pid_t *ret);

#define DURATION_TEXT_MAX 64
#define SIGNAL_TEXT_MAX   16
#define NUMBER_TEXT_MAX   21

/*
 * Writes decimal digits and a NUL: where that is. printf(3) would take ten times as long, and there
 * may be thousands.
 */
char *format_digits(char at[static NUMBER_TEXT_MAX], uint64_t number);

/*
 * Writes a duration for people ("1min 30s", "250ms", "infinity") in a form that parse_duration()
 * reads back to the same value. Returns buffer.
 */
const char *format_duration(char buffer[static DURATION_TEXT_MAX], usec_t duration);

/* Writes a short duration for log lines: "0.12 s", "12 s", "3 min 20 s". Returns buffer. */
const char *format_elapsed(char buffer[static DURATION_TEXT_MAX], usec_t duration);

/* "TERM" for SIGTERM, "RTMIN+3", or the number. Returns buffer. */
const char *format_signal(char buffer[static SIGNAL_TEXT_MAX], int signo);

/*
 * Copies text with its control characters (but for tabs) shown as \xNN, cut to what fits into
 * `size` bytes (1 at least). Nothing is cut if size is above 4 * strlen(text). Returns buffer.
 */
const char *format_visible(char *buffer, size_t size, const char *text);
