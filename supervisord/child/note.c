/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The journal lines of a daemon: what happened, in words, with the fields to find it by. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "child/object.h"
#include "config/phase.h"
#include "sys/pidfile.h"

#define NOTE_FIELD_MAX (CHILD_REASON_MAX + 32)

/* The phase that a state belongs to, or NULL. */
static const char *note_phase(DaemonState state) {
        switch (state) {
        case STATE_FREEZING:
        case STATE_FROZEN:
                return phase_name(PHASE_FREEZE);
        case STATE_DRAINING:
        case STATE_DRAINED:
                return phase_name(PHASE_DRAIN);
        case STATE_STOPPING:
        case STATE_KILLING:
                return phase_name(PHASE_CLEANUP);
        default:
                return NULL;
        }
}

static void note_in_phase(const Child *child,
                          int priority,
                          MessageId message,
                          const char *phase,
                          const char *format,
                          va_list arguments) PRINTF_LIKE(5, 0);

static void note_in_phase(const Child *child,
                          int priority,
                          MessageId message,
                          const char *phase,
                          const char *format,
                          va_list arguments) {
        char state[NOTE_FIELD_MAX], pid[NOTE_FIELD_MAX], reason[NOTE_FIELD_MAX];
        const char *fields[4] = { state, pid };

        snprintf(state, sizeof(state), "SUPERVISOR_STATE=%s", daemon_state_name(child->state));
        snprintf(pid, sizeof(pid), "SUPERVISOR_PID=%d", (int) child->main.pid);
        if (child->reason[0] != '\0') {
                snprintf(reason, sizeof(reason), "SUPERVISOR_REASON=%s", child->reason);
                fields[2] = reason;
        }

        LogContext context = {
                .message = message,
                .daemon = child_name(child),
                .phase = phase,
                .fields = fields,
        };
        log_write_v(priority, &context, format, arguments);
}

void note(const Child *child, int priority, MessageId message, const char *format, ...) {
        va_list arguments;

        if (priority > log_get_priority())
                return;
        va_start(arguments, format);
        note_in_phase(child, priority, message, note_phase(child->state), format, arguments);
        va_end(arguments);
}

static void note_cut(Child *child, MessageId message, Phase phase, const char *format, ...)
        PRINTF_LIKE(4, 5);

/* Of one that stays as it is, it is also to be seen later and to be answered. */
static void note_cut(Child *child, MessageId message, Phase phase, const char *format, ...) {
        char text[CHILD_REASON_MAX];
        va_list arguments;

        va_start(arguments, format);
        note_in_phase(child, LOG_WARNING, message, phase_name(phase), format, arguments);
        va_end(arguments);
        if (child->purpose != PURPOSE_PAUSE || phase == PHASE_CLEANUP)
                return;
        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        child_add_reason(child, text);
}

/*
 * A daemon that dies as fast as its delays allow would fill the journal with the same lines. So
 * after some ends in a row only one run in a minute has its lines; what is given up always has.
 */
#define NOTE_LOUD_RUNS 8
#define NOTE_LOUD_GAP  (60 * USEC_PER_SEC)

void note_choose_words(Child *child) {
        usec_t now = loop_now(child->context->loop);

        child->quiet = child->history.in_a_row >= NOTE_LOUD_RUNS && child->spoken > 0 &&
                       usec_sub(now, child->spoken) < NOTE_LOUD_GAP;
        if (!child->quiet)
                child->spoken = now;
}

/* A run that lasted is not one of those any more. */
int note_priority(const Child *child, int priority) {
        usec_t ran = usec_sub(loop_now(child->context->loop), child->history.started);

        return child->quiet && ran < child->daemon->restart.reset ? LOG_DEBUG : priority;
}

void note_ready(Child *child) {
        char elapsed[DURATION_TEXT_MAX];

        child->reason[0] = '\0';
        if (child->state == STATE_DONE) {
                note(child, note_priority(child, LOG_INFO), MESSAGE_DAEMON_READY, "done after %s",
                     format_elapsed(elapsed,
                                    usec_sub(child->state_since, child->history.started)));
                return;
        }
        note(child, note_priority(child, LOG_INFO), MESSAGE_DAEMON_READY,
             "ready after %s, main process %d",
             format_elapsed(elapsed, usec_sub(child->state_since, child->history.started)),
             (int) child->main.pid);
}

