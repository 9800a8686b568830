/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The processes in $BENCH_CGROUP, as far as they are the supervisor's: not crowd, not the daemons.
 */

/* Puts this process there. */
void processes_enter(void);
/* Processor time of all in it so far, the daemons' too, in milliseconds. */
double processes_cpu(void);
/* Of those that do not run `child`: memory, shared pages by their share, in KiB. */
double processes_memory(const char *child);
/* … how often they went to sleep. */
double processes_switches(const char *child);
