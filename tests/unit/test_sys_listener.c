/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/listener: the socket's path in all the states it can be found in, its mode, and who connects.
 */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "sys/listener.h"
#include "unit.h"

static char directory[32];
static char path[64];

static void setup(void) {
        (void) strcpy(directory, "/tmp/test-listener-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        ck_assert_int_eq(chmod(directory, 0755), 0);
        (void) snprintf(path, sizeof(path), "%s/socket", directory);
}

static void teardown(void) {
        ck_assert_int_eq(access(path, F_OK), -1);
        ck_assert_int_eq(rmdir(directory), 0);
}

static Listener *opened(void) {
        Listener *listener = NULL;

        ck_assert_int_eq(listener_open(path, &listener), 0);
        ck_assert_ptr_nonnull(listener);
        return listener;
}

static void expect_refused(int outcome) {
        Listener *listener = NULL;

        ck_assert_int_eq(listener_open(path, &listener), outcome);
        ck_assert_ptr_null(listener);
}

static int connected(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) strcpy(address.sun_path, path);
        if (connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return fd_close(fd);
        return fd;
}

static mode_t mode_of(void) {
        struct stat st;

        ck_assert_int_eq(lstat(path, &st), 0);
        ck_assert(S_ISSOCK(st.st_mode));
        return st.st_mode & 07777;
}

START_TEST(test_open_and_close) {
        Listener *listener = opened();

        ck_assert_uint_eq(mode_of(), 0600);
        ck_assert_int_eq(fcntl(listener_fd(listener), F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(listener_permit(listener, (gid_t) -1, 0660), 0);
        ck_assert_uint_eq(mode_of(), 0660);
        ck_assert_ptr_null(listener_close(listener));
        ck_assert_ptr_null(listener_close(NULL));
}
END_TEST

START_TEST(test_in_use) {
        Listener *listener = opened();

        expect_refused(LISTENER_E_IN_USE);
        ck_assert_uint_eq(mode_of(), 0600); /* and it still works */
        int fd = connected();
        ck_assert_int_ge(fd, 0);
        fd_close(fd);
        listener_close(listener);
}
END_TEST

/* A socket that a dead supervisor left behind is replaced. */
START_TEST(test_left_behind) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);

        (void) strcpy(address.sun_path, path);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        ck_assert_int_eq(listen(fd, 1), 0);
        close(fd);
        ck_assert_uint_ne(mode_of(), 0);
        listener_close(opened());
}
END_TEST

START_TEST(test_no_socket) {
        int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

        close(fd);
        expect_refused(LISTENER_E_NO_SOCKET);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(symlink("/tmp", path), 0);
        expect_refused(LISTENER_E_NO_SOCKET);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_eq(mkdir(path, 0700), 0);
        expect_refused(LISTENER_E_NO_SOCKET);
        ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(test_bad_paths) {
        char text[200];
        Listener *listener = NULL;

        memset(text, 'a', sizeof(text));
        text[0] = '/';
        text[108] = '\0';
        ck_assert_int_eq(listener_open(text, &listener), -ENAMETOOLONG);
        ck_assert_int_eq(listener_open("/nonexistent/socket", &listener), -ENOENT);
        ck_assert_ptr_null(listener);
}
END_TEST

/* What somebody else put there in the meantime stays. */
START_TEST(test_close_leaves_others) {
        Listener *listener = opened();

        ck_assert_int_eq(unlink(path), 0);
        Listener *other = opened();
        listener_close(listener);
        ck_assert_uint_eq(mode_of(), 0600);
        listener_close(other);
}
END_TEST

START_TEST(test_accept) {
        Listener *listener = opened();
        Peer peer = { .fd = -1 };

        ck_assert_int_eq(listener_accept(listener, &peer), 0);
        int fd = connected();
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(listener_accept(listener, &peer), 1);
        ck_assert_int_eq(peer.pid, getpid());
        ck_assert_uint_eq(peer.uid, geteuid());
        ck_assert_uint_eq(peer.gid, getegid());
        ck_assert_int_eq(fcntl(peer.fd, F_GETFD), FD_CLOEXEC);
        ck_assert_int_ne(fcntl(peer.fd, F_GETFL) & O_NONBLOCK, 0);
        ck_assert_int_eq((int) peer.group_count, getgroups(0, NULL));

        int accepted = peer.fd;
        peer_clear(&peer);
        ck_assert_int_eq(peer.fd, -1);
        ck_assert_int_eq(fcntl(accepted, F_GETFD), -1);
        fd_close(fd);
        ck_assert_int_eq(listener_accept(listener, &peer), 0);
        listener_close(listener);
}
END_TEST

/* More groups than there is room for at first, as another user. */
START_TEST(test_groups) {
        /* in memory, not in a register, where valgrind misses it in the child */
        static Listener *volatile listener;
        Peer peer = { .fd = -1 };
        int status;

        listener = opened();
        ck_assert_int_eq(listener_permit(listener, 4242, 0660), 0);
        pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                gid_t groups[100];

                for (size_t i = 0; i < ELEMENTSOF(groups); i++)
                        groups[i] = (gid_t) (4200 + i);
                _exit(setgroups(ELEMENTSOF(groups), groups) < 0 || setgid(4100) < 0 ||
                      setuid(65534) < 0 || connected() < 0);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        ck_assert_int_eq(listener_accept(listener, &peer), 1);
        ck_assert_int_eq(peer.pid, pid);
        ck_assert_uint_eq(peer.uid, 65534);
        ck_assert_uint_eq(peer.gid, 4100);
        ck_assert_uint_eq(peer.group_count, 100);
        ck_assert_uint_eq(peer.groups[0], 4200);
        ck_assert_uint_eq(peer.groups[99], 4299);
        peer_clear(&peer);
        listener_close(listener);
}
END_TEST

START_TEST(test_peek) {
        char buffer[4] = "";
        size_t size = 4711;
        int fds[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        ck_assert_int_eq(peer_peek(fds[0], buffer, sizeof(buffer), &size), PEER_E_NOTHING);
        ck_assert_uint_eq(size, 4711);
        ck_assert_int_eq(write(fds[1], "abcdef", 6), 6);
        for (int i = 0; i < 2; i++) {
                ck_assert_int_eq(peer_peek(fds[0], buffer, sizeof(buffer), &size), 0);
                ck_assert_uint_eq(size, 4);
                ck_assert_int_eq(memcmp(buffer, "abcd", 4), 0);
        }
        close(fds[1]);
        ck_assert_int_eq(peer_peek(fds[0], buffer, sizeof(buffer), &size), 0);
        ck_assert_int_eq(read(fds[0], buffer, sizeof(buffer)), 4);
        ck_assert_int_eq(read(fds[0], buffer, sizeof(buffer)), 2);
        ck_assert_int_eq(peer_peek(fds[0], buffer, sizeof(buffer), &size), PEER_E_END);
        close(fds[0]);
        ck_assert_int_eq(peer_peek(fds[0], buffer, sizeof(buffer), &size), -EBADF);
}
END_TEST

/* A socket that nobody reads takes about as much as it may. */
START_TEST(test_limit_queue) {
        static char data[1024];
        size_t sent = 0;
        int fds[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
                         0);
        ck_assert_int_eq(peer_limit_queue(fds[0], 64u << 10), 0);
        while (sent < (8u << 20) && write(fds[0], data, sizeof(data)) > 0)
                sent += sizeof(data);
        ck_assert_uint_ge(sent, 16u << 10);
        ck_assert_uint_le(sent, 128u << 10);
        close(fds[0]);
        close(fds[1]);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sys/listener");
        TCase *cases = tcase_create("listener");

        tcase_add_checked_fixture(cases, setup, teardown);
        tcase_add_test(cases, test_open_and_close);
        tcase_add_test(cases, test_in_use);
        tcase_add_test(cases, test_left_behind);
        tcase_add_test(cases, test_no_socket);
        tcase_add_test(cases, test_bad_paths);
        tcase_add_test(cases, test_close_leaves_others);
        tcase_add_test(cases, test_accept);
        tcase_add_test(cases, test_peek);
        tcase_add_test(cases, test_limit_queue);
        if (geteuid() == 0)
                tcase_add_test(cases, test_groups);
        suite_add_tcase(suite, cases);
        if (geteuid() != 0)
                unit_add_skipped(suite, "groups", "only root can change its groups");
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
