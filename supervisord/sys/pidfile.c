/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A pidfile is written by a daemon that may lie, crash half-way or belong to somebody else: only a
 * regular file is opened, little of it is read, and it holds one number or it is refused.
 */

#include "sys/pidfile.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/parse.h"

#define PIDFILE_MAX 64

int pidfile_parse(const char *data, size_t size, pid_t *ret) {
        char text[PIDFILE_MAX + 1];
        pid_t pid;

        if (size > PIDFILE_MAX)
                return PIDFILE_E_GARBAGE;
        memcpy(text, data, size);
        text[size] = '\0';

        if (strspn(text, " \t\r\n\v\f") == size)
                return PIDFILE_E_EMPTY;
        if (strlen(text) != size || parse_pid(text, &pid) != 0)
                return PIDFILE_E_GARBAGE;
        if (pid == 1 || pid == getpid())
                return PIDFILE_E_FORBIDDEN;

        *ret = pid;
        return 0;
}

int pidfile_read(const char *path, pid_t *ret) {
        CLEANUP(freep) char *content = NULL;
        size_t size;
        int r;

        r = file_read(AT_FDCWD, path, PIDFILE_MAX, FILE_NO_SYMLINK, &content, &size);
        switch (r) {
        case 0:
                return pidfile_parse(content, size, ret);
        case FILE_E_MISSING:
                return PIDFILE_E_MISSING;
        case FILE_E_TOO_LARGE:
                return PIDFILE_E_GARBAGE;
        case FILE_E_NOT_REGULAR:
                return PIDFILE_E_LINK;
        case FILE_E_DENIED:
                return PIDFILE_E_DENIED;
        default:
                return r;
        }
}

const char *pidfile_outcome_text(int outcome) {
        switch (outcome) {
        case 0:
                return "names a process";
        case PIDFILE_E_MISSING:
                return "is missing";
        case PIDFILE_E_EMPTY:
                return "is empty";
        case PIDFILE_E_GARBAGE:
                return "does not hold one process number";
        case PIDFILE_E_LINK:
                return "is no regular file";
        case PIDFILE_E_DENIED:
                return "may not be read";
        case PIDFILE_E_FORBIDDEN:
                return "names process 1 or supervisord itself";
        default:
                return "cannot be read";
        }
}
