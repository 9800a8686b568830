/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The files of the world. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake/fake.h"
#include "fake/parts.h"
#include "fake/world.h"

#define FILE_MAX     1024
#define LISTENER_MAX 256
#define CONTENT_MAX  4096

typedef struct FakeFile {
        char path[WORLD_NAME_MAX]; /* "": free */
        char content[CONTENT_MAX];
        bool is_link;
} FakeFile;

static FakeFile files[FILE_MAX];
static size_t file_count; /* places used so far */

void world_files_reset(void) {
        file_count = 0;
}

static FakeFile *file_find(const char *path) {
        for (size_t i = 0; i < file_count; i++)
                if (*files[i].path && strcmp(files[i].path, path) == 0)
                        return &files[i];
        return NULL;
}

static FakeFile *file_make(const char *path) {
        FakeFile *file = file_find(path);

        for (size_t i = 0; i < file_count && !file; i++)
                if (!*files[i].path)
                        file = &files[i];
        if (!file && file_count == FILE_MAX) {
                fprintf(stderr, "the fake world is too small for so many files\n");
                abort();
        }
        if (!file)
                file = &files[file_count++];
        file->path[0] = file->content[0] = '\0';
        strncat(file->path, path, sizeof(file->path) - 1);
        return file;
}

void world_write(const char *path, const char *content) {
        FakeFile *file = file_make(path);

        file->is_link = !content;
        strncat(file->content, content ? content : "", sizeof(file->content) - 1);
        world_trace("  file %s is written: %.*s", path, (int) strcspn(file->content, "\n"),
                    file->content);
        fake_path_changed(path);
}

void world_remove(const char *path) {
        FakeFile *file = file_find(path);
        if (!file)
                return;

        file->path[0] = '\0';
        world_trace("  file %s is removed", path);
        fake_path_changed(path);
}


bool world_exists(const char *path) {
        return file_find(path) != NULL;
}

void world_each_file(void (*handler)(void *userdata, const char *path), void *userdata) {
        for (size_t i = 0; i < file_count; i++)
                if (*files[i].path)
                        handler(userdata, files[i].path);
}

bool world_read(const char *path, const char **ret) {
        const FakeFile *file = file_find(path);
        if (!file)
                return false;

        *ret = file->is_link ? NULL : file->content;
        return true;
}
