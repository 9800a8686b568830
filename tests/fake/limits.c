/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sys/limits.h without an effect: the test keeps the limits that it has. */

#include "sys/limits.h"

int limits_raise_descriptors(struct rlimit *ret_before) {
        *ret_before = (struct rlimit){ .rlim_cur = 1024, .rlim_max = 4096 };
        return 0;
}
