/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/tree: what belongs to a daemon and what does not, as far as both back ends promise the same.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "sys/procfs.h"
#include "trees.h"
#include "unit.h"

/* A process that has nothing to do with the daemon but that it is our child, too. */
static pid_t start_stranger(void) {
        return trees_run("echo $$ >&3; exec sleep 120", -1, TREES_OTHER_ID,
                         "SUPERVISOR_DAEMON=web2");
}

/* It ended and is reaped only afterwards. */
static void wait_for_zombie(pid_t pid) {
        siginfo_t info;

        ck_assert_int_eq(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT), 0);
}

/* Subshells in between have ended. */
static void wait_for_members(unsigned count) {
        PidList list;

        do {
                list.count = 0;
                ck_assert_int_eq(tree_each(tree, pid_list_add, &list), 0);
        } while (list.count != count);
}

START_TEST(test_members) {
        pid_t pids[TREES_FAMILY], stranger = start_stranger();

        ck_assert_int_eq(trees_reported(), stranger);
        trees_start_family(pids);
        wait_for_members(TREES_FAMILY);
        ck_assert(!tree_is_empty(tree));
        trees_assert_members(pids, TREES_FAMILY);

        ck_assert(!tree_contains(tree, stranger));
        ck_assert(!tree_contains(tree, getpid()));
        ck_assert(!tree_contains(tree, getppid()));
        ck_assert(!tree_contains(tree, 1));
        ck_assert(!tree_contains(tree, 0));
        ck_assert(!tree_contains(tree, -1));
        ck_assert(!tree_contains(tree, INT32_MAX));
        ck_assert(trees_live(stranger));
        trees_end(stranger);
}
END_TEST

static int stop_at_second(void *userdata, pid_t pid) {
        unsigned *count = userdata;

        ck_assert_int_gt(pid, 1);
        return ++*count == 2 ? 4711 : 0;
}

START_TEST(test_each_ends_early) {
        pid_t pids[TREES_FAMILY];
        unsigned count = 0;

        trees_start_family(pids);
        ck_assert_int_eq(tree_each(tree, stop_at_second, &count), 4711);
        ck_assert_uint_eq(count, 2);
}
END_TEST

START_TEST(test_never_started) {
        PidList list = { .count = 0 };

        ck_assert(tree_is_empty(tree));
        ck_assert_int_eq(tree_each(tree, pid_list_add, &list), 0);
        ck_assert_int_eq(tree_signal(tree, SIGTERM), 0);
        ck_assert_int_eq(tree_kill(tree), 0);
        ck_assert_int_eq(tree_release(tree), 0);
        ck_assert_uint_eq(list.count, 0);
        ck_assert_int_eq(tree_prepare(tree), 0);
        ck_assert(tree_is_empty(tree));
        ck_assert_int_eq(tree_prepare(tree), 0);
        ck_assert_int_eq(tree_cgroup_fd(tree) >= 0, trees_way == TREES_CGROUP);
}
END_TEST

START_TEST(test_zombie) {
        pid_t pid = trees_start("exit 0");

        wait_for_zombie(pid);
        ck_assert(tree_is_empty(tree));
        ck_assert(!tree_contains(tree, pid));
        ck_assert(tree_contained(tree, pid));
        trees_assert_members(NULL, 0);
        ck_assert_int_eq(tree_release(tree), 0);
        /* Its cgroup now shows with "(deleted)". */
        ck_assert(!tree_contains(tree, pid));
        ck_assert(tree_is_empty(tree));
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        ck_assert(!tree_contained(tree, pid));
}
END_TEST

