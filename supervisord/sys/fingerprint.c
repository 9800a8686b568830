/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A hash over the numbers of stat(2). The entries of a directory are added up, so that their order
 * does not matter.
 */

#include "sys/fingerprint.h"

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

static uint64_t fingerprint_add_number(uint64_t hash, uint64_t number) {
        return hash_add(hash, &number, sizeof(number));
}

static uint64_t fingerprint_add_time(uint64_t hash, const struct timespec *time) {
        return fingerprint_add_number(fingerprint_add_number(hash, (uint64_t) time->tv_sec),
                                      (uint64_t) time->tv_nsec);
}

static uint64_t fingerprint_add_identity(uint64_t hash, const struct stat *st) {
        return fingerprint_add_number(fingerprint_add_number(hash, st->st_dev), st->st_ino);
}

static uint64_t fingerprint_add_stat(uint64_t hash, const struct stat *st) {
        hash = fingerprint_add_identity(hash, st);
        hash = fingerprint_add_number(hash, (uint64_t) st->st_size);
        hash = fingerprint_add_time(hash, &st->st_mtim);
        return fingerprint_add_time(hash, &st->st_ctim);
}

/* An entry that is a directory counts by its own times: what is made in it changes them. */
static uint64_t fingerprint_entry(int directory_fd, const char *name) {
        uint64_t hash = hash_add(HASH_BASIS, name, strlen(name) + 1);
        struct stat st;

        if (fstatat(directory_fd, name, &st, 0) < 0)
                return fingerprint_add_number(hash, (uint64_t) errno);
        return fingerprint_add_stat(hash, &st);
}

/* Closes the descriptor. */
static uint64_t fingerprint_directory(int fd_consume, const struct stat *st) {
        uint64_t hash = fingerprint_add_identity(HASH_BASIS, st);
        size_t count = 0;

        DIR *directory = fdopendir(fd_consume);
        if (!directory) {
                fd_close(fd_consume);
                return fingerprint_add_stat(hash, st);
        }

        for (const struct dirent *entry; (entry = readdir(directory));) {
                if (entry->d_name[0] == '.')
                        continue;
                if (++count > FINGERPRINT_ENTRIES_MAX) {
                        hash = fingerprint_add_stat(HASH_BASIS, st);
                        break;
                }
                hash += fingerprint_entry(dirfd(directory), entry->d_name);
        }
        closedir(directory);
        return hash;
}

uint64_t fingerprint_take(const char *path) {
        struct stat st;

        if (stat(path, &st) < 0)
                return fingerprint_add_number(HASH_BASIS, (uint64_t) errno);
        if (!S_ISDIR(st.st_mode))
                return fingerprint_add_stat(HASH_BASIS, &st);

        int fd = open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return fingerprint_add_stat(HASH_BASIS, &st);
        return fingerprint_directory(fd, &st);
}
