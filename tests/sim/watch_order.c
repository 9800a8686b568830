/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What holds for orders. They are seen by the linker's --wrap= of child_order(), and each one is
 * judged by the sequence that gives it, by the states of all children at that moment, and by
 * deadlines that are computed here anew from the configuration.
 */

#include "sim/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KILL_TIME (2 * SEC) /* from the kill to the end of hope */

/* ---- deadlines, computed anew ---- */

static usec_t watch_phase_time(Phase phase) {
        const SupervisorConfig *all = &sim_supervisor()->generation->config->supervisor;

        return phase == PHASE_FREEZE  ? all->freeze_timeout
               : phase == PHASE_DRAIN ? all->drain_timeout
                                      : all->cleanup_timeout;
}

static usec_t watch_own_time(Phase phase, unsigned node) {
        const DaemonConfig *daemon = &sim_supervisor()->generation->config->daemons[node];

        return phase == PHASE_FREEZE  ? daemon->freeze.timeout
               : phase == PHASE_DRAIN ? daemon->drain.timeout
                                      : daemon->cleanup.timeout;
}

static usec_t watch_schedule_time(unsigned node) {
        const DaemonConfig *daemon = &sim_supervisor()->generation->config->daemons[node];
        usec_t total = usec_add(stop_schedule_total(&daemon->stop), daemon_config_wait(daemon));

        if (daemon->stop_by.command)
                total = usec_add(total, daemon->stop_by.timeout);

        return total == USEC_INFINITY ? 0 : total;
}

/* The worst case for those that need `node`: it has to wait so long. */
static usec_t watch_wait(const Run *run, unsigned node) {
        GraphEdges above = graph_needed_by(sim_supervisor()->generation->config->graph, node);
        usec_t wait = 0;

        for (size_t i = 0; run->phase != PHASE_FREEZE && i < above.count; i++)
                if (run->counts[above.edges[i].node])
                        wait = MAX_OF(wait, run->latest[above.edges[i].node]);
        return wait;
}

/*
 * An own time counts from the order and replaces the phase's. Otherwise it is the phase's, but from
 * the order on never less than the stop schedule takes, nor, if those before it could move the end
 * of the phase, than the phase's time afresh.
 */
static usec_t watch_deadline(const Run *run, unsigned node, usec_t begun, usec_t ordered) {
        Phase phase = run->phase;
        usec_t all = watch_phase_time(phase), own = watch_own_time(phase, node);
        usec_t least = phase == PHASE_CLEANUP ? watch_schedule_time(node) : 0;

        if (own != USEC_INFINITY)
                return usec_add(ordered, own);
        if (watch_wait(run, node) > all)
                least = MAX_OF(least, all);
        return MAX_OF(usec_add(begun, all), usec_add(ordered, least));
}

/* It answers others of the set that may have work in flight: it is frozen by its order to drain. */
static bool watch_serves(const Run *run, unsigned node) {
        GraphEdges above = graph_needed_by(sim_supervisor()->generation->config->graph, node);
        DaemonState state = watch_state(node);

        if (run->frozen_only || (state != STATE_RUNNING && state != STATE_PROBING))
                return false;
        for (size_t i = 0; i < above.count; i++)
                if (run->in_set[above.edges[i].node] &&
                    !watch_is_done(PHASE_DRAIN, above.edges[i].node))
                        return true;
        return false;
}

static void watch_enter_phase(Run *run, Phase phase) {
        run->in_phase = true;
        run->phase = phase;
        run->begun = world_now();
        run->slept = watch.slept;
        for (unsigned i = 0; i < watch_count(); i++) {
                run->ordered[i] = run->deadline_given[i] = false;
                run->counts[i] = run->in_set[i] && !watch_is_done(phase, i);
                if (phase == PHASE_FREEZE)
                        run->late[i] = run->counts[i] && watch_serves(run, i);
                run->counts[i] &= phase != PHASE_FREEZE || !run->late[i];
                run->latest[i] = 0;
        }
        for (size_t i = watch_count(); i-- > 0;) {
                unsigned node = watch.order[i];

                run->latest[node] = watch_deadline(run, node, 0, watch_wait(run, node));
        }
}

