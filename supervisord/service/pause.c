/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Freezing and draining daemons that are not to be stopped: for maintenance. An operation whose
 * sequence ends early leaves them so; thawing needs no sequence.
 */

#include <stdio.h>
#include <string.h>

#include "base/strv.h"
#include "service/object.h"

/* The daemons of these names, each of which must pass `check`. */
static int pause_read_names(const Supervisor *supervisor,
                            char *const *names,
                            int (*check)(const Child *child),
                            bool *set,
                            const char **ret_name) {
        for (; *names; names++) {
                const Child *child = supervisor_find(supervisor, *names);
                int r = child ? check(child) : REQUEST_E_UNKNOWN;

                if (r != 0) {
                        *ret_name = *names;
                        return r;
                }
                set[child_index(child)] = true;
        }
        return 0;
}

static int pause_check(const Child *child) {
        DaemonState state = child_state(child);

        return state == STATE_RUNNING || daemon_state_is_taken_out(state) ? 0
                                                                          : REQUEST_E_NOT_RUNNING;
}

static int thaw_check(const Child *child) {
        if (!daemon_state_is_taken_out(child_state(child)))
                return REQUEST_E_NOT_FROZEN;
        return child_state(child) == STATE_ENDED || child_can_thaw(child) ? 0 : REQUEST_E_NO_THAW;
}

static bool *pause_new_set(const Supervisor *supervisor) {
        return calloc(MAX_OF(supervisor->generation->count, (size_t) 1), sizeof(bool));
}

int supervisor_pause(Supervisor *supervisor, const PauseRequest *request, const char **ret_name) {
        CLEANUP(freep) bool *set = pause_new_set(supervisor);
        CLEANUP(freep) char *names = strv_join(request->names, ", "), *what = NULL;

        if (!set || !names ||
            asprintf(&what, "%s of %s", request->drain ? "drain" : "freeze", names) < 0)
                return -ENOMEM;
        int r = pause_read_names(supervisor, request->names, pause_check, set, ret_name);
        if (r != 0)
                return r;
        if (supervisor->mode != MODE_RUNNING)
                return REQUEST_E_BUSY;

        return operation_new(supervisor,
                             &(OperationRequest){
                                     .what = what,
                                     .who = request->who,
                                     .depth = request->drain ? OPERATION_DRAINS : OPERATION_FREEZES,
                                     .stop = set,
                                     .handler = request->handler,
                                     .userdata = request->userdata,
                             });
}

/* A thaw calls no stop off. */
static int thaw_check_ending(const Supervisor *supervisor,
                             char *const *names,
                             const char **ret_name) {
        for (; *names; names++)
                if (operations_end(supervisor, child_index(supervisor_find(supervisor, *names)))) {
                        *ret_name = *names;
                        return REQUEST_E_ENDING;
                }
        return 0;
}

int supervisor_thaw(Supervisor *supervisor, char *const *names, const char **ret_name) {
        CLEANUP(freep) bool *set = pause_new_set(supervisor);
        Generation *generation = supervisor->generation;

        if (!set)
                return -ENOMEM;
        int r = pause_read_names(supervisor, names, thaw_check, set, ret_name);
        if (r != 0)
                return r;
        if (supervisor->mode != MODE_RUNNING)
                return REQUEST_E_BUSY;
        r = thaw_check_ending(supervisor, names, ret_name);
        if (r != 0)
                return r;

        operations_cancel_pauses(supervisor, set);
        for (unsigned i = 0; i < generation->count; i++)
                if (set[i])
                        child_order(generation->children[i], EVENT_THAW);
        return 0;
}
