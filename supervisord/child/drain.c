/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Letting work in flight finish. Each criterion ends in EVENT_DRAIN_DONE, but for "exit", which
 * ends in an empty tree. Nothing is polled but drain.command, which is run again until it says yes,
 * connections (measure.c), and whom a daemon has yet to make a job for.
 */

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/file.h"
#include "child/object.h"

#define DRAIN_NEWCOMER_INTERVAL (100 * USEC_PER_MSEC)

void drain_forget(Child *child) {
        child->job = loop_source_free(child->job);
        pidref_done(&child->job_ref);
        child->drain_watch = pathwatch_free(child->drain_watch);
        measure_forget(child);
}

static void drain_on_command(void *userdata, const HelperResult *result) {
        Child *child = userdata;
        char text[HELPER_TEXT_MAX];

        if (helper_succeeded(result)) {
                child_post(child, EVENT_DRAIN_DONE);
                return;
        }
        if (result->report.failed_step != SPAWN_STEP_NONE) {
                note(child, LOG_WARNING, MESSAGE_HOOK_FAILED, "drain.command %s",
                     helper_text(text, result));
                child_post(child, EVENT_DRAIN_FAILED);
                return;
        }
        loop_timer_set(child->timer,
                       usec_add(loop_now(child->context->loop), child->daemon->drain.interval));
}

/* A file that shows by being there, or by being gone. */

static int drain_on_path(void *userdata) {
        Child *child = userdata;
        bool wanted = child->daemon->drain.until == DRAIN_FILE;
        struct stat st;

        if ((file_stat(AT_FDCWD, child->daemon->drain.path, &st) == 0) != wanted)
                return 0;
        child->drain_watch = pathwatch_free(child->drain_watch);
        child_post(child, EVENT_DRAIN_DONE);
        return 0;
}

static void drain_watch_path(Child *child) {
        int r = pathwatch_new(child->context->loop, child->daemon->drain.path, drain_on_path, child,
                              &child->drain_watch);

        if (r >= 0) {
                (void) drain_on_path(child);
                return;
        }
        note(child, LOG_WARNING, MESSAGE_NONE, "drain.path cannot be watched: %s", strerror(-r));
        child_post(child, EVENT_DRAIN_FAILED);
}

static void drain_wait_for_job(Child *child);

static int drain_on_job_end(void *userdata, uint32_t revents) {
        Child *child = userdata;

        (void) revents;
        drain_forget(child);
        drain_wait_for_job(child);
        return 0;
}

/* Ends the walk at the first process that is a job and could be taken hold of. */
static int drain_take_job(void *userdata, pid_t pid) {
        Child *child = userdata;

        if (pid == child->main.pid)
                return 0;
        int r = pidref_open(pid, &child->job_ref);
        if (r < 0)
                return r;
        return r == PIDREF_E_GONE ? 0 : 1;
}

/*
 * Jobs are children of the daemon, not ours: there is no event for the end of the last one. So one
 * of them is waited for at a time, by its pidfd. Newcomers are looked for first: who is taken in
 * meanwhile is a job by the time of the walk.
 */
static void drain_wait_for_job(Child *child) {
        bool newcomers = sockets_are_closable(child) && measure_finds_newcomers(child);
        int r = tree_each(child->tree, drain_take_job, child);

        if (r == 0 && newcomers) {
                loop_timer_set(child->timer, usec_add(loop_now(child->context->loop),
                                                      DRAIN_NEWCOMER_INTERVAL));
                return;
        }
        if (r == 0) {
                child_post(child, EVENT_DRAIN_DONE);
                return;
        }
        if (r > 0)
                r = loop_add_io(child->context->loop, &child->job, child->job_ref.pidfd, EPOLLIN,
                                LOOP_PROCESS, child_name(child), drain_on_job_end, child);
        if (r < 0)
                child_post(child, EVENT_DRAIN_FAILED);
}

void drain_again(Child *child) {
        if (child->measuring.active)
                measure_again(child);
        else if (child->daemon->drain.until == DRAIN_JOBS)
                drain_wait_for_job(child);
        else
                helper_start(child, child->daemon->drain.command, drain_on_command);
}

void drain_begin(Child *child) {
        if (child->daemon->drain.signo > 0)
                finish_signal_main(child, child->daemon->drain.signo);

        switch (child->daemon->drain.until) {
        case DRAIN_EXIT:
                track_check_tree(child);
                break;
        case DRAIN_IDLE:
        case DRAIN_CONNECTIONS:
                measure_begin(child);
                break;
        case DRAIN_JOBS:
                drain_wait_for_job(child);
                break;
        case DRAIN_FILE:
        case DRAIN_NO_FILE:
                drain_watch_path(child);
                break;
        case DRAIN_COMMAND:
                drain_again(child);
                break;
        default:
                child_post(child, EVENT_DRAIN_DONE);
                break;
        }
}
