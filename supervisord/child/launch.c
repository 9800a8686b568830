/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A start: prove that nothing of an earlier run lives, remove what it left, open what the daemon
 * needs, spawn its first process, and wait for the word whether the exec succeeded. That word comes
 * with the process or through a pipe, before the death of the process is seen.
 */

#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/strv.h"
#include "child/object.h"
#include "sys/spawn.h"

void launch_forget(Child *child) {
        child->report = loop_source_free(child->report);
        child->report_fd = fd_close(child->report_fd);
}

static void launch_reported(Child *child, const SpawnReport *report) {
        if (report->failed_step == SPAWN_STEP_NONE)
                track_first_executed(child);
        else
                child_fail(child, "%s: %s failed: %s", child->daemon->command[0],
                           spawn_step_text(report->failed_step), strerror(report->error));
}

void launch_read_report(Child *child) {
        SpawnReport report;

        if (child->report_fd < 0)
                return;
        int r = spawn_report_read(child->report_fd, &report);
        if (r == -EAGAIN)
                return;
        launch_forget(child);

        if (r < 0)
                child_fail(child, "its start could not be followed: %s", strerror(-r));
        else
                launch_reported(child, &report);
}

static int launch_on_report(void *userdata, uint32_t revents) {
        (void) revents;
        launch_read_report(userdata);
        return 0;
}

/* Our own limit on descriptors is raised: a daemon that did not ask for more gets the usual one. */
static Limits launch_limits(const ChildContext *context, const DaemonConfig *daemon) {
        Limits limits = daemon->limits;

        if (!limits.set[RLIMIT_NOFILE]) {
                limits.set[RLIMIT_NOFILE] = true;
                limits.value[RLIMIT_NOFILE] = context->descriptors;
        }
        return limits;
}

static void launch_fill_request(const DaemonConfig *daemon,
                                const Limits *limits,
                                SpawnRequest *request) {
        const Identity *identity = &daemon->identity;

        *request = (SpawnRequest){
                .command = daemon->command,
                .directory = daemon->directory,
                .umask = daemon->umask,
                .input = -1,
                .output = -1,
                .error = -1,
                .switch_user = identity->switch_user,
                .uid = identity->uid,
                .gid = identity->gid,
                .groups = identity->groups,
                .group_count = identity->group_count,
                .limit_set = limits->set,
                .limits = limits->value,
                .nice = (int) daemon->nice,
                .oom_score_adjust = (int) daemon->oom_score_adjust,
                .no_new_privileges = daemon->no_new_privileges,
                .cgroup_fd = -1,
        };
}

int launch_spawn(const ChildContext *context, const LaunchOrder *order, Spawned *ret) {
        CLEANUP(strv_freep) char **environment = NULL;
        CLEANUP(fd_closep) int output = -1;
        char invocation[INVOCATION_TEXT_MAX];

        invocation_new(invocation);
        int r = environment_new(order->daemon, invocation, order->variables, &environment);
        if (r < 0)
                return r;
        if (order->output < 0)
                r = output_open(order->daemon, &output);
        if (r < 0)
                return r;

        Limits limits = launch_limits(context, order->daemon);
        SpawnRequest request;
        launch_fill_request(order->daemon, &limits, &request);
        request.command = order->command;
        request.cgroup_fd = tree_cgroup_fd(order->tree);
        request.enter_cgroup = tree_was_killed(order->tree);
        request.environment = environment;
        request.output = request.error = order->output >= 0 ? order->output : output;

        tree_set_invocation(order->tree, invocation);
        r = spawn(&request, ret);
        if (r < 0)
                return r;
        tree_set_leader(order->tree, ret->pid);
        return 0;
}

/* Removes the pidfile of an earlier run: its number must never be taken for one of this run. */
static void launch_remove_pidfile(Child *child) {
        if (!child->daemon->pidfile)
                return;

        int r = pidpath_clear(child);
        if (r < 0)
                note(child, LOG_WARNING, MESSAGE_CLEANUP_FAILED,
                     "cannot remove the old pidfile %s: %s", child->daemon->pidfile, strerror(-r));
        pidpath_warn(child);
}

static void launch_reset(Child *child) {
        usec_t now = loop_now(child->context->loop);

        child->was_ready = child->notified = child->out_of_time = false;
        child->completed = child->ending = child->forked = false;
        child->ready_sign = READY_SIGN_NONE;
        child->notify_refused = 0;
        child->health.told = 0;
        child->pidfile_outcome = 0;
        child->status[0] = child->reason[0] = '\0';
        child->main_exit = (ExitStatus){ 0 };
        child->stop_command = STOP_COMMAND_NONE;
        child->history.started = now;
        note_choose_words(child);
}

/* Many are started in one turn of the loop: what their forks take is not the time of the last. */
static void launch_set_time(Child *child) {
        loop_timer_set(child->timer, usec_add(clock_now(), child->daemon->ready.timeout));
}

static int launch_follow(Child *child, const Spawned *spawned) {
        child->report_fd = spawned->report_fd;
        reaper_add(child->context->reaper, &child->first, spawned->pid, track_first_exited, child);
        reaper_hear(&child->first, notified_hear);

        /* a process that is gone already will be reaped in this round */
        int r = pidref_take(spawned->pid, spawned->pidfd, &child->first_ref);
        if (r < 0)
                return r;
        if (child->report_fd < 0) {
                launch_reported(child, &spawned->report);
                return 0;
        }
        return loop_add_io(child->context->loop, &child->report, child->report_fd, EPOLLIN,
                           LOOP_SPAWN, child_name(child), launch_on_report, child);
}

static void launch_note_leftovers(Child *child) {
        size_t count = finish_count(child);

        note(child, LOG_WARNING, MESSAGE_LEFTOVERS, "%zu %s first", count,
             PLURAL(count, "process of an earlier run is in the way of a start, ending it",
                    "processes of an earlier run are in the way of a start, ending them"));
}

static int launch_first(Child *child, char *const *variables, Spawned *ret) {
        int output = -1, r = 0;

        if (script_is_one(child->daemon))
                r = script_open_output(child, &output);
        if (r >= 0)
                r = launch_spawn(child->context,
                                 &(LaunchOrder){
                                         .daemon = child->daemon,
                                         .command = child->daemon->command,
                                         .variables = variables,
                                         .tree = child->tree,
                                         .output = output,
                                 },
                                 ret);
        if (child->words)
                capture_started(child->words);
        return r;
}

void launch_begin(Child *child) {
        CLEANUP(strv_freep) char **variables = NULL;
        Spawned spawned;

        launch_reset(child);

        int r = tree_prepare(child->tree);
        switch (r) {
        case 0:
                break;
        case TREE_E_POPULATED:
                child->sweep_was_ours = true;
                sockets_recover(child);
                launch_note_leftovers(child);
                child_post(child, EVENT_LEFTOVERS);
                return;
        default:
                child_fail(child, "its cgroup cannot be made: %s", strerror(-r));
                return;
        }

        launch_remove_pidfile(child);
        r = notified_open(child, &variables);
        if (r < 0) {
                child_fail(child, "its notify socket cannot be made: %s", strerror(-r));
                return;
        }

        ready_prepare(child);
        files_set(child, files_take(child->daemon));
        r = launch_first(child, variables, &spawned);
        if (r >= 0) {
                note(child, note_priority(child, LOG_INFO), MESSAGE_DAEMON_STARTING,
                     "starting, process %d", (int) spawned.pid);
                launch_set_time(child);
                r = launch_follow(child, &spawned);
        }
        if (r < 0)
                child_fail(child, "its first process cannot be started: %s", strerror(-r));
}
