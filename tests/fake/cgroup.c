/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sys/cgroup.h on the fake world: there are cgroups, unless their door fails. */

#include "sys/cgroup.h"

#include <errno.h>

#include "fake/fake.h"

struct CgroupRoot {
        char unused;
};

int cgroup_root_open(const char *instance, CgroupRoot **ret, const char **ret_why) {
        (void) instance;

        int r = fake_door(DOOR_CGROUP_ROOT);
        if (r == -EPERM) {
                *ret_why = "they are not to be had";
                return CGROUP_E_UNUSABLE;
        }
        if (r < 0)
                return r;
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
