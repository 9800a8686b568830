/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/tree_walk: whom a daemon's processes are known by when their parents have gone and they have
 * thrown away what they came with, and who is never taken for one of them.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "sys/procfs.h"
#include "trees.h"
#include "unit.h"

#define RELAY_DELAY_MAX  2000 /* microseconds */
#define RELAY_DELAY_STEP 50

/* Until the program has been executed whose environment is another one. */
static void wait_without_variable(pid_t pid, const char *variable) {
        while (procfs_has_variable(pid, variable) > 0)
                ;
}

/* A process that is being executed has none for a moment. */
static void wait_with_variable(pid_t pid, const char *variable) {
        while (procfs_has_variable(pid, variable) <= 0)
                ;
}

/* Takes the mark and the environment away. */
#define SCRUBBED "/usr/bin/prlimit --locks=unlimited:unlimited env -i /bin/sh -c"

/* It has lost both, its parent is gone, but its session is the first one's. */
START_TEST(test_scrubbed_in_first_session) {
        pid_t pid, leader = trees_start("(" SCRUBBED " 'echo $$ >&3; sleep 120; :' &); exit 0");

        pid = trees_reported();
        wait_without_variable(pid, TREES_ID);
        ck_assert_int_eq(waitpid(leader, NULL, 0), leader);
        ck_assert(tree_contains(tree, pid));
        ck_assert(!tree_is_empty(tree));
}
END_TEST

/* … or one that was seen while it still could be known. */
START_TEST(test_scrubbed_in_seen_session) {
        pid_t pid, leader, child;
        PidList list = { .count = 0 };

        leader = trees_start("setsid " SCRUBBED " 'echo $$ >&3; sleep 120 & echo $! >&3; wait' &"
                       "read x < /dev/zero");
        pid = trees_reported();
        child = trees_reported();
        wait_without_variable(pid, TREES_ID);
        ck_assert_int_eq(tree_each(tree, pid_list_add, &list), 0);
        ck_assert_uint_eq(list.count, 3);

        trees_end(leader);
        ck_assert(tree_contains(tree, pid));
        trees_end(pid);
        ck_assert(tree_contains(tree, child));
        trees_assert_members(&child, 1);
}
END_TEST

/* … or one that nobody has ever seen: daemons that set their title are so within milliseconds. */
START_TEST(test_scrubbed_in_unseen_session) {
        pid_t pid, leader;

        leader = trees_start(
                "(setsid env -i /bin/sh -c 'echo $$ >&3; sleep 120 & wait' &); exit 0");
        pid = trees_reported();
        wait_without_variable(pid, TREES_ID);
        ck_assert_int_eq(waitpid(leader, NULL, 0), leader);
        ck_assert(!tree_is_empty(tree));
        ck_assert(tree_contains(tree, pid));
}
END_TEST

/* The same session and even the same parent do not make up for another invocation. */
START_TEST(test_other_invocation) {
        pid_t pid, leader = trees_start("echo $$ >&3; " TREES_OTHER_ID
                                        " /bin/sh -c 'echo $$ >&3; sleep 120; :' & wait");
        bool swapped;
        pid_t first = trees_reported(), second = trees_reported();

        swapped = first != leader;
        pid = swapped ? first : second;
        ck_assert_int_eq(swapped ? second : first, leader);
        wait_without_variable(pid, TREES_ID);
        trees_assert_members(&leader, 1);
        ck_assert(!tree_contains(tree, pid));
        trees_end(leader);
        ck_assert(trees_live(pid));
        ck_assert(tree_is_empty(tree));

        /* The sleep below it, too. */
        ck_assert_int_eq(kill(-getpgid(pid), SIGKILL), 0);
        trees_reap_all();
}
END_TEST

static pid_t fork_stopped(void) {
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                (void) raise(SIGSTOP);
                _exit(0);
        }
        ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED), pid);
        return pid;
}

/* Between fork and exec the first process is still in our session, as are others of ours. */
START_TEST(test_before_its_session) {
        pid_t first, other;

        ck_assert_int_eq(tree_prepare(tree), 0);
        other = fork_stopped();
        tree_set_invocation(tree, "SUPERVISOR_INVOCATION=89ab");
        first = fork_stopped();
        tree_set_leader(tree, first);
        for (unsigned i = 0; i < 3; i++) {
                trees_assert_members(&first, 1);
                ck_assert(!tree_contains(tree, other));
        }
        trees_end(first);
        ck_assert(tree_is_empty(tree));
        ck_assert(trees_live(other));
        trees_end(other);
}
END_TEST

/* What carries our variables but does not come from us is none of our business. */
START_TEST(test_not_below_us) {
        pid_t other, pid = trees_start("echo $$ >&3; exec sleep 120");
        int status;

        ck_assert_int_eq(trees_reported(), pid);
        wait_with_variable(pid, TREES_MARK);
        wait_with_variable(pid, TREES_ID);
        other = fork();
        if (other == 0) {
                Tree *same;

                ck_assert_int_eq(tree_new(loop, NULL, "web", &same), 0);
                ck_assert_int_eq(tree_prepare(same), 0);
                tree_set_invocation(same, TREES_ID);
                ck_assert(!tree_contains(same, pid));
                ck_assert(tree_is_empty(same));
                _exit(42);
        }
        ck_assert_int_eq(waitpid(other, &status, 0), other);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42);
        ck_assert(tree_contains(tree, pid));
}
END_TEST

