/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pure but for the look at the supervisor; see the header. */

#include "control/table.h"

#include <string.h>

#include "base/parse.h"
#include "control/names.h"
#include "control/text.h"

/* Of a line, beside the four texts: the numbers, the marks and a NUL that stpcpy(3) leaves. */
#define TABLE_REST_MAX (4 * NUMBER_TEXT_MAX + 16)

/* Text of others may hold anything; here it must be UTF-8 without the marks of the table. */
static char *table_put_foreign(char *at, const char *text) {
        char *end;

        if (text[0] == '\0')
                return at;
        end = stpcpy(at, text);
        text_repair(at);
        for (; at < end; at++)
                if ((unsigned char) *at < ' ' || *at == 0x7f)
                        *at = '?';
        return end;
}

static uint64_t table_deadline(const Supervisor *supervisor, const Child *child) {
        usec_t deadline = supervisor_deadline(supervisor, child);

        return deadline == USEC_INFINITY ? 0 : deadline;
}

static void table_add_daemon(Buffer *buffer, const Supervisor *supervisor, const Child *child) {
        const char *name = child_name(child), *state = daemon_state_name(child_state(child));
        const char *reason = child_reason(child), *status = child_status(child);
        char *at = buffer_extend(buffer, strlen(name) + strlen(state) + strlen(reason) +
                                                 strlen(status) + TABLE_REST_MAX);

        if (!at)
                return;
        at = stpcpy(at, name);
        *at++ = '\t';
        at = stpcpy(at, state);
        at = stpcpy(at, supervisor_is_pending(supervisor, child) ? "\t1\t" : "\t0\t");
        at = format_digits(at, (uint64_t) child_main_pid(child));
        *at++ = '\t';
        at = format_digits(at, child_state_since(child));
        *at++ = '\t';
        at = format_digits(at, child_started(child));
        *at++ = '\t';
        at = table_put_foreign(at, reason);
        *at++ = '\t';
        at = table_put_foreign(at, status);
        at = stpcpy(at, child_is_paused(child) ? "\t1\t" : "\t0\t");
        at = format_digits(at, table_deadline(supervisor, child));
        *at++ = '\n';
        buffer_end(buffer, at);
}

void table_add(Buffer *buffer, const Supervisor *supervisor) {
        size_t count = supervisor_count(supervisor);
        char *at = buffer_extend(buffer, sizeof(CONTROL_TABLE_COLUMNS "\n"));

        if (at)
                buffer_end(buffer, stpcpy(at, CONTROL_TABLE_COLUMNS "\n"));
        for (size_t i = 0; i < count; i++)
                table_add_daemon(buffer, supervisor, supervisor_child(supervisor, i));
}
