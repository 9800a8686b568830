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
 *   reload.c       a new configuration as a transaction; reload_plan.c, reload_swap.c,
 *                  reload_test.c, reload_verdict.c
 *   remember.c     what operators stopped, over a restart of supervisord; stopped.c: as a text
 *   request.c      what is asked for from outside; pause.c: out of service and back
 *   recording.c    what is remembered of all that; records.c, record_text.c, record_store.c: how
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
#include "service/records.h"
#include "service/reload.h"
#include "service/request.h"
#include "service/supervisor.h"
#include "sys/reaper.h"
#include "sys/runtime.h"
#include "sys/statedir.h"

#define SUPERVISOR_SIGNALS 7

/* What is known of the file that lists what operators stopped. */
typedef struct Remember {
        char *text;   /* its content; NULL: not known */
        bool changed; /* it may have to be another one */
        char failure[256];
} Remember;

struct Supervisor {
        Loop *loop; /* borrowed */
        char *config_path;

        RuntimeDirectory *runtime;
        StateDirectory *state; /* NULL: nothing outlives this run */
        Remember remember;
        char *notify_directory;
        char *frozen_directory;
        Intake *intake;
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
        usec_t stop_end; /* when it is over in any case; USEC_INFINITY: there is no limit */
        LoopSource *end; /* … and its timer, before everything else */
        Phase repeat_noted; /* the last phase in which a repeated signal was logged */

        Records *records;
        Record *starting; /* of the first start; NULL: it is over */
        uint64_t recorded; /* the id of the last sequence; 0: it was about nothing */
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
 * Gives the orders of a sequence that are due and notes them in its record; true if it is done.
 * `what` it is about, for the log.
 */
bool drive_sequence(Supervisor *supervisor,
                    Sequence *sequence,
                    Record *record,
                    const char *what);
/* Begins a sequence over a set of the generation in force. */
void drive_begin(Supervisor *supervisor, Sequence *sequence, SequenceSpan span, const bool *set);

/* stop.c */
void stop_begin(Supervisor *supervisor, bool fast, const char *who);
void stop_drive(Supervisor *supervisor);
int stop_on_end(void *userdata);

/* remember.c */
/* Reads what was stopped before this run; what cannot be read is warned of. 0 or -ENOMEM. */
int remember_load(Supervisor *supervisor);
void remember_done(Supervisor *supervisor);
/* Those that are to be started at the start; tells of the others. Returns how many. */
size_t remember_select(const Supervisor *supervisor, bool *set);
/* A request that was accepted; `start` are those that it starts. */
void remember_request(Supervisor *supervisor, const Request *request, const bool *start);
/* Writes what changed, from settling only. */
void remember_settle(Supervisor *supervisor);

/* request.c */
/* Adds `node` and those that it requires, or that require it, and so on. */
void request_spread(const Generation *generation, unsigned node, bool downwards, bool *set);
/* recording.c */
RecordMoment recording_moment(const Supervisor *supervisor);
/* The first start of everything, of which `set` is started. */
void recording_start(Supervisor *supervisor, const bool *set);
/*
 * Takes over the record of a sequence of the generation in force that is over, with what its
 * daemons know; its id, 0 if it was about nothing.
 */
uint64_t recording_over(Supervisor *supervisor, Record *record_consume, RecordResult result);
/* A daemon's own reload is over. */
void recording_own_reload(Supervisor *supervisor, Record *record, unsigned node);
/* All who asked for the reload at hand, as far as there is room. */
void recording_requesters(const Supervisor *supervisor,
                          char buffer[static RELOAD_RECORD_WHO_MAX]);
/* A reload: its begin, its plan, its steps, its verdict, with which its record is complete. */
void recording_reload(Supervisor *supervisor);
void recording_reload_plan(Supervisor *supervisor);
void recording_reload_step(Supervisor *supervisor, ReloadStage stage);
void recording_reload_step_over(Supervisor *supervisor, OperationOutcome outcome);
void recording_reload_over(Supervisor *supervisor, ReloadVerdict verdict, const char *text);

/* report.c */
void report_ready(Supervisor *supervisor);
void report_stopping(Supervisor *supervisor);
/* What is not composed of the states of the daemons: the last word. */
void report_tell(Supervisor *supervisor, const char text[static STATUS_TEXT_MAX]);
void report_reloading(Supervisor *supervisor);
/* Tells what is new: at once for a new phase or mode, soon for the rest. */
void report_now(Supervisor *supervisor);
void report_soon(Supervisor *supervisor);
int report_on_tick(void *userdata);
