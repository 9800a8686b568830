/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The control socket: supervisorctl, busctl and programs ask and steer by it (control/names.h). It
 * exists from before the first daemon is started until everything has stopped.
 */

#include "service/supervisor.h"
#include "sys/loop.h"

typedef struct Control Control;

enum { CONTROL_E_SOCKET = 1 }; /* the socket cannot be made; logged */

/* Makes the socket that the configuration names and observes the supervisor (borrowed). */
int control_new(Loop *loop, Supervisor *supervisor, Control **ret);
/* Hangs up on everybody. Before the supervisor is freed. Accepts NULL; returns NULL. */
Control *control_free(Control *control);
DEFINE_CLEANUP(Control, control_free)
