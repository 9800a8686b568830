/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of daemon states. Read a row as "in this state, these events lead there". Every cell is
 * written with one of four macros; a cell that nobody wrote is a BUG, and
 * tests/unit/test_model_fsm.c walks them all.
 */

#include "model/fsm.h"

#include <assert.h>
#include <stddef.h>

#include "base/macro.h"

#define GO(state, what)  { FSM_GO, STATE_##state, (what) }
#define STAY(what)       { FSM_STAY, 0, (what) }
#define IGNORE           { FSM_IGNORE, 0, ACTION_NONE }
#define BUG              { FSM_BUG, 0, ACTION_NONE }

#define A(action) ACTION_##action

/*
 * Nothing of it lives, and it starts as soon as its timer says so. The deadline is of the cleanup
 * of a sick one, which was over in no time at all.
 */
#define AWAITS_ITS_START                                                                           \
        [EVENT_START] = GO(STARTING, A(SPAWN)), [EVENT_FREEZE] = GO(STOPPED, A(NONE)),             \
        [EVENT_DRAIN] = GO(STOPPED, A(NONE)), [EVENT_CLEANUP] = GO(STOPPED, A(NONE)),              \
        [EVENT_THAW] = IGNORE, [EVENT_CLEANUP_DEADLINE] = IGNORE,                                  \
        [EVENT_DELAY_OVER] = GO(STARTING, A(SPAWN))

