/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file that is appended to. The file itself is held open and watched, not its name: a rotation
 * that moves it away changes nothing for the daemon either.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "sys/follow.h"
#include "sys/follow_internal.h"

#define FOLLOW_PIECE  ((size_t) 16 << 10)
#define FOLLOW_PIECES 8 /* at a look */

/* The line is whole: it is looked at, and the next one begins. */
static bool follow_end_line(Follow *follow) {
        bool is_it = follow->test(follow->userdata, follow->line, follow->length);

        follow->length = 0;
        follow->cut = false;
        return is_it;
}

static void follow_add(Follow *follow, const char *text, size_t size) {
        size_t room = FOLLOW_LINE_MAX - follow->length;

        if (follow->cut)
                return;
        follow->cut = size > room;
        memcpy(follow->line + follow->length, text, MIN_OF(size, room));
        follow->length += MIN_OF(size, room);
}

static bool follow_take(Follow *follow, const char *piece, size_t size) {
        while (size > 0) {
                const char *end = memchr(piece, '\n', size);
                size_t length = end ? (size_t) (end - piece) : size;

                follow_add(follow, piece, length);
                if (!end)
                        return false;
                if (follow_end_line(follow))
                        return true;
                piece += length + 1;
                size -= length + 1;
        }
        return false;
}

/* One that was emptied is read from its begin; what was read of a line went with the rest. */
static void follow_mind_truncation(Follow *follow) {
        struct stat st;
        off_t at = lseek(follow->fd, 0, SEEK_CUR);

        if (at <= 0 || fstat(follow->fd, &st) < 0 || st.st_size >= at)
                return;
        (void) lseek(follow->fd, 0, SEEK_SET);
        follow->length = 0;
        follow->cut = false;
}

static FollowSight follow_file_look(Follow *follow) {
        FollowSight sight = FOLLOW_NOTHING;
        char piece[FOLLOW_PIECE];

        follow_mind_truncation(follow);
        for (unsigned i = 0; i < FOLLOW_PIECES; i++) {
                ssize_t n = read(follow->fd, piece, sizeof(piece));

                if (n <= 0)
                        break;
                sight = FOLLOW_OTHERS;
                if (follow_take(follow, piece, (size_t) n))
                        return FOLLOW_IT;
        }
        return sight;
}

static int follow_file_on_event(void *userdata, const struct inotify_event *event) {
        (void) event;
        follow_awake(userdata);
        return 0;
}

static int follow_file_watch(Follow *follow, LoopSource **ret) {
        char path[64];

        snprintf(path, sizeof(path), "/proc/self/fd/%d", follow->fd);
        return loop_add_inotify(follow->loop, ret, path, IN_MODIFY, LOOP_TREE, follow->name,
                                follow_file_on_event, follow);
}

static int follow_file_open(Follow *follow) {
        (void) follow; /* it is, since it was made */
        return 0;
}

static void follow_file_close(Follow *follow) {
        follow->fd = fd_close(follow->fd);
}

static const FollowPlace follow_file_place = {
        .open = follow_file_open,
        .watch = follow_file_watch,
        .look = follow_file_look,
        .close = follow_file_close,
};

/* A FIFO would wait for a writer, and what is read from it is lost for others. */
static int follow_file_reach(const char *path, int *ret) {
        CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        struct stat st;

        if (fd < 0)
                return errno == ENOMEM || errno == EMFILE || errno == ENFILE ? errno_negative()
                                                                             : FOLLOW_E_ABSENT;
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || lseek(fd, 0, SEEK_END) < 0)
                return FOLLOW_E_ABSENT;
        *ret = fd;
        fd = -1;
        return 0;
}

int follow_file_new(Loop *loop, const char *name, const char *path, Follow **ret) {
        CLEANUP(follow_freep) Follow *follow = follow_new(loop, name, &follow_file_place);

        if (!follow)
                return -ENOMEM;
        int r = follow_file_reach(path, &follow->fd);
        if (r != 0)
                return r;
        *ret = TAKE(follow);
        return 0;
}
