/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A new configuration as a transaction: read, check, diff, plan and the daemons' own configuration
 * tests, while nothing live is touched; one commit; then steps, which are undone if a daemon does
 * not become ready, or does not survive that it reads its own files anew. Requests that come in
 * a burst, or during a reload, are answered by one more reload, which sees the last state of the
 * files.
 */

#include <stdbool.h>
#include <sys/queue.h>

#include "base/diag.h"
#include "base/macro.h"
#include "config/diff.h"
#include "model/plan.h"
#include "model/record_reload.h"
#include "service/generation.h"
#include "sys/loop.h"

typedef struct Supervisor Supervisor;

typedef enum ReloadVerdict {
        RELOAD_APPLIED,
        RELOAD_NOTHING,     /* the configuration is the one in force */
        RELOAD_REFUSED,     /* it has errors, or a daemon's own has; nothing was touched */
        RELOAD_ROLLED_BACK, /* a daemon did not go along; everything is as it was */
        RELOAD_CANCELED,    /* a stop broke in */
        RELOAD_VERDICT_MAX_,
} ReloadVerdict;

const char *reload_verdict_name(ReloadVerdict verdict); /* "rolled-back" */

/* Told once; `diag` (borrowed for the call) holds the findings, NULL: none. */
typedef void (*ReloadHandler)(void *userdata,
                              ReloadVerdict verdict,
                              const char *text,
                              const Diag *diag);

typedef struct ReloadWaiter {
        TAILQ_ENTRY(ReloadWaiter) link;
        char *who; /* "SIGHUP", "root (process 123)" */
        ReloadHandler handler;
        void *userdata;
} ReloadWaiter;

typedef TAILQ_HEAD(ReloadWaiterList, ReloadWaiter) ReloadWaiterList;

typedef enum ReloadStage {
        RELOAD_IDLE,
        RELOAD_TESTING,  /* the daemons' own configuration tests; nothing is touched yet */
        RELOAD_STOPPING, /* what is removed or restarted */
        RELOAD_STARTING, /* what is new or restarted, by the new configuration */
        RELOAD_TELLING,  /* what reads its own files anew: last, since nothing can undo it */
        RELOAD_UNDO_STOPPING,
        RELOAD_UNDO_STARTING,
        RELOAD_STAGE_MAX_,
} ReloadStage;

typedef struct ReloadTest ReloadTest;

/* Embedded in the supervisor. */
typedef struct Reload {
        ReloadStage stage;
        bool step_done; /* the operation of the stage is over */
        Diag *diag;
        ConfigDiff *diff;
        Plan *plan;
        Generation *before, *after;
        bool *was_up; /* by index of `before` */
        ReloadTest *tests;
        size_t test_count, tests_begun;
        bool *told; /* by index of `after`: it was told to read its own files anew */
        usec_t begun;
        char failure[256]; /* why it is refused or undone */

        ReloadRecord *record;     /* of the one that runs; NULL: no memory for it */
        char signal[RECORD_WHO_MAX]; /* who wants the one after it by a signal; "": nobody */
        ReloadWaiterList waiters; /* of the one that runs */
        ReloadWaiterList next;    /* of the one after it */
        bool wanted;              /* by somebody who waits for nothing, or by `next` */
        usec_t ended;
        LoopSource *cooldown;
        char verdict[512]; /* of the last one, for STATUS=; "" for none */
} Reload;

int reload_init(Supervisor *supervisor);
void reload_done(Supervisor *supervisor);

enum { RELOAD_E_STOPPING = 1 }; /* everything is being stopped */

/*
 * Asks for a reload. Without a handler (NULL, as for SIGHUP) nobody waits for it, and of all such
 * only the last `who` is kept. -ENOMEM: nobody will be told, it comes all the same.
 */
int reload_request(Supervisor *supervisor, const char *who, ReloadHandler handler, void *userdata);
/* Goes on, from settling only. */
void reload_drive(Supervisor *supervisor);
/* A stop breaks in: the configuration in force at this moment stays. */
void reload_cancel(Supervisor *supervisor);

/* A setting of the supervisor that differs and that only its restart can change, or NULL. */
const Setting *reload_unchangeable(const ConfigDiff *diff);

/* reload_plan.c: from what differs and what there is now; looks at the daemons' own files. */
int reload_plan_new(const Generation *generation, const ConfigDiff *diff, Plan **ret);

/* reload_swap.c */
/*
 * The second generation: known daemons keep their child, new ones get one that does nothing yet.
 */
int reload_make_generation(Supervisor *supervisor, Config *config);
/* The other generation is in force from here on. */
void reload_swap(Supervisor *supervisor, Generation *to);
/* The children that only one of the two generations knows: at rest, whichever way it went. */
void reload_free_children(const Reload *reload, const Generation *in_force);

/* reload_test.c */
int reload_tests_new(Reload *reload);
void reload_tests_free(Reload *reload);
/* Goes on with them, from settling only; whether all are over. */
bool reload_tests_drive(Supervisor *supervisor);
/* Adds what they found to `diag`; how many failed, the first one in `failure`. */
size_t reload_tests_judge(Reload *reload);

/* reload_verdict.c */
void reload_log_findings(const Diag *diag);
void reload_log_plan(const Supervisor *supervisor);
void reload_conclude(Supervisor *supervisor, ReloadVerdict verdict, const char *format, ...)
        PRINTF_LIKE(3, 4);