/* Those that end while the tree goes on: a child of the first process, and an orphan. */
START_TEST(test_zombies_of_others) {
        pid_t first, pids[2], stranger = start_stranger();

        ck_assert_int_eq(trees_reported(), stranger);
        first = trees_start("echo $$ >&3; sleep 120 & echo $! >&3; (sleep 120 & echo $! >&3);"
                            "kill -STOP $$");
        ck_assert_int_eq(trees_reported(), first);
        for (size_t i = 0; i < ELEMENTSOF(pids); i++) {
                pids[i] = trees_reported();
                ck_assert(tree_contained(tree, pids[i]));
        }
        ck_assert_int_eq(waitpid(first, NULL, WUNTRACED), first); /* it reaps nobody */
        for (size_t i = 0; i < ELEMENTSOF(pids); i++) {
                ck_assert_int_eq(kill(pids[i], SIGKILL), 0);
                while (trees_live(pids[i]))
                        ;
                ck_assert(!tree_contains(tree, pids[i]));
                ck_assert(tree_contained(tree, pids[i]));
        }
        ck_assert(!tree_contained(tree, stranger));
        ck_assert_int_eq(kill(stranger, SIGKILL), 0);
        wait_for_zombie(stranger);
        ck_assert(!tree_contained(tree, stranger));
        ck_assert(!tree_contained(tree, 0) && !tree_contained(tree, -1));
}
END_TEST

START_TEST(test_signal) {
        pid_t pids[TREES_FAMILY], stranger = start_stranger();

        ck_assert_int_eq(trees_reported(), stranger);
        trees_start_family(pids);
        wait_for_members(TREES_FAMILY);
        ck_assert_int_eq(tree_signal(tree, SIGTERM), TREES_FAMILY);
        for (unsigned i = 0; i < TREES_FAMILY; i++)
                while (trees_live(pids[i]))
                        (void) waitpid(pids[i], NULL, WNOHANG);
        ck_assert(tree_is_empty(tree));
        ck_assert(trees_live(stranger));
        trees_end(stranger);
}
END_TEST

/* Members that go on forking while they are being killed. */
START_TEST(test_kill) {
        pid_t stranger = start_stranger();

        ck_assert_int_eq(trees_reported(), stranger);
        trees_start("for i in 1 2 3 4 5; do"
              "  sh -c 'n=0; trap \"\" TERM; while [ $n -lt 50 ]; do"
              "    setsid sleep 120 & sleep 0.01; n=$((n + 1)); done; wait' &"
              "  echo $! >&3; done; wait");
        for (unsigned i = 0; i < 5; i++)
                ck_assert(tree_contains(tree, trees_reported()));

        ck_assert_int_ge(tree_kill(tree), 0);
        /* Returns when none of ours is left but the stranger: he alone still runs. */
        while (!tree_is_empty(tree))
                (void) waitpid(-1, NULL, WNOHANG);
        ck_assert(trees_live(stranger));
        trees_end(stranger);
        trees_reap_all();
        ck_assert_int_eq(tree_release(tree), 0);
}
END_TEST

/* The same daemon runs twice in a row. */
START_TEST(test_again) {
        pid_t first = trees_start("echo $$ >&3; exec sleep 120"), second;

        ck_assert_int_eq(trees_reported(), first);
        ck_assert_int_eq(tree_prepare(tree), TREE_E_POPULATED);
        ck_assert(tree_contains(tree, first));
        trees_end(first);
        ck_assert_int_eq(tree_release(tree), 0);
        ck_assert_int_eq(tree_cgroup_fd(tree), -1);

        second = trees_start_as("echo $$ >&3; exec sleep 120", TREES_OTHER_ID);
        ck_assert_int_eq(trees_reported(), second);
        trees_assert_members(&second, 1);
        ck_assert_int_eq(tree_release(tree), TREE_E_BUSY);
        ck_assert(tree_contains(tree, second));
}
END_TEST

/* A supervisor that starts anew in the same process finds what the old one left. */
START_TEST(test_leftovers) {
        pid_t pids[2], second;

        pids[0] = trees_start("echo $$ >&3; sleep 120 & echo $! >&3; wait");
        ck_assert_int_eq(trees_reported(), pids[0]);
        pids[1] = trees_reported();
        tree = tree_free(tree);
        tree = trees_new("web");

        ck_assert_int_eq(tree_prepare(tree), TREE_E_POPULATED);
        trees_assert_members(pids, 2);
        ck_assert(!tree_is_empty(tree));
        ck_assert_int_eq(tree_release(tree), TREE_E_BUSY);
        trees_end_all();

        second = trees_start_as("echo $$ >&3; exec sleep 120", TREES_OTHER_ID);
        ck_assert_int_eq(trees_reported(), second);
        trees_assert_members(&second, 1);
}
END_TEST

