/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How illbred listens and serves; it speaks what naive does.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"
#include "illbred.h"

/* Before anybody can see that it listens. */
static void write_port(const IllbredOptions *options, int fd) {
        struct sockaddr_in address;
        socklen_t length = sizeof address;

        if (options->port_file && getsockname(fd, (struct sockaddr *) &address, &length) == 0)
                write_file(options->port_file, "%d\n", ntohs(address.sin_port));
}

static int try_to_listen(const IllbredOptions *options) {
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons((uint16_t) options->port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
                die_errno("socket");
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (options->reuse)
                setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
        if (bind(fd, (struct sockaddr *) &address, sizeof address) == 0) {
                write_port(options, fd);
                if (listen(fd, 1024) == 0)
                        return fd;
        }
        close(fd);
        return -1;
}

int illbred_listen(const IllbredOptions *options) {
        const char *inherited = getenv(ILLBRED_LISTENER);
        int fd;

        if (options->port < 0)
                return -1;
        if (inherited)
                return number(inherited);
        while ((fd = try_to_listen(options)) < 0) {
                if (!options->retry)
                        die_errno("bind");
                sleep_ms(50);
        }
        return fd;
}

static void answer(const IllbredOptions *options, int fd) {
        char line[32], text[ANSWER_MAX];
        size_t length = 0;

        while (length < sizeof line - 1) {
                ssize_t got = read(fd, line + length, 1);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0)
                        return;
                if (line[length++] == '\n')
                        break;
        }
        line[length] = '\0';
        if (write_all(fd, TAKEN, strlen(TAKEN)) < 0)
                return;
        sleep_ms(options->delay);
        write_all(fd, text, answer_text(text, atoi(line)));
}

void illbred_serve(const IllbredOptions *options, int listener, bool sessions) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0)
                return;
        if (!sessions)
                answer(options, fd);
        else if (make_process() == 0) {
                sigset_t none;

                sigemptyset(&none);
                sigprocmask(SIG_SETMASK, &none, NULL);
                close(listener);
                setsid();
                illbred_note(options, "session");
                answer(options, fd);
                _exit(0);
        }
        close(fd);
}
