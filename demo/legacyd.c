/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A daemon of the old school, for the demonstration: it knows nothing but signals.
 *
 * It forks twice and lets its first process exit with 0 before anything works; a moment later it
 * listens, and another moment later it writes its pidfile, which it never removes. To every line
 * that a client sends it answers "done <line>" after WORK_MSEC.
 *
 *   SIGTERM  kills it at once and cuts its work (it has no handler)
 *   SIGUSR1  closes the listening socket, finishes what is in flight, exits with 0
 *   SIGHUP   is ignored
 *
 * Usage: legacyd PORT PIDFILE
 *
 * It blocks in ppoll() only, where alone SIGUSR1 can reach it.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define JOBS_MAX   256
#define LINE_SIZE  128
#define WORK_MSEC  300
#define PAUSE_MSEC 150 /* before it listens, and again before it writes the pidfile */

/* One connection: first its line is read, then it is worked on until `due`. */
typedef struct Job {
        int fd;
        char line[LINE_SIZE];
        size_t length;
        int64_t due; /* 0: its line is not complete yet */
} Job;

typedef struct Server {
        int listener; /* -1: frozen */
        Job jobs[JOBS_MAX];
        size_t count;
} Server;

static volatile sig_atomic_t freeze_wanted;

static void on_usr1(int signo) {
        (void) signo;
        freeze_wanted = 1;
}

static int64_t now_msec(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_msec(long duration) {
        nanosleep(&(struct timespec) { .tv_nsec = duration * 1000000 }, NULL);
}

static int server_listen(uint16_t port) {
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int) { 1 }, sizeof(int)) < 0 ||
            bind(fd, (struct sockaddr *) &address, sizeof address) < 0 || listen(fd, JOBS_MAX) < 0)
                exit(1);
        return fd;
}

/* The classic double fork: the caller's process ends here, a grandchild of it returns. */
static void daemonize(void) {
        for (int i = 0; i < 2; i++) {
                pid_t pid = fork();

                if (pid < 0)
                        exit(1);
                if (pid > 0)
                        _exit(0);
                if (i == 0 && setsid() < 0)
                        exit(1);
        }
}

static void pidfile_write(const char *path) {
        FILE *file = fopen(path, "we");

        if (!file)
                exit(1);
        fprintf(file, "%ld\n", (long) getpid());
        if (fclose(file) != 0)
                exit(1);
}

/* Takes in what waits in the queue, as far as there is room. */
static void server_accept(Server *server) {
        while (server->count < JOBS_MAX) {
                int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

                if (fd >= 0)
                        server->jobs[server->count++] = (Job) { .fd = fd };
                else if (errno != EINTR && errno != ECONNABORTED)
                        return;
        }
}

/* Whoever waits in the queue already is let in, then the door is closed. */
static void server_freeze(Server *server) {
        if (server->listener < 0)
                return;
        server_accept(server);
        if (server->count == JOBS_MAX)
                return; /* the queue may not be empty: next time */
        close(server->listener);
        server->listener = -1;
}

static void server_drop(Server *server, size_t index) {
        close(server->jobs[index].fd);
        server->jobs[index] = server->jobs[--server->count];
}

/* Reads on; false if the client is gone or sends nonsense. */
static bool job_read(Job *job) {
        ssize_t n = read(job->fd, job->line + job->length, LINE_SIZE - job->length);

        if (n < 0)
                return errno == EAGAIN || errno == EINTR;
        if (n == 0)
                return false;

        job->length += (size_t) n;
        if (memchr(job->line, '\n', job->length))
                job->due = now_msec() + WORK_MSEC;
        return job->due != 0 || job->length < LINE_SIZE;
}

static void job_answer(const Job *job) {
        dprintf(job->fd, "done %.*s", (int) job->length, job->line);
}

/* How long ppoll() may sleep. */
static struct timespec *server_patience(const Server *server, struct timespec *buffer) {
        int64_t first = INT64_MAX, left;

        for (size_t i = 0; i < server->count; i++)
                if (server->jobs[i].due != 0 && server->jobs[i].due < first)
                        first = server->jobs[i].due;
        if (first == INT64_MAX)
                return NULL;

        left = first - now_msec();
        if (left < 0)
                left = 0;
        *buffer = (struct timespec) { .tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000 };
        return buffer;
}

/* Waits for clients, for work that is done, or for SIGUSR1. The last of `polls` is the listener. */
static void server_wait(const Server *server, struct pollfd *polls, const sigset_t *open_mask) {
        struct timespec buffer;

        for (size_t i = 0; i < server->count; i++)
                polls[i] = (struct pollfd) {
                        .fd = server->jobs[i].due == 0 ? server->jobs[i].fd : -1,
                        .events = POLLIN,
                };
        polls[server->count] = (struct pollfd) {
                .fd = server->count < JOBS_MAX ? server->listener : -1,
                .events = POLLIN,
        };
        if (ppoll(polls, server->count + 1, server_patience(server, &buffer), open_mask) < 0)
                for (size_t i = 0; i <= server->count; i++)
                        polls[i].revents = 0;
}

static void server_work(Server *server, const struct pollfd *polls) {
        size_t count = server->count;
        int64_t now = now_msec();

        /* From the end, since a job that is dropped is replaced by the last one. */
        for (size_t i = count; i-- > 0;) {
                Job *job = &server->jobs[i];

                if (job->due != 0 && job->due <= now) {
                        job_answer(job);
                        server_drop(server, i);
                } else if (polls[i].revents != 0 && !job_read(job))
                        server_drop(server, i);
        }
        if (polls[count].revents != 0)
                server_accept(server);
}

int main(int argc, char **argv) {
        static Server server;
        static struct pollfd polls[JOBS_MAX + 1];
        sigset_t blocked, open_mask;
        int port = argc == 3 ? atoi(argv[1]) : 0;

        if (port <= 0 || port > UINT16_MAX) {
                fprintf(stderr, "usage: legacyd PORT PIDFILE\n");
                return 2;
        }

        signal(SIGHUP, SIG_IGN);
        signal(SIGPIPE, SIG_IGN);
        signal(SIGUSR1, on_usr1);
        sigemptyset(&blocked);
        sigaddset(&blocked, SIGUSR1);
        sigprocmask(SIG_BLOCK, &blocked, &open_mask);

        daemonize();
        pause_msec(PAUSE_MSEC);
        server.listener = server_listen((uint16_t) port);
        pause_msec(PAUSE_MSEC);
        pidfile_write(argv[2]);

        while (server.listener >= 0 || server.count > 0) {
                server_wait(&server, polls, &open_mask);
                server_work(&server, polls);
                if (freeze_wanted)
                        server_freeze(&server);
        }
        return 0;
}
