/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The transaction. Up to the commit line nothing live is touched: whatever fails before it refuses
 * the reload. After it each stage is an operation, and a daemon that does not become ready turns
 * the way around: the same stages back to the generation before. A reload waits for operations that
 * run, and they wait for it, so that indexes mean the same thing to everybody.
 */

#include "service/reload.h"

#include <stdio.h>
#include <string.h>

#include "config/load.h"
#include "service/object.h"

/* After a reload the next one waits so long, to take a burst of requests together. */
#define RELOAD_COOLDOWN (250 * USEC_PER_MSEC)

static int reload_on_cooldown(void *userdata) {
        Supervisor *supervisor = userdata;

        loop_defer_arm(supervisor->settle);
        return 0;
}

int reload_init(Supervisor *supervisor) {
        Reload *reload = &supervisor->reload;

        TAILQ_INIT(&reload->waiters);
        TAILQ_INIT(&reload->next);
        return loop_add_timer(supervisor->loop, &reload->cooldown, LOOP_NORMAL, "reload",
                              reload_on_cooldown, supervisor);
}

/* The children that only one of the two generations knows: at rest, whichever way it went. */
static void reload_free_children(const Reload *reload, const Generation *in_force) {
        const Generation *other = in_force == reload->before ? reload->after : reload->before;

        for (size_t i = 0; i < other->count; i++) {
                Child *child = other->children[i];

                if (child && !config_find(in_force->config, other->config->daemons[i].name))
                        child_free(child);
        }
}

/* Lets go of all that the transaction held but the generation in force. */
static void reload_release(Supervisor *supervisor) {
        Reload *reload = &supervisor->reload;

        if (reload->after) {
                reload_free_children(reload, supervisor->generation);
                generation_free(supervisor->generation == reload->before ? reload->after
                                                                         : reload->before);
        }
        reload->before = reload->after = NULL;
        reload->plan = plan_free(reload->plan);
        reload->diff = config_diff_free(reload->diff);
        reload->diag = diag_free(reload->diag);
        free(TAKE(reload->was_up));
        reload->stage = RELOAD_IDLE;
}

void reload_done(Supervisor *supervisor) {
        reload_release(supervisor);
        supervisor->reload.cooldown = loop_source_free(supervisor->reload.cooldown);
}

static void reload_end(Supervisor *supervisor) {
        Reload *reload = &supervisor->reload;

        reload_release(supervisor);
        reload->ended = loop_now(supervisor->loop);
        supervisor->remember.changed = true; /* who is not configured any more is forgotten */
        (void) mode_step(&supervisor->mode, MODE_EVENT_RELOADED);
        report_ready(supervisor);
        settle_after_reload(supervisor);
}

const Setting *reload_unchangeable(const ConfigDiff *diff) {
        for (size_t i = 0; i < schema_supervisor_count; i++)
                if (diff->supervisor[i] && schema_supervisor[i].effect == EFFECT_RESTART)
                        return &schema_supervisor[i];
        return NULL;
}

