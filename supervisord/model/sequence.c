/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sequence keeps a member per daemon. A member of a phase is waiting (for those that need it),
 * due (in the queue), ordered, or done; `waits` counts what it still waits for. Everything is
 * allocated in sequence_new().
 */

#include "model/sequence.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

typedef struct Member {
        bool in_set;
        DaemonState state;

        /* of the phase at hand */
        bool queued;
        bool ordered;
        bool done;
        bool deadline_given;
        bool end_given;
        bool forced;
        unsigned waits;
        usec_t ordered_at;
        usec_t deadline;

        bool forced_once; /* in any phase */
} Member;

struct Sequence {
        const Config *config; /* borrowed */
        size_t count;
        Member *members;
        bool *counts;         /* by node: was not done already when the phase began */
        PhaseWindow *windows; /* by node, of those that count */
        unsigned *order;      /* all nodes, each after what it needs */
        unsigned *queue;      /* nodes that are due for their order, oldest first */
        size_t queue_head, queue_tail;

        SequenceLimit limit;
        bool cut; /* the limit's cut was made */

        bool active;
        bool hurried;
        bool phase_open;   /* begun and not ended */
        bool phase_closed; /* ended, the next one has not begun */
        Phase phase, last;
        usec_t begun;
        usec_t latest;
        size_t total, left, forced, forced_in_all;
};

int sequence_new(const Config *config, Sequence **ret) {
        CLEANUP(sequence_freep) Sequence *sequence = calloc(1, sizeof(*sequence));
        if (!sequence)
                return -ENOMEM;

        size_t room = MAX_OF(config->daemon_count, (size_t) 1);
        sequence->config = config;
        sequence->count = config->daemon_count;
        sequence->members = calloc(room, sizeof(*sequence->members));
        sequence->counts = calloc(room, sizeof(*sequence->counts));
        sequence->windows = calloc(room, sizeof(*sequence->windows));
        sequence->order = calloc(room, sizeof(*sequence->order));
        sequence->queue = calloc(room, sizeof(*sequence->queue));
        if (!sequence->members || !sequence->counts || !sequence->windows || !sequence->order ||
            !sequence->queue)
                return -ENOMEM;

        int r = graph_order(config->graph, sequence->order);
        if (r < 0)
                return r;

        *ret = TAKE(sequence);
        return 0;
}

Sequence *sequence_free(Sequence *sequence) {
        if (!sequence)
                return NULL;
        free(sequence->members);
        free(sequence->counts);
        free(sequence->windows);
        free(sequence->order);
        free(sequence->queue);
        free(sequence);
        return NULL;
}

bool phase_done(Phase phase, DaemonState state) {
        switch (phase) {
        case PHASE_FREEZE:
                return daemon_state_is_frozen(state);
        case PHASE_DRAIN:
                return daemon_state_is_drained(state);
        default:
                return daemon_state_is_resting(state);
        }
}

static DaemonEvent phase_order(Phase phase) {
        static const DaemonEvent orders[PHASE_MAX_] = {
                [PHASE_FREEZE] = EVENT_FREEZE,
                [PHASE_DRAIN] = EVENT_DRAIN,
                [PHASE_CLEANUP] = EVENT_CLEANUP,
        };
        return orders[phase];
}

static DaemonEvent phase_deadline(Phase phase) {
        static const DaemonEvent deadlines[PHASE_MAX_] = {
                [PHASE_FREEZE] = EVENT_FREEZE_DEADLINE,
                [PHASE_DRAIN] = EVENT_DRAIN_DEADLINE,
                [PHASE_CLEANUP] = EVENT_CLEANUP_DEADLINE,
        };
        return deadlines[phase];
}

void sequence_begin(Sequence *sequence,
                    SequenceSpan span,
                    const bool *in_set,
                    const DaemonState *states,
                    usec_t now) {
        for (size_t i = 0; i < sequence->count; i++)
                sequence->members[i] = (Member){ .in_set = in_set[i], .state = states[i] };

        sequence->limit = (SequenceLimit){ USEC_INFINITY, USEC_INFINITY };
        sequence->cut = false;
        sequence->active = true;
        sequence->hurried = false;
        sequence->phase_open = sequence->phase_closed = false;
        sequence->phase = span.first;
        sequence->last = span.last;
        sequence->begun = now;
        sequence->forced_in_all = 0;
}

void sequence_limit(Sequence *sequence, SequenceLimit limit) {
        sequence->limit = limit;
}

bool sequence_is_active(const Sequence *sequence) {
        return sequence->active;
}

void sequence_hurry(Sequence *sequence) {
        sequence->last = PHASE_CLEANUP;
        sequence->hurried = true;
}

/*
 * Whether a daemon takes in work for others of the set that may still have some in flight; such a
 * one is frozen by its order to drain.
 */
