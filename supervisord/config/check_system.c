/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the configuration asks of this machine and the machine does not have. Looks up users and
 * groups on the way, which daemons are started with later. Blocks where the file system and the
 * user database do.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "config/identity.h"
#include "config/load.h"
#include "config/permit.h"
#include "config/remark.h"

#define CHECK_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool check_is_program(const char *path) {
        struct stat st;

        return file_stat(AT_FDCWD, path, &st) == 0 && S_ISREG(st.st_mode) &&
               access(path, X_OK) == 0;
}

/* Where a shell would find the program, malloc'ed; NULL: nowhere, or no memory. */
static char *check_find_program(const char *name) {
        const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;

        for (const char *at = CHECK_PATH; *at; at += strspn(at, ":")) {
                int length = (int) strcspn(at, ":");
                CLEANUP(freep) char *path = NULL;

                if (asprintf(&path, "%.*s/%s", length, at, base) < 0) {
                        path = NULL;
                        return NULL;
                }
                if (check_is_program(path))
                        return TAKE(path);
                at += length;
        }
        return NULL;
}

/* The program of a command: the setting's own, or a hook's. */
static void check_program(const DaemonConfig *daemon,
                          const char *path,
                          char *const *command,
                          bool as_daemon,
                          Diag *diag) {
        CLEANUP(freep) char *found = NULL;
        const char *program;
        struct stat st;
        int r;

        if (!command)
                return;
        program = command[0];
        if (program[0] != '/') {
                found = check_find_program(program);
                remark_error(diag, daemon, path,
                             "the program \"%.200s\" is no absolute path; write \"%s\"", program,
                             found ? found : "/usr/sbin/…");
                return;
        }
        r = file_stat(AT_FDCWD, program, &st);
        if (r == FILE_E_MISSING) {
                found = check_find_program(program);
                if (found)
                        remark_error(diag, daemon, path, "\"%.200s\" does not exist; write \"%s\"",
                                     program, found);
                else
                        remark_error(diag, daemon, path,
                                     "\"%.200s\" does not exist; install it or correct the path",
                                     program);
        } else if (r != 0)
                remark_error(diag, daemon, path,
                             "\"%.200s\" cannot be reached; check the permissions of its "
                             "directories",
                             program);
        else if (!S_ISREG(st.st_mode))
                remark_error(diag, daemon, path,
                             "\"%.200s\" is a directory, FIFO, socket or device; write the path "
                             "of a program",
                             program);
        else if (access(program, X_OK) != 0)
                remark_error(diag, daemon, path,
                             "\"%.200s\" is not executable; run: chmod +x %.200s", program,
                             program);
        else if (as_daemon && !permit_has(daemon, &st, 01))
                remark_warning(diag, daemon, path,
                               "its user may not execute \"%.200s\"; run: chmod o+x %.200s",
                               program, program);
}

static void check_commands(const DaemonConfig *daemon, Diag *diag) {
        check_program(daemon, "command", daemon->command, true, diag);
        check_program(daemon, "ready.command", daemon->ready.command, false, diag);
        check_program(daemon, "health.command", daemon->health.command, false, diag);
        check_program(daemon, "freeze.command", daemon->freeze.command, false, diag);
        check_program(daemon, "drain.command", daemon->drain.command, false, diag);
        check_program(daemon, "stop.command", daemon->stop_by.command, false, diag);
        check_program(daemon, "cleanup.command", daemon->cleanup.command, false, diag);
        check_program(daemon, "reload.check", daemon->reload.check, false, diag);
        check_program(daemon, "reload.command", daemon->reload.command, false, diag);
}

/* The first of the settings that change the user, or NULL. */
static const char *check_identity_setting(const DaemonConfig *daemon) {
        return daemon->user     ? "user"
               : daemon->group  ? "group"
               : daemon->groups ? "groups"
                                : NULL;
}

static int check_identity(DaemonConfig *daemon, Diag *diag) {
        const char *setting = check_identity_setting(daemon), *missing = NULL;
        int r;

        if (!setting)
                return 0;
        if (geteuid() != 0)
                remark_error(diag, daemon, setting,
                             "only root can change it, and this runs as uid %u; remove it or run "
                             "supervisord as root",
                             geteuid());
        r = identity_find(daemon->user, daemon->group, daemon->groups, &daemon->identity, &missing);
        switch (r) {
        case IDENTITY_E_USER:
                remark_error(diag, daemon, "user",
                             "there is no user \"%.80s\" on this machine; create it or write "
                             "another one",
                             daemon->user);
                return 0;
        case IDENTITY_E_GROUP:
                remark_error(diag, daemon, missing == daemon->group ? "group" : "groups",
                             "there is no group \"%.80s\" on this machine; create it or write "
                             "another one",
                             missing);
                return 0;
        case IDENTITY_E_NO_GROUP:
                remark_error(diag, daemon, "user",
                             "user %.80s has no entry on this machine and so no group of its own; "
                             "set group too",
                             daemon->user);
                return 0;
        default:
                return r;
        }
}

