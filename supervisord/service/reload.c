/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The transaction. Up to the commit line nothing live is touched: whatever fails before it refuses
 * the reload. After it each stage is an operation, and a daemon that does not go along turns the
 * way around: the same stages back to the generation before. A reload waits for operations that
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

/* Lets go of all that the transaction held but the generation in force. */
static void reload_release(Supervisor *supervisor) {
        Reload *reload = &supervisor->reload;

        reload_tests_free(reload);
        if (reload->after) {
                reload_free_children(reload, supervisor->generation);
                generation_free(supervisor->generation == reload->before ? reload->after
                                                                         : reload->before);
        }
        reload->before = reload->after = NULL;
        reload->plan = plan_free(reload->plan);
        reload->diff = config_diff_free(reload->diff);
        reload->diag = diag_free(reload->diag);
        reload->record = reload_record_free(reload->record);
        free(TAKE(reload->was_up));
        free(TAKE(reload->told));
        reload->stage = RELOAD_IDLE;
}

static void reload_forget(ReloadWaiterList *waiters) {
        ReloadWaiter *waiter;

        while ((waiter = TAILQ_FIRST(waiters))) {
                TAILQ_REMOVE(waiters, waiter, link);
                free(waiter->who);
                free(waiter);
        }
}

void reload_done(Supervisor *supervisor) {
        reload_release(supervisor);
        reload_forget(&supervisor->reload.waiters);
        reload_forget(&supervisor->reload.next);
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

static void reload_on_step(void *userdata, Supervisor *supervisor, OperationOutcome outcome) {
        (void) userdata;
        recording_reload_step_over(supervisor, outcome);
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

/* Whether it may have ended by it: it was stopped, or died of what it was told. */
static bool plan_may_end(const PlanEntry *entry) {
        return plan_stops(entry) || entry->action == PLAN_RELOAD;
}

/* Whether its inverse starts it, if it was up; if it was not stopped, it waited for its start. */
static bool plan_comes_back(const PlanEntry *entry) {
        return entry->diff->kind != DIFF_ADDED && (plan_may_end(entry) || plan_starts(entry));
}

/* One that ended during the tests has read its files at its next start, or will then. */
static bool reload_must_tell(const Generation *generation, unsigned index) {
        const Child *child = generation->children[index];

        return generation->states[index] == STATE_RUNNING &&
               child_changed_file(child, child_config(child));
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
        case RELOAD_TELLING:
                *ret_index = entry->diff->after;
                return entry->action == PLAN_RELOAD && reload_must_tell(reload->after, *ret_index);
        default:
                *ret_index = entry->diff->before;
                return plan_comes_back(entry) && reload->was_up[entry->diff->before];
        }
}

static void reload_enter(Supervisor *supervisor, ReloadStage stage) {
        Reload *reload = &supervisor->reload;
        bool *set = supervisor->generation->in_set;
        bool stops = stage == RELOAD_STOPPING || stage == RELOAD_UNDO_STOPPING;
        bool tells = stage == RELOAD_TELLING;
        /* without memory for it clients are refused instead of held, and nothing worse */
        CLEANUP(freep) bool *returns = calloc(supervisor->generation->count, sizeof(*returns));

        recording_reload_step(supervisor, stage);
        reload->stage = stage;
        reload->step_done = false;
        memset(set, 0, supervisor->generation->count * sizeof(*set));
        for (size_t i = 0; i < reload->plan->count; i++) {
                unsigned index;

                if (!reload_takes_part(reload, &reload->plan->entries[i], &index))
                        continue;
                set[index] = true;
                if (returns)
                        returns[index] = reload->plan->entries[i].action == PLAN_RESTART;
        }
        if (tells)
                memcpy(reload->told, set, reload->after->count * sizeof(*set));

        int r = operation_new(
                supervisor,
                &(OperationRequest){
                        .what = stage < RELOAD_UNDO_STOPPING ? "reload" : "undoing a reload",
                        .who = reload->record ? reload->record->who : NULL,
                        .stop = stops ? set : NULL,
                        .start = stops || tells ? NULL : set,
                        .tell = tells ? set : NULL,
                        .tested = true,
                        .returns = returns,
                        .handler = reload_on_step,
                });
        if (r < 0) {
                log_error("a reload cannot go on: %s", strerror(-r));
                reload_conclude(supervisor, RELOAD_CANCELED, "out of memory in the middle of it");
                reload_end(supervisor);
        }
}

/* Those that were started and are not ready; their names and reasons. */
static size_t reload_count_failed(Supervisor *supervisor) {
        Reload *reload = &supervisor->reload;
        const Generation *generation = supervisor->generation;
        size_t failed = 0;

        for (size_t i = 0; i < reload->plan->count; i++) {
                const PlanEntry *entry = &reload->plan->entries[i];

                if (!plan_starts(entry) ||
                    daemon_state_is_ready(generation->states[entry->diff->after]))
                        continue;
                const char *reason = child_reason(generation->children[entry->diff->after]);
                if (failed++ == 0)
                        snprintf(reload->failure, sizeof(reload->failure),
                                 "%s did not become ready: %s", entry->diff->name,
                                 reason[0] != '\0' ? reason : "it waits for what it requires");
        }
        return failed;
}

/* Those that were told to reload their own files and did not. */
static size_t reload_count_deaf(Supervisor *supervisor) {
        Reload *reload = &supervisor->reload;
        size_t failed = 0;

        for (size_t i = 0; i < reload->plan->count; i++) {
                const PlanEntry *entry = &reload->plan->entries[i];

                if (entry->action != PLAN_RELOAD || !reload->told[entry->diff->after])
                        continue;
                const Child *child = supervisor->generation->children[entry->diff->after];
                if (child_reload_outcome(child) == CHILD_RELOAD_DONE)
                        continue;
                if (failed++ == 0)
                        snprintf(reload->failure, sizeof(reload->failure),
                                 "%s did not reload its own files: %s", entry->diff->name,
                                 child_reload_text(child));
        }
        return failed;
}

static void reload_turn_around(Supervisor *supervisor) {
        log_write(LOG_ERR, NULL, "%s; undoing the reload", supervisor->reload.failure);
        reload_record_step_failed(supervisor->reload.record);
        reload_enter(supervisor, RELOAD_UNDO_STOPPING);
}

static void reload_finish_forward(Supervisor *supervisor) {
        const size_t *counts = supervisor->reload.plan->counts;
        char told[64] = "";

        if (counts[PLAN_RELOAD] > 0)
                snprintf(told, sizeof(told), ", %zu with new files", counts[PLAN_RELOAD]);
        reload_conclude(
                supervisor, RELOAD_APPLIED,
                "%zu started, %zu restarted, %zu stopped, %zu with new settings%s, %zu kept",
                counts[PLAN_START], counts[PLAN_RESTART], counts[PLAN_STOP], counts[PLAN_LIVE],
                told, counts[PLAN_KEEP]);
        reload_end(supervisor);
}

static void reload_finish_start(Supervisor *supervisor) {
        if (reload_count_failed(supervisor) > 0)
                reload_turn_around(supervisor);
        else if (supervisor->reload.plan->counts[PLAN_RELOAD] == 0)
                reload_finish_forward(supervisor);
        else
                reload_enter(supervisor, RELOAD_TELLING);
}

static void reload_finish_telling(Supervisor *supervisor) {
        if (reload_count_deaf(supervisor) > 0)
                reload_turn_around(supervisor);
        else
                reload_finish_forward(supervisor);
}

static void reload_finish_undo(Supervisor *supervisor) {
        Reload *reload = &supervisor->reload;
        const Generation *generation = supervisor->generation;
        const char *files = "";
        size_t lost = 0;

        for (size_t i = 0; i < reload->plan->count; i++) {
                const PlanEntry *entry = &reload->plan->entries[i];

                if (entry->action == PLAN_RELOAD && reload->told[entry->diff->after])
                        files = " (the daemons' own files stay as they are on disk)";
                if (plan_may_end(entry) && reload->was_up[entry->diff->before] &&
                    !daemon_state_is_ready(generation->states[entry->diff->before]))
                        lost++;
        }
        if (lost > 0)
                reload_conclude(supervisor, RELOAD_ROLLED_BACK,
                                "%s; undone%s, but %zu %s did not become ready again",
                                reload->failure, files, lost, PLURAL(lost, "daemon", "daemons"));
        else
                reload_conclude(supervisor, RELOAD_ROLLED_BACK, "%s; all is as it was before%s",
                                reload->failure, files);
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
                reload_finish_start(supervisor);
                break;
        case RELOAD_TELLING:
                reload_finish_telling(supervisor);
                break;
        case RELOAD_UNDO_STOPPING:
                reload_swap(supervisor, reload->before);
                reload_enter(supervisor, RELOAD_UNDO_STARTING);
                break;
        case RELOAD_UNDO_STARTING:
                reload_finish_undo(supervisor);
                break;
        default:
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
                r = reload_plan_new(supervisor->generation, reload->diff, &reload->plan);
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
        if (r == 0)
                r = reload_tests_new(reload);
        if (r < 0) {
                reload_conclude(supervisor, RELOAD_REFUSED, "%s", strerror(-r));
                return false;
        }
        return true;
}

/* Goes on with the tests; after the last one to the commit, or to the end. */
static void reload_test(Supervisor *supervisor) {
        Reload *reload = &supervisor->reload;

        if (reload->stage != RELOAD_TESTING && reload->test_count > 0)
                recording_reload_step(supervisor, RELOAD_TESTING);
        reload->stage = RELOAD_TESTING;
        if (!reload_tests_drive(supervisor))
                return;

        if (reload_tests_judge(reload) > 0) {
                reload_conclude(supervisor, RELOAD_REFUSED, "%s; nothing was touched",
                                reload->failure);
                reload_end(supervisor);
                return;
        }
        reload_tests_free(reload);
        /* ---- the commit line: from here on every step has its inverse ---- */
        reload_log_plan(supervisor);
        recording_reload_plan(supervisor);
        reload_enter(supervisor, RELOAD_STOPPING);
}

static void reload_begin(Supervisor *supervisor) {
        Reload *reload = &supervisor->reload;

        reload->wanted = false;
        reload->begun = loop_now(supervisor->loop);
        TAILQ_CONCAT(&reload->waiters, &reload->next, link);
        recording_reload(supervisor);
        recording_reload_step(supervisor, RELOAD_IDLE);
        report_reloading(supervisor);

        if (reload_prepare(supervisor))
                reload_test(supervisor);
        else
                reload_end(supervisor);
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
        if (supervisor->reload.stage == RELOAD_TESTING)
                reload_test(supervisor);
        else if (supervisor->reload.stage != RELOAD_IDLE && TAKE(supervisor->reload.step_done))
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
        if (!handler) { /* a signal: a hundred thousand of them are one */
                snprintf(supervisor->reload.signal, sizeof(supervisor->reload.signal), "%s", who);
                return 0;
        }

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
