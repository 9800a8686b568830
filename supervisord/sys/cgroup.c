/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Finding the root of our cgroups and proving that it can be used.
 *
 * A cgroup with processes in it cannot enable controllers for those below, so the delegated root
 * holds none: ours go to `supervisor/`, where systemd 254 and later puts us by itself
 * (DelegateSubgroup=supervisor). Everything here is a call into cgroupfs and does not wait.
 */

#include "sys/cgroup.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "sys/cgroup_locate.h"

#define MOUNTINFO_MAX    (64u << 20)
#define MEMBERSHIP_MAX   (64u << 10)
#define EVENTS_MAX       256
#define EMPTY_PATIENCE_MSEC 500
#define SUPERVISOR_GROUP "supervisor"

struct CgroupRoot {
        char *path;  /* directory in the file system */
        char *group; /* the same in /proc/PID/cgroup, without a slash at the end */
        bool made;   /* by us: it is removed at the end */
};

static const char why_not_delegated[] =
        "this cgroup is not delegated to us (Delegate=yes is missing)";
static const char why_not_writable[] = "the cgroup file system is not writable for us";
static const char why_limit[] = "no further cgroup may be made below ours (cgroup.max.descendants)";
static const char why_gone[] = "our own cgroup cannot be found in the cgroup file system";

/* Makes an outcome of what the kernel says when a cgroup may not be used; passes on the rest. */
static int cgroup_outcome(int r, const char **ret_why) {
        switch (r) {
        case FILE_E_DENIED:
        case -EACCES:
        case -EPERM:
        case -EROFS:
                *ret_why = why_not_writable;
                return CGROUP_E_UNUSABLE;
        case -EAGAIN:
                *ret_why = why_limit;
                return CGROUP_E_UNUSABLE;
        case FILE_E_MISSING:
        case -ENOENT:
        case -ENODEV:
                *ret_why = why_gone;
                return CGROUP_E_UNUSABLE;
        default:
                return r > 0 ? -EIO : r;
        }
}

/* systemd marks what it delegates (CGROUP_DELEGATION); the second name is for root only. */
static bool cgroup_is_delegated(const char *path) {
        static const char *const names[] = { "user.delegate", "trusted.delegate" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                char value[2];

                if (getxattr(path, names[i], value, sizeof(value)) == 1 && value[0] == '1')
                        return true;
        }
        return false;
}

/* As sd_booted(3) has it. */
static bool cgroup_systemd_is_running(void) {
        return access("/run/systemd/system", F_OK) == 0;
}

static int cgroup_make(const char *path) {
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
                return errno_negative();
        return 0;
}

/* Whether `directory` lets us make cgroups and move processes about below it. */
static int cgroup_try(const char *directory) {
        CLEANUP(freep) char *path = NULL;

        if (asprintf(&path, "%s/supervisord.trial.%d", directory, (int) getpid()) < 0)
                return -ENOMEM;
        if (cgroup_make(path) < 0 || rmdir(path) < 0)
                return errno_negative();

        free(TAKE(path));
        if (asprintf(&path, "%s/cgroup.procs", directory) < 0)
                return -ENOMEM;
        return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0 ? errno_negative() : 0;
}

/* Our own process leaves the delegated root, so that controllers can be enabled in it. */
static int cgroup_enter_supervisor(const char *directory) {
        CLEANUP(freep) char *path = NULL, *procs = NULL;
        char pid[32];
        int r;

        if (asprintf(&path, "%s/" SUPERVISOR_GROUP, directory) < 0
            || asprintf(&procs, "%s/cgroup.procs", path) < 0)
                return -ENOMEM;
        r = cgroup_make(path);
        if (r < 0)
                return r;
        snprintf(pid, sizeof(pid), "%d", (int) getpid());
        return file_write(AT_FDCWD, procs, pid);
}

/* The "/supervisor" at the end of a path, or NULL. */
static char *path_supervisor_suffix(char *path) {
        static const char suffix[] = "/" SUPERVISOR_GROUP;
        size_t length = strlen(path), cut = strlen(suffix);

        return length >= cut && strcmp(path + length - cut, suffix) == 0 ? path + length - cut
                                                                         : NULL;
}

/* From `supervisor/`, where systemd has put us, to the delegated cgroup above it, if it is one. */
static bool cgroup_root_ascend(CgroupRoot *root) {
        char *path = path_supervisor_suffix(root->path);
        char *group = path_supervisor_suffix(root->group);

        if (!path || !group)
                return false;
        *path = '\0';
        if (!cgroup_is_delegated(root->path)) {
                *path = '/';
                return false;
        }
        *group = '\0';
        return true;
}

