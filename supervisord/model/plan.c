/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From differences to actions; see the header. */

#include "model/plan.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *plan_action_name(PlanAction action) {
        static const char *const names[] = {
                [PLAN_KEEP] = "keep",       [PLAN_LIVE] = "apply",  [PLAN_RELOAD] = "reload",
                [PLAN_RESTART] = "restart", [PLAN_START] = "start", [PLAN_STOP] = "stop",
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

/*
 * What a daemon does when a file of its own changed. One that is on its way up may have read the
 * file before or after; one that ended by itself will read it at its next start.
 */
static PlanAction plan_changed_file(const DaemonConfig *daemon, DaemonState state) {
        switch (state) {
        case STATE_RUNNING:
                return daemon_config_can_reload(daemon) ? PLAN_RELOAD : PLAN_RESTART;
        case STATE_DONE: /* its command has read the file as it was */
        case STATE_STARTING:
        case STATE_PROBING:
                return PLAN_RESTART;
        case STATE_FAILED:
        case STATE_STUCK:
                return PLAN_START;
        default:
                return PLAN_KEEP;
        }
}

static PlanAction plan_changed_settings(const DaemonDiff *diff, const DaemonState *states) {
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

static PlanEntry plan_entry(const ConfigDiff *diff,
                            const DaemonDiff *daemon,
                            const DaemonState *states,
                            const char *const *files) {
        PlanEntry entry = { .action = plan_changed_settings(daemon, states), .diff = daemon };

        if (!files || daemon->kind == DIFF_ADDED || daemon->kind == DIFF_REMOVED ||
            !files[daemon->before])
                return entry;

        PlanAction action =
                plan_changed_file(&diff->after->daemons[daemon->after], states[daemon->before]);
        if (action != PLAN_KEEP)
                entry.file = files[daemon->before];
        entry.action = MAX_OF(entry.action, action); /* in the order of how much it takes */
        return entry;
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

        if (entry->action >= PLAN_RESTART)
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
        plan->nothing = diff->same && plan->counts[PLAN_KEEP] == plan->count;
}

int plan_new(const ConfigDiff *diff,
             const DaemonState *states,
             const char *const *files,
             Plan **ret) {
        CLEANUP(plan_freep) Plan *plan = calloc(1, sizeof(*plan));
        if (!plan)
                return -ENOMEM;

        plan->entries = calloc(MAX_OF(diff->count, (size_t) 1), sizeof(*plan->entries));
        if (!plan->entries)
                return -ENOMEM;
        plan->count = diff->count;

        for (size_t i = 0; i < diff->count; i++)
                plan->entries[i] = plan_entry(diff, &diff->daemons[i], states, files);

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

static char *plan_settings_reason(const ConfigDiff *diff, const PlanEntry *entry) {
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

static char *plan_file_reason(const ConfigDiff *diff, const PlanEntry *entry) {
        bool deaf = entry->action == PLAN_RESTART &&
                    !daemon_config_can_reload(&diff->after->daemons[entry->diff->after]);
        bool changed = entry->diff->kind == DIFF_CHANGED;
        CLEANUP(freep) char *settings = changed ? daemon_diff_text(diff, entry->diff) : NULL;
        char *text = NULL;

        if (changed && !settings)
                return NULL;
        if (asprintf(&text, "%s changed%s%s%s", entry->file,
                     deaf ? ", and it has no reload.signal" : "", settings ? ", " : "",
                     settings ? settings : "") < 0)
                return NULL;
        return text;
}

char *plan_entry_reason(const ConfigDiff *diff, const PlanEntry *entry) {
        char *text = NULL;

        if (entry->because)
                return asprintf(&text, "it requires %s", entry->because) < 0 ? NULL : text;
        return entry->file ? plan_file_reason(diff, entry) : plan_settings_reason(diff, entry);
}
