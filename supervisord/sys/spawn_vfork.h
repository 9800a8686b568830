/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The way of vfork(2) for spawn(): the child uses our memory and we sleep until its exec. There is
 * nothing to copy, neither when the process is made nor by whoever of the two writes first.
 */

#include <linux/sched.h>
#include <sys/types.h>

#include "sys/spawn_child.h"

/* The address sanitizer wants to know of each stack. */
#if defined(__x86_64__) && !defined(__ILP32__) && !defined(__SANITIZE_ADDRESS__)
#define SPAWN_VFORK_IS_BUILT_IN 1
#else
#define SPAWN_VFORK_IS_BUILT_IN 0
#endif

/* clone3(2) with these and CLONE_VM | CLONE_VFORK: the pid, or -ENOSYS where it is not built in. */
pid_t spawn_vfork(const struct clone_args *arguments, const SpawnPlan *plan);
