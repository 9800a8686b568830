/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How fast the daemons of several supervisors are replaced. All supervisors run at the same time,
 * and it is by turns that a daemon of each is killed, so that whatever else the machine does hits
 * all of them alike. Which daemon is a matter of chance, among those that have lived long enough.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "processes.h"
#include "record.h"

#define CONTENDERS_MAX 16
#define PATIENCE       120000.0 /* milliseconds for anything */
#define LIFE           1100.0   /* milliseconds: who has lived so long is replaced at once */
#define PAUSE          25       /* milliseconds between two kills */
#define SEED           1        /* the same daemons each time */

static const char usage[] =
        "replace COUNT -- NAME KILLS CGROUP FIFO SUPERVISOR... [-- NAME ...]...\n"
        "\n"
        "Runs each SUPERVISOR, with COUNT daemons that tell FIFO when they begin, in a new CGROUP\n"
        "of its own; kills, by turns, KILLS daemons of each. Prints a line for each\n"
        "figure: the NAME, what it is and a number, separated by tabs. The supervisors are left\n"
        "to the caller, who ends them by their cgroups.\n";

typedef struct Contender {
        const char *name, *cgroup, *fifo;
        int kills, killed, fd;
        char **command;
        Record *daemons; /* by index, the last start of each */
        double *times;
        double cpu;
} Contender;

static int count;

static void die(const char *what) {
        fprintf(stderr, "replace: %s: %s\n", what, strerror(errno));
        exit(EXIT_FAILURE);
}

static void give_up(const Contender *contender, const char *what) {
        fprintf(stderr, "replace: %s: %s\n", contender->name, what);
        exit(EXIT_FAILURE);
}

static void rest(double time) {
        struct timespec pause = { .tv_sec = (time_t) (time / 1e3) };

        pause.tv_nsec = (long) ((time - (double) pause.tv_sec * 1e3) * 1e6);
        nanosleep(&pause, NULL);
}

/* The next daemon that has begun; it is noted. */
static unsigned await_begin(Contender *contender, double deadline) {
        struct pollfd look = { .fd = contender->fd, .events = POLLIN };
        double left = deadline - now();
        Record record;

        if (left <= 0 || poll(&look, 1, (int) left + 1) < 1)
                give_up(contender, "it takes too long");
        if (read(contender->fd, &record, sizeof(record)) != (ssize_t) sizeof(record))
                give_up(contender, "all its daemons have ended");
        if (record.index >= (unsigned) count)
                give_up(contender, "a daemon of that number was not expected");
        contender->daemons[record.index] = record;
        return record.index;
}

