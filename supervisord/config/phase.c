/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arithmetic of the phases' time windows; see the header for the rules. Pure. */

#include "config/phase.h"

const char *phase_name(Phase phase) {
        static const char *const names[PHASE_MAX_] = {
                [PHASE_FREEZE] = "freeze",
                [PHASE_DRAIN] = "drain",
                [PHASE_CLEANUP] = "cleanup",
        };
        return names[phase];
}

const char *phase_setting(Phase phase) {
        static const char *const settings[PHASE_MAX_] = {
                [PHASE_FREEZE] = "freeze_timeout",
                [PHASE_DRAIN] = "drain_timeout",
                [PHASE_CLEANUP] = "cleanup_timeout",
        };
        return settings[phase];
}

const char *phase_own_setting(Phase phase) {
        static const char *const settings[PHASE_MAX_] = {
                [PHASE_FREEZE] = "freeze.timeout",
                [PHASE_DRAIN] = "drain.timeout",
                [PHASE_CLEANUP] = "cleanup.timeout",
        };
        return settings[phase];
}

bool phase_is_ordered(Phase phase) {
        return phase != PHASE_FREEZE;
}

PhaseTimes phase_times(const Config *config, Phase phase, unsigned node) {
        const SupervisorConfig *all = &config->supervisor;
        const DaemonConfig *daemon = &config->daemons[node];

        switch (phase) {
        case PHASE_FREEZE:
                return (PhaseTimes){ .phase = all->freeze_timeout, .own = daemon->freeze.timeout };
        case PHASE_DRAIN:
                return (PhaseTimes){ .phase = all->drain_timeout, .own = daemon->drain.timeout };
        default:
                break;
        }

        usec_t schedule = daemon_config_stop_total(daemon);
        return (PhaseTimes){
                .phase = all->cleanup_timeout,
                .own = daemon->cleanup.timeout,
                .least = schedule == USEC_INFINITY ? 0 : schedule,
        };
}

PhaseWindow phase_window(PhaseTimes times, usec_t wait) {
        PhaseWindow window;

        if (times.own != USEC_INFINITY)
                window = (PhaseWindow){ .from_begin = 0, .from_order = times.own };
        else
                window = (PhaseWindow){
                        .from_begin = times.phase,
                        .from_order = MAX_OF(times.least, wait > times.phase ? times.phase : 0),
                };

        window.latest = MAX_OF(window.from_begin, usec_add(wait, window.from_order));
        return window;
}

usec_t phase_window_deadline(const PhaseWindow *window, usec_t begun, usec_t ordered) {
        return MAX_OF(usec_add(begun, window->from_begin), usec_add(ordered, window->from_order));
}

unsigned phase_plan_waits_for(const PhasePlan *plan, unsigned node) {
        unsigned longest = PHASE_NOBODY;

        if (!phase_is_ordered(plan->phase))
                return PHASE_NOBODY;

        GraphEdges above = graph_needed_by(plan->config->graph, node);
        for (size_t i = 0; i < above.count; i++) {
                unsigned other = above.edges[i].node;

                if (plan->counts && !plan->counts[other])
                        continue;
                if (longest == PHASE_NOBODY ||
                    plan->windows[other].latest > plan->windows[longest].latest)
                        longest = other;
        }
        return longest;
}

/*
 * From those that nobody needs down to those that need nobody, so that each one's worst case is
 * known before that of what it needs.
 */
usec_t phase_plan(const PhasePlan *plan) {
        usec_t latest = 0;

        for (size_t i = plan->config->daemon_count; i-- > 0;) {
                unsigned node = plan->order[i];
                if (plan->counts && !plan->counts[node])
                        continue;

                unsigned other = phase_plan_waits_for(plan, node);
                usec_t wait = other == PHASE_NOBODY ? 0 : plan->windows[other].latest;

                plan->windows[node] =
                        phase_window(phase_times(plan->config, plan->phase, node), wait);
                latest = MAX_OF(latest, plan->windows[node].latest);
        }
        return latest;
}
