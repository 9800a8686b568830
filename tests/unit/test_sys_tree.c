/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/tree: what belongs to a daemon and what does not, on both back ends where they promise the
 * same, and each for itself where they do not. The daemons are shells with something to do; they
 * say on descriptor 3 which processes they have made.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "place.h"
#include "sys/cgroup.h"
#include "sys/loop.h"
#include "sys/procfs.h"
#include "sys/tree.h"
#include "sys/tree_internal.h"
#include "unit.h"

#define PIDS_MAX 512
#define ID       "SUPERVISOR_INVOCATION=0123"
#define OTHER_ID "SUPERVISOR_INVOCATION=4567"
#define MARK     "SUPERVISOR_DAEMON=web"

typedef enum Way {
        WAY_WALK,
        WAY_CGROUP,
        WAY_MAX_,
} Way;

static Place program;
static bool with_cgroup; /* whether this machine lets us */
static bool with_pidfd;

static Way way;
static Loop *loop;
static CgroupRoot *root;
static Tree *tree;
static int reports[2];

static void setup(Way chosen) {
        const char *why = "";

        way = chosen;
        ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
        ck_assert_int_eq(pipe2(reports, O_CLOEXEC), 0);
        ck_assert_int_eq(loop_new(&loop), 0);
        if (with_cgroup) {
                /* Also for the walk: whatever a failed test leaves is found and ended. */
                place_enter(&program);
                ck_assert_int_eq(setxattr(program.path, "user.delegate", "1", 1, 0), 0);
                ck_assert_msg(cgroup_root_open("test", &root, &why) == 0, "%s", why);
        }
        ck_assert_int_eq(tree_new(loop, way == WAY_CGROUP ? root : NULL, "web", &tree), 0);
}

static void setup_walk(void) {
        setup(WAY_WALK);
}

static void setup_cgroup(void) {
        setup(WAY_CGROUP);
}

static void reap_all(void) {
        while (waitpid(-1, NULL, 0) > 0)
                ;
}

static int kill_one(void *userdata, pid_t pid) {
        (void) userdata;
        return kill(pid, SIGKILL) == 0 ? 0 : errno;
}

/* By the means of the test, not of what it tests. */
static void end_all(void) {
        while (!tree_is_empty(tree)) {
                ck_assert_int_eq(tree_each(tree, kill_one, NULL), 0);
                (void) waitpid(-1, NULL, WNOHANG);
        }
        reap_all();
}

static void teardown(void) {
        if (tree) {
                end_all();
                ck_assert_int_eq(tree_release(tree), 0);
        }
        tree = tree_free(tree);
        root = cgroup_root_close(root);
        loop = loop_free(loop);
        fd_close(reports[0]);
        fd_close(reports[1]);
        place_leave(&program);
}

