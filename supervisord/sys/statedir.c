/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A directory that is held open, so that it stays the same one whatever its path becomes. What can
 * block is its file system.
 */

#include "sys/statedir.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

#define STATE_MODE      0755
#define STATE_FILE_MODE 0644
#define STATE_OUR_MODE  0700 /* of directories in it */
#define STATE_OUR_FILE  0600

struct StateDirectory {
        char *path;
        int fd; /* has the lock */
};

static int state_directory_take(StateDirectory *directory) {
        directory->fd = open(directory->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory->fd < 0)
                return errno_negative();
        if (flock(directory->fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? STATE_DIRECTORY_E_LOCKED : errno_negative();
        return faccessat(directory->fd, ".", W_OK | X_OK, AT_EACCESS) < 0 ? errno_negative() : 0;
}

int state_directory_open(const char *path, StateDirectory **ret) {
        CLEANUP(state_directory_closep) StateDirectory *directory = NULL;

        directory = calloc(1, sizeof(*directory));
        if (!directory)
                return -ENOMEM;
        directory->fd = -1;
        directory->path = strdup(path);
        if (!directory->path)
                return -ENOMEM;

        int r = directory_make(path, STATE_MODE);
        if (r == 0)
                r = state_directory_take(directory);
        if (r != 0)
                return r;

        *ret = TAKE(directory);
        return 0;
}

StateDirectory *state_directory_close(StateDirectory *directory) {
        if (!directory)
                return NULL;
        fd_close(directory->fd);
        free(directory->path);
        free(directory);
        return NULL;
}

const char *state_directory_path(const StateDirectory *directory) {
        return directory->path;
}

int state_directory_make(const StateDirectory *directory, const char *name) {
        struct stat st;

        if (mkdirat(directory->fd, name, STATE_OUR_MODE) == 0)
                return 0;
        if (errno != EEXIST)
                return errno_negative();
        if (fstatat(directory->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno_negative();
        return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static void state_closedirp(DIR **directory) {
        if (*directory)
                closedir(*directory);
}

int state_directory_each(const StateDirectory *directory,
                         const char *name,
                         StateNameHandler handler,
                         void *userdata) {
        CLEANUP(state_closedirp) DIR *list = NULL;

        int fd = openat(directory->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? FILE_E_MISSING : errno_negative();
        list = fdopendir(fd);
        if (!list) {
                int r = errno_negative();

                fd_close(fd);
                return r;
        }
        for (;;) {
                errno = 0;
                const struct dirent *entry = readdir(list);
                if (!entry)
                        return errno > 0 ? errno_negative() : 0;
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        handler(userdata, entry->d_name);
        }
}

int state_directory_read(const StateDirectory *directory,
                         const char *name,
                         size_t limit,
                         char **ret,
                         size_t *ret_size) {
        return file_read(directory->fd, name, limit, FILE_NO_SYMLINK, ret, ret_size);
}

int state_directory_write(const StateDirectory *directory,
                          const char *name,
                          const char *content,
                          size_t size) {
        return file_replace(directory->fd, name, content, size, STATE_FILE_MODE);
}

int state_directory_write_soon(const StateDirectory *directory,
                               const char *name,
                               const char *content,
                               size_t size) {
        return file_replace_soon(directory->fd, name, content, size, STATE_OUR_FILE);
}

int state_directory_remove(const StateDirectory *directory, const char *name) {
        return unlinkat(directory->fd, name, 0) == 0 || errno == ENOENT ? 0 : errno_negative();
}
