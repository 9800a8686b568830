/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Settling: after all wake-ups of a round, look once at every child that changed and give the
 * orders that follow. Orders change children again; they are looked at in the same settling, until
 * nothing is new. So nobody is called back in the middle of anything.
 */

#include <stdio.h>

#include "service/object.h"

void settle_changed(void *userdata, Child *child) {
        Supervisor *supervisor = userdata;
        Generation *generation = supervisor->generation;
        unsigned index = child_index(child);

        /* one that a reload removes has no place here, but may still end if it was stuck */
        if (index >= generation->count || generation->children[index] != child)
                return;
        if (generation_mark_changed(generation, index))
                loop_defer_arm(supervisor->settle);
}

/* In a reload it may yet come back; but before the commit nothing is on the way. */
static bool settle_may_come_back(const Supervisor *supervisor) {
        return supervisor->mode == MODE_RELOADING && supervisor->reload.stage != RELOAD_TESTING;
}

/* A daemon that the whole depends on is gone for good. */
static void settle_essential(Supervisor *supervisor, const Child *child) {
        char who[RECORD_WHO_MAX];

        if (!child_config(child)->essential || mode_is_stopping(supervisor->mode) ||
            settle_may_come_back(supervisor))
                return;
        log_error("%s is essential and has failed: stopping everything", child_name(child));
        supervisor->exit_code = 1;
        snprintf(who, sizeof(who), "%s, which is essential and has failed", child_name(child));
        supervisor_stop(supervisor, false, who);
}

static bool settle_is_lost(DaemonState state) {
        return state == STATE_FAILED || state == STATE_STUCK;
}

void settle_after_reload(Supervisor *supervisor) {
        Generation *generation = supervisor->generation;

        for (size_t i = 0; i < generation->count; i++)
                if (settle_is_lost(generation->states[i]))
                        settle_essential(supervisor, generation->children[i]);
        loop_defer_arm(supervisor->settle);
}

static void settle_child(Supervisor *supervisor, unsigned index) {
        Generation *generation = supervisor->generation;
        Child *child = generation->children[index];
        DaemonState state = generation->states[index];
        bool forced = child_take_forced(child);

        if (forced)
                sequence_note_forced(generation->sequence, index);
        sequence_observe(generation->sequence, index, state);
        record_observe(generation->record, index, state, forced, loop_now(supervisor->loop));
        operations_observe(supervisor, index, state, forced);

        if (supervisor->observer.daemon_changed)
                supervisor->observer.daemon_changed(supervisor->observer.userdata, child);
        if (settle_is_lost(state))
                settle_essential(supervisor, child);
        if (daemon_state_is_settled(state) || generation->paused[index])
                start_consider_after(supervisor, index);
}

static void settle_take_list(Supervisor *supervisor) {
        Generation *generation = supervisor->generation;
        unsigned *list = generation->changed;
        size_t count = generation->changed_count;

        generation->changed = generation->settling;
        generation->settling = list;
        generation->changed_count = 0;
        /* all states first: nobody may be started on the word of a daemon that has ended since */
        for (size_t i = 0; i < count; i++) {
                generation->is_changed[list[i]] = false;
                generation_look(generation, list[i]);
        }
        for (size_t i = 0; i < count; i++)
                settle_child(supervisor, list[i]);
}

static void settle_mode(Supervisor *supervisor) {
        if (supervisor->mode != MODE_STARTING || !start_is_over(supervisor, NULL))
                return;
        (void) mode_step(&supervisor->mode, MODE_EVENT_SETTLED);
        report_ready(supervisor);
        (void) recording_over(supervisor, TAKE(supervisor->starting), RECORD_OVER);
}

int settle_run(void *userdata) {
        Supervisor *supervisor = userdata;
        bool more;

        remember_settle(supervisor);
        do {
                more = false;
                while (supervisor->generation->changed_count > 0)
                        settle_take_list(supervisor);
                if (mode_is_stopping(supervisor->mode)) {
                        stop_drive(supervisor);
                        continue;
                }
                operations_stop_fallen(supervisor);
                operations_end_sick(supervisor);
                more = operations_drive(supervisor); /* its end may be what others wait for */
                settle_mode(supervisor);
                reload_drive(supervisor);
        } while (more || supervisor->generation->changed_count > 0);

        loop_timer_set(supervisor->deadline,
                       MIN_OF(sequence_deadline(supervisor->generation->sequence),
                              operations_deadline(supervisor)));
        report_soon(supervisor);
        return 0;
}