/* Runs a shell in its own session; `environment` begins with what makes it a member or not. */
static pid_t run(const char *script, int cgroup_fd, const char *first, const char *second) {
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

/* Starts the daemon. */
static pid_t start_as(const char *script, const char *invocation) {
        pid_t pid;

        ck_assert_int_eq(tree_prepare(tree), 0);
        tree_set_invocation(tree, invocation);
        pid = run(script, tree_cgroup_fd(tree), invocation, MARK);
        tree_set_leader(tree, pid);
        return pid;
}

static pid_t start(const char *script) {
        return start_as(script, ID);
}

/* A process that has nothing to do with the daemon but that it is our child, too. */
static pid_t start_stranger(void) {
        return run("echo $$ >&3; exec sleep 120", -1, OTHER_ID, "SUPERVISOR_DAEMON=web2");
}

/* The next process that a daemon tells of. */
static pid_t reported(void) {
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

static bool lives(pid_t pid) {
        ProcStat stat;

        return procfs_stat(pid, &stat) == 0 && stat.state != 'Z';
}

static void end(pid_t pid) {
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* It ended and is reaped only afterwards. */
static void wait_for_zombie(pid_t pid) {
        siginfo_t info;

        ck_assert_int_eq(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT), 0);
}

typedef struct PidList {
        pid_t pids[PIDS_MAX];
        unsigned count;
} PidList;

static int list_add(void *userdata, pid_t pid) {
        PidList *list = userdata;

        ck_assert_uint_lt(list->count, PIDS_MAX);
        list->pids[list->count++] = pid;
        return 0;
}

static bool list_has(const PidList *list, pid_t pid) {
        for (unsigned i = 0; i < list->count; i++)
                if (list->pids[i] == pid)
                        return true;
        return false;
}

static void assert_members(const pid_t *pids, unsigned count) {
        PidList list = { .count = 0 };

        ck_assert_int_eq(tree_each(tree, list_add, &list), 0);
        ck_assert_uint_eq(list.count, count);
        for (unsigned i = 0; i < count; i++) {
                ck_assert_msg(list_has(&list, pids[i]), "%d is not listed", (int) pids[i]);
                ck_assert_msg(tree_contains(tree, pids[i]), "%d is not contained", (int) pids[i]);
        }
}

/* ---- what both promise ---- */

/* The first process, a child, an orphan, and an orphan in a session of its own with a child. */
#define FAMILY                                                                                     \
        "echo $$ >&3; sleep 120 & echo $! >&3;"                                                    \
        "(sh -c 'echo $$ >&3; exec sleep 120' &);"                                                 \
        "(setsid sh -c 'echo $$ >&3; sleep 120 & echo $! >&3; wait' &);"                           \
        "wait"
#define FAMILY_COUNT 5

static void start_family(pid_t pids[static FAMILY_COUNT]) {
        pid_t leader = start(FAMILY);
        bool found = false;

        for (unsigned i = 0; i < FAMILY_COUNT; i++) {
                pids[i] = reported();
                found = found || pids[i] == leader;
        }
        ck_assert(found);
}

/* Subshells in between have ended. */
static void wait_for_members(unsigned count) {
        PidList list;

        do {
                list.count = 0;
                ck_assert_int_eq(tree_each(tree, list_add, &list), 0);
        } while (list.count != count);
}

START_TEST(test_members) {
        pid_t pids[FAMILY_COUNT], stranger = start_stranger();

        ck_assert_int_eq(reported(), stranger);
        start_family(pids);
        wait_for_members(FAMILY_COUNT);
        ck_assert(!tree_is_empty(tree));
        assert_members(pids, FAMILY_COUNT);

        ck_assert(!tree_contains(tree, stranger));
        ck_assert(!tree_contains(tree, getpid()));
        ck_assert(!tree_contains(tree, getppid()));
        ck_assert(!tree_contains(tree, 1));
        ck_assert(!tree_contains(tree, 0));
        ck_assert(!tree_contains(tree, -1));
        ck_assert(!tree_contains(tree, INT32_MAX));
        ck_assert(lives(stranger));
        end(stranger);
}
END_TEST

static int stop_at_second(void *userdata, pid_t pid) {
        unsigned *count = userdata;

        ck_assert_int_gt(pid, 1);
        return ++*count == 2 ? 4711 : 0;
}

START_TEST(test_each_ends_early) {
        pid_t pids[FAMILY_COUNT];
        unsigned count = 0;

        start_family(pids);
        ck_assert_int_eq(tree_each(tree, stop_at_second, &count), 4711);
        ck_assert_uint_eq(count, 2);
}
END_TEST

START_TEST(test_never_started) {
        PidList list = { .count = 0 };

        ck_assert(tree_is_empty(tree));
        ck_assert_int_eq(tree_each(tree, list_add, &list), 0);
        ck_assert_int_eq(tree_signal(tree, SIGTERM), 0);
        ck_assert_int_eq(tree_kill(tree), 0);
        ck_assert_int_eq(tree_release(tree), 0);
        ck_assert_uint_eq(list.count, 0);
        ck_assert_int_eq(tree_prepare(tree), 0);
        ck_assert(tree_is_empty(tree));
        ck_assert_int_eq(tree_prepare(tree), 0);
        ck_assert_int_eq(tree_cgroup_fd(tree) >= 0, way == WAY_CGROUP);
}
END_TEST

START_TEST(test_zombie) {
        pid_t pid = start("exit 0");

        wait_for_zombie(pid);
        ck_assert(tree_is_empty(tree));
        ck_assert(!tree_contains(tree, pid));
        assert_members(NULL, 0);
        ck_assert_int_eq(tree_release(tree), 0);
        /* Its cgroup now shows with "(deleted)". */
        ck_assert(!tree_contains(tree, pid));
        ck_assert(tree_is_empty(tree));
}
END_TEST

START_TEST(test_signal) {
        pid_t pids[FAMILY_COUNT], stranger = start_stranger();

        ck_assert_int_eq(reported(), stranger);
        start_family(pids);
        wait_for_members(FAMILY_COUNT);
        ck_assert_int_eq(tree_signal(tree, SIGTERM), FAMILY_COUNT);
        for (unsigned i = 0; i < FAMILY_COUNT; i++)
                while (lives(pids[i]))
                        (void) waitpid(pids[i], NULL, WNOHANG);
        ck_assert(tree_is_empty(tree));
        ck_assert(lives(stranger));
        end(stranger);
}
END_TEST

/* Members that go on forking while they are being killed. */
START_TEST(test_kill) {
        pid_t stranger = start_stranger();

        ck_assert_int_eq(reported(), stranger);
        start("for i in 1 2 3 4 5; do"
              "  sh -c 'n=0; trap \"\" TERM; while [ $n -lt 50 ]; do"
              "    setsid sleep 120 & sleep 0.01; n=$((n + 1)); done; wait' &"
              "  echo $! >&3; done; wait");
        for (unsigned i = 0; i < 5; i++)
                ck_assert(tree_contains(tree, reported()));

        ck_assert_int_ge(tree_kill(tree), 0);
        /* Returns when none of ours is left but the stranger: he alone still runs. */
        while (!tree_is_empty(tree))
                (void) waitpid(-1, NULL, WNOHANG);
        ck_assert(lives(stranger));
        end(stranger);
        reap_all();
        ck_assert_int_eq(tree_release(tree), 0);
}
END_TEST

/* The same daemon runs twice in a row. */
START_TEST(test_again) {
        pid_t first = start("echo $$ >&3; exec sleep 120"), second;

        ck_assert_int_eq(reported(), first);
        ck_assert_int_eq(tree_prepare(tree), TREE_E_POPULATED);
        ck_assert(tree_contains(tree, first));
        end(first);
        ck_assert_int_eq(tree_release(tree), 0);
        ck_assert_int_eq(tree_cgroup_fd(tree), -1);

        second = start_as("echo $$ >&3; exec sleep 120", OTHER_ID);
        ck_assert_int_eq(reported(), second);
        assert_members(&second, 1);
        ck_assert_int_eq(tree_release(tree), TREE_E_BUSY);
        ck_assert(tree_contains(tree, second));
}
END_TEST

/* A supervisor that starts anew in the same process finds what the old one left. */
START_TEST(test_leftovers) {
        pid_t pids[2], second;

        pids[0] = start("echo $$ >&3; sleep 120 & echo $! >&3; wait");
        ck_assert_int_eq(reported(), pids[0]);
        pids[1] = reported();
        tree = tree_free(tree);
        ck_assert_int_eq(tree_new(loop, way == WAY_CGROUP ? root : NULL, "web", &tree), 0);

        ck_assert_int_eq(tree_prepare(tree), TREE_E_POPULATED);
        assert_members(pids, 2);
        ck_assert(!tree_is_empty(tree));
        ck_assert_int_eq(tree_release(tree), TREE_E_BUSY);
        end_all();

        second = start_as("echo $$ >&3; exec sleep 120", OTHER_ID);
        ck_assert_int_eq(reported(), second);
        assert_members(&second, 1);
}
END_TEST

/* Names that are part of others, and such as cgroupfs has itself. */
START_TEST(test_names) {
        static const char *const names[] = { "web2", "we", "web.daemon", "cgroup.procs",
                                             "supervisor", "cgroup.kill" };
        pid_t pid = start("echo $$ >&3; exec sleep 120");

        ck_assert_int_eq(reported(), pid);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                CLEANUP(tree_freep) Tree *other = NULL;

                ck_assert_int_eq(tree_new(loop, way == WAY_CGROUP ? root : NULL, names[i], &other),
                                 0);
                ck_assert_int_eq(tree_prepare(other), 0);
                ck_assert(tree_is_empty(other));
                ck_assert(!tree_contains(other, pid));
                ck_assert_int_eq(tree_kill(other), 0);
                ck_assert_int_eq(tree_release(other), 0);
        }
        ck_assert(lives(pid));
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

        ck_assert_int_eq(loop_add_signal(loop, &source, SIGCHLD, LOOP_CHILD, "child", on_child, NULL),
                         0);
        pid = start("(setsid sh -c 'echo $$ >&3; exec sleep 120' &); exit 0");
        orphan = reported();
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
        pid_t pid = start("exec sleep 120");
        LoopSource *settled;

        ck_assert_int_eq(loop_add_defer(loop, &settled, LOOP_SETTLE, "settled", on_settled, NULL), 0);
        ck_assert_int_eq(loop_defer_arm(settled), 0);
        ck_assert_int_eq(tree_watch(tree, on_tree, &watcher), 0);
        end(pid);
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

/* ---- the walk ---- */

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
        pid_t pid, leader = start("(" SCRUBBED " 'echo $$ >&3; sleep 120; :' &); exit 0");

        pid = reported();
        wait_without_variable(pid, ID);
        ck_assert_int_eq(waitpid(leader, NULL, 0), leader);
        ck_assert(tree_contains(tree, pid));
        ck_assert(!tree_is_empty(tree));
}
END_TEST

/* … or one that was seen while it still could be known. */
START_TEST(test_scrubbed_in_seen_session) {
        pid_t pid, leader, child;
        PidList list = { .count = 0 };

        leader = start("setsid " SCRUBBED " 'echo $$ >&3; sleep 120 & echo $! >&3; wait' &"
                       "read x < /dev/zero");
        pid = reported();
        child = reported();
        wait_without_variable(pid, ID);
        ck_assert_int_eq(tree_each(tree, list_add, &list), 0);
        ck_assert_uint_eq(list.count, 3);

        end(leader);
        ck_assert(tree_contains(tree, pid));
        end(pid);
        ck_assert(tree_contains(tree, child));
        assert_members(&child, 1);
}
END_TEST

/* … or one that nobody has ever seen: daemons that set their title are so within milliseconds. */
START_TEST(test_scrubbed_in_unseen_session) {
        pid_t pid, leader;

        leader = start("(setsid env -i /bin/sh -c 'echo $$ >&3; sleep 120 & wait' &); exit 0");
        pid = reported();
        wait_without_variable(pid, ID);
        ck_assert_int_eq(waitpid(leader, NULL, 0), leader);
        ck_assert(!tree_is_empty(tree));
        ck_assert(tree_contains(tree, pid));
}
END_TEST

/* The same session and even the same parent do not make up for another invocation. */
START_TEST(test_other_invocation) {
        pid_t pid, leader = start("echo $$ >&3; " OTHER_ID " /bin/sh -c 'echo $$ >&3; sleep 120; :' &"
                                  "wait");
        bool swapped;
        pid_t first = reported(), second = reported();

        swapped = first != leader;
        pid = swapped ? first : second;
        ck_assert_int_eq(swapped ? second : first, leader);
        wait_without_variable(pid, ID);
        assert_members(&leader, 1);
        ck_assert(!tree_contains(tree, pid));
        end(leader);
        ck_assert(lives(pid));
        ck_assert(tree_is_empty(tree));

        /* The sleep below it, too. */
        ck_assert_int_eq(kill(-getpgid(pid), SIGKILL), 0);
        reap_all();
}
END_TEST

static pid_t fork_stopped(void) {
        pid_t pid = fork();

        if (pid == 0) {
                (void) raise(SIGSTOP);
                _exit(0);
        }
        ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED), pid);
        return pid;
}

