/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sys/intake: UNIX sockets that have a path, which is put aside and back. */

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "puppet.h"
#include "sockets.h"
#include "sys/intake.h"
#include "unit.h"

#define BACKLOG 10

static Intake *intake;
static IntakeSocket found;
static int listener;
static char *aside;

static void setup(void) {
        puppet_setup();
        ck_assert_int_eq(intake_new(puppet_loop, &intake), 0);
        aside = intake_aside(sockets_path);
        ck_assert_ptr_nonnull(aside);
}

static void teardown(void) {
        intake = intake_free(intake);
        (void) unlink(aside);
        free(aside);
        puppet_teardown();
}

static void find(const char *name) {
        const IntakeSocket *sockets;
        size_t count;

        found.inode = 0;
        ck_assert_int_eq(intake_find(intake, puppet_tree, &sockets, &count, NULL), 0);
        for (size_t i = 0; i < count; i++)
                if (strcmp(sockets[i].name, name) == 0)
                        found = sockets[i];
        ck_assert_uint_ne(found.inode, 0);
}

static void start_at(const char *path) {
        puppet_start(NULL, NULL);
        listener = puppet_do(PUPPET_LISTEN_UNIX, 0, BACKLOG, path);
        ck_assert_int_ge(listener, 0);
        find(path);
        ck_assert(!found.closed);
}

static void start(void) {
        start_at(sockets_path);
}

/* The directory of the test. */
static const char *directory(void) {
        static char path[64];

        snprintf(path, sizeof(path), "%.*s", (int) (strrchr(sockets_path, '/') - sockets_path),
                 sockets_path);
        return path;
}

static bool exists(const char *path) {
        struct stat st;

        return lstat(path, &st) == 0;
}

static int close_it(void) {
        return intake_close(intake, &found, INTAKE_REFUSE);
}

static void assert_connects(bool connects) {
        int fd = sockets_connect_unix(sockets_path);

        if (!connects)
                ck_assert_int_eq(errno, ENOENT);
        ck_assert_msg((fd >= 0) == connects, "connect: %s", strerror(errno));
        fd_close(fd);
}

static void make_file(const char *path) {
        int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        fd_close(fd);
}

START_TEST(test_aside_and_back) {
        int clients[BACKLOG];

        start();
        for (unsigned i = 0; i < BACKLOG; i++)
                ck_assert_int_ge(clients[i] = sockets_connect_unix(sockets_path), 0);
        ck_assert_int_eq(close_it(), 0);
        ck_assert_int_eq(close_it(), 0);
        assert_connects(false);
        ck_assert(exists(aside));
        find(sockets_path);
        ck_assert(found.closed);

        for (unsigned i = 0; i < BACKLOG; i++) {
                int accepted = puppet_do(PUPPET_ACCEPT, listener, 0, NULL);

                ck_assert_int_ge(accepted, 0);
                ck_assert_int_eq(puppet_do(PUPPET_WRITE, accepted, 1, NULL), 1);
                ck_assert_int_eq(recv(clients[i], (char[1]){ 0 }, 1, 0), 1);
                fd_close(clients[i]);
        }

        ck_assert_int_eq(intake_open(intake, &found), 0);
        ck_assert_int_eq(intake_open(intake, &found), 0);
        ck_assert(!exists(aside));
        assert_connects(true);
        find(sockets_path);
        ck_assert(!found.closed);
}
END_TEST

/* Where the daemon has bound by a name without a slash in front. */
START_TEST(test_relative) {
        const char *name = strrchr(sockets_path, '/') + 1;

        puppet_start(NULL, NULL);
        ck_assert_int_eq(puppet_do(PUPPET_CHANGE, 0, 0, directory()), 0);
        ck_assert_int_ge(puppet_do(PUPPET_LISTEN_RELATIVE, 0, BACKLOG, name), 0);
        find(name);
        ck_assert_int_eq(close_it(), 0);
        assert_connects(false);
        ck_assert_int_eq(intake_open(intake, &found), 0);
        assert_connects(true);

        /* From elsewhere the name leads to nothing, or to somebody else's file. */
        ck_assert_int_eq(puppet_do(PUPPET_CHANGE, 0, 0, "/"), 0);
        ck_assert_int_eq(close_it(), INTAKE_E_UNSUPPORTED);
        assert_connects(true);
}
END_TEST

