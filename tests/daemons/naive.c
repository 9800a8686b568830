/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A naive TCP server: it answers each request after a while. SIGTERM ends it at once, whatever it
 * is doing; only the graceful signal lets it close its listener, finish what it has taken in and
 * exit. See common.h for what is spoken.
 *
 * The graceful signal is blocked but in ppoll(), in the main thread, so it cuts nothing short.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

static const char usage[] =
        "naive [-p PORT] [-u PATH] [-P FILE] [-m thread|fork|single] [-d MS] [-g SIGNAL]\n"
        "      [-A FILE] [-w MS] [-a FILE] [-b [-f PIDFILE] [-l MS]] [-x] [-i FILE]\n"
        "      [-c FILE [-t]]\n"
        "  -p  port on 127.0.0.1; 0 (the default): any\n"
        "  -u  listen at a UNIX socket instead\n"
        "  -P  write the port into FILE before it listens\n"
        "  -m  a thread (the default) or a process per connection, or one after the other\n"
        "  -d  time until a request is answered; -A: it is answered only once there is FILE\n"
        "  -g  the graceful signal; USR1 by default\n"
        "  -w  time until it listens; -a: it listens only once there is FILE\n"
        "  -b  daemonize by a double fork; -f: write a pidfile, -l: so much later\n"
        "  -x  ignore SIGTERM, SIGINT, SIGHUP and SIGQUIT\n"
        "  -i  add a line to FILE at each start, and each time that its configuration is read\n"
        "  -c  its configuration, read at the start and at SIGHUP: unless its first word is good,\n"
        "      that ends it with status 3; -t: only test it, and exit\n";

typedef enum Mode {
        MODE_THREAD,
        MODE_FORK,
        MODE_SINGLE,
} Mode;

typedef struct Options {
        int port;
        const char *path, *port_file, *pidfile, *log, *await, *answer_await, *config;
        Mode mode;
        int delay, listen_delay, pidfile_delay;
        int graceful;
        bool background, deaf, test;
} Options;

static Options options = { .graceful = SIGUSR1, .delay = 0 };
static volatile sig_atomic_t asked_to_end, asked_to_reload;

static void on_graceful(int signo) {
        (void) signo;
        asked_to_end = 1;
}

static void on_hangup(int signo) {
        (void) signo;
        asked_to_reload = 1;
}

static void add_to_log(const char *what) {
        FILE *stream = options.log ? fopen(options.log, "ae") : NULL;

        if (!stream)
                return;
        if (fprintf(stream, "%s %d\n", what, (int) getpid()) < 0 || fclose(stream) != 0)
                die_errno(options.log);
}

static void read_config(void) {
        char word[64] = "";
        FILE *stream = fopen(options.config, "re");

        if (stream) {
                (void) !fscanf(stream, "%63s", word);
                (void) fclose(stream);
        }
        if (strcmp(word, "good") == 0) {
                add_to_log("configured");
                return;
        }
        fprintf(stderr, "naive: reading %s\nnaive: \"%s\" is not good\n", options.config, word);
        exit(3);
}

static Mode mode_from_text(const char *text) {
        if (strcmp(text, "thread") == 0)
                return MODE_THREAD;
        if (strcmp(text, "fork") == 0)
                return MODE_FORK;
        if (strcmp(text, "single") == 0)
                return MODE_SINGLE;
        die("no mode: %s", text);
}

/* The number of the request; -1 if the client went away. */
static int read_request(int fd) {
        char line[32];
        size_t length = 0;

        while (length < sizeof line - 1) {
                ssize_t got = read(fd, line + length, 1);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0)
                        return -1;
                if (line[length++] == '\n')
                        break;
        }
        line[length] = '\0';
        return atoi(line);
}

