/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A reload: read and check the configuration as a whole while nothing live is touched, and give a
 * verdict. Requests that come in a burst are answered by at most two reloads, of which the second
 * one sees the last state of the files.
 */

#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "config/load.h"
#include "service/object.h"

/* After a reload the next one waits so long, to take a burst of requests together. */
#define RELOAD_COOLDOWN (250 * USEC_PER_MSEC)

static void reload_log_findings(const Diag *diag) {
        for (size_t i = 0; i < diag_count(diag); i++) {
                CLEANUP(freep) char *text = finding_text(diag_get(diag, i));
                int priority = diag_get(diag, i)->severity == SEVERITY_ERROR ? LOG_ERR : LOG_WARNING;

                log_write(priority, NULL, "%s", text ? text : "a finding could not be shown: no memory");
        }
}

static void reload_refuse(Supervisor *supervisor, const char *why) {
        snprintf(supervisor->verdict, sizeof(supervisor->verdict),
                 "reload refused (%s), the old configuration stays in force", why);
        log_write(LOG_ERR, &(LogContext) { .message = MESSAGE_RELOAD_REFUSED }, "%s", supervisor->verdict);
}

static void reload_check(Supervisor *supervisor) {
        CLEANUP(diag_freep) Diag *diag = NULL;
        CLEANUP(config_unrefp) Config *config = NULL;
        char why[128];

        int r = diag_new(&diag);
        if (r >= 0)
                r = config_load(supervisor->config_path, diag, &config);
        if (diag)
                reload_log_findings(diag);

        switch (r) {
        case 0:
                snprintf(supervisor->verdict, sizeof(supervisor->verdict),
                         "configuration checked (%zu daemons), nothing is applied before a restart",
                         config->daemon_count);
                log_write(LOG_INFO, &(LogContext) { .message = MESSAGE_RELOAD_CHECKED }, "%s",
                          supervisor->verdict);
                break;
        case CONFIG_E_INVALID:
                snprintf(why, sizeof(why), "%zu errors", diag_errors(diag));
                reload_refuse(supervisor, why);
                break;
        default:
                reload_refuse(supervisor, strerror(-r));
                break;
        }
}

void reload_begin(Supervisor *supervisor) {
        supervisor->reload_wanted = false;
        report_reloading(supervisor);
        reload_check(supervisor);
        supervisor->reload_ended = loop_now(supervisor->loop);
        (void) mode_step(&supervisor->mode, MODE_EVENT_RELOADED);
        report_ready(supervisor);
}

int reload_on_cooldown(void *userdata) {
        reload_request(userdata);
        return 0;
}

void reload_request(Supervisor *supervisor) {
        usec_t now = loop_now(supervisor->loop);
        usec_t earliest = usec_add(supervisor->reload_ended, RELOAD_COOLDOWN);

        if (supervisor->mode == MODE_RUNNING && supervisor->reload_ended > 0 && now < earliest) {
                loop_timer_set(supervisor->cooldown, earliest);
                return;
        }
        switch (mode_step(&supervisor->mode, MODE_EVENT_RELOAD)) {
        case MODE_BEGIN_RELOAD:
                reload_begin(supervisor);
                break;
        case MODE_POSTPONE:
                supervisor->reload_wanted = true;
                break;
        default:
                break;
        }
}
