/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays by index; see the header. */

#include "service/generation.h"

#include <errno.h>

int generation_new(Config *config, Generation **ret) {
        CLEANUP(generation_freep) Generation *generation = calloc(1, sizeof(*generation));
        if (!generation)
                return -ENOMEM;

        size_t count = config->daemon_count;
        generation->config = config_ref(config);
        generation->count = count;
        generation->children = calloc(count, sizeof(*generation->children));
        generation->states = calloc(count, sizeof(*generation->states));
        generation->paused = calloc(count, sizeof(*generation->paused));
        generation->pending = calloc(count, sizeof(*generation->pending));
        generation->in_set = calloc(count, sizeof(*generation->in_set));
        generation->is_changed = calloc(count, sizeof(*generation->is_changed));
        generation->changed = calloc(count, sizeof(*generation->changed));
        generation->settling = calloc(count, sizeof(*generation->settling));
        if (!generation->children || !generation->states || !generation->paused ||
            !generation->pending ||
            !generation->in_set || !generation->is_changed || !generation->changed ||
            !generation->settling)
                return -ENOMEM;

        int r = sequence_new(config, &generation->sequence);
        if (r >= 0)
                r = record_new(config, "stop of everything", NULL, &generation->record);
        if (r < 0)
                return r;
        *ret = TAKE(generation);
        return 0;
}

Generation *generation_free(Generation *generation) {
        if (!generation)
                return NULL;
        sequence_free(generation->sequence);
        record_free(generation->record);
        free(generation->children);
        free(generation->states);
        free(generation->paused);
        free(generation->pending);
        free(generation->in_set);
        free(generation->is_changed);
        free(generation->changed);
        free(generation->settling);
        config_unref(generation->config);
        free(generation);
        return NULL;
}

void generation_look(Generation *generation, unsigned index) {
        generation->states[index] = child_state(generation->children[index]);
        generation->paused[index] = child_is_paused(generation->children[index]);
}

bool generation_mark_changed(Generation *generation, unsigned index) {
        if (generation->is_changed[index])
                return false;
        generation->is_changed[index] = true;
        generation->changed[generation->changed_count++] = index;
        return true;
}
