/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The one table of all settings. From it come the reader, the checks of form and bounds, --dump,
 * the sample configuration's test and the man page's test: a setting that is not in here does not
 * exist, and one that is in here is documented.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a value came from. */
typedef struct SettingOrigin {
        const char *file; /* NULL: the default */
        unsigned line;
        unsigned scaled; /* to so many percent, to fit supervisor.grace; 0: it is not */
        bool of_profile; /* the daemon's own value may take its place */
} SettingOrigin;

/* The form of a value, and with it the C type of the field that takes it. */
typedef enum SettingType {
        SETTING_STRING,     /* char * */
        SETTING_PATH,       /* char *, absolute */
        SETTING_BOOL,       /* bool */
        SETTING_INT,        /* int64_t, within minimum … maximum */
        SETTING_DURATION,   /* usec_t, within minimum … maximum (microseconds) */
        SETTING_ENUM,       /* enum, by name from `choices` */
        SETTING_MODE,       /* mode_t, octal in quotes */
        SETTING_SIGNAL,     /* int */
        SETTING_PRIORITY,   /* int, a syslog(3) priority by name */
        SETTING_COMMAND,    /* char **, the first an absolute path */
        SETTING_STRINGS,    /* char ** */
        SETTING_PATHS,      /* char **, absolute */
        SETTING_NAMES,      /* char **, names of daemons */
        SETTING_VARIABLES,  /* char **, "KEY=value" */
        SETTING_SCHEDULE,   /* StopSchedule, "QUIT 20s, TERM 5s, KILL" */
        SETTING_STATUSES,   /* StatusSet, an array of numbers from 0 to 255 */
        SETTING_LIMIT,      /* one entry of Limits: "1024", "1024:4096", "64K", "infinity" */
} SettingType;

/* What it takes to bring a changed value into a running daemon. */
typedef enum SettingEffect {
        EFFECT_LIVE,    /* used at the next time it is needed; nothing to do */
        EFFECT_RESTART, /* the daemon has to be restarted */
} SettingEffect;

typedef struct Setting {
        const char *path; /* "drain.timeout" */
        SettingType type;
        size_t offset;      /* of the field in DaemonConfig or SupervisorConfig */
        const char *preset; /* the default, as one would write it; NULL: unset */
        int64_t minimum, maximum;
        const char *const *choices; /* of SETTING_ENUM, by value, NULL-terminated */
        int limit;                  /* of SETTING_LIMIT: RLIMIT_… */
        SettingEffect effect;
        const char *help; /* one line */
} Setting;

extern const Setting schema_supervisor[];
extern const size_t schema_supervisor_count;
extern const Setting schema_daemon[];
extern const size_t schema_daemon_count;

/* The setting of that path, or NULL. */
const Setting *schema_find(const Setting *schema, size_t count, const char *path);
