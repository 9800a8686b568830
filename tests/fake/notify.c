/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/notify.h: what systemd would have been told is counted, and whether it would have lost
 * patience during a start or a stop: it waits for TimeoutStartSec= or TimeoutStopSec=, and for as
 * long as EXTEND_TIMEOUT_USEC= asks it from the moment of the asking (systemd.service(5)).
 */

#include "sys/notify.h"

#include <stdio.h>
#include <string.h>

#include "fake/fake.h"

#define NOTIFY_STATUS_ROOM 512
#define NOTIFY_TIMEOUT     (20 * USEC_PER_SEC) /* both, in a unit that relies on us */

static struct {
        unsigned count[NOTIFY_KIND_MAX_];
        usec_t when[NOTIFY_KIND_MAX_];
        char status[NOTIFY_STATUS_ROOM];
        usec_t patience; /* when systemd kills us; 0: nothing is under way */
        bool overdue;    /* … it has done so */
} told;

void fake_notify_reset(void) {
        memset(&told, 0, sizeof(told));
}

static void notify_note(NotifyKind kind, const char *status) {
        static const char *const names[NOTIFY_KIND_MAX_] = {
                [NOTIFY_READY] = "READY",       [NOTIFY_RELOADING] = "RELOADING",
                [NOTIFY_STOPPING] = "STOPPING", [NOTIFY_STATUS] = "STATUS",
                [NOTIFY_EXTEND] = "EXTEND",
        };

        told.overdue |= fake_notify_overdue();
        told.count[kind]++;
        told.when[kind] = world_now();
        if (status)
                snprintf(told.status, sizeof(told.status), "%s", status);
        world_trace("  systemd is told %s %s", names[kind], status ? status : "");
}

static void notify_wait(usec_t duration) {
        told.patience = MAX_OF(told.patience, usec_add(world_now(), duration));
}

void fake_notify_begin(void) {
        notify_wait(NOTIFY_TIMEOUT);
}

void notify_ready(const char *status) {
        notify_note(NOTIFY_READY, status);
        if (told.count[NOTIFY_STOPPING] == 0)
                told.patience = 0;
}

void notify_reloading(const char *status) {
        notify_note(NOTIFY_RELOADING, status);
}

void notify_stopping(const char *status) {
        notify_note(NOTIFY_STOPPING, status);
        notify_wait(NOTIFY_TIMEOUT);
}

void notify_status(const char *status) {
        notify_note(NOTIFY_STATUS, status);
}

void notify_extend(usec_t duration) {
        notify_note(NOTIFY_EXTEND, NULL);
        if (told.patience > 0)
                notify_wait(duration);
}

void fake_notify_slept(usec_t duration) {
        if (told.patience > 0)
                told.patience = usec_add(told.patience, duration);
}

unsigned fake_notify_count(NotifyKind kind) {
        return told.count[kind];
}

usec_t fake_notify_when(NotifyKind kind) {
        return told.when[kind];
}

const char *fake_notify_status(void) {
        return told.status;
}

bool fake_notify_overdue(void) {
        return told.overdue || (told.patience > 0 && world_now() > told.patience);
}
