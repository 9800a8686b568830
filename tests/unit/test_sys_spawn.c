/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/spawn: what a started program finds, proven from outside by /proc, whichever way it was
 * forked. Most tests run by each of the ways: clone3(2), fork(2), vfork(2).
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "spawning.h"
#include "sys/procfs.h"
#include "unit.h"

#define TEXT_MAX 8192

static void read_proc(pid_t pid, const char *name, char text[static TEXT_MAX]) {
        CLEANUP(fd_closep) int fd = -1;
        char path[64];
        ssize_t size;

        (void) snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        memset(text, 0, TEXT_MAX);
        size = read(fd, text, TEXT_MAX - 1);
        ck_assert_int_ge(size, 0);
}

/* The line "name:\tvalue" of /proc/PID/status. */
static void assert_status(pid_t pid, const char *line) {
        char text[TEXT_MAX], wanted[128];

        read_proc(pid, "status", text);
        (void) snprintf(wanted, sizeof(wanted), "\n%s\n", line);
        ck_assert_msg(strstr(text, wanted) != NULL, "\"%s\" is not in:\n%s", line, text);
}

static void assert_link(pid_t pid, const char *name, const char *target) {
        char path[64], text[256] = "";

        (void) snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
        ck_assert_int_gt(readlink(path, text, sizeof(text) - 1), 0);
        ck_assert_str_eq(text, target);
}

static unsigned count_descriptors(pid_t pid) {
        char path[64];
        unsigned count = 0;
        DIR *directory;

        (void) snprintf(path, sizeof(path), "/proc/%d/fd", pid);
        directory = opendir(path);
        ck_assert_ptr_nonnull(directory);
        for (struct dirent *entry; (entry = readdir(directory));)
                if (entry->d_name[0] != '.')
                        count++;
        closedir(directory);
        return count;
}

static void ignore_signal(int signo) {
        const struct sigaction action = { .sa_handler = SIG_IGN };

        ck_assert_int_eq(sigaction(signo, &action, NULL), 0);
}

static void handle_signal(int signo) {
        (void) signo;
}

/* The worst that a supervisor can be: all blocked, much ignored, descriptors without CLOEXEC. */
static void make_a_mess(sigset_t *ret_mask) {
        const struct sigaction action = { .sa_handler = handle_signal };

        ignore_signal(SIGTERM);
        ignore_signal(SIGHUP);
        ignore_signal(SIGPIPE);
        ignore_signal(SIGCONT);
        ignore_signal(SIGRTMIN);
        ignore_signal(SIGRTMAX);
        ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
        ck_assert_int_eq(sigfillset(ret_mask), 0);
        ck_assert_int_eq(sigdelset(ret_mask, SIGWINCH), 0);
        ck_assert_int_eq(sigprocmask(SIG_SETMASK, ret_mask, NULL), 0);
        ck_assert_int_eq(sigprocmask(SIG_SETMASK, NULL, ret_mask), 0);

        ck_assert_int_ge(fcntl(STDERR_FILENO, F_DUPFD, 3), 3);
        ck_assert_int_ge(fcntl(STDERR_FILENO, F_DUPFD, 57), 57);
        ck_assert_int_ge(fcntl(STDERR_FILENO, F_DUPFD, 200), 200);
        ck_assert_int_eq(setenv("NOTIFY_SOCKET", "/run/systemd/notify", 1), 0);
}

/* The report ends in the middle of the exec; this is behind it. */
static void wait_for_sleep(pid_t pid) {
        ProcStat stat = { 0 };

        while (strcmp(stat.comm, "sleep") != 0 || stat.state != 'S') {
                usleep(1000);
                ck_assert_int_eq(procfs_stat(pid, &stat), 0);
                ck_assert_int_ne(stat.state, 'Z');
        }
}