static const FsmCell table[STATE_MAX_][EVENT_MAX_] = {
        [STATE_STOPPED] = {
                [EVENT_START] = GO(STARTING, A(SPAWN)),
                [EVENT_FREEZE] = IGNORE,
                [EVENT_DRAIN] = IGNORE,
                [EVENT_CLEANUP] = IGNORE,
                [EVENT_THAW] = IGNORE,
                [EVENT_BLOCKED] = GO(FAILED, A(NOTE_END)),
                [EVENT_FREEZE_DEADLINE] = IGNORE,
                [EVENT_DRAIN_DEADLINE] = IGNORE,
                [EVENT_CLEANUP_DEADLINE] = IGNORE,
                [EVENT_GRACE_OVER] = IGNORE,
        },
        /* A daemon that is not up yet has taken in no work: a stop goes past freeze and drain. */
        [STATE_STARTING] = {
                [EVENT_START] = IGNORE,
                [EVENT_FREEZE] = GO(DRAINED, A(NONE)),
                [EVENT_DRAIN] = GO(DRAINED, A(NONE)),
                [EVENT_CLEANUP] = GO(STOPPING, A(CHECK_TREE) | A(STOP)),
                [EVENT_THAW] = IGNORE,
                [EVENT_LEFTOVERS] = GO(SWEEPING, A(CHECK_TREE) | A(STOP)),
                [EVENT_COMPLETED] = GO(DONE, A(SAY_READY)),
                [EVENT_MAIN_FOUND] = GO(PROBING, A(FOLLOW) | A(PROBE)),
                [EVENT_START_FAILED] = GO(SWEEPING, A(NOTE_FAILURE) | A(CHECK_TREE) | A(STOP)),
                [EVENT_START_TIMEOUT] = GO(SWEEPING, A(NOTE_FAILURE) | A(CHECK_TREE) | A(STOP)),
        },
        /* It may serve already although it has not said so: freeze and drain are for it too. */
        [STATE_PROBING] = {
                [EVENT_START] = IGNORE,
                [EVENT_FREEZE] = GO(FREEZING, A(FREEZE)),
                [EVENT_DRAIN] = GO(DRAINING, A(FREEZE_LATE)),
                [EVENT_CLEANUP] = GO(STOPPING, A(CHECK_TREE) | A(STOP)),
                [EVENT_THAW] = IGNORE,
                [EVENT_MAIN_FOUND] = STAY(A(FOLLOW)),
                [EVENT_READY] = GO(RUNNING, A(SAY_READY)),
                [EVENT_START_FAILED] = GO(SWEEPING, A(NOTE_FAILURE) | A(CHECK_TREE) | A(STOP)),
                [EVENT_START_TIMEOUT] = GO(SWEEPING, A(NOTE_FAILURE) | A(CHECK_TREE) | A(STOP)),
                [EVENT_MAIN_EXITED] = GO(SWEEPING, A(NOTE_FAILURE) | A(CHECK_TREE) | A(STOP)),
        },
        [STATE_RUNNING] = {
                [EVENT_START] = IGNORE,
                [EVENT_FREEZE] = GO(FREEZING, A(FREEZE)),
                [EVENT_DRAIN] = GO(DRAINING, A(FREEZE_LATE)),
                [EVENT_CLEANUP] = GO(STOPPING, A(CHECK_TREE) | A(STOP)),
                [EVENT_THAW] = IGNORE,
                [EVENT_MAIN_FOUND] = STAY(A(FOLLOW)),
                [EVENT_READY] = IGNORE,
                [EVENT_MAIN_EXITED] = GO(SWEEPING, A(NOTE_FAILURE) | A(CHECK_TREE) | A(STOP)),
        },
        /* Nothing of it lives, but there may be something to undo. */
        [STATE_DONE] = {
                [EVENT_START] = IGNORE,
                [EVENT_FREEZE] = IGNORE,
                [EVENT_DRAIN] = IGNORE,
                [EVENT_CLEANUP] = GO(STOPPING, A(CHECK_TREE) | A(STOP)),
                [EVENT_THAW] = IGNORE,
                [EVENT_FREEZE_DEADLINE] = IGNORE,
                [EVENT_DRAIN_DEADLINE] = IGNORE,
        },
        /* From here on the end of the main process is wanted, or at least no accident. */
        [STATE_FREEZING] = {
                [EVENT_START] = GO(RUNNING, A(THAW)),
                [EVENT_FREEZE] = IGNORE,
                [EVENT_CLEANUP] = GO(STOPPING, A(CHECK_TREE) | A(STOP)),
                [EVENT_THAW] = GO(RUNNING, A(THAW)),
                [EVENT_FREEZE_DEADLINE] = GO(FROZEN, A(NOTE_SKIPPED)),
                [EVENT_LEFTOVERS] = GO(SWEEPING, A(CHECK_TREE) | A(STOP)),
                [EVENT_MAIN_FOUND] = STAY(A(FOLLOW)),
                [EVENT_READY] = IGNORE,
                [EVENT_MAIN_EXITED] = STAY(A(CHECK_TREE)),
                [EVENT_TREE_EMPTY] = GO(ENDED, A(NONE)),
                [EVENT_FREEZE_DONE] = GO(FROZEN, A(NONE)),
                [EVENT_FREEZE_FAILED] = GO(FROZEN, A(NOTE_SKIPPED)),
        },
        [STATE_FROZEN] = {
                [EVENT_START] = GO(RUNNING, A(THAW)),
                [EVENT_FREEZE] = IGNORE,
                [EVENT_DRAIN] = GO(DRAINING, A(DRAIN)),
                [EVENT_CLEANUP] = GO(STOPPING, A(CHECK_TREE) | A(STOP)),
                [EVENT_THAW] = GO(RUNNING, A(THAW)),
                [EVENT_FREEZE_DEADLINE] = IGNORE,
                [EVENT_LEFTOVERS] = GO(SWEEPING, A(CHECK_TREE) | A(STOP)),
                [EVENT_MAIN_FOUND] = STAY(A(FOLLOW)),
                [EVENT_READY] = IGNORE,
                [EVENT_MAIN_EXITED] = STAY(A(CHECK_TREE)),
                [EVENT_TREE_EMPTY] = GO(ENDED, A(NONE)),
        },
        [STATE_DRAINING] = {
                [EVENT_START] = GO(RUNNING, A(THAW)),
                [EVENT_FREEZE] = IGNORE,
                [EVENT_DRAIN] = IGNORE,
                [EVENT_CLEANUP] = GO(STOPPING, A(CHECK_TREE) | A(STOP)),
                [EVENT_THAW] = GO(RUNNING, A(THAW)),
                [EVENT_DRAIN_DEADLINE] = GO(DRAINED, A(NOTE_FORCED)),
                [EVENT_LEFTOVERS] = GO(SWEEPING, A(CHECK_TREE) | A(STOP)),
                [EVENT_MAIN_FOUND] = STAY(A(FOLLOW)),
                [EVENT_READY] = IGNORE,
                [EVENT_MAIN_EXITED] = STAY(A(CHECK_TREE)),
                [EVENT_TREE_EMPTY] = GO(ENDED, A(NONE)),
                [EVENT_DRAIN_DONE] = GO(DRAINED, A(NONE)),
                [EVENT_DRAIN_FAILED] = GO(DRAINED, A(NOTE_FORCED)),
        },
        /*
         * Reached from STARTING too, with no main process known; then nobody orders it back to work
         * (child_order_now()).
         */
        [STATE_DRAINED] = {
                [EVENT_START] = GO(RUNNING, A(THAW)),
                [EVENT_FREEZE] = IGNORE,
                [EVENT_DRAIN] = GO(DRAINING, A(DRAIN)),
                [EVENT_CLEANUP] = GO(STOPPING, A(CHECK_TREE) | A(STOP)),
                [EVENT_THAW] = GO(RUNNING, A(THAW)),
                [EVENT_FREEZE_DEADLINE] = IGNORE,
                [EVENT_DRAIN_DEADLINE] = IGNORE,
                [EVENT_LEFTOVERS] = GO(SWEEPING, A(CHECK_TREE) | A(STOP)),
                [EVENT_MAIN_FOUND] = STAY(A(FOLLOW)),
                [EVENT_READY] = IGNORE,
                [EVENT_MAIN_EXITED] = STAY(A(CHECK_TREE)),
                [EVENT_TREE_EMPTY] = GO(ENDED, A(NONE)),
        },
        [STATE_ENDED] = {
                [EVENT_START] = GO(TIDYING, A(TIDY)),
                [EVENT_FREEZE] = IGNORE,
                [EVENT_DRAIN] = IGNORE,
                [EVENT_CLEANUP] = GO(TIDYING, A(TIDY)),
                [EVENT_THAW] = GO(TIDYING, A(TIDY)),
                [EVENT_FREEZE_DEADLINE] = IGNORE,
                [EVENT_DRAIN_DEADLINE] = IGNORE,
                [EVENT_LEFTOVERS] = GO(TIDYING, A(TIDY)),
        },
        [STATE_STOPPING] = {
                [EVENT_START] = IGNORE,
                [EVENT_FREEZE] = IGNORE,
                [EVENT_DRAIN] = IGNORE,
                [EVENT_CLEANUP] = IGNORE,
                [EVENT_THAW] = IGNORE,
                [EVENT_CLEANUP_DEADLINE] = GO(KILLING, A(NOTE_FORCED) | A(KILL)),
                [EVENT_READY] = IGNORE,
                [EVENT_MAIN_EXITED] = STAY(A(CHECK_TREE) | A(PASS_ON)),
                [EVENT_TREE_EMPTY] = GO(TIDYING, A(TIDY)),
                [EVENT_DRAIN_DONE] = STAY(A(LEFTOVERS)),
                [EVENT_DRAIN_FAILED] = STAY(A(LEFTOVERS)),
                [EVENT_STEP_DUE] = STAY(A(STEP)),
                [EVENT_STEPS_OVER] = GO(KILLING, A(NOTE_FORCED) | A(KILL)),
        },
        [STATE_KILLING] = {
                [EVENT_START] = IGNORE,
                [EVENT_FREEZE] = IGNORE,
                [EVENT_DRAIN] = IGNORE,
                [EVENT_CLEANUP] = IGNORE,
                [EVENT_THAW] = IGNORE,
                [EVENT_CLEANUP_DEADLINE] = IGNORE,
                [EVENT_GRACE_OVER] = GO(STUCK, A(NOTE_STUCK)),
                [EVENT_READY] = IGNORE,
                [EVENT_MAIN_EXITED] = STAY(A(CHECK_TREE)),
                [EVENT_COMPLETED] = GO(DONE, A(SAY_READY)),
                [EVENT_TREE_EMPTY] = GO(TIDYING, A(TIDY)),
                [EVENT_KILL_TIMEOUT] = GO(STUCK, A(NOTE_STUCK)),
        },
        [STATE_TIDYING] = {
                [EVENT_START] = IGNORE,
                [EVENT_FREEZE] = IGNORE,
                [EVENT_DRAIN] = IGNORE,
                [EVENT_CLEANUP] = IGNORE,
                [EVENT_THAW] = IGNORE,
                [EVENT_CLEANUP_DEADLINE] = GO(STOPPED, A(NOTE_FORCED) | A(REMOVE) | A(NOTE_END)),
                [EVENT_GRACE_OVER] = GO(STOPPED, A(NOTE_FORCED) | A(REMOVE) | A(NOTE_END)),
                [EVENT_READY] = IGNORE,
                [EVENT_TIDIED_REST] = GO(STOPPED, A(REMOVE) | A(NOTE_END)),
                [EVENT_TIDIED_CLEARED] = GO(CLEARED, A(REMOVE) | A(DELAY)),
                [EVENT_TIDIED_RETRY] = GO(DELAYED, A(REMOVE) | A(DELAY)),
                [EVENT_TIDIED_GIVE_UP] = GO(FAILED, A(REMOVE) | A(NOTE_END)),
        },
        /* As STOPPING, but nobody asked for it; a stop that comes now takes it over as it is. */
        [STATE_SWEEPING] = {
                [EVENT_START] = IGNORE,
                [EVENT_FREEZE] = IGNORE,
                [EVENT_DRAIN] = IGNORE,
                [EVENT_CLEANUP] = GO(STOPPING, A(NONE)),
                [EVENT_THAW] = IGNORE,
                [EVENT_READY] = IGNORE,
                [EVENT_MAIN_EXITED] = STAY(A(CHECK_TREE) | A(PASS_ON)),
                [EVENT_COMPLETED] = GO(DONE, A(SAY_READY)),
                [EVENT_TREE_EMPTY] = GO(TIDYING, A(TIDY)),
                [EVENT_DRAIN_DONE] = STAY(A(LEFTOVERS)),
                [EVENT_DRAIN_FAILED] = STAY(A(LEFTOVERS)),
                [EVENT_STEP_DUE] = STAY(A(STEP)),
                [EVENT_STEPS_OVER] = GO(KILLING, A(KILL)),
        },
        /* Its start is not over: it has not had its chance. */
        [STATE_CLEARED] = { AWAITS_ITS_START },
        [STATE_DELAYED] = { AWAITS_ITS_START },
        [STATE_FAILED] = {
                [EVENT_START] = GO(STARTING, A(SPAWN)),
                [EVENT_FREEZE] = IGNORE,
                [EVENT_DRAIN] = IGNORE,
                [EVENT_CLEANUP] = IGNORE,
                [EVENT_DISMISSED] = GO(STOPPED, A(NOTE_END)),
                [EVENT_CLEANUP_DEADLINE] = IGNORE, /* as DELAYED */
                [EVENT_GRACE_OVER] = IGNORE,
                [EVENT_THAW] = IGNORE,
        },
        /* What would not die may do so yet. */
        [STATE_STUCK] = {
                [EVENT_START] = GO(STARTING, A(SPAWN)),
                [EVENT_FREEZE] = IGNORE,
                [EVENT_DRAIN] = IGNORE,
                [EVENT_CLEANUP] = IGNORE,
                [EVENT_THAW] = IGNORE,
                [EVENT_CLEANUP_DEADLINE] = IGNORE,
                [EVENT_GRACE_OVER] = IGNORE,
                [EVENT_READY] = IGNORE,
                [EVENT_MAIN_EXITED] = STAY(A(CHECK_TREE)),
                [EVENT_TREE_EMPTY] = GO(STOPPED, A(REMOVE) | A(NOTE_END)),
        },
};

