/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/spawn_child.h"

/*
 * Each step returns 0 or a negative errno; the first that fails is reported and ends the child.
 * The order is not that of SpawnStep: see the table. Only async-signal-safe calls.
 */

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"

#define SPAWN_CHILD_STATUS 127 /* as sh(1): the command could not be executed */

typedef int (*SpawnChildStep)(const SpawnPlan *plan);

/* Left ignored, TERM would do nothing in many daemons (haproxy, cron, vsftpd). */
static void spawn_child_default_signals(void) {
        /* The kernel's struct, in which all zero is SIG_DFL. */
        const unsigned long action[8] = { 0 };

        /*
         * Not by sigaction(3): it refuses the two signals that libc keeps to itself, which a parent
         * that used posix_spawn(3) left ignored. Fails for KILL and STOP, which need no reset.
         */
        for (int signo = 1; signo < _NSIG; signo++)
                (void) syscall(SYS_rt_sigaction, signo, action, NULL, (size_t) _NSIG / 8);
}

static int spawn_child_write(int dirfd, const char *path, const char *text) {
        int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        ssize_t written;
        int r = 0;

        if (fd < 0)
                return errno_negative();

        written = write(fd, text, strlen(text));
        if (written < 0)
                r = errno_negative();
        close(fd);
        return r;
}

static int spawn_child_cgroup(const SpawnPlan *plan) {
        if (!plan->enter_cgroup || plan->request->cgroup_fd < 0)
                return 0;

        /* "0" is the writing process itself. */
        return spawn_child_write(plan->request->cgroup_fd, "cgroup.procs", "0");
}

/* /dev/null in place of -1; lifted above the descriptors that are about to be replaced. */
static int spawn_child_source(int fd, int null_flags) {
        if (fd < 0)
                fd = open("/dev/null", null_flags | O_CLOEXEC | O_NOCTTY);
        if (fd >= 0 && fd <= STDERR_FILENO)
                fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        return fd < 0 ? errno_negative() : fd;
}

/* Where close_range(2) is not known or not allowed. opendir(3) would allocate. */
static int spawn_child_mark_each(void) {
        _Alignas(struct dirent64) char buffer[2048];
        int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ssize_t size;

        if (fd < 0)
                return errno_negative();

        while ((size = getdents64(fd, buffer, sizeof(buffer))) > 0)
                for (ssize_t at = 0; at < size;) {
                        const struct dirent64 *entry = (const struct dirent64 *) (buffer + at);
                        int number = 0;

                        for (const char *c = entry->d_name; *c >= '0' && *c <= '9'; c++)
                                number = number * 10 + (*c - '0');
                        if (number > STDERR_FILENO)
                                (void) fcntl(number, F_SETFD, FD_CLOEXEC);
                        at += entry->d_reclen;
                }

        /* The descriptor of the directory itself is closed by the exec. */
        return size < 0 ? errno_negative() : 0;
}

static int spawn_child_descriptors(const SpawnPlan *plan) {
        const SpawnRequest *request = plan->request;
        int sources[] = { request->input, request->output, request->error };

        for (int i = 0; i < (int) ELEMENTSOF(sources); i++) {
                sources[i] = spawn_child_source(sources[i], i == 0 ? O_RDONLY : O_WRONLY);
                if (sources[i] < 0)
                        return sources[i];
        }

        for (int i = 0; i < (int) ELEMENTSOF(sources); i++)
                if (dup2(sources[i], i) < 0)
                        return errno_negative();

        /* Marked, not closed: the report has to survive until the exec. */
        if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
                return spawn_child_mark_each();
        return 0;
}

static int spawn_child_priority(const SpawnPlan *plan) {
        const SpawnRequest *request = plan->request;

        if (request->nice != 0 && setpriority(PRIO_PROCESS, 0, request->nice) < 0)
                return errno_negative();
        if (plan->oom_text[0] != '\0')
                return spawn_child_write(AT_FDCWD, "/proc/self/oom_score_adj", plan->oom_text);
        return 0;
}

static int spawn_child_limits(const SpawnPlan *plan) {
        const SpawnRequest *request = plan->request;

        if (!request->limit_set)
                return 0;

        for (int i = 0; i < RLIM_NLIMITS; i++)
                if (request->limit_set[i] && setrlimit(i, &request->limits[i]) < 0)
                        return errno_negative();
        return 0;
}

