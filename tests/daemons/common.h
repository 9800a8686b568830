/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the ill-bred daemons share. They are test programs: whatever goes wrong ends them at once
 * with status 2 and a line on stderr.
 */

#include <signal.h>
#include <stddef.h>
#include <stdnoreturn.h>
#include <sys/types.h>

/* Room for the whole answer to a request. */
#define ANSWER_MAX 8192

noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
noreturn void die_errno(const char *what);

/* A number within 0 … INT_MAX, or death. */
int number(const char *text);
/* "USR1" or "10". */
int signal_number(const char *text);

/* Milliseconds of CLOCK_MONOTONIC. */
long long now_ms(void);
/* Sleeps that long, whatever signals come. */
void sleep_ms(int duration);
/* Waits until there is such a file. */
void await_file(const char *path);

/* Lets `handler` run at the signal, without SA_RESTART. */
void handle(int signo, void (*handler)(int));
/* Ignores every signal that can be ignored but SIGCHLD. */
void ignore_signals(void);

/* Writes the file so that it appears as a whole. */
void write_file(const char *path, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Forks; dies if it cannot. */
pid_t make_process(void);
/* A process number that no process has. */
pid_t stale_pid(void);

/* A bound TCP socket on 127.0.0.1; *port 0 is replaced by the port that it got. */
int bind_tcp(int *port);
/* The same, and it listens. Its port is in `port_file` (NULL: nowhere) before anybody sees that. */
int listen_tcp(int *port, const char *port_file);
/* A listening UNIX socket; replaces what is there. */
int listen_unix(const char *path);

/* Writes everything: 0, or -1 if the other side is gone. */
int write_all(int fd, const char *data, size_t size);

/*
 * The protocol of naive and client. The client sends "NUMBER\n", the server says TAKEN as soon as
 * it has read that, and later answer_text(), in which every line is known; then it closes.
 */
#define TAKEN "taken\n"
size_t answer_text(char buffer[static ANSWER_MAX], int request);
