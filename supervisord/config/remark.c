/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Findings about daemons. Without memory for its text a finding still counts. Pure, nothing here
 * can block.
 */

#include "config/remark.h"

#include <stdarg.h>
#include <stdio.h>

#define REMARK_NAME_MAX 256

static const SettingOrigin *remark_origin(const DaemonConfig *daemon, const char *path) {
        const Setting *setting = schema_find(schema_daemon, schema_daemon_count, path);

        return &daemon->origins[setting - schema_daemon];
}

bool remark_is_written(const DaemonConfig *daemon, const char *path) {
        return remark_origin(daemon, path)->file;
}

bool remark_is_own(const DaemonConfig *daemon, const char *path) {
        const SettingOrigin *origin = remark_origin(daemon, path);

        return origin->file && !origin->of_profile;
}

PRINTF_LIKE(6, 0)
static void remark_add_at(Diag *diag,
                          Severity severity,
                          const SettingOrigin *origin,
                          const char *owner,
                          const char *path,
                          const char *format,
                          va_list arguments) {
        CLEANUP(freep) char *text = NULL;
        char name[REMARK_NAME_MAX];

        (void) snprintf(name, sizeof(name), "%s.%s", owner, path);
        if (vasprintf(&text, format, arguments) < 0)
                text = NULL;
        diag_add(diag, severity, origin->file, origin->line, name, "%s",
                 text ? text : "out of memory");
}

PRINTF_LIKE(5, 0)
static void remark_add(Diag *diag,
                       Severity severity,
                       const DaemonConfig *daemon,
                       const char *path,
                       const char *format,
                       va_list arguments) {
        const SettingOrigin *origin = remark_origin(daemon, path);

        remark_add_at(diag, severity, origin->file ? origin : &daemon->origin, daemon->name, path,
                      format, arguments);
}

void remark_error(Diag *diag,
                  const DaemonConfig *daemon,
                  const char *path,
                  const char *format,
                  ...) {
        va_list arguments;

        va_start(arguments, format);
        remark_add(diag, SEVERITY_ERROR, daemon, path, format, arguments);
        va_end(arguments);
}

void remark_warning(Diag *diag,
                    const DaemonConfig *daemon,
                    const char *path,
                    const char *format,
                    ...) {
        va_list arguments;

        va_start(arguments, format);
        remark_add(diag, SEVERITY_WARNING, daemon, path, format, arguments);
        va_end(arguments);
}

static const SettingOrigin *remark_supervisor_origin(const SupervisorConfig *supervisor,
                                                     const char *path) {
        const Setting *setting = schema_find(schema_supervisor, schema_supervisor_count, path);

        return &supervisor->origins[setting - schema_supervisor];
}

bool remark_supervisor_is_written(const SupervisorConfig *supervisor, const char *path) {
        return remark_supervisor_origin(supervisor, path)->file;
}

void remark_supervisor_error(Diag *diag,
                             const SupervisorConfig *supervisor,
                             const char *path,
                             const char *format,
                             ...) {
        va_list arguments;

        va_start(arguments, format);
        remark_add_at(diag, SEVERITY_ERROR, remark_supervisor_origin(supervisor, path),
                      "supervisor", path, format, arguments);
        va_end(arguments);
}

void remark_supervisor_warning(Diag *diag,
                               const SupervisorConfig *supervisor,
                               const char *path,
                               const char *format,
                               ...) {
        va_list arguments;

        va_start(arguments, format);
        remark_add_at(diag, SEVERITY_WARNING, remark_supervisor_origin(supervisor, path),
                      "supervisor", path, format, arguments);
        va_end(arguments);
}
