/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Measures a supervisor with COUNT daemons, each of them bench/child: how long until all run and
 * what that costs; memory and wake-ups while nothing happens; how long until none is left. Prints
 * a line for each figure: its name, a tab, a number.
 *
 * It is in the cgroup of the supervisor ($BENCH_CGROUP) itself, so that what is started is there
 * from the beginning; whoever called it removes the cgroup.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "processes.h"
#include "record.h"

#define PATIENCE 120000.0 /* milliseconds for anything */

static const char usage[] =
        "crowd [-w SECONDS] [-s COMMAND] [-n SOCKET] COUNT CHILD FIFO SUPERVISOR...\n"
        "  -w  look at memory and wake-ups, for so long\n"
        "  -s  how it is stopped, by sh (default: SIGTERM to it)\n"
        "  -n  be a systemd for it: how long until it says READY=1\n";

static struct {
        int seconds, count;
        const char *stop, *socket, *child, *fifo;
        char **command;
} options;

static Record *daemons; /* by index, the last start of each */
static int fifo_fd;
static const char *cgroup;

static void die(const char *what) {
        fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
        exit(EXIT_FAILURE);
}

static void give_up(const char *what) {
        fprintf(stderr, "crowd: %s\n", what);
        exit(EXIT_FAILURE);
}

static void say(const char *name, double value) {
        printf("%s\t%.3f\n", name, value);
        fflush(stdout);
}

/* Waits for something on the FIFO; false: it is over with all of them. */
static bool await_record(double deadline, Record *ret) {
        struct pollfd look = { .fd = fifo_fd, .events = POLLIN };
        double left = deadline - now();

        if (left <= 0 || poll(&look, 1, (int) left + 1) < 1)
                give_up("it takes too long");
        ssize_t size = read(fifo_fd, ret, sizeof(*ret));
        if (size < 0)
                die("read");
        return size == (ssize_t) sizeof(*ret);
}

static void take_record(const Record *record) {
        if (record->index >= (unsigned) options.count)
                give_up("a daemon of that number was not expected");
        daemons[record->index] = *record;
}

static int notify_fd = -1;

static void open_notify(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (!options.socket)
                return;
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", options.socket);
        notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (notify_fd < 0 || bind(notify_fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                die(options.socket);
        setenv("NOTIFY_SOCKET", options.socket, 1);
}

static void await_ready(double begun) {
        struct pollfd look = { .fd = notify_fd, .events = POLLIN };
        char text[4096];

        while (notify_fd >= 0) {
                if (poll(&look, 1, (int) PATIENCE) < 1)
                        give_up("it does not say that it is ready");
                ssize_t size = read(notify_fd, text, sizeof(text) - 1);
                if (size < 0)
                        die("notify socket");
                text[size] = '\0';
                if (!strstr(text, "READY=1"))
                        continue;
                say("ready ms", now() - begun);
                /* what comes later is not read: nobody shall wait for that */
                close(notify_fd);
                return;
        }
}

static pid_t start(void) {
        double begun = now(), last = 0, cpu = processes_cpu(cgroup);
        Record record;
        pid_t pid;

        errno = posix_spawnp(&pid, options.command[0], NULL, NULL, options.command, environ);
        if (errno != 0)
                die(options.command[0]);
        for (int i = 0; i < options.count; i++) {
                if (!await_record(begun + PATIENCE, &record))
                        give_up("all have ended");
                take_record(&record);
                if (milliseconds(record.time) > last)
                        last = milliseconds(record.time);
        }
        await_ready(begun);
        say("start ms", last - begun);
        say("start cpu ms", processes_cpu(cgroup) - cpu);
        return pid;
}

static void look(void) {
        struct timespec pause = { .tv_sec = 1 };

        if (options.seconds == 0)
                return;
        nanosleep(&pause, NULL); /* the end of the start */
        say("pss kib", processes_memory(cgroup, options.child));
        double switches = processes_switches(cgroup, options.child);
        pause.tv_sec = options.seconds;
        nanosleep(&pause, NULL);
        say("wakeups", processes_switches(cgroup, options.child) - switches);
}

static void stop(pid_t pid) {
        double begun = now();
        Record record;

        if (options.stop ? system(options.stop) == -1 : kill(pid, SIGTERM) < 0)
                die("stop");
        while (await_record(begun + PATIENCE, &record))
                ;
        say("stop ms", now() - begun);
        (void) kill(pid, SIGTERM);
        while (waitpid(pid, NULL, WNOHANG) == 0) {
                struct timespec pause = { .tv_nsec = 1000000 };

                if (now() > begun + PATIENCE)
                        give_up("it does not end");
                nanosleep(&pause, NULL);
        }
        say("end ms", now() - begun);
}

static bool parse_options(int argc, char *argv[]) {
        int option;

        while ((option = getopt(argc, argv, "+w:s:n:")) != -1)
                switch (option) {
                case 'w':
                        options.seconds = atoi(optarg);
                        break;
                case 's':
                        options.stop = optarg;
                        break;
                case 'n':
                        options.socket = optarg;
                        break;
                default:
                        return false;
                }
        if (argc - optind < 4)
                return false;
        options.count = atoi(argv[optind]);
        options.child = argv[optind + 1];
        options.fifo = argv[optind + 2];
        options.command = argv + optind + 3;
        return options.count > 0;
}

int main(int argc, char *argv[]) {
        if (!parse_options(argc, argv)) {
                fputs(usage, stderr);
                return EXIT_FAILURE;
        }
        cgroup = getenv("BENCH_CGROUP");
        if (!cgroup)
                give_up("BENCH_CGROUP is not set");
        daemons = calloc((size_t) options.count, sizeof(*daemons));
        if (!daemons || mkfifo(options.fifo, 0666) < 0)
                die(options.fifo);
        fifo_fd = open(options.fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (fifo_fd < 0)
                die(options.fifo);
        processes_enter(cgroup);
        open_notify();

        pid_t pid = start();
        look();
        stop(pid);
        return EXIT_SUCCESS;
}
