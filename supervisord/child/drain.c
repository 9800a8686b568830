/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Letting work in flight finish. Each criterion ends in EVENT_DRAIN_DONE, but for "exit", which
 * ends in an empty tree. Nothing is polled but drain.command, which is run again until it says yes.
 */

#include <sys/epoll.h>

#include "child/object.h"

void drain_forget(Child *child) {
        child->job = loop_source_free(child->job);
        pidref_done(&child->job_ref);
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

void drain_again(Child *child) {
        helper_start(child, child->daemon->drain.command, drain_on_command);
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
 * of them is waited for at a time, by its pidfd.
 */
static void drain_wait_for_job(Child *child) {
        int r = tree_each(child->tree, drain_take_job, child);

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

void drain_begin(Child *child) {
        if (child->daemon->drain.signo > 0)
                finish_signal_main(child, child->daemon->drain.signo);

        switch (child->daemon->drain.until) {
        case DRAIN_EXIT:
                track_check_tree(child);
                break;
        case DRAIN_JOBS:
                drain_wait_for_job(child);
                break;
        case DRAIN_COMMAND:
                drain_again(child);
                break;
        default:
                child_post(child, EVENT_DRAIN_DONE);
                break;
        }
}