static bool sequence_serves(const Sequence *sequence, unsigned node) {
        DaemonState state = sequence->members[node].state;

        if (sequence->last == PHASE_FREEZE || (state != STATE_RUNNING && state != STATE_PROBING))
                return false;
        GraphEdges above = graph_needed_by(sequence->config->graph, node);
        for (size_t i = 0; i < above.count; i++) {
                const Member *other = &sequence->members[above.edges[i].node];

                if (other->in_set && !phase_done(PHASE_DRAIN, other->state))
                        return true;
        }
        return false;
}

/* For how many of the set each one has to wait. */
static void sequence_count_waits(Sequence *sequence) {
        for (size_t i = 0; i < sequence->count; i++) {
                Member *member = &sequence->members[i];

                member->waits = 0;
                if (!member->in_set || !phase_is_ordered(sequence->phase))
                        continue;

                GraphEdges above = graph_needed_by(sequence->config->graph, (unsigned) i);
                for (size_t k = 0; k < above.count; k++)
                        member->waits += sequence->counts[above.edges[k].node];
        }
}

static usec_t sequence_plan(Sequence *sequence) {
        return phase_plan(&(PhasePlan){
                .config = sequence->config,
                .phase = sequence->phase,
                .order = sequence->order,
                .counts = sequence->counts,
                .windows = sequence->windows,
        });
}

static void sequence_enqueue(Sequence *sequence, unsigned node) {
        assert(sequence->queue_tail < sequence->count);
        sequence->members[node].queued = true;
        sequence->queue[sequence->queue_tail++] = node;
}

static void sequence_open_phase(Sequence *sequence, usec_t now) {
        sequence->phase_open = true;
        sequence->phase_closed = false;
        sequence->begun = now;
        sequence->queue_head = sequence->queue_tail = 0;
        sequence->total = sequence->left = sequence->forced = 0;

        for (size_t i = 0; i < sequence->count; i++) {
                Member *member = &sequence->members[i];

                member->done = !member->in_set || phase_done(sequence->phase, member->state) ||
                               (sequence->phase == PHASE_FREEZE &&
                                sequence_serves(sequence, (unsigned) i));
                sequence->counts[i] = !member->done;
                member->queued = member->ordered = member->forced = false;
                member->deadline_given = member->end_given = false;
                sequence->total += sequence->counts[i];
        }
        sequence->left = sequence->total;

        sequence->latest = sequence_plan(sequence);
        sequence_count_waits(sequence);

        for (size_t i = 0; i < sequence->count; i++)
                if (sequence->counts[i] && sequence->members[i].waits == 0)
                        sequence_enqueue(sequence, (unsigned) i);
}

/* Those that `node` needs have one less to wait for. */
static void sequence_release_needs(Sequence *sequence, unsigned node) {
        if (!phase_is_ordered(sequence->phase))
                return;

        GraphEdges below = graph_needs(sequence->config->graph, node);
        for (size_t i = 0; i < below.count; i++) {
                unsigned other = below.edges[i].node;
                Member *member = &sequence->members[other];

                if (!member->in_set)
                        continue;
                assert(member->waits > 0);
                if (--member->waits == 0 && !member->done && !member->queued)
                        sequence_enqueue(sequence, other);
        }
}

void sequence_observe(Sequence *sequence, unsigned node, DaemonState state) {
        Member *member = &sequence->members[node];

        member->state = state;
        if (!sequence->active || !sequence->phase_open || !member->in_set || member->done)
                return;
        if (!phase_done(sequence->phase, state))
                return;

        member->done = true;
        sequence->left--;
        sequence_release_needs(sequence, node);
}

void sequence_note_forced(Sequence *sequence, unsigned node) {
        Member *member = &sequence->members[node];

        /* before the first phase it was something else that cut it */
        if (!sequence->active || !sequence->phase_open || !member->in_set)
                return;
        if (!member->forced)
                sequence->forced++;
        if (!member->forced_once)
                sequence->forced_in_all++;
        member->forced = member->forced_once = true;
}

static bool member_awaits_deadline(const Member *member) {
        return member->ordered && !member->done && !member->deadline_given;
}

static bool sequence_next_overdue(Sequence *sequence, usec_t now, SequenceOrder *ret) {
        for (size_t i = 0; i < sequence->count; i++) {
                Member *member = &sequence->members[i];

                if (!member_awaits_deadline(member) || member->deadline > now)
                        continue;
                member->deadline_given = true;
                *ret = (SequenceOrder){ (unsigned) i, phase_deadline(sequence->phase) };
                return true;
        }
        return false;
}

