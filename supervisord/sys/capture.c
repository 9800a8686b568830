/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A pipe, read into the end of a small buffer. Never blocks. */

#include "sys/capture.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

#define CAPTURE_PIECE ((size_t) 16 << 10)

/* So many pieces in that time: 10 MiB/s, a thousandth of what a processor can copy. */
#define CAPTURE_BURST    64
#define CAPTURE_INTERVAL (100 * USEC_PER_MSEC)

/* What a pipe holds at its end, and some more from those who write on. */
#define CAPTURE_LAST_PIECES 8

/* What is passed on: what poll(2) calls writable takes as much without a wait. */
#define CAPTURE_PASSED_PIECE ((size_t) 4 << 10)

/* A full pipe. */
#define CAPTURE_LAST_PASSED_PIECES 24

struct Capture {
        LoopSource *source;
        int read_fd, write_fd; /* -1: closed */
        bool passes_on;
        Loop *loop;
        LoopSource *again; /* what waits for the output */
        int output; /* -1: none */
        char waiting[CAPTURE_PASSED_PIECE]; /* for the output to take it */
        size_t waiting_size;
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

/* Writes without waiting; what was written, or -1. */
static ssize_t capture_write(int fd, const char *text, size_t size) {
        struct pollfd writable = { .fd = fd, .events = POLLOUT };
        ssize_t n = send(fd, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n >= 0 || errno != ENOTSOCK)
                return n;
        if (poll(&writable, 1, 0) == 1)
                return write(fd, text, size);
        errno = EAGAIN;
        return -1;
}

/* Whether nothing waits any more; who cannot be written to any more gets nothing. */
static bool capture_flush(Capture *capture) {
        ssize_t n;

        if (capture->waiting_size == 0)
                return true;
        n = capture_write(capture->output, capture->waiting, capture->waiting_size);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return false;
        if (n < 0)
                n = (ssize_t) capture->waiting_size;
        capture->waiting_size -= (size_t) n;
        memmove(capture->waiting, capture->waiting + n, capture->waiting_size);
        return capture->waiting_size == 0;
}

/* A file gives no event; others need none. */
static bool capture_flush_later(Capture *capture) {
        bool flushed = capture_flush(capture);

        if (!flushed)
                loop_timer_set(capture->again,
                               usec_add(loop_now(capture->loop), CAPTURE_INTERVAL));
        return flushed;
}

static int capture_on_again(void *userdata) {
        (void) capture_flush_later(userdata);
        return 0;
}

/* One piece; false if there was none, for now or for ever (*ret_over). */
static bool capture_read(Capture *capture, bool *ret_over) {
        char piece[CAPTURE_PIECE];
        bool passed = capture->output >= 0;

        *ret_over = false;
        if (passed && !capture_flush(capture))
                return false;
        ssize_t n = read(capture->read_fd, piece, passed ? CAPTURE_PASSED_PIECE : sizeof(piece));

        *ret_over = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
        if (n <= 0)
                return false;
        capture_keep(capture, piece, (size_t) n);
        if (passed) {
                memcpy(capture->waiting, piece, (size_t) n);
                capture->waiting_size = (size_t) n;
                (void) capture_flush_later(capture);
        }
        return true;
}

static void capture_close(Capture *capture) {
        capture->source = loop_source_free(capture->source);
        capture->again = loop_source_free(capture->again);
        capture->output = fd_close(capture->output);
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
        capture->read_fd = capture->write_fd = capture->output = -1;
        capture->loop = loop;

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

int capture_pass_on(Capture *capture, int output_consume) {
        char path[64];

        capture->passes_on = true;
        capture->output = output_consume;
        int r = loop_add_timer(capture->loop, &capture->again, LOOP_PROBE, "capture",
                               capture_on_again, capture);
        if (r < 0)
                return r;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", capture->write_fd);
        int fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return errno_negative();
        fd_close(capture->write_fd);
        capture->write_fd = fd;
        return 0;
}

void capture_started(Capture *capture) {
        if (!capture->passes_on)
                capture->write_fd = fd_close(capture->write_fd);
}

/* The flags are those of all who have inherited this end. */
static void capture_release(Capture *capture) {
        if (capture->write_fd >= 0 && capture->passes_on)
                (void) fcntl(capture->write_fd, F_SETFL, O_NONBLOCK);
        capture->write_fd = fd_close(capture->write_fd);
}

static void capture_drain(Capture *capture, unsigned pieces) {
        bool over;

        while (pieces-- > 0 && capture->read_fd >= 0)
                if (!capture_read(capture, &over)) {
                        if (over)
                                capture_close(capture);
                        return;
                }
}

bool capture_leave(Capture *capture) {
        capture_release(capture);
        capture_drain(capture, CAPTURE_LAST_PASSED_PIECES);
        return capture->read_fd >= 0;
}

const char *capture_end(Capture *capture, size_t *ret_size) {
        capture_release(capture);
        capture_drain(capture,
                      capture->passes_on ? CAPTURE_LAST_PASSED_PIECES : CAPTURE_LAST_PIECES);
        capture_close(capture);
        capture->end[capture->size] = '\0';
        *ret_size = capture->size;
        return capture->end;
}
