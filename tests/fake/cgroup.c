/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sys/cgroup.h on the fake world: there are cgroups. A test without them passes no root on. */

#include "sys/cgroup.h"

#include <errno.h>

#include "fake/fake.h"

struct CgroupRoot {
        char unused;
};

int cgroup_root_open(const char *instance, CgroupRoot **ret, const char **ret_why) {
        (void) instance;
        (void) ret_why;

        CgroupRoot *root = calloc(1, sizeof(*root));
        if (!root)
                return -ENOMEM;
        *ret = root;
        return 0;
}

CgroupRoot *cgroup_root_close(CgroupRoot *root) {
        free(root);
        return NULL;
}

const char *cgroup_root_path(const CgroupRoot *root) {
        (void) root;
        return "/sys/fs/cgroup/fake";
}
