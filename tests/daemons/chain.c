/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A naive server in front of another one: for each request it asks the one behind and answers only
 * when that has. It dies of SIGTERM at once. A process per connection; see common.h for what is
 * spoken.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"

static const char usage[] = "chain -P FILE -b FILE [-d MS]\n"
                            "  -P  write the port into FILE before it listens\n"
                            "  -b  the file with the port of the one behind\n"
                            "  -d  time until it asks\n";

static const char *port_file, *behind;
static int delay;

static int read_line(int fd, char *line, size_t size) {
        size_t length = 0;

        while (length < size - 1 && read(fd, line + length, 1) == 1)
                if (line[length++] == '\n')
                        break;
        line[length] = '\0';
        return length > 0 ? 0 : -1;
}

static int port_behind(void) {
        char text[16] = "";
        FILE *stream = fopen(behind, "re");

        if (!stream || !fgets(text, sizeof text, stream))
                die_errno(behind);
        fclose(stream);
        text[strcspn(text, "\n")] = '\0';
        return number(text);
}

static int connect_behind(void) {
        struct sockaddr_in address = { .sin_family = AF_INET };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        address.sin_port = htons((in_port_t) port_behind());
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof address) < 0)
                die_errno("the one behind");
        return fd;
}

/* What the one behind says after its TAKEN goes on to the client as it is. */
static void serve(int fd) {
        char line[64], data[4096];
        ssize_t got;

        if (read_line(fd, line, sizeof line) < 0 || write_all(fd, TAKEN, strlen(TAKEN)) < 0)
                return;
        sleep_ms(delay);
        int back = connect_behind();
        if (write_all(back, line, strlen(line)) < 0 || read_line(back, line, sizeof line) < 0)
                die("the one behind has gone");
        while ((got = read(back, data, sizeof data)) > 0)
                if (write_all(fd, data, (size_t) got) < 0)
                        return;
}

int main(int argc, char **argv) {
        int option, port = 0;

        while ((option = getopt(argc, argv, "P:b:d:h")) != -1)
                switch (option) {
                case 'P':
                        port_file = optarg;
                        break;
                case 'b':
                        behind = optarg;
                        break;
                case 'd':
                        delay = number(optarg);
                        break;
                default:
                        die("usage:\n%s", usage);
                }
        if (!port_file || !behind)
                die("usage:\n%s", usage);

        int listener = listen_tcp(&port, port_file);
        signal(SIGCHLD, SIG_IGN);
        for (;;) {
                int fd = accept(listener, NULL, NULL);

                if (fd >= 0 && make_process() == 0) {
                        close(listener);
                        serve(fd);
                        _exit(0);
                }
                if (fd >= 0)
                        close(fd);
        }
}