static const char *note_ready_on(const DaemonConfig *daemon) {
        return schema_find(schema_daemon, schema_daemon_count, "ready.on")
                ->choices[daemon->ready.on];
}

/* What the last look said is worth more than what it looked for. */
static void note_not_ready(Child *child, const char *timeout) {
        child_set_reason(child, "it was not ready within %s (ready.on = \"%s\")", timeout,
                         note_ready_on(child->daemon));
        if (child->daemon->ready.on == READY_COMMAND && child->probe.look.text[0] != '\0')
                child_add_reason(child, child->probe.look.text);
}

static void note_start_timeout(Child *child, DaemonState from) {
        char timeout[DURATION_TEXT_MAX], obstacle[PERMIT_TEXT_MAX];
        const DaemonConfig *daemon = child->daemon;

        format_duration(timeout, daemon->ready.timeout);
        if (from == STATE_PROBING && child->pidfile_outcome == 0)
                note_not_ready(child, timeout);
        else if (pidref_is_set(&child->first_ref) && !track_first_is_to_end(daemon))
                child_set_reason(child, "its command was not executed within %s", timeout);
        else if (pidref_is_set(&child->first_ref))
                child_set_reason(child, "its %s did not exit within %s",
                                 script_is_one(daemon) ? "command" : "first process", timeout);
        else if (child->pidfile_outcome == 0)
                child_set_reason(child, "no main process was found within %s", timeout);
        else if (child->pidfile_outcome == PIDFILE_E_MISSING &&
                 pidpath_obstacle(child, obstacle)[0] != '\0')
                child_set_reason(child, "pidfile %s is missing: %s", daemon->pidfile, obstacle);
        /* else the reason says already what is wrong with the pidfile */
        script_add_words(child);
}

static const char *note_background(Child *child) {
        if (!track_went_to_background(child))
                return "";
        return ", and left processes: one that puts itself into the background needs its option "
               "to stay, or type = \"forking\"";
}

void note_failure(Child *child, DaemonState from, DaemonEvent event) {
        char text[EXIT_STATUS_TEXT_MAX];
        char elapsed[DURATION_TEXT_MAX];

        exit_status_text(text, &child->main_exit);
        if (event == EVENT_MAIN_EXITED && from == STATE_RUNNING) {
                child_set_reason(child, "main process %s%s", text, note_background(child));
                note(child, note_priority(child, LOG_WARNING), MESSAGE_DAEMON_EXITED,
                     "main process %s after %s%s", text,
                     format_elapsed(elapsed, usec_sub(child->state_since, child->history.started)),
                     note_background(child));
                return;
        }
        if (event == EVENT_START_TIMEOUT)
                note_start_timeout(child, from);
        if (event == EVENT_MAIN_EXITED)
                child_set_reason(child, "main process %s before it was ready%s", text,
                                 note_background(child));
        note(child, note_priority(child, LOG_ERR), MESSAGE_DAEMON_START_FAILED, "start failed: %s",
             child->reason);
}

void note_forced(Child *child, DaemonEvent event) {
        char elapsed[DURATION_TEXT_MAX], peers[MEASURE_PEERS_MAX];
        size_t count = finish_count(child);

        format_elapsed(elapsed, usec_sub(loop_now(child->context->loop), child->phase_since));
        if (event == EVENT_DRAIN_FAILED)
                note_cut(child, MESSAGE_DAEMON_FORCED, PHASE_DRAIN,
                         "drain given up after %s, %zu %s still there", elapsed, count,
                         PLURAL(count, "process is", "processes are"));
        else if (event == EVENT_DRAIN_DEADLINE && measure_peers(child, peers)[0] != '\0')
                note_cut(child, MESSAGE_DAEMON_FORCED, PHASE_DRAIN, "drain forced after %s: %s",
                         elapsed, peers);
        else if (event == EVENT_DRAIN_DEADLINE)
                note_cut(child, MESSAGE_DAEMON_FORCED, PHASE_DRAIN,
                         "drain forced after %s, %zu %s still at work", elapsed, count,
                         PLURAL(count, "process is", "processes are"));
        else if (count > 0)
                note_cut(child, MESSAGE_DAEMON_FORCED, PHASE_CLEANUP,
                         "did not end within %s, killing %zu %s", elapsed, count,
                         PLURAL(count, "process", "processes"));
        else
                note_cut(child, MESSAGE_DAEMON_FORCED, PHASE_CLEANUP,
                         "cleanup.command did not end within %s, going on without it", elapsed);
}

