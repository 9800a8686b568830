/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What holds for orders. They are seen by the linker's --wrap= of child_order(), and each one is
 * judged by the states of all children at that moment, and by deadlines that are computed here anew
 * from the configuration.
 */

#include "sim/watch.h"

#include <stdio.h>
#include <stdlib.h>

#define KILL_TIME (2 * SEC) /* from the kill to the end of hope */

/* ---- deadlines, computed anew ---- */

static usec_t watch_phase_time(Phase phase) {
        const SupervisorConfig *all = &sim_supervisor()->config->supervisor;

        return phase == PHASE_FREEZE  ? all->freeze_timeout
               : phase == PHASE_DRAIN ? all->drain_timeout
                                      : all->cleanup_timeout;
}

static usec_t watch_own_time(Phase phase, unsigned node) {
        const DaemonConfig *daemon = &sim_supervisor()->config->daemons[node];

        return phase == PHASE_FREEZE  ? daemon->freeze.timeout
               : phase == PHASE_DRAIN ? daemon->drain.timeout
                                      : daemon->cleanup.timeout;
}

static usec_t watch_schedule_time(unsigned node) {
        usec_t total = stop_schedule_total(&sim_supervisor()->config->daemons[node].stop);

        return total == USEC_INFINITY ? 0 : total;
}

/* The worst case for those that need `node`: it has to wait so long. */
static usec_t watch_wait(Phase phase, unsigned node) {
        GraphEdges above = graph_needed_by(sim_supervisor()->config->graph, node);
        usec_t wait = 0;

        for (size_t i = 0; phase != PHASE_FREEZE && i < above.count; i++)
                if (watch.daemons[above.edges[i].node].counts)
                        wait = MAX_OF(wait, watch.daemons[above.edges[i].node].latest);
        return wait;
}

/*
 * An own time counts from the order and replaces the phase's. Otherwise it is the phase's, but from
 * the order on never less than the stop schedule takes, nor, if those before it could move the end
 * of the phase, than the phase's time afresh.
 */
static usec_t watch_deadline(Phase phase, unsigned node, usec_t begun, usec_t ordered) {
        usec_t all = watch_phase_time(phase), own = watch_own_time(phase, node);
        usec_t least = phase == PHASE_CLEANUP ? watch_schedule_time(node) : 0;

        if (own != USEC_INFINITY)
                return usec_add(ordered, own);
        if (watch_wait(phase, node) > all)
                least = MAX_OF(least, all);
        return MAX_OF(usec_add(begun, all), usec_add(ordered, least));
}

static void watch_enter_phase(Phase phase, usec_t begun) {
        watch.in_phase = true;
        watch.phase = phase;
        watch.begun = begun;
        if (begun != world_now())
                sim_fail("%s has its first order not at its begin", phase_name(phase));
        for (unsigned i = 0; i < watch_count(); i++) {
                Watched *daemon = &watch.daemons[i];
                daemon->ordered = daemon->deadline_given = false;
                daemon->counts = watch_in_set(i) && !watch_is_done(phase, i);
                daemon->latest = 0;
        }

        for (size_t i = watch_count(); i-- > 0;) {
                usec_t wait = watch_wait(phase, watch.order[i]);
                watch.daemons[watch.order[i]].latest =
                        watch_deadline(phase, watch.order[i], 0, wait);
        }
}

/* ---- orders ---- */

static void watch_judge_start(unsigned node) {
        GraphEdges needs = graph_needs(sim_supervisor()->config->graph, node);

        if (mode_is_stopping(sim_mode()))
                sim_fail("%s is started in a stop", watch_name(node));
        if (watch_state(node) != STATE_STOPPED)
                sim_fail("%s is started while it is %s", watch_name(node),
                         daemon_state_name(watch_state(node)));
        for (size_t i = 0; i < needs.count; i++) {
                DaemonState state = watch_state(needs.edges[i].node);
                if (needs.edges[i].required ? state != STATE_RUNNING
                                            : !daemon_state_is_settled(state))
                        sim_fail("%s is started although %s is %s", watch_name(node),
                                 watch_name(needs.edges[i].node), daemon_state_name(state));
        }
}

static bool watch_is_cut_short(void) {
        return sim_supervisor()->mode == MODE_CLEANING && sim_said(MESSAGE_PHASE_BEGUN, NULL) > 0;
}

/* Nobody goes on before all are so far, and none before those that need it. */
static void watch_judge_barrier(Phase phase, unsigned node) {
        if (phase == PHASE_FREEZE)
                return;
        for (unsigned i = 0; i < watch_count(); i++)
                if (watch_in_set(i) && !watch_is_done((Phase) (phase - 1), i) &&
                    !(phase == PHASE_CLEANUP && watch_is_cut_short()))
                        sim_fail("%s begins %s while %s is %s", watch_name(node), phase_name(phase),
                                 watch_name(i), daemon_state_name(watch_state(i)));

        GraphEdges above = graph_needed_by(sim_supervisor()->config->graph, node);
        for (size_t i = 0; i < above.count; i++) {
                unsigned other = above.edges[i].node;
                if (watch_in_set(other) && !watch_is_done(phase, other))
                        sim_fail("%s begins %s while %s, which needs it, is %s", watch_name(node),
                                 phase_name(phase), watch_name(other),
                                 daemon_state_name(watch_state(other)));
        }
}

