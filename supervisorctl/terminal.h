/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is only for a person at a terminal: colours, and a live line that is written over.
 */

#include <stdbool.h>

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

/* Whether stderr is a terminal: only then is there a live line. */
bool terminal_is_live(void);
/* Writes the live line over the last one, cut to the width. */
void terminal_live(const char *format, ...) PRINTF_LIKE(1, 2);
/* Takes the live line away. */
void terminal_live_end(void);
