/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The three phases of a stop and their time windows: the one arithmetic for those who drive a stop
 * and for those who say beforehand how long it may take.
 *
 * A phase has one time for the whole set, counted from its begin. Beside it a daemon may have
 * - a time of its own: it counts from the moment at which the daemon is ordered into the phase, and
 *   it replaces the phase's, shorter or longer;
 * - a least time, also counted from its order: the phase lasts longer for it if need be. In cleanup
 *   it is the time of the stop schedule, and that for left-overs (cleanup.wait) on top, so that
 *   nobody is killed for having had to wait.
 * A daemon that has to wait for one that moved the end of the phase gets the phase's time afresh
 * after it, so that one slow dependent does not eat up another's time.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"
#include "config/config.h"

typedef enum Phase {
        PHASE_FREEZE,
        PHASE_DRAIN,
        PHASE_CLEANUP,
        PHASE_MAX_,
} Phase;

const char *phase_name(Phase phase);        /* "freeze" */
const char *phase_setting(Phase phase);     /* "freeze_timeout", of the supervisor */
const char *phase_own_setting(Phase phase); /* "freeze.timeout", of a daemon */

/* Whether a daemon comes only after those that need it, instead of all at once. */
bool phase_is_ordered(Phase phase);

typedef struct PhaseTimes {
        usec_t phase; /* for the whole set */
        usec_t own;   /* of the daemon, USEC_INFINITY: none */
        usec_t least; /* of the daemon, 0: none */
} PhaseTimes;

/* What the configuration says of a daemon in a phase. */
PhaseTimes phase_times(const Config *config, Phase phase, unsigned node);

typedef struct PhaseWindow {
        usec_t from_begin; /* over this long after the begin of the phase, … */
        usec_t from_order; /* … but not before so long after the daemon's order */
        usec_t latest;     /* the worst case of both, from the begin */
} PhaseWindow;

/*
 * The window of a daemon that waits for others until at most `wait` after the begin of the phase.
 */
PhaseWindow phase_window(PhaseTimes times, usec_t wait);

/* The moment at which the phase is over for a daemon. */
usec_t phase_window_deadline(const PhaseWindow *window, usec_t begun, usec_t ordered);

/* A phase over a set of daemons; everything is borrowed. */
typedef struct PhasePlan {
        const Config *config;
        Phase phase;
        const unsigned *order; /* all nodes, each after what it needs: graph_order() */
        const bool *counts;    /* by node: takes part; NULL: all do */
        PhaseWindow *windows;  /* by node: the result */
} PhasePlan;

/* Computes the windows of those that take part. Returns the worst case, from the begin. */
usec_t phase_plan(const PhasePlan *plan);

/*
 * Of those in the plan that `node` has to wait for, the one that may take longest; PHASE_NOBODY:
 * there is none.
 */
#define PHASE_NOBODY UINT_MAX
unsigned phase_plan_waits_for(const PhasePlan *plan, unsigned node);
