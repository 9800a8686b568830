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

#define LOOP_REST ((LoopPriority) (LOOP_ACCEPT + 1))

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

/* A client: it logs in, sends, and hangs up, each when what was before has been dealt with. */
typedef struct Sender {
        Loop *loop;
        LoopSource *rest;
        int fd;
        const uint8_t *data;
        size_t size;
        bool sent;
} Sender;

/* Reads answers until the server hangs up. */
static int on_answer(void *userdata, uint32_t revents) {
        const Sender *sender = userdata;
        char buffer[4096];

        (void) revents;
        if (read(sender->fd, buffer, sizeof(buffer)) <= 0)
                return loop_exit(sender->loop, 0);
        return 0;
}

static int on_rest(void *userdata) {
        Sender *sender = userdata;

        if (sender->sent) {
                (void) shutdown(sender->fd, SHUT_WR);
                return 0;
        }
        (void) send(sender->fd, sender->data, MIN_OF(sender->size, (size_t) SENT_MAX),
                    MSG_NOSIGNAL);
        sender->sent = true;
        return loop_defer_arm(sender->rest);
}

static int connect_to(const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        strcpy(address.sun_path, path);
        require(fd >= 0 && connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0);
        return fd;
}

static void serve(Loop *loop, const char *path, const uint8_t *data, size_t size) {
        Sender sender = {
                .loop = loop,
                .fd = connect_to(path),
                .data = data + 1,
                .size = size - 1,
        };
        LoopSource *source = NULL;

        if (data[0] == '+')
                require(write(sender.fd, login, sizeof(login) - 1) == sizeof(login) - 1);
        require(loop_add_io(loop, &source, sender.fd, EPOLLIN, LOOP_NORMAL, "client", on_answer,
                            &sender) >= 0);
        require(loop_add_defer(loop, &sender.rest, LOOP_REST, "rest", on_rest, &sender) >= 0);
        require(loop_defer_arm(sender.rest) >= 0);
        require(loop_run(loop) >= 0);
        loop_source_free(source);
        loop_source_free(sender.rest);
        close(sender.fd);
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
