/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where our own cgroup is in the file system: from two files of /proc, without looking anywhere
 * else.
 */

#include "base/macro.h"

/*
 * From the texts of /proc/self/mountinfo and /proc/self/cgroup (which are taken apart): the
 * directory of our cgroup, and its path as /proc/PID/cgroup has it, but "" for "/". 0,
 * CGROUP_E_UNUSABLE with *ret_why, or -ENOMEM.
 */
int cgroup_locate(char *mountinfo,
                  char *membership,
                  char **ret_path,
                  char **ret_group,
                  const char **ret_why);
