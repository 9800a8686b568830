/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sys/pathwatch.h on the files of the fake world. Several changes may come as one. */

#include "sys/pathwatch.h"

#include <errno.h>
#include <string.h>

#include "fake/fake.h"
#include "fake/parts.h"

struct PathWatch {
        PathWatch *next;
        LoopSource *source;
        char path[WORLD_NAME_MAX];
};

static PathWatch *watches;

void fake_paths_reset(void) {
        watches = NULL;
}

void fake_path_changed(const char *path) {
        for (PathWatch *watch = watches; watch; watch = watch->next)
                if (strcmp(watch->path, path) == 0)
                        loop_defer_arm(watch->source);
}

int pathwatch_new(
        Loop *loop, const char *path, LoopHandler handler, void *userdata, PathWatch **ret) {
        int r = fake_door(DOOR_PATHWATCH);
        if (r < 0)
                return r;

        PathWatch *watch = calloc(1, sizeof(*watch));
        if (!watch)
                return -ENOMEM;
        strncat(watch->path, path, sizeof(watch->path) - 1);
        r = loop_add_defer(loop, &watch->source, LOOP_TREE, "path", handler, userdata);
        if (r < 0) {
                free(watch);
                return r;
        }

        watch->next = watches;
        watches = watch;
        *ret = watch;
        return 0;
}

PathWatch *pathwatch_free(PathWatch *watch) {
        if (!watch)
                return NULL;

        PathWatch **place = &watches;
        while (*place != watch)
                place = &(*place)->next;
        *place = watch->next;

        loop_source_free(watch->source);
        free(watch);
        return NULL;
}