/* FNV-1a: names differ for different instances, that is all that is asked of it. */
static uint32_t hash_text(const char *text) {
        uint32_t hash = 2166136261u;

        for (; *text; text++)
                hash = (hash ^ (uint8_t) *text) * 16777619u;
        return hash;
}

/* Without systemd: a cgroup below ours, perhaps that of an earlier run that crashed. */
static int cgroup_root_descend(CgroupRoot *root, const char *instance) {
        char *path = NULL, *group = NULL;
        uint32_t hash = hash_text(instance);
        int r;

        /* Processes move between the root and its parent: both must let us. */
        r = cgroup_try(root->path);
        if (r < 0)
                return r;

        if (asprintf(&path, "%s/supervisord.%08x", root->path, hash) < 0)
                return -ENOMEM;
        free(root->path);
        root->path = path;
        if (asprintf(&group, "%s/supervisord.%08x", root->group, hash) < 0)
                return -ENOMEM;
        free(root->group);
        root->group = group;

        r = cgroup_make(root->path);
        if (r == 0)
                root->made = true;
        return r;
}

/* From our own cgroup to the one that is to be the root. */
static int cgroup_root_settle(CgroupRoot *root, const char *instance, const char **ret_why) {
        if (cgroup_is_delegated(root->path))
                return cgroup_outcome(cgroup_enter_supervisor(root->path), ret_why);
        if (cgroup_root_ascend(root))
                return 0;
        if (cgroup_systemd_is_running()) {
                *ret_why = why_not_delegated;
                return CGROUP_E_UNUSABLE;
        }
        return cgroup_outcome(cgroup_root_descend(root, instance), ret_why);
}

/* Our own cgroup, as a directory and as a group. */
static int cgroup_root_new(CgroupRoot **ret, const char **ret_why) {
        CLEANUP(cgroup_root_closep) CgroupRoot *root = NULL;
        CLEANUP(freep) char *mountinfo = NULL, *membership = NULL;
        size_t size;
        int r;

        root = calloc(1, sizeof(*root));
        if (!root)
                return -ENOMEM;
        r = file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, FILE_ANY_TYPE, &mountinfo,
                      &size);
        if (r == 0)
                r = file_read(AT_FDCWD, "/proc/self/cgroup", MEMBERSHIP_MAX, FILE_ANY_TYPE,
                              &membership, &size);
        if (r != 0)
                return cgroup_outcome(r, ret_why);
        r = cgroup_locate(mountinfo, membership, &root->path, &root->group, ret_why);
        if (r != 0)
                return r;

        *ret = TAKE(root);
        return 0;
}

int cgroup_root_open(const char *instance, CgroupRoot **ret, const char **ret_why) {
        CLEANUP(cgroup_root_closep) CgroupRoot *root = NULL;
        int r;

        r = cgroup_root_new(&root, ret_why);
        if (r != 0)
                return r;
        r = cgroup_root_settle(root, instance, ret_why);
        if (r != 0)
                return r;
        r = cgroup_outcome(cgroup_try(root->path), ret_why);
        if (r != 0)
                return r;

        *ret = TAKE(root);
        return 0;
}

/*
 * A helper that was killed with the last order of a stop may take a moment to be gone. This is
 * after the loop: there is nothing left that could be kept waiting. What lives on then stays, and
 * with it the root.
 */
static void cgroup_root_wait_empty(const CgroupRoot *root) {
        CLEANUP(freep) char *path = NULL;
        CLEANUP(fd_closep) int fd = -1;
        struct pollfd event = { .events = POLLPRI };
        char text[EVENTS_MAX];

        if (asprintf(&path, "%s/cgroup.events", root->path) < 0)
                return;
        fd = open(path, O_RDONLY | O_CLOEXEC);
        event.fd = fd;
        do {
                ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);
                if (n < 0)
                        return;
                text[n] = '\0';
        } while (strstr(text, "populated 1") && poll(&event, 1, EMPTY_PATIENCE_MSEC) > 0);
}

CgroupRoot *cgroup_root_close(CgroupRoot *root) {
        if (!root)
                return NULL;

        if (root->made) {
                cgroup_root_wait_empty(root);
                (void) cgroup_remove(root->path);
        }
        free(root->path);
        free(root->group);
        free(root);
        return NULL;
}

const char *cgroup_root_path(const CgroupRoot *root) {
        return root->path;
}

const char *cgroup_root_group(const CgroupRoot *root) {
        return root->group;
}
