/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When it is looked. After a look that found something new the next one comes a moment later,
 * without a watch, so that a flood costs so many looks and no wake-up more; after one that found
 * nothing new there is a watch again.
 */

#include "sys/follow.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "sys/follow_internal.h"

#define FOLLOW_PAUSE (10 * USEC_PER_MSEC)

Follow *follow_new(Loop *loop, const char *name, const FollowPlace *place) {
        Follow *follow = calloc(1, sizeof(*follow));

        if (!follow)
                return NULL;
        follow->place = place;
        follow->loop = loop;
        follow->name = name;
        follow->fd = -1;
        return follow;
}

Follow *follow_free(Follow *follow) {
        if (!follow)
                return NULL;
        loop_source_free(follow->watch);
        loop_source_free(follow->timer);
        follow->place->close(follow);
        free(follow);
        return NULL;
}

static void follow_pause(Follow *follow) {
        follow->watch = loop_source_free(follow->watch);
        /* from its end: a slow one would be followed at once, and all that comes after wait */
        loop_timer_set(follow->timer, usec_add(clock_now(), FOLLOW_PAUSE));
}

/* Without a watch, the time has to do. */
static FollowSight follow_watch(Follow *follow) {
        if (follow->place->watch(follow, &follow->watch) < 0) {
                follow_pause(follow);
                return FOLLOW_NOTHING;
        }
        return follow->place->look(follow); /* it may have come before the watch */
}

/* May free it. */
void follow_awake(Follow *follow) {
        FollowSight sight = follow->place->look(follow);

        if (sight == FOLLOW_NOTHING && !follow->watch)
                sight = follow_watch(follow);
        if (sight == FOLLOW_OTHERS)
                follow_pause(follow);
        if (sight != FOLLOW_IT)
                return;
        follow->watch = loop_source_free(follow->watch);
        follow->timer = loop_source_free(follow->timer);
        (void) follow->found(follow->userdata);
}

static int follow_on_timer(void *userdata) {
        follow_awake(userdata);
        return 0;
}

int follow_start(Follow *follow, FollowTest test, LoopHandler found, void *userdata) {
        follow->test = test;
        follow->found = found;
        follow->userdata = userdata;
        int r = loop_add_timer(follow->loop, &follow->timer, LOOP_PROBE, follow->name,
                               follow_on_timer, follow);
        if (r >= 0)
                r = follow->place->open(follow);
        if (r >= 0) /* at once, but not before this returns */
                r = loop_timer_set(follow->timer, loop_now(follow->loop));
        return r;
}
