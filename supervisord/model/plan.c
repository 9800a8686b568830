/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From differences to actions; see the header. */

#include "model/plan.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *plan_action_name(PlanAction action) {
        static const char *const names[] = {
                [PLAN_KEEP] = "keep",   [PLAN_LIVE] = "apply", [PLAN_RESTART] = "restart",
                [PLAN_START] = "start", [PLAN_STOP] = "stop",
        };
        static_assert(ELEMENTSOF(names) == PLAN_MAX_, "every action has a name");
        return names[action];
}

/* What a daemon does when its settings change, by its state under the old ones. */
static PlanAction plan_changed(const DaemonDiff *diff, DaemonState state) {
        if (state == STATE_FAILED || state == STATE_STUCK)
                return PLAN_START;
        if (state == STATE_STOPPED)
                return PLAN_LIVE; /* it is to stay stopped; its next start will use them */
        return daemon_diff_needs_restart(diff) ? PLAN_RESTART : PLAN_LIVE;
}

static PlanAction plan_action(const DaemonDiff *diff, const DaemonState *states) {
        switch (diff->kind) {
        case DIFF_ADDED:
                return PLAN_START;
        case DIFF_REMOVED:
                return PLAN_STOP;
        case DIFF_CHANGED:
                return plan_changed(diff, states[diff->before]);
        default:
                return PLAN_KEEP;
        }
}

static bool plan_is_restarted(const Plan *plan, size_t entry) {
        return plan->entries[entry].action == PLAN_RESTART;
}

/* A daemon follows what it requires (by the new order) into a restart, if it is up. */
static bool plan_follow(Plan *plan,
                        const ConfigDiff *diff,
                        const DaemonState *states,
                        size_t index) {
        PlanEntry *entry = &plan->entries[index];
        const DaemonDiff *daemon = entry->diff;

        if (entry->action != PLAN_KEEP && entry->action != PLAN_LIVE)
                return false;
        if (daemon_state_is_resting(states[daemon->before]))
                return false;

        /* the entries of the new configuration stand in its order: an index is an index */
        GraphEdges needs = graph_needs(diff->after->graph, daemon->after);
        for (size_t i = 0; i < needs.count; i++) {
                if (!needs.edges[i].required || !plan_is_restarted(plan, needs.edges[i].node))
                        continue;
                entry->action = PLAN_RESTART;
                entry->because = plan->entries[needs.edges[i].node].diff->name;
                return true;
        }
        return false;
}

static void plan_count(Plan *plan, const ConfigDiff *diff) {
        for (size_t i = 0; i < plan->count; i++)
                plan->counts[plan->entries[i].action]++;
        plan->nothing = diff->same;
}

int plan_new(const ConfigDiff *diff, const DaemonState *states, Plan **ret) {
        CLEANUP(plan_freep) Plan *plan = calloc(1, sizeof(*plan));
        if (!plan)
                return -ENOMEM;

        plan->entries = calloc(MAX_OF(diff->count, (size_t) 1), sizeof(*plan->entries));
        if (!plan->entries)
                return -ENOMEM;
        plan->count = diff->count;

        for (size_t i = 0; i < diff->count; i++)
                plan->entries[i] = (PlanEntry){
                        .action = plan_action(&diff->daemons[i], states),
                        .diff = &diff->daemons[i],
                };

        /* each round adds one level of dependents; there are no cycles */
        bool more = true;
        while (more) {
                more = false;
                for (size_t i = 0; i < plan->count; i++)
                        more |= plan_follow(plan, diff, states, i);
        }

        plan_count(plan, diff);
        *ret = TAKE(plan);
        return 0;
}

Plan *plan_free(Plan *plan) {
        if (!plan)
                return NULL;
        free(plan->entries);
        free(plan);
        return NULL;
}

char *plan_entry_reason(const ConfigDiff *diff, const PlanEntry *entry) {
        char *text = NULL;

        if (entry->because)
                return asprintf(&text, "it requires %s", entry->because) < 0 ? NULL : text;
        switch (entry->diff->kind) {
        case DIFF_ADDED:
                return strdup("it is new");
        case DIFF_REMOVED:
                return strdup("it is not configured any more");
        case DIFF_CHANGED:
                return daemon_diff_text(diff, entry->diff);
        default:
                return strdup("nothing changed");
        }
}
