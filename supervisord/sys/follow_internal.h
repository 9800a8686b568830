/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Between follow.c (when it is looked), follow_file.c and follow_journal.c (where).
 */

#include "sys/follow.h"

typedef enum FollowSight {
        FOLLOW_NOTHING, /* nothing new */
        FOLLOW_OTHERS,  /* something new, but not the line; there may be more */
        FOLLOW_IT,
} FollowSight;

struct sd_journal;

/* The two places, as functions; the first two may fail with a negative errno. */
typedef struct FollowPlace {
        int (*open)(Follow *follow);
        int (*watch)(Follow *follow, LoopSource **ret); /* to call follow_awake() */
        FollowSight (*look)(Follow *follow);            /* a bounded piece of what is new */
        void (*close)(Follow *follow);
} FollowPlace;

struct Follow {
        const FollowPlace *place;
        Loop *loop;
        const char *name;
        LoopSource *watch; /* NULL while it is known that there may be more */
        LoopSource *timer; /* the next look, then */
        FollowTest test;
        LoopHandler found;
        void *userdata;

        int fd; /* of the file; -1: none */
        size_t length;
        bool cut; /* the rest of this line is passed over */
        char line[FOLLOW_LINE_MAX];

        struct sd_journal *journal;
        const char *identifier, *unit;
        usec_t since; /* clock_realtime() */
};

/* What both begin with. */
Follow *follow_new(Loop *loop, const char *name, const FollowPlace *place);
/* Something may be new. */
void follow_awake(Follow *follow);
