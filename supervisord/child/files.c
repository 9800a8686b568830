/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A daemon's own configuration files, as it has read them: their fingerprints, taken before it is
 * started and before it is told to read them anew. So a change at the same moment is seen once more
 * rather than not at all.
 */

#include <string.h>

#include "base/strv.h"
#include "child/object.h"
#include "sys/fingerprint.h"

uint64_t *files_take(const DaemonConfig *daemon) {
        size_t count = strv_length(daemon->reload.files);

        if (count == 0)
                return NULL;
        uint64_t *taken = calloc(count, sizeof(*taken));
        for (size_t i = 0; taken && i < count; i++)
                taken[i] = fingerprint_take(daemon->reload.files[i]);
        return taken;
}

void files_set(Child *child, uint64_t *taken_consume) {
        free(child->files);
        child->files = taken_consume;
}

/* The number that is kept for a path; NULL: none. */
static const uint64_t *files_find(const Child *child, const char *path) {
        char *const *files = child->daemon->reload.files;

        for (size_t i = 0; child->files && files && files[i]; i++)
                if (strcmp(files[i], path) == 0)
                        return &child->files[i];
        return NULL;
}

uint64_t *files_take_over(const Child *child, const DaemonConfig *after) {
        size_t count = strv_length(after->reload.files);

        if (count == 0)
                return NULL;
        uint64_t *taken = calloc(count, sizeof(*taken));
        for (size_t i = 0; taken && i < count; i++) {
                const uint64_t *known = files_find(child, after->reload.files[i]);

                taken[i] = known ? *known : fingerprint_take(after->reload.files[i]);
        }
        return taken;
}

const char *child_changed_file(const Child *child, const DaemonConfig *after) {
        for (char *const *file = after->reload.files; file && *file; file++) {
                const uint64_t *known = files_find(child, *file);

                if (known && *known != fingerprint_take(*file))
                        return *file;
        }
        return NULL;
}
