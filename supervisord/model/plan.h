/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a reload would do to each daemon, and why. Pure.
 */

#include <stdbool.h>

#include "config/diff.h"
#include "model/fsm.h"

typedef enum PlanAction {
        PLAN_KEEP,    /* goes on, nothing of it changed */
        PLAN_LIVE,    /* goes on, with settings that are used from now on */
        PLAN_RELOAD,  /* goes on, and is told to read its own files anew */
        PLAN_RESTART, /* stopped by the sequence, then started with the new settings */
        PLAN_START,   /* is new, or had failed with its old settings or files */
        PLAN_STOP,    /* is not configured any more */
        PLAN_MAX_,
} PlanAction;

const char *plan_action_name(PlanAction action); /* "restart" */

typedef struct PlanEntry {
        PlanAction action;
        const DaemonDiff *diff; /* borrowed */
        const char *because; /* the daemon that it requires and that is restarted; NULL: itself */
        const char *file;    /* its own file that changed and counts here; NULL: none */
} PlanEntry;

typedef struct Plan {
        PlanEntry *entries; /* one for each daemon of either configuration, as in the diff */
        size_t count;
        size_t counts[PLAN_MAX_];
        bool nothing; /* all are kept and the settings are the same */
} Plan;

/*
 * Plans from a diff (borrowed, must outlive the plan) and of the old configuration's daemons, by
 * index: their states, and which of a daemon's own files is another one than the daemon has read
 * (borrowed likewise; NULL: none of it). A daemon that an operator stopped stays stopped, whatever
 * changed.
 */
int plan_new(const ConfigDiff *diff,
             const DaemonState *states,
             const char *const *files,
             Plan **ret);
Plan *plan_free(Plan *plan);
DEFINE_CLEANUP(Plan, plan_free)

/*
 * Why, in words: "command [ "a" ] -> [ "b" ]", "it requires db", "/etc/db.conf changed";
 * malloc'ed, NULL: no memory.
 */
char *plan_entry_reason(const ConfigDiff *diff, const PlanEntry *entry);
