/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The bus of a random scenario. What is asked for comes as a wake-up of the loop, one call after
 * the other, never in the middle of anything.
 */

typedef enum BusVerb {
        BUS_RELOAD,
        BUS_PLAN,
        BUS_SIGNAL, /* a daemon's main process */
        BUS_START,  /* some daemons */
        BUS_STOP,
        BUS_RESTART,
        BUS_OWN, /* reloads of their own files */
        BUS_FREEZE,
        BUS_DRAIN,
        BUS_THAW,
        BUS_VERB_MAX_,
} BusVerb;

void bus_open(void);
void bus_close(void);
/* Asks for it, of daemons that the seed chooses. */
void bus_ask(BusVerb verb);
