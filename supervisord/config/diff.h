/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What differs between two configurations, daemon by daemon and setting by setting.
 */

#include <limits.h>
#include <stdbool.h>

#include "config/config.h"

typedef enum DiffKind {
        DIFF_SAME,
        DIFF_CHANGED,
        DIFF_ADDED,
        DIFF_REMOVED,
} DiffKind;

#define DIFF_NO_INDEX UINT_MAX

typedef struct DaemonDiff {
        DiffKind kind;
        const char *name; /* borrowed from the configurations */
        unsigned before;  /* index there; DIFF_NO_INDEX: not there */
        unsigned after;
        bool *settings; /* by index into schema_daemon: whether it differs */
} DaemonDiff;

typedef struct ConfigDiff {
        const Config *before, *after; /* borrowed */
        DaemonDiff *daemons;          /* those of `after` in their order, then the removed ones */
        size_t count;
        bool *supervisor; /* by index into schema_supervisor */
        bool same;        /* nothing differs at all */
} ConfigDiff;

int config_diff_new(const Config *before, const Config *after, ConfigDiff **ret);
ConfigDiff *config_diff_free(ConfigDiff *diff);
DEFINE_CLEANUP(ConfigDiff, config_diff_free)

/* Whether a differing setting needs a restart of the daemon. */
bool daemon_diff_needs_restart(const DaemonDiff *diff);

/* "drain.timeout "20s" -> "45s", nice 0 -> 5", malloc'ed; NULL: no memory. */
char *daemon_diff_text(const ConfigDiff *diff, const DaemonDiff *daemon);

/*
 * A digest of all settings of the configuration, the same for equal ones wherever and in whatever
 * order of files they were written: 16 hexadecimal digits.
 */
#define CONFIG_DIGEST_MAX 17
void config_digest(const Config *config, char ret[static CONFIG_DIGEST_MAX]);
