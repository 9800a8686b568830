/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * After the death of a supervisor that had closed the intake of daemons: its files (sockets.c) say
 * which paths it had moved aside. They are hostile input, as everything in a file is: a line is
 * used only if it is an absolute path, and nothing but what bears our own sign is touched.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/strv.h"
#include "child/object.h"

#define RECOVER_FILE_MAX (64u << 10)

static void recover_path(const char *daemon, const char *path) {
        if (path[0] != '/')
                return;

        int r = intake_restore(path);
        switch (r) {
        case 0:
                log_write(LOG_NOTICE,
                          &(LogContext){ .message = MESSAGE_INTAKE_RECOVERED, .daemon = daemon },
                          "%s was moved aside by an earlier supervisord and is back", path);
                break;
        case INTAKE_E_GONE:
                break;
        default:
                log_write(LOG_WARNING, &(LogContext){ .daemon = daemon },
                          "%s was moved aside by an earlier supervisord and cannot be brought "
                          "back: %s",
                          path,
                          r == INTAKE_E_FOREIGN ? "something else stands there by now"
                                                : strerror(-r));
                break;
        }
}

static void recover_file(const ChildContext *context, const char *name) {
        CLEANUP(freep) char *path = NULL, *text = NULL;
        char *line, *rest;
        size_t size;

        if (asprintf(&path, "%s/%s", context->frozen_directory, name) < 0)
                return;
        if (file_read(AT_FDCWD, path, RECOVER_FILE_MAX, FILE_NO_SYMLINK, &text, &size) == 0)
                for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
                        recover_path(name, line);
        (void) file_remove(path);
}

void child_recover_intake(const ChildContext *context) {
        CLEANUP(strv_freep) char **names = NULL;

        if (directory_list(context->frozen_directory, &names) != 0)
                return;
        for (char **name = names; name && *name; name++)
                recover_file(context, *name);
}
