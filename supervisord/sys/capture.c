/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A pipe, read into the end of a small buffer. Never blocks. */

#include "sys/capture.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

#define CAPTURE_PIECE ((size_t) 16 << 10)

/* So many pieces in that time: 10 MiB/s, a thousandth of what a processor can copy. */
#define CAPTURE_BURST    64
#define CAPTURE_INTERVAL (100 * USEC_PER_MSEC)

/* What a pipe holds at its end, and some more from those who write on. */
#define CAPTURE_LAST_PIECES 8

struct Capture {
        LoopSource *source;
        int read_fd, write_fd; /* -1: closed */
        size_t size;
        char end[CAPTURE_MAX + 1];
};

/* Keeps the end of what there was and of what came. */
static void capture_keep(Capture *capture, const char *piece, size_t size) {
        if (size > CAPTURE_MAX) {
                piece += size - CAPTURE_MAX;
                size = CAPTURE_MAX;
        }
        size_t kept = MIN_OF(capture->size, CAPTURE_MAX - size);

        memmove(capture->end, capture->end + capture->size - kept, kept);
        memcpy(capture->end + kept, piece, size);
        capture->size = kept + size;
}

/* One piece; false if there was none, for now or for ever (*ret_over). */
static bool capture_read(Capture *capture, bool *ret_over) {
        char piece[CAPTURE_PIECE];
        ssize_t n = read(capture->read_fd, piece, sizeof(piece));

        *ret_over = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
        if (n > 0)
                capture_keep(capture, piece, (size_t) n);
        return n > 0;
}

static void capture_close(Capture *capture) {
        capture->source = loop_source_free(capture->source);
        capture->read_fd = fd_close(capture->read_fd);
        capture->write_fd = fd_close(capture->write_fd);
}

static int capture_on_readable(void *userdata, uint32_t revents) {
        Capture *capture = userdata;
        bool over;

        (void) revents;
        if (!capture_read(capture, &over) && over)
                capture_close(capture);
        return 0;
}

static int capture_open(Capture *capture) {
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return errno_negative();
        capture->read_fd = fds[0];
        capture->write_fd = fds[1];
        /* of the two ends only this one: each has flags of its own */
        return fcntl(capture->read_fd, F_SETFL, O_NONBLOCK) < 0 ? errno_negative() : 0;
}

int capture_new(Loop *loop, const char *name, Capture **ret) {
        CLEANUP(capture_freep) Capture *capture = calloc(1, sizeof(*capture));
        if (!capture)
                return -ENOMEM;
        capture->read_fd = capture->write_fd = -1;

        int r = capture_open(capture);
        if (r >= 0)
                r = loop_add_io(loop, &capture->source, capture->read_fd, EPOLLIN, LOOP_PROBE, name,
                                capture_on_readable, capture);
        if (r >= 0)
                r = loop_io_limit(capture->source, CAPTURE_INTERVAL, CAPTURE_BURST);
        if (r < 0)
                return r;
        *ret = TAKE(capture);
        return 0;
}

Capture *capture_free(Capture *capture) {
        if (!capture)
                return NULL;
        capture_close(capture);
        free(capture);
        return NULL;
}

int capture_fd(const Capture *capture) {
        return capture->write_fd;
}

void capture_started(Capture *capture) {
        capture->write_fd = fd_close(capture->write_fd);
}

const char *capture_end(Capture *capture, size_t *ret_size) {
        bool over;

        for (unsigned i = 0; i < CAPTURE_LAST_PIECES && capture->read_fd >= 0; i++)
                if (!capture_read(capture, &over))
                        break;
        capture_close(capture);
        capture->end[capture->size] = '\0';
        *ret_size = capture->size;
        return capture->end;
}
