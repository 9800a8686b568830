/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What people and programs ask of a running supervisor, apart from signals: looking, and starting,
 * stopping or restarting some daemons. Names are checked as a whole before anything is done.
 */

#include <stdbool.h>
#include <stddef.h>

#include "child/child.h"
#include "model/mode.h"
#include "service/operation.h"
#include "service/record_store.h"
#include "service/reload.h"
#include "service/supervisor.h"

enum {
        REQUEST_E_UNKNOWN = 1, /* a name is none of a daemon's; *ret_name says which */
        REQUEST_E_BUSY,        /* a reload or a stop of everything is under way */
        REQUEST_E_ENDING,      /* it is being stopped or restarted */
        REQUEST_E_NO_PROCESS,  /* it has no main process now */
        REQUEST_E_NOT_RUNNING, /* it is not running, so that it cannot be frozen */
        REQUEST_E_NOT_FROZEN,  /* it is not frozen */
        REQUEST_E_NO_THAW,     /* its freeze cannot be undone, it can only be started anew */
        REQUEST_E_NO_RELOAD,   /* it cannot be told to reload; *ret_name says which */
};

/* Looking. All pointers are borrowed and good until the next round of the loop. */
size_t supervisor_count(const Supervisor *supervisor);
const Child *supervisor_child(const Supervisor *supervisor, size_t index);
const Child *supervisor_find(const Supervisor *supervisor, const char *name);
/* Whether it waits for what it needs before its first start. */
bool supervisor_is_pending(const Supervisor *supervisor, const Child *child);
/*
 * When it is cut short in the phase of a stop, restart or drain that it is at; USEC_INFINITY: it is
 * at none, or has been cut already.
 */
usec_t supervisor_deadline(const Supervisor *supervisor, const Child *child);
Mode supervisor_mode(const Supervisor *supervisor);
/* The line that systemd was told last. */
const char *supervisor_status(const Supervisor *supervisor);
const char *supervisor_config_path(const Supervisor *supervisor);
const Config *supervisor_config(const Supervisor *supervisor);

typedef enum RequestVerb {
        REQUEST_START,   /* and what it requires */
        REQUEST_STOP,    /* and what requires it, by freeze, drain and cleanup */
        REQUEST_RESTART, /* the same, then start what ran before and what was named */
        REQUEST_RELOAD,  /* test their own files, then tell them to read them anew; see
                            child_reload_outcome() for what came of it */
} RequestVerb;

/* What an operator stopped stays stopped, over a restart of supervisord, until it is started. */
typedef struct Request {
        RequestVerb verb;
        char *const *names;       /* NULL-terminated */
        bool now_only;            /* what is to be over a restart of supervisord stays as it is */
        uid_t uid;                /* who asks */
        const char *who;          /* "uid 0 (process 123)", for the record */
        OperationHandler handler; /* told when it is over; may be NULL */
        void *userdata;
} Request;

/* 0, or an outcome above; *ret_name is borrowed from the names. */
int supervisor_request(Supervisor *supervisor, const Request *request, const char **ret_name);

/* Why the last request was not written down as it should; "": it was. */
const char *supervisor_remark(const Supervisor *supervisor);
/* pause.c: out of service and back, for maintenance. */

typedef struct PauseRequest {
        bool drain;               /* also waits until their work is finished */
        char *const *names;       /* NULL-terminated; nobody else is concerned */
        const char *who;          /* for the record */
        OperationHandler handler; /* told when it is over; may be NULL */
        void *userdata;
} PauseRequest;

/*
 * They take in no new work, until they are thawed, started or ended. One that is drained already is
 * looked at again. *ret_name is written with each of the outcomes above but REQUEST_E_BUSY: whom it
 * is about, borrowed from the names.
 */
int supervisor_pause(Supervisor *supervisor, const PauseRequest *request, const char **ret_name);
/*
 * They take in work again: at once, also while they are still being drained. *ret_name as above.
 */
int supervisor_thaw(Supervisor *supervisor, char *const *names, const char **ret_name);

/* Signals the main process of a daemon. */
int supervisor_signal(Supervisor *supervisor, const char *name, int signo);

/*
 * What a reload would do, as text for a person and, entry by entry, for a program. Reads and checks
 * the configuration (may block); touches nothing. The result is freed by request_plan_free().
 */
typedef struct RequestPlan {
        Diag *diag;       /* the findings */
        Config *config;   /* NULL: it is invalid */
        ConfigDiff *diff; /* … likewise */
        Plan *plan;
} RequestPlan;

int supervisor_plan(const Supervisor *supervisor, RequestPlan **ret);
RequestPlan *request_plan_free(RequestPlan *plan);
DEFINE_CLEANUP(RequestPlan, request_plan_free)

/* The records of sequences or reloads; see record_store_list(). May block where files do. */
int supervisor_list_records(Supervisor *supervisor, const RecordQuery *query, char ***ret);

/* The bare notices that something is new; one observer. */
typedef struct SupervisorObserver {
        /* a daemon's state, from settling: at most once a settling for each */
        void (*daemon_changed)(void *userdata, const Child *child);
        /* the mode or a phase: the STATUS= line is a new one */
        void (*status_changed)(void *userdata, const char *status);
        /* daemons were added, removed or renumbered */
        void (*set_changed)(void *userdata);
        void *userdata;
} SupervisorObserver;

void supervisor_observe(Supervisor *supervisor, const SupervisorObserver *observer);
