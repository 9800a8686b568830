/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The trees of the world by their names: found by a hash, since everything asks for them. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake/parts.h"
#include "fake/world.h"

#define TREE_MAX 512
#define SLOT_MAX (2 * TREE_MAX) /* a power of two */

static WorldTree nowhere; /* "" */

static struct {
        WorldTree table[TREE_MAX];
        size_t count;
        WorldTree *slots[SLOT_MAX];
} all;

void world_trees_reset(void) {
        nowhere = (WorldTree){ 0 };
        memset(all.slots, 0, sizeof(all.slots));
        all.count = 0;
}

/* FNV-1a. */
static size_t tree_hash(const char *name) {
        uint32_t hash = 0x811c9dc5;

        for (; *name; name++)
                hash = (hash ^ (unsigned char) *name) * 0x01000193;
        return hash % SLOT_MAX;
}

/* Where it is, or would be. */
static WorldTree **tree_slot(const char *name) {
        size_t slot = tree_hash(name);

        while (all.slots[slot] && strcmp(all.slots[slot]->name, name) != 0)
                slot = (slot + 1) % SLOT_MAX;
        return &all.slots[slot];
}

WorldTree *world_tree(const char *name) {
        if (*name == '\0')
                return &nowhere;

        WorldTree **slot = tree_slot(name);
        if (*slot)
                return *slot;
        if (all.count == TREE_MAX) {
                fprintf(stderr, "the fake world is too small for so many trees\n");
                abort();
        }

        *slot = &all.table[all.count++];
        **slot = (WorldTree){ 0 };
        strncat((*slot)->name, name, WORLD_NAME_MAX - 1);
        return *slot;
}

unsigned world_population(const char *name) {
        unsigned count = 0;

        if (name)
                return world_tree(name)->population;
        for (size_t i = 0; i < all.count; i++)
                count += all.table[i].population;
        return count;
}
