/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The path of a daemon's pidfile: what keeps the daemon from writing it, and its way out of the
 * world. Without this a pidfile that can never come would just be a start that takes too long.
 */

#include "base/file.h"
#include "child/object.h"

const char *pidpath_obstacle(const Child *child, char buffer[static PERMIT_TEXT_MAX]) {
        const char *path = child->daemon->pidfile;
        size_t length = 0;
        int r = permit_make(child->daemon, path, &length);

        return permit_text(buffer, r, path, length);
}

/* A directory that is missing may be made by the daemon itself. */
void pidpath_warn(const Child *child) {
        const char *path = child->daemon->pidfile;
        char text[PERMIT_TEXT_MAX];
        size_t length = 0;
        int r = permit_make(child->daemon, path, &length);

        if (r != 0 && r != PERMIT_E_MISSING)
                note(child, LOG_WARNING, MESSAGE_NONE, "its pidfile %s cannot be written: %s", path,
                     permit_text(text, r, path, length));
}

int pidpath_clear(const Child *child) {
        const char *path = child->daemon->pidfile;

        /* whoever cannot make it could not make it again */
        return permit_is_prepared(child->daemon, path) ? file_clear(path) : file_remove(path);
}
