/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/pidref: one process and never another one, from its start to after its end.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "spawning.h"
#include "sys/pidref.h"
#include "sys/procfs.h"
#include "unit.h"

static pid_t fork_pause(void) {
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                for (;;)
                        pause();
        return pid;
}

/* A pid that was taken and is free now. */
static pid_t free_pid(void) {
        pid_t pid = fork_pause();

        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        return pid;
}

static PidRef opened(pid_t pid) {
        PidRef reference = PIDREF_NONE;

        ck_assert_int_eq(pidref_open(pid, &reference), 0);
        return reference;
}

START_TEST(test_none) {
        PidRef reference = PIDREF_NONE;

        ck_assert(!pidref_is_set(&reference));
        ck_assert(!pidref_is_alive(&reference));
        ck_assert_int_eq(pidref_signal(&reference, SIGKILL), PIDREF_E_GONE);
        pidref_done(&reference);
        ck_assert(!pidref_is_set(&reference));
}
END_TEST

START_TEST(test_open) {
        PidRef reference = opened(getpid());
        ProcStat stat;
        int pidfd = reference.pidfd;

        ck_assert(pidref_is_set(&reference));
        ck_assert(pidref_is_alive(&reference));
        ck_assert_int_eq(reference.pid, getpid());
        ck_assert_int_eq(fcntl(pidfd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        ck_assert_int_eq(procfs_stat(getpid(), &stat), 0);
        ck_assert_uint_eq(reference.start_time, stat.start_time);
        ck_assert_uint_gt(reference.start_time, 0);

        pidref_done(&reference);
        ck_assert(!pidref_is_set(&reference));
        ck_assert_int_eq(reference.pidfd, -1);
        ck_assert_int_eq(fcntl(pidfd, F_GETFD), -1);
}
END_TEST

START_TEST(test_nobody) {
        PidRef reference = PIDREF_NONE;

        ck_assert_int_eq(pidref_open(free_pid(), &reference), PIDREF_E_GONE);
        ck_assert_int_eq(pidref_open(0, &reference), PIDREF_E_GONE);
        ck_assert_int_eq(pidref_open(-1, &reference), PIDREF_E_GONE);
        ck_assert(!pidref_is_set(&reference));
        ck_assert_int_eq(reference.pidfd, -1);
}
END_TEST

START_TEST(test_life_and_death) {
        pid_t pid = fork_pause();
        PidRef reference = opened(pid);
        siginfo_t info;

        ck_assert(pidref_is_alive(&reference));
        ck_assert_int_eq(pidref_signal(&reference, 0), 0);
        ck_assert_int_eq(pidref_signal(&reference, SIGKILL), 0);

        /* A zombie still has its number, but it does not run. */
        ck_assert_int_eq(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT), 0);
        ck_assert(!pidref_is_alive(&reference));
        ck_assert_int_eq(pidref_signal(&reference, SIGTERM), 0);

        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        ck_assert(!pidref_is_alive(&reference));
        ck_assert_int_eq(pidref_signal(&reference, SIGTERM), PIDREF_E_GONE);
        ck_assert(pidref_is_set(&reference));
        pidref_done(&reference);
}
END_TEST

START_TEST(test_open_zombie) {
        pid_t pid = fork_pause();
        PidRef reference;
        siginfo_t info;

        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT), 0);
        reference = opened(pid);
        ck_assert(!pidref_is_alive(&reference));
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        pidref_done(&reference);
}
END_TEST

START_TEST(test_bad_signal) {
        PidRef reference = opened(getpid());

        ck_assert_int_eq(pidref_signal(&reference, 9999), -EINVAL);
        pidref_done(&reference);
}
END_TEST

START_TEST(test_take) {
        pid_t pid = fork_pause();
        PidRef reference = PIDREF_NONE;
        int pidfd = pidfd_open(pid, 0);

        ck_assert_int_ge(pidfd, 0);
        ck_assert_int_eq(pidref_take(pid, pidfd, &reference), 0);
        ck_assert_int_eq(reference.pid, pid);
        ck_assert_int_eq(reference.pidfd, pidfd);
        ck_assert_uint_gt(reference.start_time, 0);
        ck_assert_int_eq(pidref_signal(&reference, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        pidref_done(&reference);
}
END_TEST

/* Consumed also where there is nobody left to take. */
START_TEST(test_take_gone) {
        pid_t pid = fork_pause();
        PidRef reference = PIDREF_NONE;
        int pidfd = pidfd_open(pid, 0);

        ck_assert_int_ge(pidfd, 0);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        ck_assert_int_eq(pidref_take(pid, pidfd, &reference), PIDREF_E_GONE);
        ck_assert_int_eq(fcntl(pidfd, F_GETFD), -1);
        ck_assert(!pidref_is_set(&reference));
}
END_TEST

/* The number has gone to somebody else, whose start time must not be taken for his. */
START_TEST(test_take_of_another) {
        pid_t pid = fork_pause();
        PidRef reference = PIDREF_NONE;
        int pidfd = pidfd_open(pid, 0);

        ck_assert_int_ge(pidfd, 0);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        ck_assert_int_eq(pidref_take(getpid(), pidfd, &reference), PIDREF_E_GONE);
        ck_assert(!pidref_is_set(&reference));
}
END_TEST

/* One that we may look at, but not signal. */
START_TEST(test_of_another_user) {
        pid_t pid = fork();
        int status = -1;

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                PidRef reference = PIDREF_NONE;

                if (geteuid() == 0 &&
                    setresuid(SPAWNING_NOBODY, SPAWNING_NOBODY, SPAWNING_NOBODY) < 0)
                        _exit(1);
                if (pidref_open(1, &reference) != 0 || !pidref_is_alive(&reference))
                        _exit(2);
                _exit(pidref_signal(&reference, 0) == -EPERM ? 0 : 3);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
}
END_TEST

static void *thread_run(void *userdata) {
        *(int *) userdata = pidref_open((pid_t) syscall(SYS_gettid), &(PidRef){ .pidfd = -1 });
        return NULL;
}

/* The number of a thread is not that of a process. */
START_TEST(test_thread) {
        pthread_t thread;
        int r = -1;

        ck_assert_int_eq(pthread_create(&thread, NULL, thread_run, &r), 0);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        ck_assert_int_eq(r, PIDREF_E_GONE);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sys/pidref");
        TCase *tcase = tcase_create("pidref");
        const char *missing = spawning_missing();

        tcase_add_test(tcase, test_none);
        suite_add_tcase(suite, tcase);
        if (missing) {
                unit_add_skipped(suite, "pidref", missing);
                return suite;
        }

        tcase_add_test(tcase, test_open);
        tcase_add_test(tcase, test_nobody);
        tcase_add_test(tcase, test_life_and_death);
        tcase_add_test(tcase, test_open_zombie);
        tcase_add_test(tcase, test_bad_signal);
        tcase_add_test(tcase, test_take);
        tcase_add_test(tcase, test_take_gone);
        tcase_add_test(tcase, test_take_of_another);
        tcase_add_test(tcase, test_of_another_user);
        tcase_add_test(tcase, test_thread);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
