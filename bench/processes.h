/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The processes in a cgroup, which is given by the path of its directory.
 */

/* Puts this process there. */
void processes_enter(const char *cgroup);
/* Processor time of all in it so far, in milliseconds. */
double processes_cpu(const char *cgroup);
/* Memory of those that do not run `child`, without us, in KiB; what is shared by its share. */
double processes_memory(const char *cgroup, const char *child);
/* … how often they went to sleep. */
double processes_switches(const char *cgroup, const char *child);
