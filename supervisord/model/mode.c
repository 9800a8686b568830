/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of the supervisor's own states; see model/fsm.c for the daemons'. */

#include "model/mode.h"

#include <assert.h>

#include "base/macro.h"

typedef struct ModeCell {
        ModeAction action;
        Mode next;
} ModeCell;

#define GO(action, next) { MODE_##action, MODE_##next }

static const ModeCell table[MODE_MAX_][MODE_EVENT_MAX_] = {
        [MODE_STARTING] = {
                [MODE_EVENT_SETTLED] = GO(ENTER, RUNNING),
                [MODE_EVENT_RELOAD] = GO(POSTPONE, STARTING),
                [MODE_EVENT_STOP] = GO(BEGIN_STOP, FREEZING),
                [MODE_EVENT_QUIT] = GO(BEGIN_QUIT, CLEANING),
        },
        [MODE_RUNNING] = {
                [MODE_EVENT_SETTLED] = GO(IGNORE, RUNNING),
                [MODE_EVENT_RELOAD] = GO(BEGIN_RELOAD, RELOADING),
                [MODE_EVENT_STOP] = GO(BEGIN_STOP, FREEZING),
                [MODE_EVENT_QUIT] = GO(BEGIN_QUIT, CLEANING),
        },
        [MODE_RELOADING] = {
                [MODE_EVENT_SETTLED] = GO(IGNORE, RELOADING),
                [MODE_EVENT_RELOAD] = GO(POSTPONE, RELOADING),
                [MODE_EVENT_RELOADED] = GO(ENTER, RUNNING),
                [MODE_EVENT_STOP] = GO(BEGIN_STOP, FREEZING),
                [MODE_EVENT_QUIT] = GO(BEGIN_QUIT, CLEANING),
        },
        [MODE_FREEZING] = {
                [MODE_EVENT_SETTLED] = GO(IGNORE, FREEZING),
                [MODE_EVENT_RELOAD] = GO(IGNORE, FREEZING),
                [MODE_EVENT_RELOADED] = GO(IGNORE, FREEZING),
                [MODE_EVENT_STOP] = GO(REPEAT, FREEZING),
                [MODE_EVENT_QUIT] = GO(HURRY, FREEZING),
                [MODE_EVENT_DRAIN_BEGUN] = GO(ENTER, DRAINING),
                [MODE_EVENT_CLEANUP_BEGUN] = GO(ENTER, CLEANING),
                [MODE_EVENT_ALL_AT_REST] = GO(FINISH, EXITED),
        },
        [MODE_DRAINING] = {
                [MODE_EVENT_SETTLED] = GO(IGNORE, DRAINING),
                [MODE_EVENT_RELOAD] = GO(IGNORE, DRAINING),
                [MODE_EVENT_RELOADED] = GO(IGNORE, DRAINING),
                [MODE_EVENT_STOP] = GO(REPEAT, DRAINING),
                [MODE_EVENT_QUIT] = GO(HURRY, DRAINING),
                [MODE_EVENT_CLEANUP_BEGUN] = GO(ENTER, CLEANING),
                [MODE_EVENT_ALL_AT_REST] = GO(FINISH, EXITED),
        },
        [MODE_CLEANING] = {
                [MODE_EVENT_SETTLED] = GO(IGNORE, CLEANING),
                [MODE_EVENT_RELOAD] = GO(IGNORE, CLEANING),
                [MODE_EVENT_RELOADED] = GO(IGNORE, CLEANING),
                [MODE_EVENT_STOP] = GO(REPEAT, CLEANING),
                [MODE_EVENT_QUIT] = GO(REPEAT, CLEANING),
                [MODE_EVENT_CLEANUP_BEGUN] = GO(IGNORE, CLEANING),
                [MODE_EVENT_ALL_AT_REST] = GO(FINISH, EXITED),
        },
        [MODE_EXITED] = {
                [MODE_EVENT_SETTLED] = GO(IGNORE, EXITED),
                [MODE_EVENT_RELOAD] = GO(IGNORE, EXITED),
                [MODE_EVENT_RELOADED] = GO(IGNORE, EXITED),
                [MODE_EVENT_STOP] = GO(IGNORE, EXITED),
                [MODE_EVENT_QUIT] = GO(IGNORE, EXITED),
        },
};

ModeAction mode_step(Mode *mode, ModeEvent event) {
        assert(*mode >= 0 && *mode < MODE_MAX_);
        assert(event >= 0 && event < MODE_EVENT_MAX_);

        const ModeCell *cell = &table[*mode][event];
        if (cell->action != MODE_BUG)
                *mode = cell->next;
        return cell->action;
}

const char *mode_name(Mode mode) {
        static const char *const names[] = {
                [MODE_STARTING] = "starting",   [MODE_RUNNING] = "running",
                [MODE_RELOADING] = "reloading", [MODE_FREEZING] = "freezing",
                [MODE_DRAINING] = "draining",   [MODE_CLEANING] = "cleaning",
                [MODE_EXITED] = "exited",
        };
        static_assert(ELEMENTSOF(names) == MODE_MAX_, "every mode has a name");
        return names[mode];
}

const char *mode_event_name(ModeEvent event) {
        static const char *const names[] = {
                [MODE_EVENT_SETTLED] = "SETTLED",
                [MODE_EVENT_RELOAD] = "RELOAD",
                [MODE_EVENT_RELOADED] = "RELOADED",
                [MODE_EVENT_STOP] = "STOP",
                [MODE_EVENT_QUIT] = "QUIT",
                [MODE_EVENT_DRAIN_BEGUN] = "DRAIN_BEGUN",
                [MODE_EVENT_CLEANUP_BEGUN] = "CLEANUP_BEGUN",
                [MODE_EVENT_ALL_AT_REST] = "ALL_AT_REST",
        };
        static_assert(ELEMENTSOF(names) == MODE_EVENT_MAX_, "every event has a name");
        return names[event];
}

const char *mode_action_name(ModeAction action) {
        static const char *const names[] = {
                [MODE_BUG] = "BUG",
                [MODE_IGNORE] = "IGNORE",
                [MODE_ENTER] = "ENTER",
                [MODE_REPEAT] = "REPEAT",
                [MODE_POSTPONE] = "POSTPONE",
                [MODE_BEGIN_RELOAD] = "BEGIN_RELOAD",
                [MODE_BEGIN_STOP] = "BEGIN_STOP",
                [MODE_BEGIN_QUIT] = "BEGIN_QUIT",
                [MODE_HURRY] = "HURRY",
                [MODE_FINISH] = "FINISH",
        };
        return names[action];
}

bool mode_is_stopping(Mode mode) {
        return mode == MODE_FREEZING || mode == MODE_DRAINING || mode == MODE_CLEANING;
}
