/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Speaks sd_notify(3) by hand, rightly and wrongly. Also the stranger who writes to somebody else's
 * notify socket.
 */

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common.h"

static const char usage[] =
        "notifier [-r MS | -a FILE | -n] [-w KIND]... [-t TEXT]... [-s PATH]\n"
        "         [-S SOCKET] [-c COUNT] [-H FILE | -W FILE]\n"
        "  -r  READY=1 after so long (0 is the default); -a: once there is FILE; -n: never\n"
        "  -w  before that a wrong datagram: long, malformed, empty, nul, number, descriptor\n"
        "  -t  before that a datagram with this text\n"
        "  -s  write the path of NOTIFY_SOCKET into this file\n"
        "  -S  be a stranger: send to this socket what -w and -t say (without them READY=1), exit\n"
        "  -c  send each datagram so many times\n"
        "  -H  at SIGHUP say RELOADING=1, and READY=1 once there is FILE, which it removes\n"
        "  -W  WATCHDOG=1 as often as it is told to by its environment, while there is FILE\n";

typedef struct Options {
        int ready_after, count;
        bool never;
        const char *await, *stranger_to, *watchdog;
        const char *reload; /* NULL: SIGHUP ends it */
} Options;

static Options options = { .count = 1 };
static const char *socket_path;

static void send_raw(const char *data, size_t size, int passed_fd) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = { 0 };
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct iovec part = { .iov_base = (char *) data, .iov_len = size };
        struct msghdr message = {
                .msg_name = &address,
                .msg_namelen = sizeof address,
                .msg_iov = &part,
                .msg_iovlen = 1,
        };

        if (strlen(socket_path) >= sizeof address.sun_path)
                die("path too long: %s", socket_path);
        strcpy(address.sun_path, socket_path);
        if (address.sun_path[0] == '@')
                address.sun_path[0] = '\0';
        if (passed_fd >= 0) {
                message.msg_control = &control;
                message.msg_controllen = sizeof control;
                control.header.cmsg_level = SOL_SOCKET;
                control.header.cmsg_type = SCM_RIGHTS;
                control.header.cmsg_len = CMSG_LEN(sizeof(int));
                memcpy(CMSG_DATA(&control.header), &passed_fd, sizeof passed_fd);
        }

        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                die_errno("socket");
        for (int i = 0; i < options.count; i++)
                if (sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
                        die_errno("sendmsg");
        close(fd);
}

static void send_text(const char *text) {
        send_raw(text, strlen(text), -1);
}

/* Every one of them says READY=1 as well, so that whoever believes a part of it is found out. */
static void send_wrong(const char *kind) {
        static char big[64 * 1024];

        if (strcmp(kind, "long") == 0) {
                memset(big, 'x', sizeof big);
                memcpy(big, "READY=1\nSTATUS=", strlen("READY=1\nSTATUS="));
                send_raw(big, sizeof big, -1);
        } else if (strcmp(kind, "malformed") == 0)
                send_text("READY=1\nthis is no assignment\n\033[31m");
        else if (strcmp(kind, "empty") == 0)
                send_text("");
        else if (strcmp(kind, "nul") == 0)
                send_raw("READY=1\0READY=1", 15, -1);
        else if (strcmp(kind, "number") == 0)
                send_text("READY=1\nMAINPID=99999999999999999999");
        else if (strcmp(kind, "descriptor") == 0)
                send_raw("FDSTORE=1\nFDNAME=stdin", 22, STDIN_FILENO);
        else
                die("no kind of datagram: %s", kind);
}

static const char letters[] = "r:a:nw:t:s:S:c:H:W:h";

/* What does not send comes first, then the datagrams in the order in which they are given. */
static void parse_options(int argc, char **argv) {
        int option;

        socket_path = getenv("NOTIFY_SOCKET");
        while ((option = getopt(argc, argv, letters)) != -1) {
                switch (option) {
                case 'r':
                        options.ready_after = number(optarg);
                        break;
                case 'a':
                        options.await = optarg;
                        break;
                case 'n':
                        options.never = true;
                        break;
                case 's':
                        write_file(optarg, "%s\n", socket_path ? socket_path : "");
                        break;
                case 'S':
                        options.stranger_to = socket_path = optarg;
                        break;
                case 'c':
                        options.count = number(optarg);
                        break;
                case 'H':
                        options.reload = optarg;
                        break;
                case 'W':
                        options.watchdog = optarg;
                        break;
                case 'w':
                case 't':
                        break;
                default:
                        die("usage:\n%s", usage);
                }
        }
        if (!socket_path)
                die("NOTIFY_SOCKET is not set");
}

static int send_all(int argc, char **argv) {
        int option, sent = 0;

        optind = 1;
        while ((option = getopt(argc, argv, letters)) != -1) {
                if (option == 'w')
                        send_wrong(optarg);
                else if (option == 't')
                        send_text(optarg);
                else
                        continue;
                sent++;
        }
        return sent;
}

static void on_hangup(int signo) {
        (void) signo; /* it interrupts the waiting */
}

/* Whoever is ready may be told to reload at once: *ret is what to wait with. */
static void hear_reloads(sigset_t *ret) {
        sigset_t blocked;

        sigemptyset(&blocked);
        sigaddset(&blocked, SIGHUP);
        sigprocmask(SIG_BLOCK, &blocked, ret);
        handle(SIGHUP, on_hangup);
}

static void wait_for_reloads(const sigset_t *waiting) {
        for (;;) {
                sigsuspend(waiting);
                send_text("RELOADING=1");
                await_file(options.reload);
                unlink(options.reload);
                send_text("READY=1");
        }
}

/* As sd_watchdog_enabled(3) has it. */
static void feed_watchdog(void) {
        const char *limit = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

        if (!limit || !pid || number(pid) != getpid())
                die("no watchdog waits for %d", (int) getpid());
        for (;; sleep_ms(number(limit) / 1000 / 4))
                if (access(options.watchdog, F_OK) == 0)
                        send_text("WATCHDOG=1");
}

int main(int argc, char **argv) {
        sigset_t waiting;

        parse_options(argc, argv);
        if (options.reload)
                hear_reloads(&waiting);
        int sent = send_all(argc, argv);
        if (options.stranger_to) {
                if (sent == 0)
                        send_text("READY=1");
                return 0;
        }

        sleep_ms(options.ready_after);
        if (options.await)
                await_file(options.await);
        if (!options.never)
                send_text("READY=1\nSTATUS=notifier is at work");
        if (options.reload)
                wait_for_reloads(&waiting);
        if (options.watchdog)
                feed_watchdog();
        for (;;)
                pause();
}