static void assert_clean(pid_t pid) {
        ProcStat stat;
        char text[TEXT_MAX];

        wait_for_sleep(pid);
        assert_status(pid, "SigPnd:\t0000000000000000");
        assert_status(pid, "SigBlk:\t0000000000000000");
        assert_status(pid, "SigIgn:\t0000000000000000");
        assert_status(pid, "SigCgt:\t0000000000000000");
        ck_assert_uint_eq(count_descriptors(pid), 3);
        assert_link(pid, "fd/0", "/dev/null");
        assert_link(pid, "fd/1", "/dev/null");
        assert_link(pid, "fd/2", "/dev/null");
        assert_link(pid, "cwd", "/");

        ck_assert_int_eq(procfs_stat(pid, &stat), 0);
        ck_assert_int_eq(stat.sid, pid);
        ck_assert_int_eq(stat.pgid, pid);
        ck_assert_int_eq(stat.ppid, getpid());

        read_proc(pid, "environ", text);
        ck_assert_str_eq(text, "");
}

START_TEST(test_surroundings) {
        SpawnRequest request = spawning_request(SPAWNING_SLEEP);
        sigset_t mask, mask_after;
        unsigned before;
        Spawned spawned;

        spawn_limit((SpawnWay) _i);
        make_a_mess(&mask);
        before = spawning_descriptors();
        spawned = spawning_start(&request);
        assert_clean(spawned.pid);
        spawning_end(&spawned);

        ck_assert_uint_eq(spawning_descriptors(), before);
        ck_assert_int_eq(sigprocmask(SIG_SETMASK, NULL, &mask_after), 0);
        for (int signo = 1; signo < _NSIG; signo++)
                ck_assert_int_eq(sigismember(&mask, signo), sigismember(&mask_after, signo));
}
END_TEST

static const int FILTER_ERRORS[] = { ENOSYS, EPERM };
static int filter_error;

static int spawn_under_filter(void) {
        static const int calls[] = { SYS_clone3, SYS_close_range };
        SpawnRequest request = spawning_request(SPAWNING_SLEEP);
        sigset_t mask;
        Spawned spawned;

        make_a_mess(&mask);
        REQUIRE(spawning_deny_calls(calls, filter_error) == 0);
        REQUIRE(syscall(SYS_clone3, NULL, 0) < 0 && errno == filter_error);
        REQUIRE(close_range(1000, 1000, 0) < 0 && errno == filter_error);

        spawned = spawning_start(&request);
        assert_clean(spawned.pid);
        spawning_end(&spawned);
        return 0;
}

START_TEST(test_filtered) {
        spawn_limit(SPAWN_SHARING);
        filter_error = FILTER_ERRORS[_i];
        ck_assert_int_eq(spawning_run_apart(spawn_under_filter), 0);
}
END_TEST

/* What a shell command writes to its output. */
static void assert_output(SpawnRequest *request, const char *wanted) {
        CLEANUP(fd_closep) int fd = memfd_create("output", MFD_CLOEXEC);
        char text[TEXT_MAX] = "";
        Spawned spawned;

        ck_assert_int_ge(fd, 0);
        request->output = fd;
        spawned = spawning_start(request);
        ck_assert_int_eq(spawning_status(&spawned), 0);
        ck_assert_int_ge(pread(fd, text, sizeof(text) - 1, 0), 0);
        ck_assert_str_eq(text, wanted);
}

START_TEST(test_output_and_environment) {
        char *const command[] = {
                (char *) "/bin/sh",
                (char *) "-c",
                (char *) "echo \"$0 $1 $GREETING ${HOME-none} ${NOTIFY_SOCKET-none}\"",
                (char *) "zero",
                (char *) "one two",
                NULL
        };
        char *const environment[] = { (char *) "GREETING=good day", NULL };
        SpawnRequest request = spawning_request(command);

        spawn_limit((SpawnWay) _i);
        ck_assert_int_eq(setenv("NOTIFY_SOCKET", "/run/systemd/notify", 1), 0);
        request.environment = environment;
        assert_output(&request, "zero one two good day none none\n");
}
END_TEST

