/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Watches a path through every directory that leads to it: each level watches its directory for
 * the name of the next. So it is seen when a directory appears, vanishes, is moved away (at any
 * height) or is replaced by another one, also through a symbolic link. A level whose directory does
 * not exist has no source. Levels are watched from the top down, so that a directory that appears
 * in between either can be watched at once or is an event of the level above: nothing gets lost.
 */

#include "sys/pathwatch.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"

#define WATCH_NAME (IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM)
#define WATCH_SELF (IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define WATCH_FILE (IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB)

/* Events after which the watch of a directory is not to be relied on any more. */
#define WATCH_LOST (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT | IN_Q_OVERFLOW)

typedef struct PathLevel {
        PathWatch *watch;
        LoopSource *source; /* NULL: there is no such directory */
        char *directory;
        char *name; /* what of it leads to the path */
} PathLevel;

struct PathWatch {
        Loop *loop;
        LoopHandler handler;
        void *userdata;
        size_t count;
        PathLevel levels[]; /* from the root directory down to that of the path */
};

static bool pathwatch_is_last(const PathWatch *watch, const PathLevel *level) {
        return level == &watch->levels[watch->count - 1];
}

static int pathwatch_on_event(void *userdata, const struct inotify_event *event);

/* Watches the levels from `first` on, as far as there are directories. */
static int pathwatch_follow(PathWatch *watch, size_t first) {
        for (size_t i = first; i < watch->count; i++)
                watch->levels[i].source = loop_source_free(watch->levels[i].source);

        for (size_t i = first; i < watch->count; i++) {
                PathLevel *level = &watch->levels[i];
                uint32_t mask = WATCH_NAME | WATCH_SELF;
                int r;

                if (pathwatch_is_last(watch, level))
                        mask |= WATCH_FILE;
                r = loop_add_inotify(watch->loop, &level->source, level->directory, mask, LOOP_TREE,
                                     level->directory, pathwatch_on_event, level);
                if (r == -ENOENT || r == -ENOTDIR || r == -EACCES || r == -ELOOP)
                        return 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int pathwatch_on_event(void *userdata, const struct inotify_event *event) {
        PathLevel *level = userdata;
        PathWatch *watch = level->watch;
        bool lost = event->mask & WATCH_LOST, last = pathwatch_is_last(watch, level);
        size_t index = (size_t) (level - watch->levels);
        int r = 0;

        if (!lost && (event->len == 0 || strcmp(event->name, level->name) != 0))
                return 0;
        if (lost)
                r = pathwatch_follow(watch, index);
        else if (!last)
                r = pathwatch_follow(watch, index + 1);

        /* Whoever waits for the path has a deadline too; the supervisor must not end over it. */
        if (r < 0)
                log_debug("cannot go on watching %s: %s", level->directory, strerror(-r));
        return watch->handler(watch->userdata);
}

/* The names in a path, as often as something stands between slashes. */
static size_t path_count_names(const char *path) {
        size_t count = 0;

        for (path += strspn(path, "/"); *path; path += strspn(path, "/")) {
                path += strcspn(path, "/");
                count++;
        }
        return count;
}

static int pathwatch_fill(PathWatch *watch, const char *path) {
        const char *at = path;

        for (size_t i = 0; i < watch->count; i++) {
                PathLevel *level = &watch->levels[i];

                level->watch = watch;
                level->directory = i == 0 ? strdup("/") : strndup(path, (size_t) (at - path));
                at += strspn(at, "/");
                level->name = strndup(at, strcspn(at, "/"));
                if (!level->directory || !level->name)
                        return -ENOMEM;
                at += strcspn(at, "/");
        }
        return 0;
}

int pathwatch_new(
        Loop *loop, const char *path, LoopHandler handler, void *userdata, PathWatch **ret) {
        size_t count = path_count_names(path);
        PathWatch *watch;
        int r;

        if (path[0] != '/' || count == 0)
                return -EINVAL;
        watch = calloc(1, sizeof(*watch) + count * sizeof(watch->levels[0]));
        if (!watch)
                return -ENOMEM;
        watch->loop = loop;
        watch->handler = handler;
        watch->userdata = userdata;
        watch->count = count;

        r = pathwatch_fill(watch, path);
        if (r == 0)
                r = pathwatch_follow(watch, 0);
        if (r < 0) {
                pathwatch_free(watch);
                return r;
        }

        *ret = watch;
        return 0;
}

PathWatch *pathwatch_free(PathWatch *watch) {
        if (!watch)
                return NULL;

        for (size_t i = 0; i < watch->count; i++) {
                loop_source_free(watch->levels[i].source);
                free(watch->levels[i].directory);
                free(watch->levels[i].name);
        }
        free(watch);
        return NULL;
}
