/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Escape sequences of ECMA-48, which every terminal of today knows. */

#include "terminal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINE_MAX_ 512

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

static int terminal_width(void) {
        struct winsize size;

        if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
                return 80;
        return size.ws_col;
}

void terminal_live(const char *format, ...) {
        char line[LINE_MAX_];
        va_list arguments;

        if (!terminal_is_live())
                return;
        va_start(arguments, format);
        vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);
        fprintf(stderr, "\r%.*s\033[K", terminal_width() - 1, line);
        fflush(stderr);
}

void terminal_live_end(void) {
        if (terminal_is_live())
                fputs("\r\033[K", stderr);
}
