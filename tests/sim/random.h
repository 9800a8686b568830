/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Random daemons, out of the seed of the world: a configuration as a text, and the programs that it
 * names. Times are drawn from a few round numbers, so that much falls on the same instant.
 */

#include "fake/world.h"

#define RANDOM_DAEMON_MAX 30
#define RANDOM_ACT_MAX    12

/* Up to 30 daemons with their programs; the texts are static. */
void random_daemons(unsigned count);
/* Some of them are others from now on, come or go, or need others. */
void random_change(void);
const char *random_settings(void);
const char *random_config(void);

/* One of the round times. */
usec_t random_time(void);
/* True once in `count`. */
bool random_once_in(unsigned count);
