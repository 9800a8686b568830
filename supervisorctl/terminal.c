/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Escape sequences of ECMA-48, which every terminal of today knows. */

#include "terminal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_has_colours(void) {
        const char *type = getenv("TERM");

        return isatty(STDOUT_FILENO) && !getenv("NO_COLOR") && type && strcmp(type, "dumb") != 0;
}

const char *terminal_colour(const char *code) {
        return terminal_has_colours() ? code : "";
}

bool terminal_is_live(void) {
        return isatty(STDERR_FILENO);
}

static struct winsize terminal_size(void) {
        struct winsize size;

        if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 || size.ws_row == 0)
                size = (struct winsize){ .ws_col = 80, .ws_row = 24 };
        return size;
}

size_t terminal_live_room(void) {
        size_t rows = terminal_size().ws_row;

        return MIN_OF(MAX_OF(rows, (size_t) 3) - 1, (size_t) LIVE_LINES_MAX);
}

void live_add(Live *live, const char *format, ...) {
        va_list arguments;

        if (live->count == LIVE_LINES_MAX)
                return;
        va_start(arguments, format);
        vsnprintf(live->lines[live->count++], LIVE_LINE_MAX, format, arguments);
        va_end(arguments);
}

/* The cursor rests at the beginning of the first line: there the next ones are written over it. */
void terminal_live(const Live *live) {
        int width = terminal_size().ws_col - 1;

        if (!terminal_is_live() || live->count == 0)
                return;
        for (size_t i = 0; i < live->count; i++)
                fprintf(stderr, "%s%.*s\033[K", i == 0 ? "\r" : "\n", width, live->lines[i]);
        fputs("\033[J\r", stderr);
        if (live->count > 1)
                fprintf(stderr, "\033[%zuA", live->count - 1);
        fflush(stderr);
}

void terminal_live_end(void) {
        if (terminal_is_live())
                fputs("\r\033[J", stderr);
}
