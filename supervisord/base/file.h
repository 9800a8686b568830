/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Descriptors and small files.
 */

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/macro.h"

/* Closes if >= 0; returns -1. errno is kept. */
int fd_close(int fd);

static inline void fd_closep(int *fd) {
        fd_close(*fd);
}

/* Opens /dev/null for those of 0, 1 and 2 that are closed, so that nothing else lands there. */
int file_open_standard(void);

/* What the functions below return besides 0 and a negative errno. */
enum {
        FILE_E_MISSING = 1, /* ENOENT, ENOTDIR, ENODEV */
        FILE_E_TOO_LARGE,   /* more than the limit */
        FILE_E_NOT_REGULAR, /* a directory, FIFO, device, … or, FILE_NO_SYMLINK, a symbolic link */
        FILE_E_DENIED,      /* EACCES, EPERM */
};

typedef enum FileFlags {
        FILE_NO_SYMLINK = 1 << 0,
        FILE_ANY_TYPE = 1 << 1, /* for /proc and cgroup files, whose size is 0 */
} FileFlags;

/*
 * Reads a whole file of at most `limit` bytes. *ret is malloc'ed and has a NUL behind its
 * *ret_size bytes (which may hold NULs themselves). Never blocks on a FIFO.
 */
int file_read(int dirfd,
              const char *path,
              size_t limit,
              FileFlags flags,
              char **ret,
              size_t *ret_size);

/* stat(2): 0, FILE_E_MISSING, FILE_E_DENIED or a negative errno. */
int file_stat(int dirfd, const char *path, struct stat *ret);

/* Writes `text` in one write(2) to an existing file, as cgroup and /proc files want it. */
int file_write(int dirfd, const char *path, const char *text);

/*
 * Replaces a small file as a whole, or makes it, with `mode` (less the umask): whoever reads it, be
 * it after a crash, finds what was there before or all of the new content. Waits for the disk.
 * 0 or a negative errno, with the old one untouched and nothing left beside it. PATH.new is ours.
 */
int file_replace(int dirfd, const char *path, const char *content, size_t size, mode_t mode);
/*
 * The same without waiting for the disk: whole for whoever reads it, also after a kill; but after a
 * crash of the machine it may be empty.
 */
int file_replace_soon(int dirfd, const char *path, const char *content, size_t size, mode_t mode);

/* Opens a file for appending, made with `mode` if it is missing; never a link or a FIFO. */
int file_open_append(const char *path, mode_t mode, int *ret);

/* A second descriptor for the same thing, close-on-exec. */
int file_duplicate(int fd, int *ret);

/* Empties a file; never through a link. 0 (also if it is missing) or a negative errno. */
int file_clear(const char *path);

/* Removes a file, link or empty directory. 0 (also if it is missing) or a negative errno. */
int file_remove(const char *path);

/*
 * mkdir -p with `mode` (less the umask) for what is missing. 0 or a negative errno; -ENOTDIR if
 * something else is in the way.
 */
int directory_make(const char *path, mode_t mode);

/*
 * The names in a directory but for those that begin with a dot, in no order; a NULL vector if there
 * are none. 0, FILE_E_MISSING, FILE_E_DENIED or a negative errno.
 */
int directory_list(const char *path, char ***ret);