FsmCell fsm_step(DaemonState state, DaemonEvent event) {
        assert(state >= 0 && state < STATE_MAX_);
        assert(event >= 0 && event < EVENT_MAX_);

        FsmCell cell = table[state][event];
        if (cell.kind != FSM_GO)
                cell.next = state;
        return cell;
}

const char *daemon_state_name(DaemonState state) {
        static const char *const names[] = {
                [STATE_STOPPED] = "stopped",   [STATE_STARTING] = "starting",
                [STATE_PROBING] = "probing",   [STATE_RUNNING] = "running",
                [STATE_DONE] = "done",
                [STATE_FREEZING] = "freezing", [STATE_FROZEN] = "frozen",
                [STATE_DRAINING] = "draining", [STATE_DRAINED] = "drained",
                [STATE_ENDED] = "ended",       [STATE_STOPPING] = "stopping",
                [STATE_KILLING] = "killing",   [STATE_TIDYING] = "tidying",
                [STATE_SWEEPING] = "sweeping", [STATE_CLEARED] = "cleared",
                [STATE_DELAYED] = "delayed",
                [STATE_FAILED] = "failed",     [STATE_STUCK] = "stuck",
        };
        static_assert(ELEMENTSOF(names) == STATE_MAX_, "every state has a name");
        return names[state];
}

