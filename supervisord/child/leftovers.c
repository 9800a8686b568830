/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the main process leaves when it ends (cleanup.leftovers). Without a word of the
 * administrator it is ended like everything else of the daemon. What is to be spared leaves the
 * tree at the moment at which its end is awaited: for everybody else the tree is empty then.
 *
 * What is waited for after an end that nobody asked for would go on taking in work, all of which
 * would be cut. So its intake is closed and its work measured as in a stop, but from outside alone:
 * the main process, to which freeze and drain may say something, is gone.
 */

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "child/object.h"
#include "sys/procfs.h"

/* A run that was never ready has taken in no work that could go on. */
static bool leftovers_are_alone(const Child *child) {
        return child->was_ready && !pidref_is_set(&child->main) &&
               !pidref_is_set(&child->first_ref);
}

/* If its first process is there too, as a watchdog is, nothing can be spared. */
bool leftovers_kill_main_only(const Child *child) {
        return child->daemon->cleanup.leftovers == LEFTOVERS_SPARE && child->was_ready &&
               pidref_is_set(&child->main) && !pidref_is_set(&child->first_ref);
}

/* ---- spare ---- */

/* The text of those that are spared, as far as there is room. */
typedef struct SparedNames {
        char text[RECORD_NOTE_MAX];
        size_t used;
        unsigned count;
} SparedNames;

static int leftovers_name_one(void *userdata, pid_t pid) {
        SparedNames *names = userdata;
        size_t room = sizeof(names->text) - names->used;
        char shown[sizeof(((ProcStat *) NULL)->comm)];
        ProcStat stat;

        if (procfs_stat(pid, &stat) != 0)
                return 0;
        format_visible(shown, sizeof(shown), stat.comm);
        int length = snprintf(names->text + names->used, room, "%s%s %d",
                              names->count > 0 ? ", " : "", shown, (int) pid);
        if (length > 0 && (size_t) length < room)
                names->used += (size_t) length;
        names->text[names->used] = '\0';
        names->count++;
        return 0;
}

static bool leftovers_end_is_awaited(const Child *child) {
        return child->state == STATE_STOPPING || child->state == STATE_SWEEPING ||
               child->state == STATE_KILLING;
}

/* The last pass may have found more than was named; nobody counts twice. */
static void leftovers_note_spared(Child *child, int count, const SparedNames *names) {
        child->spared = (unsigned) count;
        child->spared_when = loop_now(child->context->loop);
        snprintf(child->spared_text, sizeof(child->spared_text), "%d left-over %s: %s", count,
                 PLURAL(count, "process lives on", "processes live on"), names->text);
        note(child, LOG_NOTICE, MESSAGE_DAEMON_SPARED, "%s", child->spared_text);
}

void leftovers_spare(Child *child) {
        SparedNames names = { .used = 0 };

        if (child->daemon->cleanup.leftovers != LEFTOVERS_SPARE || !leftovers_are_alone(child) ||
            !leftovers_end_is_awaited(child) || tree_is_empty(child->tree))
                return;

        freeze_resume(child);
        if (child->sockets.count > 0)
                (void) sockets_open(child); /* they go on, with whatever they listen on */
        int r = tree_spare(child->tree, leftovers_name_one, &names);
        if (r > 0)
                leftovers_note_spared(child, r, &names);
        if (r >= 0)
                return;
        note(child, LOG_ERR, MESSAGE_CLEANUP_FAILED,
             "what is left of it cannot be spared, ending it: %s", strerror(-r));
        if (child->state == STATE_KILLING) /* only its main process was killed so far */
                (void) tree_kill(child->tree);
}

const char *child_spared(const Child *child, usec_t since) {
        return child->spared > 0 && child->spared_when >= since ? child->spared_text : "";
}

const char *leftovers_text(const Child *child) {
        return child_spared(child, child->history.started);
}

/* ---- wait ---- */

