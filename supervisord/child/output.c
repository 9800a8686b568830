/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a daemon's stdout and stderr go: straight into journald or a file, never through us.
 */

#include <unistd.h>

#include "base/file.h"
#include "child/object.h"
#include "sys/journal.h"

/* Our own stderr, which under systemd is a stream to journald as well. */
static int output_inherit(int *ret) {
        return file_duplicate(STDERR_FILENO, ret);
}

static int output_journal(const DaemonConfig *daemon, int *ret) {
        int r = journal_stream_open(daemon->output.identifier, journal_own_unit(),
                                    daemon->output.priority, ret);
        switch (r) {
        case JOURNAL_E_ABSENT:
                return output_inherit(ret);
        default:
                return r;
        }
}

static int output_file(const DaemonConfig *daemon, int *ret) {
        int r = file_open_append(daemon->output.file, 0640, ret);
        if (r != 0)
                log_write(LOG_WARNING, &(LogContext){ .daemon = daemon->name },
                          "cannot open output.file %s, its output goes to ours",
                          daemon->output.file);
        return r == 0 ? 0 : output_inherit(ret);
}

/* A new one is there before it is written. */
static int output_follow_file(const Child *child, Follow **ret) {
        const char *path = child->daemon->output.file;
        int fd = -1;

        if (file_open_append(path, 0640, &fd) == 0)
                fd_close(fd);
        return follow_file_new(child->context->loop, child_name(child), path, ret);
}

int output_follow(const Child *child, Follow **ret) {
        const DaemonConfig *daemon = child->daemon;

        switch (daemon->output.to) {
        case OUTPUT_JOURNAL:
                return follow_journal_new(child->context->loop, child_name(child),
                                          daemon->output.identifier, journal_own_unit(), ret);
        case OUTPUT_FILE:
                return output_follow_file(child, ret);
        default: /* since a reload */
                return FOLLOW_E_ABSENT;
        }
}

int output_open(const DaemonConfig *daemon, int *ret) {
        switch (daemon->output.to) {
        case OUTPUT_JOURNAL:
                return output_journal(daemon, ret);
        case OUTPUT_FILE:
                return output_file(daemon, ret);
        case OUTPUT_INHERIT:
                return output_inherit(ret);
        default:
                *ret = -1;
                return 0;
        }
}
