/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/follow.h on the fake world: what the processes of a daemon say, wherever they write. A line
 * is a whole one when it ends.
 */

#include "sys/follow.h"

#include <errno.h>
#include <string.h>

#include "fake/fake.h"
#include "fake/parts.h"

struct Follow {
        Follow *next;
        Loop *loop;
        const char *name;
        LoopSource *source; /* NULL: it was not started, or has found the line */
        FollowTest test;
        LoopHandler found;
        void *userdata;
        size_t length;
        char text[FOLLOW_LINE_MAX]; /* what was not looked at yet */
};

static Follow *follows;

void fake_follows_reset(void) {
        follows = NULL;
}

int follow_file_new(Loop *loop, const char *name, const char *path, Follow **ret) {
        (void) path;

        int r = fake_door(DOOR_FOLLOW);
        if (r < 0)
                return r == -ENOENT ? FOLLOW_E_ABSENT : r;
        Follow *follow = calloc(1, sizeof(*follow));
        if (!follow)
                return -ENOMEM;
        follow->loop = loop;
        follow->name = name;
        follow->next = follows;
        follows = follow;
        *ret = follow;
        return 0;
}

int follow_journal_new(Loop *loop,
                       const char *name,
                       const char *identifier,
                       const char *unit,
                       Follow **ret) {
        (void) identifier;
        (void) unit;
        return follow_file_new(loop, name, NULL, ret);
}

Follow *follow_free(Follow *follow) {
        if (!follow)
                return NULL;

        Follow **place = &follows;
        while (*place != follow)
                place = &(*place)->next;
        *place = follow->next;
        loop_source_free(follow->source);
        free(follow);
        return NULL;
}

/* Looks at what is whole. */
static void follow_look(Follow *follow) {
        char *end;

        while (follow->source && (end = memchr(follow->text, '\n', follow->length))) {
                size_t length = (size_t) (end - follow->text);

                if (follow->test(follow->userdata, follow->text, length)) {
                        loop_defer_arm(follow->source);
                        return;
                }
                follow->length -= length + 1;
                memmove(follow->text, end + 1, follow->length);
        }
}

static int follow_on_found(void *userdata) {
        Follow *follow = userdata;

        follow->source = loop_source_free(follow->source);
        return follow->found(follow->userdata);
}

int follow_start(Follow *follow, FollowTest test, LoopHandler found, void *userdata) {
        follow->test = test;
        follow->found = found;
        follow->userdata = userdata;
        int r = loop_add_defer(follow->loop, &follow->source, LOOP_PROBE, follow->name,
                               follow_on_found, follow);
        if (r >= 0)
                follow_look(follow);
        return r;
}

void fake_follow_say(const FakeProcess *process, const char *text) {
        for (Follow *follow = follows; follow; follow = follow->next) {
                size_t size = MIN_OF(strlen(text), FOLLOW_LINE_MAX - follow->length);

                if (strcmp(follow->name, process->tree->name) != 0)
                        continue;
                memcpy(follow->text + follow->length, text, size);
                follow->length += size;
                follow_look(follow);
        }
}