/* Between fork and exec the first process is still in our session, as all that we start otherwise. */
START_TEST(test_before_its_session) {
        pid_t first, other;

        ck_assert_int_eq(tree_prepare(tree), 0);
        other = fork_stopped();
        tree_set_invocation(tree, "SUPERVISOR_INVOCATION=89ab");
        first = fork_stopped();
        tree_set_leader(tree, first);
        for (unsigned i = 0; i < 3; i++) {
                assert_members(&first, 1);
                ck_assert(!tree_contains(tree, other));
        }
        end(first);
        ck_assert(tree_is_empty(tree));
        ck_assert(lives(other));
        end(other);
}
END_TEST

/* What carries our variables but does not come from us is none of our business. */
START_TEST(test_not_below_us) {
        pid_t other, pid = start("echo $$ >&3; exec sleep 120");
        int status;

        ck_assert_int_eq(reported(), pid);
        wait_with_variable(pid, MARK);
        wait_with_variable(pid, ID);
        other = fork();
        if (other == 0) {
                Tree *same;

                ck_assert_int_eq(tree_new(loop, NULL, "web", &same), 0);
                ck_assert_int_eq(tree_prepare(same), 0);
                tree_set_invocation(same, ID);
                ck_assert(!tree_contains(same, pid));
                ck_assert(tree_is_empty(same));
                _exit(42);
        }
        ck_assert_int_eq(waitpid(other, &status, 0), other);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 42);
        ck_assert(tree_contains(tree, pid));
}
END_TEST

