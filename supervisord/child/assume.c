/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was found out about a daemon because nobody had said it: its type, its main process, what
 * showed it ready, where its work comes in, how it will be stopped. For people only.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/parse.h"
#include "base/strv.h"
#include "child/object.h"
#include "config/schedule.h"

#define ASSUME_LINE_MAX 256

static int assume_add(char ***lines, const char *format, ...) PRINTF_LIKE(2, 3);

static int assume_add(char ***lines, const char *format, ...) {
        char line[ASSUME_LINE_MAX], shown[ASSUME_LINE_MAX];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);
        return strv_append(lines, format_visible(shown, sizeof(shown), line));
}

static const char *assume_choice(const char *path, unsigned value) {
        return schema_find(schema_daemon, schema_daemon_count, path)->choices[value];
}

static const char *assume_type(const Child *child, char *buffer, size_t room) {
        if (!child->forked)
                return child->notified ? "notify (it stays, and said READY=1)"
                                       : "simple (its first process stays)";
        snprintf(buffer, room, "forking (its first process ended well, and %u went on)",
                 child->guess.count);
        return buffer;
}

static const char *assume_sign(const Child *child) {
        switch (child->ready_sign) {
        case READY_SIGN_NOTIFIED:
                return "it said READY=1";
        case READY_SIGN_LISTENS:
                return "a socket of it listened";
        case READY_SIGN_LIVES:
                return "it went on living, and neither said READY=1 nor listened";
        default:
                return "not yet";
        }
}

static int assume_intake(const Child *child, char ***lines) {
        const IntakeSocket *sockets;
        char names[ASSUME_LINE_MAX] = "";
        size_t count, denied, used = 0;

        if (intake_find(child->context->intake, child->tree, &sockets, &count, &denied) < 0)
                return 0;
        for (size_t i = 0; i < count && used + 1 < sizeof(names); i++) {
                int n = snprintf(names + used, sizeof(names) - used, "%s%s", i > 0 ? ", " : "",
                                 sockets[i].name);
                used += (size_t) MAX_OF(n, 0);
        }
        return assume_add(lines, "intake: %s%s", count > 0 ? names : "no socket",
                          denied > 0 ? " (not all of its processes could be looked into)" : "");
}

static int assume_stop(const Child *child, char ***lines) {
        const DaemonConfig *daemon = child->daemon;
        CLEANUP(freep) char *signals = stop_schedule_text(&daemon->stop);

        return assume_add(lines, "stop: freeze by %s, drain until %s, then %s%s",
                          assume_choice("freeze.method", daemon->freeze.method),
                          assume_choice("drain.until", daemon->drain.until),
                          daemon->stop_by.command ? "stop.command, " : "",
                          signals ? signals : "its signals");
}

int child_assumptions(const Child *child, char ***ret) {
        CLEANUP(strv_freep) char **lines = calloc(1, sizeof(*lines));
        char text[ASSUME_LINE_MAX], found[TRACK_GUESS_MAX];
        const DaemonConfig *daemon = child->daemon;
        bool known = pidref_is_set(&child->main);
        int r = lines ? 0 : -ENOMEM;

        if (r >= 0 && known && daemon->type == DAEMON_AUTO)
                r = assume_add(&lines, "type: %s", assume_type(child, text, sizeof(text)));
        if (r >= 0 && known)
                r = assume_add(&lines, "main process: %d, %s", (int) child->main.pid,
                               track_found_text(child, found));
        if (r >= 0 && known && daemon->ready.on == READY_ANY)
                r = assume_add(&lines, "ready: %s", assume_sign(child));
        if (r >= 0 && known)
                r = assume_intake(child, &lines);
        if (r >= 0 && daemon->type != DAEMON_ONESHOT)
                r = assume_stop(child, &lines);
        if (r < 0)
                return r;
        *ret = TAKE(lines);
        return 0;
}

void assume_note(Child *child) {
        char text[ASSUME_LINE_MAX], found[TRACK_GUESS_MAX];
        bool any = child->daemon->ready.on == READY_ANY;

        if (child->daemon->type == DAEMON_AUTO)
                note(child, LOG_INFO, MESSAGE_NONE, "assumed: %s; main process %d, %s%s%s",
                     assume_type(child, text, sizeof(text)), (int) child->main.pid,
                     track_found_text(child, found), any ? "; ready: " : "",
                     any ? assume_sign(child) : "");
}
