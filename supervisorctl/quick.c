/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the answer of StatusTable() to the table for people. */

#include "quick.h"

#include <string.h>

#include "base/error.h"
#include "base/macro.h"
#include "control/names.h"
#include "rows.h"
#include "wire.h"

/* Ends the text at *at at that mark and moves *at behind it: the text, NULL: there is no mark. */
static char *quick_take(char **at, char mark) {
        char *text = *at, *end = strchr(text, mark);

        if (!end)
                return NULL;
        *end = '\0';
        *at = end + 1;
        return text;
}

/* 0 for what is no number. */
static usec_t quick_number(const char *text) {
        usec_t number = 0;

        for (; *text >= '0' && *text <= '9'; text++)
                number = 10 * number + (usec_t) (*text - '0');
        return number;
}

/* The columns of one line; further ones are left alone. */
static bool quick_read_row(char *line, Row *ret) {
        const char *name = quick_take(&line, '\t'), *state = quick_take(&line, '\t');
        const char *pending = quick_take(&line, '\t'), *pid = quick_take(&line, '\t');
        const char *since = quick_take(&line, '\t'), *started = quick_take(&line, '\t');
        const char *reason = quick_take(&line, '\t'), *status = quick_take(&line, '\t');
        const char *paused = quick_take(&line, '\t');
        const char *deadline = line;

        (void) started;
        if (!paused)
                return false;
        (void) quick_take(&line, '\t');
        *ret = (Row){
                .name = name,
                .state = state,
                .pending = pending[0] == '1',
                .pid = (unsigned) quick_number(pid),
                .since = quick_number(since),
                .reason = reason,
                .status = status,
                .paused = paused[0] == '1',
                .deadline = quick_number(deadline),
        };
        return true;
}

static size_t quick_find_width(const char *table) {
        size_t width = 0;

        while (*table != '\0') {
                size_t length = strcspn(table, "\t");
                const char *end = strchr(table, '\n');

                width = MAX_OF(width, length);
                table = end ? end + 1 : table + length;
        }
        return width;
}

/* False: that is no table of ours. */
static bool quick_read(char *table, Rows *rows) {
        size_t length = strlen(CONTROL_TABLE_COLUMNS);
        const char *columns = quick_take(&table, '\n');
        char *line;
        Row row;

        if (!columns || strncmp(columns, CONTROL_TABLE_COLUMNS, length) != 0 ||
            (columns[length] != '\0' && columns[length] != '\t'))
                return false;
        rows_begin(rows, quick_find_width(table));
        while ((line = quick_take(&table, '\n'))) {
                if (!quick_read_row(line, &row))
                        return false;
                rows_add(rows, &row);
        }
        return true;
}

int quick_status(const char *socket, const char *config, int *ret_status) {
        CLEANUP(wire_reply_done) WireReply reply = {};
        CLEANUP(rows_done) Rows rows = {};

        int r = wire_call(socket, "StatusTable", &reply);
        if (r < 0)
                return r;
        if (config && strcmp(reply.first, config) != 0)
                return -ENOENT;
        if (!quick_read(reply.second, &rows))
                return -EPROTO;
        *ret_status = rows_print(&rows);
        return 0;
}
