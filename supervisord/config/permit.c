/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The daemon's user and a path: each directory on the way must let it pass, the last one take the
 * file. May block where the file system does.
 */

#include "config/permit.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"

static uid_t permit_uid(const DaemonConfig *daemon) {
        return daemon->identity.switch_user ? daemon->identity.uid : geteuid();
}

static bool permit_in_group(const DaemonConfig *daemon, gid_t gid) {
        const Identity *identity = &daemon->identity;

        if (gid == (identity->switch_user ? identity->gid : getegid()))
                return true;
        for (size_t i = 0; i < identity->group_count; i++)
                if (identity->groups[i] == gid)
                        return true;
        return false;
}

bool permit_has(const DaemonConfig *daemon, const struct stat *st, mode_t permissions) {
        uid_t uid = permit_uid(daemon);

        if (uid == 0)
                return true;
        if (st->st_uid == uid)
                permissions <<= 6;
        else if (permit_in_group(daemon, st->st_gid))
                permissions <<= 3;
        return (st->st_mode & permissions) == permissions;
}

static bool permit_is_read_only(const char *directory) {
        struct statvfs st;

        return statvfs(directory, &st) == 0 && (st.f_flag & ST_RDONLY);
}

static int permit_look_at(const DaemonConfig *daemon, const char *directory, bool is_last) {
        struct stat st;

        if (file_stat(AT_FDCWD, directory, &st) != 0 || !S_ISDIR(st.st_mode))
                return PERMIT_E_MISSING;
        if (!permit_has(daemon, &st, 01))
                return PERMIT_E_ENTER;
        if (is_last && permit_is_read_only(directory))
                return PERMIT_E_READ_ONLY;
        return is_last && !permit_has(daemon, &st, 02) ? PERMIT_E_WRITE : 0;
}

/* The way to the directory that the file is in. */
static int permit_go(const DaemonConfig *daemon, const char *path, size_t *ret_length) {
        char directory[PATH_MAX];
        const char *end = strrchr(path, '/'), *slash = path;
        int r = 0;

        if (!end || (size_t) (end - path) >= sizeof(directory) - 1)
                return 0;
        do {
                size_t length = slash == path ? 1 : (size_t) (slash - path);

                memcpy(directory, path, length);
                directory[length] = '\0';
                *ret_length = length;
                r = permit_look_at(daemon, directory, slash == end);
                slash = slash == end ? NULL : strchr(slash + 1, '/');
        } while (r == 0 && slash);
        return r;
}

/* Whether we cannot get out of the way what is there: another user's, in a sticky directory. */
static bool permit_is_kept(const struct stat *directory, const struct stat *st) {
        return geteuid() != 0 && directory->st_mode & S_ISVTX && st->st_uid != geteuid() &&
               directory->st_uid != geteuid();
}

int permit_make(const DaemonConfig *daemon, const char *path, size_t *ret_length) {
        char directory[PATH_MAX];
        struct stat st, parent;

        int r = permit_go(daemon, path, ret_length);
        if (r == PERMIT_E_WRITE && permit_is_prepared(daemon, path))
                return 0;
        if (r != 0 || file_stat(AT_FDCWD, path, &st) != 0 || permit_has(daemon, &st, 02))
                return r;
        snprintf(directory, sizeof(directory), "%.*s", (int) *ret_length, path);
        if (file_stat(AT_FDCWD, directory, &parent) == 0 && permit_is_kept(&parent, &st))
                return PERMIT_E_KEPT;
        return 0;
}

bool permit_is_prepared(const DaemonConfig *daemon, const char *path) {
        struct stat st;
        size_t length;

        return file_stat(AT_FDCWD, path, &st) == 0 && S_ISREG(st.st_mode) &&
               permit_has(daemon, &st, 02) && permit_go(daemon, path, &length) == PERMIT_E_WRITE;
}

const char *permit_text(char buffer[static PERMIT_TEXT_MAX],
                        int outcome,
                        const char *path,
                        size_t length) {
        static const char *const texts[][2] = {
                [PERMIT_E_MISSING] = { "the directory ", " does not exist" },
                [PERMIT_E_ENTER] = { "its user may not enter ", "" },
                [PERMIT_E_WRITE] = { "its user may not write into ", "" },
                [PERMIT_E_READ_ONLY] = { "", " is on a read-only file system" },
                [PERMIT_E_KEPT] = { "what is there already in ", " may not be replaced" },
        };

        buffer[0] = '\0';
        if (outcome > 0)
                snprintf(buffer, PERMIT_TEXT_MAX, "%s%.*s%s", texts[outcome][0],
                         (int) MIN_OF(length, (size_t) 200), path, texts[outcome][1]);
        return buffer;
}
