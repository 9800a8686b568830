/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs several commands in turn, round by round, so that whatever else the machine does hits all of
 * them alike, and says how long each took.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX 16

static const char usage[] =
        "versus [-t] ROUNDS NAME COMMAND... [-- NAME COMMAND...]...\n"
        "\n"
        "Prints a line for each command: its name, and the least, the median, the 90th percentile\n"
        "and the greatest of the milliseconds that a run took, separated by tabs. The output goes\n"
        "to /dev/null; with -t to a terminal, and the time runs until that has taken all of it.\n";

typedef struct Contender {
        const char *name;
        char **command;
        double *times;
} Contender;

static void die(const char *what) {
        fprintf(stderr, "versus: %s: %s\n", what, strerror(errno));
        exit(EXIT_FAILURE);
}

static double now(void) {
        struct timespec time;

        clock_gettime(CLOCK_MONOTONIC, &time);
        return (double) time.tv_sec * 1e3 + (double) time.tv_nsec / 1e6;
}

static pid_t start(char **command, int output) {
        posix_spawn_file_actions_t actions;
        pid_t pid;

        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        errno = posix_spawnp(&pid, command[0], &actions, NULL, command, environ);
        if (errno != 0)
                die(command[0]);
        posix_spawn_file_actions_destroy(&actions);
        return pid;
}

/* Reads what the terminal gets, until nobody writes to it any more. */
static void drain(int terminal) {
        char data[65536];

        while (read(terminal, data, sizeof(data)) > 0)
                ;
}

static double run(char **command, bool on_terminal) {
        struct winsize size = { .ws_row = 50, .ws_col = 120 };
        int terminal = -1, output;
        double begun;
        pid_t pid;

        if (on_terminal && openpty(&terminal, &output, NULL, NULL, &size) < 0)
                die("openpty");
        if (!on_terminal)
                output = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (terminal >= 0 &&
            (fcntl(terminal, F_SETFD, FD_CLOEXEC) < 0 || fcntl(output, F_SETFD, FD_CLOEXEC) < 0))
                die("fcntl");
        begun = now();
        pid = start(command, output);
        close(output);
        if (terminal >= 0)
                drain(terminal);
        if (waitpid(pid, NULL, 0) < 0)
                die("waitpid");
        double elapsed = now() - begun;
        if (terminal >= 0)
                close(terminal);
        return elapsed;
}

static int compare(const void *a, const void *b) {
        double x = *(const double *) a, y = *(const double *) b;

        return x < y ? -1 : x > y;
}

/* Cuts the arguments at each "--". */
static int read_contenders(char **arguments, int rounds, Contender contenders[COMMANDS_MAX]) {
        int count = 0;

        while (*arguments && count < COMMANDS_MAX) {
                Contender *contender = &contenders[count++];

                contender->name = *arguments++;
                contender->command = arguments;
                contender->times = calloc((size_t) rounds, sizeof(double));
                while (*arguments && strcmp(*arguments, "--") != 0)
                        arguments++;
                if (contender->command == arguments || !contender->times)
                        return 0;
                if (*arguments)
                        *arguments++ = NULL;
        }
        return *arguments ? 0 : count;
}

int main(int argc, char *argv[]) {
        Contender contenders[COMMANDS_MAX];
        bool on_terminal = argc > 1 && strcmp(argv[1], "-t") == 0;
        char **arguments = argv + 1 + on_terminal;
        int rounds = *arguments ? atoi(*arguments) : 0;
        int count = rounds > 0 ? read_contenders(arguments + 1, rounds, contenders) : 0;

        if (count == 0) {
                fputs(usage, stderr);
                return EXIT_FAILURE;
        }
        /* each once for nothing: it is read from the disk */
        for (int round = -1; round < rounds; round++)
                for (int i = 0; i < count; i++) {
                        double elapsed = run(contenders[i].command, on_terminal);

                        if (round >= 0)
                                contenders[i].times[round] = elapsed;
                }
        for (int i = 0; i < count; i++) {
                double *times = contenders[i].times;

                qsort(times, (size_t) rounds, sizeof(*times), compare);
                printf("%s\t%.3f\t%.3f\t%.3f\t%.3f\n", contenders[i].name, times[0],
                       times[rounds / 2], times[rounds * 9 / 10], times[rounds - 1]);
        }
        return EXIT_SUCCESS;
}
