/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spawning.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "unit.h"

char *const SPAWNING_SLEEP[] = { (char *) "/bin/sleep", (char *) "60", NULL };
char *const SPAWNING_TRUE[] = { (char *) "/bin/true", NULL };

static char *const NO_ENVIRONMENT[] = { NULL };

const char *spawning_missing(void) {
        CLEANUP(fd_closep) int fd = pidfd_open(getpid(), 0);

        if (fd < 0)
                return "no pidfd_open(2)";
        /* valgrind learned to know it years later. */
        return pidfd_send_signal(fd, 0, NULL, 0) < 0 ? "no pidfd_send_signal(2)" : NULL;
}

bool spawning_has_clone3(void) {
        return syscall(SYS_clone3, NULL, 0) < 0 && errno != ENOSYS && errno != EPERM;
}

SpawnRequest spawning_request(char *const *command) {
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

        if (spawned->report_fd < 0)
                return spawned->report;
        ck_assert_int_eq(poll(&poll_fd, 1, -1), 1);
        ck_assert_int_eq(spawn_report_read(spawned->report_fd, &report), 0);
        return report;
}

Spawned spawning_start(const SpawnRequest *request) {
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

int spawning_status(Spawned *spawned) {
        int status = -1;

        ck_assert_int_eq(waitpid(spawned->pid, &status, 0), spawned->pid);
        spawned->pidfd = fd_close(spawned->pidfd);
        spawned->report_fd = fd_close(spawned->report_fd);
        return status;
}

void spawning_end(Spawned *spawned) {
        int status;

        ck_assert_int_eq(kill(spawned->pid, SIGKILL), 0);
        status = spawning_status(spawned);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

void spawning_expect_failure(const SpawnRequest *request, SpawnStep step, int error) {
        Spawned spawned = { 0 };
        SpawnReport report;
        int status;

        ck_assert_int_eq(spawn(request, &spawned), 0);
        report = report_of(&spawned);
        status = spawning_status(&spawned);
        ck_assert_str_eq(spawn_step_text(report.failed_step), spawn_step_text(step));
        ck_assert_str_eq(strerror(report.error), strerror(error));
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 127);
}

unsigned spawning_descriptors(void) {
        unsigned count = 0;

        for (int fd = 0; fd < 1024; fd++)
                if (fcntl(fd, F_GETFD) >= 0)
                        count++;
        return count;
}

int spawning_run_apart(int (*function)(void)) {
        pid_t pid = fork();
        int status = -1;

        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                _exit(function());
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        return WEXITSTATUS(status);
}

int spawning_deny_calls(const int calls[2], int error) {
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
