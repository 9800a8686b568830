/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* getrlimit(2), setrlimit(2). */

#include "sys/limits.h"

#include "base/error.h"

int limits_raise_descriptors(struct rlimit *ret_before) {
        struct rlimit before, raised;

        if (getrlimit(RLIMIT_NOFILE, &before) < 0)
                return errno_negative();
        raised = (struct rlimit) { .rlim_cur = before.rlim_max, .rlim_max = before.rlim_max };
        if (setrlimit(RLIMIT_NOFILE, &raised) < 0)
                return errno_negative();

        *ret_before = before;
        return 0;
}
