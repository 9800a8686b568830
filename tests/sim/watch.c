/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What holds in every scenario. Orders to the children are seen by the linker's --wrap= of
 * child_order(), and each one is judged by the states of all children at that moment, and by
 * deadlines that are computed here anew from the configuration.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

#define DAEMON_MAX 64
#define ORDER_MAX  4096
#define KILL_TIME  (2 * SEC) /* from the kill to the end of hope */
#define LOST_MOST  (20 * USEC_PER_MSEC)

typedef struct Watched {
        bool started;       /* before, there may be processes of an earlier run */
        bool counts;        /* was not done when the phase began */
        bool ordered;       /* in the phase at hand */
        bool deadline_given;
        bool cut;           /* forced since the stop began */
        bool blocked;       /* something of it could not die at the last step */
        usec_t empty_since; /* it is said to run, but nothing of it lives; 0: all is well */
        usec_t latest;      /* in the phase, from its begin */
        usec_t deadline;    /* absolute */
} Watched;

typedef struct Order {
        usec_t when;
        unsigned node;
        DaemonEvent event;
} Order;

static struct {
        Watched daemons[DAEMON_MAX];
        Order orders[ORDER_MAX];
        size_t order_count;
        Phase phase;
        usec_t begun;
        bool in_phase;
        bool late;
        bool doors; /* some may fail */
        bool ready_told;
        bool stop_seen;
} watch;

void sim_fail(const char *format, ...) {
        va_list arguments;

        fflush(stdout);
        fprintf(stderr, "at %.6f s: ", (double) sim_now() / (double) USEC_PER_SEC);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fputc('\n', stderr);
        abort();
}

void watch_begin(void) {
        memset(&watch, 0, sizeof(watch));
}

void watch_allow_late(void) {
        watch.late = true;
        for (size_t i = 0; i < DAEMON_MAX; i++)
                watch.daemons[i].empty_since = 0;
}

void watch_allow_failures(void) {
        watch.doors = true;
}

static size_t watch_count(void) {
        return sim_supervisor()->count;
}

static DaemonState watch_state(unsigned node) {
        return child_state(sim_supervisor()->children[node]);
}

static const char *watch_name(unsigned node) {
        return child_name(sim_supervisor()->children[node]);
}

static bool watch_in_set(unsigned node) {
        return sim_supervisor()->in_set[node];
}

static bool watch_is_done(Phase phase, unsigned node) {
        switch (phase) {
        case PHASE_FREEZE:
                return daemon_state_is_frozen(watch_state(node));
        case PHASE_DRAIN:
                return daemon_state_is_drained(watch_state(node));
        default:
                return daemon_state_is_resting(watch_state(node));
        }
}

/* ---- deadlines, computed anew ---- */

static usec_t watch_phase_time(Phase phase) {
        const SupervisorConfig *all = &sim_supervisor()->config->supervisor;

        return phase == PHASE_FREEZE ? all->freeze_timeout
                : phase == PHASE_DRAIN ? all->drain_timeout
                                       : all->cleanup_timeout;
}

