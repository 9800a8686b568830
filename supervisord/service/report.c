/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What systemd is told, and the state that a person asks for. STATUS= is sent when it has changed,
 * at most ten times a second, and once a second while a start or a stop is under way, with more
 * time asked for every five seconds. When nothing happens nothing wakes us.
 */

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "model/status.h"
#include "service/object.h"
#include "sys/notify.h"

#define REPORT_GAP     (100 * USEC_PER_MSEC)
#define REPORT_TICK    USEC_PER_SEC
#define EXTEND_EVERY   (5 * USEC_PER_SEC)
#define EXTEND_RESERVE (10 * USEC_PER_SEC)

/* Of one that was given up or is stuck; NULL: it is not known. */
static const char *report_reason(const Child *child) {
        const char *reason = child_reason(child);

        return reason[0] != '\0' ? reason : NULL;
}

static void report_count(const Supervisor *supervisor, StatusCounts *ret) {
        const Generation *generation = supervisor->generation;
        StatusCounts counts = { .total = generation->count };

        for (size_t i = 0; i < generation->count; i++) {
                const char *name = child_name(generation->children[i]);
                DaemonState state = generation->states[i];

                if (daemon_state_is_ready(state))
                        counts.running++;
                else if (state == STATE_DELAYED)
                        counts.delayed++;
                else if (child_is_paused(generation->children[i]))
                        counts.paused++;
                else if (state == STATE_FAILED || state == STATE_STUCK) {
                        if (counts.failed++ == 0) {
                                counts.failed_name = name;
                                counts.failed_reason = report_reason(generation->children[i]);
                        }
                } else if (state == STATE_STOPPED && !generation->pending[i])
                        counts.stopped++;
                else if (counts.starting++ == 0)
                        counts.starting_name = name;
        }
        *ret = counts;
}

static void report_compose(const Supervisor *supervisor, char text[static STATUS_TEXT_MAX]) {
        if (mode_is_stopping(supervisor->mode)) {
                SequenceProgress progress;
                const char *slowest = NULL, *detail = "";

                sequence_progress(supervisor->generation->sequence, &progress);
                if (progress.slowest != UINT_MAX) {
                        const Child *child = supervisor->generation->children[progress.slowest];

                        slowest = child_name(child);
                        detail = child_status(child);
                }
                status_text_stopping(text, &progress, slowest, detail, loop_now(supervisor->loop));
                return;
        }

        StatusCounts counts;
        report_count(supervisor, &counts);
        status_text(text, supervisor->mode, &counts);
        if (supervisor->reload.verdict[0] != '\0') {
                size_t used = strlen(text);
                snprintf(text + used, STATUS_TEXT_MAX - used, "; %s", supervisor->reload.verdict);
        }
}

/* How much longer than now systemd shall wait; 0: it need not. */
static usec_t report_time_needed(const Supervisor *supervisor) {
        if (supervisor->mode == MODE_STARTING || supervisor->mode == MODE_RELOADING)
                return EXTEND_RESERVE + EXTEND_EVERY; /* every step has a deadline of its own */
        if (!mode_is_stopping(supervisor->mode))
                return 0;

        SequenceProgress progress;
        sequence_progress(supervisor->generation->sequence, &progress);
        return usec_add(usec_sub(progress.latest, loop_now(supervisor->loop)), EXTEND_RESERVE);
}

static void report_extend(Supervisor *supervisor) {
        usec_t needed = report_time_needed(supervisor);

        if (needed == 0)
                return;
        notify_extend(needed);
        supervisor->extended = loop_now(supervisor->loop);
}

static bool report_is_busy(const Supervisor *supervisor) {
        return supervisor->mode == MODE_STARTING || supervisor->mode == MODE_RELOADING ||
               mode_is_stopping(supervisor->mode);
}

void report_tell(Supervisor *supervisor, const char text[static STATUS_TEXT_MAX]) {
        memcpy(supervisor->status, text, STATUS_TEXT_MAX);
        notify_status(text);
        supervisor->reported = loop_now(supervisor->loop);
        if (supervisor->observer.status_changed)
                supervisor->observer.status_changed(supervisor->observer.userdata, text);
}

static void report_status(Supervisor *supervisor) {
        usec_t now = loop_now(supervisor->loop);
        char text[STATUS_TEXT_MAX];

        report_compose(supervisor, text);
        if (strcmp(text, supervisor->status) != 0)
                report_tell(supervisor, text);
        if (now >= usec_add(supervisor->extended, EXTEND_EVERY))
                report_extend(supervisor); /* here: what is told in between puts off the tick */
        loop_timer_set(supervisor->tick,
                       report_is_busy(supervisor) ? now + REPORT_TICK : USEC_INFINITY);
}

void report_now(Supervisor *supervisor) {
        report_status(supervisor);
        report_extend(supervisor);
}

void report_soon(Supervisor *supervisor) {
        usec_t due = usec_add(supervisor->reported, REPORT_GAP);

        if (supervisor->mode == MODE_EXITED)
                return; /* the last word was said */
        if (loop_now(supervisor->loop) >= due)
                report_status(supervisor);
        else if (due < loop_timer_get(supervisor->tick))
                loop_timer_set(supervisor->tick, due);
}

int report_on_tick(void *userdata) {
        report_status(userdata);
        return 0;
}

void report_ready(Supervisor *supervisor) {
        report_compose(supervisor, supervisor->status);
        notify_ready(supervisor->status);
        loop_timer_disarm(supervisor->tick);
        if (supervisor->reload.verdict[0] == '\0')
                log_write(LOG_INFO, &(LogContext){ .message = MESSAGE_SUPERVISOR_READY }, "%s",
                          supervisor->status);
}

void report_reloading(Supervisor *supervisor) {
        report_compose(supervisor, supervisor->status);
        notify_reloading(supervisor->status);
        report_now(supervisor);
}

void report_stopping(Supervisor *supervisor) {
        notify_stopping("stopping");
        report_extend(supervisor);
}

void supervisor_log_state(const Supervisor *supervisor) {
        char text[STATUS_TEXT_MAX], elapsed[DURATION_TEXT_MAX];
        usec_t now = loop_now(supervisor->loop);

        report_compose(supervisor, text);
        log_write(LOG_INFO, &(LogContext){ .message = MESSAGE_STATE }, "%s", text);

        for (size_t i = 0; i < supervisor->generation->count; i++) {
                const Child *child = supervisor->generation->children[i];
                const char *detail =
                        child_status(child)[0] != '\0' ? child_status(child) : child_reason(child);

                log_write(LOG_INFO,
                          &(LogContext){ .message = MESSAGE_STATE, .daemon = child_name(child) },
                          "%s for %s, main process %d%s%s", daemon_state_name(child_state(child)),
                          format_elapsed(elapsed, usec_sub(now, child_state_since(child))),
                          (int) child_main_pid(child), detail[0] != '\0' ? ": " : "", detail);
        }
}
