/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The stream protocol of journald: after the connect the header, a line per field, then what the
 * daemon writes. sd_journal_stream_fd(3) leaves the unit's line empty; lines of a writer that is
 * gone when journald looks at it then belong to no unit.
 */

#include "sys/journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

#define JOURNAL_STREAM_PATH "/run/systemd/journal/stdout"
#define PROC_CGROUP_MAX     (64u << 10)
#define UNIT_NAME_MAX       256 /* as systemd limits it, with the NUL */

/* Connects without waiting for a journald that is busy. */
static int journal_connect(int *ret) {
        const struct sockaddr_un address = { AF_UNIX, JOURNAL_STREAM_PATH };
        CLEANUP(fd_closep) int fd = -1;

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return errno_negative();
        if (connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                switch (errno) {
                case EAGAIN:
                case ENOENT:
                case ENOTDIR:
                case ECONNREFUSED:
                case EACCES:
                case EPERM:
                        return JOURNAL_E_ABSENT;
                default:
                        return errno_negative();
                }

        *ret = fd;
        fd = -1;
        return 0;
}

static int journal_send_header(int fd, const char *identifier, const char *unit, int priority) {
        CLEANUP(freep) char *header = NULL;
        int length;

        /* level_prefix: lines may begin with "<3>"; nothing goes to syslog, kmsg or the console. */
        length = asprintf(&header, "%s\n%s\n%i\n1\n0\n0\n0\n", identifier, unit ? unit : "",
                          priority);
        if (length < 0)
                return -ENOMEM;

        /* A socket that has just been connected takes it as a whole, or journald has gone. */
        return send(fd, header, (size_t) length, MSG_NOSIGNAL) == length ? 0 : JOURNAL_E_ABSENT;
}

/* From here on it is the daemon's, and daemons do not expect EAGAIN from their stdout. */
static int journal_make_blocking(int fd) {
        int flags;

        if (shutdown(fd, SHUT_RD) < 0)
                return errno_negative();
        flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
                return errno_negative();
        return 0;
}

int journal_stream_open(const char *identifier, const char *unit, int priority, int *ret) {
        CLEANUP(fd_closep) int fd = -1;
        int r;

        /* A line break would be the next field of the header. */
        if (strchr(identifier, '\n') || (unit && strchr(unit, '\n')))
                return -EINVAL;

        r = journal_connect(&fd);
        if (r != 0)
                return r;
        r = journal_send_header(fd, identifier, unit, priority);
        if (r != 0)
                return r;
        r = journal_make_blocking(fd);
        if (r < 0)
                return r;

        *ret = fd;
        fd = -1;
        return 0;
}

bool journal_is_there(void) {
        return access(JOURNAL_STREAM_PATH, F_OK) == 0;
}

static bool name_has_suffix(const char *name, const char *suffix) {
        size_t length = strlen(name), cut = strlen(suffix);

        return length > cut && strcmp(name + length - cut, suffix) == 0;
}

/* The last name in a cgroup's path that is a unit with processes; takes the path apart. */
static const char *journal_find_unit(char *path) {
        const char *unit = NULL;

        for (char *name = strsep(&path, "/"); name; name = strsep(&path, "/"))
                if ((name_has_suffix(name, ".service") || name_has_suffix(name, ".scope"))
                    && strcmp(name, "init.scope") != 0)
                        unit = name;
        return unit;
}

const char *journal_own_unit(void) {
        static char own_unit[UNIT_NAME_MAX];
        CLEANUP(freep) char *content = NULL;
        const char *unit = NULL;
        size_t size;
        char *rest;

        if (file_read(AT_FDCWD, "/proc/self/cgroup", PROC_CGROUP_MAX, FILE_ANY_TYPE, &content,
                      &size) != 0)
                return NULL;

        /* "0::PATH", and on a hybrid or old hierarchy "1:name=systemd:PATH" */
        rest = content;
        for (char *line = strsep(&rest, "\n"); line && !unit; line = strsep(&rest, "\n")) {
                char *controllers = strchr(line, ':');
                char *path = controllers ? strchr(controllers + 1, ':') : NULL;

                if (path && (strncmp(controllers, "::", 2) == 0
                             || strncmp(controllers, ":name=systemd:", 14) == 0))
                        unit = journal_find_unit(path + 1);
        }
        if (!unit || strlen(unit) >= sizeof(own_unit))
                return NULL;
        return strcpy(own_unit, unit);
}
