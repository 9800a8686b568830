/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A tree that is a cgroup: `NAME.daemon` below the root, so that no daemon's name can be that of a
 * file of cgroupfs or of our own `supervisor/`; those of it that were spared are in `NAME.spared`
 * beside it. From prepare to release it costs one descriptor, that of its directory; everything
 * else is opened when it is read. Nothing here waits.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "sys/pidref.h"
#include "sys/procfs.h"
#include "sys/tree_internal.h"

#define CGROUP_EVENTS_MAX 256

typedef struct TreeCgroup {
        Tree tree;
        char *path;       /* its directory */
        char *spared;     /* that of those that were spared; it exists while there are any */
        char *group;      /* what /proc/PID/cgroup says of its processes */
        int directory_fd; /* -1: not prepared, or released */
        bool released;    /* and not prepared since: there is nothing to remove */
        bool killed;      /* since it was made, see tree_was_killed() */
        bool has_spared;  /* `spared` may exist */
} TreeCgroup;

static void tree_cgroup_free(Tree *tree) {
        TreeCgroup *self = (TreeCgroup *) tree;

        fd_close(self->directory_fd);
        free(self->path);
        free(self->spared);
        free(self->group);
        free(self);
}

static bool error_is_gone(int r) {
        return r == -ENOENT || r == -ENODEV;
}