/* A daemon of the same name below another supervisor that we run is not what an earlier run left. */
START_TEST(test_nested) {
        pid_t pid, supervisor = run("SUPERVISOR_DAEMON=web sleep 120 & echo $! >&3; wait", -1,
                                    OTHER_ID, "SUPERVISOR_DAEMON=nested");

        pid = reported();
        wait_with_variable(pid, MARK);
        ck_assert_int_eq(tree_prepare(tree), 0);
        ck_assert(!tree_contains(tree, pid));
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(supervisor, NULL, 0), supervisor);
}
END_TEST

/* ---- the cgroup ---- */

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

        pid = start("echo $$ >&3; exec sleep 120");
        ck_assert_int_eq(reported(), pid);
        ck_assert_uint_eq(count_descriptors(), before + 1);
        ck_assert(!tree_is_empty(tree));
        assert_members(&pid, 1);
        ck_assert_int_eq(tree_prepare(tree), TREE_E_POPULATED);
        if (with_pidfd)
                ck_assert_int_eq(tree_signal(tree, SIGCONT), 1);
        ck_assert_uint_eq(count_descriptors(), before + 1);
        end(pid);
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
        start(script);
        for (unsigned i = 0; i < 3; i++)
                pids[i] = reported();
        assert_members(pids, 3);
        if (with_pidfd)
                ck_assert_int_eq(tree_signal(tree, 0), 3);
        end(pids[0]);
        ck_assert(!tree_is_empty(tree));
        ck_assert_int_eq(tree_release(tree), TREE_E_BUSY);
        ck_assert_int_eq(tree_kill(tree), 0);
        reap_all();
        ck_assert(tree_is_empty(tree));
        ck_assert_int_eq(tree_release(tree), 0);
        ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

