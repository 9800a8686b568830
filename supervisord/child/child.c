/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The object and its heart: child_post() takes an event, asks the table, sets the state, acts.
 * Actions may post further events; they are handled one after the other, never inside each other.
 * child_set_state() is the one place that drops what a new state may not hold.
 */

#include "child/child.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child/object.h"

/* The notice of an empty tree may come late, or could not be had: look before it is forced. */
static void child_on_time_to_end(Child *child) {
        if (tree_is_empty(child->tree))
                child_post(child, track_empty_event(child));
        else
                child_post(child, child->state == STATE_KILLING ? EVENT_KILL_TIMEOUT
                                                                : finish_step_event(child));
}

/* What the timer means depends on the state: each has at most one thing to wait for. */
static int child_on_timer(void *userdata) {
        Child *child = userdata;

        switch (child->state) {
        case STATE_STARTING:
        case STATE_PROBING:
                if (!ready_look_at_last(child))
                        child_post(child, EVENT_START_TIMEOUT);
                break;
        case STATE_DRAINING:
                drain_again(child);
                break;
        case STATE_STOPPING:
        case STATE_SWEEPING:
        case STATE_KILLING:
                if (!finish_command_late(child) && !leftovers_go_on(child))
                        child_on_time_to_end(child);
                break;
        case STATE_TIDYING:
                note(child, LOG_WARNING, MESSAGE_HOOK_FAILED,
                     "cleanup.command does not end, going on without it");
                helper_cancel(&child->helper);
                finish_tidied(child);
                break;
        case STATE_CLEARED:
        case STATE_DELAYED:
                child_post(child, EVENT_DELAY_OVER);
                break;
        default:
                log_error("bug: timer of %s in state %s", child_name(child),
                          daemon_state_name(child->state));
                break;
        }
        return 0;
}

static int child_init_helper(Child *child) {
        CLEANUP(freep) char *name = NULL;

        if (asprintf(&name, "%s.helper", child_name(child)) < 0)
                return -ENOMEM;
        return helper_init(&child->helper, child->context, name);
}

int child_new(const ChildContext *context, Config *config, unsigned index, Child **ret) {
        CLEANUP(child_freep) Child *child = calloc(1, sizeof(*child));
        if (!child)
                return -ENOMEM;

        child->context = context;
        child->config = config_ref(config);
        child->daemon = &config->daemons[index];
        child->state = STATE_STOPPED;
        child->state_since = loop_now(context->loop);
        child->report_fd = -1;
        child->first_ref = child->main = child->job_ref = PIDREF_NONE;
        child->probe.look.connecting_fd = child->health.look.connecting_fd = -1;

        int r = tree_new(context->loop, context->cgroups, child->daemon->name, &child->tree);
        if (r < 0)
                return r;
        r = loop_add_timer(context->loop, &child->timer, LOOP_TIMER, child->daemon->name,
                           child_on_timer, child);
        if (r < 0)
                return r;
        r = child_init_helper(child);
        if (r < 0)
                return r;

        *ret = TAKE(child);
        return 0;
}

Child *child_free(Child *child) {
        if (!child)
                return NULL;

        launch_forget(child);
        script_forget(child);
        track_stop_search(child);
        track_forget_main(child);
        ready_forget(child);
        look_done(&child->probe.look);
        health_forget(child);
        look_done(&child->health.look);
        drain_forget(child);
        free(child->sockets.list);
        notified_close(child);
        own_reload_forget(child);
        files_set(child, NULL);
        helper_done(&child->helper);
        loop_source_free(child->timer);
        tree_free(child->tree);
        config_unref(child->config);
        free(child);
        return NULL;
}

/* A stop takes over what is left of a daemon as it is. */
static bool child_is_taken_over(DaemonState from, DaemonState to) {
        return from == STATE_SWEEPING && to == STATE_STOPPING;
}

/* Whether the timer that runs goes on meaning the same. */
static bool child_keeps_timer(DaemonState from, DaemonState to) {
        return child_is_taken_over(from, to) || (from == STATE_STARTING && to == STATE_PROBING);
}

