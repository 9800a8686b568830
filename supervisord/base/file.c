/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Descriptors and small files. Opening never waits (O_NONBLOCK) and never makes a terminal ours
 * (O_NOCTTY); what can block is a file system that hangs.
 */

#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/strv.h"

#define FILE_OPEN_FLAGS (O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
#define FILE_CHUNK      4096
#define FILE_NEW        ".new" /* behind the name of a file that is being written anew */

int fd_close(int fd) {
        int saved = errno;

        /* The descriptor is gone whatever close(2) returns; nothing could be done about it. */
        if (fd >= 0)
                (void) close(fd);
        errno = saved;
        return -1;
}

/* Sorts out what is a documented outcome. */
static int file_outcome(int r) {
        switch (r) {
        case -ENOENT:
        case -ENOTDIR:
        case -ENODEV: /* a cgroup that was removed after the open */
                return FILE_E_MISSING;
        case -EACCES:
        case -EPERM:
                return FILE_E_DENIED;
        case -EISDIR:
        case -ELOOP: /* a symbolic link, and none was to be followed */
        case -ENXIO: /* a UNIX socket, or a FIFO without a reader */
                return FILE_E_NOT_REGULAR;
        default:
                return r;
        }
}

/* The size is a hint only: 0 in /proc, and a file may grow while it is read. */
static int file_check(int fd, size_t limit, FileFlags flags, size_t *ret_hint) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return errno_negative();
        if (flags & FILE_ANY_TYPE) {
                *ret_hint = 0;
                return 0;
        }
        if (!S_ISREG(st.st_mode))
                return FILE_E_NOT_REGULAR;
        if ((uintmax_t) st.st_size > limit)
                return FILE_E_TOO_LARGE;
        *ret_hint = (size_t) st.st_size;
        return 0;
}

/* One read(2); 0 at the end of the file. */
static int file_read_some(int fd, char *buffer, size_t size, size_t *ret_got) {
        ssize_t n;

        do
                n = read(fd, buffer, size);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return file_outcome(errno_negative());
        *ret_got = (size_t) n;
        return 0;
}

static int file_read_all(int fd, size_t limit, size_t hint, char **ret, size_t *ret_size) {
        CLEANUP(freep) char *content = NULL;
        size_t size = 0, capacity = 0;

        for (;;) {
                size_t got = 0;
                int r;

                /* Always room for a further byte, which shows a file above the limit, and a NUL. */
                if (capacity - size < 2) {
                        size_t wanted = capacity == 0 ? MAX_OF(hint + 2, (size_t) FILE_CHUNK)
                                                      : capacity * 2;
                        char *grown = realloc(content, wanted);

                        if (!grown)
                                return -ENOMEM;
                        content = grown;
                        capacity = wanted;
                }

                r = file_read_some(fd, content + size, capacity - size - 1, &got);
                if (r != 0)
                        return r;
                if (got == 0)
                        break;
                size += got;
                if (size > limit)
                        return FILE_E_TOO_LARGE;
        }

        content[size] = '\0';
        *ret = TAKE(content);
        *ret_size = size;
        return 0;
}

int file_read(int dirfd,
              const char *path,
              size_t limit,
              FileFlags flags,
              char **ret,
              size_t *ret_size) {
        CLEANUP(fd_closep) int fd = -1;
        size_t hint;
        int r;

        fd = openat(dirfd, path,
                    O_RDONLY | FILE_OPEN_FLAGS | (flags & FILE_NO_SYMLINK ? O_NOFOLLOW : 0));
        if (fd < 0)
                return file_outcome(errno_negative());

        r = file_check(fd, limit, flags, &hint);
        if (r != 0)
                return r;
        return file_read_all(fd, limit, hint, ret, ret_size);
}

int file_stat(int dirfd, const char *path, struct stat *ret) {
        return fstatat(dirfd, path, ret, 0) < 0 ? file_outcome(errno_negative()) : 0;
}

int file_write(int dirfd, const char *path, const char *text) {
        CLEANUP(fd_closep) int fd = -1;
        size_t length = strlen(text);
        ssize_t n;

        fd = openat(dirfd, path, O_WRONLY | O_TRUNC | FILE_OPEN_FLAGS);
        if (fd < 0)
                return file_outcome(errno_negative());

        do
                n = write(fd, text, length);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return file_outcome(errno_negative());
        return (size_t) n == length ? 0 : -EIO;
}

