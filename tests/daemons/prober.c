/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A command that says whether something is well: it is while a file exists. Or an ill-bred one,
 * which does everything but give an answer. Those that do not come to an end are deaf to all
 * signals but SIGKILL.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

static const char usage[] =
        "prober FILE [KIND]\n"
        "  exits with 0 if there is FILE, else says so and exits with 1; with a KIND it then\n"
        "  hang   never ends\n"
        "  flood  writes for ever\n"
        "  fork   leaves processes in sessions of their own, which keep its output open\n"
        "  hold   leaves one that keeps its output open, and closes its own\n";

static void stay(void) {
        ignore_signals();
        for (;;)
                pause();
}

static void flood(void) {
        static char block[64 * 1024];

        ignore_signals();
        while (write(STDOUT_FILENO, block, sizeof block) >= 0)
                ;
        stay();
}

static void leave(int count) {
        while (count-- > 0)
                if (make_process() == 0) {
                        setsid();
                        stay();
                }
}

int main(int argc, char **argv) {
        if (argc < 2)
                die("usage:\n%s", usage);
        if (access(argv[1], F_OK) == 0)
                return 0;
        if (argc == 2)
                return puts("it is not there") < 0 ? 2 : 1;
        if (strcmp(argv[2], "hang") == 0)
                stay();
        if (strcmp(argv[2], "flood") == 0)
                flood();
        leave(strcmp(argv[2], "fork") == 0 ? 3 : 1);
        close(STDOUT_FILENO);
        close(STDERR_FILENO);
        return 1;
}
