/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What holds for what is forced, and for signals that change nothing. A daemon is said to be
 * forced exactly when a deadline or the end of its stop schedule cut something short.
 */

#include <string.h>

#include "sim/watch.h"

/* The order at hand. */
static struct {
        const Watched *daemon; /* NULL: none */
        DaemonEvent order;
        DaemonState state; /* before it */
        unsigned population;
        bool said;
} giving;

void watch_forced_begin(unsigned node, DaemonEvent order) {
        giving.daemon = watch.nodes[node];
        giving.order = order;
        giving.state = watch_state(node);
        giving.population = giving.daemon->tree->population;
        giving.said = false;
}

static bool watch_order_cuts(void) {
        bool lives = giving.daemon->tree->population > 0; /* it may end while it is looked at */

        switch (giving.order) {
        case EVENT_FREEZE_DEADLINE:
                return giving.state == STATE_FREEZING && lives;
        case EVENT_DRAIN_DEADLINE:
                return giving.state == STATE_DRAINING && lives;
        case EVENT_CLEANUP_DEADLINE:
                return giving.state == STATE_TIDYING || (giving.state == STATE_STOPPING && lives);
        case EVENT_GRACE_OVER:
                return giving.state == STATE_TIDYING;
        default:
                return false;
        }
}

void watch_forced_end(void) {
        if (!giving.said && watch_order_cuts())
                sim_fail("%s was cut short by %s, but nobody says so", giving.daemon->name,
                         daemon_event_name(giving.order));
        giving.daemon = NULL;
}

/* How long a schedule lasts at least whose last step may be open. */
static usec_t watch_schedule_least(unsigned node) {
        const Config *config = watch.generation->config;
        const DaemonConfig *daemon = &config->daemons[node];
        usec_t least = 0;

        for (size_t i = 0; i < daemon->stop.count && daemon->stop.steps[i].signo != SIGKILL; i++) {
                usec_t wait = daemon->stop.steps[i].wait;

                if (wait == USEC_INFINITY)
                        wait = daemon->cleanup.timeout != USEC_INFINITY
                                       ? daemon->cleanup.timeout
                                       : config->supervisor.cleanup_timeout;
                least = usec_add(least, wait);
        }
        return least;
}

static void watch_judge_schedule(Watched *daemon) {
        const Child *child = sim_find(daemon->name);
        usec_t since = daemon->stopping_since;

        /* it began in this very step, or by another configuration */
        if (!child || (since > 0 && daemon->stopping_by != watch.generation))
                return;
        if (since == 0)
                since = world_now();
        if (world_now() - since < watch_schedule_least(child_index(child)))
                sim_fail("%s is killed before its stop schedule is over", daemon->name);
}

void watch_forced_line(const char *name, const char *text) {
        Watched *daemon = watch_daemon(name);

        /* after a crash it is no stop that cuts them */
        if (strncmp(text, "left-over", 9) == 0 && sim_state(name) == STATE_SWEEPING)
                return;
        daemon->cut = daemon->forced_now = true;
        daemon->forced++;
        if (giving.daemon != daemon || giving.order == EVENT_START || giving.order == EVENT_THAW) {
                if (strncmp(text, "did not end", 11) == 0)
                        watch_judge_schedule(daemon);
                return;
        }
        giving.said = true;
        if (giving.population == 0 &&
            ((giving.order == EVENT_FREEZE_DEADLINE && giving.state == STATE_FREEZING) ||
             (giving.order == EVENT_DRAIN_DEADLINE && giving.state == STATE_DRAINING) ||
             (giving.order == EVENT_CLEANUP_DEADLINE && giving.state == STATE_STOPPING)))
                sim_fail("%s is forced, but had ended", name);
}

/* Since when its stop schedule runs. */
void watch_note_schedule(unsigned node, DaemonState state) {
        Watched *daemon = watch.nodes[node];

        if (state != STATE_STOPPING && state != STATE_SWEEPING)
                daemon->stopping_since = 0;
        else if (daemon->stopping_since == 0) {
                daemon->stopping_since = child_state_since(watch.generation->children[node]);
                daemon->stopping_by = watch.generation;
        }
}

/* ---- a stop that is asked for again ---- */

static uint64_t watch_digest(void) {
        uint64_t digest = fake_loop_digest(sim_loop());

        for (unsigned i = 0; i < watch_count(); i++)
                digest = digest * 31 + watch_state(i);
        for (NotifyKind kind = 0; kind < NOTIFY_KIND_MAX_; kind++)
                digest = digest * 31 + fake_notify_count(kind);
        digest = digest * 31 + world_descendants();
        return digest * 31 + watch.order_count;
}

ModeAction __real_mode_step(Mode *mode, ModeEvent event);
ModeAction __wrap_mode_step(Mode *mode, ModeEvent event);

ModeAction __wrap_mode_step(Mode *mode, ModeEvent event) {
        ModeAction action = __real_mode_step(mode, event);

        watch.repeated = action == MODE_REPEAT;
        if (watch.repeated)
                watch.digest = watch_digest();
        return action;
}

void watch_judge_repeat(void) {
        if (watch.repeated && watch.digest != watch_digest())
                sim_fail("a stop that was asked for again changed something");
        watch.repeated = false;
}
