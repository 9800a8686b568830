/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The inside of the supervisor, for the files of this folder only:
 *
 *   supervisor.c   the object and its sources
 *   settle.c       after each round of the loop: what changed, what follows from it
 *   start.c        who is started when
 *   stop.c         the sequence, for all daemons or for some
 *   reload.c       a new configuration
 *   report.c       what systemd and the person are told
 */

#include "base/error.h"
#include "base/log.h"
#include "child/child.h"
#include "model/mode.h"
#include "model/phase.h"
#include "model/sequence.h"
#include "model/status.h"
#include "service/supervisor.h"
#include "sys/reaper.h"
#include "sys/runtime.h"

#define SUPERVISOR_SIGNALS 6

struct Supervisor {
        Loop *loop;        /* borrowed */
        char *config_path;
        Config *config;

        RuntimeDirectory *runtime;
        char *notify_directory;
        CgroupRoot *cgroups;
        Reaper *reaper;
        LoopSource *signals[SUPERVISOR_SIGNALS];

        ChildContext child_context;
        Child **children; /* by index of the configuration, as all arrays here */
        size_t count;
        DaemonState *states;
        bool *pending; /* shall be started as soon as what it needs is there */
        size_t pending_count;

        LoopSource *settle;
        unsigned *changed; /* children that changed since the last settling */
        size_t changed_count;
        bool *is_changed;
        unsigned *settling; /* the list that is being gone through */

        Mode mode;
        int exit_code;

        Sequence *sequence;
        bool *in_set;
        LoopSource *deadline; /* of the sequence */
        usec_t stop_begun;
        Phase repeat_noted; /* the last phase in which a repeated signal was logged */

        LoopSource *cooldown; /* a reload that waits for the time after the last one */
        usec_t reload_ended;
        bool reload_wanted;
        char verdict[256]; /* of the last reload; "" for none */

        LoopSource *tick; /* the next report, while there is something to report */
        usec_t reported;
        usec_t extended;
        char status[STATUS_TEXT_MAX]; /* as last told */
};

/* settle.c */
void settle_changed(void *userdata, Child *child);
int settle_run(void *userdata);

/* start.c */
void start_begin(Supervisor *supervisor);
void start_consider_all(Supervisor *supervisor);
/* Those that wait for `node`. */
void start_consider_after(Supervisor *supervisor, unsigned node);
/* Whether every daemon has had its chance. */
bool start_is_over(const Supervisor *supervisor);
void start_cancel(Supervisor *supervisor);

/* stop.c */
void stop_begin(Supervisor *supervisor, bool fast);
/* Stops what cannot go on because something that it requires is gone. */
void stop_fallen(Supervisor *supervisor);
/* Gives the orders that are due. */
void stop_drive(Supervisor *supervisor);

/* reload.c */
void reload_request(Supervisor *supervisor);
void reload_begin(Supervisor *supervisor);
int reload_on_cooldown(void *userdata);

/* report.c */
void report_ready(Supervisor *supervisor);
void report_stopping(Supervisor *supervisor);
void report_reloading(Supervisor *supervisor);
/* Tells what is new: at once for a new phase or mode, soon for the rest. */
void report_now(Supervisor *supervisor);
void report_soon(Supervisor *supervisor);
int report_on_tick(void *userdata);
