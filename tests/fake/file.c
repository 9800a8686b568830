/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The functions of base/file.h that look at paths, on the files of the fake world. base/ itself is
 * linked as it is, so these come in by the linker's --wrap=.
 */

#include "base/file.h"

#include <errno.h>
#include <string.h>

#include "base/strv.h"
#include "fake/fake.h"

int __real_file_stat(int dirfd, const char *path, struct stat *ret);
int __wrap_file_stat(int dirfd, const char *path, struct stat *ret);
int __wrap_file_remove(const char *path);
int __wrap_file_replace_soon(
        int dirfd, const char *path, const char *content, size_t size, mode_t mode);
int __wrap_directory_make(const char *path, mode_t mode);

int __real_file_read(
        int dirfd, const char *path, size_t limit, FileFlags flags, char **ret, size_t *ret_size);
int __wrap_file_read(
        int dirfd, const char *path, size_t limit, FileFlags flags, char **ret, size_t *ret_size);
int __wrap_directory_list(const char *path, char ***ret);

int __wrap_file_read(
        int dirfd, const char *path, size_t limit, FileFlags flags, char **ret, size_t *ret_size) {
        if (path[0] != '/')
                return __real_file_read(dirfd, path, limit, flags, ret, ret_size);

        const char *content;

        (void) dirfd;
        (void) flags;
        if (!world_read(path, &content))
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

typedef struct List {
        const char *path;
        char **names;
        int outcome;
} List;

static void list_on_file(void *userdata, const char *file) {
        List *list = userdata;
        size_t length = strlen(list->path);

        if (strncmp(file, list->path, length) == 0 && file[length] == '/' && list->outcome == 0)
                list->outcome = strv_append(&list->names, file + length + 1);
}

int __wrap_directory_list(const char *path, char ***ret) {
        List list = { .path = path };

        world_each_file(list_on_file, &list);
        if (list.outcome < 0) {
                strv_free(list.names);
                return list.outcome;
        }
        *ret = list.names;
        return 0;
}

/* A relative path is a file of the test's own, outside of the world. */
int __wrap_file_stat(int dirfd, const char *path, struct stat *ret) {
        if (path[0] != '/')
                return __real_file_stat(dirfd, path, ret);
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

int __wrap_file_replace_soon(
        int dirfd, const char *path, const char *content, size_t size, mode_t mode) {
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
