/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/procfs: names made to deceive, long environments, processes that are gone.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/procfs.h"
#include "unit.h"

static pid_t child;

static void end_child(void) {
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

/* A child that has come as far as to sleep. */
static void wait_for_child(void) {
        ProcStat stat = { 0 };

        while (stat.state != 'S') {
                usleep(1000);
                ck_assert_int_eq(procfs_stat(child, &stat), 0);
                ck_assert_int_ne(stat.state, 'Z');
        }
}

static void start_child(const char *name) {
        child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
                (void) prctl(PR_SET_NAME, name);
                for (;;)
                        pause();
        }
        wait_for_child();
}

/* /bin/sleep with that environment. */
static void start_program(char *const *environment) {
        char *const command[] = { (char *) "sleep", (char *) "60", NULL };
        ProcStat stat = { 0 };

        child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
                execve("/bin/sleep", command, environment);
                _exit(1);
        }
        while (strcmp(stat.comm, "sleep") != 0) {
                usleep(1000);
                ck_assert_int_eq(procfs_stat(child, &stat), 0);
                ck_assert_int_ne(stat.state, 'Z');
        }
        wait_for_child();
}

START_TEST(test_own_stat) {
        ProcStat stat = { 0 };

        ck_assert_int_eq(procfs_stat(getpid(), &stat), 0);
        ck_assert_int_eq(stat.pid, getpid());
        ck_assert_int_eq(stat.ppid, getppid());
        ck_assert_int_eq(stat.pgid, getpgid(0));
        ck_assert_int_eq(stat.sid, getsid(0));
        ck_assert_int_eq(stat.state, 'R');
        ck_assert_uint_gt(stat.start_time, 0);
}
END_TEST

START_TEST(test_pending) {
        sigset_t blocked, before;

        sigemptyset(&blocked);
        sigaddset(&blocked, SIGUSR2);
        ck_assert_int_eq(sigprocmask(SIG_BLOCK, &blocked, &before), 0);
        ck_assert(!procfs_has_pending(getpid(), SIGUSR2));
        ck_assert_int_eq(kill(getpid(), SIGUSR2), 0);
        ck_assert(procfs_has_pending(getpid(), SIGUSR2));
        ck_assert(!procfs_has_pending(getpid(), SIGUSR1));
        ck_assert_int_eq(sigwaitinfo(&blocked, NULL), SIGUSR2);
        ck_assert(!procfs_has_pending(getpid(), SIGUSR2));
        ck_assert_int_eq(sigprocmask(SIG_SETMASK, &before, NULL), 0);
        ck_assert(!procfs_has_pending(0, SIGUSR2));
}
END_TEST

static const char *const NAMES[] = {
        "plain", "two words", "a) S 1 1 1 (b",   ") R 99 99 99", "(((", ")))",
        " ",     "",          "fifteen letters",
};

START_TEST(test_names) {
        ProcStat stat = { 0 };

        start_child(NAMES[_i]);
        ck_assert_int_eq(procfs_stat(child, &stat), 0);
        ck_assert_str_eq(stat.comm, NAMES[_i]);
        ck_assert_int_eq(stat.ppid, getpid());
        ck_assert_int_eq(stat.state, 'S');
        ck_assert_int_eq(stat.sid, getsid(0));
        end_child();
}
END_TEST

START_TEST(test_zombie) {
        ProcStat stat = { .pid = 7 };
        siginfo_t info;

        start_child("mortal");
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        ck_assert_int_eq(waitid(P_PID, (id_t) child, &info, WEXITED | WNOWAIT), 0);
        ck_assert_int_eq(procfs_stat(child, &stat), 0);
        ck_assert_int_eq(stat.state, 'Z');
        ck_assert_str_eq(stat.comm, "mortal");
        ck_assert_int_eq(procfs_has_variable(child, "A=b"), 0);
        end_child();
}
END_TEST

