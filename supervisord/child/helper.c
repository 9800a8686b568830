/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Helper commands. The exec report is read when the process has ended: until then nothing depends
 * on it. What a helper leaves behind is killed with its tree.
 */

#include "child/helper.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/strv.h"
#include "child/object.h"

int helper_init(Helper *helper, const ChildContext *context, const char *name) {
        helper->context = context;
        helper->report_fd = -1;
        return tree_new(context->loop, context->cgroups, name, &helper->tree);
}

/* Ends the run: nothing of it lives on. */
static void helper_reset(Helper *helper) {
        helper->handler = NULL;
        helper->report_fd = fd_close(helper->report_fd);
        if (!tree_is_empty(helper->tree))
                tree_kill(helper->tree);
        (void) tree_release(
                helper->tree); /* busy if it was killed just now: the next one takes it */
}

void helper_cancel(Helper *helper) {
        if (!helper->handler)
                return;
        reaper_remove(helper->context->reaper, &helper->process);
        helper_reset(helper);
}

void helper_done(Helper *helper) {
        if (!helper->tree)
                return;
        helper_cancel(helper);
        (void) tree_release(helper->tree);
        helper->tree = tree_free(helper->tree);
}

static void helper_finish(Helper *helper, const HelperResult *result) {
        HelperHandler handler = helper->handler;

        helper_reset(helper);
        handler(helper->userdata, result);
}

static int helper_on_exit(void *userdata, const Process *process, const ExitStatus *status) {
        Helper *helper = userdata;
        HelperResult result = { .status = *status };

        (void) process;
        if (spawn_report_read(helper->report_fd, &result.report) < 0)
                result.report = helper->report;
        helper_finish(helper, &result);
        return 0;
}

static int helper_spawn(Helper *helper, const HelperOrder *order) {
        CLEANUP(strv_freep) char **variables = NULL;
        CLEANUP(freep) char *main_pid = NULL;
        Spawned spawned;

        if (asprintf(&main_pid, "MAINPID=%d", (int) order->main_pid) < 0)
                return -ENOMEM;
        int r = strv_append(&variables, main_pid);
        if (r < 0)
                return r;

        /* what a killed one left may take a moment to vanish: it does not matter to this run */
        r = tree_prepare(helper->tree);
        if (r < 0)
                return r;
        r = launch_spawn(helper->context,
                         &(LaunchOrder){
                                 .daemon = order->daemon,
                                 .command = order->command,
                                 .variables = variables,
                                 .tree = helper->tree,
                                 .output = order->output,
                         },
                         &spawned);
        if (r < 0)
                return r;

        fd_close(spawned.pidfd); /* it is killed by its tree */
        helper->report_fd = spawned.report_fd;
        helper->report = spawned.report;
        reaper_add(helper->context->reaper, &helper->process, spawned.pid, helper_on_exit, helper);
        return 0;
}

void helper_run(Helper *helper, const HelperOrder *order) {
        helper_cancel(helper);
        helper->handler = order->handler;
        helper->userdata = order->userdata;

        int r = helper_spawn(helper, order);
        if (r < 0)
                helper_finish(helper,
                              &(HelperResult){
                                      .report = { .failed_step = SPAWN_STEP_EXEC, .error = -r },
                              });
}

void helper_start(Child *child, char *const *command, HelperHandler handler) {
        helper_run(&child->helper, &(HelperOrder){
                                           .daemon = child->daemon,
                                           .command = command,
                                           .main_pid = child->main.pid,
                                           .output = -1,
                                           .handler = handler,
                                           .userdata = child,
                                   });
}

bool helper_succeeded_with(const HelperResult *result, const StatusSet *success) {
        return result->report.failed_step == SPAWN_STEP_NONE && result->status.known &&
               !result->status.signaled && status_set_is_success(success, result->status.code);
}

bool helper_succeeded(const HelperResult *result) {
        return helper_succeeded_with(result, &(StatusSet){ 0 });
}

const char *helper_text(char buffer[static HELPER_TEXT_MAX], const HelperResult *result) {
        char status[EXIT_STATUS_TEXT_MAX];

        if (result->report.failed_step != SPAWN_STEP_NONE)
                snprintf(buffer, HELPER_TEXT_MAX, "could not be started: %s failed: %s",
                         spawn_step_text(result->report.failed_step),
                         strerror(result->report.error));
        else
                snprintf(buffer, HELPER_TEXT_MAX, "%s", exit_status_text(status, &result->status));
        return buffer;
}