/* Names that are part of others, and such as cgroupfs has itself. */
START_TEST(test_names) {
        static const char *const names[] = { "web2", "we", "web.daemon", "cgroup.procs",
                                             "supervisor", "cgroup.kill" };
        pid_t pid = trees_start("echo $$ >&3; exec sleep 120");

        ck_assert_int_eq(trees_reported(), pid);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                CLEANUP(tree_freep) Tree *other = trees_new(names[i]);

                ck_assert_int_eq(tree_prepare(other), 0);
                ck_assert(tree_is_empty(other));
                ck_assert(!tree_contains(other, pid));
                ck_assert_int_eq(tree_kill(other), 0);
                ck_assert_int_eq(tree_release(other), 0);
        }
        ck_assert(trees_live(pid));
}
END_TEST

/* Those that are spared are found no more, nor signalled, nor in the way of the next start. */
START_TEST(test_spare) {
        PidList spared = { .count = 0 };
        pid_t pids[TREES_FAMILY], next;

        trees_start_family(pids);
        wait_for_members(TREES_FAMILY);
        trees_end(pids[0]);
        ck_assert_int_eq(tree_spare(tree, pid_list_add, &spared), TREES_FAMILY - 1);
        for (unsigned i = 1; i < TREES_FAMILY; i++) {
                ck_assert(pid_list_has(&spared, pids[i]));
                ck_assert(!tree_contains(tree, pids[i]));
        }
        ck_assert(tree_is_empty(tree));
        ck_assert_int_eq(tree_kill(tree), 0);
        ck_assert_int_eq(tree_release(tree), 0);

        next = trees_start_as("echo $$ >&3; exec sleep 120", TREES_OTHER_ID);
        ck_assert_int_eq(trees_reported(), next);
        trees_assert_members(&next, 1);
        ck_assert_int_eq(tree_spare(tree, pid_list_add, &spared), 1); /* it may be again */
        ck_assert(tree_is_empty(tree));
        for (unsigned i = 1; i < TREES_FAMILY; i++) {
                ck_assert(trees_live(pids[i]));
                ck_assert_int_eq(kill(pids[i], SIGKILL), 0);
        }
        trees_end(next);
        trees_reap_all();
        ck_assert_int_eq(tree_release(tree), 0);
}
END_TEST

/* What those that were spared make later is not the daemon's either. */
START_TEST(test_spare_goes_on) {
        PidList spared = { .count = 0 };
        pid_t pid, session, late, next;
        ProcStat stat;

        pid = trees_start("(setsid sh -c 'echo $$ >&3; kill -STOP $$;"
                          "(setsid sleep 120 & echo $! >&3); exec sleep 120' &); exec sleep 120");
        session = trees_reported();
        do
                ck_assert_int_eq(procfs_stat(session, &stat), 0);
        while (stat.state != 'T');
        wait_for_members(2);
        trees_end(pid);
        ck_assert_int_eq(tree_spare(tree, pid_list_add, &spared), 1);
        ck_assert_int_eq(kill(session, SIGCONT), 0);
        late = trees_reported();
        ck_assert(tree_is_empty(tree));
        next = trees_start_as("echo $$ >&3; exec sleep 120", TREES_OTHER_ID);
        ck_assert_int_eq(trees_reported(), next);
        ck_assert(!tree_contains(tree, late) && !tree_contains(tree, session));
        trees_assert_members(&next, 1);
        ck_assert_int_eq(kill(late, SIGKILL), 0);
        ck_assert_int_eq(kill(session, SIGKILL), 0);
        trees_end(next);
        trees_reap_all();
}
END_TEST

/* What a test of the watch sees. */
typedef struct Watcher {
        unsigned called;
        bool frees; /* the tree, from inside the handler */
} Watcher;

