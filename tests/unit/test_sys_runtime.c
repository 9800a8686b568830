/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/runtime: one supervisor at a time, what a dead one left behind, and nothing left by us.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "sys/runtime.h"
#include "unit.h"

#define CONTENDERS 4
#define ROUNDS     1000

static char base[32];
static char path[64];
static char lock[80];

static void setup(void) {
        (void) strcpy(base, "/tmp/test-runtime-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(base));
        (void) snprintf(path, sizeof(path), "%s/run", base);
        (void) snprintf(lock, sizeof(lock), "%s/lock", path);
}

static void teardown(void) {
        ck_assert_int_eq(rmdir(base), 0);
}

static RuntimeDirectory *opened(void) {
        RuntimeDirectory *directory = NULL;
        pid_t holder = 7;

        ck_assert_int_eq(runtime_directory_open(path, &directory, &holder), 0);
        ck_assert_ptr_nonnull(directory);
        ck_assert_str_eq(runtime_directory_path(directory), path);
        return directory;
}

static void assert_locked_by(pid_t wanted) {
        RuntimeDirectory *directory = NULL;
        pid_t holder = -1;

        ck_assert_int_eq(runtime_directory_open(path, &directory, &holder), RUNTIME_E_LOCKED);
        ck_assert_ptr_null(directory);
        ck_assert_int_eq(holder, wanted);
}

static void assert_lock_text(const char *wanted) {
        CLEANUP(fd_closep) int fd = open(lock, O_RDONLY | O_CLOEXEC);
        char text[64] = "";

        ck_assert_int_ge(read(fd, text, sizeof(text) - 1), 0);
        ck_assert_str_eq(text, wanted);
}

static void make_file(const char *file, const char *text) {
        CLEANUP(fd_closep) int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
}

START_TEST(test_made_and_removed) {
        RuntimeDirectory *directory;
        struct stat status;
        char text[32];

        (void) umask(022);
        directory = opened();
        ck_assert_int_eq(stat(path, &status), 0);
        ck_assert_uint_eq(status.st_mode, S_IFDIR | 0755);
        (void) snprintf(text, sizeof(text), "%d\n", getpid());
        assert_lock_text(text);

        ck_assert_ptr_null(runtime_directory_close(directory));
        ck_assert_int_eq(access(path, F_OK), -1);
        ck_assert_ptr_null(runtime_directory_close(NULL));
}
END_TEST

START_TEST(test_existing_one_stays) {
        ck_assert_int_eq(mkdir(path, 0700), 0);
        runtime_directory_close(opened());
        ck_assert_int_eq(access(lock, F_OK), -1);
        ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(test_parents_are_made) {
        char deep[128];
        RuntimeDirectory *directory;
        pid_t holder;

        (void) snprintf(deep, sizeof(deep), "%s/a/b", path);
        ck_assert_int_eq(runtime_directory_open(deep, &directory, &holder), 0);
        runtime_directory_close(directory);
        ck_assert_int_eq(access(deep, F_OK), -1);

        (void) snprintf(deep, sizeof(deep), "%s/a", path);
        ck_assert_int_eq(rmdir(deep), 0);
        ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(test_second_one) {
        RuntimeDirectory *directory = opened();

        assert_locked_by(getpid());
        assert_locked_by(getpid());
        runtime_directory_close(directory);
        runtime_directory_close(opened());
}
END_TEST

/* In a process of its own, which tells by a byte that it has the lock. */
static pid_t fork_holder(void) {
        int fds[2];
        pid_t pid;
        char byte;

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                (void) opened();
                (void) !write(fds[1], "x", 1);
                for (;;)
                        pause();
        }
        ck_assert_int_eq(read(fds[0], &byte, 1), 1);
        fd_close(fds[0]);
        fd_close(fds[1]);
        return pid;
}

START_TEST(test_killed_one) {
        pid_t pid = fork_holder();
        RuntimeDirectory *directory;
        char text[32];

        assert_locked_by(pid);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);

        /* Its file is still there; its lock is not. */
        ck_assert_int_eq(access(lock, F_OK), 0);
        directory = opened();
        (void) snprintf(text, sizeof(text), "%d\n", getpid());
        assert_lock_text(text);
        runtime_directory_close(directory);
        ck_assert_int_eq(access(lock, F_OK), -1);
        ck_assert_int_eq(rmdir(path), 0); /* it was there before us */
}
END_TEST

/* Daemons that live on must not keep the lock. */
START_TEST(test_lock_is_not_inherited) {
        RuntimeDirectory *directory = opened();
        int status = -1;
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                execl("/bin/sh", "sh", "-c",
                      "ls -l /proc/self/fd | grep -q /lock && exit 1; exit 0", NULL);
                _exit(2);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        runtime_directory_close(directory);
}
END_TEST

static const char *const OLD_LOCKS[] = {
        "",        "garbage",
        "-5\n",    "99999999999999999999\n",
        "1 2 3\n", "4194303\nwith more text in it than any pid has\n"
};

START_TEST(test_old_lock) {
        RuntimeDirectory *directory;
        char text[32];

        ck_assert_int_eq(mkdir(path, 0755), 0);
        make_file(lock, OLD_LOCKS[_i]);
        directory = opened();
        (void) snprintf(text, sizeof(text), "%d\n", getpid());
        assert_lock_text(text);
        runtime_directory_close(directory);
        ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(test_holder_is_not_known) {
        RuntimeDirectory *directory = opened();

        ck_assert_int_eq(truncate(lock, 0), 0);
        assert_locked_by(0);
        runtime_directory_close(directory);
}
END_TEST

START_TEST(test_subdirectory_and_strangers) {
        RuntimeDirectory *directory = opened();
        char notify[80], stranger[80];

        (void) snprintf(notify, sizeof(notify), "%s/notify", path);
        (void) snprintf(stranger, sizeof(stranger), "%s/stranger", path);
        ck_assert_int_eq(directory_make(notify, 0755), 0);
        make_file(stranger, "x");
        runtime_directory_close(directory);

        ck_assert_int_eq(access(notify, F_OK), -1);
        ck_assert_int_eq(access(lock, F_OK), -1);
        ck_assert_int_eq(unlink(stranger), 0);
        ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(test_in_the_way) {
        RuntimeDirectory *directory = NULL;
        pid_t holder = 7;

        make_file(path, "a file");
        ck_assert_int_eq(runtime_directory_open(path, &directory, &holder), -ENOTDIR);
        ck_assert_int_eq(unlink(path), 0);

        ck_assert_int_eq(mkdir(path, 0755), 0);
        ck_assert_int_eq(symlink("/etc/passwd", lock), 0);
        ck_assert_int_eq(runtime_directory_open(path, &directory, &holder), -ELOOP);
        ck_assert_int_eq(unlink(lock), 0);

        ck_assert_int_eq(mkdir(lock, 0755), 0);
        ck_assert_int_eq(runtime_directory_open(path, &directory, &holder), -EISDIR);
        ck_assert_int_eq(rmdir(lock), 0);
        ck_assert_int_eq(rmdir(path), 0);
        ck_assert_ptr_null(directory);
}
END_TEST

static void come_and_go(const char *witness) {
        for (int i = 0; i < ROUNDS; i++) {
                RuntimeDirectory *directory;
                pid_t holder;
                int r = runtime_directory_open(path, &directory, &holder);

                ck_assert_msg(r == 0 || r == RUNTIME_E_LOCKED, "%s", strerror(-r));
                if (r != 0)
                        continue;
                make_file(witness, "");
                ck_assert_int_eq(unlink(witness), 0);
                runtime_directory_close(directory);
        }
}

/* Several who come and go all the time: never do two of them have it. */
START_TEST(test_contention) {
        char witness[80];
        pid_t pids[CONTENDERS];
        int status;

        (void) snprintf(witness, sizeof(witness), "%s/witness", base);
        for (size_t i = 0; i < ELEMENTSOF(pids); i++) {
                pids[i] = fork();
                ck_assert_int_ge(pids[i], 0);
                if (pids[i] == 0) {
                        come_and_go(witness);
                        _exit(0);
                }
        }
        for (size_t i = 0; i < ELEMENTSOF(pids); i++) {
                ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
                ck_assert_int_eq(status, 0);
        }
        (void) rmdir(path); /* it stays if the last one did not make it */
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sys/runtime");
        TCase *tcase = tcase_create("runtime");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_made_and_removed);
        tcase_add_test(tcase, test_existing_one_stays);
        tcase_add_test(tcase, test_parents_are_made);
        tcase_add_test(tcase, test_second_one);
        tcase_add_test(tcase, test_killed_one);
        tcase_add_test(tcase, test_lock_is_not_inherited);
        tcase_add_loop_test(tcase, test_old_lock, 0, ELEMENTSOF(OLD_LOCKS));
        tcase_add_test(tcase, test_holder_is_not_known);
        tcase_add_test(tcase, test_subdirectory_and_strangers);
        tcase_add_test(tcase, test_in_the_way);
        tcase_add_test(tcase, test_contention);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
