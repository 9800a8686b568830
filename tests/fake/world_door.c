/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Doors that fail, or before which something happens: the nth time, or by chance. */

#include <errno.h>
#include <string.h>

#include "fake/parts.h"
#include "fake/world.h"

static struct Door {
        unsigned asked;
        int error;
        unsigned from, until; /* fails for from <= asked < until */
        unsigned per_mille;
        unsigned interrupted; /* at this call; 0: never */
        void (*interruption)(void);
} doors[DOOR_MAX_];

static bool all_shut;

void world_doors_reset(void) {
        all_shut = false;
        memset(doors, 0, sizeof(doors));
}

void fake_fail(FakeDoor door, int error, unsigned nth, unsigned times) {
        doors[door].error = error;
        doors[door].from = doors[door].asked + nth;
        doors[door].until = doors[door].from + times;
}

void fake_interrupt(FakeDoor door, unsigned nth, void (*interruption)(void)) {
        doors[door].interrupted = doors[door].asked + nth;
        doors[door].interruption = interruption;
}

void fake_fail_randomly(FakeDoor door, int error, unsigned per_mille) {
        doors[door].error = error;
        doors[door].per_mille = per_mille;
}

unsigned fake_door_count(FakeDoor door) {
        return doors[door].asked;
}

static bool door_draws(const struct Door *door) {
        return world_is_seeded() && world_choose(1000) < door->per_mille;
}

void fake_doors_shut(bool shut) {
        all_shut = shut;
}

int fake_door(FakeDoor door) {
        struct Door *d = &doors[door];

        if (all_shut)
                return -EIO;
        unsigned call = ++d->asked;

        if (call == d->interrupted)
                d->interruption();
        world_race();
        if ((call >= d->from && call < d->until) || door_draws(d)) {
                world_trace("  door %d fails", door);
                return -d->error;
        }
        return 0;
}
