/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the bits of the table to the functions that do them, in the order of the bits. */

#include "child/object.h"

void child_act(Child *child, DaemonState from, DaemonEvent event, uint32_t actions) {
        if (actions & ACTION_NOTE_FAILURE)
                note_failure(child, from, event);
        if (actions & ACTION_NOTE_FORCED) {
                note_forced(child, event);
                child_mark_forced(child);
        }
        if (actions & ACTION_NOTE_SKIPPED) {
                child->intake_open = true;
                note_skipped(child, event);
                child_mark_forced(child);
        }
        if (actions & ACTION_NOTE_STUCK)
                note_stuck(child);
        if (actions & ACTION_FOLLOW)
                track_follow(child);
        if (actions & ACTION_SPAWN)
                launch_begin(child);
        if (actions & ACTION_PROBE)
                ready_begin(child);
        if (actions & ACTION_SAY_READY) {
                child->was_ready = true;
                successor_mark_ready(child);
                note_ready(child);
                assume_note(child);
        }
        if (actions & ACTION_FREEZE)
                freeze_begin(child);
        if (actions & ACTION_DRAIN)
                drain_begin(child);
        if (actions & ACTION_CHECK_TREE)
                track_check_tree(child);
        if (actions & ACTION_STOP)
                finish_begin(child);
        if (actions & ACTION_STEP)
                finish_step(child);
        if (actions & ACTION_PASS_ON)
                finish_pass_on(child);
        if (actions & ACTION_KILL)
                finish_kill(child);
        if (actions & ACTION_TIDY)
                finish_tidy(child);
        if (actions & ACTION_REMOVE)
                finish_remove(child);
        if (actions & ACTION_DELAY)
                finish_delay(child);
        if (actions & ACTION_NOTE_END)
                note_end(child);
        if (actions & ACTION_FREEZE_LATE)
                freeze_late(child);
        if (actions & ACTION_LEFTOVERS)
                leftovers_drained(child, event);
        if (actions & ACTION_THAW) {
                child->reason[0] = '\0';
                freeze_undo(child);
                note_thawed(child);
        }
}
