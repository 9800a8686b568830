/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A command that starts a daemon and ends by itself, as the script of an old init system does. What
 * it writes goes where the daemon's output goes; since it is known to end soon, and a failure
 * has its cause in its last lines, it passes through us, and these are kept for the reason.
 */

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/parse.h"
#include "child/object.h"

#define SCRIPT_LINES_MAX 4
#define SCRIPT_WORDS_MAX 320

bool script_is_one(const DaemonConfig *daemon) {
        return daemon->type == DAEMON_COMMAND || daemon->type == DAEMON_ONESHOT;
}

int script_open_output(Child *child, int *ret) {
        int output = -1;

        script_forget(child);
        int r = output_open(child->daemon, &output);
        if (r < 0)
                return r;
        r = capture_new(child->context->loop, child_name(child), &child->words);
        if (r < 0) {
                fd_close(output);
                return r;
        }
        r = capture_pass_on(child->words, output);
        if (r >= 0)
                *ret = capture_fd(child->words);
        return r;
}

void script_ended_well(Child *child) {
        if (child->words && !capture_leave(child->words))
                script_forget(child);
}

/* The begin of the last lines. */
static const char *script_last_lines(char *text, size_t size) {
        unsigned lines = 1;

        while (size > 0 && text[size - 1] == '\n')
                size--;
        text[size] = '\0';
        for (; size > 0; size--)
                if (text[size - 1] == '\n' && ++lines > SCRIPT_LINES_MAX)
                        break;
        return text + size + strspn(text + size, "\n");
}

/* "one line | another one" */
static void script_join_lines(char *words, size_t room, const char *text) {
        const char *separator = "";
        size_t used = 0;

        while (*text && used + 1 < room) {
                char line[SCRIPT_WORDS_MAX], shown[SCRIPT_WORDS_MAX];
                size_t length = strcspn(text, "\n");

                snprintf(line, sizeof(line), "%.*s", (int) length, text);
                text += length + strspn(text + length, "\n");
                format_visible(shown, sizeof(shown), line);
                int n = snprintf(words + used, room - used, "%s%s", separator, shown);
                used += (size_t) MAX_OF(n, 0);
                separator = " | ";
        }
}

void script_add_words(Child *child) {
        char text[CAPTURE_MAX + 1], words[SCRIPT_WORDS_MAX] = "", reason[SCRIPT_WORDS_MAX + 32];
        size_t size;

        if (!child->words)
                return;
        memcpy(text, capture_end(child->words, &size), sizeof(text));
        script_forget(child);
        for (size_t i = 0; i < size; i++)
                if (text[i] == '\0')
                        text[i] = '?'; /* it would hide what comes after it */

        script_join_lines(words, sizeof(words), script_last_lines(text, size));
        if (words[0] == '\0')
                return;
        snprintf(reason, sizeof(reason), "it wrote: %s", words);
        child_add_reason(child, reason);
}

void script_forget(Child *child) {
        size_t size;

        if (child->words)
                (void) capture_end(child->words, &size); /* its last words go on */
        child->words = capture_free(child->words);
}
