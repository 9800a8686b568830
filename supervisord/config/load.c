/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The way from a path to a Config, and which files belong to it. Blocks where files and the user
 * database do.
 */

#include "config/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/strv.h"
#include "config/read_file.h"

#define LOAD_DIRECTORY "conf.d"
#define LOAD_SUFFIX    ".conf"

static void load_closedirp(DIR **directory) {
        if (*directory)
                closedir(*directory);
}

/* The directory of drop-ins beside the file. */
static char *load_directory(const char *path) {
        const char *slash = strrchr(path, '/');
        char *directory;
        int r;

        r = asprintf(&directory, "%.*s" LOAD_DIRECTORY, slash ? (int) (slash + 1 - path) : 0, path);
        return r < 0 ? NULL : directory;
}

/* Hidden files and the copies that editors and packages leave do not count. */
static bool load_is_dropin(const char *name) {
        size_t length = strlen(name), suffix = strlen(LOAD_SUFFIX);

        return name[0] != '.' && length > suffix &&
               strcmp(name + length - suffix, LOAD_SUFFIX) == 0;
}

static int load_compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static int load_refuse(const char *path, Diag *diag, const char *text) {
        diag_add(diag, SEVERITY_ERROR, path, 0, NULL, "%s", text);
        return CONFIG_E_INVALID;
}

/* Whether there is a directory of drop-ins to be read. */
static int load_check_directory(const char *path, Diag *diag, bool *ret_exists) {
        struct stat st;
        int r;

        r = file_stat(AT_FDCWD, path, &st);
        switch (r) {
        case 0:
                break;
        case FILE_E_MISSING:
                *ret_exists = false;
                return 0;
        default:
                return load_refuse(path, diag,
                                   "this directory cannot be reached; run supervisord as root or "
                                   "give its user the permission");
        }
        if (!S_ISDIR(st.st_mode))
                return load_refuse(path, diag, "this is no directory; remove it");
        *ret_exists = true;
        return read_file_trust(path, (SettingOrigin) {}, &st, diag);
}

/* The paths of the drop-ins, by name. */
static int load_list(const char *path, Diag *diag, char ***ret) {
        CLEANUP(load_closedirp) DIR *directory = NULL;
        CLEANUP(strv_freep) char **files = NULL;
        bool exists = false;
        int r;

        r = load_check_directory(path, diag, &exists);
        if (r != 0 || !exists)
                return r;
        directory = opendir(path);
        if (!directory)
                return load_refuse(path, diag,
                                   "this directory cannot be listed; run supervisord as root or "
                                   "give its user the permission");
        for (struct dirent *entry; (entry = readdir(directory));) {
                CLEANUP(freep) char *file = NULL;

                if (!load_is_dropin(entry->d_name))
                        continue;
                if (asprintf(&file, "%s/%s", path, entry->d_name) < 0)
                        return -ENOMEM;
                r = strv_append(&files, file);
                if (r < 0)
                        return r;
        }
        if (files)
                qsort(files, strv_length(files), sizeof(char *), load_compare);
        *ret = TAKE(files);
        return 0;
}

static int load_file(const char *path, Diag *diag, Config *config) {
        CLEANUP(freep) char *text = NULL;
        size_t size;
        int r;

        r = read_file(path, (SettingOrigin) {}, diag, &text, &size);
        return r != 0 ? r : config_read_text(text, path, diag, config);
}

int config_read_files(const char *path, Diag *diag, Config *config) {
        CLEANUP(freep) char *directory = NULL;
        CLEANUP(strv_freep) char **dropins = NULL;
        bool complete;
        int r;

        directory = load_directory(path);
        if (!directory)
                return -ENOMEM;
        r = load_file(path, diag, config);
        if (r < 0)
                return r;
        complete = r == 0;

        r = load_list(directory, diag, &dropins);
        if (r < 0)
                return r;
        complete = complete && r == 0;
        for (size_t i = 0; dropins && dropins[i]; i++) {
                r = load_file(dropins[i], diag, config);
                if (r < 0)
                        return r;
                complete = complete && r == 0;
        }
        return complete ? 0 : CONFIG_E_INVALID;
}

int config_load(const char *path, Diag *diag, Config **ret) {
        CLEANUP(config_unrefp) Config *config = NULL;
        int r;

        r = config_new(&config);
        if (r < 0)
                return r;
        config->loaded = clock_realtime();
        r = config_read_files(path, diag, config);
        if (r == 0)
                r = config_resolve(config, diag);
        if (r == 0)
                r = config_check_system(config, diag);
        if (r < 0)
                return r;
        diag_sort(diag);
        if (diag_errors(diag) > 0)
                return CONFIG_E_INVALID;
        *ret = TAKE(config);
        return 0;
}
