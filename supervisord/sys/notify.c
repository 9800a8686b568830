/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/notify.h"

/*
 * Fire and forget: systemd not listening is no reason to fail. The environment stays as it is, for
 * an upgrade in place needs NOTIFY_SOCKET again. Our daemons never get it: their environment is
 * made anew.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/log.h"

#define NOTIFY_TEXT_MAX 1024

static void notify_send(const char *text) {
        int r = sd_notify(0, text);

        if (r < 0)
                log_debug("systemd cannot be told \"%s\": %s", text, strerror(-r));
}

/* sd_notifyf(3) would allocate, also on the way down. */
static void notify_send_with_status(const char *text, const char *status) {
        char buffer[NOTIFY_TEXT_MAX];

        if (!status) {
                notify_send(text);
                return;
        }
        (void) snprintf(buffer, sizeof(buffer), "%s\nSTATUS=%s", text, status);
        notify_send(buffer);
}

void notify_ready(const char *status) {
        notify_send_with_status("READY=1", status);
}

void notify_reloading(const char *status) {
        char text[NOTIFY_TEXT_MAX / 2];

        (void) snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_now());
        notify_send_with_status(text, status);
}

void notify_stopping(const char *status) {
        notify_send_with_status("STOPPING=1", status);
}

void notify_status(const char *status) {
        char text[NOTIFY_TEXT_MAX];

        (void) snprintf(text, sizeof(text), "STATUS=%s", status ? status : "");
        notify_send(text);
}

void notify_extend(usec_t duration) {
        char text[NOTIFY_TEXT_MAX / 2];

        (void) snprintf(text, sizeof(text), "EXTEND_TIMEOUT_USEC=%" PRIu64, duration);
        notify_send(text);
}
