/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The states of the supervisor as a whole, and what each signal does in each. Pure.
 */

#include <stdbool.h>

typedef enum Mode {
        MODE_STARTING,
        MODE_RUNNING,
        MODE_RELOADING,
        MODE_FREEZING,
        MODE_DRAINING,
        MODE_CLEANING,
        MODE_EXITED,
        MODE_MAX_,
} Mode;

typedef enum ModeEvent {
        MODE_EVENT_SETTLED,       /* every daemon has had its chance to start */
        MODE_EVENT_RELOAD,        /* SIGHUP */
        MODE_EVENT_RELOADED,      /* its verdict is known */
        MODE_EVENT_STOP,          /* SIGTERM, SIGINT */
        MODE_EVENT_QUIT,          /* SIGQUIT */
        MODE_EVENT_DRAIN_BEGUN,
        MODE_EVENT_CLEANUP_BEGUN,
        MODE_EVENT_ALL_AT_REST,
        MODE_EVENT_MAX_,
} ModeEvent;

typedef enum ModeAction {
        MODE_BUG = 0,
        MODE_IGNORE,       /* nothing changes */
        MODE_ENTER,        /* only the mode changes */
        MODE_REPEAT,       /* a stop is under way already: log once per phase */
        MODE_POSTPONE,     /* a reload has to wait until the start or reload at hand is over */
        MODE_BEGIN_RELOAD,
        MODE_BEGIN_STOP,   /* with freeze */
        MODE_BEGIN_QUIT,   /* with cleanup */
        MODE_HURRY,        /* skip to cleanup */
        MODE_FINISH,       /* leave the loop */
} ModeAction;

/* What to do; *mode becomes the next one. */
ModeAction mode_step(Mode *mode, ModeEvent event);

const char *mode_name(Mode mode); /* "running" */
const char *mode_event_name(ModeEvent event);
const char *mode_action_name(ModeAction action);
bool mode_is_stopping(Mode mode);
