/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A request that concerns some daemons while all others go on: first a sequence over those that are
 * to stop, then the start of those that are to run, then the own reload of those that are to read
 * their files anew. Operations on the same daemon come one after the other, others side by side. A
 * stop of everything ends them all.
 */

#include <stdbool.h>
#include <sys/queue.h>

#include "model/sequence.h"

typedef struct Supervisor Supervisor;
typedef struct Operation Operation;

typedef enum OperationStage {
        OPERATION_QUEUED,   /* another one holds a daemon of it */
        OPERATION_STOPPING, /* its sequence runs */
        OPERATION_STARTING, /* what it starts is on the way */
        OPERATION_TELLING,  /* what it tells to reload its own files does so */
} OperationStage;

typedef enum OperationOutcome {
        OPERATION_DONE,
        OPERATION_CANCELED,   /* everything is being stopped */
        OPERATION_CALLED_OFF, /* a daemon that was to be frozen or drained was thawed */
        OPERATION_OUTCOME_MAX_,
} OperationOutcome;

/* Called once at the end, after which the operation is gone. */
typedef void (*OperationHandler)(void *userdata, Supervisor *supervisor, OperationOutcome outcome);

typedef TAILQ_HEAD(OperationList, Operation) OperationList;

/* How far the sequence of an operation goes. */
typedef enum OperationDepth {
        OPERATION_ENDS,    /* freeze, drain, cleanup */
        OPERATION_FREEZES, /* freeze, and so they stay */
        OPERATION_DRAINS,  /* freeze and drain, and so they stay */
} OperationDepth;

/* What is asked for, by index of the generation in force. The arrays are copied. */
typedef struct OperationRequest {
        const char *what; /* "restart of web", for the log and the record */
        const char *who;  /* "uid 0 (process 123)"; NULL: supervisord itself */
        OperationDepth depth;
        const bool *stop;    /* who goes through the sequence; NULL: nobody */
        const bool *start;   /* … is started afterwards; NULL: nobody */
        const bool *returns; /* of those that stop, who is started soon; NULL: as `start` */
        const bool *tell;    /* whose own reload it is; NULL: nobody's */
        bool as_failed; /* who stops is sick, if it still is: its restart policy goes on */
        bool tested;         /* their configuration tests were done */
        OperationHandler handler;
        void *userdata;
} OperationRequest;

/* Puts it in line; it begins at the next settling. 0 or -ENOMEM. */
int operation_new(Supervisor *supervisor, const OperationRequest *request);

/* Goes on with all operations, from settling only; whether any did. */
bool operations_drive(Supervisor *supervisor);
/* A child changed: their sequences want to know. */
void operations_observe(Supervisor *supervisor, unsigned index, DaemonState state, bool forced);
usec_t operations_deadline(const Supervisor *supervisor);
/* Of the daemon of that index; USEC_INFINITY: none has to be kept. */
usec_t operations_deadline_of(const Supervisor *supervisor, unsigned index);
void operations_cancel(Supervisor *supervisor);
bool operations_are_active(const Supervisor *supervisor);
/* Whether one of them holds the daemon of that index. */
bool operations_hold(const Supervisor *supervisor, unsigned index);
/* Whether one of them starts it, now or when it comes to its turn. */
bool operations_start(const Supervisor *supervisor, unsigned index);
/* Whether one of them is to end it, now or when it comes to its turn. */
bool operations_end(const Supervisor *supervisor, unsigned index);
/* Ends those that freeze or drain a daemon of the set and would leave it so. */
void operations_cancel_pauses(Supervisor *supervisor, const bool *set);

/*
 * Ends those that are sick, each by a sequence of its own; their restart policies decide what comes
 * after that. As with one that has died, those that require it go on meanwhile.
 */
void operations_end_sick(Supervisor *supervisor);
/* Stops what cannot go on because something that it requires is gone. */
void operations_stop_fallen(Supervisor *supervisor);
