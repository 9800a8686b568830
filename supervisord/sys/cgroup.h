/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where our cgroups may be made: the delegated subtree of systemd, or one of our own where no
 * systemd is. cgroup v2 only (unified, or the v2 part of a hybrid hierarchy); see cgroups(7) and
 * systemd's CGROUP_DELEGATION.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/macro.h"

typedef struct CgroupRoot CgroupRoot;

enum {
        CGROUP_E_UNUSABLE = 1, /* no cgroup v2, not delegated, not writable: *ret_why says which */
        CGROUP_E_BUSY,         /* processes are in it */
};

/*
 * Finds the root and makes it ready: under systemd with Delegate=yes the unit's own cgroup (a
 * process in its root moves itself to `supervisor/` first); without systemd a new cgroup below our
 * own that is named after `instance`. *ret_why is a static text, set with CGROUP_E_UNUSABLE.
 */
int cgroup_root_open(const char *instance, CgroupRoot **ret, const char **ret_why);

/* Removes what open() made, if it is empty; frees. Accepts NULL; returns NULL. */
CgroupRoot *cgroup_root_close(CgroupRoot *root);
DEFINE_CLEANUP(CgroupRoot, cgroup_root_close)

/* Its directory in the file system, for messages and children of it. */
const char *cgroup_root_path(const CgroupRoot *root);

/* What /proc/PID/cgroup says of a process in it ("" for "/", so that a name can be appended). */
const char *cgroup_root_group(const CgroupRoot *root);

/* Whether there are, or in doubt may be, others in the cgroup of an open directory. */
bool cgroup_has_children(int fd);

/*
 * Calls `visit` for each live process of the cgroup of an open directory and of all cgroups below
 * it; a result other than 0 ends the walk and is returned.
 */
typedef int (*CgroupVisitor)(void *userdata, pid_t pid);
int cgroup_each_process(int fd, CgroupVisitor visit, void *userdata);

/*
 * Removes the cgroup at a directory and all below it that are empty: 0 (also if there was none),
 * CGROUP_E_BUSY or a negative errno.
 */
int cgroup_remove(const char *path);
