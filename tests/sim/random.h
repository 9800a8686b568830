/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Random daemons, out of the seed of the world: a configuration as a text, and the programs that it
 * names. Times are drawn from a few round numbers, so that much falls on the same instant.
 */

#include "fake/world.h"

#define RANDOM_DAEMON_MAX 50

/* Daemons d0, d1, … with their programs; the texts are static. */
void random_daemons(unsigned count);
/* Some of them are others from now on, come or go, or need others; the supervisor's times too. */
void random_change(void);
const char *random_settings(void);
/* What only a restart of the supervisor could change is another now, until the next change. */
void random_change_cgroups(void);
const char *random_config(void);
/* How many there are, and one of their names: "d7". */
unsigned random_count(void);
void random_name(char *ret, size_t room);

/* One of the round times. */
usec_t random_time(void);
/* True once in `count`. */
bool random_once_in(unsigned count);
