/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/spawn.h"

/*
 * The parent's side: the report pipe, the fork, the pidfd. What the child does is in
 * spawn_child.c. All signals are blocked around the fork, so that no handler of ours runs in the
 * child and no signal meets it before its dispositions are the default ones.
 *
 * The report pipe is closed by the exec: its end without a report means that the program runs.
 * Nothing here waits for the child, but where a process without a pidfd has to be taken back, and
 * for an exec that comes at once (spawn_vfork.c): then there is nothing to report later.
 */

#include <assert.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "sys/spawn_cached.h"
#include "sys/spawn_child.h"
#include "sys/spawn_vfork.h"

static const char *const SPAWN_STEP_TEXTS[] = {
        [SPAWN_STEP_NONE] = "nothing",
        [SPAWN_STEP_CGROUP] = "entering the cgroup",
        [SPAWN_STEP_DESCRIPTORS] = "connecting input and output",
        [SPAWN_STEP_LIMITS] = "setting the limits",
        [SPAWN_STEP_PRIORITY] = "setting nice and the OOM score",
        [SPAWN_STEP_GROUPS] = "changing the groups",
        [SPAWN_STEP_USER] = "changing the user",
        [SPAWN_STEP_PRIVILEGES] = "giving up new privileges",
        [SPAWN_STEP_DIRECTORY] = "entering the directory",
        [SPAWN_STEP_EXEC] = "executing the command",
};
static_assert(ELEMENTSOF(SPAWN_STEP_TEXTS) == SPAWN_STEP_MAX_, "a text for each step");

static SpawnWay spawn_first_way;

void spawn_limit(SpawnWay first) {
        spawn_first_way = first;
}

const char *spawn_step_text(SpawnStep step) {
        return SPAWN_STEP_TEXTS[step];
}

/* Neither end below 3, where the child puts its standard descriptors. */
static int spawn_report_open(int *ret_read, int *ret_write) {
        CLEANUP(fd_closep) int read_fd = -1;
        CLEANUP(fd_closep) int write_fd = -1;
        int fds[2];
        int lifted;

        if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
                return errno_negative();
        read_fd = fds[0];
        write_fd = fds[1];

        if (write_fd <= STDERR_FILENO) {
                lifted = fcntl(write_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
                if (lifted < 0)
                        return errno_negative();
                fd_close(write_fd);
                write_fd = lifted;
        }

        *ret_read = read_fd;
        *ret_write = write_fd;
        read_fd = write_fd = -1;
        return 0;
}

/*
 * Not for another user: who may signal the child could stop it, and we would sleep as long. Nor
 * where the exec would wait, or the way into a cgroup, for which the kernel holds up all forks.
 */
static bool spawn_may_share(const SpawnRequest *request) {
        return SPAWN_VFORK_IS_BUILT_IN && spawn_first_way == SPAWN_SHARING &&
               !request->switch_user && !request->enter_cgroup &&
               spawn_is_cached(request->command[0], request->directory);
}

static struct clone_args spawn_arguments(const SpawnPlan *plan, int *pidfd) {
        int cgroup_fd = plan->request->cgroup_fd;
        struct clone_args arguments = {
                .flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
                .pidfd = (uintptr_t) pidfd,
                .exit_signal = SIGCHLD,
        };

        if (cgroup_fd >= 0 && !plan->enter_cgroup) {
                arguments.flags |= CLONE_INTO_CGROUP;
                arguments.cgroup = (unsigned) cgroup_fd;
        }
        return arguments;
}

/* The pid, or a negative errno. */
static pid_t spawn_clone3(const SpawnPlan *plan, int *ret_pidfd) {
        struct clone_args arguments = spawn_arguments(plan, ret_pidfd);
        pid_t pid = (pid_t) syscall(SYS_clone3, &arguments, sizeof(arguments));

        if (pid == 0)
                spawn_child_run(plan);
        return pid < 0 ? errno_negative() : pid;
}

/* The same in steps, for old kernels and seccomp filters. */
static pid_t spawn_fork(SpawnPlan *plan, int *ret_pidfd) {
        int pidfd;
        pid_t pid;
        int r;

        plan->enter_cgroup = true;

        pid = fork();
        if (pid < 0)
                return errno_negative();
        if (pid == 0)
                spawn_child_run(plan);

        pidfd = pidfd_open(pid, 0);
        if (pidfd < 0) {
                r = errno_negative();
                (void) kill(pid, SIGKILL);
                (void) waitpid(pid, NULL, 0);
                return r;
        }

        *ret_pidfd = pidfd;
        return pid;
}

/* Not known, hidden or refused by a filter, a flag or a member that is not known. */
static bool spawn_is_refused(pid_t pid) {
        return pid == -ENOSYS || pid == -EPERM || pid == -EINVAL || pid == -E2BIG;
}

/* With the memory of its own from the begin, so that it reports through a pipe. */
static pid_t spawn_copy(SpawnPlan *plan, Spawned *ret) {
        CLEANUP(fd_closep) int report_read = -1;
        CLEANUP(fd_closep) int report_write = -1;
        pid_t pid = -ENOSYS;
        int r;

        r = spawn_report_open(&report_read, &report_write);
        if (r < 0)
                return r;
        plan->report_fd = report_write;
        if (spawn_first_way <= SPAWN_COPYING)
                pid = spawn_clone3(plan, &ret->pidfd);
        if (spawn_is_refused(pid))
                pid = spawn_fork(plan, &ret->pidfd);
        if (pid > 0) {
                ret->report_fd = report_read;
                report_read = -1;
        }
        return pid;
}

/* It has executed when this returns, or has failed and written why. */
static pid_t spawn_share(SpawnPlan *plan, Spawned *ret) {
        struct clone_args arguments = spawn_arguments(plan, &ret->pidfd);
        pid_t pid;

        plan->report = &ret->report;
        pid = spawn_vfork(&arguments, plan);
        plan->report = NULL;
        return pid;
}

int spawn(const SpawnRequest *request, Spawned *ret) {
        Spawned spawned = { .pid = -ENOSYS, .pidfd = -1, .report_fd = -1 };
        SpawnPlan plan = { .request = request, .enter_cgroup = request->enter_cgroup };
        sigset_t all, before;

        if (request->oom_score_adjust != 0)
                (void) snprintf(plan.oom_text, sizeof(plan.oom_text), "%d",
                                request->oom_score_adjust);

        if (sigfillset(&all) < 0 || sigprocmask(SIG_SETMASK, &all, &before) < 0)
                return errno_negative();
        if (spawn_may_share(request))
                spawned.pid = spawn_share(&plan, &spawned);
        if (spawn_is_refused(spawned.pid))
                spawned.pid = spawn_copy(&plan, &spawned);
        (void) sigprocmask(SIG_SETMASK, &before, NULL);
        if (spawned.pid < 0)
                return spawned.pid;

        *ret = spawned;
        return 0;
}

int spawn_report_read(int report_fd, SpawnReport *ret) {
        SpawnReport report = { .failed_step = SPAWN_STEP_NONE };
        ssize_t size;

        do
                size = read(report_fd, &report, sizeof(report));
        while (size < 0 && errno == EINTR);

        if (size < 0)
                return errno_negative();
        if (size != 0 && size != sizeof(report))
                return -EIO;

        *ret = report;
        return 0;
}
