/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The clock, the seed and the things that will happen. What is due is a small unordered array: it
 * is searched for the least time, and among equals the seed chooses. Without a seed the oldest
 * entry comes first.
 */

#include "fake/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "fake/fake.h"
#include "fake/parts.h"

#define WORLD_BEGIN       (1000 * USEC_PER_SEC)
#define WORLD_EVENT_MAX   8192
#define WORLD_RACE_CHANCE 8 /* one of so many doors is raced */

typedef struct WorldEvent {
        usec_t when;
        uint64_t order; /* counted up, so that equals are told apart */
        WorldHandler handler;
        void *userdata;
        uint64_t argument;
        bool planned;
} WorldEvent;

static struct {
        usec_t now;
        uint64_t seed;
        uint64_t random;
        uint64_t orders;
        uint64_t races;
        bool trace;
        WorldEvent events[WORLD_EVENT_MAX];
        size_t event_count;
} world;

static void world_reset(void) {
        world_trees_reset();
        world_processes_reset();
        world_files_reset();
        world_sockets_reset();
        world_connections_reset();
        world_descriptors_reset();
        world_doors_reset();
        fake_signals_reset();
        fake_trees_reset();
        fake_paths_reset();
        fake_datagrams_reset();
        fake_intake_reset();
        fake_captures_reset();
        fake_follows_reset();
        fake_notify_reset();
        world.event_count = 0;
}

void world_begin(uint64_t seed) {
        const char *trace = getenv("SIM_TRACE");

        world_reset();
        world.now = WORLD_BEGIN;
        world.seed = world.random = seed;
        world.orders = 0;
        world.trace = trace && *trace;
        clock_use(&world.now);
}

void world_end(void) {
        world_reset();
        world_script_reset();
        clock_use(NULL);
}

usec_t world_now(void) {
        return world.now;
}

uint64_t world_ticks(void) {
        return world.now / (10 * USEC_PER_MSEC);
}

void world_jump(usec_t duration) {
        world.now = usec_add(world.now, duration);
}

bool world_is_seeded(void) {
        return world.seed != 0;
}

/* SplitMix64: small, and every seed is a good one. */
static uint64_t world_random(void) {
        uint64_t z = world.random += 0x9e3779b97f4a7c15u;

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
}

unsigned world_choose(unsigned count) {
        if (world.seed == 0 || count < 2)
                return 0;
        return (unsigned) (world_random() % count);
}

void world_trace(const char *format, ...) {
        if (!world.trace)
                return;

        va_list arguments;
        usec_t since = world.now - WORLD_BEGIN;

        va_start(arguments, format);
        fprintf(stderr, "%6llu.%06llu ", (unsigned long long) (since / USEC_PER_SEC),
                (unsigned long long) (since % USEC_PER_SEC));
        vfprintf(stderr, format, arguments);
        fputc('\n', stderr);
        va_end(arguments);
}

static void world_add(WorldEvent event) {
        if (world.event_count == WORLD_EVENT_MAX) {
                fprintf(stderr, "the fake world is too small for so many events\n");
                abort();
        }
        event.when = MAX_OF(event.when, world.now);
        event.order = world.orders++;
        world.events[world.event_count++] = event;
}

void world_at(usec_t when, WorldHandler handler, void *userdata, uint64_t argument) {
        world_add((WorldEvent){
                .when = when,
                .handler = handler,
                .userdata = userdata,
                .argument = argument,
        });
}

void world_plan(usec_t when, WorldHandler handler, void *userdata, uint64_t argument) {
        world_add((WorldEvent){
                .when = when,
                .handler = handler,
                .userdata = userdata,
                .argument = argument,
                .planned = true,
        });
}

void world_drop_plans(void) {
        for (size_t i = world.event_count; i-- > 0;)
                if (world.events[i].planned)
                        world.events[i] = world.events[--world.event_count];
}

bool world_is_at_rest(void) {
        for (size_t i = 0; i < world.event_count; i++)
                if (!world.events[i].planned)
                        return false;
        return true;
}

usec_t world_next(void) {
        usec_t next = USEC_INFINITY;

        for (size_t i = 0; i < world.event_count; i++)
                next = MIN_OF(next, world.events[i].when);
        return next;
}

/* Without a seed the first that was made for the earliest time; with one, any that is due. */
static size_t world_pick(void) {
        size_t best = SIZE_MAX;
        unsigned seen = 0;

        for (size_t i = 0; i < world.event_count; i++) {
                const WorldEvent *event = &world.events[i];
                const WorldEvent *other = best == SIZE_MAX ? NULL : &world.events[best];

                if (event->when > world.now)
                        continue;
                if (!other || event->when < other->when) {
                        best = i;
                        seen = 1;
                } else if (event->when == other->when) {
                        seen++;
                        if (world.seed ? world_choose(seen) == 0 : event->order < other->order)
                                best = i;
                }
        }
        return best;
}

bool world_happen(void) {
        size_t index = world_pick();
        if (index == SIZE_MAX)
                return false;

        WorldEvent event = world.events[index];
        world.events[index] = world.events[--world.event_count];
        event.handler(event.userdata, event.argument);
        return true;
}

void world_pass(usec_t duration) {
        usec_t end = usec_add(world.now, duration);

        while (world_next() <= end) {
                world.now = MAX_OF(world.now, world_next());
                while (world_happen())
                        ;
        }
        world.now = end;
}

void world_stop(void) {
        world.event_count = 0;
}

void world_race(void) {
        if (!world.seed || world_choose(WORLD_RACE_CHANCE) != 0)
                return;

        while (world_choose(2) == 0 && world_happen())
                world.races++;
}

uint64_t world_races(void) {
        return world.races;
}