static void check_directory(const DaemonConfig *daemon, Diag *diag) {
        struct stat st;

        if (file_stat(AT_FDCWD, daemon->directory, &st) != 0)
                remark_error(diag, daemon, "directory",
                             "\"%.200s\" does not exist or cannot be reached; create it or write "
                             "another one",
                             daemon->directory);
        else if (!S_ISDIR(st.st_mode))
                remark_error(diag, daemon, "directory",
                             "\"%.200s\" is no directory; write the path of one",
                             daemon->directory);
        else if (!permit_has(daemon, &st, 01))
                remark_warning(diag, daemon, "directory",
                               "its user may not enter \"%.200s\"; run: chmod o+x %.200s",
                               daemon->directory, daemon->directory);
}

/* The directory that a file is in: 0 with *ret, or what file_stat() says. */
static int check_stat_parent(const char *path, struct stat *ret) {
        CLEANUP(freep) char *parent = strndup(path, (size_t) (strrchr(path, '/') + 1 - path));

        return parent ? file_stat(AT_FDCWD, parent, ret) : -ENOMEM;
}

static const char *check_pidfile_remedy(int outcome) {
        switch (outcome) {
        case PERMIT_E_MISSING:
                return "create it before the start, as by tmpfiles.d(5)";
        case PERMIT_E_KEPT:
                return "remove it";
        default:
                return "give it a directory of its own there";
        }
}

/* Only warnings: something else may make the directory before the daemon needs it. */
static void check_pidfile(const DaemonConfig *daemon, Diag *diag) {
        char text[PERMIT_TEXT_MAX];
        size_t length;

        if (!daemon->pidfile)
                return;
        int r = permit_make(daemon, daemon->pidfile, &length);
        if (r != 0)
                remark_warning(diag, daemon, "pidfile", "it cannot be written, %s%s; %s",
                               permit_text(text, r, daemon->pidfile, length),
                               r == PERMIT_E_MISSING ? " (yet)" : "", check_pidfile_remedy(r));
}

static int check_output(const DaemonConfig *daemon, Diag *diag) {
        struct stat st;
        int r;

        if (!daemon->output.file)
                return 0;
        r = check_stat_parent(daemon->output.file, &st);
        if (r < 0)
                return r;
        if (r != 0 || !S_ISDIR(st.st_mode))
                remark_error(diag, daemon, "output.file",
                             "the directory of \"%.200s\" does not exist; create it",
                             daemon->output.file);
        else if (file_stat(AT_FDCWD, daemon->output.file, &st) == 0 && S_ISDIR(st.st_mode))
                remark_error(diag, daemon, "output.file",
                             "\"%.200s\" is a directory; write the path of a file in it",
                             daemon->output.file);
        return 0;
}

/* Only warnings: its absence may be what the daemon shall see. A profile names the files of several
 * versions. */
static void check_reload_files(const DaemonConfig *daemon, Diag *diag) {
        struct stat st;

        if (!remark_is_own(daemon, "reload.files"))
                return;
        for (char *const *path = daemon->reload.files; path && *path; path++)
                if (file_stat(AT_FDCWD, *path, &st) != 0)
                        remark_warning(diag, daemon, "reload.files",
                                       "\"%.200s\" does not exist (yet) or cannot be reached",
                                       *path);
}

static int check_group(const SupervisorConfig *supervisor,
                       const char *path,
                       const char *group,
                       gid_t *ret,
                       Diag *diag) {
        int r = group ? identity_find_group(group, ret) : 0;

        if (r == IDENTITY_E_GROUP) {
                remark_supervisor_error(diag, supervisor, path,
                                        "there is no group \"%.80s\" on this machine; create it or "
                                        "write another one",
                                        group);
                return 0;
        }
        return r;
}

int config_check_system(Config *config, Diag *diag) {
        SupervisorConfig *supervisor = &config->supervisor;
        int r = check_group(supervisor, "admin_group", supervisor->admin_group,
                            &supervisor->admin_gid, diag);

        if (r == 0)
                r = check_group(supervisor, "reader_group", supervisor->reader_group,
                                &supervisor->reader_gid, diag);
        if (r < 0)
                return r;
        for (size_t i = 0; i < config->daemon_count; i++) {
                DaemonConfig *daemon = &config->daemons[i];

                r = check_identity(daemon, diag);
                if (r == 0)
                        r = check_output(daemon, diag);
                if (r < 0)
                        return r;
                check_commands(daemon, diag);
                check_directory(daemon, diag);
                check_pidfile(daemon, diag);
                check_reload_files(daemon, diag);
        }
        return 0;
}
