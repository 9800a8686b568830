/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is only for a person at a terminal: colours, and live lines that are written over.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"

#define TERMINAL_PLAIN  "\033[0m"
#define TERMINAL_BOLD   "\033[1m"
#define TERMINAL_RED    "\033[31m"
#define TERMINAL_GREEN  "\033[32m"
#define TERMINAL_YELLOW "\033[33m"
#define TERMINAL_GREY   "\033[90m"

/* Whether stdout is a terminal that wants colours (and NO_COLOR is unset). */
bool terminal_has_colours(void);
/* The code if it is, "" otherwise. */
const char *terminal_colour(const char *code);

/* Whether stderr is a terminal: only then are there live lines. */
bool terminal_is_live(void);

/* Some lines that are written over, at the bottom of the terminal. */
#define LIVE_LINES_MAX 16
#define LIVE_LINE_MAX  512

typedef struct Live {
        char lines[LIVE_LINES_MAX][LIVE_LINE_MAX];
        size_t count;
} Live;

/* How many lines there may be, so that they stay in sight; at least 2. */
size_t terminal_live_room(void);
/* One more line, or none if there is no room. */
void live_add(Live *live, const char *format, ...) PRINTF_LIKE(2, 3);
/* Writes them over those that were shown last, cut to the width. */
void terminal_live(const Live *live);
/* Takes them away. */
void terminal_live_end(void);
