/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A flag with a text; see the header. */

#include "child/hold.h"

#include <stdio.h>
#include <time.h>

#include "child/object.h"

const char *hold_text(char buffer[static HOLD_TEXT_MAX], const Hold *hold) {
        time_t seconds = (time_t) (hold->when / USEC_PER_SEC);
        char uid[32] = "", when[48] = "";
        struct tm local;

        if (hold->uid != HOLD_NO_UID)
                snprintf(uid, sizeof(uid), "uid %u", (unsigned) hold->uid);
        if (hold->when > 0 && localtime_r(&seconds, &local))
                (void) strftime(when, sizeof(when), "since %Y-%m-%d %H:%M:%S", &local);

        bool both = uid[0] != '\0' && when[0] != '\0';
        bool any = uid[0] != '\0' || when[0] != '\0';
        snprintf(buffer, HOLD_TEXT_MAX, "stopped by an operator%s%s%s%s%s", any ? " (" : "", uid,
                 both ? ", " : "", when, any ? ")" : "");
        return buffer;
}

/* Its reason is another one, though its state may be the same. */
static void hold_tell(Child *child) {
        child->context->sink.changed(child->context->sink.userdata, child);
}

void hold_compose(Child *child) {
        const char *spared = leftovers_text(child);
        char text[HOLD_TEXT_MAX];

        if (child->held)
                snprintf(child->hold_text, sizeof(child->hold_text), "%s%s%s",
                         hold_text(text, &child->hold), spared[0] != '\0' ? "; " : "", spared);
}

void child_hold(Child *child, const Hold *hold) {
        if (child->held)
                return;
        child->held = true;
        child->hold = *hold;
        hold_compose(child);
        hold_tell(child);
}

void child_release(Child *child) {
        if (!child->held)
                return;
        child->held = false;
        hold_tell(child);
}

const Hold *child_get_hold(const Child *child) {
        return child->held ? &child->hold : NULL;
}

void child_dismiss(Child *child) {
        if (child->state == STATE_FAILED)
                child_post(child, EVENT_DISMISSED);
}

void child_leave_stopped(Child *child, const Child *other) {
        child_set_reason(child, "not started: %s, which it requires, was stopped%s",
                         child_name(other), other->held ? " by an operator" : "");
        note(child, LOG_NOTICE, MESSAGE_DAEMON_HELD, "%s", child->reason);
}