static void child_set_state(Child *child, DaemonState to) {
        DaemonState from = child->state;

        if (!child_keeps_timer(from, to))
                loop_timer_disarm(child->timer);
        finish_forget_command(child);
        helper_cancel(&child->helper);
        if (!child_is_taken_over(from, to)) {
                drain_forget(child);
                leftovers_forget(child);
        }
        if (from == STATE_STARTING) {
                launch_forget(child);
                track_stop_search(child);
        }
        if (from == STATE_PROBING || (from == STATE_STARTING && to != STATE_PROBING))
                ready_forget(child);
        if (from == STATE_RUNNING)
                health_forget(child);
        if (successor_is_awaited(child)) { /* it was running; now there is no more time for that */
                successor_forget(child);
                if (daemon_state_is_live(to))
                        child_post(child, EVENT_MAIN_EXITED);
        }
        if (!daemon_state_is_up(to))
                child->pidfile_watch = pathwatch_free(child->pidfile_watch);
        if (!daemon_state_is_live(to)) {
                track_forget_main(child);
                notified_close(child);
                script_forget(child);
                tree_unwatch(child->tree);
        }

        if (daemon_state_is_resting(to))
                child->ends_as_failed = false;
        if (from == STATE_DELAYED && to == STATE_STOPPED)
                (void) tree_release(child->tree); /* it may have been kept for the next start */
        child->state = to;
        child->state_since = loop_now(child->context->loop);
        log_debug("%s: %s -> %s", child_name(child), daemon_state_name(from),
                  daemon_state_name(to));
        if (to == STATE_RUNNING)
                health_begin(child);
        child->context->sink.changed(child->context->sink.userdata, child);
}

static void child_step(Child *child, DaemonEvent event) {
        DaemonState from = child->state;
        FsmCell cell = fsm_step(from, event);

        switch (cell.kind) {
        case FSM_BUG:
                log_error("bug: %s: event %s in state %s", child_name(child),
                          daemon_event_name(event), daemon_state_name(from));
                return;
        case FSM_IGNORE:
                return;
        case FSM_GO:
                child_set_state(child, cell.next);
                break;
        case FSM_STAY:
                break;
        }
        child_act(child, from, event, cell.actions);
        if (from == STATE_RUNNING && child->state != STATE_RUNNING)
                own_reload_left_running(child); /* only now its reason is known */
}

bool child_has_posted(const Child *child, DaemonEvent event) {
        for (size_t i = 0; i < child->queue_length; i++)
                if (child->queue[i] == event)
                        return true;
        return false;
}

void child_post(Child *child, DaemonEvent event) {
        if (child->queue_length == CHILD_QUEUE_MAX) {
                log_error("bug: %s: too many events at once, %s is lost", child_name(child),
                          daemon_event_name(event));
                return;
        }
        child->queue[child->queue_length++] = event;
        if (child->handling)
                return;

        child->handling = true;
        while (child->queue_length > 0) {
                DaemonEvent next = child->queue[0];

                child->queue_length--;
                memmove(child->queue, child->queue + 1,
                        child->queue_length * sizeof(child->queue[0]));
                child_step(child, next);
        }
        child->handling = false;
}

/* Told at once, for whoever counts it in the phase that is at hand. */
void child_mark_forced(Child *child) {
        child->forced = true;
        child->context->sink.changed(child->context->sink.userdata, child);
}

void child_set_reason(Child *child, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(child->reason, sizeof(child->reason), format, arguments);
        va_end(arguments);
}

void child_add_reason(Child *child, const char *text) {
        size_t used = strlen(child->reason);

        snprintf(child->reason + used, sizeof(child->reason) - used, "%s%s", used > 0 ? "; " : "",
                 text);
}

void child_fail(Child *child, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(child->reason, sizeof(child->reason), format, arguments);
        va_end(arguments);
        child_post(child, EVENT_START_FAILED);
}

/* Back to work is a daemon that has a main process; what is left of another one is ended first. */
static DaemonEvent child_order_back(Child *child, DaemonEvent order) {
        bool was_taken_out = daemon_state_is_taken_out(child->state);

        if (was_taken_out)
                child->sweep_was_ours = !pidref_is_set(&child->main);
        return was_taken_out && child->state != STATE_ENDED && child->sweep_was_ours
                       ? EVENT_LEFTOVERS
                       : order;
}

/* Whether the order is the deadline of what the daemon is at. */
static bool child_is_over_time(const Child *child, DaemonEvent order) {
        return (order == EVENT_FREEZE_DEADLINE && child->state == STATE_FREEZING) ||
               (order == EVENT_DRAIN_DEADLINE && child->state == STATE_DRAINING) ||
               (order == EVENT_CLEANUP_DEADLINE && child->state == STATE_STOPPING);
}

/* The deadline of its cleanup may end its cleanup.command, but not what its policy wants of it. */
static DaemonEvent child_cut_tidying(Child *child, DaemonEvent order) {
        note_forced(child, order);
        child_mark_forced(child);
        helper_cancel(&child->helper);
        return finish_verdict(child);
}

