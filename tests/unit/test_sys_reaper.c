/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/reaper: everybody is reaped, everyone who waits is told once, orphans come to us.
 */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/reaper.h"
#include "unit.h"

#define MANY    500
#define FAILURE (-ENOTRECOVERABLE)

static Loop *loop;
static Reaper *reaper;

/* What the reaped handler saw. */
static unsigned rounds;
static unsigned strangers;
static unsigned enough; /* the loop ends with so many strangers */

static int on_reaped(void *userdata, unsigned count) {
        ck_assert_ptr_eq(userdata, &rounds);
        rounds++;
        strangers += count;
        return strangers >= enough ? loop_exit(loop, 0) : 0;
}

static void setup(void) {
        rounds = strangers = 0;
        enough = UINT32_MAX;
        ck_assert_int_eq(loop_new(&loop), 0);
        ck_assert_int_eq(reaper_new(loop, &reaper), 0);
        reaper_on_reaped(reaper, on_reaped, &rounds);
}

static void teardown(void) {
        ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
        ck_assert_int_eq(errno, ECHILD);
        reaper = reaper_free(reaper);
        loop = loop_free(loop);
}

/* A process with its story. */
typedef struct Told {
        Process process;
        ExitStatus status;
        unsigned times;
        struct Told *remove; /* to be removed by the handler */
        bool again;          /* waits for another one */
        LoopSource **for_ever; /* … which has died already, each time; there is work for this */
        bool last;           /* ends the loop */
        int result;
} Told;

static pid_t fork_exit(int status) {
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                _exit(status);
        return pid;
}

/* Ends it and waits until it is a zombie. */
static void make_zombie(pid_t pid) {
        siginfo_t info;

        ck_assert_int_eq(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT), 0);
}

static int on_told(void *userdata, const Process *process, const ExitStatus *status) {
        Told *told = userdata;

        ck_assert_ptr_eq(process, &told->process);
        ck_assert_int_eq(process->pid, 0);
        ck_assert(process->handler == NULL);
        told->status = *status;
        told->times++;
        if (told->remove)
                reaper_remove(reaper, &told->remove->process);
        if (told->again) {
                told->again = false;
                reaper_add(reaper, &told->process, fork_exit(9), on_told, told);
                return 0;
        }
        if (told->for_ever) {
                pid_t pid = fork_exit(9);

                make_zombie(pid);
                ck_assert_int_eq(loop_defer_arm(*told->for_ever), 0);
                reaper_add(reaper, &told->process, pid, on_told, told);
        }
        if (told->last)
                return loop_exit(loop, 0);
        return told->result;
}

static void wait_for(Told *told, pid_t pid) {
        reaper_add(reaper, &told->process, pid, on_told, told);
        ck_assert_int_eq(told->process.pid, pid);
}

static void assert_text(const ExitStatus *status, const char *wanted) {
        char buffer[EXIT_STATUS_TEXT_MAX];

        ck_assert_ptr_eq(exit_status_text(buffer, status), buffer);
        ck_assert_str_eq(buffer, wanted);
}

START_TEST(test_exit_status) {
        Told told = { .last = true };

        wait_for(&told, fork_exit(3));
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_uint_eq(told.times, 1);
        ck_assert(told.status.known && !told.status.signaled && !told.status.core);
        ck_assert_int_eq(told.status.code, 3);
}
END_TEST

START_TEST(test_signal) {
        Told told = { .last = true };
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                for (;;)
                        pause();
        wait_for(&told, pid);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert(told.status.known && told.status.signaled && !told.status.core);
        ck_assert_int_eq(told.status.code, SIGKILL);
}
END_TEST

static unsigned heard;

/* It is dead, and its number is nobody else's yet. */
static int on_dying(void *userdata) {
        Told *told = userdata;
        siginfo_t info;

        heard++;
        ck_assert_uint_eq(told->times, 0);
        ck_assert_int_eq(waitid(P_PID, (id_t) told->process.pid, &info, WEXITED | WNOWAIT), 0);
        if (told->remove)
                reaper_remove(reaper, &told->process);
        return told->result;
}