/* Deeper than the stack is worth: it is still killed, and an error rather than a crash. */
START_TEST(test_too_deep) {
        char path[2048];
        PidList list = { .count = 0 };
        pid_t pid = start("echo $$ >&3; exec sleep 120");
        int fd;

        ck_assert_int_eq(reported(), pid);
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
        ck_assert_int_eq(tree_each(tree, list_add, &list), -ELOOP);
        ck_assert_int_eq(tree_kill(tree), 0);
        reap_all();
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
        pid_t pids[FAMILY_COUNT];

        start_family(pids);
        if (_i == 1)
                ck_assert_int_eq(file_write(tree_cgroup_fd(tree), "cgroup.freeze", "1"), 0);
        ck_assert_int_eq(tree_cgroup_kill_frozen(tree), 0);
        reap_all();
        ck_assert(tree_is_empty(tree));
        assert_not_frozen();
}
END_TEST

/* Forks and exits and forks: whoever looks for its number comes too late. Ends by itself at last. */
static void start_runaway(void) {
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid != 0)
                return;
        if (file_write(tree_cgroup_fd(tree), "cgroup.procs", "0") == 0)
                for (unsigned i = 0; i < 2000 && fork() == 0; i++)
                        ;
        _exit(0);
}

START_TEST(test_kill_runaway) {
        ck_assert_int_eq(tree_prepare(tree), 0);
        for (unsigned i = 0; i < 8; i++)
                start_runaway();
        while (tree_is_empty(tree))
                ;
        ck_assert_int_eq(_i == 0 ? tree_kill(tree) : tree_cgroup_kill_frozen(tree), 0);
        reap_all();
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
        ck_assert_int_eq(tree_each(tree, list_add, &list), 0);
        ck_assert_uint_eq(list.count, ELEMENTSOF(pids));
        for (size_t i = 0; i < ELEMENTSOF(pids); i++)
                ck_assert(list_has(&list, pids[i]));
}
END_TEST

