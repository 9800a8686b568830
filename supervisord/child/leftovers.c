/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the main process leaves when it ends (cleanup.leftovers). Without a word of the
 * administrator it is ended like everything else of the daemon. What is to be spared leaves the
 * tree at the moment at which its end is awaited: for everybody else the tree is empty then.
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

bool leftovers_begin_wait(Child *child) {
        usec_t wait = daemon_config_wait(child->daemon);
        char time[DURATION_TEXT_MAX];
        size_t count;

        if (wait == 0 || !leftovers_are_alone(child) || child->out_of_time)
                return false;
        count = finish_count(child);
        note(child, LOG_INFO, MESSAGE_NONE, "its main process is gone, %zu %s up to %s to end",
             count, PLURAL(count, "left-over process has", "left-over processes have"),
             format_duration(time, wait));
        child->stop_step = 0;
        child->step_again = false;
        loop_timer_set(child->timer, usec_add(loop_now(child->context->loop), wait));
        return true;
}
