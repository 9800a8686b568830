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
