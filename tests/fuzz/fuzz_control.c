/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The control socket with anything from a client: the whole control layer over the stubs of the
 * service layer. The first byte says whether the rest follows a proper authentication ('+') or is
 * all that is sent. Whatever comes, the client is served or hung up on, and everything is given
 * back.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "control/frame.h"
#include "control/server.h"
#include "control/text.h"
#include "stub_service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the other side takes before it reads; the rest of a longer input is not sent. */
#define SENT_MAX (96u << 10)

static const char login[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";

static void require(bool condition) {
        if (!condition)
                abort();
}

static void check_parts(const uint8_t *data, size_t size) {
        unsigned count = 0;
        char *text = calloc(1, size + 1);

        require(text);
        if (size > 0)
                memcpy(text, data, size);
        if (frame_check(data, size, &count) == 0)
                require(count <= size / 16);
        count = 0;
        if (frame_check_login(data, size, &count) == 0)
                require(count <= size / 16);
        text_repair(text);
        require(text_is_valid(text));
        free(text);
}

typedef struct Ending {
        Loop *loop;
        int fd;
} Ending;

/* Reads answers until the server hangs up. */
static int on_answer(void *userdata, uint32_t revents) {
        const Ending *ending = userdata;
        char buffer[4096];

        (void) revents;
        if (read(ending->fd, buffer, sizeof(buffer)) <= 0)
                return loop_exit(ending->loop, 0);
        return 0;
}

static int connect_to(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        strcpy(address.sun_path, path);
        require(fd >= 0 && connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0);
        return fd;
}

static void serve(Loop *loop, const char *path, const uint8_t *data, size_t size) {
        Ending ending = { .loop = loop, .fd = connect_to(path) };
        LoopSource *source = NULL;

        if (data[0] == '+')
                require(write(ending.fd, login, sizeof(login) - 1) == sizeof(login) - 1);
        (void) !write(ending.fd, data + 1, MIN_OF(size - 1, (size_t) SENT_MAX));
        require(shutdown(ending.fd, SHUT_WR) == 0);
        require(loop_add_io(loop, &source, ending.fd, EPOLLIN, LOOP_NORMAL, "client", on_answer,
                            &ending) >= 0);
        require(loop_run(loop) >= 0);
        loop_source_free(source);
        close(ending.fd);
}

static void drop_line(void *userdata, int priority, const LogContext *context, const char *text) {
        (void) userdata;
        (void) priority;
        (void) context;
        (void) text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char path[64];
        Loop *loop = NULL;
        Control *control = NULL;

        if (size == 0)
                return 0;
        check_parts(data + 1, size - 1);

        log_use(drop_line, NULL);
        (void) snprintf(path, sizeof(path), "/tmp/fuzz-control-%d", getpid());
        require(loop_new(&loop) == 0);
        Supervisor *supervisor = stub_new(loop, path, (gid_t) -1, (gid_t) -1);
        require(control_new(loop, supervisor, &control) == 0);
        serve(loop, path, data, size);
        control_free(control);
        stub_free(supervisor);
        loop_free(loop);
        require(access(path, F_OK) < 0);
        return 0;
}
