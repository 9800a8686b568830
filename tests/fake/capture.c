/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/capture.h on the fake world: what a process says while its capture is open. Who inherits the
 * descriptor of it says nothing.
 */

#include "sys/capture.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "fake/fake.h"
#include "fake/parts.h"

struct Capture {
        Capture *next;
        int fd;           /* -1: the command has its copy */
        uint64_t process; /* key; 0: none yet */
        size_t size;
        char end[CAPTURE_MAX + 1];
};

static Capture *captures;

void fake_captures_reset(void) {
        captures = NULL;
}

int capture_new(Loop *loop, const char *name, Capture **ret) {
        (void) loop;

        int r = fake_door(DOOR_CAPTURE);
        if (r < 0)
                return r;
        Capture *capture = calloc(1, sizeof(*capture));
        if (!capture)
                return -ENOMEM;
        capture->fd = descriptor_new(DESCRIPTOR_STREAM, NULL, name);
        capture->next = captures;
        captures = capture;
        *ret = capture;
        return 0;
}

Capture *capture_free(Capture *capture) {
        if (!capture)
                return NULL;

        Capture **place = &captures;
        while (*place != capture)
                place = &(*place)->next;
        *place = capture->next;
        fd_close(capture->fd);
        free(capture);
        return NULL;
}

int capture_pass_on(Capture *capture, int output_consume) {
        (void) capture;
        fd_close(output_consume);
        return 0;
}

/* Who inherits it says nothing. */
bool capture_leave(Capture *capture) {
        capture->fd = fd_close(capture->fd);
        capture->process = 0;
        return false;
}

int capture_fd(const Capture *capture) {
        return capture->fd;
}

void capture_started(Capture *capture) {
        capture->fd = fd_close(capture->fd);
}

const char *capture_end(Capture *capture, size_t *ret_size) {
        capture_started(capture);
        capture->process = 0;
        *ret_size = capture->size;
        return capture->end;
}

void fake_capture_process(int fd, const FakeProcess *process) {
        for (Capture *capture = captures; capture && fd >= 0; capture = capture->next)
                if (capture->fd == fd)
                        capture->process = process_key(process);
}

void fake_capture_say(const FakeProcess *process, const char *text) {
        for (Capture *capture = captures; capture; capture = capture->next) {
                if (capture->process != process_key(process))
                        continue;
                strncat(capture->end, text, CAPTURE_MAX - capture->size);
                capture->size = strlen(capture->end);
        }
}