const char *daemon_event_name(DaemonEvent event) {
#define NAME(event) [EVENT_##event] = #event
        static const char *const names[] = {
                NAME(START),          NAME(FREEZE),           NAME(DRAIN),
                NAME(CLEANUP),        NAME(THAW),             NAME(BLOCKED),
                NAME(DISMISSED),      NAME(FREEZE_DEADLINE),  NAME(DRAIN_DEADLINE),
                NAME(CLEANUP_DEADLINE), NAME(GRACE_OVER),     NAME(LEFTOVERS),
                NAME(MAIN_FOUND),
                NAME(READY),          NAME(START_FAILED),     NAME(START_TIMEOUT),
                NAME(COMPLETED),
                NAME(MAIN_EXITED),    NAME(TREE_EMPTY),       NAME(FREEZE_DONE),
                NAME(FREEZE_FAILED),  NAME(DRAIN_DONE),       NAME(DRAIN_FAILED),
                NAME(STEP_DUE),       NAME(STEPS_OVER),       NAME(KILL_TIMEOUT),
                NAME(TIDIED_REST),    NAME(TIDIED_CLEARED),   NAME(TIDIED_RETRY),
                NAME(TIDIED_GIVE_UP),
                NAME(DELAY_OVER),
        };
#undef NAME
        static_assert(ELEMENTSOF(names) == EVENT_MAX_, "every event has a name");
        return names[event];
}

