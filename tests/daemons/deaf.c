/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hears no signal: only SIGKILL ends it. With a number it has so many children that are as deaf.
 * Each process adds a line to the file of the second argument once it is deaf, if one is given.
 */

#include <stdio.h>
#include <unistd.h>

#include "common.h"

static void note(const char *path) {
        FILE *stream = fopen(path, "ae");

        if (!stream || fprintf(stream, "%d\n", (int) getpid()) < 0 || fclose(stream) != 0)
                die_errno(path);
}

int main(int argc, char **argv) {
        ignore_signals();
        for (int child = argc > 1 ? number(argv[1]) : 0; child > 0; child--)
                if (make_process() == 0)
                        break;
        if (argc > 2)
                note(argv[2]);
        for (;;)
                pause();
}
