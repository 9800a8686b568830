/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/tree_cgroup: cgroups below the daemon's, what an earlier run or somebody else has done to
 * them, and what it costs. Kernels without cgroup.kill are played by calling what stands in for it.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "spawning.h"
#include "sys/tree_internal.h"
#include "trees.h"
#include "unit.h"

static unsigned count_descriptors(void) {
        DIR *directory = opendir("/proc/self/fd");
        unsigned count = 0;

        ck_assert_ptr_nonnull(directory);
        while (readdir(directory))
                count++;
        (void) closedir(directory);
        return count;
}

START_TEST(test_descriptors) {
        unsigned before = count_descriptors();
        pid_t pid;

        pid = trees_start("echo $$ >&3; exec sleep 120");
        ck_assert_int_eq(trees_reported(), pid);
        ck_assert_uint_eq(count_descriptors(), before + 1);
        ck_assert(!tree_is_empty(tree));
        trees_assert_members(&pid, 1);
        ck_assert_int_eq(tree_prepare(tree), TREE_E_POPULATED);
        if (trees_with_pidfd)
                ck_assert_int_eq(tree_signal(tree, SIGCONT), 1);
        ck_assert_uint_eq(count_descriptors(), before + 1);
        trees_end(pid);
        ck_assert_int_eq(tree_release(tree), 0);
        ck_assert_uint_eq(count_descriptors(), before);
}
END_TEST

static void path_of(const char *below, char path[static 2048]) {
        snprintf(path, 2048, "%s/web.daemon%s", cgroup_root_path(root), below);
}