/* 0, 1 and 2 themselves are given, in a circle. */
static int spawn_in_a_circle(void) {
        char *const command[] = { (char *) "/bin/sh", (char *) "-c",
                                  (char *) "cat; echo out; echo err >&2", NULL };
        SpawnRequest request = spawning_request(command);
        char output[16] = "", error[16] = "";
        Spawned spawned;
        int status;

        REQUIRE(dup2(memfd_create("output", 0), 0) == 0);
        REQUIRE(dup2(memfd_create("error", 0), 1) == 1);
        REQUIRE(dup2(memfd_create("input", 0), 2) == 2);
        REQUIRE(pwrite(2, "in\n", 3, 0) == 3);
        request.input = 2;
        request.output = 0;
        request.error = 1;

        REQUIRE(spawn(&request, &spawned) == 0);
        REQUIRE(waitpid(spawned.pid, &status, 0) == spawned.pid && status == 0);
        REQUIRE(pread(0, output, sizeof(output) - 1, 0) == 7 && strcmp(output, "in\nout\n") == 0);
        REQUIRE(pread(1, error, sizeof(error) - 1, 0) == 4 && strcmp(error, "err\n") == 0);
        return 0;
}

/* Of several, all; of others, nothing. */
START_TEST(test_its_own_number_in_the_environment) {
        static const char script[] = "echo $$ $WATCHDOG_PID $X $Y >&1";
        char unnamed[] = SPAWN_PID_VARIABLE "=" SPAWN_PID_ROOM, other[] = "X=" SPAWN_PID_ROOM,
             longer[] = "Y" SPAWN_PID_VARIABLE "=" SPAWN_PID_ROOM, expected[64], output[64] = "";
        char *const command[] = { (char *) "/bin/sh", (char *) "-c", (char *) script, NULL };
        char *const environment[] = { other, unnamed, longer, NULL };
        SpawnRequest request = spawning_request(command);
        int fds[2];

        spawn_limit((SpawnWay) _i);
        ck_assert_int_eq(pipe(fds), 0);
        request.environment = environment;
        request.output = fds[1];
        Spawned spawned = spawning_start(&request);
        close(fds[1]);
        ck_assert_int_gt(read(fds[0], output, sizeof(output) - 1), 0);
        close(fds[0]);
        snprintf(expected, sizeof(expected), "%d %d " SPAWN_PID_ROOM "\n", spawned.pid,
                 spawned.pid);
        ck_assert_str_eq(output, expected);
        if (_i != SPAWN_SHARING) /* ours is as it was */
                ck_assert_str_eq(unnamed, SPAWN_PID_VARIABLE "=" SPAWN_PID_ROOM);
        ck_assert_int_eq(spawning_status(&spawned), 0);
}
END_TEST

START_TEST(test_circle_of_descriptors) {
        spawn_limit((SpawnWay) _i);
        ck_assert_int_eq(spawning_run_apart(spawn_in_a_circle), 0);
}
END_TEST

/* The supervisor was started with 0, 1 and 2 closed: what it opens gets these numbers. */
static int spawn_from_nothing(void) {
        char *const command[] = { (char *) "/bin/sh", (char *) "-c", (char *) "echo out", NULL };
        char *const missing[] = { (char *) "/nonexistent/program", NULL };
        SpawnRequest request = spawning_request(missing);
        struct pollfd poll_fd = { .events = POLLIN };
        char output[16] = "";
        SpawnReport report;
        Spawned spawned;
        int status;

        (void) close_range(0, 2, 0);
        request.output = memfd_create("output", MFD_CLOEXEC);
        REQUIRE(request.output == 0);

        REQUIRE(spawn(&request, &spawned) == 0);
        REQUIRE(spawned.report_fd == 1);
        poll_fd.fd = spawned.report_fd;
        REQUIRE(poll(&poll_fd, 1, -1) == 1);
        REQUIRE(spawn_report_read(spawned.report_fd, &report) == 0);
        REQUIRE(report.failed_step == SPAWN_STEP_EXEC && report.error == ENOENT);
        REQUIRE(waitpid(spawned.pid, &status, 0) == spawned.pid);

        (void) close_range(1, 2, 0);
        request.command = command;
        REQUIRE(spawn(&request, &spawned) == 0);
        REQUIRE(waitpid(spawned.pid, &status, 0) == spawned.pid && status == 0);
        REQUIRE(pread(0, output, sizeof(output) - 1, 0) == 4 && strcmp(output, "out\n") == 0);
        return 0;
}

