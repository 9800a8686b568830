/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Leaves a grandchild behind that is hard to find and hard to end: in a session of its own, its
 * parent gone, deaf to signals, and with -e without a trace in its environment. The daemon itself
 * ends at SIGTERM as anybody would.
 *
 * straygrandchild [-e] [-P FILE]: FILE gets the grandchild's process number.
 */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

#define STRAY "stray"

/* Executes itself once more, so that /proc/PID/environ shows nothing. */
static void forget_environment(void) {
        char *const command[] = { (char *) STRAY, NULL };
        char *const environment[] = { NULL };

        execve("/proc/self/exe", command, environment);
        die_errno("execve");
}

static void stray(void) {
        ignore_signals();
        for (;;)
                pause();
}

/* Whoever knows of the stray is not to find its parent as well. */
static void await_loneliness(pid_t parent) {
        while (getppid() == parent)
                sleep_ms(1);
}

static void make_stray(bool forget, const char *pid_path) {
        pid_t between = make_process();

        if (between == 0) {
                pid_t parent = getpid();

                setsid();
                if (make_process() > 0)
                        _exit(0);
                setsid();
                ignore_signals();
                await_loneliness(parent);
                if (pid_path)
                        write_file(pid_path, "%d\n", (int) getpid());
                if (forget)
                        forget_environment();
                stray();
        }
        waitpid(between, NULL, 0);
}

int main(int argc, char **argv) {
        const char *pid_path = NULL;
        bool forget = false;
        int option;

        if (strcmp(argv[0], STRAY) == 0)
                stray();
        while ((option = getopt(argc, argv, "eP:")) != -1) {
                if (option == 'e')
                        forget = true;
                else if (option == 'P')
                        pid_path = optarg;
                else
                        die("usage: straygrandchild [-e] [-P FILE]");
        }
        make_stray(forget, pid_path);
        for (;;)
                pause();
}
