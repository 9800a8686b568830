/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/spawn: what a started program finds, proven from outside by /proc, whichever way it was
 * forked; and at which step a start failed. Most tests run twice: with clone3(2) and without it.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "sys/procfs.h"
#include "sys/spawn.h"
#include "unit.h"

#define WAYS     2 /* clone3(2), fork(2) */
#define NOBODY   65534
#define TEXT_MAX 8192

static char *const NO_ENVIRONMENT[] = { NULL };
static char *const SLEEP[] = { (char *) "/bin/sleep", (char *) "60", NULL };
static char *const TRUE[] = { (char *) "/bin/true", NULL };

static SpawnRequest request_for(char *const *command) {
        return (SpawnRequest){
                .command = command,
                .environment = NO_ENVIRONMENT,
                .umask = 022,
                .input = -1,
                .output = -1,
                .error = -1,
                .cgroup_fd = -1,
        };
}

/* Waits for the exec or its failure. */
static SpawnReport report_of(const Spawned *spawned) {
        struct pollfd poll_fd = { .fd = spawned->report_fd, .events = POLLIN };
        SpawnReport report = { .failed_step = SPAWN_STEP_MAX_ };

        ck_assert_int_eq(poll(&poll_fd, 1, -1), 1);
        ck_assert_int_eq(spawn_report_read(spawned->report_fd, &report), 0);
        return report;
}

static Spawned started(const SpawnRequest *request) {
        Spawned spawned = { 0 };
        SpawnReport report;

        ck_assert_int_eq(spawn(request, &spawned), 0);
        ck_assert_int_gt(spawned.pid, 0);
        ck_assert_int_ge(spawned.pidfd, 0);
        report = report_of(&spawned);
        ck_assert_msg(report.failed_step == SPAWN_STEP_NONE, "failed %s: %s",
                      spawn_step_text(report.failed_step), strerror(report.error));
        return spawned;
}

static int status_of(Spawned *spawned) {
        int status = -1;

        ck_assert_int_eq(waitpid(spawned->pid, &status, 0), spawned->pid);
        spawned->pidfd = fd_close(spawned->pidfd);
        spawned->report_fd = fd_close(spawned->report_fd);
        return status;
}

static void end(Spawned *spawned) {
        int status;

        ck_assert_int_eq(kill(spawned->pid, SIGKILL), 0);
        status = status_of(spawned);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void assert_fails(const SpawnRequest *request, SpawnStep step, int error) {
        Spawned spawned = { 0 };
        SpawnReport report;
        int status;

        ck_assert_int_eq(spawn(request, &spawned), 0);
        report = report_of(&spawned);
        status = status_of(&spawned);
        ck_assert_str_eq(spawn_step_text(report.failed_step), spawn_step_text(step));
        ck_assert_str_eq(strerror(report.error), strerror(error));
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 127);
}

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

/* Those of our own, also where /proc hides them from us. */
static unsigned count_own_descriptors(void) {
        unsigned count = 0;

        for (int fd = 0; fd < 1024; fd++)
                if (fcntl(fd, F_GETFD) >= 0)
                        count++;
        return count;
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

/* Runs `function` in a process of its own; 0, or the line where it went wrong. */
static int run_apart(int (*function)(void)) {
        pid_t pid = fork();
        int status = -1;

        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                _exit(function());
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        return WEXITSTATUS(status);
}

#define REQUIRE(condition)                                                                         \
        do                                                                                         \
                if (!(condition))                                                                  \
                        return __LINE__ % 255 + 1;                                                 \
        while (0)

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

        for (int i = 0; i < 5000 && !(strcmp(stat.comm, "sleep") == 0 && stat.state == 'S'); i++) {
                usleep(1000);
                ck_assert_int_eq(procfs_stat(pid, &stat), 0);
        }
        ck_assert_str_eq(stat.comm, "sleep");
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
        SpawnRequest request = request_for(SLEEP);
        sigset_t mask, mask_after;
        unsigned before;
        Spawned spawned;

        spawn_deny_clone3(_i == 1);
        make_a_mess(&mask);
        before = count_own_descriptors();
        spawned = started(&request);
        assert_clean(spawned.pid);
        end(&spawned);

        ck_assert_uint_eq(count_own_descriptors(), before);
        ck_assert_int_eq(sigprocmask(SIG_SETMASK, NULL, &mask_after), 0);
        for (int signo = 1; signo < _NSIG; signo++)
                ck_assert_int_eq(sigismember(&mask, signo), sigismember(&mask_after, signo));
}
END_TEST

