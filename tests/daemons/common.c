/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the ill-bred daemons share; see common.h.
 */

#include "common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_LINES 64

noreturn void die(const char *format, ...) {
        va_list arguments;

        fprintf(stderr, "%s: ", program_invocation_short_name);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fputc('\n', stderr);
        exit(2);
}

noreturn void die_errno(const char *what) {
        die("%s: %s", what, strerror(errno));
}

int number(const char *text) {
        char *end;

        errno = 0;
        long value = strtol(text, &end, 10);
        if (errno || end == text || *end || value < 0 || value > INT_MAX)
                die("no number: %s", text);
        return (int) value;
}

int signal_number(const char *text) {
        for (int signo = 1; signo < SIGRTMIN; signo++) {
                const char *name = sigabbrev_np(signo);
                if (name && strcmp(name, text) == 0)
                        return signo;
        }
        return number(text);
}

long long now_ms(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void sleep_ms(int duration) {
        struct timespec left = { .tv_sec = duration / 1000, .tv_nsec = duration % 1000 * 1000000L };

        while (nanosleep(&left, &left) < 0 && errno == EINTR)
                ;
}

void await_file(const char *path) {
        while (access(path, F_OK) < 0)
                sleep_ms(10);
}

void handle(int signo, void (*handler)(int)) {
        struct sigaction action = { .sa_handler = handler };

        if (sigaction(signo, &action, NULL) < 0)
                die_errno("sigaction");
}

void ignore_signals(void) {
        for (int signo = 1; signo < NSIG; signo++)
                if (signo != SIGCHLD)
                        signal(signo, SIG_IGN); /* SIGKILL and SIGSTOP refuse */
}

void write_file(const char *path, const char *format, ...) {
        char temporary[PATH_MAX];
        va_list arguments;

        if (snprintf(temporary, sizeof temporary, "%s.new%d", path, (int) getpid()) >= PATH_MAX)
                die("path too long: %s", path);
        FILE *stream = fopen(temporary, "we");
        if (!stream)
                die_errno(temporary);
        va_start(arguments, format);
        vfprintf(stream, format, arguments);
        va_end(arguments);
        if (fclose(stream) != 0 || rename(temporary, path) < 0)
                die_errno(path);
}

pid_t make_process(void) {
        fflush(NULL);
        pid_t pid = fork();
        if (pid < 0)
                die_errno("fork");
        return pid;
}

pid_t stale_pid(void) {
        pid_t pid = make_process();
        if (pid == 0)
                _exit(0);
        waitpid(pid, NULL, 0);
        return pid;
}

static int bind_to(int family, const struct sockaddr *address, socklen_t length) {
        int one = 1;
        int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
                die_errno("socket");
        if (family == AF_INET)
                setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (bind(fd, address, length) < 0)
                die_errno("bind");
        return fd;
}

static void let_listen(int fd) {
        if (listen(fd, 1024) < 0)
                die_errno("listen");
}

int bind_tcp(int *port) {
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons((uint16_t) *port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        socklen_t length = sizeof address;

        int fd = bind_to(AF_INET, (struct sockaddr *) &address, length);
        if (getsockname(fd, (struct sockaddr *) &address, &length) < 0)
                die_errno("getsockname");
        *port = ntohs(address.sin_port);
        return fd;
}

int listen_tcp(int *port, const char *port_file) {
        int fd = bind_tcp(port);

        if (port_file)
                write_file(port_file, "%d\n", *port);
        let_listen(fd);
        return fd;
}

int listen_unix(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (strlen(path) >= sizeof address.sun_path)
                die("path too long: %s", path);
        strcpy(address.sun_path, path);
        unlink(path);
        int fd = bind_to(AF_UNIX, (struct sockaddr *) &address, sizeof address);
        let_listen(fd);
        return fd;
}

int write_all(int fd, const char *data, size_t size) {
        while (size > 0) {
                ssize_t written = send(fd, data, size, MSG_NOSIGNAL);
                if (written < 0 && errno == EINTR)
                        continue;
                if (written < 0)
                        return -1;
                data += written;
                size -= (size_t) written;
        }
        return 0;
}

size_t answer_text(char buffer[static ANSWER_MAX], int request) {
        size_t length = 0;

        for (int line = 0; line < ANSWER_LINES; line++)
                length += (size_t) sprintf(
                        buffer + length, "answer %d, line %d: nothing is lost\n", request, line);
        return length + (size_t) sprintf(buffer + length, "end of answer %d\n", request);
}
