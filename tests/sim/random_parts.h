/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Between the files that make random daemons only:
 *
 *   random.c         all of them, what changes, their configuration
 *   random_kind.c    one: its type, its programs, how it becomes ready
 *   random_habit.c   what ill-bred ones do besides
 *   random_script.c  programs as they are written, and what befalls those who play them
 *   random_way.c     its way down, and its restarts
 */

#include "fake/script.h"
#include "sim/random.h"
#include "sim/sim.h"

#define RANDOM_ACT_MAX 16

#define PATH_ROOM    32
#define KIND_ROOM    512
#define WAY_ROOM     1024
#define NEEDS_MAX    8
#define REACTION_MAX 10
#define REACTION_ACT_MAX 6

/* A program under construction: its lists live until the next one is made in its place. */
typedef struct Script {
        FakeProgram program;
        char path[PATH_ROOM];
        FakeAct acts[RANDOM_ACT_MAX];
        size_t act_count;
        FakeReaction reactions[REACTION_MAX];
        size_t reaction_count;
        FakeAct reaction_acts[REACTION_MAX][REACTION_ACT_MAX];
} Script;

/* What changes between two configurations: its command, what it needs, whether it is there. */
typedef struct RandomDaemon {
        unsigned index;
        bool present;
        bool broken;      /* starts what fails */
        bool is_master;   /* others hold its socket */
        unsigned variant; /* another argument, and so another command */
        unsigned needs[NEEDS_MAX];
        size_t requires_count, needs_count; /* the first ones are required */
        char kind[KIND_ROOM];               /* its settings: type and readiness, */
        char way[WAY_ROOM];                 /* … and the rest */
        char pidfile[PATH_ROOM];
        char file[PATH_ROOM];
        char conf[PATH_ROOM];                    /* its own configuration */
        char socket[PATH_ROOM], name[PATH_ROOM]; /* listening ones: a path, an abstract one */
        Script main;                             /* what the configuration starts */
        Script daemon;                           /* what a forking one leaves */
        Script middle;                           /* between them, in a double fork */
        Script job;                              /* a worker or job */
        Script next;                             /* another main process */
        Script other;                            /* who looks like one */
        Script second;                           /* a second start of it, which fails */
} RandomDaemon;

/* ---- text ---- */

/* What is added from now on goes there. */
void random_write_to(char *buffer, size_t room);
void random_add(const char *format, ...) PRINTF_LIKE(1, 2);

const char *random_pick(const char *const *words, unsigned count);
#define PICK(...)                                                                                  \
        random_pick((const char *const[]){ __VA_ARGS__ },                                          \
                    sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

/* ---- scripts ---- */

void script_begin(Script *script, const char *kind, unsigned index);
void script_act(Script *script, FakeAct act);
#define ACT(script, ...) script_act((script), (FakeAct) __VA_ARGS__)
/* What it does at a signal, to be filled in: REACTION_ACT_MAX - 1 acts at most. */
FakeAct *script_react(Script *script, int signo);
/* What it does at a signal that asks it to end, and at all of them; and at one for a reload. */
void script_react_to_stop(Script *script, int signo, bool has_workers);
void script_react_to_all(Script *script, bool has_workers);
void script_react_to_reload(Script *script, bool tells);
/* What befalls it while it runs, and what befalls its exec. */
void script_misfortune(Script *script);
void script_unable(Script *script);
/* Makes it known. */
void script_end(Script *script);

/* ---- parts of a daemon ---- */

/* A command, good or bad; see random_make_helpers(). */
const char *random_helper(void);
/* Whether some of this scenario are looked at while they run; then it never comes to rest. */
bool random_has_health(void);
void random_make_kind(RandomDaemon *daemon);
/* What it does beside all that, at times; before its script gets other reactions to signals. */
void random_make_habits(RandomDaemon *daemon, Script *self);
/* The program of a second start, by hand or by itself. */
void random_make_second(RandomDaemon *daemon);
void random_make_way(RandomDaemon *daemon);
/* The programs of the commands of random_make_way(). */
void random_make_helpers(void);
