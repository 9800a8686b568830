/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See the header. */

#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

static bool progress_is_goal(const char *state) {
        static const char *const goals[] = { "running", "done", "stopped", "failed", "stuck" };

        for (size_t i = 0; i < ELEMENTSOF(goals); i++)
                if (strcmp(goals[i], state) == 0)
                        return true;
        return false;
}

static ProgressRow *progress_find(Progress *progress, const char *name) {
        for (size_t i = 0; i < progress->count; i++)
                if (strcmp(progress->rows[i].name, name) == 0)
                        return &progress->rows[i];
        return NULL;
}

static ProgressRow *progress_add(Progress *progress) {
        if (progress->count == progress->room) {
                size_t room = MAX_OF(2 * progress->room, (size_t) 16);
                ProgressRow *rows = reallocarray(progress->rows, room, sizeof(*rows));

                if (!rows)
                        return NULL;
                progress->rows = rows;
                progress->room = room;
        }
        return &progress->rows[progress->count++];
}

static void progress_remove(Progress *progress, ProgressRow *row) {
        size_t after = progress->count - (size_t) (row - progress->rows) - 1;

        memmove(row, row + 1, after * sizeof(*row));
        progress->count--;
}

void progress_update(Progress *progress, const ProgressNews *news) {
        ProgressRow *row = progress_find(progress, news->name);

        if (progress_is_goal(news->state)) {
                if (row)
                        progress_remove(progress, row);
                return;
        }
        if (!row)
                row = progress_add(progress);
        if (!row)
                return;
        snprintf(row->name, sizeof(row->name), "%s", news->name);
        snprintf(row->state, sizeof(row->state), "%s", news->state);
        snprintf(row->status, sizeof(row->status), "%s", news->status);
        row->deadline = news->deadline;
}

void progress_done(Progress *progress) {
        free(progress->rows);
        *progress = (Progress){ 0 };
}

int progress_width(const Progress *progress) {
        size_t width = 0;

        for (size_t i = 0; i < progress->count; i++)
                width = MAX_OF(width, strlen(progress->rows[i].name));
        return (int) width;
}

/* In whole seconds, so that it does not flicker. */
const char *progress_left(char buffer[static PROGRESS_LEFT_MAX], uint64_t deadline, usec_t now) {
        char text[DURATION_TEXT_MAX];
        uint64_t seconds = (usec_sub(deadline, now) + USEC_PER_SEC - 1) / USEC_PER_SEC;

        if (deadline == 0)
                buffer[0] = '\0';
        else if (seconds < 60)
                snprintf(buffer, PROGRESS_LEFT_MAX, "%" PRIu64 " s left", seconds);
        else
                snprintf(buffer, PROGRESS_LEFT_MAX, "%s left",
                         format_elapsed(text, seconds * USEC_PER_SEC));
        return buffer;
}

const char *progress_row_text(char buffer[static PROGRESS_TEXT_MAX],
                              const ProgressRow *row,
                              int width,
                              usec_t now) {
        /* what it says of itself is about its work in flight only while it drains */
        const char *status = strcmp(row->state, "draining") == 0 ? row->status : "";
        char left[PROGRESS_LEFT_MAX];

        progress_left(left, row->deadline, now);
        snprintf(buffer, PROGRESS_TEXT_MAX, "%-*s  %-9s  %s%s%s", width, row->name, row->state,
                 status, status[0] != '\0' && left[0] != '\0' ? ", " : "", left);
        return buffer;
}