static int spawn_child_groups(const SpawnPlan *plan) {
        const SpawnRequest *request = plan->request;

        if (!request->switch_user)
                return 0;
        if (setgroups(request->group_count, request->groups) < 0 ||
            setresgid(request->gid, request->gid, request->gid) < 0)
                return errno_negative();
        return 0;
}

static int spawn_child_user(const SpawnPlan *plan) {
        const SpawnRequest *request = plan->request;

        if (request->switch_user && setresuid(request->uid, request->uid, request->uid) < 0)
                return errno_negative();
        return 0;
}

static int spawn_child_privileges(const SpawnPlan *plan) {
        if (plan->request->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return errno_negative();
        return 0;
}

static int spawn_child_directory(const SpawnPlan *plan) {
        const SpawnRequest *request = plan->request;

        umask(request->umask);
        return chdir(request->directory ? request->directory : "/") < 0 ? errno_negative() : 0;
}

/* Formatted by hand: here nothing may be called that is not safe after a fork. */
static void spawn_child_write_pid(char *text) {
        char digits[sizeof(SPAWN_PID_ROOM)];
        pid_t rest = getpid();
        size_t count = 0;

        do
                digits[count++] = (char) ('0' + rest % 10);
        while ((rest /= 10) > 0 && count < strlen(SPAWN_PID_ROOM));
        while (count > 0)
                *text++ = digits[--count];
        *text = '\0';
}

static void spawn_child_name_itself(char *const *environment) {
        static const char unnamed[] = SPAWN_PID_VARIABLE "=" SPAWN_PID_ROOM;

        for (; environment && *environment; environment++)
                if (strcmp(*environment, unnamed) == 0)
                        spawn_child_write_pid(*environment + strlen(SPAWN_PID_VARIABLE "="));
}

static int spawn_child_execute(const SpawnPlan *plan) {
        const SpawnRequest *request = plan->request;
        sigset_t none;

        spawn_child_name_itself(request->environment);
        /* Only now: a signal that came earlier shall meet the program or nothing of ours. */
        if (sigemptyset(&none) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0)
                return errno_negative();

        execve(request->command[0], request->command, request->environment);
        return errno_negative();
}

/*
 * The priority comes before the limits, for a low RLIMIT_NOFILE would keep /proc shut; the user
 * after all that needs privileges; the directory after the user, who must be allowed to enter it.
 */
static const struct {
        SpawnStep step;
        SpawnChildStep run;
} SPAWN_CHILD_STEPS[] = {
        { SPAWN_STEP_CGROUP, spawn_child_cgroup },
        { SPAWN_STEP_DESCRIPTORS, spawn_child_descriptors },
        { SPAWN_STEP_PRIORITY, spawn_child_priority },
        { SPAWN_STEP_LIMITS, spawn_child_limits },
        { SPAWN_STEP_GROUPS, spawn_child_groups },
        { SPAWN_STEP_USER, spawn_child_user },
        { SPAWN_STEP_PRIVILEGES, spawn_child_privileges },
        { SPAWN_STEP_DIRECTORY, spawn_child_directory },
        { SPAWN_STEP_EXEC, spawn_child_execute },
};

/* Smaller than PIPE_BUF into an empty pipe: it fails only if nobody reads it. */
static void spawn_child_report(const SpawnPlan *plan, const SpawnReport *report) {
        ssize_t written;

        if (plan->report) {
                *plan->report = *report;
                return;
        }
        written = write(plan->report_fd, report, sizeof(*report));
        (void) written;
}

noreturn void spawn_child_run(const SpawnPlan *plan) {
        SpawnReport report = { .failed_step = SPAWN_STEP_NONE };

        spawn_child_default_signals();
        (void) setsid(); /* fails only for a group leader, which a new process never is */

        for (size_t i = 0; i < ELEMENTSOF(SPAWN_CHILD_STEPS); i++) {
                int r = SPAWN_CHILD_STEPS[i].run(plan);

                if (r < 0) {
                        report.failed_step = SPAWN_CHILD_STEPS[i].step;
                        report.error = -r;
                        break;
                }
        }

        spawn_child_report(plan, &report);
        _exit(SPAWN_CHILD_STATUS);
}
