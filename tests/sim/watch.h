/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Between watch.c (what holds always), watch_order.c (what holds for orders and deadlines) and
 * watch_grace.c (what holds for the time of a whole stop).
 */

#include "sim/sim.h"

#define DAEMON_MAX 64
#define RUN_MAX    64
#define NAME_ROOM  32
#define ORDER_MAX  4096
#define LOST_MOST  (20 * USEC_PER_MSEC) /* so long the end of a process may go unnoticed */

/* A daemon, by its name: what it is called stays, its index does not. */
typedef struct Watched {
        char name[NAME_ROOM];
        const WorldTree *tree;
        const WorldTree *helper; /* of its commands */
        bool configured;       /* in the generation in force */
        bool started;          /* before, there may be processes of an earlier run */
        bool held;             /* an operator stopped it, nobody has asked for a start since */
        bool forced_now;       /* in this step */
        bool open_said;        /* its intake stays open, as was said since it runs */
        DaemonState seen;      /* at the last step */
        bool cut;              /* forced since the first phase of the stop of everything began */
        unsigned forced;       /* how often that was said */
        bool stuck;            /* it was, when it was last seen */
        usec_t stopping_since; /* its stop schedule runs; 0: it does not */
        const Generation *stopping_by;
        usec_t left_since;     /* what its main process left is waited for, … */
        usec_t left_until;     /* … until then; 0: it is not */
        bool left_begun;       /* in this step */
        usec_t blocked; /* when something of it could not die, seen last */
        /* since when so; 0: all is well */
        usec_t empty_since;     /* it is said to run, but nothing of it lives */
        usec_t lost_since;      /* … but its main process does not, */
        pid_t lost;             /* … which is that one; 0: none is known, */
        pid_t main;             /* … and was this one */
        usec_t startable_since; /* it waits for its start, but for nobody else */
        usec_t sick_since;      /* it is sick, but nobody ends it */
        usec_t fallen_since;    /* it is up, but something that it requires is not */
} Watched;

/* A sequence that runs, and what it has to do with each daemon in the phase at hand. */
typedef struct Run {
        const Sequence *sequence; /* NULL: free */
        Phase phase, last;
        usec_t begun;
        usec_t slept; /* watch.slept at that time */
        bool in_phase;
        bool hurried;
        bool frozen_only;      /* nothing follows its freeze */
        bool late[DAEMON_MAX]; /* serves others of the set: is frozen by its drain */
        bool in_set[DAEMON_MAX];
        bool counts[DAEMON_MAX]; /* was not done when the phase began */
        bool ordered[DAEMON_MAX];
        bool deadline_given[DAEMON_MAX];
        usec_t latest[DAEMON_MAX];   /* from the begin of the phase */
        usec_t deadline[DAEMON_MAX]; /* absolute */
} Run;

typedef struct Order {
        usec_t when;
        Watched *daemon;
        DaemonEvent event;
} Order;

typedef struct Watch {
        Watched daemons[DAEMON_MAX];
        size_t daemon_count;
        const Generation *generation;
        Watched *nodes[DAEMON_MAX]; /* by index of that generation */
        unsigned order[DAEMON_MAX]; /* each after what it needs */
        uint64_t births;            /* processes there were before it began */
        size_t run_count;           /* places used so far */
        Run *run;                   /* the one whose orders are being given */
        size_t order_count;
        usec_t stop_begun; /* absolute; 0: not yet */
        usec_t grace;      /* the whole time of the stop; USEC_INFINITY: no limit */
        bool abandoned;    /* it ended without waiting for anybody */
        usec_t awake;      /* the machine stood still until then: what was due before is due then */
        usec_t slept;      /* so long it did, all together */
        uint64_t races;    /* at the end of the last step */
        bool doors;        /* some may fail */
        bool lossy;        /* notices may be lost */
        bool unprivileged; /* at some time we were not allowed all */
        bool repeated;     /* a stop was asked for again in this step, */
        uint64_t digest;   /* … when all was like this */
} Watch;

extern Watch watch;
extern Run watch_runs[RUN_MAX];
extern Order watch_orders[ORDER_MAX];

/* Its place, made if need be. */
Watched *watch_daemon(const char *name);
/* Another configuration may be in force. */
void watch_look_at_generation(void);
/* Whether that is over, and was before the machine stood still last. */
bool watch_is_over(usec_t deadline);
/* Finds deadlines that are over and were not given. */
void watch_judge_missed(void);
bool watch_runs_are_active(void);

/* watch_grace.c: the stop of everything begins. */
void watch_grace_begin(void);
/* The last moment for deadlines of that sequence, absolute; USEC_INFINITY: there is none. */
usec_t watch_cut(const Run *run);
/* A daemon gets no more time to vanish. */
void watch_judge_left(const Run *run, unsigned node);
void watch_judge_grace(void);

/* watch_reload.c: there is none; one begins, and what it finds. */
void watch_reload_reset(void);
void watch_reload_begin(const Config *found);

/* watch_forced.c: around each order, for each line of a forced daemon, after each step. */
void watch_forced_begin(unsigned node, DaemonEvent order);
void watch_forced_end(void);
void watch_forced_line(const char *name, const char *text);
void watch_note_schedule(unsigned node, DaemonState state);
void watch_judge_repeat(void);

/* watch_main.c: after each step, and for the lines that it is ready, and that it has ended. */
void watch_judge_main(unsigned node, DaemonState state);
void watch_ready_line(const char *name);
void watch_ended_line(const char *name);

/* watch_record.c */
void watch_records_begin(void);
/* How many records of a stop of everything there were. */
unsigned watch_stop_records(void);

/* watch_intake.c */
void watch_intake_line(MessageId message, const char *daemon, const char *text);
void watch_judge_intake(unsigned node, DaemonState state);
void watch_judge_open(unsigned node);
/* What its main process left takes in nothing more; it has nothing in flight. */
void watch_judge_left_closed(unsigned node);
void watch_judge_left_idle(const char *name);

/* watch_leftovers.c */
void watch_leftovers_line(MessageId message, const char *name, const char *text);
void watch_leftovers_order(unsigned node, DaemonEvent order);
void watch_judge_leftovers(unsigned node, DaemonState state);
void watch_judge_records(void);

static inline size_t watch_count(void) {
        return watch.generation->count;
}

static inline DaemonState watch_state(unsigned node) {
        return child_state(watch.generation->children[node]);
}

/* Out of service until an operator wants it back. */
static inline bool watch_is_paused(unsigned node) {
        return child_is_paused(watch.generation->children[node]);
}

static inline const char *watch_name(unsigned node) {
        return child_name(watch.generation->children[node]);
}

static inline bool watch_is_done(Phase phase, unsigned node) {
        switch (phase) {
        case PHASE_FREEZE:
                return daemon_state_is_frozen(watch_state(node));
        case PHASE_DRAIN:
                return daemon_state_is_drained(watch_state(node));
        default:
                return daemon_state_is_resting(watch_state(node));
        }
}