static int file_write_all(int fd, const char *content, size_t size) {
        while (size > 0) {
                ssize_t n = write(fd, content, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno_negative();
                content += n;
                size -= (size_t) n;
        }
        return 0;
}

/* What a process that was killed left there may be a link to anywhere: never opened again. */
static int file_write_new(int dirfd,
                          const char *path,
                          const char *content,
                          size_t size,
                          mode_t mode,
                          bool wait) {
        CLEANUP(fd_closep) int fd = -1;

        if (unlinkat(dirfd, path, 0) < 0 && errno != ENOENT)
                return errno_negative();
        fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | FILE_OPEN_FLAGS, mode);
        if (fd < 0)
                return errno_negative();

        int r = file_write_all(fd, content, size);
        if (r == 0 && wait && fsync(fd) < 0)
                r = errno_negative();
        return r;
}

static int file_replace_as(int dirfd,
                           const char *path,
                           const char *content,
                           size_t size,
                           mode_t mode,
                           bool wait) {
        CLEANUP(freep) char *beside = NULL;

        if (asprintf(&beside, "%s" FILE_NEW, path) < 0)
                return -ENOMEM;

        int r = file_write_new(dirfd, beside, content, size, mode, wait);
        if (r == 0 && renameat(dirfd, beside, dirfd, path) < 0)
                r = errno_negative();
        if (r < 0)
                (void) unlinkat(dirfd, beside, 0);
        return r;
}

int file_replace(int dirfd, const char *path, const char *content, size_t size, mode_t mode) {
        return file_replace_as(dirfd, path, content, size, mode, true);
}

int file_replace_soon(int dirfd, const char *path, const char *content, size_t size, mode_t mode) {
        return file_replace_as(dirfd, path, content, size, mode, false);
}

int file_open_append(const char *path, mode_t mode, int *ret) {
        CLEANUP(fd_closep) int fd = -1;
        struct stat st;

        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | FILE_OPEN_FLAGS, mode);
        if (fd < 0)
                return file_outcome(errno_negative());
        if (fstat(fd, &st) < 0)
                return errno_negative();
        if (!S_ISREG(st.st_mode))
                return FILE_E_NOT_REGULAR;
        if (fcntl(fd, F_SETFL, O_APPEND) < 0) /* its writers expect to block */
                return errno_negative();

        *ret = fd;
        fd = -1;
        return 0;
}

int file_open_standard(void) {
        int fd;

        do {
                fd = open("/dev/null", O_RDWR | O_NOCTTY); /* the lowest free number */
                if (fd < 0)
                        return errno_negative();
        } while (fd <= STDERR_FILENO);
        fd_close(fd);
        return 0;
}

int file_duplicate(int fd, int *ret) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (copy < 0)
                return errno_negative();

        *ret = copy;
        return 0;
}

int file_clear(const char *path) {
        CLEANUP(fd_closep) int fd = open(path, O_WRONLY | O_NOFOLLOW | FILE_OPEN_FLAGS);

        if (fd < 0)
                return errno == ENOENT ? 0 : errno_negative();
        return ftruncate(fd, 0) < 0 ? errno_negative() : 0;
}

int file_remove(const char *path) {
        if (unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR)
                return 0;
        if (errno == EISDIR && rmdir(path) == 0)
                return 0;
        return errno_negative();
}

/* Whatever is there already is fine if it is a directory. */
static int directory_make_one(const char *path, mode_t mode) {
        struct stat st;

        if (mkdir(path, mode) == 0)
                return 0;
        if (errno != EEXIST)
                return errno_negative();
        if (stat(path, &st) < 0)
                return errno_negative();
        return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int directory_make(const char *path, mode_t mode) {
        CLEANUP(freep) char *copy = NULL;
        size_t end = 0;

        copy = strdup(path);
        if (!copy)
                return -ENOMEM;

        do {
                int r;

                /* The next part of the path: what stands up to the slash behind a name. */
                end += strspn(path + end, "/");
                end += strcspn(path + end, "/");
                copy[end] = '\0';
                r = directory_make_one(copy, mode);
                if (r < 0)
                        return r;
                copy[end] = path[end];
        } while (path[end] != '\0');
        return 0;
}

static void directory_closep(DIR **directory) {
        if (*directory)
                (void) closedir(*directory);
}

int directory_list(const char *path, char ***ret) {
        CLEANUP(directory_closep) DIR *directory = opendir(path);
        CLEANUP(strv_freep) char **names = NULL;

        if (!directory)
                return file_outcome(errno_negative());
        for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
                int r = entry->d_name[0] != '.' ? strv_append(&names, entry->d_name) : 0;
                if (r < 0)
                        return r;
        }
        *ret = TAKE(names);
        return 0;
}
