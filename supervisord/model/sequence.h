/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One run of freeze, drain and cleanup over a set of daemons: who gets which order when. Pure: it
 * is told states and the time and answers with orders and the next deadline. All memory exists from
 * sequence_new() on; the way down allocates nothing.
 *
 * - freeze: all at once, but for those that serve others of the set: what these have in flight may
 *   need them yet. They are frozen when they are ordered to drain.
 * - drain: a daemon after all that need it are drained. Barrier: not before all others are frozen.
 * - cleanup: a daemon after all that need it are at rest. Barrier: not before all are drained.
 * - A deadline gives the daemon the event that cuts the phase short; the sequence itself waits for
 *   the daemon's state to follow, which takes no time for freeze and drain, and after the cleanup
 *   deadline at most the time that a kill takes.
 * - Where the whole has a limit, it is kept whatever happens: at its cut everything that is left is
 *   ended at once, without an order among them, and at its end nothing is waited for.
 */

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "config/phase.h"
#include "model/fsm.h"

typedef struct Sequence Sequence;

typedef struct SequenceOrder {
        unsigned node;
        DaemonEvent event; /* FREEZE, DRAIN, CLEANUP, one of their deadlines, or GRACE_OVER */
} SequenceOrder;

typedef enum SequenceStep {
        SEQUENCE_WAIT,        /* no more orders for now */
        SEQUENCE_ORDER,       /* give *ret to its daemon, then call again */
        SEQUENCE_PHASE_BEGUN, /* sequence_phase() is new, then call again */
        SEQUENCE_PHASE_ENDED, /* sequence_phase() is over, then call again */
        SEQUENCE_CUT,         /* the limit cuts short what has not had its turn, then call again */
        SEQUENCE_DONE,        /* all are at rest, or done with the last phase */
} SequenceStep;

/* Whether a daemon in that state has nothing to do any more in the phase. */
bool phase_done(Phase phase, DaemonState state);

/* Room for all daemons of the configuration (borrowed, must outlive the sequence). */
int sequence_new(const Config *config, Sequence **ret);
Sequence *sequence_free(Sequence *sequence);
DEFINE_CLEANUP(Sequence, sequence_free)

/*
 * Begins with `first` (PHASE_FREEZE for a normal stop, PHASE_CLEANUP for a fast one) over the nodes
 * with in_set[i], whose states are states[i], and ends after `last` (PHASE_CLEANUP for a stop). A
 * sequence that is active already is dropped: its daemons are taken over in whatever state they
 * are.
 */
typedef struct SequenceSpan {
        Phase first, last;
} SequenceSpan;

void sequence_begin(Sequence *sequence,
                    SequenceSpan span,
                    const bool *in_set,
                    const DaemonState *states,
                    usec_t now);

/*
 * A limit for the sequence that has just begun, absolute: its phases are over at `cut` and it is
 * done at `end`. No daemon has a deadline beyond `cut`.
 */
typedef struct SequenceLimit {
        usec_t cut;
        usec_t end;
} SequenceLimit;

void sequence_limit(Sequence *sequence, SequenceLimit limit);

bool sequence_is_active(const Sequence *sequence);

/*
 * Skips what is left of freeze and drain: cleanup begins at the next sequence_next(). Idempotent.
 */
void sequence_hurry(Sequence *sequence);

/* Tells that a daemon's state is another one now. */
void sequence_observe(Sequence *sequence, unsigned node, DaemonState state);

/* Tells that a deadline or failure cut the node short in the phase at hand. */
void sequence_note_forced(Sequence *sequence, unsigned node);

/* The next thing to do. Call until it answers SEQUENCE_WAIT or SEQUENCE_DONE. */
SequenceStep sequence_next(Sequence *sequence, usec_t now, SequenceOrder *ret);

/* When sequence_next() has to be called although nothing happened; USEC_INFINITY: never. */
usec_t sequence_deadline(const Sequence *sequence);
/* When the node is cut short in the phase at hand; USEC_INFINITY: it is not at work in it. */
usec_t sequence_deadline_of(const Sequence *sequence, unsigned node);

/* What a person wants to know of the phase at hand, or after SEQUENCE_PHASE_ENDED of that one. */
typedef struct SequenceProgress {
        Phase phase;
        usec_t begun;         /* when the phase began */
        usec_t latest;        /* when it is over in any case */
        size_t total;         /* daemons that take part in the phase */
        size_t left;          /* of them not done yet */
        size_t forced;        /* of them cut short, in this phase */
        size_t forced_in_all; /* in all phases so far, each daemon once */
        unsigned slowest;     /* the one that was ordered first of those left; UINT_MAX: none */
        usec_t slowest_since;
} SequenceProgress;

void sequence_progress(const Sequence *sequence, SequenceProgress *ret);
/* Who takes part in it, by index; borrowed. */
const bool *sequence_counts(const Sequence *sequence);
