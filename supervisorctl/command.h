/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The commands of supervisorctl: one table from which dispatch and help come.
 */

#include "client.h"
#include "options.h"

typedef struct Command {
        const char *name;
        const char *arguments; /* for the help: "[DAEMON]..." */
        const char *help;      /* NULL: an alias, left out of the help */
        int minimum, maximum;  /* how many arguments it takes; -1: any number */
        bool offline;          /* needs no supervisord: run() gets NULL */
        int (*run)(sd_bus *bus, const Options *options);
} Command;

extern const Command commands[]; /* the last one has no name */

/* Whether what it does is remembered over a restart of supervisord, unless --now-only says not. */
bool command_is_remembered(const Command *command);

/* status.c */
int command_status(sd_bus *bus, const Options *options);
int command_avail(sd_bus *bus, const Options *options);
int command_pid(sd_bus *bus, const Options *options);

/* history.c */
int command_history(sd_bus *bus, const Options *options);

/* operate.c */
int command_start(sd_bus *bus, const Options *options);
int command_stop(sd_bus *bus, const Options *options);
int command_restart(sd_bus *bus, const Options *options);
int command_freeze(sd_bus *bus, const Options *options);
int command_drain(sd_bus *bus, const Options *options);
int command_thaw(sd_bus *bus, const Options *options);
int command_signal(sd_bus *bus, const Options *options);
/* The daemons' own reloads: `reload` with names. */
int operate_reload(sd_bus *bus, const Options *options);
int command_shutdown(sd_bus *bus, const Options *options);

/* reload.c */
int command_reload(sd_bus *bus, const Options *options);
int command_plan(sd_bus *bus, const Options *options);
int command_check(sd_bus *bus, const Options *options);

/* version.c */
int command_version(sd_bus *bus, const Options *options);

/* tail.c */
int command_tail(sd_bus *bus, const Options *options);

/* profiles.c */
int command_profiles(sd_bus *bus, const Options *options);
