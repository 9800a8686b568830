/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A sequence for tests, over four daemons: web needs app, app needs db; lone stands alone. The
 * phases have 5, 20 and 10 s; it is 1000 s when it begins.
 */

#include "model/sequence.h"

#define S(seconds) ((usec_t) (seconds) *USEC_PER_SEC)

enum { WEB, APP, DB, LONE, COUNT };
#define ALL ((1u << COUNT) - 1)
/* Those that serve nobody of the set: these freeze first. */
#define FRONT       (1u << WEB | 1u << LONE)
#define FRONT_COUNT 2

extern Config *config;
extern Sequence *sequence;
extern DaemonState states[COUNT];
extern usec_t now;

void sequences_setup(void);
void sequences_teardown(void);

void begin(Phase first);
void observe(unsigned node, DaemonState state);
void observe_all(DaemonState state);

void expect(SequenceStep step);
void expect_phase(Phase phase, size_t total);
/* Exactly these nodes get this order now, in any order of theirs. */
void expect_orders(DaemonEvent event, unsigned mask);
void pass_freeze(void);
