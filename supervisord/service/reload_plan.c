/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan of what there is: the states of the daemons, and their own files. */

#include <errno.h>

#include "child/hold.h"
#include "service/object.h"

/* What an operator stopped is stopped, even if it could not be killed. */
static DaemonState reload_plan_state(const Generation *generation, unsigned index) {
        DaemonState state = generation->states[index];

        return daemon_state_is_resting(state) && child_get_hold(generation->children[index])
                       ? STATE_STOPPED
                       : state;
}

int reload_plan_new(const Generation *generation, const ConfigDiff *diff, Plan **ret) {
        size_t count = MAX_OF(generation->count, (size_t) 1);
        CLEANUP(freep) DaemonState *states = calloc(count, sizeof(*states));
        CLEANUP(freep) const char **files = calloc(count, sizeof(*files));
        if (!states || !files)
                return -ENOMEM;

        for (unsigned i = 0; i < generation->count; i++)
                states[i] = reload_plan_state(generation, i);

        for (size_t i = 0; i < diff->count; i++) {
                const DaemonDiff *daemon = &diff->daemons[i];

                if (daemon->before != DIFF_NO_INDEX && daemon->after != DIFF_NO_INDEX)
                        files[daemon->before] =
                                child_changed_file(generation->children[daemon->before],
                                                   &diff->after->daemons[daemon->after]);
        }
        return plan_new(diff, states, files, ret);
}
