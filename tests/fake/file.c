/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The functions of base/file.h that look at paths, on the files of the fake world. base/ itself is
 * linked as it is, so these come in by the linker's --wrap=.
 */

#include "base/file.h"

#include "fake/fake.h"

int __wrap_file_stat(int dirfd, const char *path, struct stat *ret);
int __wrap_file_remove(const char *path);
int __wrap_file_replace(int dirfd, const char *path, const char *content, size_t size, mode_t mode);
int __wrap_directory_make(const char *path, mode_t mode);

int __wrap_file_stat(int dirfd, const char *path, struct stat *ret) {
        (void) dirfd;
        world_race();
        if (!world_exists(path))
                return FILE_E_MISSING;

        *ret = (struct stat){ .st_mode = S_IFREG | 0644 };
        return 0;
}

int __wrap_file_remove(const char *path) {
        int r = fake_door(DOOR_FILE_REMOVE);
        if (r < 0)
                return r;

        world_remove(path);
        return 0;
}

int __wrap_file_replace(int dirfd,
                        const char *path,
                        const char *content,
                        size_t size,
                        mode_t mode) {
        (void) dirfd;
        (void) size;
        (void) mode;
        int r = fake_door(DOOR_FILE_REPLACE);
        if (r < 0)
                return r;

        world_write(path, content);
        return 0;
}

int __wrap_directory_make(const char *path, mode_t mode) {
        (void) path;
        (void) mode;
        return 0;
}
