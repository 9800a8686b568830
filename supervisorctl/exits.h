/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Exit status; 0 as usual. */
enum {
        EXIT_FAILED = 1, /* it was done, but the outcome is not what was asked for */
        EXIT_USAGE = 2,
        EXIT_NOT_RUNNING = 3, /* status: a daemon is not running */
        EXIT_UNKNOWN = 4,     /* no such daemon */
        EXIT_NO_SUPERVISOR = 69,
        EXIT_TIMEOUT = 75,
        EXIT_DENIED = 77,
};