START_TEST(test_closed_descriptors) {
        spawn_limit((SpawnWay) _i);
        ck_assert_int_eq(spawning_run_apart(spawn_from_nothing), 0);
}
END_TEST

START_TEST(test_limits_and_priority) {
        bool limit_set[RLIM_NLIMITS] = { [RLIMIT_NOFILE] = true, [RLIMIT_CORE] = true };
        struct rlimit limits[RLIM_NLIMITS] = {
                [RLIMIT_NOFILE] = { 4, 77 },
                [RLIMIT_CORE] = { 0, 0 },
                [RLIMIT_STACK] = { 1, 1 }, /* not set, so it must not be used */
        };
        SpawnRequest request = spawning_request(SPAWNING_SLEEP);
        struct rlimit limit;
        char text[TEXT_MAX];
        Spawned spawned;
        int filler;

        spawn_limit((SpawnWay) _i);
        request.limit_set = limit_set;
        request.limits = limits;
        request.nice = 7;
        request.oom_score_adjust = 345;
        request.no_new_privileges = true;
        request.umask = 027;
        request.directory = "/usr";
        /* Four descriptors are in use already, so that writing the OOM score needs a fifth. */
        filler = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
        ck_assert_int_ge(filler, 3);

        spawned = spawning_start(&request);
        wait_for_sleep(spawned.pid);
        fd_close(filler);
        ck_assert_int_eq(prlimit(spawned.pid, RLIMIT_NOFILE, NULL, &limit), 0);
        ck_assert_uint_eq(limit.rlim_cur, 4);
        ck_assert_uint_eq(limit.rlim_max, 77);
        ck_assert_int_eq(prlimit(spawned.pid, RLIMIT_CORE, NULL, &limit), 0);
        ck_assert_uint_eq(limit.rlim_cur, 0);
        ck_assert_int_eq(prlimit(spawned.pid, RLIMIT_STACK, NULL, &limit), 0);
        ck_assert_uint_ne(limit.rlim_cur, 1);
        errno = 0;
        ck_assert_int_eq(getpriority(PRIO_PROCESS, (id_t) spawned.pid), 7);
        read_proc(spawned.pid, "oom_score_adj", text);
        ck_assert_str_eq(text, "345\n");
        assert_status(spawned.pid, "NoNewPrivs:\t1");
        assert_status(spawned.pid, "Umask:\t0027");
        assert_link(spawned.pid, "cwd", "/usr");
        spawning_end(&spawned);
}
END_TEST

START_TEST(test_privileges_stay_as_they_are) {
        SpawnRequest request = spawning_request(SPAWNING_SLEEP);
        Spawned spawned = spawning_start(&request);

        assert_status(spawned.pid, "NoNewPrivs:\t0");
        assert_status(spawned.pid, "Umask:\t0022");
        spawning_end(&spawned);
}
END_TEST

START_TEST(test_user) {
        const gid_t groups[] = { 12345, 23456 };
        SpawnRequest request = spawning_request(SPAWNING_SLEEP);
        Spawned spawned;

        spawn_limit((SpawnWay) _i);
        request.switch_user = true;
        request.uid = SPAWNING_NOBODY;
        request.gid = 777;
        request.groups = groups;
        request.group_count = ELEMENTSOF(groups);

        spawned = spawning_start(&request);
        assert_status(spawned.pid, "Uid:\t65534\t65534\t65534\t65534");
        assert_status(spawned.pid, "Gid:\t777\t777\t777\t777");
        assert_status(spawned.pid, "Groups:\t12345 23456 ");
        assert_status(spawned.pid, "CapEff:\t0000000000000000");
        assert_status(spawned.pid, "SigBlk:\t0000000000000000");
        spawning_end(&spawned);
}
END_TEST

