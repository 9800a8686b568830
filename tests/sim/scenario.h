/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/*
 * A run of random daemons with random accidents, from their start to the end of a stop: all of it
 * comes out of the seed. Whatever is wrong ends the process, by sim_fail() or by itself.
 */
void scenario_run(uint64_t seed);