static void watch_judge_phase(Phase phase, unsigned node) {
        SequenceProgress progress;

        sequence_progress(sim_supervisor()->sequence, &progress);
        if (progress.phase != phase)
                sim_fail("%s gets an order of %s in %s", watch_name(node), phase_name(phase),
                         phase_name(progress.phase));
        if (!watch.in_phase || watch.phase != phase || watch.begun != progress.begun)
                watch_enter_phase(phase, progress.begun);
        watch_judge_barrier(phase, node);

        Watched *daemon = &watch.daemons[node];
        if (!daemon->counts)
                sim_fail("%s is ordered to %s, but was done", watch_name(node), phase_name(phase));
        if (daemon->ordered)
                sim_fail("%s is ordered to %s twice", watch_name(node), phase_name(phase));
        daemon->ordered = true;
        daemon->deadline = watch_deadline(phase, node, watch.begun, world_now());
}

static void watch_judge_deadline(Phase phase, unsigned node) {
        Watched *daemon = &watch.daemons[node];

        if (!watch.in_phase || watch.phase != phase || !daemon->ordered || daemon->deadline_given)
                sim_fail("%s gets a deadline of %s out of place", watch_name(node),
                         phase_name(phase));
        if (world_now() < daemon->deadline || (world_now() > daemon->deadline && !watch.late))
                sim_fail("the deadline of %s in %s comes %lld us late", watch_name(node),
                         phase_name(phase), (long long) (world_now() - daemon->deadline));
        daemon->deadline_given = true;
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
        default:
                sim_fail("%s is no order", daemon_event_name(order));
        }
}

void __real_child_order(Child *child, DaemonEvent order);
void __wrap_child_order(Child *child, DaemonEvent order);

void __wrap_child_order(Child *child, DaemonEvent order) {
        unsigned node = child_index(child);

        world_trace("  order %s to %s (%s)", daemon_event_name(order), child_name(child),
                    daemon_state_name(child_state(child)));
        watch_judge(node, order);
        watch.daemons[node].started |= order == EVENT_START;
        if (watch.order_count < ORDER_MAX)
                watch.orders[watch.order_count++] = (Order){ sim_now(), node, order };
        __real_child_order(child, order);
        world_trace("    %s is %s", child_name(child), daemon_state_name(child_state(child)));
}

unsigned sim_ordered(const char *name, DaemonEvent order) {
        unsigned count = 0, node = child_index(sim_child(name));

        for (size_t i = 0; i < watch.order_count; i++)
                count += watch.orders[i].node == node && watch.orders[i].event == order;
        return count;
}

usec_t sim_ordered_when(const char *name, DaemonEvent order) {
        unsigned node = child_index(sim_child(name));

        for (size_t i = watch.order_count; i-- > 0;)
                if (watch.orders[i].node == node && watch.orders[i].event == order)
                        return watch.orders[i].when;
        return USEC_INFINITY;
}

char *sim_orders(void) {
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        for (size_t i = 0; stream && i < watch.order_count; i++)
                fprintf(stream, "%llu %s %s\n", (unsigned long long) watch.orders[i].when,
                        watch_name(watch.orders[i].node), daemon_event_name(watch.orders[i].event));
        if (stream)
                fclose(stream);
        return text;
}

/* ---- the ends of phases ---- */

/*
 * What comes after the deadline: the kill, and the cleanup command, which then has no more time than
 * that. In the worst case they are all in one chain.
 */
static usec_t watch_cleanup_grace(void) {
        usec_t grace = 0;

        for (unsigned i = 0; i < watch_count(); i++) {
                if (!watch.daemons[i].deadline_given)
                        continue;
                grace += KILL_TIME + LOST_MOST;
                if (child_config(sim_supervisor()->children[i])->cleanup.command)
                        grace += KILL_TIME;
        }
        return grace;
}

void watch_judge_phase_end(void) {
        usec_t latest = 0;

        if (!watch.in_phase || watch.late)
                return;
        for (unsigned i = 0; i < watch_count(); i++)
                if (watch.daemons[i].counts)
                        latest = MAX_OF(latest, watch.daemons[i].latest);
        if (watch.phase == PHASE_CLEANUP)
                latest = usec_add(latest, watch_cleanup_grace());
        if (world_now() > usec_add(watch.begun, latest))
                sim_fail("%s ends %lld us after its latest end", phase_name(watch.phase),
                         (long long) (world_now() - watch.begun - latest));
}

void watch_judge_missed(void) {
        for (unsigned i = 0; watch.in_phase && i < watch_count(); i++) {
                const Watched *daemon = &watch.daemons[i];
                if (daemon->ordered && !daemon->deadline_given && !watch.late &&
                    sequence_is_active(sim_supervisor()->sequence) &&
                    world_now() > daemon->deadline && !watch_is_done(watch.phase, i))
                        sim_fail("the deadline of %s in %s was missed", watch_name(i),
                                 phase_name(watch.phase));
        }
}