static usec_t watch_own_time(Phase phase, unsigned node) {
        const DaemonConfig *daemon = &sim_supervisor()->config->daemons[node];

        return phase == PHASE_FREEZE ? daemon->freeze.timeout
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
        unsigned order[DAEMON_MAX];

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

        graph_order(sim_supervisor()->config->graph, order);
        for (size_t i = watch_count(); i-- > 0;) {
                usec_t wait = watch_wait(phase, order[i]);
                watch.daemons[order[i]].latest = watch_deadline(phase, order[i], 0, wait);
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
                if (needs.edges[i].required ? state != STATE_RUNNING : !daemon_state_is_settled(state))
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
                if (watch_in_set(i) && !watch_is_done((Phase) (phase - 1), i)
                    && !(phase == PHASE_CLEANUP && watch_is_cut_short()))
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
                sim_fail("%s gets a deadline of %s out of place", watch_name(node), phase_name(phase));
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
                watch.orders[watch.order_count++] = (Order) { sim_now(), node, order };
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

/* ---- lines ---- */

/*
 * What comes after the deadline: the kill, and the cleanup command, which has its whole time even
 * then. In the worst case they are all in one chain.
 */
static usec_t watch_cleanup_grace(void) {
        usec_t grace = 0;

        for (unsigned i = 0; i < watch_count(); i++) {
                usec_t own = watch_own_time(PHASE_CLEANUP, i);

                if (!watch.daemons[i].deadline_given)
                        continue;
                grace += KILL_TIME + LOST_MOST;
                if (child_config(sim_supervisor()->children[i])->cleanup.command)
                        grace += own != USEC_INFINITY ? own : watch_phase_time(PHASE_CLEANUP);
        }
        return grace;
}

static void watch_judge_phase_end(void) {
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

/* Whether something of it cannot die, or was on the way there until just now. */
static bool watch_is_unkillable(const char *daemon) {
        unsigned cursor = 0;

        for (const FakeProcess *process; (process = process_each(&cursor));)
                if (process->blocked_until > 0 && strcmp(process->tree, daemon) == 0)
                        return true;
        return watch.daemons[child_index(sim_child(daemon))].blocked;
}

void watch_line(MessageId message, const char *daemon, const char *text) {
        if (strncmp(text, "bug:", 4) == 0)
                sim_fail("%s", text);
        if (message == MESSAGE_SUPERVISOR_STOPPING) {
                watch.stop_seen = true;
                for (size_t i = 0; i < DAEMON_MAX; i++)
                        watch.daemons[i].cut = false;
        }
        if (message == MESSAGE_PHASE_ENDED)
                watch_judge_phase_end();
        if (message == MESSAGE_PHASE_BEGUN)
                watch.in_phase = false; /* two sequences may have the same one at the same instant */
        if (message == MESSAGE_DAEMON_FORCED && daemon)
                watch.daemons[child_index(sim_child(daemon))].cut = true;
        if (message == MESSAGE_DAEMON_STUCK && !watch.doors && !watch.late
            && !watch_is_unkillable(daemon))
                sim_fail("%s is given up as stuck, but could be killed", daemon);
        if (message == MESSAGE_DAEMON_STOPPED && world_population(daemon) > 0)
                sim_fail("%s is said to have stopped, but lives", daemon);
}

/* ---- always ---- */

static void watch_judge_missed(void) {
        for (unsigned i = 0; watch.in_phase && i < watch_count(); i++) {
                const Watched *daemon = &watch.daemons[i];
                if (daemon->ordered && !daemon->deadline_given && !watch.late
                    && sequence_is_active(sim_supervisor()->sequence)
                    && world_now() > daemon->deadline && !watch_is_done(watch.phase, i))
                        sim_fail("the deadline of %s in %s was missed", watch_name(i),
                                 phase_name(watch.phase));
        }
}

/* In these states nothing of a daemon lives. */
static bool watch_must_be_empty(DaemonState state) {
        return state == STATE_STOPPED || state == STATE_ENDED || state == STATE_TIDYING
                || state == STATE_DELAYED || state == STATE_FAILED;
}

/* In these states the end of a daemon has to be noticed at once. */
static bool watch_somebody_waits(DaemonState state) {
        return daemon_state_is_live(state) && state != STATE_FROZEN && state != STATE_DRAINED
                && state != STATE_STUCK;
}

static void watch_judge_processes(unsigned node) {
        const Child *child = sim_supervisor()->children[node];
        Watched *daemon = &watch.daemons[node];
        unsigned population = world_population(watch_name(node));
        const FakeProcess *process = process_find(child_main_pid(child));

        daemon->blocked = watch_is_unkillable(watch_name(node));
        if (daemon->started && watch_must_be_empty(watch_state(node)) && population > 0)
                sim_fail("%s is %s, but %u processes of it live", watch_name(node),
                         daemon_state_name(watch_state(node)), population);
        if (process && strcmp(process->tree, watch_name(node)) != 0)
                sim_fail("the main process of %s is a stranger", watch_name(node));

        /* the end of a process may be known a little later */
        if (!watch_somebody_waits(watch_state(node)) || population > 0)
                daemon->empty_since = 0;
        else if (daemon->empty_since == 0)
                daemon->empty_since = world_now();
        else if (world_now() > daemon->empty_since + LOST_MOST && !watch.doors)
                sim_fail("%s is said to be %s, but nothing of it lives", watch_name(node),
                         daemon_state_name(watch_state(node)));
}

static void watch_judge_start_time(unsigned node) {
        const Child *child = sim_supervisor()->children[node];

        if (watch_state(node) != STATE_STARTING && watch_state(node) != STATE_PROBING)
                return;
        if (!watch.late
            && world_now() > child_started(child) + child_config(child)->ready.timeout)
                sim_fail("%s was not given up when its time to become ready was over", watch_name(node));
}

void watch_step(void) {
        if (sim_exited() && sim_code() < 0)
                sim_fail("the loop failed: %s", strerror(-sim_code()));
        if (world_harmed() > 0)
                sim_fail("a stranger was signalled");
        if (world_doubled() > 0)
                sim_fail("a daemon was started while another one of it lived");
        watch_judge_missed();
        for (unsigned i = 0; i < watch_count(); i++) {
                watch_judge_processes(i);
                watch_judge_start_time(i);
        }
        if (fake_notify_overdue())
                sim_fail("systemd has lost patience");
        if (fake_notify_count(NOTIFY_STOPPING) > 1)
                sim_fail("systemd was told twice of the stop");
}

void watch_idle(void) {
        if (sim_mode() != MODE_RUNNING)
                sim_fail("nothing can happen any more, and the supervisor is %s", mode_name(sim_mode()));
        for (unsigned i = 0; i < watch_count(); i++)
                if (watch_state(i) != STATE_RUNNING && !daemon_state_is_resting(watch_state(i)))
                        sim_fail("nothing can happen any more, and %s is %s", watch_name(i),
                                 daemon_state_name(watch_state(i)));
}

void watch_exit(void) {
        unsigned cut = 0, stuck = 0;

        for (unsigned i = 0; i < watch_count(); i++) {
                DaemonState state = watch_state(i);

                if (!daemon_state_is_resting(state))
                        sim_fail("%s is %s after the end", watch_name(i), daemon_state_name(state));
                if (watch.daemons[i].started && state != STATE_STUCK
                    && world_population(watch_name(i)) > 0)
                        sim_fail("%u processes of %s are left", world_population(watch_name(i)),
                                 watch_name(i));
                cut += watch.daemons[i].cut;
                stuck += state == STATE_STUCK;
        }
        if ((int) cut != sim_said_forced(MESSAGE_SUPERVISOR_STOPPED))
                sim_fail("%u daemons were forced, %d were counted", cut,
                         sim_said_forced(MESSAGE_SUPERVISOR_STOPPED));
        if (stuck == 0 && !watch.doors && fake_cgroup_count(false) > 0)
                sim_fail("%u cgroups are left", fake_cgroup_count(false));
        if (sim_said(MESSAGE_SUPERVISOR_STOPPED, NULL) != 1)
                sim_fail("the end was not said once");
}
