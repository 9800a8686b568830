/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The state machine of one daemon: a pure table. It knows nothing of processes; it is told what
 * happened and answers with the next state and what is to be done. doc/STATES.md is printed from
 * it.
 */

#include <stdbool.h>
#include <stdint.h>

typedef enum DaemonState {
        STATE_STOPPED,  /* nothing of it lives; it waits for an order */
        STATE_STARTING, /* its first process runs, its main process is not known yet */
        STATE_PROBING,  /* its main process is known, its readiness is not seen yet */
        STATE_RUNNING,  /* ready */
        STATE_DONE,     /* its command ended with success: it counts as ready, nothing lives */
        STATE_FREEZING, /* its intake is being closed */
        STATE_FROZEN,   /* closed, or given up; it waits for the others */
        STATE_DRAINING, /* its work in flight is being finished */
        STATE_DRAINED,  /* finished, or given up; it waits for the others */
        STATE_ENDED,    /* its tree became empty while it was frozen or drained, as it should */
        STATE_STOPPING, /* cleanup: the stop schedule runs */
        STATE_KILLING,  /* cleanup: the whole tree was killed and is not empty yet */
        STATE_TIDYING,  /* the tree is empty, the cleanup command runs */
        STATE_SWEEPING, /* it ended unasked or failed to start: what is left of it is being ended */
        STATE_CLEARED,  /* what was in the way of its start is gone: starts in a moment */
        STATE_DELAYED,  /* waits for its next start */
        STATE_FAILED,   /* given up; nothing of it lives */
        STATE_STUCK,    /* killed, but something of it still lives */
        STATE_MAX_,
} DaemonState;

typedef enum DaemonEvent {
        /* orders from above */
        EVENT_START,
        EVENT_FREEZE,
        EVENT_DRAIN,
        EVENT_CLEANUP,
        EVENT_THAW,    /* back to work, after a freeze or drain that no cleanup follows */
        EVENT_BLOCKED, /* it cannot be started: something that it requires is not there */
        EVENT_DISMISSED, /* it has failed, and an operator wants it stopped */
        /* deadlines of the phases, from above too */
        EVENT_FREEZE_DEADLINE,
        EVENT_DRAIN_DEADLINE,
        EVENT_CLEANUP_DEADLINE,
        EVENT_GRACE_OVER, /* after that of cleanup: nothing at all is waited for any more */
        /* what happened */
        EVENT_LEFTOVERS,    /* in the way of a start: the tree is not empty */
        EVENT_MAIN_FOUND,   /* the main process is known (or another one now) */
        EVENT_READY,        /* readiness seen */
        EVENT_START_FAILED, /* not executed, its first process failed, or no main process */
        EVENT_START_TIMEOUT,
        EVENT_COMPLETED, /* the command ended with success, nothing of it is left: all is done */
        EVENT_MAIN_EXITED,
        EVENT_TREE_EMPTY,
        EVENT_FREEZE_DONE,
        EVENT_FREEZE_FAILED,
        EVENT_DRAIN_DONE,
        EVENT_DRAIN_FAILED,
        EVENT_STEP_DUE,   /* the time of a step of the stop schedule is over, another one follows */
        EVENT_STEPS_OVER, /* … none follows, or the next one is KILL */
        EVENT_KILL_TIMEOUT,
        EVENT_TIDIED_REST,    /* tidied up; it shall not run */
        EVENT_TIDIED_CLEARED, /* tidied up; all of it was in the way of a start, which is due now */
        EVENT_TIDIED_RETRY,   /* tidied up; it shall be started again after a delay */
        EVENT_TIDIED_GIVE_UP, /* tidied up; it shall run, but there is no use */
        EVENT_DELAY_OVER,
        EVENT_MAX_,
} DaemonEvent;

/* What is to be done, in this order. */
typedef enum DaemonAction {
        ACTION_NONE = 0,
        ACTION_NOTE_FAILURE = 1 << 0, /* it failed: remember and log why */
        ACTION_NOTE_FORCED = 1 << 1,  /* a deadline cut it short: remember and log */
        ACTION_NOTE_SKIPPED = 1 << 2, /* its intake could not be closed: remember and log */
        ACTION_NOTE_STUCK = 1 << 3,   /* it could not be killed: log */
        ACTION_FOLLOW = 1 << 4,       /* take note of the main process that was found */
        ACTION_SPAWN = 1 << 5,        /* start the first process and the start deadline */
        ACTION_PROBE = 1 << 6,        /* begin to look for readiness */
        ACTION_SAY_READY = 1 << 7,    /* it runs from now on: log */
        ACTION_FREEZE = 1 << 8,       /* begin to close the intake */
        ACTION_DRAIN = 1 << 9,        /* begin to let work finish */
        ACTION_CHECK_TREE = 1 << 10,  /* from now on report when the tree is empty */
        ACTION_STOP = 1 << 11,        /* begin the stop schedule */
        ACTION_STEP = 1 << 12,        /* take its next step */
        ACTION_PASS_ON = 1 << 13,     /* let what is left have the step's signal too, in a while */
        ACTION_KILL = 1 << 14,        /* kill the whole tree and start the kill deadline */
        ACTION_TIDY = 1 << 15,        /* run the cleanup command */
        ACTION_REMOVE = 1 << 16,      /* remove its files and its cgroup */
        ACTION_DELAY = 1 << 17,       /* start the delay before the next start */
        ACTION_NOTE_END = 1 << 18,    /* it is at rest: log */
        ACTION_THAW = 1 << 19,        /* open the intake again */
        ACTION_FREEZE_LATE = 1 << 20, /* close the intake only now, then let work finish */
        ACTION_LEFTOVERS = 1 << 21,   /* act by what is known of their work now */
        ACTION_MAX_ = 1 << 22,
} DaemonAction;

typedef enum FsmKind {
        FSM_BUG = 0, /* cannot happen here; a forgotten cell is one of these */
        FSM_GO,      /* to another state */
        FSM_STAY,    /* act, but stay */
        FSM_IGNORE,  /* may come here and means nothing */
} FsmKind;

typedef struct FsmCell {
        FsmKind kind;
        DaemonState next;
        uint32_t actions; /* DaemonAction bits */
} FsmCell;

/* The cell for an event in a state. For FSM_STAY and FSM_IGNORE, next == state. */
FsmCell fsm_step(DaemonState state, DaemonEvent event);

const char *daemon_state_name(DaemonState state);   /* "running" */
const char *daemon_event_name(DaemonEvent event);   /* "MAIN_EXITED" */
const char *daemon_action_name(DaemonAction action); /* "SPAWN", one bit only */

/* Sets of states. */
bool daemon_state_is_live(DaemonState state);    /* something of it may live */
bool daemon_state_is_ready(DaemonState state);   /* those that need it may start */
bool daemon_state_is_up(DaemonState state);      /* ready, or on the way there */
bool daemon_state_is_settled(DaemonState state); /* running, at rest, or delayed: a start is over */
bool daemon_state_is_frozen(DaemonState state);  /* takes in nothing more: done with freeze */
bool daemon_state_is_drained(DaemonState state); /* done with drain */
bool daemon_state_is_resting(DaemonState state); /* done with cleanup */
bool daemon_state_is_taken_out(DaemonState state); /* frozen to drained or ended by it */
