/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Our own resource limits.
 */

#include <sys/resource.h>

/*
 * Raises our soft RLIMIT_NOFILE to the hard one: a thousand daemons take some thousand descriptors.
 * *ret_before is what the daemons shall have (select(2) in old programs breaks above 1024).
 */
int limits_raise_descriptors(struct rlimit *ret_before);