/* In its own root, where the path is another one than for us. */
START_TEST(test_other_root) {
        puppet_start(NULL, NULL);
        ck_assert_int_eq(puppet_do(PUPPET_ROOT, 0, 0, directory()), 0);
        ck_assert_int_eq(puppet_do(PUPPET_CHANGE, 0, 0, "/"), 0);
        ck_assert_int_ge(puppet_do(PUPPET_LISTEN_UNIX, 0, BACKLOG, "/socket"), 0);
        find("/socket");
        ck_assert_int_eq(close_it(), 0);
        assert_connects(false);
        ck_assert(exists(aside));
        ck_assert_int_eq(intake_open(intake, &found), 0);
        assert_connects(true);
}
END_TEST

/* A link that leads out of its root leads it to somewhere else than us. */
START_TEST(test_link_in_other_root) {
        char path[96];

        puppet_start(NULL, NULL);
        snprintf(path, sizeof(path), "%s/sub", directory());
        ck_assert_int_eq(mkdir(path, 0700), 0);
        snprintf(path, sizeof(path), "%s/link", directory());
        ck_assert_int_eq(symlink("/sub", path), 0);
        ck_assert_int_eq(puppet_do(PUPPET_ROOT, 0, 0, directory()), 0);
        ck_assert_int_ge(puppet_do(PUPPET_LISTEN_UNIX, 0, BACKLOG, "/link/s"), 0);
        find("/link/s");
        ck_assert_int_eq(close_it(), 0);
        ck_assert_int_eq(unlink(path), 0);
        snprintf(path, sizeof(path), "%s/sub/s.supervisord-aside", directory());
        ck_assert_int_eq(unlink(path), 0);
        snprintf(path, sizeof(path), "%s/sub", directory());
        ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(test_other_mounts) {
        puppet_start(NULL, NULL);
        ck_assert_int_eq(puppet_do(PUPPET_HIDE, 0, 0, directory()), 0);
        ck_assert_int_ge(puppet_do(PUPPET_LISTEN_UNIX, 0, BACKLOG, sockets_path), 0);
        ck_assert(!exists(sockets_path));
        make_file(sockets_path);
        find(sockets_path);
        ck_assert_int_eq(close_it(), 0);
        ck_assert(exists(sockets_path));
        find(sockets_path);
        ck_assert(found.closed);
        ck_assert_int_eq(intake_open(intake, &found), 0);
        find(sockets_path);
        ck_assert(!found.closed);
}
END_TEST

static void make_socket(const char *path) {
        fd_close(sockets_bind_unix(path, SOCK_STREAM));
}

START_TEST(test_something_else_at_the_path) {
        struct stat before, after;

        start();
        ck_assert_int_eq(unlink(sockets_path), 0);
        ck_assert_int_eq(close_it(), INTAKE_E_UNSUPPORTED); /* who knows where it is */
        ck_assert_int_eq(intake_open(intake, &found), 0);
        if (_i == 0)
                make_file(sockets_path);
        else if (_i == 1)
                make_socket(sockets_path);
        else
                ck_assert_int_eq(symlink("/run", sockets_path), 0);
        ck_assert_int_eq(lstat(sockets_path, &before), 0);
        ck_assert_int_eq(close_it(), INTAKE_E_FOREIGN);
        ck_assert(!exists(aside));
        ck_assert_int_eq(intake_open(intake, &found), 0);
        ck_assert_int_eq(lstat(sockets_path, &after), 0);
        ck_assert_uint_eq(before.st_ino, after.st_ino);
}
END_TEST

START_TEST(test_path_taken_meanwhile) {
        start();
        ck_assert_int_eq(close_it(), 0);
        make_file(sockets_path);
        ck_assert_int_eq(intake_open(intake, &found), INTAKE_E_FOREIGN);
        ck_assert_int_eq(intake_restore(sockets_path), INTAKE_E_FOREIGN);
        ck_assert(exists(aside));
        ck_assert_int_eq(unlink(sockets_path), 0);
        ck_assert_int_eq(intake_open(intake, &found), 0);
        assert_connects(true);
}
END_TEST

/* A daemon ended while its socket was aside; the next one uses the same path. */
START_TEST(test_aside_left_by_the_dead) {
        make_socket(aside);
        start();
        ck_assert_int_eq(close_it(), 0);
        assert_connects(false);
        ck_assert_int_eq(intake_open(intake, &found), 0);
        assert_connects(true);
}
END_TEST

START_TEST(test_aside_of_the_living) {
        int other = sockets_bind_unix(aside, SOCK_STREAM);

        ck_assert_int_eq(listen(other, 1), 0);
        start(); /* the daemon inherits it */
        fd_close(other);
        ck_assert_int_eq(close_it(), INTAKE_E_FOREIGN);
        assert_connects(true);
}
END_TEST

START_TEST(test_restore) {
        ck_assert_int_eq(intake_restore(sockets_path), 0);
        ck_assert_int_eq(intake_restore("/nowhere/at/all"), 0);
        start();
        ck_assert_int_eq(intake_restore(sockets_path), 0);
        ck_assert_int_eq(close_it(), 0);
        ck_assert_int_eq(intake_restore(sockets_path), 0);
        assert_connects(true);
        ck_assert(!exists(aside));

        ck_assert_int_eq(close_it(), 0);
        ck_assert_int_eq(kill(puppet_pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(puppet_pid, NULL, 0), puppet_pid);
        ck_assert_int_eq(close_it(), INTAKE_E_GONE);
        ck_assert_int_eq(intake_open(intake, &found), INTAKE_E_GONE);
        ck_assert_int_eq(intake_restore(sockets_path), 0);
        ck_assert(!exists(sockets_path) && !exists(aside));
        make_file(aside);
        ck_assert_int_eq(intake_restore(sockets_path), INTAKE_E_FOREIGN);
        ck_assert(exists(aside));
}
END_TEST

static bool may_change_root(void) {
        int status = 0;
        pid_t pid = fork();

        if (pid == 0)
                _exit(unshare(CLONE_NEWNS) == 0 && chroot("/") == 0 ? 0 : 1);
        return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* The valgrind of Debian 12 does not know it. */
static bool may_resolve(void) {
        struct open_how how = { .flags = O_PATH | O_CLOEXEC };
        long fd = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));

        fd_close((int) fd);
        return fd >= 0;
}

static Suite *make_suite(void) {
        Suite *suite = suite_create("intake_path");
        TCase *tcase;

        if (!may_resolve()) {
                unit_add_skipped(suite, "path", "no openat2(2)");
                return suite;
        }
        tcase = tcase_create("path");
        suite_add_tcase(suite, tcase);
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_aside_and_back);
        tcase_add_test(tcase, test_relative);
        tcase_add_loop_test(tcase, test_something_else_at_the_path, 0, 3);
        tcase_add_test(tcase, test_path_taken_meanwhile);
        tcase_add_test(tcase, test_aside_left_by_the_dead);
        tcase_add_test(tcase, test_aside_of_the_living);
        tcase_add_test(tcase, test_restore);
        if (!may_change_root()) {
                unit_add_skipped(suite, "roots", "the root directory cannot be changed here");
                return suite;
        }
        tcase_add_test(tcase, test_other_root);
        tcase_add_test(tcase, test_link_in_other_root);
        tcase_add_test(tcase, test_other_mounts);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