/*
 * At the very moment of its deadline it may have ended, or have ended without a notice that could
 * not be had: then nothing is forced, nothing stuck.
 */
static DaemonEvent child_order_now(Child *child, DaemonEvent order) {
        if (order == EVENT_START || order == EVENT_THAW)
                return child_order_back(child, order);
        if (order == EVENT_GRACE_OVER && child->state == STATE_KILLING &&
            tree_is_empty(child->tree))
                child_post(child, EVENT_TREE_EMPTY);
        child->out_of_time |= order == EVENT_CLEANUP_DEADLINE;
        if (child->ends_as_failed && child->state == STATE_TIDYING &&
            (order == EVENT_CLEANUP_DEADLINE || order == EVENT_GRACE_OVER))
                return child_cut_tidying(child, order);
        return child_is_over_time(child, order) && tree_is_empty(child->tree) ? EVENT_TREE_EMPTY
                                                                              : order;
}

void child_order(Child *child, DaemonEvent order) {
        if (order == EVENT_THAW && !daemon_state_is_taken_out(child->state))
                return;
        child->wanted = order == EVENT_START || order == EVENT_THAW;
        child->ending |= order == EVENT_CLEANUP;
        if (order == EVENT_START && !daemon_state_is_up(child->state))
                restart_forget(&child->history); /* a new beginning */
        if (order == EVENT_FREEZE || order == EVENT_DRAIN || order == EVENT_CLEANUP)
                child->phase_since = loop_now(child->context->loop);
        child_post(child, child_order_now(child, order));
}

void child_rebind(Child *child, Config *config, unsigned index) {
        Config *before = child->config;
        const DaemonConfig *daemon = child->daemon;

        files_set(child, files_take_over(child, &config->daemons[index]));
        child->config = config_ref(config);
        child->daemon = &config->daemons[index];
        health_rebound(child, daemon);
        config_unref(before);
}

void child_block(Child *child, const Child *other) {
        if (child->state != STATE_STOPPED && child->state != STATE_FAILED)
                return; /* it is on a way of its own, which ends without this */
        child_set_reason(child, "it requires %s, which is %s", child_name(other),
                         daemon_state_name(other->state));
        if (child->state == STATE_STOPPED)
                child_post(child, EVENT_BLOCKED);
}

void child_set_purpose(Child *child, ChildPurpose purpose) {
        if (child->state == STATE_RUNNING || (child_is_paused(child) && purpose != PURPOSE_PAUSE))
                child->reason[0] = '\0';
        child->purpose = purpose;
}

void child_look_again(Child *child) {
        if (child->state != STATE_DRAINED || !pidref_is_set(&child->main))
                return;
        child->reason[0] = '\0';
        if (child->intake_open)
                child_set_reason(child, "its intake is open");
        child->phase_since = loop_now(child->context->loop);
        child_post(child, EVENT_DRAIN);
}

bool child_is_paused(const Child *child) {
        return child->purpose == PURPOSE_PAUSE && daemon_state_is_taken_out(child->state);
}

bool child_signal(Child *child, int signo) {
        if (!pidref_is_set(&child->main))
                return false;
        successor_mark_told(child, signo);
        return pidref_signal(&child->main, signo) == 0;
}

void child_unwant(Child *child) {
        child->wanted = child->ends_as_failed = false;
}

/* Its reason is the one of its failure, whatever was said of it since. */
void child_end_as_failed(Child *child) {
        child->ends_as_failed = true;
        if (child->health.count.sick)
                child_set_reason(child, "sick: %s", child->health.text);
}

bool child_ends_as_failed(const Child *child) {
        return child->ends_as_failed;
}

const DaemonConfig *child_config(const Child *child) {
        return child->daemon;
}

const char *child_name(const Child *child) {
        return child->daemon->name;
}

unsigned child_index(const Child *child) {
        return child->daemon->index;
}

DaemonState child_state(const Child *child) {
        return child->state;
}

usec_t child_started(const Child *child) {
        return child->history.started;
}

usec_t child_state_since(const Child *child) {
        return child->state_since;
}

pid_t child_main_pid(const Child *child) {
        return child->main.pid;
}

const char *child_reason(const Child *child) {
        return child->held && child->state == STATE_STOPPED ? child->hold_text : child->reason;
}

const char *child_status(const Child *child) {
        return child->measuring.progress[0] != '\0' ? child->measuring.progress : child->status;
}

bool child_take_forced(Child *child) {
        return TAKE(child->forced);
}

void child_processes_reaped(Child *child) {
        tree_child_reaped(child->tree);
        look_processes_reaped(&child->probe.look);
        look_processes_reaped(&child->health.look);
}
