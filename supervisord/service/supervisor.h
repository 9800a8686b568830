/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * All daemons together: started in order, kept up, reloaded, and taken down by the sequence. What
 * the signals ask for comes in here; what is done goes out as orders to the children; systemd is
 * told all the while.
 */

#include <stdbool.h>

#include "config/config.h"
#include "sys/loop.h"

typedef struct Supervisor Supervisor;

enum { SUPERVISOR_E_LOCKED = 1 }; /* another supervisord uses the runtime directory; logged */

/*
 * Makes everything that a run and a stop need, and becomes the reaper of all orphans. Starts
 * nothing. `config_path` is read again by a reload. Takes a reference to the configuration.
 */
int supervisor_new(Loop *loop, const char *config_path, Config *config, Supervisor **ret);
/* Releases everything and removes what it made. Accepts NULL; returns NULL. */
Supervisor *supervisor_free(Supervisor *supervisor);
DEFINE_CLEANUP(Supervisor, supervisor_free)

/* Begins to start all daemons; the loop does the rest. */
void supervisor_start(Supervisor *supervisor);

/*
 * Asks for a stop: freeze, drain, cleanup; or with `fast` cleanup at once. The loop ends when all
 * is at rest. A further call changes nothing, but for a fast one that skips to cleanup. `who` asks,
 * for the record.
 */
void supervisor_stop(Supervisor *supervisor, bool fast, const char *who);

/* Writes the state of everything to the log. */
void supervisor_log_state(const Supervisor *supervisor);
