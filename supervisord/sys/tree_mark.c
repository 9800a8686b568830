/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * We wear the mark ourselves from one call until the next, so that a new process has it from its
 * very beginning. It is read in /proc/PID/limits, which unlike prlimit(2) needs no privilege.
 */

#include "sys/tree_mark.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define PROC_PATH_MAX 64
#define LIMITS_MAX    4096
#define LIMITS_LINE   "\nMax file locks "

/* FNV-1a; half of the range of the kernel's own type, so that it is never "unlimited". */
static rlim_t mark_from_text(const char *text) {
        uint64_t hash = 14695981039346656037u;

        for (; *text; text++)
                hash = (hash ^ (uint8_t) *text) * 1099511628211u;
        return hash & LONG_MAX;
}

rlim_t tree_mark_begin(const char *text) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_LOCKS, &limit) < 0)
                return TREE_MARK_NONE;
        limit.rlim_cur = mark_from_text(text);
        return setrlimit(RLIMIT_LOCKS, &limit) < 0 ? TREE_MARK_NONE : limit.rlim_cur;
}

bool tree_mark_is_on(pid_t pid, rlim_t mark) {
        CLEANUP(fd_closep) int fd = -1;
        char path[PROC_PATH_MAX], text[LIMITS_MAX];
        const char *line;
        ssize_t n;

        if (mark == TREE_MARK_NONE)
                return false;
        snprintf(path, sizeof(path), "/proc/%d/limits", (int) pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return false;
        n = read(fd, text, sizeof(text) - 1);
        if (n <= 0)
                return false;
        text[n] = '\0';

        line = strstr(text, LIMITS_LINE);
        return line && strtoull(line + strlen(LIMITS_LINE), NULL, 10) == mark;
}