static void serve(int fd) {
        char answer[ANSWER_MAX];

        int request = read_request(fd);
        if (request >= 0 && write_all(fd, TAKEN, strlen(TAKEN)) == 0) {
                sleep_ms(options.delay);
                if (options.answer_await)
                        await_file(options.answer_await);
                write_all(fd, answer, answer_text(answer, request));
        }
        close(fd);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t one_less = PTHREAD_COND_INITIALIZER;
static unsigned threads;

static void *serve_thread(void *argument) {
        serve((int) (intptr_t) argument);
        pthread_mutex_lock(&lock);
        threads--;
        pthread_cond_signal(&one_less);
        pthread_mutex_unlock(&lock);
        return NULL;
}

static void take_by_thread(int fd) {
        pthread_attr_t attributes;
        pthread_t thread;

        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_attr_setstacksize(&attributes, 128 * 1024);
        pthread_mutex_lock(&lock);
        threads++;
        pthread_mutex_unlock(&lock);
        if (pthread_create(&thread, &attributes, serve_thread, (void *) (intptr_t) fd) != 0)
                die("no more threads");
        pthread_attr_destroy(&attributes);
}

static void take_by_process(int listener, int fd) {
        if (make_process() == 0) {
                close(listener);
                serve(fd);
                _exit(0);
        }
        close(fd);
}

static void take(int listener, int fd) {
        switch (options.mode) {
        case MODE_THREAD:
                take_by_thread(fd);
                break;
        case MODE_FORK:
                take_by_process(listener, fd);
                break;
        case MODE_SINGLE:
                serve(fd);
                break;
        }
}

static void finish(void) {
        pthread_mutex_lock(&lock);
        while (threads > 0)
                pthread_cond_wait(&one_less, &lock);
        pthread_mutex_unlock(&lock);
        while (wait(NULL) > 0 || errno == EINTR)
                ;
}

/* Takes in whatever waits at the listener. */
static void accept_all(int listener) {
        for (;;) {
                int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                if (fd >= 0)
                        take(listener, fd);
                else if (errno != EINTR && errno != ECONNABORTED)
                        return;
        }
}

static void run(int listener) {
        sigset_t blocked, waiting;
        struct pollfd entry = { .fd = listener, .events = POLLIN };

        sigemptyset(&blocked);
        sigaddset(&blocked, options.graceful);
        if (options.config)
                sigaddset(&blocked, SIGHUP);
        sigprocmask(SIG_BLOCK, &blocked, &waiting);
        sigdelset(&waiting, options.graceful);
        sigdelset(&waiting, SIGHUP);
        fcntl(listener, F_SETFL, O_NONBLOCK);

        while (!asked_to_end) {
                if (asked_to_reload) { /* also before it was blocked */
                        asked_to_reload = 0;
                        read_config();
                }
                if (ppoll(&entry, 1, NULL, &waiting) > 0)
                        accept_all(listener);
                while (options.mode == MODE_FORK && waitpid(-1, NULL, WNOHANG) > 0)
                        ;
        }
        accept_all(listener);
        close(listener);
        if (options.path)
                unlink(options.path);
        finish();
}

static void go_to_background(void) {
        if (make_process() > 0)
                _exit(0);
        setsid();
        if (make_process() > 0)
                _exit(0);
}

static void parse_options(int argc, char **argv) {
        int option;

        while ((option = getopt(argc, argv, "p:u:P:m:d:g:w:a:A:bf:l:xi:c:th")) != -1) {
                switch (option) {
                case 'p':
                        options.port = number(optarg);
                        break;
                case 'u':
                        options.path = optarg;
                        break;
                case 'P':
                        options.port_file = optarg;
                        break;
                case 'm':
                        options.mode = mode_from_text(optarg);
                        break;
                case 'd':
                        options.delay = number(optarg);
                        break;
                case 'g':
                        options.graceful = signal_number(optarg);
                        break;
                case 'w':
                        options.listen_delay = number(optarg);
                        break;
                case 'a':
                        options.await = optarg;
                        break;
                case 'A':
                        options.answer_await = optarg;
                        break;
                case 'b':
                        options.background = true;
                        break;
                case 'f':
                        options.pidfile = optarg;
                        break;
                case 'l':
                        options.pidfile_delay = number(optarg);
                        break;
                case 'x':
                        options.deaf = true;
                        break;
                case 'i':
                        options.log = optarg;
                        break;
                case 'c':
                        options.config = optarg;
                        break;
                case 't':
                        options.test = true;
                        break;
                default:
                        die("usage:\n%s", usage);
                }
        }
}

int main(int argc, char **argv) {
        parse_options(argc, argv);
        if (options.config) {
                handle(SIGHUP, on_hangup);
                read_config();
        }
        if (options.test)
                return 0;
        if (options.background)
                go_to_background();
        if (options.deaf)
                ignore_signals();
        handle(options.graceful, on_graceful);
        add_to_log("started");

        sleep_ms(options.listen_delay);
        if (options.await)
                await_file(options.await);
        int listener = options.path ? listen_unix(options.path)
                                    : listen_tcp(&options.port, options.port_file);
        if (options.pidfile) {
                sleep_ms(options.pidfile_delay);
                write_file(options.pidfile, "%d\n", (int) getpid());
        }
        run(listener);
        return 0;
}