static void note_drain(const Child *child, const char *format, ...) PRINTF_LIKE(2, 3);

static void note_drain(const Child *child, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        note_in_phase(child, LOG_WARNING, MESSAGE_DAEMON_FORCED, phase_name(PHASE_DRAIN), format,
                      arguments);
        va_end(arguments);
}

void note_left_forced(const Child *child, usec_t after, const char *peers) {
        char elapsed[DURATION_TEXT_MAX];

        note_drain(child, "left-over processes forced after %s: %s",
                   format_elapsed(elapsed, after), peers);
}

void note_skipped(Child *child, DaemonEvent event) {
        char elapsed[DURATION_TEXT_MAX];

        note_cut(child, MESSAGE_DAEMON_FORCED, PHASE_FREEZE,
                 "freeze %s after %s, its intake stays open",
                 event == EVENT_FREEZE_DEADLINE ? "forced" : "failed",
                 format_elapsed(elapsed,
                                usec_sub(loop_now(child->context->loop), child->phase_since)));
}

void note_stuck(Child *child) {
        size_t count = finish_count(child);

        note(child, LOG_ERR, MESSAGE_DAEMON_STUCK, "%zu %s behind", count,
             PLURAL(count, "process could not be killed, leaving it",
                    "processes could not be killed, leaving them"));
}

/* That they are there is to be seen as long as it is stopped. */
static void note_end_with_spared(Child *child) {
        child_set_reason(child, "%s", leftovers_text(child));
        hold_compose(child);
        note(child, LOG_INFO, MESSAGE_DAEMON_STOPPED, "stopped, %s", child->reason);
}

void note_end(Child *child) {
        if (child->state == STATE_FAILED)
                note(child, LOG_ERR, MESSAGE_DAEMON_GIVEN_UP, "given up: %s",
                     child->reason[0] != '\0' ? child->reason : "it ended");
        else if (leftovers_text(child)[0] != '\0')
                note_end_with_spared(child);
        else
                note(child, LOG_INFO, MESSAGE_DAEMON_STOPPED, "stopped, nothing of it is left");
}

/* The end that its drain waits for is no accident; nor is the one by a signal that we sent. */
static bool note_is_awaited_end(const Child *child) {
        const DaemonConfig *daemon = child->daemon;
        const ExitStatus *status = &child->main_exit;

        if (status->known && status->signaled)
                return status->code == daemon->freeze.signo || status->code == daemon->drain.signo;
        return daemon->drain.until == DRAIN_EXIT && (!status->known || status->code == 0);
}

void note_lost(Child *child) {
        char text[2 * EXIT_STATUS_TEXT_MAX], status[EXIT_STATUS_TEXT_MAX];

        if (note_is_awaited_end(child))
                return;
        exit_status_text(status, &child->main_exit);
        snprintf(text, sizeof(text), "main process %s while it was %s", status,
                 daemon_state_name(child->state));
        note(child, LOG_WARNING, MESSAGE_DAEMON_EXITED, "%s", text);
        child_add_reason(child, text);
}

void note_thawed(Child *child) {
        note(child, LOG_INFO, MESSAGE_DAEMON_THAWED, "back to work%s%s",
             child->reason[0] != '\0' ? ", but " : ", its intake is open again", child->reason);
}

void note_limit(Child *child) {
        char text[RESTART_TEXT_MAX], last[CHILD_REASON_MAX];

        memcpy(last, child->reason, sizeof(last));
        restart_limit_text(text, child->daemon, &child->history, loop_now(child->context->loop));
        child_set_reason(child, "%s, last: %s", text, last[0] != '\0' ? last : "it ended");
}

void note_delay(Child *child) {
        char delay[DURATION_TEXT_MAX], count[RESTART_TEXT_MAX];

        if (child->state == STATE_CLEARED) {
                note(child, LOG_INFO, MESSAGE_NONE, "what was in the way of its start is gone");
                return;
        }
        format_elapsed(delay, child->restart_delay);
        restart_count_text(count, child->daemon, &child->history,
                           loop_now(child->context->loop));
        child_add_reason(child, count);
        note(child, note_priority(child, LOG_INFO), MESSAGE_DAEMON_RESTARTING,
             "starting again in %s, %s", delay, count);
}
