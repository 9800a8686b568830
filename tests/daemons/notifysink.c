/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stands in for systemd: notifysink SOCKET FILE [PORTS] appends every datagram of sd_notify(3) that
 * comes to SOCKET to FILE, line by line, after a line "from PID". Ends at SIGTERM.
 *
 * There are free ports in the file PORTS before there is SOCKET, one a line. They stay so until it
 * ends: nobody gets one of them by chance, only who names it, with SO_REUSEADDR.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common.h"

#define PORTS 8

static int bind_socket(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int one = 1;

        if (strlen(path) >= sizeof address.sun_path)
                die("path too long: %s", path);
        strcpy(address.sun_path, path);
        unlink(path);
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                die_errno("socket");
        if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof one) < 0)
                die_errno("SO_PASSCRED");
        if (bind(fd, (struct sockaddr *) &address, sizeof address) < 0)
                die_errno(path);
        return fd;
}

static void reserve_ports(const char *path) {
        FILE *out = fopen(path, "we");

        if (!out)
                die_errno(path);
        for (int i = 0; i < PORTS; i++) {
                int port = 0;

                bind_tcp(&port);
                fprintf(out, "%d\n", port);
        }
        if (fclose(out) != 0)
                die_errno(path);
}

static pid_t sender_of(struct msghdr *message) {
        struct cmsghdr *header = CMSG_FIRSTHDR(message);
        struct ucred credentials;

        if (!header || header->cmsg_type != SCM_CREDENTIALS)
                return 0;
        memcpy(&credentials, CMSG_DATA(header), sizeof credentials);
        return credentials.pid;
}

static void receive(int fd, FILE *out) {
        static char data[65536];
        char control[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(64 * sizeof(int))];
        struct iovec part = { .iov_base = data, .iov_len = sizeof data };
        struct msghdr message = {
                .msg_iov = &part,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = sizeof control,
        };

        ssize_t size = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
        if (size < 0 && errno == EINTR)
                return;
        if (size < 0)
                die_errno("recvmsg");
        fprintf(out, "from %d\n", (int) sender_of(&message));
        fwrite(data, 1, (size_t) size, out);
        if (size == 0 || data[size - 1] != '\n')
                fputc('\n', out);
        fflush(out);
}

int main(int argc, char **argv) {
        if (argc != 3 && argc != 4)
                die("usage: notifysink SOCKET FILE [PORTS]");
        if (argc == 4)
                reserve_ports(argv[3]);
        FILE *out = fopen(argv[2], "ae");
        if (!out)
                die_errno(argv[2]);
        int fd = bind_socket(argv[1]);
        for (;;)
                receive(fd, out);
}