START_TEST(test_gone) {
        char cgroup[PATH_MAX] = "as it was";
        ProcStat stat = { .pid = 7 };

        start_child("gone");
        end_child();
        ck_assert_int_eq(procfs_stat(child, &stat), PROCFS_E_GONE);
        ck_assert_int_eq(stat.pid, 7);
        ck_assert_int_eq(procfs_cgroup(child, cgroup), PROCFS_E_GONE);
        ck_assert_str_eq(cgroup, "as it was");
        ck_assert_int_eq(procfs_has_variable(child, "A=b"), 0);
        ck_assert_int_eq(procfs_compare_variable(child, "A=b"), PROCFS_VARIABLE_NONE);
        ck_assert_int_eq(procfs_stat(-1, &stat), PROCFS_E_GONE);
}
END_TEST

/* Of two processes the younger one did not start earlier. */
START_TEST(test_start_time) {
        ProcStat stat = { 0 }, own = { 0 };

        start_child("young");
        ck_assert_int_eq(procfs_stat(child, &stat), 0);
        ck_assert_int_eq(procfs_stat(getpid(), &own), 0);
        ck_assert_uint_ge(stat.start_time, own.start_time);
        end_child();
}
END_TEST

START_TEST(test_cgroup) {
        char cgroup[PATH_MAX] = "", wanted[PATH_MAX] = "", line[PATH_MAX];
        FILE *file = fopen("/proc/self/cgroup", "re");

        ck_assert_ptr_nonnull(file);
        while (fgets(line, sizeof(line), file))
                if (strncmp(line, "0::", 3) == 0) {
                        line[strcspn(line, "\n")] = '\0';
                        (void) strcpy(wanted, line + 3);
                }
        (void) fclose(file);

        if (wanted[0] == '\0') {
                ck_assert_int_eq(procfs_cgroup(getpid(), cgroup), -ENODATA);
                return;
        }
        ck_assert_int_eq(procfs_cgroup(getpid(), cgroup), 0);
        ck_assert_str_eq(cgroup, wanted);
}
END_TEST

START_TEST(test_program_and_moment) {
        uint64_t before = procfs_now(), program;
        ProcStat stat;

        start_child("another name");
        ck_assert_int_eq(procfs_stat(child, &stat), 0);
        ck_assert_uint_ge(stat.start_time, before);
        ck_assert_uint_le(stat.start_time, procfs_now());
        program = procfs_program(child);
        ck_assert_uint_ne(program, 0);
        end_child();
        ck_assert_uint_eq(procfs_program(child), 0);

        start_child("yet another one");
        ck_assert_uint_eq(procfs_program(child), program);
        end_child();
        start_program((char *[]){ NULL });
        ck_assert_uint_ne(procfs_program(child), program);
        end_child();
}
END_TEST

START_TEST(test_variables) {
        char *const environment[] = { (char *) "FIRST=1", (char *) "MIDDLE=two words", (char *) "",
                                      (char *) "LAST=x", NULL };

        start_program(environment);
        ck_assert_int_eq(procfs_has_variable(child, "FIRST=1"), 1);
        ck_assert_int_eq(procfs_has_variable(child, "MIDDLE=two words"), 1);
        ck_assert_int_eq(procfs_has_variable(child, "LAST=x"), 1);
        ck_assert_int_eq(procfs_has_variable(child, "LAST=xy"), 0);
        ck_assert_int_eq(procfs_has_variable(child, "LAST="), 0);
        ck_assert_int_eq(procfs_has_variable(child, "AST=x"), 0);
        ck_assert_int_eq(procfs_has_variable(child, "MIDDLE=two"), 0);
        ck_assert_int_eq(procfs_has_variable(child, "words"), 0);

        ck_assert_int_eq(procfs_compare_variable(child, "FIRST=1"), PROCFS_VARIABLE_SAME);
        ck_assert_int_eq(procfs_compare_variable(child, "LAST=x"), PROCFS_VARIABLE_SAME);
        ck_assert_int_eq(procfs_compare_variable(child, "FIRST=11"), PROCFS_VARIABLE_OTHER);
        ck_assert_int_eq(procfs_compare_variable(child, "MIDDLE=two"), PROCFS_VARIABLE_OTHER);
        ck_assert_int_eq(procfs_compare_variable(child, "LAST="), PROCFS_VARIABLE_OTHER);
        ck_assert_int_eq(procfs_compare_variable(child, "AST=x"), PROCFS_VARIABLE_NONE);
        ck_assert_int_eq(procfs_compare_variable(child, "FIRS=1"), PROCFS_VARIABLE_NONE);
        end_child();
}
END_TEST

