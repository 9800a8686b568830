/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Between watch.c (what holds always) and watch_order.c (what holds for orders and deadlines).
 */

#include "sim/sim.h"

#define DAEMON_MAX 64
#define ORDER_MAX  4096
#define LOST_MOST  (20 * USEC_PER_MSEC) /* so long the end of a process may go unnoticed */

typedef struct Watched {
        bool started; /* before, there may be processes of an earlier run */
        bool counts;  /* was not done when the phase began */
        bool ordered; /* in the phase at hand */
        bool deadline_given;
        bool cut;               /* forced since the stop began */
        bool blocked;           /* something of it could not die at the last step */
        usec_t empty_since;     /* it is said to run, but nothing of it lives; 0: all is well */
        usec_t startable_since; /* it waits for its start, but for nobody else; 0: all is well */
        usec_t fallen_since; /* it is up, but something that it requires is not; 0: all is well */
        usec_t latest;       /* in the phase, from its begin */
        usec_t deadline;     /* absolute */
} Watched;

typedef struct Order {
        usec_t when;
        unsigned node;
        DaemonEvent event;
} Order;

typedef struct Watch {
        Watched daemons[DAEMON_MAX];
        unsigned order[DAEMON_MAX]; /* each after what it needs */
        Order orders[ORDER_MAX];
        size_t order_count;
        Phase phase;
        usec_t begun;
        bool in_phase;
        bool late;  /* the machine stood still, deadlines may be */
        bool doors; /* some may fail */
} Watch;

extern Watch watch;

/* Judges the end of the phase at hand. */
void watch_judge_phase_end(void);
/* Finds deadlines that are over and were not given. */
void watch_judge_missed(void);

static inline size_t watch_count(void) {
        return sim_supervisor()->count;
}

static inline DaemonState watch_state(unsigned node) {
        return child_state(sim_supervisor()->children[node]);
}

static inline const char *watch_name(unsigned node) {
        return child_name(sim_supervisor()->children[node]);
}

static inline bool watch_in_set(unsigned node) {
        return sim_supervisor()->in_set[node];
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
