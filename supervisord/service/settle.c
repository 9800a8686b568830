/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Settling: after all wake-ups of a round, look once at every child that changed and give the orders
 * that follow. Orders change children again; they are looked at in the same settling, until nothing
 * is new. So nobody is called back in the middle of anything.
 */

#include "service/object.h"

void settle_changed(void *userdata, Child *child) {
        Supervisor *supervisor = userdata;
        unsigned index = child_index(child);

        if (supervisor->is_changed[index])
                return;
        supervisor->is_changed[index] = true;
        supervisor->changed[supervisor->changed_count++] = index;
        loop_defer_arm(supervisor->settle);
}

/* A daemon that the whole depends on is gone for good. */
static void settle_essential(Supervisor *supervisor, const Child *child) {
        if (!child_config(child)->essential || mode_is_stopping(supervisor->mode))
                return;
        log_error("%s is essential and has failed: stopping everything", child_name(child));
        supervisor->exit_code = 1;
        supervisor_stop(supervisor, false);
}

static void settle_child(Supervisor *supervisor, unsigned index) {
        Child *child = supervisor->children[index];

        if (child_take_forced(child))
                sequence_note_forced(supervisor->sequence, index);
        sequence_observe(supervisor->sequence, index, supervisor->states[index]);

        if (supervisor->states[index] == STATE_FAILED || supervisor->states[index] == STATE_STUCK)
                settle_essential(supervisor, child);
        if (daemon_state_is_settled(supervisor->states[index]))
                start_consider_after(supervisor, index);
}

static void settle_take_list(Supervisor *supervisor) {
        unsigned *list = supervisor->changed;
        size_t count = supervisor->changed_count;

        supervisor->changed = supervisor->settling;
        supervisor->settling = list;
        supervisor->changed_count = 0;
        /* all states first: nobody may be started on the word of a daemon that has ended since */
        for (size_t i = 0; i < count; i++) {
                supervisor->is_changed[list[i]] = false;
                supervisor->states[list[i]] = child_state(supervisor->children[list[i]]);
        }
        for (size_t i = 0; i < count; i++)
                settle_child(supervisor, list[i]);
}

static void settle_mode(Supervisor *supervisor) {
        if (supervisor->mode != MODE_STARTING || !start_is_over(supervisor))
                return;
        (void) mode_step(&supervisor->mode, MODE_EVENT_SETTLED);
        report_ready(supervisor);
        if (supervisor->reload_wanted)
                reload_request(supervisor);
}

int settle_run(void *userdata) {
        Supervisor *supervisor = userdata;

        do {
                while (supervisor->changed_count > 0)
                        settle_take_list(supervisor);
                stop_fallen(supervisor);
                stop_drive(supervisor);
        } while (supervisor->changed_count > 0);

        settle_mode(supervisor);
        report_soon(supervisor);
        return 0;
}