const char *daemon_action_name(DaemonAction action) {
        static const char *const names[] = {
                "NOTE_FAILURE", "NOTE_FORCED", "NOTE_SKIPPED", "NOTE_STUCK", "FOLLOW", "SPAWN",
                "PROBE",        "SAY_READY",   "FREEZE",       "DRAIN",      "CHECK_TREE", "STOP",
                "STEP",         "PASS_ON",     "KILL",         "TIDY",       "REMOVE", "DELAY",
                "NOTE_END",     "THAW",        "FREEZE_LATE",  "LEFTOVERS",
        };
        static_assert(1 << ELEMENTSOF(names) == ACTION_MAX_, "every action has a name");

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (action == (DaemonAction) (1u << i))
                        return names[i];
        return "NONE";
}

bool daemon_state_is_live(DaemonState state) {
        return state != STATE_STOPPED && state != STATE_DONE && state != STATE_ENDED &&
               state != STATE_TIDYING && state != STATE_CLEARED && state != STATE_DELAYED &&
               state != STATE_FAILED;
}

bool daemon_state_is_ready(DaemonState state) {
        return state == STATE_RUNNING || state == STATE_DONE;
}

bool daemon_state_is_up(DaemonState state) {
        return state == STATE_STARTING || state == STATE_PROBING || daemon_state_is_ready(state);
}

bool daemon_state_is_settled(DaemonState state) {
        return daemon_state_is_ready(state) || state == STATE_DELAYED ||
               daemon_state_is_resting(state);
}

bool daemon_state_is_frozen(DaemonState state) {
        /* who is about to start must hear of it too, or it would */
        return state == STATE_DONE || (!daemon_state_is_up(state) && state != STATE_FREEZING &&
                                       state != STATE_CLEARED && state != STATE_DELAYED);
}

bool daemon_state_is_drained(DaemonState state) {
        return daemon_state_is_frozen(state) && state != STATE_FROZEN && state != STATE_DRAINING;
}

bool daemon_state_is_resting(DaemonState state) {
        return state == STATE_STOPPED || state == STATE_FAILED || state == STATE_STUCK;
}

bool daemon_state_is_taken_out(DaemonState state) {
        return state == STATE_FREEZING || state == STATE_FROZEN || state == STATE_DRAINING ||
               state == STATE_DRAINED || state == STATE_ENDED;
}