/* The second generation: known daemons keep their child, new ones get one that does nothing yet. */
static int reload_make_generation(Supervisor *supervisor, Config *config) {
        Reload *reload = &supervisor->reload;
        const Generation *before = supervisor->generation;

        reload->was_up = calloc(MAX_OF(before->count, (size_t) 1), sizeof(*reload->was_up));
        if (!reload->was_up)
                return -ENOMEM;
        for (size_t i = 0; i < before->count; i++)
                reload->was_up[i] =
                        !daemon_state_is_resting(before->states[i]) || before->pending[i];

        reload->before = supervisor->generation;
        int r = generation_new(config, &reload->after);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < config->daemon_count; i++) {
                const DaemonConfig *known = config_find(before->config, config->daemons[i].name);

                if (known)
                        reload->after->children[i] = before->children[known->index];
                else
                        r = child_new(&supervisor->child_context, config, i,
                                      &reload->after->children[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void reload_on_step(void *userdata, Supervisor *supervisor, OperationOutcome outcome) {
        (void) userdata;
        supervisor->reload.step_done = outcome == OPERATION_DONE;
        loop_defer_arm(supervisor->settle);
}

/* Whether an entry of the plan is started by the way forward, or stopped by it. */
static bool plan_starts(const PlanEntry *entry) {
        return entry->action == PLAN_START || entry->action == PLAN_RESTART;
}

static bool plan_stops(const PlanEntry *entry) {
        return entry->action == PLAN_STOP || entry->action == PLAN_RESTART;
}

/* Whether the daemon of an entry takes part in a stage; its index in the generation in force. */
static bool reload_takes_part(const Reload *reload, const PlanEntry *entry, unsigned *ret_index) {
        switch (reload->stage) {
        case RELOAD_STOPPING:
                *ret_index = entry->diff->before;
                return plan_stops(entry);
        case RELOAD_STARTING:
        case RELOAD_UNDO_STOPPING:
                *ret_index = entry->diff->after;
                return plan_starts(entry);
        default: /* also one that was not up, but waited for its start */
                *ret_index = entry->diff->before;
                return entry->diff->kind != DIFF_ADDED &&
                       (plan_stops(entry) || plan_starts(entry)) &&
                       reload->was_up[entry->diff->before];
        }
}

static void reload_enter(Supervisor *supervisor, ReloadStage stage) {
        Reload *reload = &supervisor->reload;
        bool *set = supervisor->generation->in_set;
        bool stops = stage == RELOAD_STOPPING || stage == RELOAD_UNDO_STOPPING;

        reload->stage = stage;
        reload->step_done = false;
        memset(set, 0, supervisor->generation->count * sizeof(*set));
        for (size_t i = 0; i < reload->plan->count; i++) {
                unsigned index;

                if (reload_takes_part(reload, &reload->plan->entries[i], &index))
                        set[index] = true;
        }

        int r = operation_new(
                supervisor,
                &(OperationRequest){
                        .what = stage <= RELOAD_STARTING ? "reload" : "undoing a reload",
                        .stop = stops ? set : NULL,
                        .start = stops ? NULL : set,
                        .handler = reload_on_step,
                });
        if (r < 0) {
                log_error("a reload cannot go on: %s", strerror(-r));
                reload_conclude(supervisor, RELOAD_CANCELED, "out of memory in the middle of it");
                reload_end(supervisor);
        }
}

/* The other generation is in force from here on. */
static void reload_swap(Supervisor *supervisor, Generation *to) {
        Generation *from = supervisor->generation;

        for (unsigned i = 0; i < to->count; i++) {
                const DaemonConfig *known = config_find(from->config, to->config->daemons[i].name);

                child_rebind(to->children[i], to->config, i);
                to->states[i] = child_state(to->children[i]);
                to->pending[i] = known && from->pending[known->index];
                to->pending_count += to->pending[i];
        }
        memset(from->pending, 0, from->count * sizeof(*from->pending));
        from->pending_count = 0;
        supervisor->generation = to;
        log_set_priority(to->config->supervisor.log_priority);
        if (supervisor->observer.set_changed)
                supervisor->observer.set_changed(supervisor->observer.userdata);
}

/* Those that were started and are not ready; their names and reasons. */
static size_t reload_count_failed(Supervisor *supervisor) {
        Reload *reload = &supervisor->reload;
        const Generation *generation = supervisor->generation;
        size_t failed = 0;

        for (size_t i = 0; i < reload->plan->count; i++) {
                const PlanEntry *entry = &reload->plan->entries[i];

                if (!plan_starts(entry) || generation->states[entry->diff->after] == STATE_RUNNING)
                        continue;
                const char *reason = child_reason(generation->children[entry->diff->after]);
                if (failed++ == 0)
                        snprintf(reload->failure, sizeof(reload->failure),
                                 "%s did not become ready: %s", entry->diff->name,
                                 reason[0] != '\0' ? reason : "it waits for what it requires");
        }
        return failed;
}

static void reload_finish_forward(Supervisor *supervisor) {
        Reload *reload = &supervisor->reload;
        const size_t *counts = reload->plan->counts;

        if (reload_count_failed(supervisor) > 0) {
                log_write(LOG_ERR, NULL, "%s; undoing the reload", reload->failure);
                reload_enter(supervisor, RELOAD_UNDO_STOPPING);
                return;
        }
        reload_conclude(supervisor, RELOAD_APPLIED,
                        "%zu started, %zu restarted, %zu stopped, %zu with new settings, %zu kept",
                        counts[PLAN_START], counts[PLAN_RESTART], counts[PLAN_STOP],
                        counts[PLAN_LIVE], counts[PLAN_KEEP]);
        reload_end(supervisor);
}

static void reload_finish_undo(Supervisor *supervisor) {
        Reload *reload = &supervisor->reload;
        const Generation *generation = supervisor->generation;
        size_t lost = 0;

        for (size_t i = 0; i < reload->plan->count; i++) {
                const PlanEntry *entry = &reload->plan->entries[i];

                if (plan_stops(entry) && reload->was_up[entry->diff->before] &&
                    generation->states[entry->diff->before] != STATE_RUNNING)
                        lost++;
        }
        if (lost > 0)
                reload_conclude(supervisor, RELOAD_ROLLED_BACK,
                                "%s; undone, but %zu %s did not become ready again",
                                reload->failure, lost, PLURAL(lost, "daemon", "daemons"));
        else
                reload_conclude(supervisor, RELOAD_ROLLED_BACK, "%s; all is as it was before",
                                reload->failure);
        reload_end(supervisor);
}

static void reload_advance(Supervisor *supervisor) {
        Reload *reload = &supervisor->reload;

        switch (reload->stage) {
        case RELOAD_STOPPING:
                reload_swap(supervisor, reload->after);
                reload_enter(supervisor, RELOAD_STARTING);
                break;
        case RELOAD_STARTING:
                reload_finish_forward(supervisor);
                break;
        case RELOAD_UNDO_STOPPING:
                reload_swap(supervisor, reload->before);
                reload_enter(supervisor, RELOAD_UNDO_STARTING);
                break;
        case RELOAD_UNDO_STARTING:
                reload_finish_undo(supervisor);
                break;
        case RELOAD_IDLE:
                break;
        }
}

/* Everything up to the commit: true if there is something to do. */
static bool reload_prepare(Supervisor *supervisor) {
        Reload *reload = &supervisor->reload;
        CLEANUP(config_unrefp) Config *config = NULL;

        int r = diag_new(&reload->diag);
        if (r == 0)
                r = config_load(supervisor->config_path, reload->diag, &config);
        if (r == CONFIG_E_INVALID) {
                size_t errors = diag_errors(reload->diag);

                reload_conclude(supervisor, RELOAD_REFUSED,
                                "%zu %s, the old configuration stays in force", errors,
                                PLURAL(errors, "error", "errors"));
                return false;
        }
        if (r == 0)
                r = config_diff_new(supervisor->generation->config, config, &reload->diff);
        if (r == 0)
                r = plan_new(reload->diff, supervisor->generation->states, &reload->plan);
        if (r == 0 && reload_unchangeable(reload->diff)) {
                reload_conclude(
                        supervisor, RELOAD_REFUSED,
                        "supervisor.%s cannot be changed by a reload, restart supervisord for it",
                        reload_unchangeable(reload->diff)->path);
                return false;
        }
        if (r == 0 && reload->plan->nothing) {
                reload_conclude(supervisor, RELOAD_NOTHING, "nothing changed");
                return false;
        }
        if (r == 0)
                r = reload_make_generation(supervisor, config);
        if (r < 0) {
                reload_conclude(supervisor, RELOAD_REFUSED, "%s", strerror(-r));
                return false;
        }
        return true;
}

static void reload_begin(Supervisor *supervisor) {
        Reload *reload = &supervisor->reload;

        reload->wanted = false;
        reload->begun = loop_now(supervisor->loop);
        TAILQ_CONCAT(&reload->waiters, &reload->next, link);
        report_reloading(supervisor);

        if (!reload_prepare(supervisor)) {
                reload_end(supervisor);
                return;
        }
        /* ---- the commit line: from here on every step has its inverse ---- */
        reload_log_plan(supervisor);
        reload_enter(supervisor, RELOAD_STOPPING);
}

/* A start or operations that run, or the time after the last reload, come first. */
static bool reload_may_begin(Supervisor *supervisor) {
        Reload *reload = &supervisor->reload;
        usec_t earliest = usec_add(reload->ended, RELOAD_COOLDOWN);

        if (!reload->wanted || supervisor->mode != MODE_RUNNING ||
            operations_are_active(supervisor))
                return false;
        if (reload->ended > 0 && loop_now(supervisor->loop) < earliest) {
                loop_timer_set(reload->cooldown, earliest);
                return false;
        }
        return true;
}

void reload_drive(Supervisor *supervisor) {
        if (supervisor->generation->changed_count > 0) /* settle first */
                return;
        if (supervisor->reload.stage != RELOAD_IDLE && TAKE(supervisor->reload.step_done))
                reload_advance(supervisor);
        else if (reload_may_begin(supervisor) &&
                 mode_step(&supervisor->mode, MODE_EVENT_RELOAD) == MODE_BEGIN_RELOAD)
                reload_begin(supervisor);
}

int reload_request(Supervisor *supervisor, const char *who, ReloadHandler handler, void *userdata) {
        if (mode_is_stopping(supervisor->mode))
                return RELOAD_E_STOPPING;

        supervisor->reload.wanted = true;
        loop_defer_arm(supervisor->settle);
        if (!handler) /* a signal: a hundred thousand of them are one */
                return 0;

        ReloadWaiter *waiter = calloc(1, sizeof(*waiter));
        if (!waiter)
                return -ENOMEM;
        waiter->who = strdup(who);
        waiter->handler = handler;
        waiter->userdata = userdata;
        TAILQ_INSERT_TAIL(&supervisor->reload.next, waiter, link);
        return 0;
}

void reload_cancel(Supervisor *supervisor) {
        Reload *reload = &supervisor->reload;

        reload->wanted = false;
        TAILQ_CONCAT(&reload->waiters, &reload->next, link);
        if (reload->stage != RELOAD_IDLE || !TAILQ_EMPTY(&reload->waiters))
                reload_conclude(supervisor, RELOAD_CANCELED, "a stop broke in");
        reload_release(supervisor);
}