/* A daemon of the same name below another supervisor is not what an earlier run of ours left. */
START_TEST(test_nested) {
        pid_t pid, supervisor = trees_run("SUPERVISOR_DAEMON=web sleep 120 & echo $! >&3; wait", -1,
                                    TREES_OTHER_ID, "SUPERVISOR_DAEMON=nested");

        pid = trees_reported();
        wait_with_variable(pid, TREES_MARK);
        ck_assert_int_eq(tree_prepare(tree), 0);
        ck_assert(!tree_contains(tree, pid));
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(supervisor, NULL, 0), supervisor);
}
END_TEST

/* All that is below us, whatever it is of and however deep; and nobody else. */
START_TEST(test_kill_below) {
        pid_t pids[TREES_FAMILY], stranger, deep;

        trees_start_family(pids);
        stranger = trees_run("echo $$ >&3; setsid sleep 120 & echo $! >&3; wait", -1,
                             TREES_OTHER_ID, "SUPERVISOR_DAEMON=web2");
        ck_assert_int_eq(trees_reported(), stranger);
        deep = trees_reported();

        ck_assert_int_eq(tree_kill_below(), 0);
        trees_reap_all(); /* which waits for them */
        for (unsigned i = 0; i < TREES_FAMILY; i++)
                ck_assert(!trees_live(pids[i]));
        ck_assert(!trees_live(stranger) && !trees_live(deep));
        ck_assert(tree_is_empty(tree));
        ck_assert_int_eq(tree_kill_below(), 0);
}
END_TEST

/* Makes another one and ends, so long after `fd` was closed at its other end. */
static pid_t fork_relay(const int fds[static 2], unsigned delay) {
        pid_t pid = fork();
        char byte;

        ck_assert_int_ge(pid, 0);
        if (pid != 0)
                return pid;
        close(fds[1]);
        setsid();
        (void) !read(fds[0], &byte, 1);
        usleep(delay);
        if (fork() == 0)
                for (;;)
                        pause();
        _exit(0);
}

/* Who comes after the list of processes was read, and whose parent has ended before it was. */
START_TEST(test_kill_while_it_is_handed_on) {
        for (unsigned delay = 0; delay < RELAY_DELAY_MAX; delay += RELAY_DELAY_STEP) {
                int fds[2];

                ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
                ck_assert_int_eq(tree_prepare(tree), 0);
                tree_set_invocation(tree, TREES_ID);
                tree_set_leader(tree, fork_relay(fds, delay));
                fd_close(fds[1]);
                ck_assert_int_eq(tree_kill(tree), 0);
                trees_reap_all(); /* which waits for all of them */
                ck_assert(tree_is_empty(tree));
                fd_close(fds[0]);
        }
}
END_TEST

/*
 * Nothing was ever started in it: then there is nothing to look for. The one that is left does not
 * execute anything just then: it would have no environment to be known by.
 */
START_TEST(test_release_of_what_was_not_used) {
        pid_t leftover = trees_run("echo $$ >&3; kill -STOP $$", -1, TREES_OTHER_ID, TREES_MARK);

        ck_assert_int_eq(trees_reported(), leftover);
        ck_assert_int_eq(tree_release(tree), 0);
        ck_assert_int_eq(tree_prepare(tree), TREE_E_POPULATED);
        ck_assert_int_eq(tree_release(tree), TREE_E_BUSY);
        trees_end(leftover);
}
END_TEST

static bool has_pidfd(void) {
        int pidfd = (int) syscall(SYS_pidfd_open, getpid(), 0);
        bool has = pidfd >= 0;

        fd_close(pidfd);
        return has;
}

static Suite *make_suite(const char *unable) {
        Suite *suite = suite_create("tree_walk");
        TCase *tcase = tcase_create("walk");

        (void) unable;
        tcase_add_checked_fixture(tcase, trees_setup_walk, trees_teardown);
        tcase_add_test(tcase, test_scrubbed_in_first_session);
        tcase_add_test(tcase, test_scrubbed_in_seen_session);
        tcase_add_test(tcase, test_scrubbed_in_unseen_session);
        tcase_add_test(tcase, test_other_invocation);
        tcase_add_test(tcase, test_before_its_session);
        tcase_add_test(tcase, test_not_below_us);
        tcase_add_test(tcase, test_nested);
        if (has_pidfd()) {
                tcase_add_test(tcase, test_kill_below);
                tcase_add_test(tcase, test_kill_while_it_is_handed_on);
        } else
                unit_add_skipped(suite, "kill_below", "no pidfd_open here (an old valgrind?)");
        tcase_add_test(tcase, test_release_of_what_was_not_used);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return trees_main(make_suite);
}
