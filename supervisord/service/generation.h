/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The children of one configuration and what is kept for each, by the index that the configuration
 * gives it. A reload builds a second generation beside the one in force and swaps the two; daemons
 * that both know are the same Child in both.
 */

#include <stdbool.h>
#include <stddef.h>

#include "child/child.h"
#include "config/config.h"
#include "model/record.h"
#include "model/sequence.h"

typedef struct Generation {
        Config *config;
        size_t count;
        Child **children; /* borrowed from whoever made them; NULL: not made */
        DaemonState *states;
        bool *paused;  /* as states: when it was looked at last */
        bool *pending; /* shall be started as soon as what it needs is there */
        size_t pending_count;
        Sequence *sequence; /* for a stop of everything: ready from the begin */
        bool *in_set;       /* its set */
        Record *record;     /* what is remembered of it; NULL: it was given away */

        bool *is_changed;
        unsigned *changed; /* those that changed since the last settling */
        size_t changed_count;
        unsigned *settling; /* the list that is being gone through */
} Generation;

/* All arrays, but no children yet. Takes a reference to the configuration. */
int generation_new(Config *config, Generation **ret);
/* Frees the arrays, not the children. Accepts NULL; returns NULL. */
Generation *generation_free(Generation *generation);
DEFINE_CLEANUP(Generation, generation_free)

/* Takes note of a child's state. */
void generation_look(Generation *generation, unsigned index);
/* Puts a child on the list of changed ones; false if it was there already. */
bool generation_mark_changed(Generation *generation, unsigned index);