/* ---- orders ---- */

static void watch_judge_start(unsigned node) {
        GraphEdges needs = graph_needs(sim_supervisor()->generation->config->graph, node);

        if (mode_is_stopping(sim_mode()))
                sim_fail("%s is started in a stop", watch_name(node));
        if (watch.nodes[node]->held && !watch.doors)
                sim_fail("%s is started, but an operator has stopped it", watch_name(node));
        if (daemon_state_is_up(watch_state(node)))
                sim_fail("%s is started while it is %s", watch_name(node),
                         daemon_state_name(watch_state(node)));
        for (size_t i = 0; i < needs.count; i++) {
                unsigned other = needs.edges[i].node;
                DaemonState state = watch_state(other);
                bool settled = daemon_state_is_settled(state) || watch_is_paused(other);

                if (needs.edges[i].required ? !daemon_state_is_ready(state) : !settled)
                        sim_fail("%s is started although %s is %s", watch_name(node),
                                 watch_name(needs.edges[i].node), daemon_state_name(state));
        }
}

/* Nobody goes on before all are so far, and none before those that need it. */
static void watch_judge_barrier(const Run *run, unsigned node) {
        Phase phase = run->phase;

        if (phase == PHASE_FREEZE)
                return;
        for (unsigned i = 0; i < watch_count(); i++)
                if (run->in_set[i] && !watch_is_done((Phase) (phase - 1), i) && !run->hurried &&
                    !(phase == PHASE_DRAIN && run->late[i]))
                        sim_fail("%s begins %s while %s is %s", watch_name(node), phase_name(phase),
                                 watch_name(i), daemon_state_name(watch_state(i)));

        if (phase == PHASE_CLEANUP && world_now() >= watch_cut(run))
                return; /* there is no time left for an order among them */

        GraphEdges above = graph_needed_by(sim_supervisor()->generation->config->graph, node);
        for (size_t i = 0; i < above.count; i++) {
                unsigned other = above.edges[i].node;
                if (run->in_set[other] && !watch_is_done(phase, other))
                        sim_fail("%s begins %s while %s, which needs it, is %s", watch_name(node),
                                 phase_name(phase), watch_name(other),
                                 daemon_state_name(watch_state(other)));
        }
}

/* The sequence that gives the order at hand. */
static Run *watch_current_run(Phase phase, unsigned node) {
        Run *run = watch.run;

        if (!run || !run->in_phase || run->phase != phase || !run->in_set[node])
                sim_fail("%s gets an order of %s out of place", watch_name(node),
                         phase_name(phase));
        return run;
}

static void watch_judge_phase(Phase phase, unsigned node) {
        Run *run = watch_current_run(phase, node);

        watch_judge_barrier(run, node);
        if (!run->counts[node])
                sim_fail("%s is ordered to %s, but was done", watch_name(node), phase_name(phase));
        if (run->ordered[node])
                sim_fail("%s is ordered to %s twice", watch_name(node), phase_name(phase));
        run->ordered[node] = true;
        run->deadline[node] =
                MIN_OF(watch_deadline(run, node, run->begun, world_now()), watch_cut(run));
}

static void watch_judge_deadline(Phase phase, unsigned node) {
        Run *run = watch_current_run(phase, node);

        if (!run->ordered[node] || run->deadline_given[node])
                sim_fail("%s gets a deadline of %s out of place", watch_name(node),
                         phase_name(phase));
        if (world_now() < run->deadline[node] || watch_is_over(run->deadline[node]))
                sim_fail("the deadline of %s in %s comes %lld us late", watch_name(node),
                         phase_name(phase), (long long) (world_now() - run->deadline[node]));
        run->deadline_given[node] = true;
}

