/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The inside of the supervisor, for the files of this folder only:
 *
 *   supervisor.c   the object and its sources
 *   generation.c   the children of one configuration
 *   settle.c       after each round of the loop: what changed, what follows from it
 *   start.c        who is started when
 *   drive.c        a sequence: giving its orders, telling of its phases
 *   stop.c         the stop of everything
 *   operation.c    stops, starts and restarts of some daemons while the rest goes on
 *   reload.c       a new configuration as a transaction; reload_plan.c, reload_verdict.c
 *   request.c      what is asked for from outside
 *   report.c       what systemd and the person are told
 */

#include "base/error.h"
#include "base/log.h"
#include "child/child.h"
#include "config/phase.h"
#include "model/mode.h"
#include "model/sequence.h"
#include "model/status.h"
#include "service/generation.h"
#include "service/operation.h"
#include "service/reload.h"
#include "service/request.h"
#include "service/supervisor.h"
#include "sys/reaper.h"
#include "sys/runtime.h"
#include "sys/statedir.h"

#define SUPERVISOR_SIGNALS 7

struct Supervisor {
        Loop *loop; /* borrowed */
        char *config_path;

        RuntimeDirectory *runtime;
        StateDirectory *state; /* NULL: nothing outlives this run */
        char *notify_directory;
        CgroupRoot *cgroups;
        Reaper *reaper;
        LoopSource *signals[SUPERVISOR_SIGNALS];
        ChildContext child_context;

        Generation *generation; /* the one in force */
        LoopSource *settle;
        LoopSource *deadline; /* the nearest one of all sequences */

        Mode mode;
        int exit_code;
        usec_t stop_begun;
        Phase repeat_noted; /* the last phase in which a repeated signal was logged */

        OperationList operations; /* in the order in which they were asked for */
        Reload reload;
        SupervisorObserver observer; /* all NULL: nobody looks */

        LoopSource *tick; /* the next report, while there is something to report */
        usec_t reported;
        usec_t extended;
        char status[STATUS_TEXT_MAX]; /* as last told */
};

/* settle.c */
void settle_changed(void *userdata, Child *child);
int settle_run(void *userdata);
/*
 * What had to wait for the verdict: essential daemons that are lost, those that lost what they
 * require.
 */
void settle_after_reload(Supervisor *supervisor);

/* start.c */
void start_begin(Supervisor *supervisor, const bool *set);
/* Those that wait for `node`. */
void start_consider_after(Supervisor *supervisor, unsigned node);
/* Whether every daemon of the set (NULL: all) has had its chance. */
bool start_is_over(const Supervisor *supervisor, const bool *set);
void start_cancel(Supervisor *supervisor);

/* drive.c */
/*
 * Gives the orders of a sequence that are due; true if it is done. `what` it is about, for the log.
 */
bool drive_sequence(Supervisor *supervisor, Sequence *sequence, const char *what);
/* Begins a sequence over a set of the generation in force. */
void drive_begin(Supervisor *supervisor, Sequence *sequence, Phase first, const bool *set);

/* stop.c */
void stop_begin(Supervisor *supervisor, bool fast);
void stop_drive(Supervisor *supervisor);

/* report.c */
void report_ready(Supervisor *supervisor);
void report_stopping(Supervisor *supervisor);
void report_reloading(Supervisor *supervisor);
/* Tells what is new: at once for a new phase or mode, soon for the rest. */
void report_now(Supervisor *supervisor);
void report_soon(Supervisor *supervisor);
int report_on_tick(void *userdata);
