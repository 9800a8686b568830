/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Closing the intake. A signal counts as done when it is delivered: daemons close their listening
 * sockets within a millisecond of it, and there is nothing to wait for. What is done from outside
 * (sockets, stopped processes) is done when the call returns.
 */

#include <signal.h>
#include <string.h>

#include "child/object.h"

static bool freeze_pause(Child *child) {
        int r = tree_pause(child->tree, true);

        child->paused = r == 0;
        if (r < 0)
                note(child, LOG_WARNING, MESSAGE_NONE, "its processes cannot be stopped: %s",
                     strerror(-r));
        return r == 0;
}

/* What is done when it returns: every method but the command. False: the intake stays open. */
static bool freeze_now(Child *child) {
        switch (child->daemon->freeze.method) {
        case FREEZE_SIGNAL:
                finish_signal_main(child, child->daemon->freeze.signo);
                return true;
        case FREEZE_DISPATCHER:
                finish_signal_main(child, SIGSTOP);
                return true;
        case FREEZE_CGROUP:
                return freeze_pause(child);
        case FREEZE_NONE:
                return true;
        default:
                return sockets_close(child) == 0;
        }
}

static bool freeze_command_succeeded(Child *child, const HelperResult *result) {
        char text[HELPER_TEXT_MAX];

        if (helper_succeeded(result))
                return true;
        note(child, LOG_WARNING, MESSAGE_HOOK_FAILED, "freeze.command %s",
             helper_text(text, result));
        return false;
}

static DaemonEvent freeze_event(bool closed) {
        return closed ? EVENT_FREEZE_DONE : EVENT_FREEZE_FAILED;
}

static void freeze_on_command(void *userdata, const HelperResult *result) {
        child_post(userdata, freeze_event(freeze_command_succeeded(userdata, result)));
}

void freeze_begin(Child *child) {
        child->intake_open = false;
        if (child->daemon->freeze.method == FREEZE_COMMAND)
                helper_start(child, child->daemon->freeze.command, freeze_on_command);
        else
                child_post(child, freeze_event(freeze_now(child)));
}

static void freeze_late_done(Child *child, bool closed) {
        if (!closed) {
                child->intake_open = true;
                note_skipped(child, EVENT_FREEZE_FAILED);
                child_mark_forced(child);
        }
        drain_begin(child);
}

static void freeze_on_late_command(void *userdata, const HelperResult *result) {
        freeze_late_done(userdata, freeze_command_succeeded(userdata, result));
}

void freeze_late(Child *child) {
        child->intake_open = false;
        if (child->daemon->freeze.method == FREEZE_COMMAND)
                helper_start(child, child->daemon->freeze.command, freeze_on_late_command);
        else
                freeze_late_done(child, freeze_now(child));
}

void freeze_resume(Child *child) {
        if (!TAKE(child->paused))
                return;

        int r = tree_pause(child->tree, false);
        if (r < 0)
                note(child, LOG_ERR, MESSAGE_CLEANUP_FAILED,
                     "its processes cannot be set going again: %s", strerror(-r));
}

static void freeze_on_thaw_command(void *userdata, const HelperResult *result) {
        Child *child = userdata;
        char text[HELPER_TEXT_MAX];

        if (helper_succeeded(result))
                return;
        child_set_reason(child, "freeze.thaw_command %s", helper_text(text, result));
        note(child, LOG_WARNING, MESSAGE_HOOK_FAILED, "%s", child->reason);
}

void freeze_undo(Child *child) {
        const DaemonConfig *daemon = child->daemon;

        tree_unwatch(child->tree); /* its end is an accident again */
        freeze_resume(child);
        if (sockets_open(child) > 0) {
                child_set_reason(child, "not all of its intake could be opened again; restart it");
                note(child, LOG_WARNING, MESSAGE_CLEANUP_FAILED, "%s", child->reason);
        }

        switch (daemon->freeze.method) {
        case FREEZE_SIGNAL:
                if (daemon->freeze.thaw_signo > 0)
                        finish_signal_main(child, daemon->freeze.thaw_signo);
                break;
        case FREEZE_COMMAND:
                if (daemon->freeze.thaw_command)
                        helper_start(child, daemon->freeze.thaw_command, freeze_on_thaw_command);
                break;
        case FREEZE_DISPATCHER:
                finish_signal_main(child, SIGCONT);
                break;
        default:
                break;
        }
}

bool child_can_thaw(const Child *child) {
        const DaemonConfig *daemon = child->daemon;

        switch (daemon->freeze.method) {
        case FREEZE_SIGNAL:
                return daemon->freeze.thaw_signo > 0;
        case FREEZE_COMMAND:
                return daemon->freeze.thaw_command;
        default:
                return true;
        }
}