static int on_tree(void *userdata) {
        Watcher *watcher = userdata;

        watcher->called++;
        if (!tree_is_empty(tree))
                return 0;
        if (watcher->frees) {
                (void) tree_release(tree);
                tree = tree_free(tree);
        } else
                tree_unwatch(tree);
        return loop_exit(loop, 42);
}

static int on_child(void *userdata) {
        (void) userdata;
        while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
        if (tree)
                tree_child_reaped(tree);
        return 0;
}

/* The last member is an orphan that outlives the first process. */
START_TEST(test_watch) {
        Watcher watcher = { .frees = _i == 1 };
        LoopSource *source;
        pid_t pid, orphan;

        ck_assert_int_eq(
                loop_add_signal(loop, &source, SIGCHLD, LOOP_CHILD, "child", on_child, NULL), 0);
        pid = trees_start("(setsid sh -c 'echo $$ >&3; exec sleep 120' &); exit 0");
        orphan = trees_reported();
        ck_assert_int_eq(tree_watch(tree, on_tree, &watcher), 0);
        ck_assert_int_eq(tree_watch(tree, on_tree, &watcher), 0);
        ck_assert_uint_eq(watcher.called, 0);
        ck_assert_int_ne(pid, orphan);
        ck_assert_int_eq(kill(orphan, SIGKILL), 0);

        ck_assert_int_eq(loop_run(loop), 42);
        ck_assert_uint_ge(watcher.called, 1);
        loop_source_free(source);
        ck_assert(watcher.frees ? !tree : tree_is_empty(tree));
}
END_TEST

static int on_settled(void *userdata) {
        (void) userdata;
        return loop_exit(loop, 42);
}

/* Also what was on its way already is not told any more. */
START_TEST(test_unwatch) {
        Watcher watcher = { .called = 0 };
        pid_t pid = trees_start("exec sleep 120");
        LoopSource *settled;

        ck_assert_int_eq(
                loop_add_defer(loop, &settled, LOOP_SETTLE, "settled", on_settled, NULL), 0);
        ck_assert_int_eq(loop_defer_arm(settled), 0);
        ck_assert_int_eq(tree_watch(tree, on_tree, &watcher), 0);
        trees_end(pid);
        tree_child_reaped(tree);
        ck_assert(tree_is_empty(tree));
        tree_unwatch(tree);
        tree_unwatch(tree);
        tree_child_reaped(tree);
        ck_assert_int_eq(loop_run(loop), 42);
        ck_assert_uint_eq(watcher.called, 0);
        loop_source_free(settled);
}
END_TEST

static TCase *make_case(const char *name, void (*setup)(void)) {
        TCase *tcase = tcase_create(name);

        tcase_add_checked_fixture(tcase, setup, trees_teardown);
        tcase_add_test(tcase, test_members);
        tcase_add_test(tcase, test_each_ends_early);
        tcase_add_test(tcase, test_never_started);
        tcase_add_test(tcase, test_zombie);
        tcase_add_test(tcase, test_zombies_of_others);
        if (trees_with_pidfd) {
                tcase_add_test(tcase, test_signal);
                tcase_add_test(tcase, test_kill);
        }
        tcase_add_test(tcase, test_again);
        tcase_add_test(tcase, test_leftovers);
        tcase_add_test(tcase, test_names);
        tcase_add_test(tcase, test_spare);
        tcase_add_test(tcase, test_spare_goes_on);
        tcase_add_loop_test(tcase, test_watch, 0, 2);
        tcase_add_test(tcase, test_unwatch);
        return tcase;
}

static Suite *make_suite(const char *unable) {
        Suite *suite = suite_create("tree");

        suite_add_tcase(suite, make_case("walk", trees_setup_walk));
        if (unable)
                unit_add_skipped(suite, "cgroup", unable);
        else
                suite_add_tcase(suite, make_case("cgroup", trees_setup_cgroup));
        if (!trees_with_pidfd)
                unit_add_skipped(suite, "signals", "no pidfd_send_signal(2)");
        return suite;
}

int main(void) {
        return trees_main(make_suite);
}
