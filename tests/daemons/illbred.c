/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The start of illbred: what its first process does, its way into the background, and the watchdog
 * around it. See illbred.h.
 */

#include "illbred.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

static IllbredOptions options;

void illbred_note(const IllbredOptions *from, const char *what) {
        FILE *stream = from->log ? fopen(from->log, "ae") : NULL;

        if (stream && (fprintf(stream, "%s %d\n", what, (int) getpid()) < 0 || fclose(stream) != 0))
                die_errno(from->log);
}

void illbred_write(const char *kind, long long size) {
        static char block[4096];
        bool endless = size == 0;

        memset(block, strcmp(kind, "nul") == 0 ? '\0' : 'x', sizeof block);
        if (strcmp(kind, "lines") == 0)
                for (size_t i = 63; i < sizeof block; i += 64)
                        block[i] = '\n';
        while (endless || size > 0) {
                ssize_t written = write(STDOUT_FILENO, block, sizeof block);
                if (written <= 0)
                        sleep_ms(10); /* a full disk, a reader that is gone */
                size -= written > 0 ? written : (ssize_t) sizeof block;
        }
}

/* The parent of the main one, as mysqld_safe: it hears no signal. */
static void watch_over(char **argv) {
        ignore_signals();
        for (;;) {
                int status = 0;
                pid_t inner = make_process();

                if (inner == 0) {
                        for (int signo = 1; signo < NSIG; signo++)
                                signal(signo, SIG_DFL);
                        illbred_master(argv, &options, -1);
                }
                while (waitpid(inner, &status, 0) < 0)
                        ;
                if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                        exit(0);
                illbred_note(&options, "watchdog");
                sleep_ms(20);
        }
}

static void be_daemon(char **argv, int ready_fd) {
        if (options.watchdog)
                watch_over(argv);
        illbred_master(argv, &options, ready_fd);
}

/* Returns in the first process when it may exit: true if the start was a good one. */
static bool go_to_background(char **argv) {
        bool honest = strcmp(options.background, "honest") == 0;
        int ends[2];
        char byte;

        if (pipe(ends) < 0)
                die_errno("pipe");
        if (make_process() == 0) {
                close(ends[0]);
                setsid();
                if (!honest || options.watchdog) {
                        close(ends[1]);
                        ends[1] = -1;
                }
                be_daemon(argv, ends[1]);
        }
        close(ends[1]);
        return !honest || options.watchdog || read(ends[0], &byte, 1) == 1;
}

int main(int argc, char **argv) {
        illbred_parse(argc, argv, &options);
        if (options.print > 0)
                illbred_write(options.mute ? "mute" : "lines", options.print * 1024LL);
        if (!options.background || getenv(ILLBRED_LISTENER))
                be_daemon(argv, -1);
        return go_to_background(argv) ? options.status : 1;
}