static void start(Contender *contender) {
        double deadline = now() + PATIENCE;
        pid_t pid;

        contender->daemons = calloc((size_t) count, sizeof(*contender->daemons));
        contender->times = calloc((size_t) contender->kills, sizeof(*contender->times));
        if (!contender->daemons || !contender->times || mkdir(contender->cgroup, 0755) < 0 ||
            mkfifo(contender->fifo, 0666) < 0)
                die(contender->name);
        contender->fd = open(contender->fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        pid = contender->fd < 0 ? -1 : fork();
        if (pid < 0)
                die(contender->name);
        if (pid == 0) {
                processes_enter(contender->cgroup);
                execvp(contender->command[0], contender->command);
                die(contender->command[0]);
        }
        for (int i = 0; i < count; i++)
                (void) await_begin(contender, deadline);
}

/* One that has lived long enough: waits for it if there is none. */
static unsigned choose(const Contender *contender) {
        for (;;) {
                unsigned first = (unsigned) (random() % count);

                for (unsigned i = 0; i < (unsigned) count; i++) {
                        unsigned index = (first + i) % (unsigned) count;

                        if (now() - milliseconds(contender->daemons[index].time) > LIFE)
                                return index;
                }
                rest(PAUSE);
        }
}

/* The time from the signal to the main() of the next one. */
static void kill_one(Contender *contender) {
        unsigned index = choose(contender);
        double begun = now();

        if (kill(contender->daemons[index].pid, SIGKILL) < 0)
                die("kill");
        while (await_begin(contender, begun + PATIENCE) != index)
                ;
        contender->times[contender->killed++] =
                milliseconds(contender->daemons[index].time) - begun;
        rest(PAUSE);
}

/* Who has fewer kills has them spread over the whole time. */
static void kill_by_turns(Contender *contenders, int contender_count) {
        int turns = 0;

        for (int i = 0; i < contender_count; i++) {
                contenders[i].cpu = processes_cpu(contenders[i].cgroup);
                if (contenders[i].kills > turns)
                        turns = contenders[i].kills;
        }
        for (int turn = 1; turn <= turns; turn++)
                for (int i = 0; i < contender_count; i++)
                        if (contenders[i].killed < contenders[i].kills * turn / turns)
                                kill_one(&contenders[i]);
        for (int i = 0; i < contender_count; i++)
                contenders[i].cpu = processes_cpu(contenders[i].cgroup) - contenders[i].cpu;
}

static int compare(const void *a, const void *b) {
        double x = *(const double *) a, y = *(const double *) b;

        return x < y ? -1 : x > y;
}

static double percentile(const Contender *contender, int percent) {
        return contender->times[contender->kills * percent / 100];
}

static void say(const Contender *contender, const char *figure, double value) {
        printf("%s\t%s\t%.3f\n", contender->name, figure, value);
}

/* Against the first one. */
static void report(const Contender *contender, const Contender *first) {
        say(contender, "restart p50 ms", percentile(contender, 50));
        say(contender, "restart p50 ratio", percentile(contender, 50) / percentile(first, 50));
        say(contender, "restart p99 ms", percentile(contender, 99));
        say(contender, "restart cpu ms", contender->cpu / contender->kills);
}

/* Cuts the arguments at each "--". */
static int read_contenders(char **arguments, Contender contenders[CONTENDERS_MAX]) {
        int found = 0;

        while (*arguments && found < CONTENDERS_MAX) {
                Contender *contender = &contenders[found++];
                int given = 0;

                if (strcmp(*arguments++, "--") != 0)
                        return 0;
                while (arguments[given] && strcmp(arguments[given], "--") != 0)
                        given++;
                if (given < 5 || atoi(arguments[1]) <= 0)
                        return 0;
                *contender = (Contender){
                        .name = arguments[0],
                        .kills = atoi(arguments[1]),
                        .cgroup = arguments[2],
                        .fifo = arguments[3],
                        .command = arguments + 4,
                };
                arguments += given;
        }
        return *arguments ? 0 : found;
}

/* Only now: what ends a command begins the next contender. */
static void end_commands(Contender *contenders, int contender_count) {
        for (int i = 0; i < contender_count; i++)
                for (char **argument = contenders[i].command; *argument; argument++)
                        if (strcmp(*argument, "--") == 0) {
                                *argument = NULL;
                                break;
                        }
}

int main(int argc, char *argv[]) {
        Contender contenders[CONTENDERS_MAX];
        int contender_count = argc > 2 ? read_contenders(argv + 2, contenders) : 0;

        count = contender_count > 0 ? atoi(argv[1]) : 0;
        if (count <= 0) {
                fputs(usage, stderr);
                return EXIT_FAILURE;
        }
        end_commands(contenders, contender_count);
        srandom(SEED);
        for (int i = 0; i < contender_count; i++)
                start(&contenders[i]);
        kill_by_turns(contenders, contender_count);
        for (int i = 0; i < contender_count; i++)
                qsort(contenders[i].times, (size_t) contenders[i].kills, sizeof(double), compare);
        for (int i = 0; i < contender_count; i++)
                report(&contenders[i], &contenders[0]);
        return EXIT_SUCCESS;
}
