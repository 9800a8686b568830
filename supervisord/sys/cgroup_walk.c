/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A cgroup and all that its processes made below it: listing and removing. Nothing is allocated,
 * since a stop needs both. What a daemon does in its own cgroups goes on meanwhile: whatever
 * vanishes is passed over.
 */

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "sys/cgroup.h"

/* Deeper than any sane daemon nests its cgroups; a hostile one must not use up our stack. */
#define CGROUP_DEPTH_MAX 32

#define CGROUP_CHUNK 2048

typedef int (*CgroupChildVisitor)(void *userdata, int parent_fd, const char *name);

static bool cgroup_is_gone(int error) {
        return error == ENOENT || error == ENODEV;
}

/* Calls `visit` for each cgroup directly below; a result other than 0 ends it and is returned. */
static int cgroup_each_child(int fd, CgroupChildVisitor visit, void *userdata) {
        _Alignas(struct dirent64) char buffer[CGROUP_CHUNK];

        for (;;) {
                ssize_t n = getdents64(fd, buffer, sizeof(buffer));

                if (n < 0)
                        return cgroup_is_gone(errno) ? 0 : errno_negative();
                if (n == 0)
                        return 0;
                for (ssize_t at = 0; at < n;) {
                        const struct dirent64 *entry = (const void *) (buffer + at);
                        int r = 0;

                        at += entry->d_reclen;
                        if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0
                            && strcmp(entry->d_name, "..") != 0)
                                r = visit(userdata, fd, entry->d_name);
                        if (r != 0)
                                return r;
                }
        }
}

static int cgroup_open_below(int parent_fd, const char *name, int *ret) {
        int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

        if (fd < 0)
                return errno_negative();
        *ret = fd;
        return 0;
}

/* What goes down a walk over processes. */
typedef struct CgroupWalk {
        CgroupVisitor visit;
        void *userdata;
        unsigned depth; /* how much deeper we may go */
} CgroupWalk;

/* The lines of one piece of cgroup.procs; a number may be cut in two by the end of the piece. */
static int cgroup_visit_piece(
        const CgroupWalk *walk, const char *piece, size_t size, pid_t *number) {
        for (size_t i = 0; i < size; i++) {
                pid_t pid = *number;
                int r;

                if (piece[i] != '\n') {
                        *number = pid * 10 + (piece[i] - '0');
                        continue;
                }
                *number = 0;

                /* Processes outside of our pid namespace show as 0. */
                r = pid > 0 ? walk->visit(walk->userdata, pid) : 0;
                if (r != 0)
                        return r;
        }
        return 0;
}

static int cgroup_visit_processes(const CgroupWalk *walk, int fd) {
        CLEANUP(fd_closep) int procs_fd = -1;
        char buffer[CGROUP_CHUNK];
        pid_t number = 0;
        ssize_t n;

        procs_fd = openat(fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
        if (procs_fd < 0)
                return cgroup_is_gone(errno) ? 0 : errno_negative();
        while ((n = read(procs_fd, buffer, sizeof(buffer))) > 0) {
                int r = cgroup_visit_piece(walk, buffer, (size_t) n, &number);

                if (r != 0)
                        return r;
        }
        return n == 0 || cgroup_is_gone(errno) ? 0 : errno_negative();
}

static int cgroup_visit_below(void *userdata, int parent_fd, const char *name) {
        CgroupWalk below = *(const CgroupWalk *) userdata;
        CLEANUP(fd_closep) int fd = -1;
        int r;

        if (below.depth-- == 0)
                return -ELOOP;
        r = cgroup_open_below(parent_fd, name, &fd);
        if (r < 0)
                return cgroup_is_gone(-r) ? 0 : r;
        r = cgroup_visit_processes(&below, fd);
        return r != 0 ? r : cgroup_each_child(fd, cgroup_visit_below, &below);
}

/* A directory of cgroupfs has a link for each of them, besides its own two. */
bool cgroup_has_children(int fd) {
        struct stat st;

        return fstat(fd, &st) < 0 || st.st_nlink != 2;
}

int cgroup_each_process(int fd, CgroupVisitor visit, void *userdata) {
        CgroupWalk walk = { visit, userdata, CGROUP_DEPTH_MAX };
        CLEANUP(fd_closep) int list_fd = -1; /* the place in a list belongs to the descriptor */
        int r;

        r = cgroup_visit_processes(&walk, fd);
        if (r != 0 || !cgroup_has_children(fd))
                return r;
        r = cgroup_open_below(fd, ".", &list_fd);
        if (r < 0)
                return cgroup_is_gone(-r) ? 0 : r;
        return cgroup_each_child(list_fd, cgroup_visit_below, &walk);
}

/* userdata: how much deeper we may go. What is busy does not keep us from removing its siblings. */
static int cgroup_remove_below(void *userdata, int parent_fd, const char *name) {
        const unsigned *depth = userdata;
        CLEANUP(fd_closep) int fd = -1;
        unsigned below = *depth - 1;
        int r;

        if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || cgroup_is_gone(errno))
                return 0;
        if (errno != EBUSY)
                return errno_negative();
        if (*depth == 0)
                return -ELOOP;

        r = cgroup_open_below(parent_fd, name, &fd);
        if (r == 0)
                r = cgroup_each_child(fd, cgroup_remove_below, &below);
        if (r < 0)
                return cgroup_is_gone(-r) ? 0 : r;
        if (unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || cgroup_is_gone(errno))
                return 0;
        return errno == EBUSY ? 0 : errno_negative();
}

int cgroup_remove(const char *path) {
        unsigned depth = CGROUP_DEPTH_MAX;
        int r;

        if (rmdir(path) == 0 || cgroup_is_gone(errno)) /* in most cases there is nothing below */
                return 0;
        r = cgroup_remove_below(&depth, AT_FDCWD, path);
        if (r < 0)
                return r;
        return access(path, F_OK) == 0 ? CGROUP_E_BUSY : 0;
}