START_TEST(test_dying_is_heard) {
        Told told = { .last = true }, other = { 0 };

        heard = 0;
        enough = 1;
        wait_for(&other, fork_exit(2));
        reaper_hear(&other.process, on_dying);
        other.remove = &other;
        ck_assert_int_eq(loop_run(loop), 0); /* as a stranger */
        ck_assert_uint_eq(heard, 1);
        ck_assert_uint_eq(other.times, 0);

        loop = loop_free(loop);
        reaper = reaper_free(reaper);
        setup();
        wait_for(&told, fork_exit(3));
        reaper_hear(&told.process, on_dying);
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_uint_eq(heard, 2);
        ck_assert_uint_eq(told.times, 1);
        ck_assert_int_eq(told.status.code, 3);
}
END_TEST

START_TEST(test_failure_of_who_hears) {
        Told told = { .result = FAILURE };

        wait_for(&told, fork_exit(0));
        reaper_hear(&told.process, on_dying);
        ck_assert_int_eq(loop_run(loop), FAILURE);
        ck_assert_uint_eq(told.times, 0);
        ck_assert_int_eq(waitpid(told.process.pid, NULL, 0), told.process.pid);
        reaper_remove(reaper, &told.process);
}
END_TEST

static int on_turn(void *userdata) {
        (void) userdata;
        return loop_exit(loop, 0);
}

/* A daemon that dies whenever it is replaced does not keep us from the others. */
START_TEST(test_others_have_their_turn) {
        LoopSource *other;
        Told told = { .for_ever = &other };

        ck_assert_int_eq(loop_add_defer(loop, &other, LOOP_STOP, "other", on_turn, NULL), 0);
        wait_for(&told, fork_exit(3));
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_int_eq(waitpid(-1, NULL, 0), told.process.pid); /* the last of them */
        reaper_remove(reaper, &told.process);
        loop_source_free(other);
}
END_TEST

/* Ended before the loop first looked: one round, each told once, the reaped handler behind all. */
START_TEST(test_several_in_one_round) {
        Told told[5] = { 0 };

        enough = 2;
        for (size_t i = 0; i < ELEMENTSOF(told); i++) {
                wait_for(&told[i], fork_exit((int) i));
                make_zombie(told[i].process.pid);
        }
        make_zombie(fork_exit(0));
        make_zombie(fork_exit(0));

        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_uint_eq(rounds, 1);
        ck_assert_uint_eq(strangers, 2);
        for (size_t i = 0; i < ELEMENTSOF(told); i++) {
                ck_assert_uint_eq(told[i].times, 1);
                ck_assert_int_eq(told[i].status.code, (int) i);
        }
}
END_TEST

START_TEST(test_handler_waits_again) {
        Told told = { .again = true, .last = true };

        wait_for(&told, fork_exit(1));
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_uint_eq(told.times, 2);
        ck_assert_int_eq(told.status.code, 9);
        ck_assert_uint_eq(strangers, 0);
}
END_TEST

/* Whichever of two dead ones is reaped first takes the other one's wait away. */
START_TEST(test_handler_removes_another) {
        Told one = { 0 }, two = { 0 };

        enough = 1;
        one.remove = &two;
        two.remove = &one;
        wait_for(&one, fork_exit(0));
        wait_for(&two, fork_exit(0));
        make_zombie(one.process.pid);
        make_zombie(two.process.pid);

        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_uint_eq(one.times + two.times, 1);
        ck_assert_uint_eq(strangers, 1);
}
END_TEST

START_TEST(test_removed) {
        Told told = { 0 };

        enough = 1;
        wait_for(&told, fork_exit(0));
        reaper_remove(reaper, &told.process);
        ck_assert_int_eq(told.process.pid, 0);
        reaper_remove(reaper, &told.process);

        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_uint_eq(told.times, 0);
}
END_TEST

/* Waiting for another process instead: only that one counts. */
START_TEST(test_added_twice) {
        Told told = { .last = true };
        pid_t first = fork_exit(1);

        make_zombie(first);
        wait_for(&told, first);
        wait_for(&told, fork_exit(2));
        make_zombie(told.process.pid);
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_uint_eq(told.times, 1);
        ck_assert_int_eq(told.status.code, 2);
        ck_assert_uint_eq(strangers, 1);
}
END_TEST

START_TEST(test_failure_of_a_handler) {
        Told told = { .result = FAILURE };

        wait_for(&told, fork_exit(0));
        ck_assert_int_eq(loop_run(loop), FAILURE);
}
END_TEST

/* Double forks: the parents end at once, their children become ours. */
START_TEST(test_orphans) {
        enough = 2 * MANY;
        for (int i = 0; i < MANY; i++) {
                pid_t pid = fork();

                ck_assert_int_ge(pid, 0);
                if (pid == 0) {
                        if (fork() == 0)
                                usleep(1000);
                        _exit(0);
                }
        }
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_uint_eq(strangers, 2 * MANY);
        ck_assert_uint_le(rounds, 2 * MANY);
}
END_TEST

