/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a daemon says on its private notify socket. Only a process of its own tree is heard, and a
 * main process that it names is believed only if it is one of the tree too.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/strv.h"
#include "child/object.h"

/* A flood of strangers' datagrams is logged at 1, 2, 4, 8, … of them. */
static void notified_refuse(Child *child, pid_t sender, const char *why) {
        unsigned count = ++child->notify_refused;

        if ((count & (count - 1)) == 0)
                note(child, LOG_WARNING, MESSAGE_NOTIFY_REFUSED,
                     "refused a notify message from process %d: %s (%u so far)", (int) sender, why,
                     count);
}

static const char *notified_outcome_text(int outcome) {
        switch (outcome) {
        case NOTIFY_E_MALFORMED:
                return "it is malformed";
        case NOTIFY_E_TOO_LONG:
                return "it is too long";
        case NOTIFY_E_EMPTY:
                return "it is empty";
        default:
                return "it cannot be read";
        }
}

/* As the second message of systemd-notify(1), BARRIER=1, whose sender may be gone already. */
static bool notified_is_empty(const NotifyMessage *message) {
        return !message->ready && !message->reloading && message->main_pid == 0 &&
               message->extend == 0 && !message->watchdog && message->status[0] == '\0';
}

/* A daemon that is busy starting asks for more time, as with systemd. */
static void notified_extend_start(Child *child, usec_t extend) {
        usec_t deadline = usec_add(loop_now(child->context->loop), extend);

        if (child->state != STATE_STARTING && child->state != STATE_PROBING)
                return;
        if (deadline > loop_timer_get(child->timer))
                loop_timer_set(child->timer, deadline);
}

static void notified_take_main(Child *child, pid_t sender, pid_t pid) {
        if (pid == child->main.pid || !daemon_state_is_up(child->state))
                return;
        pid_t old = child->main.pid;
        bool too_early = track_awaits_first(child);
        if (too_early && tree_contains(child->tree, pid))
                child->named = pid;
        else if (!too_early && track_claim(child, pid, false)) {
                if (old > 0)
                        child->successor.of = old;
                child_post(child, EVENT_MAIN_FOUND);
        }
        else
                notified_refuse(child, sender, "it names a main process that is none of its own");
}

static int notified_on_message(void *userdata,
                               pid_t sender,
                               int outcome,
                               const NotifyMessage *message) {
        Child *child = userdata;

        if (outcome != 0) {
                notified_refuse(child, sender, notified_outcome_text(outcome));
                return 0;
        }
        if (notified_is_empty(message))
                return 0;
        /* who says the last that it has to say may end before it is heard */
        if (!tree_contained(child->tree, sender)) {
                notified_refuse(child, sender, "it is no process of this daemon");
                return 0;
        }

        if (message->status[0] != '\0')
                snprintf(child->status, sizeof(child->status), "%s", message->status);
        if (message->extend > 0)
                notified_extend_start(child, message->extend);
        if (message->main_pid > 0)
                notified_take_main(child, sender, message->main_pid);
        own_reload_notified(child, message);
        health_notified(child, message);
        if (message->ready) {
                child->notified = true;
                if (child->state == STATE_PROBING && (child->daemon->ready.on == READY_NOTIFY ||
                                                      child->daemon->ready.on == READY_ANY)) {
                        child->ready_sign = READY_SIGN_NOTIFIED;
                        child_post(child, EVENT_READY);
                }
        }
        return 0;
}

int notified_open(Child *child, char ***ret_variables) {
        CLEANUP(strv_freep) char **variables = NULL;
        CLEANUP(freep) char *path = NULL, *variable = NULL;
        const DaemonConfig *daemon = child->daemon;

        if (daemon->type != DAEMON_NOTIFY && daemon->ready.on != READY_NOTIFY &&
            daemon->ready.on != READY_ANY && daemon->health.on != HEALTH_NOTIFY)
                return 0;

        if (asprintf(&path, "%s/%s", child->context->notify_directory, child_name(child)) < 0 ||
            asprintf(&variable, "NOTIFY_SOCKET=%s", path) < 0)
                return -ENOMEM;
        int r = strv_append(&variables, variable);
        if (r >= 0)
                r = health_tell(child, &variables);
        if (r < 0)
                return r;

        notified_close(child);
        r = notify_socket_new(child->context->loop, path,
                              daemon->identity.switch_user ? daemon->identity.uid : geteuid(),
                              notified_on_message, child, &child->notify);
        if (r < 0)
                return r;

        *ret_variables = TAKE(variables);
        return 0;
}

int notified_hear(void *userdata) {
        Child *child = userdata;

        return child->notify ? notify_socket_hear(child->notify) : 0;
}

void notified_close(Child *child) {
        child->notify = notify_socket_free(child->notify);
}