static void watch_judge(unsigned node, DaemonEvent order) {
        switch (order) {
        case EVENT_START:
                watch_judge_start(node);
                break;
        case EVENT_FREEZE:
                watch_judge_phase(PHASE_FREEZE, node);
                break;
        case EVENT_DRAIN:
                watch_judge_phase(PHASE_DRAIN, node);
                break;
        case EVENT_CLEANUP:
                watch_judge_phase(PHASE_CLEANUP, node);
                break;
        case EVENT_FREEZE_DEADLINE:
                watch_judge_deadline(PHASE_FREEZE, node);
                break;
        case EVENT_DRAIN_DEADLINE:
                watch_judge_deadline(PHASE_DRAIN, node);
                break;
        case EVENT_CLEANUP_DEADLINE:
                watch_judge_deadline(PHASE_CLEANUP, node);
                break;
        case EVENT_GRACE_OVER:
                watch_judge_left(watch_current_run(PHASE_CLEANUP, node), node);
                break;
        case EVENT_THAW:
                if (!child_is_paused(sim_supervisor()->generation->children[node]))
                        sim_fail("%s is thawed and was not frozen", watch_name(node));
                break;
        default:
                sim_fail("%s is no order", daemon_event_name(order));
        }
}

void __real_child_order(Child *child, DaemonEvent order);
void __wrap_child_order(Child *child, DaemonEvent order);

void __wrap_child_order(Child *child, DaemonEvent order) {
        watch_look_at_generation();
        unsigned node = child_index(child);

        world_trace("  order %s to %s (%s)", daemon_event_name(order), child_name(child),
                    daemon_state_name(child_state(child)));
        watch_judge(node, order);
        watch.nodes[node]->started |= order == EVENT_START;
        if (watch.order_count < ORDER_MAX)
                watch_orders[watch.order_count++] = (Order){ sim_now(), watch.nodes[node], order };
        watch_forced_begin(node, order);
        watch_leftovers_order(node, order);
        __real_child_order(child, order);
        watch_forced_end();
        world_trace("    %s is %s", child_name(child), daemon_state_name(child_state(child)));
}

static bool order_is(const Order *order, const char *name, DaemonEvent event) {
        return order->event == event && strcmp(order->daemon->name, name) == 0;
}

unsigned sim_ordered(const char *name, DaemonEvent order) {
        unsigned count = 0;

        for (size_t i = 0; i < watch.order_count; i++)
                count += order_is(&watch_orders[i], name, order);
        return count;
}

usec_t sim_ordered_when(const char *name, DaemonEvent order) {
        for (size_t i = watch.order_count; i-- > 0;)
                if (order_is(&watch_orders[i], name, order))
                        return watch_orders[i].when;
        return USEC_INFINITY;
}

char *sim_orders(void) {
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        for (size_t i = 0; stream && i < watch.order_count; i++)
                fprintf(stream, "%llu %s %s\n", (unsigned long long) watch_orders[i].when,
                        watch_orders[i].daemon->name, daemon_event_name(watch_orders[i].event));
        if (stream)
                fclose(stream);
        return text;
}

/* ---- the ends of phases ---- */

/*
 * What comes after the deadline: the kill, and the cleanup command, which then has no more time
 * than that. In the worst case they are all in one chain.
 */
static usec_t watch_cleanup_grace(const Run *run) {
        usec_t grace = 0;

        for (unsigned i = 0; i < watch_count(); i++) {
                if (!run->deadline_given[i])
                        continue;
                grace += KILL_TIME + LOST_MOST;
                if (child_config(sim_supervisor()->generation->children[i])->cleanup.command)
                        grace += KILL_TIME;
        }
        return grace;
}

static void watch_leave_phase(Run *run) {
        usec_t latest = 0;

        run->in_phase = false;
        for (unsigned i = 0; i < watch_count(); i++)
                if (run->counts[i])
                        latest = MAX_OF(latest, run->latest[i]);
        if (run->phase == PHASE_CLEANUP)
                latest = usec_add(latest, watch_cleanup_grace(run));
        latest = usec_add(latest, watch.slept - run->slept);
        if (world_now() > usec_add(run->begun, latest))
                sim_fail("%s ends %lld us after its latest end", phase_name(run->phase),
                         (long long) (world_now() - run->begun - latest));
}

