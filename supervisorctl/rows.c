/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thousand lines in less than a millisecond: printf(3) alone would take longer. */

#include "rows.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/parse.h"
#include "exits.h"
#include "progress.h"
#include "terminal.h"

#define STATE_WIDTH   9
#define PID_WIDTH     8
#define ELAPSED_WIDTH 10
#define COLUMN_GAP    "  "
#define BY_OPERATOR   "by an operator"
/* Of a line, beside name, state and text: blanks, numbers, times, two colours. */
#define ROW_REST_MAX (DURATION_TEXT_MAX + PROGRESS_LEFT_MAX + NUMBER_TEXT_MAX + 64)

bool row_is_running(const Row *row) {
        return strcmp(row->state, "running") == 0 || strcmp(row->state, "done") == 0;
}

const char *row_state(const Row *row) {
        return row->pending ? "waiting" : row->state;
}

const char *row_colour(const Row *row) {
        if (row_is_running(row))
                return TERMINAL_GREEN;
        if (strcmp(row->state, "failed") == 0 || strcmp(row->state, "stuck") == 0)
                return TERMINAL_RED;
        if (strcmp(row->state, "stopped") == 0)
                return TERMINAL_GREY;
        return TERMINAL_YELLOW;
}

bool row_is_draining(const Row *row) {
        return strcmp(row->state, "draining") == 0;
}

/* What it says of itself while all is well, or what is in flight; otherwise why it failed last. */
static const char *row_text(const Row *row) {
        bool counts = row->status[0] != '\0' && (row_is_running(row) || row_is_draining(row));

        return counts ? row->status : row->reason;
}

/* As "%-*s" and "%*s" do it, but without what printf(3) costs. */
static char *rows_put_left(char *at, const char *text, size_t width) {
        char *end = stpcpy(at, text);

        while (end < at + width)
                *end++ = ' ';
        return end;
}

static char *rows_put_right(char *at, const char *text, size_t width) {
        for (size_t length = strlen(text); length < width; length++)
                *at++ = ' ';
        return stpcpy(at, text);
}

/* What others wrote, without anything that a terminal would obey. */
static char *rows_put_shown(char *at, const char *text) {
        for (char last = '\0'; *text; last = *text++) {
                /* the second half of a character from U+0080 to U+009F */
                bool high = last == '\xc2' && (unsigned char) *text < 0xa0;

                *at++ = (unsigned char) *text < ' ' || *text == 0x7f || high ? '?' : *text;
        }
        return at;
}

/* "by an operator: 2 waiting, 5 busy, 1 idle, 8 s left", or what there is of it. */
static char *rows_put_detail(char *at, const Row *row, usec_t now) {
        char left[PROGRESS_LEFT_MAX];
        const char *text = row_text(row);
        bool some_text = text[0] != '\0';
        bool some_left = progress_left(left, row->deadline, now)[0] != '\0';

        if (row->paused)
                at = stpcpy(at, some_text || some_left ? BY_OPERATOR ": " : BY_OPERATOR);
        at = rows_put_shown(at, text);
        if (some_text && some_left)
                at = stpcpy(at, ", ");
        return stpcpy(at, left);
}

void rows_begin(Rows *rows, size_t width) {
        *rows = (Rows){
                .width = width,
                .now = clock_now(),
                .colours = terminal_has_colours(),
                .all_run = true,
        };
}

void rows_add(Rows *rows, const Row *row) {
        const char *state = row_state(row);
        char elapsed[DURATION_TEXT_MAX], pid[NUMBER_TEXT_MAX] = "-";
        char *at = buffer_extend(&rows->text,
                                 rows->width + strlen(state) + strlen(row_text(row)) +
                                         ROW_REST_MAX);

        rows->all_run = rows->all_run && row_is_running(row);
        if (!at)
                return;
        if (row->pid > 0)
                (void) format_digits(pid, row->pid);
        (void) format_elapsed(elapsed, usec_sub(rows->now, row->since));

        at = stpcpy(rows_put_left(at, row->name, rows->width), COLUMN_GAP);
        at = stpcpy(at, rows->colours ? row_colour(row) : "");
        at = rows_put_left(at, state, STATE_WIDTH);
        at = stpcpy(at, rows->colours ? TERMINAL_PLAIN : "");
        at = rows_put_right(stpcpy(at, COLUMN_GAP), pid, PID_WIDTH);
        at = rows_put_right(stpcpy(at, COLUMN_GAP), elapsed, ELAPSED_WIDTH);
        at = stpcpy(at, COLUMN_GAP);
        at = rows_put_detail(at, row, rows->now);
        *at++ = '\n';
        buffer_end(&rows->text, at);
}

/* Past stdio: a terminal would get line by line. */
static int rows_write(const Buffer *text) {
        size_t done = 0;

        fflush(stdout);
        while (done < text->length) {
                ssize_t count = write(STDOUT_FILENO, text->data + done, text->length - done);

                if (count < 0 && errno != EINTR)
                        return errno_negative();
                if (count > 0)
                        done += (size_t) count;
        }
        return 0;
}

int rows_print(const Rows *rows) {
        int r = rows->text.failed ? -ENOMEM : rows_write(&rows->text);

        if (r < 0) {
                fprintf(stderr, "supervisorctl: the table cannot be written: %s\n", strerror(-r));
                return EXIT_FAILED;
        }
        return rows->all_run ? 0 : EXIT_NOT_RUNNING;
}

void rows_done(Rows *rows) {
        buffer_done(&rows->text);
}
