/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/spawn where it fails: in the child, at which step; in the parent, with nothing left behind.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "spawning.h"
#include "unit.h"

static int spawn_without_pidfd(void) {
        static const int calls[] = { SYS_clone3, SYS_pidfd_open };
        SpawnRequest request = spawning_request(SPAWNING_SLEEP);
        Spawned spawned;

        REQUIRE(spawning_deny_calls(calls, ENOSYS) == 0);
        REQUIRE(spawn(&request, &spawned) == -ENOSYS);
        /* "No process was made": none is left, not even a zombie. */
        REQUIRE(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
        return 0;
}

START_TEST(test_no_pidfd) {
        spawn_limit(SPAWN_SHARING);
        ck_assert_int_eq(spawning_run_apart(spawn_without_pidfd), 0);
}
END_TEST

/* A directory that root may enter and the daemon's user may not. */
START_TEST(test_directory_of_somebody_else) {
        SpawnRequest request = spawning_request(SPAWNING_SLEEP);
        char path[] = "/tmp/test-spawn-XXXXXX";

        ck_assert_ptr_nonnull(mkdtemp(path));
        request.switch_user = true;
        request.uid = request.gid = SPAWNING_NOBODY;
        request.directory = path;
        spawning_expect_failure(&request, SPAWN_STEP_DIRECTORY, EACCES);
        ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

static int spawn_as_nobody(void) {
        const gid_t group = 0;
        SpawnRequest request = spawning_request(SPAWNING_TRUE);

        /* Whoever runs the tests under nice(1) has what is asked for below, or is short of it. */
        REQUIRE(setpriority(PRIO_PROCESS, 0, 0) == 0);
        REQUIRE(setresgid(SPAWNING_NOBODY, SPAWNING_NOBODY, SPAWNING_NOBODY) == 0);
        REQUIRE(setresuid(SPAWNING_NOBODY, SPAWNING_NOBODY, SPAWNING_NOBODY) == 0);
        request.switch_user = true;
        request.groups = &group;
        request.group_count = 1;
        spawning_expect_failure(&request, SPAWN_STEP_GROUPS, EPERM);

        request.switch_user = false;
        request.nice = -5;
        spawning_expect_failure(&request, SPAWN_STEP_PRIORITY, EACCES);
        request.nice = 0;
        request.oom_score_adjust = -500;
        spawning_expect_failure(&request, SPAWN_STEP_PRIORITY, EACCES);
        return 0;
}

START_TEST(test_without_privileges) {
        spawn_limit((SpawnWay) _i);
        ck_assert_int_eq(spawning_run_apart(spawn_as_nobody), 0);
}
END_TEST

/* No further process is allowed: an error of ours, and nothing is left open. */
static int spawn_too_many(void) {
        const struct rlimit limit = { 1, 1 };
        SpawnRequest request = spawning_request(SPAWNING_TRUE);
        unsigned before;
        Spawned spawned;

        REQUIRE(setresuid(SPAWNING_NOBODY, SPAWNING_NOBODY, SPAWNING_NOBODY) == 0);
        REQUIRE(setrlimit(RLIMIT_NPROC, &limit) == 0);
        before = spawning_descriptors();
        REQUIRE(spawn(&request, &spawned) == -EAGAIN);
        REQUIRE(spawning_descriptors() == before);
        return 0;
}

START_TEST(test_no_process) {
        spawn_limit((SpawnWay) _i);
        ck_assert_int_eq(spawning_run_apart(spawn_too_many), 0);
}
END_TEST

START_TEST(test_bad_command) {
        char *const missing[] = { (char *) "/nonexistent/program", NULL };
        char *const directory[] = { (char *) "/usr", NULL };
        char *const text[] = { (char *) "/etc/passwd", NULL };
        SpawnRequest request;

        spawn_limit((SpawnWay) _i);
        request = spawning_request(missing);
        spawning_expect_failure(&request, SPAWN_STEP_EXEC, ENOENT);
        request = spawning_request(directory);
        spawning_expect_failure(&request, SPAWN_STEP_EXEC, EACCES);
        request = spawning_request(text);
        spawning_expect_failure(&request, SPAWN_STEP_EXEC, EACCES);
}
END_TEST

START_TEST(test_no_executable_format) {
        char path[] = "/tmp/test-spawn-XXXXXX";
        char *const command[] = { path, NULL };
        SpawnRequest request = spawning_request(command);
        int fd = mkostemp(path, O_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, "no program\n", 11), 11);
        ck_assert_int_eq(fchmod(fd, 0755), 0);
        fd_close(fd);
        spawning_expect_failure(&request, SPAWN_STEP_EXEC, ENOEXEC);
        ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(test_bad_surroundings) {
        const bool limit_set[RLIM_NLIMITS] = { [RLIMIT_NOFILE] = true };
        const struct rlimit limits[RLIM_NLIMITS] = { [RLIMIT_NOFILE] = { 20, 10 } };
        SpawnRequest request = spawning_request(SPAWNING_TRUE);

        spawn_limit((SpawnWay) _i);
        request.directory = "/nonexistent";
        spawning_expect_failure(&request, SPAWN_STEP_DIRECTORY, ENOENT);

        request = spawning_request(SPAWNING_TRUE);
        request.error = 9999;
        spawning_expect_failure(&request, SPAWN_STEP_DESCRIPTORS, EBADF);

        request = spawning_request(SPAWNING_TRUE);
        request.limit_set = limit_set;
        request.limits = limits;
        spawning_expect_failure(&request, SPAWN_STEP_LIMITS, EINVAL);
}
END_TEST

/* clone3 says it at once; that also proves that it is what we use where it can be used. */
START_TEST(test_no_cgroup) {
        SpawnRequest request = spawning_request(SPAWNING_TRUE);
        Spawned spawned = { .pid = 7 };

        spawn_limit(SPAWN_SHARING);
        request.cgroup_fd = 9999;
        ck_assert_int_eq(spawn(&request, &spawned), -EBADF);
        ck_assert_int_eq(spawned.pid, 7);
        ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
        ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(test_report) {
        SpawnReport report = { .error = 7 };
        int fds[2];

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
        ck_assert_int_eq(spawn_report_read(fds[0], &report), -EAGAIN);
        ck_assert_int_eq(write(fds[1], "x", 1), 1);
        ck_assert_int_eq(spawn_report_read(fds[0], &report), -EIO);
        ck_assert_int_eq(report.error, 7);
        fd_close(fds[1]);
        ck_assert_int_eq(spawn_report_read(fds[0], &report), 0);
        ck_assert_int_eq(report.failed_step, SPAWN_STEP_NONE);
        fd_close(fds[0]);
}
END_TEST

START_TEST(test_step_texts) {
        for (int step = SPAWN_STEP_CGROUP; step < SPAWN_STEP_MAX_; step++) {
                ck_assert_ptr_nonnull(spawn_step_text(step));
                for (int other = SPAWN_STEP_CGROUP; other < step; other++)
                        ck_assert_str_ne(spawn_step_text(step), spawn_step_text(other));
        }
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sys/spawn failure");
        TCase *tcase = tcase_create("failure");
        const char *missing = spawning_missing();

        tcase_add_test(tcase, test_report);
        tcase_add_test(tcase, test_step_texts);
        suite_add_tcase(suite, tcase);
        if (missing) {
                unit_add_skipped(suite, "failure", missing);
                return suite;
        }

        tcase_add_test(tcase, test_no_pidfd);
        tcase_add_loop_test(tcase, test_bad_command, 0, SPAWNING_WAYS);
        tcase_add_test(tcase, test_no_executable_format);
        tcase_add_loop_test(tcase, test_bad_surroundings, 0, SPAWNING_WAYS);
        if (geteuid() == 0) {
                tcase_add_test(tcase, test_directory_of_somebody_else);
                tcase_add_loop_test(tcase, test_without_privileges, 0, SPAWNING_WAYS);
                tcase_add_loop_test(tcase, test_no_process, 0, SPAWNING_WAYS);
        } else
                unit_add_skipped(suite, "privileges", "takes root");
        if (spawning_has_clone3())
                tcase_add_test(tcase, test_no_cgroup);
        else
                unit_add_skipped(suite, "clone3", "no clone3(2)");
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
