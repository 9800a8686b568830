/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One look whether a daemon is there for its clients: it listens, it accepts a connection, a file
 * exists, or a command says so. For its readiness and for its health. A look never blocks; what
 * takes time is under way until its answer comes, it is called off, or, for a command, its time is
 * over. When and how often is the matter of who looks.
 */

#include "child/command.h"

typedef enum LookOn {
        LOOK_LISTEN,
        LOOK_TCP,
        LOOK_UNIX,
        LOOK_FILE,
        LOOK_COMMAND,
} LookOn;

/* All members are borrowed: those of the configuration for as long as the look is under way. */
typedef struct LookOrder {
        LookOn on;
        const char *address;
        int64_t port;
        const char *path;
        char *const *command;
        usec_t timeout; /* of the command; the others have none of their own */
        void (*answered)(void *userdata, bool good);
        void *userdata;
} LookOrder;

#define LOOK_TEXT_MAX 400

/* Embedded in its owner; empty as { .connecting_fd = -1 }. */
typedef struct Look {
        LoopSource *connecting;
        int connecting_fd;
        Command *command; /* the last one, whether it runs or has ended */
        void (*answered)(void *userdata, bool good);
        void *userdata;
        char text[LOOK_TEXT_MAX]; /* what was wrong at the last look; "" for nothing */
} Look;

enum {
        LOOK_E_BAD = 1,   /* it is not there; see the text */
        LOOK_E_UNDER_WAY, /* `answered` will be called once, unless look_cancel() comes first */
};

/* Looks; 0: it is there. None may be under way. */
int look_begin(Look *look, Child *child, const LookOrder *order);
bool look_is_under_way(const Look *look);
/* Calls it off and kills what it started; the text stays. */
void look_cancel(Look *look);
/* At the end of its owner. */
void look_done(Look *look);
/* Processes were reaped, where trees are found by descent. */
void look_processes_reaped(Look *look);
