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

static int output_journal(const Child *child, int *ret) {
        const DaemonConfig *daemon = child->daemon;

        int r = journal_stream_open(daemon->output.identifier, journal_own_unit(),
                                    daemon->output.priority, ret);
        switch (r) {
        case JOURNAL_E_ABSENT:
                return output_inherit(ret);
        default:
                return r;
        }
}

static int output_file(const Child *child, int *ret) {
        int r = file_open_append(child->daemon->output.file, 0640, ret);
        if (r != 0)
                note(child, LOG_WARNING, MESSAGE_NONE,
                     "cannot open output.file %s, its output goes to ours",
                     child->daemon->output.file);
        return r == 0 ? 0 : output_inherit(ret);
}

int output_open(const Child *child, int *ret) {
        switch (child->daemon->output.to) {
        case OUTPUT_JOURNAL:
                return output_journal(child, ret);
        case OUTPUT_FILE:
                return output_file(child, ret);
        case OUTPUT_INHERIT:
                return output_inherit(ret);
        default:
                *ret = -1;
                return 0;
        }
}