START_TEST(test_many_waited_for) {
        static Told told[MANY];
        unsigned times = 0;

        for (int i = 0; i < MANY; i++) {
                pid_t pid = fork_exit(i % 256);

                wait_for(&told[i], pid);
        }
        for (int i = 0; i < MANY; i++)
                make_zombie(told[i].process.pid);
        enough = 1;
        fork_exit(0);

        ck_assert_int_eq(loop_run(loop), 0);
        for (int i = 0; i < MANY; i++) {
                ck_assert_int_eq(told[i].status.code, i % 256);
                times += told[i].times;
        }
        ck_assert_uint_eq(times, MANY);
}
END_TEST

/* Without a handler for the end of a round nothing is called, but everything reaped. */
START_TEST(test_no_reaped_handler) {
        Told told = { .last = true };

        reaper_on_reaped(reaper, NULL, NULL);
        wait_for(&told, fork_exit(0));
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_uint_eq(rounds, 0);
}
END_TEST

START_TEST(test_free_with_waiters) {
        Told one = { 0 }, two = { 0 };

        wait_for(&one, getpid());
        wait_for(&two, getppid());
        reaper = reaper_free(reaper);
        ck_assert_ptr_null(reaper);
        ck_assert_int_eq(one.process.pid, 0);
        ck_assert_int_eq(two.process.pid, 0);
        ck_assert_ptr_null(reaper_free(NULL));
}
END_TEST

/* Inherited from whoever started us, "ignore" would let the kernel reap behind our back. */
START_TEST(test_ignored_sigchld) {
        const struct sigaction ignore = { .sa_handler = SIG_IGN };
        Told told = { .last = true };
        int subreaper = 0;
        sigset_t mask;

        ck_assert_int_eq(sigaction(SIGCHLD, &ignore, NULL), 0);
        setup();
        ck_assert_int_eq(prctl(PR_GET_CHILD_SUBREAPER, &subreaper), 0);
        ck_assert_int_eq(subreaper, 1);
        ck_assert_int_eq(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
        ck_assert_int_eq(sigismember(&mask, SIGCHLD), 1);

        wait_for(&told, fork_exit(5));
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_int_eq(told.status.code, 5);
        teardown();
}
END_TEST

START_TEST(test_texts) {
        assert_text(&(ExitStatus){ .known = true }, "exited with status 0");
        assert_text(&(ExitStatus){ .known = true, .code = 3 }, "exited with status 3");
        assert_text(&(ExitStatus){ .known = true, .signaled = true, .code = SIGTERM },
                    "killed by SIGTERM");
        assert_text(&(ExitStatus){ .known = true, .signaled = true, .core = true, .code = SIGSEGV },
                    "killed by SIGSEGV (core dumped)");
        assert_text(&(ExitStatus){ .known = true, .signaled = true, .code = SIGRTMIN + 3 },
                    "killed by SIGRTMIN+3");
        assert_text(&(ExitStatus){ 0 }, "ended (status unknown)");
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sys/reaper");
        TCase *reaping = tcase_create("reaping");
        TCase *other = tcase_create("other");

        tcase_add_checked_fixture(reaping, setup, teardown);
        tcase_add_test(reaping, test_exit_status);
        tcase_add_test(reaping, test_signal);
        tcase_add_test(reaping, test_dying_is_heard);
        tcase_add_test(reaping, test_failure_of_who_hears);
        tcase_add_test(reaping, test_several_in_one_round);
        tcase_add_test(reaping, test_handler_waits_again);
        tcase_add_test(reaping, test_others_have_their_turn);
        tcase_add_test(reaping, test_handler_removes_another);
        tcase_add_test(reaping, test_removed);
        tcase_add_test(reaping, test_added_twice);
        tcase_add_test(reaping, test_failure_of_a_handler);
        tcase_add_test(reaping, test_orphans);
        tcase_add_test(reaping, test_many_waited_for);
        tcase_add_test(reaping, test_no_reaped_handler);
        tcase_add_test(reaping, test_free_with_waiters);
        suite_add_tcase(suite, reaping);

        tcase_add_test(other, test_ignored_sigchld);
        tcase_add_test(other, test_texts);
        suite_add_tcase(suite, other);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
