/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Daemonizes by a double fork, and lies in its pidfile in every way that was seen on real daemons.
 * The first process exits only after the first content of the pidfile stands, as honest daemons do.
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

static const char usage[] =
        "forker [-f PIDFILE [-k KIND] [-o PID] [-l MS | -a FILE]] [-s STATUS] [-w MS]\n"
        "       [-t MS [-c STATUS]] [-r COUNT] [-n] [-x]\n"
        "  -f  the pidfile\n"
        "  -k  what stands in it first: right (the default), nothing (no file), empty, garbage,\n"
        "      stale (a number without a process), foreign (-o PID), init (process 1), symlink\n"
        "  -l  after so long it becomes right; -a: it becomes right once there is FILE\n"
        "  -s  exit status of the first process; -w: so much later\n"
        "  -t  the daemon ends by itself after so long, with status -c\n"
        "  -r  the daemon gets away through so many forks more, nobody waits for it\n"
        "  -n  there is no daemon at all, only the first process\n"
        "  -x  the daemon ignores all signals\n";

typedef struct Options {
        const char *pidfile, *kind, *await;
        int foreign, right_after;
        int status, status_after;
        int end_after, end_status;
        int relays;
        bool alone, deaf;
} Options;

static Options options = { .kind = "right", .right_after = -1, .end_after = -1 };

static void write_right(void) {
        write_file(options.pidfile, "%d\n", (int) getpid());
}

static void write_symlink(void) {
        char target[4096];

        snprintf(target, sizeof target, "%s.real", options.pidfile);
        write_file(target, "%d\n", (int) getpid());
        unlink(options.pidfile);
        if (symlink(target, options.pidfile) < 0)
                die_errno("symlink");
}

static void write_first(void) {
        if (strcmp(options.kind, "right") == 0)
                write_right();
        else if (strcmp(options.kind, "empty") == 0)
                write_file(options.pidfile, "%s", "");
        else if (strcmp(options.kind, "garbage") == 0)
                write_file(options.pidfile, "pid: %d of forker\n\377\376", (int) getpid());
        else if (strcmp(options.kind, "stale") == 0)
                write_file(options.pidfile, "%d\n", (int) stale_pid());
        else if (strcmp(options.kind, "foreign") == 0)
                write_file(options.pidfile, "%d\n", options.foreign);
        else if (strcmp(options.kind, "init") == 0)
                write_file(options.pidfile, "1\n");
        else if (strcmp(options.kind, "symlink") == 0)
                write_symlink();
        else if (strcmp(options.kind, "nothing") != 0)
                die("no kind of pidfile: %s", options.kind);
}

/*
 * Each process makes the next one and exits: whoever looks finds somebody else than a moment ago.
 */
static void run_away(void) {
        for (int i = 0; i < options.relays; i++)
                if (make_process() > 0)
                        _exit(0);
}

static void be_daemon(int ready_fd) {
        if (options.relays > 0) {
                close(ready_fd);
                run_away();
        }
        if (options.deaf)
                ignore_signals();
        if (options.pidfile)
                write_first();
        if (options.relays == 0)
                close(ready_fd);

        long long begun = now_ms();
        if (options.right_after >= 0)
                sleep_ms(options.right_after);
        if (options.await)
                await_file(options.await);
        if (options.right_after >= 0 || options.await)
                write_right();
        if (options.end_after >= 0) {
                int left = options.end_after - (int) (now_ms() - begun);
                sleep_ms(left > 0 ? left : 0);
                exit(options.end_status);
        }
        for (;;)
                pause();
}

/* Returns in the first process, once the daemon has written what it writes first. */
static void make_daemon(void) {
        int ends[2];
        char byte;

        if (pipe(ends) < 0)
                die_errno("pipe");
        pid_t between = make_process();
        if (between == 0) {
                close(ends[0]);
                setsid();
                if (make_process() > 0)
                        _exit(0);
                be_daemon(ends[1]);
        }
        close(ends[1]);
        waitpid(between, NULL, 0);
        if (read(ends[0], &byte, 1) != 0)
                die("the daemon says something unexpected");
        close(ends[0]);
}

static void parse_options(int argc, char **argv) {
        int option;

        while ((option = getopt(argc, argv, "f:k:o:l:a:s:w:t:c:r:nxh")) != -1) {
                switch (option) {
                case 'f':
                        options.pidfile = optarg;
                        break;
                case 'k':
                        options.kind = optarg;
                        break;
                case 'o':
                        options.foreign = number(optarg);
                        break;
                case 'l':
                        options.right_after = number(optarg);
                        break;
                case 'a':
                        options.await = optarg;
                        break;
                case 's':
                        options.status = number(optarg);
                        break;
                case 'w':
                        options.status_after = number(optarg);
                        break;
                case 't':
                        options.end_after = number(optarg);
                        break;
                case 'c':
                        options.end_status = number(optarg);
                        break;
                case 'r':
                        options.relays = number(optarg);
                        break;
                case 'n':
                        options.alone = true;
                        break;
                case 'x':
                        options.deaf = true;
                        break;
                default:
                        die("usage:\n%s", usage);
                }
        }
}

int main(int argc, char **argv) {
        parse_options(argc, argv);
        if (!options.alone)
                make_daemon();
        sleep_ms(options.status_after);
        return options.status;
}