/* A daemon that makes cgroups itself, as container engines and session managers do. */
START_TEST(test_below) {
        char path[2048], script[4096];
        pid_t pids[3];

        path_of("", path);
        snprintf(script, sizeof(script),
                 "echo $$ >&3; cd %s; mkdir a a/b c;"
                 "sleep 120 & p=$!; echo $p >a/b/cgroup.procs; echo $p >&3;"
                 "sleep 120 & p=$!; echo $p >c/cgroup.procs; echo $p >&3; wait",
                 path);
        trees_start(script);
        for (unsigned i = 0; i < 3; i++)
                pids[i] = trees_reported();
        trees_assert_members(pids, 3);
        if (trees_with_pidfd)
                ck_assert_int_eq(tree_signal(tree, 0), 3);
        trees_end(pids[0]);
        ck_assert(!tree_is_empty(tree));
        ck_assert_int_eq(tree_release(tree), TREE_E_BUSY);
        ck_assert_int_eq(tree_kill(tree), 0);
        trees_reap_all();
        ck_assert(tree_is_empty(tree));
        ck_assert_int_eq(tree_release(tree), 0);
        ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

/* Deeper than the stack is worth: it is still killed, and an error rather than a crash. */
START_TEST(test_too_deep) {
        char path[2048];
        PidList list = { .count = 0 };
        pid_t pid = trees_start("echo $$ >&3; exec sleep 120");
        int fd;

        ck_assert_int_eq(trees_reported(), pid);
        fd = dup(tree_cgroup_fd(tree));
        for (unsigned i = 0; i < 40; i++) {
                int below;

                ck_assert_int_eq(mkdirat(fd, "x", 0755), 0);
                below = openat(fd, "x", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                ck_assert_int_ge(below, 0);
                fd_close(fd);
                fd = below;
        }
        fd_close(fd);
        ck_assert_int_eq(tree_each(tree, pid_list_add, &list), -ELOOP);
        ck_assert_int_eq(tree_kill(tree), 0);
        trees_reap_all();
        ck_assert(tree_is_empty(tree));
        ck_assert_int_eq(tree_release(tree), -ELOOP);

        /* For the teardown. */
        path_of("/x/x/x/x/x/x/x/x/x/x", path);
        ck_assert_int_eq(cgroup_remove(path), 0);
}
END_TEST

static void assert_not_frozen(void) {
        CLEANUP(freep) char *content = NULL;
        size_t size;

        ck_assert_int_eq(file_read(tree_cgroup_fd(tree), "cgroup.freeze", 16, FILE_ANY_TYPE,
                                   &content, &size), 0);
        ck_assert_str_eq(content, "0\n");
}

/* How it is done where cgroup.kill is missing, also if the daemon is frozen already. */
START_TEST(test_kill_frozen) {
        pid_t pids[TREES_FAMILY];

        trees_start_family(pids);
        if (_i == 1)
                ck_assert_int_eq(file_write(tree_cgroup_fd(tree), "cgroup.freeze", "1"), 0);
        ck_assert_int_eq(tree_cgroup_kill_frozen(tree), 0);
        trees_reap_all();
        ck_assert(tree_is_empty(tree));
        assert_not_frozen();
}
END_TEST

/*
 * Forks and exits and forks: who looks for its number comes too late. Tells that it has begun, and
 * ends by itself at last, before all numbers are used up by those that nobody has reaped yet.
 */
static void start_runaway(int begun) {
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid != 0)
                return;
        if (file_write(tree_cgroup_fd(tree), "cgroup.procs", "0") == 0 && write(begun, "", 1) == 1)
                for (unsigned i = 0; i < 1000 && fork() == 0; i++)
                        ;
        _exit(0);
}

START_TEST(test_kill_runaway) {
        int begun[2];

        ck_assert_int_eq(pipe2(begun, O_CLOEXEC), 0);
        ck_assert_int_eq(tree_prepare(tree), 0);
        for (unsigned i = 0; i < 8; i++)
                start_runaway(begun[1]);
        ck_assert_int_eq(read(begun[0], (char[1]){ 0 }, 1), 1);
        ck_assert_int_eq(_i == 0 ? tree_kill(tree) : tree_cgroup_kill_frozen(tree), 0);
        trees_reap_all();
        ck_assert(tree_is_empty(tree));
}
END_TEST

/* More than one read(2) can take, with numbers cut in two. */
START_TEST(test_many) {
        PidList list = { .count = 0 };
        pid_t pids[450];

        ck_assert_int_eq(tree_prepare(tree), 0);
        for (size_t i = 0; i < ELEMENTSOF(pids); i++) {
                pids[i] = fork();
                ck_assert_int_ge(pids[i], 0);
                if (pids[i] == 0) {
                        if (file_write(tree_cgroup_fd(tree), "cgroup.procs", "0") == 0)
                                (void) raise(SIGSTOP);
                        _exit(99);
                }
        }
        for (size_t i = 0; i < ELEMENTSOF(pids); i++)
                ck_assert_int_eq(waitpid(pids[i], NULL, WUNTRACED), pids[i]);
        ck_assert_int_eq(tree_each(tree, pid_list_add, &list), 0);
        ck_assert_uint_eq(list.count, ELEMENTSOF(pids));
        for (size_t i = 0; i < ELEMENTSOF(pids); i++)
                ck_assert(pid_list_has(&list, pids[i]));
}
END_TEST

/* A neighbour whose directory begins like ours: web.daemon and web.daemon2.daemon. */
START_TEST(test_neighbour) {
        CLEANUP(tree_freep) Tree *own = tree;
        pid_t pid;

        ck_assert_int_eq(tree_prepare(own), 0);
        tree = trees_new("web.daemon2");
        pid = trees_start("echo $$ >&3; exec sleep 120");
        ck_assert_int_eq(trees_reported(), pid);
        ck_assert(tree_contains(tree, pid));
        ck_assert(!tree_contains(own, pid));
        ck_assert(tree_is_empty(own));
        ck_assert_int_eq(tree_release(own), 0);
}
END_TEST

/* An earlier run has left the cgroup frozen: whoever is started into it would stand still. */
START_TEST(test_prepare_afresh) {
        char path[2048];
        pid_t pid;

        path_of("", path);
        ck_assert_int_eq(mkdir(path, 0755), 0);
        path_of("/cgroup.freeze", path);
        ck_assert_int_eq(file_write(AT_FDCWD, path, "1"), 0);
        path_of("/left", path);
        ck_assert_int_eq(mkdir(path, 0755), 0);

        pid = trees_start("echo $$ >&3; exec sleep 120");
        ck_assert_int_eq(trees_reported(), pid);
        ck_assert_int_eq(access(path, F_OK), -1);
        assert_not_frozen();
}
END_TEST

/* Which cgroup it is: numbers are not given twice. */
static ino_t prepared(void) {
        struct stat st;

        ck_assert_int_eq(tree_prepare(tree), 0);
        ck_assert_int_eq(fstat(tree_cgroup_fd(tree), &st), 0);
        return st.st_ino;
}

/* What a run leaves as it was is used again, unless it was killed, frozen, or has others below. */
START_TEST(test_prepare_again) {
        char path[2048];
        ino_t first = prepared(), second, third, fourth;

        trees_end(trees_run("exec sleep 120", tree_cgroup_fd(tree), TREES_ID, TREES_MARK));
        ck_assert_uint_eq(prepared(), first);
        ck_assert_int_eq(tree_kill(tree), 0);
        second = prepared();
        ck_assert_uint_ne(second, first);
        ck_assert_uint_eq(prepared(), second);
        ck_assert_int_eq(tree_pause(tree, true), 0);
        third = prepared();
        ck_assert_uint_ne(third, second);
        assert_not_frozen();
        path_of("/left", path);
        ck_assert_int_eq(mkdir(path, 0755), 0);
        fourth = prepared();
        ck_assert_uint_ne(fourth, third);
        ck_assert_uint_eq(prepared(), fourth);
        ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

/* As a helper does whose predecessor was killed just now: it does not die of that. */
START_TEST(test_enter_after_a_kill) {
        SpawnRequest request = spawning_request(SPAWNING_SLEEP);

        (void) prepared();
        ck_assert(!tree_was_killed(tree));
        ck_assert_int_eq(tree_kill(tree), 0);
        ck_assert(tree_was_killed(tree));
        spawn_limit((SpawnWay) _i);
        request.cgroup_fd = tree_cgroup_fd(tree);
        request.enter_cgroup = true;
        Spawned spawned = spawning_start(&request);
        trees_assert_members(&spawned.pid, 1);
        ck_assert_int_eq(waitpid(spawned.pid, NULL, WNOHANG), 0);
        spawning_end(&spawned);
        (void) prepared();
        ck_assert(!tree_was_killed(tree));
}
END_TEST

/* Somebody else removes the cgroup. */
START_TEST(test_removed_by_others) {
        char path[2048];

        ck_assert_int_eq(tree_prepare(tree), 0);
        path_of("", path);
        ck_assert_int_eq(rmdir(path), 0);
        ck_assert(tree_is_empty(tree));
        trees_assert_members(NULL, 0);
        ck_assert_int_eq(tree_signal(tree, SIGTERM), 0);
        ck_assert_int_eq(tree_kill(tree), 0);
        ck_assert_int_eq(tree_release(tree), 0);
        ck_assert_int_eq(tree_prepare(tree), 0);
        ck_assert_int_eq(rmdir(path), 0);
        ck_assert_int_eq(tree_prepare(tree), 0);
        ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

static Suite *make_suite(const char *unable) {
        Suite *suite = suite_create("tree_cgroup");
        TCase *tcase = tcase_create("cgroup");

        if (unable) {
                unit_add_skipped(suite, "cgroup", unable);
                return suite;
        }
        tcase_add_checked_fixture(tcase, trees_setup_cgroup, trees_teardown);
        tcase_add_test(tcase, test_descriptors);
        tcase_add_test(tcase, test_below);
        tcase_add_test(tcase, test_too_deep);
        if (trees_with_pidfd) {
                tcase_add_loop_test(tcase, test_kill_frozen, 0, 2);
                tcase_add_loop_test(tcase, test_kill_runaway, 0, 2);
                tcase_add_loop_test(tcase, test_enter_after_a_kill, 0, SPAWNING_WAYS);
        } else
                unit_add_skipped(suite, "signals", "no pidfd_send_signal(2)");
        tcase_add_test(tcase, test_many);
        tcase_add_test(tcase, test_neighbour);
        tcase_add_test(tcase, test_prepare_afresh);
        tcase_add_test(tcase, test_prepare_again);
        tcase_add_test(tcase, test_removed_by_others);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return trees_main(make_suite);
}