/* A neighbour whose directory begins like ours: web.daemon and web.daemon2.daemon. */
START_TEST(test_neighbour) {
        CLEANUP(tree_freep) Tree *own = tree;
        pid_t pid;

        ck_assert_int_eq(tree_prepare(own), 0);
        ck_assert_int_eq(tree_new(loop, root, "web.daemon2", &tree), 0);
        pid = start("echo $$ >&3; exec sleep 120");
        ck_assert_int_eq(reported(), pid);
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

        pid = start("echo $$ >&3; exec sleep 120");
        ck_assert_int_eq(reported(), pid);
        ck_assert_int_eq(access(path, F_OK), -1);
        assert_not_frozen();
}
END_TEST

/* Somebody else removes the cgroup. */
START_TEST(test_removed_by_others) {
        char path[2048];

        ck_assert_int_eq(tree_prepare(tree), 0);
        path_of("", path);
        ck_assert_int_eq(rmdir(path), 0);
        ck_assert(tree_is_empty(tree));
        assert_members(NULL, 0);
        ck_assert_int_eq(tree_signal(tree, SIGTERM), 0);
        ck_assert_int_eq(tree_kill(tree), 0);
        ck_assert_int_eq(tree_release(tree), 0);
        ck_assert_int_eq(tree_prepare(tree), 0);
        ck_assert_int_eq(rmdir(path), 0);
        ck_assert_int_eq(tree_prepare(tree), 0);
        ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

static TCase *make_common(const char *name, void (*setup_way)(void)) {
        TCase *tcase = tcase_create(name);

        tcase_add_checked_fixture(tcase, setup_way, teardown);
        tcase_add_test(tcase, test_members);
        tcase_add_test(tcase, test_each_ends_early);
        tcase_add_test(tcase, test_never_started);
        tcase_add_test(tcase, test_zombie);
        if (with_pidfd) {
                tcase_add_test(tcase, test_signal);
                tcase_add_test(tcase, test_kill);
        }
        tcase_add_test(tcase, test_again);
        tcase_add_test(tcase, test_leftovers);
        tcase_add_test(tcase, test_names);
        tcase_add_loop_test(tcase, test_watch, 0, 2);
        tcase_add_test(tcase, test_unwatch);
        return tcase;
}

static Suite *make_suite(const char *unable) {
        Suite *suite = suite_create("tree");
        TCase *walk = make_common("walk", setup_walk), *cgroup;

        tcase_add_test(walk, test_scrubbed_in_first_session);
        tcase_add_test(walk, test_scrubbed_in_seen_session);
        tcase_add_test(walk, test_scrubbed_in_unseen_session);
        tcase_add_test(walk, test_other_invocation);
        tcase_add_test(walk, test_before_its_session);
        tcase_add_test(walk, test_not_below_us);
        tcase_add_test(walk, test_nested);
        suite_add_tcase(suite, walk);
        if (!with_pidfd) /* the valgrind of Debian 12 */
                unit_add_skipped(suite, "signals", "no pidfd_open(2)");
        if (unable) {
                unit_add_skipped(suite, "cgroup", unable);
                return suite;
        }

        cgroup = make_common("cgroup", setup_cgroup);
        tcase_add_test(cgroup, test_descriptors);
        tcase_add_test(cgroup, test_below);
        tcase_add_test(cgroup, test_too_deep);
        if (with_pidfd) {
                tcase_add_loop_test(cgroup, test_kill_frozen, 0, 2);
                tcase_add_loop_test(cgroup, test_kill_runaway, 0, 2);
        }
        tcase_add_test(cgroup, test_many);
        tcase_add_test(cgroup, test_neighbour);
        tcase_add_test(cgroup, test_prepare_afresh);
        tcase_add_test(cgroup, test_removed_by_others);
        suite_add_tcase(suite, cgroup);
        return suite;
}

int main(void) {
        CLEANUP(fd_closep) int pidfd = pidfd_open(getpid(), 0);
        const char *unable = place_make(&program);
        int status;

        with_pidfd = pidfd >= 0;
        with_cgroup = !unable;
        status = unit_main(make_suite(unable));
        if (with_cgroup)
                place_remove(&program);
        return status;
}