/* Lets the calls fail as an older kernel or a filter of a container would make them fail. */
static int deny_calls(const int calls[2], int error) {
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned) calls[0], 1, 0),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned) calls[1], 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned) error),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { .len = ELEMENTSOF(filter), .filter = filter };

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -1;
        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static const int FILTER_ERRORS[] = { ENOSYS, EPERM };
static int filter_error;

static int spawn_under_filter(void) {
        static const int calls[] = { SYS_clone3, SYS_close_range };
        SpawnRequest request = request_for(SLEEP);
        sigset_t mask;
        Spawned spawned;

        make_a_mess(&mask);
        REQUIRE(deny_calls(calls, filter_error) == 0);
        REQUIRE(syscall(SYS_clone3, NULL, 0) < 0 && errno == filter_error);
        REQUIRE(close_range(1000, 1000, 0) < 0 && errno == filter_error);

        spawned = started(&request);
        assert_clean(spawned.pid);
        end(&spawned);
        return 0;
}

START_TEST(test_filtered) {
        spawn_deny_clone3(false);
        filter_error = FILTER_ERRORS[_i];
        ck_assert_int_eq(run_apart(spawn_under_filter), 0);
}
END_TEST

static int spawn_without_pidfd(void) {
        static const int calls[] = { SYS_clone3, SYS_pidfd_open };
        SpawnRequest request = request_for(SLEEP);
        Spawned spawned;

        REQUIRE(deny_calls(calls, ENOSYS) == 0);
        REQUIRE(spawn(&request, &spawned) == -ENOSYS);
        /* "No process was made": none is left, not even a zombie. */
        REQUIRE(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
        return 0;
}

START_TEST(test_no_pidfd) {
        spawn_deny_clone3(false);
        ck_assert_int_eq(run_apart(spawn_without_pidfd), 0);
}
END_TEST

/* What a shell command writes to its output. */
static void assert_output(SpawnRequest *request, const char *wanted) {
        CLEANUP(fd_closep) int fd = memfd_create("output", MFD_CLOEXEC);
        char text[TEXT_MAX] = "";
        Spawned spawned;

        ck_assert_int_ge(fd, 0);
        request->output = fd;
        spawned = started(request);
        ck_assert_int_eq(status_of(&spawned), 0);
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
        SpawnRequest request = request_for(command);

        spawn_deny_clone3(_i == 1);
        ck_assert_int_eq(setenv("NOTIFY_SOCKET", "/run/systemd/notify", 1), 0);
        request.environment = environment;
        assert_output(&request, "zero one two good day none none\n");
}
END_TEST

/* 0, 1 and 2 themselves are given, in a circle. */
static int spawn_in_a_circle(void) {
        char *const command[] = { (char *) "/bin/sh", (char *) "-c",
                                  (char *) "cat; echo out; echo err >&2", NULL };
        SpawnRequest request = request_for(command);
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

START_TEST(test_circle_of_descriptors) {
        spawn_deny_clone3(_i == 1);
        ck_assert_int_eq(run_apart(spawn_in_a_circle), 0);
}
END_TEST

/* The supervisor was started with 0, 1 and 2 closed: what it opens gets these numbers. */
static int spawn_from_nothing(void) {
        char *const command[] = { (char *) "/bin/sh", (char *) "-c", (char *) "echo out", NULL };
        char *const missing[] = { (char *) "/nonexistent/program", NULL };
        SpawnRequest request = request_for(missing);
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
        spawn_deny_clone3(_i == 1);
        ck_assert_int_eq(run_apart(spawn_from_nothing), 0);
}
END_TEST

START_TEST(test_limits_and_priority) {
        bool limit_set[RLIM_NLIMITS] = { [RLIMIT_NOFILE] = true, [RLIMIT_CORE] = true };
        struct rlimit limits[RLIM_NLIMITS] = {
                [RLIMIT_NOFILE] = { 4, 77 },
                [RLIMIT_CORE] = { 0, 0 },
                [RLIMIT_STACK] = { 1, 1 }, /* not set, so it must not be used */
        };
        SpawnRequest request = request_for(SLEEP);
        struct rlimit limit;
        char text[TEXT_MAX];
        Spawned spawned;
        int filler;

        spawn_deny_clone3(_i == 1);
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

        spawned = started(&request);
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
        end(&spawned);
}
END_TEST

START_TEST(test_privileges_stay_as_they_are) {
        SpawnRequest request = request_for(SLEEP);
        Spawned spawned = started(&request);

        assert_status(spawned.pid, "NoNewPrivs:\t0");
        assert_status(spawned.pid, "Umask:\t0022");
        end(&spawned);
}
END_TEST

START_TEST(test_user) {
        const gid_t groups[] = { 12345, 23456 };
        SpawnRequest request = request_for(SLEEP);
        Spawned spawned;

        spawn_deny_clone3(_i == 1);
        request.switch_user = true;
        request.uid = NOBODY;
        request.gid = 777;
        request.groups = groups;
        request.group_count = ELEMENTSOF(groups);

        spawned = started(&request);
        assert_status(spawned.pid, "Uid:\t65534\t65534\t65534\t65534");
        assert_status(spawned.pid, "Gid:\t777\t777\t777\t777");
        assert_status(spawned.pid, "Groups:\t12345 23456 ");
        assert_status(spawned.pid, "CapEff:\t0000000000000000");
        assert_status(spawned.pid, "SigBlk:\t0000000000000000");
        end(&spawned);
}
END_TEST

/* A directory that root may enter and the daemon's user may not. */
START_TEST(test_directory_of_somebody_else) {
        SpawnRequest request = request_for(SLEEP);
        char path[] = "/tmp/test-spawn-XXXXXX";

        ck_assert_ptr_nonnull(mkdtemp(path));
        request.switch_user = true;
        request.uid = request.gid = NOBODY;
        request.directory = path;
        assert_fails(&request, SPAWN_STEP_DIRECTORY, EACCES);
        ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

static int spawn_as_nobody(void) {
        const gid_t group = 0;
        SpawnRequest request = request_for(TRUE);

        REQUIRE(setresgid(NOBODY, NOBODY, NOBODY) == 0);
        REQUIRE(setresuid(NOBODY, NOBODY, NOBODY) == 0);
        request.switch_user = true;
        request.groups = &group;
        request.group_count = 1;
        assert_fails(&request, SPAWN_STEP_GROUPS, EPERM);

        request.switch_user = false;
        request.nice = -5;
        assert_fails(&request, SPAWN_STEP_PRIORITY, EACCES);
        request.nice = 0;
        request.oom_score_adjust = -500;
        assert_fails(&request, SPAWN_STEP_PRIORITY, EACCES);
        return 0;
}

START_TEST(test_without_privileges) {
        spawn_deny_clone3(_i == 1);
        ck_assert_int_eq(run_apart(spawn_as_nobody), 0);
}
END_TEST

/* No further process is allowed: an error of ours, and nothing is left open. */
static int spawn_too_many(void) {
        const struct rlimit limit = { 1, 1 };
        SpawnRequest request = request_for(TRUE);
        unsigned before;
        Spawned spawned;

        REQUIRE(setresuid(NOBODY, NOBODY, NOBODY) == 0);
        REQUIRE(setrlimit(RLIMIT_NPROC, &limit) == 0);
        before = count_own_descriptors();
        REQUIRE(spawn(&request, &spawned) == -EAGAIN);
        REQUIRE(count_own_descriptors() == before);
        return 0;
}

START_TEST(test_no_process) {
        spawn_deny_clone3(_i == 1);
        ck_assert_int_eq(run_apart(spawn_too_many), 0);
}
END_TEST

START_TEST(test_bad_command) {
        char *const missing[] = { (char *) "/nonexistent/program", NULL };
        char *const directory[] = { (char *) "/usr", NULL };
        char *const text[] = { (char *) "/etc/passwd", NULL };
        SpawnRequest request;

        spawn_deny_clone3(_i == 1);
        request = request_for(missing);
        assert_fails(&request, SPAWN_STEP_EXEC, ENOENT);
        request = request_for(directory);
        assert_fails(&request, SPAWN_STEP_EXEC, EACCES);
        request = request_for(text);
        assert_fails(&request, SPAWN_STEP_EXEC, EACCES);
}
END_TEST

START_TEST(test_no_executable_format) {
        char path[] = "/tmp/test-spawn-XXXXXX";
        char *const command[] = { path, NULL };
        SpawnRequest request = request_for(command);
        int fd = mkostemp(path, O_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, "no program\n", 11), 11);
        ck_assert_int_eq(fchmod(fd, 0755), 0);
        fd_close(fd);
        assert_fails(&request, SPAWN_STEP_EXEC, ENOEXEC);
        ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(test_bad_surroundings) {
        const bool limit_set[RLIM_NLIMITS] = { [RLIMIT_NOFILE] = true };
        const struct rlimit limits[RLIM_NLIMITS] = { [RLIMIT_NOFILE] = { 20, 10 } };
        SpawnRequest request = request_for(TRUE);

        spawn_deny_clone3(_i == 1);
        request.directory = "/nonexistent";
        assert_fails(&request, SPAWN_STEP_DIRECTORY, ENOENT);

        request = request_for(TRUE);
        request.error = 9999;
        assert_fails(&request, SPAWN_STEP_DESCRIPTORS, EBADF);

        request = request_for(TRUE);
        request.limit_set = limit_set;
        request.limits = limits;
        assert_fails(&request, SPAWN_STEP_LIMITS, EINVAL);
}
END_TEST

/* The way without clone3: the child writes itself into cgroup.procs of the directory. */
START_TEST(test_enter_cgroup_by_itself) {
        SpawnRequest request = request_for(TRUE);
        char path[] = "/tmp/test-spawn-XXXXXX";
        CLEANUP(fd_closep) int directory = -1;
        CLEANUP(fd_closep) int file = -1;
        char text[8] = "";
        Spawned spawned;

        spawn_deny_clone3(true);
        ck_assert_ptr_nonnull(mkdtemp(path));
        directory = open(path, O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(directory, 0);
        request.cgroup_fd = directory;
        assert_fails(&request, SPAWN_STEP_CGROUP, ENOENT);

        file = openat(directory, "cgroup.procs", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        ck_assert_int_ge(file, 0);
        spawned = started(&request);
        ck_assert_int_eq(status_of(&spawned), 0);
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
        SpawnRequest request = request_for(SLEEP);
        CLEANUP(fd_closep) int directory = -1;
        char path[64], cgroup[PATH_MAX], wanted[64];
        Spawned spawned;

        spawn_deny_clone3(_i == 1);
        make_cgroup(path);
        directory = open(path, O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(directory, 0);
        request.cgroup_fd = directory;

        spawned = started(&request);
        ck_assert_int_eq(procfs_cgroup(spawned.pid, cgroup), 0);
        (void) snprintf(wanted, sizeof(wanted), "/test-spawn-%d", getpid());
        end(&spawned);
        ck_assert_int_eq(rmdir(path), 0);
        ck_assert_str_eq(cgroup, wanted);
}
END_TEST

static bool clone3_works(void) {
        return syscall(SYS_clone3, NULL, 0) < 0 && errno != ENOSYS && errno != EPERM;
}

/* clone3 says it at once; that also proves that it is what we use where it can be used. */
START_TEST(test_no_cgroup) {
        SpawnRequest request = request_for(TRUE);
        Spawned spawned = { .pid = 7 };

        spawn_deny_clone3(false);
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
        Suite *suite = suite_create("sys/spawn");
        TCase *tcase = tcase_create("spawn");

        tcase_add_loop_test(tcase, test_surroundings, 0, WAYS);
        tcase_add_loop_test(tcase, test_filtered, 0, ELEMENTSOF(FILTER_ERRORS));
        tcase_add_test(tcase, test_no_pidfd);
        tcase_add_loop_test(tcase, test_output_and_environment, 0, WAYS);
        tcase_add_loop_test(tcase, test_circle_of_descriptors, 0, WAYS);
        tcase_add_loop_test(tcase, test_closed_descriptors, 0, WAYS);
        tcase_add_loop_test(tcase, test_limits_and_priority, 0, WAYS);
        tcase_add_test(tcase, test_privileges_stay_as_they_are);
        tcase_add_loop_test(tcase, test_bad_command, 0, WAYS);
        tcase_add_test(tcase, test_no_executable_format);
        tcase_add_loop_test(tcase, test_bad_surroundings, 0, WAYS);
        tcase_add_test(tcase, test_enter_cgroup_by_itself);
        tcase_add_test(tcase, test_report);
        tcase_add_test(tcase, test_step_texts);
        suite_add_tcase(suite, tcase);

        /* What not every machine lets us do. */
        if (geteuid() == 0) {
                tcase_add_loop_test(tcase, test_user, 0, WAYS);
                tcase_add_test(tcase, test_directory_of_somebody_else);
                tcase_add_loop_test(tcase, test_without_privileges, 0, WAYS);
                tcase_add_loop_test(tcase, test_no_process, 0, WAYS);
        }
        if (cgroup_works())
                tcase_add_loop_test(tcase, test_born_in_cgroup, 0, WAYS);
        if (clone3_works())
                tcase_add_test(tcase, test_no_cgroup);
        return suite;
}

int main(void) {
        CLEANUP(fd_closep) int pidfd = pidfd_open(getpid(), 0);

        /* The valgrind of Debian 12 does not know this call. */
        if (pidfd < 0) {
                puts("1..0 # SKIP no pidfd_open(2)");
                return EXIT_SUCCESS;
        }
        return unit_main(make_suite());
}
