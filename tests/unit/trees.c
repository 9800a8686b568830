/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Everything that a test starts lives in the cgroup of the program if there is one, also for the
 * walk: whatever a failed test leaves is found and ended.
 */

#include "trees.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "sys/procfs.h"

bool trees_with_cgroup, trees_with_pidfd;
TreesWay trees_way;
Loop *loop;
CgroupRoot *root;
Tree *tree;

static Place program;
static int reports[2];

int trees_main(Suite *(*make)(const char *unable)) {
        CLEANUP(fd_closep) int pidfd = pidfd_open(getpid(), 0);
        const char *unable = place_make(&program);
        int status;

        trees_with_pidfd = pidfd >= 0 && pidfd_send_signal(pidfd, 0, NULL, 0) == 0;
        trees_with_cgroup = !unable;
        status = unit_main(make(unable));
        if (trees_with_cgroup)
                place_remove(&program);
        return status;
}

static void trees_setup(TreesWay way) {
        const char *why = "";

        trees_way = way;
        ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
        ck_assert_int_eq(pipe2(reports, O_CLOEXEC), 0);
        ck_assert_int_eq(loop_new(&loop), 0);
        if (trees_with_cgroup) {
                place_enter(&program);
                ck_assert_int_eq(setxattr(program.path, "user.delegate", "1", 1, 0), 0);
                ck_assert_msg(cgroup_root_open("test", &root, &why) == 0, "%s", why);
        }
        tree = trees_new("web");
}

void trees_setup_walk(void) {
        trees_setup(TREES_WALK);
}

void trees_setup_cgroup(void) {
        trees_setup(TREES_CGROUP);
}

Tree *trees_new(const char *name) {
        Tree *made;

        ck_assert_int_eq(tree_new(loop, trees_way == TREES_CGROUP ? root : NULL, name, &made), 0);
        return made;
}

void trees_reap_all(void) {
        while (waitpid(-1, NULL, 0) > 0)
                ;
}

static int kill_one(void *userdata, pid_t pid) {
        (void) userdata;
        (void) kill(pid, SIGKILL); /* it may have gone by itself */
        return 0;
}

void trees_end_all(void) {
        while (!tree_is_empty(tree)) {
                ck_assert_int_eq(tree_each(tree, kill_one, NULL), 0);
                (void) waitpid(-1, NULL, WNOHANG);
        }
        trees_reap_all();
}

void trees_teardown(void) {
        if (tree) {
                trees_end_all();
                ck_assert_int_eq(tree_release(tree), 0);
        }
        tree = tree_free(tree);
        root = cgroup_root_close(root);
        loop = loop_free(loop);
        fd_close(reports[0]);
        fd_close(reports[1]);
        place_leave(&program);
}

pid_t trees_run(const char *script, int cgroup_fd, const char *first, const char *second) {
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid != 0)
                return pid;

        if (setsid() < 0 || (cgroup_fd >= 0 && file_write(cgroup_fd, "cgroup.procs", "0") != 0)
            || dup2(reports[1], 3) < 0)
                _exit(99);
        execle("/bin/sh", "sh", "-c", script, NULL,
               (char *[]){ (char *) "PATH=/usr/bin:/bin", (char *) first, (char *) second, NULL });
        _exit(99);
}

pid_t trees_start_as(const char *script, const char *invocation) {
        pid_t pid;

        ck_assert_int_eq(tree_prepare(tree), 0);
        tree_set_invocation(tree, invocation);
        pid = trees_run(script, tree_cgroup_fd(tree), invocation, TREES_MARK);
        tree_set_leader(tree, pid);
        return pid;
}

pid_t trees_start(const char *script) {
        return trees_start_as(script, TREES_ID);
}

pid_t trees_reported(void) {
        char text[16];
        size_t length = 0;
        int64_t pid;

        do {
                ck_assert_uint_lt(length, sizeof(text));
                ck_assert_int_eq(read(reports[0], text + length, 1), 1);
        } while (text[length++] != '\n');
        text[length - 1] = '\0';
        pid = strtoll(text, NULL, 10);
        ck_assert_int_gt(pid, 1);
        return (pid_t) pid;
}

bool trees_live(pid_t pid) {
        ProcStat stat;

        return procfs_stat(pid, &stat) == 0 && stat.state != 'Z';
}

void trees_end(pid_t pid) {
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

int pid_list_add(void *userdata, pid_t pid) {
        PidList *list = userdata;

        ck_assert_uint_lt(list->count, ELEMENTSOF(list->pids));
        list->pids[list->count++] = pid;
        return 0;
}

bool pid_list_has(const PidList *list, pid_t pid) {
        for (unsigned i = 0; i < list->count; i++)
                if (list->pids[i] == pid)
                        return true;
        return false;
}

void trees_assert_members(const pid_t *pids, unsigned count) {
        PidList list = { .count = 0 };

        ck_assert_int_eq(tree_each(tree, pid_list_add, &list), 0);
        ck_assert_uint_eq(list.count, count);
        for (unsigned i = 0; i < count; i++) {
                ck_assert_msg(pid_list_has(&list, pids[i]), "%d is not listed", (int) pids[i]);
                ck_assert_msg(tree_contains(tree, pids[i]), "%d is not contained", (int) pids[i]);
        }
}

/* The first process, a child, an orphan, and an orphan in a session of its own with a child. */
#define TREES_FAMILY_SCRIPT                                                                        \
        "echo $$ >&3; sleep 120 & echo $! >&3;"                                                    \
        "(sh -c 'echo $$ >&3; exec sleep 120' &);"                                                 \
        "(setsid sh -c 'echo $$ >&3; sleep 120 & echo $! >&3; wait' &);"                           \
        "wait"

void trees_start_family(pid_t pids[static TREES_FAMILY]) {
        pid_t leader = trees_start(TREES_FAMILY_SCRIPT);
        bool found = false;

        for (unsigned i = 0; i < TREES_FAMILY; i++) {
                pids[i] = trees_reported();
                found = found || pids[i] == leader;
        }
        ck_assert(found);
}
