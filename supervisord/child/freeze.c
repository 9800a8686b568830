/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Closing the intake. A signal counts as done when it is delivered: daemons close their listening
 * sockets within a millisecond of it, and there is nothing to wait for.
 */

#include "child/object.h"

static void freeze_on_command(void *userdata, const HelperResult *result) {
        Child *child = userdata;
        char text[HELPER_TEXT_MAX];

        if (helper_succeeded(result)) {
                child_post(child, EVENT_FREEZE_DONE);
                return;
        }
        note(child, LOG_WARNING, MESSAGE_HOOK_FAILED, "freeze.command %s",
             helper_text(text, result));
        child_post(child, EVENT_FREEZE_FAILED);
}

void freeze_begin(Child *child) {
        switch (child->daemon->freeze.method) {
        case FREEZE_COMMAND:
                helper_start(child, child->daemon->freeze.command, freeze_on_command);
                break;
        case FREEZE_SIGNAL:
                finish_signal_main(child, child->daemon->freeze.signo);
                child_post(child, EVENT_FREEZE_DONE);
                break;
        default:
                child_post(child, EVENT_FREEZE_DONE);
                break;
        }
}
