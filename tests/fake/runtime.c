/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sys/runtime.h on the fake world: a name and nothing else. */

#include "sys/runtime.h"

#include <errno.h>
#include <string.h>

#include "fake/fake.h"

struct RuntimeDirectory {
        char path[WORLD_NAME_MAX];
};

int runtime_directory_open(const char *path, RuntimeDirectory **ret, pid_t *ret_holder) {
        int r = fake_door(DOOR_RUNTIME);
        if (r == -EBUSY)
                return RUNTIME_E_LOCKED;
        if (r < 0)
                return r;

        RuntimeDirectory *directory = calloc(1, sizeof(*directory));
        if (!directory)
                return -ENOMEM;

        (void) ret_holder;
        strncat(directory->path, path, sizeof(directory->path) - 1);
        *ret = directory;
        return 0;
}

RuntimeDirectory *runtime_directory_close(RuntimeDirectory *directory) {
        free(directory);
        return NULL;
}

const char *runtime_directory_path(const RuntimeDirectory *directory) {
        return directory->path;
}