void leftovers_forget(Child *child) {
        child->waiting = (LeftoversWait){ 0 };
        measure_forget(child);
}

/* They are left alone until then. */
static void leftovers_leave(Child *child) {
        char time[DURATION_TEXT_MAX];
        size_t count = child->waiting.count;

        measure_forget(child);
        format_duration(time, usec_sub(child->waiting.until, child->waiting.since));
        snprintf(child->measuring.progress, sizeof(child->measuring.progress),
                 "%zu %s up to %s to end", count,
                 PLURAL(count, "left-over process has", "left-over processes have"), time);
        loop_timer_set(child->timer, child->waiting.until);
}

/* Whether what they do is to be seen: jobs may have no connection, and sessions do not count. */
static bool leftovers_show_work(const Child *child) {
        const DaemonConfig *daemon = child->daemon;

        if (daemon->drain.until == DRAIN_JOBS || daemon->drain.until == DRAIN_NONE ||
            (daemon->drain.until != DRAIN_CONNECTIONS && daemon->drain.count == COUNT_SESSION))
                return false;
        for (size_t i = 0; i < child->sockets.count; i++)
                if (child->sockets.list[i].kind != INTAKE_UDP || daemon->drain.count == COUNT_UDP)
                        return true;
        return false;
}

static void leftovers_drain(Child *child) {
        if (sockets_are_closable(child))
                (void) sockets_close(child);
        else
                sockets_scan(child);
        if (leftovers_show_work(child))
                measure_begin(child);
}

bool leftovers_begin_wait(Child *child) {
        usec_t wait = daemon_config_wait(child->daemon);
        usec_t now = loop_now(child->context->loop);

        if (wait == 0 || !leftovers_are_alone(child) || child->out_of_time)
                return false;
        child->stop_step = 0;
        child->step_again = false;
        child->waiting = (LeftoversWait){
                .since = now,
                .until = usec_add(now, wait),
                .count = finish_count(child),
        };
        leftovers_leave(child);
        note(child, note_priority(child, LOG_INFO), MESSAGE_NONE, "its main process is gone, %s",
             child->measuring.progress);
        if (child->state == STATE_SWEEPING)
                leftovers_drain(child);
        return true;
}

static usec_t leftovers_waited(const Child *child) {
        return usec_sub(loop_now(child->context->loop), child->waiting.since);
}

static void leftovers_note_idle(const Child *child) {
        char elapsed[DURATION_TEXT_MAX];

        note(child, note_priority(child, LOG_INFO), MESSAGE_NONE,
             "left-over processes idle after %s, ending them",
             format_elapsed(elapsed, leftovers_waited(child)));
}

/* The last word belongs to a last look. */
static void leftovers_note_over(Child *child) {
        char peers[MEASURE_PEERS_MAX];

        measure_peers(child, peers);
        if (flight_is_finished(&child->measuring.flight.last)) {
                leftovers_note_idle(child);
                return;
        }
        if (child->state == STATE_STOPPING) /* else it is no stop that cuts them */
                child_mark_forced(child);
        note_left_forced(child, leftovers_waited(child),
                         peers[0] != '\0' ? peers : child->measuring.progress);
}

static void leftovers_end_wait(Child *child) {
        leftovers_forget(child);
        child->context->sink.changed(child->context->sink.userdata, child);
}

void leftovers_drained(Child *child, DaemonEvent event) {
        if (event == EVENT_DRAIN_FAILED) { /* the reason was noted */
                leftovers_leave(child);
                return;
        }
        leftovers_note_idle(child);
        leftovers_end_wait(child);
        child_post(child, finish_step_event(child));
}

bool leftovers_go_on(Child *child) {
        if (child->waiting.until == 0 || tree_is_empty(child->tree))
                return false;
        if (child->measuring.active && loop_now(child->context->loop) < child->waiting.until) {
                measure_again(child);
                return true;
        }
        if (child->measuring.active)
                leftovers_note_over(child);
        leftovers_end_wait(child);
        return false;
}