/* Wherever the piece by piece reading is cut, the variable is found and its like is not. */
START_TEST(test_long_environment) {
        static char filler[8 * PATH_MAX];
        size_t length = PATH_MAX - 8 + (size_t) _i;
        char *const environment[] = { filler, (char *) "WANTED=here", (char *) "LAST=x", NULL };

        memset(filler, 0, sizeof(filler));
        memset(filler, 'f', length);
        start_program(environment);
        ck_assert_int_eq(procfs_has_variable(child, "WANTED=here"), 1);
        ck_assert_int_eq(procfs_has_variable(child, "WANTED=her"), 0);
        ck_assert_int_eq(procfs_has_variable(child, "WANTED=here!"), 0);
        ck_assert_int_eq(procfs_has_variable(child, "LAST=x"), 1);
        ck_assert_int_eq(procfs_compare_variable(child, "WANTED=here"), PROCFS_VARIABLE_SAME);
        ck_assert_int_eq(procfs_compare_variable(child, "WANTED=her"), PROCFS_VARIABLE_OTHER);
        ck_assert_int_eq(procfs_compare_variable(child, "ANTED=here"), PROCFS_VARIABLE_NONE);
        ck_assert_int_eq(procfs_has_variable(child, filler), 1);
        filler[length - 1] = 'g';
        ck_assert_int_eq(procfs_has_variable(child, filler), 0);
        end_child();
}
END_TEST

/* Looks for two processes among all. */
typedef struct Search {
        pid_t wanted[2];
        unsigned found[2];
        unsigned visits;
        int stop; /* the result at the first one */
} Search;

static int visit(void *userdata, const ProcStat *process) {
        Search *search = userdata;

        search->visits++;
        ck_assert_int_gt(process->pid, 0);
        for (size_t i = 0; i < ELEMENTSOF(search->wanted); i++)
                if (process->pid == search->wanted[i]) {
                        search->found[i]++;
                        if (i == 1)
                                ck_assert_str_eq(process->comm, "x) y (z");
                        if (search->stop)
                                return search->stop;
                }
        return 0;
}

START_TEST(test_each) {
        Search search = { 0 };

        start_child("x) y (z");
        search.wanted[0] = getpid();
        search.wanted[1] = child;
        ck_assert_int_eq(procfs_each(visit, &search), 0);
        ck_assert_uint_eq(search.found[0], 1);
        ck_assert_uint_eq(search.found[1], 1);

        for (int stop = -7; stop <= 7; stop += 14) {
                search = (Search){ .wanted = { getpid(), child }, .stop = stop };
                ck_assert_int_eq(procfs_each(visit, &search), stop);
                ck_assert_uint_eq(search.found[0] + search.found[1], 1);
        }
        end_child();
}
END_TEST

/* More processes than fit into one piece of the directory. */
START_TEST(test_each_of_many) {
        pid_t children[300];
        Search search = { 0 };

        for (size_t i = 0; i < ELEMENTSOF(children); i++) {
                children[i] = fork();
                ck_assert_int_ge(children[i], 0);
                if (children[i] == 0)
                        for (;;)
                                pause();
        }
        search.wanted[0] = children[0];
        ck_assert_int_eq(procfs_each(visit, &search), 0);
        ck_assert_uint_eq(search.found[0], 1);
        ck_assert_uint_gt(search.visits, ELEMENTSOF(children));

        for (size_t i = 0; i < ELEMENTSOF(children); i++) {
                child = children[i];
                end_child();
        }
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sys/procfs");
        TCase *tcase = tcase_create("procfs");

        tcase_add_test(tcase, test_own_stat);
        tcase_add_test(tcase, test_pending);
        tcase_add_loop_test(tcase, test_names, 0, ELEMENTSOF(NAMES));
        tcase_add_test(tcase, test_zombie);
        tcase_add_test(tcase, test_gone);
        tcase_add_test(tcase, test_start_time);
        tcase_add_test(tcase, test_cgroup);
        tcase_add_test(tcase, test_program_and_moment);
        tcase_add_test(tcase, test_variables);
        tcase_add_loop_test(tcase, test_long_environment, 0, 16);
        tcase_add_test(tcase, test_each);
        tcase_add_test(tcase, test_each_of_many);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
