/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan of what there is: the states of the daemons, and their own files. */

#include <errno.h>

#include "service/object.h"

int reload_plan_new(const Generation *generation, const ConfigDiff *diff, Plan **ret) {
        CLEANUP(freep) const char **files =
                calloc(MAX_OF(generation->count, (size_t) 1), sizeof(*files));
        if (!files)
                return -ENOMEM;

        for (size_t i = 0; i < diff->count; i++) {
                const DaemonDiff *daemon = &diff->daemons[i];

                if (daemon->before != DIFF_NO_INDEX && daemon->after != DIFF_NO_INDEX)
                        files[daemon->before] =
                                child_changed_file(generation->children[daemon->before],
                                                   &diff->after->daemons[daemon->after]);
        }
        return plan_new(diff, generation->states, files, ret);
}