static bool sequence_next_due(Sequence *sequence, usec_t now, SequenceOrder *ret) {
        while (sequence->queue_head < sequence->queue_tail) {
                unsigned node = sequence->queue[sequence->queue_head++];
                Member *member = &sequence->members[node];

                if (member->done) /* ended by itself while it was queued */
                        continue;

                member->ordered = true;
                member->ordered_at = now;
                member->deadline = MIN_OF(
                        phase_window_deadline(&sequence->windows[node], sequence->begun, now),
                        sequence->limit.cut);
                *ret = (SequenceOrder){ node, phase_order(sequence->phase) };
                return true;
        }
        return false;
}

/* Whether any have not had their turn in cleanup; they have it now, all at once. */
static bool sequence_cut(Sequence *sequence) {
        size_t before = sequence->queue_tail;

        if (sequence->phase != PHASE_CLEANUP || sequence->cut)
                return false;
        sequence->cut = true;
        for (size_t i = 0; i < sequence->count; i++)
                if (!sequence->members[i].done && !sequence->members[i].queued)
                        sequence_enqueue(sequence, (unsigned) i);
        return sequence->queue_tail > before;
}

/* Those that are not at rest in spite of all. */
static bool sequence_next_left(Sequence *sequence, SequenceOrder *ret) {
        if (sequence->phase != PHASE_CLEANUP)
                return false;
        for (size_t i = 0; i < sequence->count; i++) {
                Member *member = &sequence->members[i];

                if (member->done || member->end_given)
                        continue;
                member->end_given = true;
                *ret = (SequenceOrder){ (unsigned) i, EVENT_GRACE_OVER };
                return true;
        }
        return false;
}

SequenceStep sequence_next(Sequence *sequence, usec_t now, SequenceOrder *ret) {
        if (!sequence->active)
                return SEQUENCE_DONE;

        if (!sequence->phase_open) {
                if (sequence->phase_closed && sequence->phase == sequence->last) {
                        sequence->active = false;
                        return SEQUENCE_DONE;
                }
                if (sequence->phase_closed)
                        sequence->phase++;
                if (sequence->hurried)
                        sequence->phase = PHASE_CLEANUP;
                sequence_open_phase(sequence, now);
                return SEQUENCE_PHASE_BEGUN;
        }

        bool cut = sequence->hurried && sequence->phase != PHASE_CLEANUP;
        if (sequence->left == 0 || cut) {
                sequence->phase_open = false;
                sequence->phase_closed = true;
                return SEQUENCE_PHASE_ENDED;
        }

        /* orders first: one whose time is over from the start still gets its order before */
        if (sequence_next_due(sequence, now, ret) || sequence_next_overdue(sequence, now, ret))
                return SEQUENCE_ORDER;
        if (now >= sequence->limit.cut && sequence_cut(sequence))
                return SEQUENCE_CUT;
        if (now >= sequence->limit.end && sequence_next_left(sequence, ret))
                return SEQUENCE_ORDER;
        return SEQUENCE_WAIT;
}

static usec_t sequence_limit_ahead(const Sequence *sequence) {
        return sequence->cut ? sequence->limit.end : sequence->limit.cut;
}

usec_t sequence_deadline(const Sequence *sequence) {
        usec_t deadline = USEC_INFINITY;

        if (!sequence->active || !sequence->phase_open)
                return USEC_INFINITY;
        for (size_t i = 0; i < sequence->count; i++) {
                const Member *member = &sequence->members[i];

                if (member_awaits_deadline(member))
                        deadline = MIN_OF(deadline, member->deadline);
                if (sequence->phase == PHASE_CLEANUP && !member->done && !member->end_given)
                        deadline = MIN_OF(deadline, sequence_limit_ahead(sequence));
        }
        return deadline;
}

usec_t sequence_deadline_of(const Sequence *sequence, unsigned node) {
        const Member *member = &sequence->members[node];

        if (!sequence->active || !sequence->phase_open || !member_awaits_deadline(member))
                return USEC_INFINITY;
        return member->deadline;
}

void sequence_progress(const Sequence *sequence, SequenceProgress *ret) {
        SequenceProgress progress = {
                .phase = sequence->phase,
                .begun = sequence->begun,
                .latest = MIN_OF(usec_add(sequence->begun, sequence->latest),
                                 sequence_limit_ahead(sequence)),
                .total = sequence->total,
                .left = sequence->left,
                .forced = sequence->forced,
                .forced_in_all = sequence->forced_in_all,
                .slowest = UINT_MAX,
        };

        for (size_t i = 0; i < sequence->count; i++) {
                const Member *member = &sequence->members[i];

                if (!member->ordered || member->done)
                        continue;
                if (progress.slowest == UINT_MAX || member->ordered_at < progress.slowest_since) {
                        progress.slowest = (unsigned) i;
                        progress.slowest_since = member->ordered_at;
                }
        }
        *ret = progress;
}

const bool *sequence_counts(const Sequence *sequence) {
        return sequence->counts;
}
