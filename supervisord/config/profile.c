/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two directories, and names of files in them; blocks where the file system does. */

#include "config/profile.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/strv.h"

#define PROFILE_SUFFIX   ".conf"
#define PROFILE_OWN      "profiles" /* beside the configuration file */
#define PROFILE_NAME_MAX 64

static bool profile_is_name(const char *name) {
        size_t length = strlen(name);

        if (length == 0 || length > PROFILE_NAME_MAX || name[0] == '.')
                return false;
        for (const char *c = name; *c; c++)
                if (!isalnum((unsigned char) *c) && !strchr("-_.+", *c))
                        return false;
        return true;
}

/* The directory of the administrator's own ones, malloc'ed. */
static char *profile_own_directory(const char *config_file) {
        const char *slash = strrchr(config_file, '/');
        char *path;

        if (!slash)
                return strdup(PROFILE_OWN);
        if (asprintf(&path, "%.*s/" PROFILE_OWN, (int) (slash - config_file), config_file) < 0)
                return NULL;
        return path;
}

static int profile_find_in(const char *directory, const char *name, char **ret) {
        CLEANUP(freep) char *path = NULL;
        struct stat st;

        if (asprintf(&path, "%s/%s" PROFILE_SUFFIX, directory, name) < 0)
                return -ENOMEM;
        if (file_stat(AT_FDCWD, path, &st) != 0)
                return PROFILE_E_MISSING;
        *ret = TAKE(path);
        return 0;
}

int profile_find(const char *config_file, const char *name, char **ret) {
        CLEANUP(freep) char *own = profile_own_directory(config_file);

        if (!profile_is_name(name))
                return PROFILE_E_NAME;
        if (!own)
                return -ENOMEM;
        int r = profile_find_in(own, name, ret);
        return r == PROFILE_E_MISSING ? profile_find_in(PROFILE_DIRECTORY, name, ret) : r;
}

static void profile_closedirp(DIR **directory) {
        if (*directory)
                (void) closedir(*directory);
}

/* A directory that is not there, or may not be read, has none. */
static int profile_names_in(const char *path, char ***names) {
        CLEANUP(profile_closedirp) DIR *directory = opendir(path);

        if (!directory)
                return 0;
        for (struct dirent *entry; (entry = readdir(directory));) {
                size_t length = strlen(entry->d_name), suffix = strlen(PROFILE_SUFFIX);

                if (length <= suffix ||
                    strcmp(entry->d_name + length - suffix, PROFILE_SUFFIX) != 0)
                        continue;
                CLEANUP(freep) char *name = strndup(entry->d_name, length - suffix);
                if (!name)
                        return -ENOMEM;
                if (!profile_is_name(name) || strv_contains(*names, name))
                        continue;
                int r = strv_append(names, name);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int profile_compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

int profile_names(const char *config_file, char ***ret) {
        CLEANUP(freep) char *own = profile_own_directory(config_file);
        CLEANUP(strv_freep) char **names = NULL;

        if (!own)
                return -ENOMEM;
        int r = profile_names_in(own, &names);
        if (r == 0)
                r = profile_names_in(PROFILE_DIRECTORY, &names);
        if (r < 0)
                return r;
        if (names)
                qsort(names, strv_length(names), sizeof(*names), profile_compare);
        *ret = TAKE(names);
        return 0;
}
