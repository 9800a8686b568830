/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The floor: what starting, watching and stopping processes costs when nothing else is done for
 * them. No configuration, no log, no order, no control: a loop around clone, exec and wait.
 */

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
        "floor COUNT PROGRAM FIFO\n"
        "\n"
        "Runs COUNT times PROGRAM FIFO NUMBER and starts what dies again, until SIGTERM.\n";

static posix_spawnattr_t attributes;

static pid_t start(const char *program, const char *fifo, int index) {
        char number[16];
        char *command[] = { (char *) program, (char *) fifo, number, NULL };
        pid_t pid;

        (void) snprintf(number, sizeof(number), "%d", index);
        errno = posix_spawn(&pid, program, NULL, &attributes, command, environ);
        if (errno != 0) {
                perror("floor: posix_spawn");
                exit(EXIT_FAILURE);
        }
        return pid;
}

/* Starts those again that have ended. */
static void replace(pid_t *pids, int count, char *argv[]) {
        siginfo_t info = { 0 };

        while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid > 0) {
                for (int i = 0; i < count; i++)
                        if (pids[i] == info.si_pid)
                                pids[i] = start(argv[2], argv[3], i);
                info.si_pid = 0;
        }
}

int main(int argc, char *argv[]) {
        int count = argc == 4 ? atoi(argv[1]) : 0;
        pid_t *pids = count > 0 ? calloc((size_t) count, sizeof(*pids)) : NULL;
        sigset_t signals, none;

        if (!pids) {
                fputs(usage, stderr);
                return EXIT_FAILURE;
        }
        sigemptyset(&none);
        sigemptyset(&signals);
        sigaddset(&signals, SIGCHLD);
        sigaddset(&signals, SIGTERM);
        sigprocmask(SIG_BLOCK, &signals, NULL);
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        posix_spawnattr_setsigmask(&attributes, &none);

        for (int i = 0; i < count; i++)
                pids[i] = start(argv[2], argv[3], i);
        while (sigwaitinfo(&signals, NULL) != SIGTERM)
                replace(pids, count, argv);
        for (int i = 0; i < count; i++)
                (void) kill(pids[i], SIGTERM);
        while (waitid(P_ALL, 0, NULL, WEXITED) == 0)
                ;
        return EXIT_SUCCESS;
}