void watch_judge_missed(void) {
        for (Run *run = watch_runs; run < watch_runs + watch.run_count; run++)
                for (unsigned i = 0; run->sequence && run->in_phase && i < watch_count(); i++)
                        if (run->ordered[i] && !run->deadline_given[i] &&
                            watch_is_over(run->deadline[i]) && !watch_is_done(run->phase, i))
                                sim_fail("the deadline of %s in %s was missed", watch_name(i),
                                         phase_name(run->phase));
}

/* ---- sequences, seen by --wrap= too ---- */

static Run *watch_find_run(const Sequence *sequence) {
        for (Run *run = watch_runs; run < watch_runs + watch.run_count; run++)
                if (run->sequence == sequence)
                        return run;
        return NULL;
}

bool watch_runs_are_active(void) {
        for (Run *run = watch_runs; run < watch_runs + watch.run_count; run++)
                if (run->sequence && sequence_is_active(run->sequence))
                        return true;
        return false;
}

/* No two sequences have to do with the same daemon. */
static void watch_judge_overlap(const Run *run) {
        for (const Run *other = watch_runs; other < watch_runs + watch.run_count; other++)
                for (unsigned i = 0; other != run && other->sequence && i < watch_count(); i++)
                        if (run->in_set[i] && other->in_set[i] &&
                            sequence_is_active(other->sequence))
                                sim_fail("two sequences have to do with %s", watch_name(i));
}

void __real_sequence_begin(Sequence *sequence, SequenceSpan span, const bool *in_set,
                           const DaemonState *states, usec_t now);
void __wrap_sequence_begin(Sequence *sequence, SequenceSpan span, const bool *in_set,
                           const DaemonState *states, usec_t now);

void __wrap_sequence_begin(Sequence *sequence, SequenceSpan span, const bool *in_set,
                           const DaemonState *states, usec_t now) {
        watch_look_at_generation();
        Run *run = watch_find_run(sequence);
        if (!run)
                run = watch_find_run(NULL);
        if (!run && watch.run_count < RUN_MAX)
                run = &watch_runs[watch.run_count++];
        if (!run)
                sim_fail("so many sequences cannot be watched");

        *run = (Run){
                .sequence = sequence,
                .last = span.last,
                .frozen_only = span.last == PHASE_FREEZE,
                .hurried = span.first == PHASE_CLEANUP,
        };
        for (unsigned i = 0; i < watch_count(); i++)
                run->in_set[i] = in_set[i];
        watch_judge_overlap(run);
        __real_sequence_begin(sequence, span, in_set, states, now);
}

SequenceStep __real_sequence_next(Sequence *sequence, usec_t now, SequenceOrder *ret);
SequenceStep __wrap_sequence_next(Sequence *sequence, usec_t now, SequenceOrder *ret);

SequenceStep __wrap_sequence_next(Sequence *sequence, usec_t now, SequenceOrder *ret) {
        SequenceStep step = __real_sequence_next(sequence, now, ret);
        SequenceProgress progress;

        watch.run = watch_find_run(sequence);
        if (!watch.run)
                return step;
        sequence_progress(sequence, &progress);
        if (step == SEQUENCE_PHASE_BEGUN)
                watch_enter_phase(watch.run, progress.phase);
        if (step == SEQUENCE_PHASE_ENDED)
                watch_leave_phase(watch.run);
        return step;
}

void __real_sequence_hurry(Sequence *sequence);
void __wrap_sequence_hurry(Sequence *sequence);

void __wrap_sequence_hurry(Sequence *sequence) {
        Run *run = watch_find_run(sequence);

        if (run)
                run->hurried = true;
        __real_sequence_hurry(sequence);
}

Sequence *__real_sequence_free(Sequence *sequence);
Sequence *__wrap_sequence_free(Sequence *sequence);

Sequence *__wrap_sequence_free(Sequence *sequence) {
        Run *run = sequence ? watch_find_run(sequence) : NULL;

        if (run)
                run->sequence = NULL;
        return __real_sequence_free(sequence);
}
