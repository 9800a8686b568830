/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sim/one.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void one_begin_with(const char *supervisor, const char *settings) {
        char *config;

        ck_assert_int_gt(asprintf(&config, "d: { command = [ \"/d\" ]; %s };", settings), 0);
        sim_begin_with(0, supervisor, config);
        free(config);
}

void one_begin(const char *settings) {
        one_begin_with("", settings);
}

void one_run(const char *settings, usec_t until) {
        one_begin(settings);
        sim_start();
        sim_run_until(until);
}

void one_stop(void) {
        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_int_eq(sim_code(), 0);
}

void one_end(void) {
        one_stop();
        sim_end();
}

void one_assert_said(MessageId message, const char *part) {
        const char *text = sim_said_text(message, "d");

        if (sim_said(message, "d") == 0 || !strstr(text, part))
                ck_abort_msg("\"%s\" does not say \"%s\"", text, part);
}

void one_assert_ready(const char *settings, usec_t when) {
        one_run(settings, when + 20 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_READY, "d"), 1);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_READY, "d"), when);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_uint_eq(fake_notify_count(NOTIFY_READY), 1);
        ck_assert_uint_eq(fake_timer_count(sim_loop()), 0);
        one_end();
}

void one_assert_fails(const char *settings, usec_t when, const char *reason) {
        one_run(settings, when + 100 * SEC);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_READY, "d"), 0);
        ck_assert_uint_eq(sim_said_when(MESSAGE_DAEMON_START_FAILED, "d"), when);
        one_assert_said(MESSAGE_DAEMON_START_FAILED, reason);
        ck_assert_int_eq(sim_state("d"), STATE_FAILED);
        ck_assert_uint_eq(sim_population("d"), 0);
        ck_assert_int_eq(sim_mode(), MODE_RUNNING); /* systemd is not kept waiting for it */
        one_end();
}
