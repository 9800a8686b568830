/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sys/statedir.h on the files of the fake world, which outlive a supervisor. */

#include "sys/statedir.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "fake/fake.h"

struct StateDirectory {
        char path[WORLD_NAME_MAX];
};

int state_directory_open(const char *path, StateDirectory **ret) {
        int r = fake_door(DOOR_STATE_OPEN);
        if (r < 0)
                return r;

        StateDirectory *directory = calloc(1, sizeof(*directory));
        if (!directory)
                return -ENOMEM;
        strncat(directory->path, path, sizeof(directory->path) - 1);
        *ret = directory;
        return 0;
}

StateDirectory *state_directory_close(StateDirectory *directory) {
        free(directory);
        return NULL;
}

const char *state_directory_path(const StateDirectory *directory) {
        return directory->path;
}

int state_directory_make(const StateDirectory *directory, const char *name) {
        (void) directory;
        (void) name;
        return fake_door(DOOR_STATE_RECORD);
}

static const char *state_path(const StateDirectory *directory,
                              const char *name,
                              char buffer[static WORLD_NAME_MAX]) {
        int length = snprintf(buffer, WORLD_NAME_MAX, "%s/%s", directory->path, name);

        return length < WORLD_NAME_MAX ? buffer : "";
}

int state_directory_read(const StateDirectory *directory,
                         const char *name,
                         size_t limit,
                         char **ret,
                         size_t *ret_size) {
        char path[WORLD_NAME_MAX];
        const char *content;

        int r = fake_door(DOOR_STATE_READ);
        if (r < 0)
                return r;
        if (!world_read(state_path(directory, name, path), &content))
                return FILE_E_MISSING;
        if (!content)
                return FILE_E_NOT_REGULAR;
        if (strlen(content) > limit)
                return FILE_E_TOO_LARGE;

        char *copy = strdup(content);
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        *ret_size = strlen(copy);
        return 0;
}

/* What is written has no NULs. */
static int state_write(FakeDoor door,
                       const StateDirectory *directory,
                       const char *name,
                       const char *content,
                       size_t size) {
        char path[WORLD_NAME_MAX];

        int r = fake_door(door);
        if (r < 0)
                return r;

        CLEANUP(freep) char *copy = strndup(content, size);
        if (!copy)
                return -ENOMEM;
        world_write(state_path(directory, name, path), copy);
        return 0;
}

int state_directory_write(const StateDirectory *directory,
                          const char *name,
                          const char *content,
                          size_t size) {
        return state_write(DOOR_STATE_WRITE, directory, name, content, size);
}

int state_directory_write_soon(const StateDirectory *directory,
                               const char *name,
                               const char *content,
                               size_t size) {
        return state_write(DOOR_STATE_RECORD, directory, name, content, size);
}

typedef struct StateEach {
        char folder[WORLD_NAME_MAX];
        StateNameHandler handler;
        void *userdata;
} StateEach;

static void state_on_file(void *userdata, const char *path) {
        const StateEach *each = userdata;
        size_t length = strlen(each->folder);

        if (strncmp(path, each->folder, length) == 0 && path[length] == '/')
                each->handler(each->userdata, path + length + 1);
}

int state_directory_each(const StateDirectory *directory,
                         const char *name,
                         StateNameHandler handler,
                         void *userdata) {
        StateEach each = { .handler = handler };

        int r = fake_door(DOOR_STATE_RECORD);
        if (r < 0)
                return r;
        state_path(directory, name, each.folder);
        each.userdata = userdata;
        world_each_file(state_on_file, &each);
        return 0;
}

int state_directory_remove(const StateDirectory *directory, const char *name) {
        char path[WORLD_NAME_MAX];

        int r = fake_door(DOOR_STATE_RECORD);
        if (r < 0)
                return r;
        world_remove(state_path(directory, name, path));
        return 0;
}
