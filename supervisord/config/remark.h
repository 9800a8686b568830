/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Findings about a setting of a daemon, at the place where it is set; where it is not set, at the
 * daemon itself. `path` is as in the schema, "drain.timeout".
 */

#include "base/diag.h"
#include "config/config.h"

void remark_error(Diag *diag, const DaemonConfig *daemon, const char *path, const char *format, ...)
        PRINTF_LIKE(4, 5);
void remark_warning(Diag *diag,
                    const DaemonConfig *daemon,
                    const char *path,
                    const char *format,
                    ...) PRINTF_LIKE(4, 5);
/* The same about a setting of the supervisor itself. */
void remark_supervisor_error(Diag *diag,
                             const SupervisorConfig *supervisor,
                             const char *path,
                             const char *format,
                             ...) PRINTF_LIKE(4, 5);
void remark_supervisor_warning(Diag *diag,
                               const SupervisorConfig *supervisor,
                               const char *path,
                               const char *format,
                               ...) PRINTF_LIKE(4, 5);

/* Whether the setting stands in a file. */
bool remark_is_written(const DaemonConfig *daemon, const char *path);
/* … and not just in the daemon's profile. */
bool remark_is_own(const DaemonConfig *daemon, const char *path);
bool remark_supervisor_is_written(const SupervisorConfig *supervisor, const char *path);