/* The way without clone3: the child writes itself into cgroup.procs of the directory. */
START_TEST(test_enter_cgroup_by_itself) {
        SpawnRequest request = spawning_request(SPAWNING_TRUE);
        char path[] = "/tmp/test-spawn-XXXXXX";
        CLEANUP(fd_closep) int directory = -1;
        CLEANUP(fd_closep) int file = -1;
        char text[8] = "";
        Spawned spawned;

        spawn_limit(SPAWN_FORKING);
        ck_assert_ptr_nonnull(mkdtemp(path));
        directory = open(path, O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(directory, 0);
        request.cgroup_fd = directory;
        spawning_expect_failure(&request, SPAWN_STEP_CGROUP, ENOENT);

        file = openat(directory, "cgroup.procs", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        ck_assert_int_ge(file, 0);
        spawned = spawning_start(&request);
        ck_assert_int_eq(spawning_status(&spawned), 0);
        ck_assert_int_eq(read(file, text, sizeof(text)), 1);
        ck_assert_str_eq(text, "0");

        ck_assert_int_eq(unlinkat(directory, "cgroup.procs", 0), 0);
        ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

/* A cgroup of our own: its directory, or "" where none can be made. */
static void make_cgroup(char path[static 64]) {
        static const char *const mounts[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };
        char file[96];

        for (size_t i = 0; i < ELEMENTSOF(mounts); i++) {
                (void) snprintf(file, sizeof(file), "%s/cgroup.procs", mounts[i]);
                (void) snprintf(path, 64, "%s/test-spawn-%d", mounts[i], getpid());
                if (access(file, W_OK) == 0 && mkdir(path, 0755) == 0)
                        return;
        }
        path[0] = '\0';
}

static bool cgroup_works(void) {
        char path[64];

        make_cgroup(path);
        return path[0] != '\0' && rmdir(path) == 0;
}

START_TEST(test_born_in_cgroup) {
        SpawnRequest request = spawning_request(SPAWNING_SLEEP);
        CLEANUP(fd_closep) int directory = -1;
        char path[64], cgroup[PATH_MAX], wanted[64];
        Spawned spawned;

        spawn_limit((SpawnWay) _i);
        make_cgroup(path);
        directory = open(path, O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(directory, 0);
        request.cgroup_fd = directory;

        spawned = spawning_start(&request);
        ck_assert_int_eq(procfs_cgroup(spawned.pid, cgroup), 0);
        (void) snprintf(wanted, sizeof(wanted), "/test-spawn-%d", getpid());
        spawning_end(&spawned);
        ck_assert_int_eq(rmdir(path), 0);
        ck_assert_str_eq(cgroup, wanted);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sys/spawn");
        TCase *tcase = tcase_create("spawn");
        const char *missing = spawning_missing();

        suite_add_tcase(suite, tcase);
        if (missing) {
                unit_add_skipped(suite, "spawn", missing);
                return suite;
        }

        tcase_add_loop_test(tcase, test_surroundings, 0, SPAWNING_WAYS);
        tcase_add_loop_test(tcase, test_filtered, 0, ELEMENTSOF(FILTER_ERRORS));
        tcase_add_loop_test(tcase, test_output_and_environment, 0, SPAWNING_WAYS);
        tcase_add_loop_test(tcase, test_its_own_number_in_the_environment, 0, SPAWNING_WAYS);
        tcase_add_loop_test(tcase, test_circle_of_descriptors, 0, SPAWNING_WAYS);
        tcase_add_loop_test(tcase, test_closed_descriptors, 0, SPAWNING_WAYS);
        tcase_add_loop_test(tcase, test_limits_and_priority, 0, SPAWNING_WAYS);
        tcase_add_test(tcase, test_privileges_stay_as_they_are);
        tcase_add_test(tcase, test_enter_cgroup_by_itself);
        if (geteuid() == 0)
                tcase_add_loop_test(tcase, test_user, 0, SPAWNING_WAYS);
        else
                unit_add_skipped(suite, "user", "takes root");
        if (cgroup_works())
                tcase_add_loop_test(tcase, test_born_in_cgroup, 0, SPAWNING_WAYS);
        else
                unit_add_skipped(suite, "cgroup", "no cgroup can be made here");
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
