/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/runtime.h"

/*
 * The lock is a flock(2) on the file `lock`, so it ends with its holder, however that dies. The pid
 * in the file is only for people. Whoever gives up the lock removes the file first; one who waited
 * with the removed file in hand therefore looks again whether it is still the one in the directory.
 */

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/parse.h"

#define RUNTIME_LOCK    "lock"
#define RUNTIME_NOTIFY  "notify"
#define RUNTIME_PID_MAX 32
#define RUNTIME_TRIES   10

#define RUNTIME_MODE      0755
#define RUNTIME_LOCK_MODE 0644

enum { RUNTIME_E_VANISHED = RUNTIME_E_LOCKED + 1 }; /* removed under our hands: try again */

struct RuntimeDirectory {
        char *path;
        int fd;
        int lock_fd;
        bool made; /* it was not there before us */
};

static RuntimeDirectory *runtime_directory_free(RuntimeDirectory *directory) {
        fd_close(directory->lock_fd);
        fd_close(directory->fd);
        free(directory->path);
        free(directory);
        return NULL;
}
DEFINE_CLEANUP(RuntimeDirectory, runtime_directory_free)

static int runtime_directory_make(RuntimeDirectory *directory) {
        int r;

        if (mkdir(directory->path, RUNTIME_MODE) == 0)
                directory->made = true;
        else if (errno == ENOENT) {
                r = directory_make(directory->path, RUNTIME_MODE);
                if (r < 0)
                        return r;
                directory->made = true;
        } else if (errno != EEXIST)
                return errno_negative();

        directory->fd = open(directory->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory->fd < 0)
                return errno == ENOENT ? RUNTIME_E_VANISHED : errno_negative();
        return 0;
}

/* The pid that the holder of the lock has written; 0: none. */
static pid_t runtime_lock_holder(int lock_fd) {
        char text[RUNTIME_PID_MAX];
        ssize_t size = pread(lock_fd, text, sizeof(text) - 1, 0);
        pid_t pid;

        if (size < 0)
                return 0;
        text[size] = '\0';
        return parse_pid(text, &pid) == 0 ? pid : 0;
}

/* Whether the locked file is still the one in the directory. */
static bool runtime_lock_stands(const RuntimeDirectory *directory) {
        struct stat ours, there;

        return fstat(directory->lock_fd, &ours) == 0 &&
               fstatat(directory->fd, RUNTIME_LOCK, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
               ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

static int runtime_lock_write(int lock_fd) {
        char text[RUNTIME_PID_MAX];
        int length = snprintf(text, sizeof(text), "%d\n", getpid());

        if (ftruncate(lock_fd, 0) < 0 || pwrite(lock_fd, text, (size_t) length, 0) < 0)
                return errno_negative();
        return 0;
}

static int runtime_lock_take(RuntimeDirectory *directory, pid_t *ret_holder) {
        directory->lock_fd =
                openat(directory->fd, RUNTIME_LOCK,
                       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, RUNTIME_LOCK_MODE);
        if (directory->lock_fd < 0)
                return errno == ENOENT ? RUNTIME_E_VANISHED : errno_negative();

        if (flock(directory->lock_fd, LOCK_EX | LOCK_NB) < 0) {
                if (errno != EWOULDBLOCK)
                        return errno_negative();
                *ret_holder = runtime_lock_holder(directory->lock_fd);
                return RUNTIME_E_LOCKED;
        }

        if (!runtime_lock_stands(directory))
                return RUNTIME_E_VANISHED;
        return runtime_lock_write(directory->lock_fd);
}

static int runtime_directory_try(const char *path, RuntimeDirectory **ret, pid_t *ret_holder) {
        CLEANUP(runtime_directory_freep) RuntimeDirectory *directory = NULL;
        int r;

        directory = calloc(1, sizeof(*directory));
        if (!directory)
                return -ENOMEM;
        directory->fd = directory->lock_fd = -1;
        directory->path = strdup(path);
        if (!directory->path)
                return -ENOMEM;

        r = runtime_directory_make(directory);
        if (r == 0)
                r = runtime_lock_take(directory, ret_holder);
        if (r != 0)
                return r;

        *ret = TAKE(directory);
        return 0;
}

int runtime_directory_open(const char *path, RuntimeDirectory **ret, pid_t *ret_holder) {
        int r = RUNTIME_E_VANISHED;

        for (int i = 0; i < RUNTIME_TRIES && r == RUNTIME_E_VANISHED; i++)
                r = runtime_directory_try(path, ret, ret_holder);
        return r == RUNTIME_E_VANISHED ? -EBUSY : r;
}

RuntimeDirectory *runtime_directory_close(RuntimeDirectory *directory) {
        if (!directory)
                return NULL;

        /* What is still in use or not empty stays; the next supervisor takes it over. */
        (void) unlinkat(directory->fd, RUNTIME_NOTIFY, AT_REMOVEDIR);
        (void) unlinkat(directory->fd, RUNTIME_LOCK, 0);
        if (directory->made)
                (void) rmdir(directory->path);
        return runtime_directory_free(directory);
}

const char *runtime_directory_path(const RuntimeDirectory *directory) {
        return directory->path;
}
