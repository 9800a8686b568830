/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two generations of a reload: the second one beside the one in force, which of them is, and
 * whom none of them needs any more.
 */

#include <errno.h>
#include <string.h>

#include "service/object.h"

int reload_make_generation(Supervisor *supervisor, Config *config) {
        Reload *reload = &supervisor->reload;
        const Generation *before = supervisor->generation;

        reload->was_up = calloc(MAX_OF(before->count, (size_t) 1), sizeof(*reload->was_up));
        if (!reload->was_up)
                return -ENOMEM;
        for (size_t i = 0; i < before->count; i++)
                reload->was_up[i] =
                        !daemon_state_is_resting(before->states[i]) || before->pending[i];

        reload->before = supervisor->generation;
        int r = generation_new(config, &reload->after);
        if (r < 0)
                return r;
        reload->told = calloc(config->daemon_count, sizeof(*reload->told));
        if (!reload->told)
                return -ENOMEM;
        for (unsigned i = 0; i < config->daemon_count; i++) {
                const DaemonConfig *known = config_find(before->config, config->daemons[i].name);

                if (known)
                        reload->after->children[i] = before->children[known->index];
                else
                        r = child_new(&supervisor->child_context, config, i,
                                      &reload->after->children[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

void reload_swap(Supervisor *supervisor, Generation *to) {
        Generation *from = supervisor->generation;

        for (unsigned i = 0; i < to->count; i++) {
                const DaemonConfig *known = config_find(from->config, to->config->daemons[i].name);

                child_rebind(to->children[i], to->config, i);
                generation_look(to, i);
                to->pending[i] = known && from->pending[known->index];
                to->pending_count += to->pending[i];
        }
        memset(from->pending, 0, from->count * sizeof(*from->pending));
        from->pending_count = 0;
        supervisor->generation = to;
        log_set_priority(to->config->supervisor.log_priority);
        if (supervisor->observer.set_changed)
                supervisor->observer.set_changed(supervisor->observer.userdata);
}

void reload_free_children(const Reload *reload, const Generation *in_force) {
        const Generation *other = in_force == reload->before ? reload->after : reload->before;

        for (size_t i = 0; i < other->count; i++) {
                Child *child = other->children[i];

                if (child && !config_find(in_force->config, other->config->daemons[i].name))
                        child_free(child);
        }
}
