/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The health of a daemon that runs: looks at it, one at a time, or words that it has to say in
 * time. What so many of them in a row mean is counted by the model; that it is sick is told as the
 * bare notice, and what follows is the supervisor's matter.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strv.h"
#include "child/object.h"
#include "config/value.h"

#define HEALTH_VARIABLE_MAX 64

/* It was told to speak up itself. */
static bool health_is_told(const Child *child) {
        return child->daemon->health.on == HEALTH_NOTIFY;
}

static void health_set_timer(Child *child, usec_t when) {
        loop_timer_set(child->health.timer, when);
}

static void health_await(Child *child) {
        usec_t now = loop_now(child->context->loop);

        health_set_timer(child, health_is_told(child) ? usec_add(now, child->health.told)
                                                      : health_next(child->daemon, now));
}

static void health_note(Child *child, HealthVerdict verdict) {
        Health *health = &child->health;

        switch (verdict) {
        case HEALTH_FELL_SICK:
                child_set_reason(child, "sick: %s", health->text);
                if (health->count.failures > 1)
                        note(child, LOG_WARNING, MESSAGE_DAEMON_SICK, "is sick: %s (%u times)",
                             health->text, health->count.failures);
                else
                        note(child, LOG_WARNING, MESSAGE_DAEMON_SICK, "is sick: %s", health->text);
                break;
        case HEALTH_GOT_WELL:
                child->reason[0] = '\0';
                note(child, LOG_NOTICE, MESSAGE_DAEMON_WELL, "is well again");
                break;
        case HEALTH_AS_BEFORE:
                return;
        }
        child->context->sink.changed(child->context->sink.userdata, child);
}

static void health_judge(Child *child, bool good, const char *text) {
        Health *health = &child->health;

        health->looked = loop_now(child->context->loop);
        snprintf(health->text, sizeof(health->text), "%s", good ? "" : text);
        if (!good)
                log_debug("%s: a look at its health failed: %s", child_name(child), text);
        health_note(child, health_count(child->daemon, &health->count, good));
        health_await(child);
}

static void health_on_answer(void *userdata, bool good) {
        Child *child = userdata;

        health_judge(child, good, child->health.look.text);
}

static LookOn health_look_on(HealthOn on) {
        static const LookOn looks[] = {
                [HEALTH_LISTEN] = LOOK_LISTEN, [HEALTH_TCP] = LOOK_TCP,
                [HEALTH_UNIX] = LOOK_UNIX,     [HEALTH_FILE] = LOOK_FILE,
                [HEALTH_COMMAND] = LOOK_COMMAND,
        };

        return looks[on];
}

static int health_begin_look(Child *child) {
        const DaemonConfig *daemon = child->daemon;

        return look_begin(&child->health.look, child,
                          &(LookOrder){
                                  .on = health_look_on(daemon->health.on),
                                  .address = daemon->health.address,
                                  .port = daemon->health.port,
                                  .path = daemon->health.path,
                                  .command = daemon->health.command,
                                  .timeout = daemon->health.timeout,
                                  .answered = health_on_answer,
                                  .userdata = child,
                          });
}

/* A command has a timer of its own: its answer comes when it is gone. */
static void health_await_answer(Child *child) {
        if (child->daemon->health.on != HEALTH_COMMAND)
                health_set_timer(child, usec_add(loop_now(child->context->loop),
                                                 child->daemon->health.timeout));
}

static void health_look(Child *child) {
        int r = health_begin_look(child);

        switch (r) {
        case 0:
        case LOOK_E_BAD:
                health_on_answer(child, r == 0);
                break;
        case LOOK_E_UNDER_WAY:
                health_await_answer(child);
                break;
        default: /* our own trouble says nothing of the daemon */
                note(child, LOG_WARNING, MESSAGE_NONE, "its health cannot be looked at: %s",
                     strerror(-r));
                health_await(child);
                break;
        }
}

static void health_overdue(Child *child, const char *what, usec_t limit) {
        char text[LOOK_TEXT_MAX], duration[DURATION_TEXT_MAX];

        snprintf(text, sizeof(text), "%s within %s", what, format_duration(duration, limit));
        health_judge(child, false, text);
}

static int health_on_timer(void *userdata) {
        Child *child = userdata;

        if (health_is_told(child))
                health_overdue(child, "it did not say WATCHDOG=1", child->health.told);
        else if (look_is_under_way(&child->health.look)) {
                look_cancel(&child->health.look);
                health_overdue(child, "it did not answer", child->daemon->health.timeout);
        } else
                health_look(child);
        return 0;
}

void health_begin(Child *child) {
        const DaemonConfig *daemon = child->daemon;
        Health *health = &child->health;

        if (daemon->health.on == HEALTH_NONE || (health_is_told(child) && health->told == 0))
                return;
        int r = loop_add_timer(child->context->loop, &health->timer, LOOP_PROBE, child_name(child),
                               health_on_timer, child);
        if (r < 0) {
                note(child, LOG_ERR, MESSAGE_NONE, "its health cannot be watched: %s",
                     strerror(-r));
                return;
        }
        if (health_is_told(child))
                health_await(child);
        else /* it has only just become ready */
                health_set_timer(child,
                                 health_next(daemon, usec_add(loop_now(child->context->loop),
                                                              daemon->health.interval / 2)));
}

void health_forget(Child *child) {
        Health *health = &child->health;

        look_cancel(&health->look);
        health->timer = loop_source_free(health->timer);
        health->count = (HealthCount){ 0 };
        health->looked = 0;
        health->text[0] = '\0';
}

static bool health_is_the_same(const DaemonConfig *a, const DaemonConfig *b) {
        for (size_t i = 0; i < schema_daemon_count; i++)
                if (strncmp(schema_daemon[i].path, "health.", strlen("health.")) == 0 &&
                    !value_equal(&schema_daemon[i], a, b))
                        return false;
        return true;
}

void health_rebound(Child *child, const DaemonConfig *before) {
        bool was_sick = child->health.count.sick;

        if (child->state != STATE_RUNNING || health_is_the_same(before, child->daemon))
                return;
        health_forget(child);
        if (was_sick)
                child->reason[0] = '\0';
        health_begin(child);
}

void health_notified(Child *child, const NotifyMessage *message) {
        if (message->watchdog && child->health.timer && health_is_told(child))
                health_judge(child, true, "");
}

int health_tell(Child *child, char ***variables) {
        char text[HEALTH_VARIABLE_MAX];

        if (!health_is_told(child))
                return 0;
        child->health.told = child->daemon->health.timeout;
        snprintf(text, sizeof(text), "WATCHDOG_USEC=%" PRIu64, child->health.told);
        int r = strv_append(variables, text);
        /* the main process of a forking one has a number that nobody knows yet */
        if (r < 0 || child->daemon->type == DAEMON_FORKING)
                return r;
        return strv_append(variables, SPAWN_PID_VARIABLE "=" SPAWN_PID_ROOM);
}

bool child_is_sick(const Child *child) {
        return child->health.count.sick;
}

void child_health(const Child *child, ChildHealth *ret) {
        const Health *health = &child->health;

        *ret = (ChildHealth){
                .verdict = !health->timer        ? ""
                           : health->count.sick  ? "sick"
                           : health->looked == 0 ? "unknown"
                                                 : "well",
                .looked = health->looked,
                .failures = health->count.failures,
                .text = health->text,
        };
}