static int tree_cgroup_open(TreeCgroup *self) {
        int fd;

        self->directory_fd = fd_close(self->directory_fd);
        fd = open(self->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return errno_negative();
        self->directory_fd = fd;
        return 0;
}

/* What cgroup.events says, for the cgroup and all below it. */
static int tree_cgroup_events(const TreeCgroup *self, char text[static CGROUP_EVENTS_MAX]) {
        CLEANUP(fd_closep) int fd = -1;
        ssize_t n;

        fd = openat(self->directory_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return errno_negative();
        n = read(fd, text, CGROUP_EVENTS_MAX - 1);
        if (n < 0)
                return errno_negative();
        text[n] = '\0';
        return 0;
}

/* In doubt there is still somebody: that costs time, the opposite would cost a daemon. */
static bool tree_cgroup_is_empty(Tree *tree) {
        const TreeCgroup *self = (const TreeCgroup *) tree;
        char events[CGROUP_EVENTS_MAX];
        int r;

        if (self->directory_fd < 0)
                return true;
        r = tree_cgroup_events(self, events);
        return error_is_gone(r) || (r == 0 && strstr(events, "populated 0"));
}

/* Whether a run left it as it was made: empty, not killed, not frozen, with nothing below. */
static bool tree_cgroup_is_as_new(const TreeCgroup *self) {
        char events[CGROUP_EVENTS_MAX];

        return self->directory_fd >= 0 && !self->killed && tree_cgroup_events(self, events) == 0 &&
               strstr(events, "populated 0") && !strstr(events, "frozen 1") &&
               !cgroup_has_children(self->directory_fd);
}

static int tree_cgroup_prepare(Tree *tree) {
        TreeCgroup *self = (TreeCgroup *) tree;
        int r;

        self->released = false;
        if (tree_cgroup_is_as_new(self))
                return 0;
        r = tree_cgroup_open(self);
        if (r == 0 && !tree_cgroup_is_empty(tree))
                return TREE_E_POPULATED;

        /* What an earlier run left may be frozen or limited: begin with a new one. */
        if (r == 0)
                r = cgroup_remove(self->path);
        if (r == CGROUP_E_BUSY) /* somebody has come just now */
                return TREE_E_POPULATED;
        if (r < 0 && r != -ENOENT)
                return r;
        if (mkdir(self->path, 0755) < 0 && errno != EEXIST)
                return errno_negative();
        self->killed = false;
        return tree_cgroup_open(self);
}

/* For the walk only. */
static void tree_cgroup_set_invocation(Tree *tree, const char *variable) {
        (void) tree;
        (void) variable;
}

static void tree_cgroup_set_leader(Tree *tree, pid_t pid) {
        (void) tree;
        (void) pid;
}

static int tree_cgroup_fd_get(const Tree *tree) {
        return ((const TreeCgroup *) tree)->directory_fd;
}

static bool tree_cgroup_was_killed(const Tree *tree) {
        return ((const TreeCgroup *) tree)->killed;
}

/* The cgroup itself or one below it; not its neighbour whose name begins with the same letters. */
static bool tree_cgroup_holds(const TreeCgroup *self, pid_t pid) {
        size_t length = strlen(self->group);
        char group[PATH_MAX];

        return pid > 0 && procfs_cgroup(pid, group) == 0 &&
               strncmp(group, self->group, length) == 0 &&
               (group[length] == '/' || group[length] == '\0');
}

/* A zombie keeps its cgroup, also one that was removed ("… (deleted)"). */
static bool tree_cgroup_contains(Tree *tree, pid_t pid) {
        ProcStat stat;

        return tree_cgroup_holds((const TreeCgroup *) tree, pid) && procfs_stat(pid, &stat) == 0 &&
               !procfs_is_dead(&stat);
}

static bool tree_cgroup_contained(Tree *tree, pid_t pid) {
        const TreeCgroup *self = (const TreeCgroup *) tree;
        ProcStat stat;

        return self->directory_fd >= 0 && tree_cgroup_holds(self, pid) &&
               procfs_stat(pid, &stat) == 0 && procfs_is_dead(&stat);
}

static int tree_cgroup_each(Tree *tree, TreeVisitor visit, void *userdata) {
        const TreeCgroup *self = (const TreeCgroup *) tree;

        if (self->directory_fd < 0)
                return 0;
        return cgroup_each_process(self->directory_fd, visit, userdata);
}

/* What one pass of signals needs and counts. */
typedef struct SignalPass {
        Tree *tree;
        int signo;
        int count;
        int error; /* the first one; the pass goes on */
} SignalPass;

static int tree_cgroup_signal_one(void *userdata, pid_t pid) {
        SignalPass *pass = userdata;
        CLEANUP(pidref_done) PidRef process = PIDREF_NONE;
        int r;

        /* The number may have changed hands since it was read; from here on it cannot. */
        r = pidref_open(pid, &process);
        if (r != 0 || !tree_cgroup_contains(pass->tree, pid))
                return r < 0 ? r : 0;
        r = pidref_signal(&process, pass->signo);
        if (r == 0)
                pass->count++;
        else if (r < 0 && pass->error == 0)
                pass->error = r;
        return 0;
}

static int tree_cgroup_signal(Tree *tree, int signo) {
        SignalPass pass = { .tree = tree, .signo = signo };
        int r;

        r = tree_cgroup_each(tree, tree_cgroup_signal_one, &pass);
        if (r < 0)
                return r;
        return pass.error < 0 ? pass.error : pass.count;
}

static int tree_cgroup_write(const TreeCgroup *self, const char *file, const char *text) {
        int r;

        r = file_write(self->directory_fd, file, text);
        switch (r) {
        case FILE_E_MISSING:
                return -ENOENT;
        case FILE_E_DENIED:
                return -EACCES;
        default:
                return r > 0 ? -EIO : r;
        }
}

static int tree_cgroup_pause(Tree *tree, bool pause) {
        const TreeCgroup *self = (const TreeCgroup *) tree;

        return tree_cgroup_write(self, "cgroup.freeze", pause ? "1" : "0");
}

int tree_cgroup_kill_frozen(Tree *tree) {
        const TreeCgroup *self = (const TreeCgroup *) tree;
        int r, thawed;

        /* Who is frozen does not fork; a fork that was under way shows in a later pass. */
        r = tree_cgroup_write(self, "cgroup.freeze", "1");
        for (unsigned pass = 0; r >= 0 && pass < TREE_KILL_PASSES; pass++) {
                r = tree_cgroup_signal(tree, SIGKILL);
                if (r == 0)
                        break;
        }
        thawed = tree_cgroup_write(self, "cgroup.freeze", "0");
        return r < 0 ? r : thawed;
}

static int tree_cgroup_kill(Tree *tree) {
        TreeCgroup *self = (TreeCgroup *) tree;
        int r;

        if (self->directory_fd < 0)
                return 0;
        self->killed = true;
        r = tree_cgroup_write(self, "cgroup.kill", "1");
        if (!error_is_gone(r))
                return r;

        /* Either the cgroup is gone or the file is: before Linux 5.14. */
        r = tree_cgroup_kill_frozen(tree);
        return error_is_gone(r) ? 0 : r;
}

/* What one pass of moving needs and counts. */
typedef struct SparePass {
        int procs_fd; /* cgroup.procs of where they go */
        TreeVisitor visit;
        void *userdata;
        int moved;
        int error; /* the first one; the pass goes on */
} SparePass;

/* A number that has changed hands meanwhile is that of a zombie or of a process of this tree. */
static int tree_cgroup_spare_one(void *userdata, pid_t pid) {
        SparePass *pass = userdata;

        (void) pass->visit(pass->userdata, pid);
        if (dprintf(pass->procs_fd, "%d", (int) pid) > 0)
                pass->moved++;
        else if (errno != ESRCH && pass->error == 0)
                pass->error = errno_negative();
        return 0;
}

static int tree_cgroup_open_spared(TreeCgroup *self, int *ret) {
        self->has_spared = true;
        if (mkdir(self->spared, 0755) < 0 && errno != EEXIST)
                return errno_negative();
        CLEANUP(fd_closep) int directory = open(self->spared, O_DIRECTORY | O_CLOEXEC);
        if (directory < 0)
                return errno_negative();
        *ret = openat(directory, "cgroup.procs", O_WRONLY | O_CLOEXEC);
        return *ret < 0 ? errno_negative() : 0;
}

/* Processes that fork while they are moved are found by a further pass. */
static int tree_cgroup_spare(Tree *tree, TreeVisitor visit, void *userdata) {
        TreeCgroup *self = (TreeCgroup *) tree;
        CLEANUP(fd_closep) int fd = -1;
        int r;

        if (self->directory_fd < 0)
                return 0;
        r = tree_cgroup_open_spared(self, &fd);
        SparePass pass = { .procs_fd = fd, .visit = visit, .userdata = userdata };
        for (unsigned i = 0; r == 0 && i < TREE_KILL_PASSES && !tree_cgroup_is_empty(tree); i++)
                r = tree_cgroup_each(tree, tree_cgroup_spare_one, &pass);
        if (r < 0)
                return r;
        return pass.error < 0 && !tree_cgroup_is_empty(tree) ? pass.error : pass.moved;
}

static int tree_cgroup_on_event(void *userdata, const struct inotify_event *event) {
        const Tree *tree = userdata;

        (void) event;
        return tree->handler(tree->userdata);
}

static int tree_cgroup_watch(Tree *tree) {
        const TreeCgroup *self = (const TreeCgroup *) tree;
        CLEANUP(freep) char *path = NULL;

        if (asprintf(&path, "%s/cgroup.events", self->path) < 0)
                return -ENOMEM;
        return loop_add_inotify(tree->loop, &tree->source, path, IN_MODIFY, LOOP_TREE,
                                "cgroup.events", tree_cgroup_on_event, tree);
}

static void tree_cgroup_child_reaped(Tree *tree) {
        (void) tree; /* cgroup.events tells */
}

static int tree_cgroup_release(Tree *tree) {
        TreeCgroup *self = (TreeCgroup *) tree;
        int r;

        if (self->has_spared) /* if nobody is in it any more */
                self->has_spared = rmdir(self->spared) < 0 && errno == EBUSY;
        if (self->released)
                return 0;
        r = cgroup_remove(self->path);
        if (r == CGROUP_E_BUSY)
                return TREE_E_BUSY;
        if (r < 0)
                return r;

        self->released = true;
        tree_unwatch(tree);
        self->directory_fd = fd_close(self->directory_fd);
        return 0;
}

static const TreeOps tree_cgroup_ops = {
        .free = tree_cgroup_free,
        .prepare = tree_cgroup_prepare,
        .set_invocation = tree_cgroup_set_invocation,
        .set_leader = tree_cgroup_set_leader,
        .cgroup_fd = tree_cgroup_fd_get,
        .was_killed = tree_cgroup_was_killed,
        .contains = tree_cgroup_contains,
        .contained = tree_cgroup_contained,
        .is_empty = tree_cgroup_is_empty,
        .each = tree_cgroup_each,
        .signal = tree_cgroup_signal,
        .pause = tree_cgroup_pause,
        .kill = tree_cgroup_kill,
        .spare = tree_cgroup_spare,
        .watch = tree_cgroup_watch,
        .child_reaped = tree_cgroup_child_reaped,
        .release = tree_cgroup_release,
};

int tree_cgroup_new(const CgroupRoot *root, const char *name, Tree **ret) {
        TreeCgroup *self = calloc(1, sizeof(*self));

        if (!self)
                return -ENOMEM;
        self->tree.ops = &tree_cgroup_ops;
        self->directory_fd = -1;
        self->has_spared = true; /* an earlier supervisord may have left it */

        if (asprintf(&self->path, "%s/%s.daemon", cgroup_root_path(root), name) < 0)
                self->path = NULL;
        if (asprintf(&self->group, "%s/%s.daemon", cgroup_root_group(root), name) < 0)
                self->group = NULL;
        if (asprintf(&self->spared, "%s/%s" TREE_SPARED_SUFFIX, cgroup_root_path(root), name) < 0)
                self->spared = NULL;
        if (!self->path || !self->spared || !self->group) {
                tree_cgroup_free(&self->tree);
                return -ENOMEM;
        }

        *ret = &self->tree;
        return 0;
}
