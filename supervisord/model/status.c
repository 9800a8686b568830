/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The STATUS= line; see the header. A text that does not fit is cut. */

#include "model/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

/* What is shown of why something failed. */
#define STATUS_REASON_MAX 160

static void text_append(char *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

static void text_append(char *buffer, const char *format, ...) {
        size_t used = strlen(buffer);
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(buffer + used, STATUS_TEXT_MAX - used, format, arguments);
        va_end(arguments);
}

void status_text(char buffer[static STATUS_TEXT_MAX], Mode mode, const StatusCounts *counts) {
        buffer[0] = '\0';
        text_append(buffer, "%s: %zu of %zu %s", mode_name(mode), counts->running, counts->total,
                    mode == MODE_STARTING ? "ready" : PLURAL(counts->total, "daemon", "daemons"));

        if (counts->starting > 0)
                text_append(buffer, ", %zu starting (%s%s)", counts->starting,
                            counts->starting_name, counts->starting > 1 ? ", …" : "");
        if (counts->delayed > 0)
                text_append(buffer, ", %zu waiting to be restarted", counts->delayed);
        if (counts->failed > 0)
                text_append(buffer, ", %zu failed (%s%s%.*s%s)", counts->failed,
                            counts->failed_name, counts->failed_reason ? ": " : "",
                            STATUS_REASON_MAX, counts->failed_reason ? counts->failed_reason : "",
                            counts->failed > 1 ? ", …" : "");
        if (counts->paused > 0)
                text_append(buffer, ", %zu frozen or drained", counts->paused);
        if (counts->stopped > 0)
                text_append(buffer, ", %zu stopped", counts->stopped);
}

void status_text_stopping(char buffer[static STATUS_TEXT_MAX],
                          const SequenceProgress *progress,
                          const char *slowest,
                          const char *detail,
                          usec_t now) {
        char elapsed[DURATION_TEXT_MAX];

        buffer[0] = '\0';
        text_append(buffer, "%s: %zu of %zu left", phase_name(progress->phase), progress->left,
                    progress->total);

        if (slowest)
                text_append(buffer, ", slowest %s (%s%s%s)", slowest,
                            format_elapsed(elapsed, usec_sub(now, progress->slowest_since)),
                            detail[0] != '\0' ? "; " : "", detail);
        if (progress->left > 0)
                text_append(buffer, ", %s to the deadline",
                            format_elapsed(elapsed, usec_sub(progress->latest, now)));
        if (progress->forced_in_all > 0)
                text_append(buffer, ", %zu forced", progress->forced_in_all);
}
