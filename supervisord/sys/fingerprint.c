/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * FNV-1a over the numbers of stat(2). The entries of a directory are added up, so that their order
 * does not matter. Nobody is to be kept from making two equal ones.
 */

#include "sys/fingerprint.h"

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"

#define FINGERPRINT_BASIS UINT64_C(0xcbf29ce484222325)
#define FINGERPRINT_PRIME UINT64_C(0x100000001b3)

static uint64_t fingerprint_add(uint64_t hash, const void *data, size_t size) {
        const uint8_t *bytes = data;

        for (size_t i = 0; i < size; i++)
                hash = (hash ^ bytes[i]) * FINGERPRINT_PRIME;
        return hash;
}

static uint64_t fingerprint_add_number(uint64_t hash, uint64_t number) {
        return fingerprint_add(hash, &number, sizeof(number));
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
        uint64_t hash = fingerprint_add(FINGERPRINT_BASIS, name, strlen(name) + 1);
        struct stat st;

        if (fstatat(directory_fd, name, &st, 0) < 0)
                return fingerprint_add_number(hash, (uint64_t) errno);
        return fingerprint_add_stat(hash, &st);
}

/* Closes the descriptor. */
static uint64_t fingerprint_directory(int fd_consume, const struct stat *st) {
        uint64_t hash = fingerprint_add_identity(FINGERPRINT_BASIS, st);
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
                        hash = fingerprint_add_stat(FINGERPRINT_BASIS, st);
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
                return fingerprint_add_number(FINGERPRINT_BASIS, (uint64_t) errno);
        if (!S_ISDIR(st.st_mode))
                return fingerprint_add_stat(FINGERPRINT_BASIS, &st);

        int fd = open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return fingerprint_add_stat(FINGERPRINT_BASIS, &st);
        return fingerprint_directory(fd, &st);
}
