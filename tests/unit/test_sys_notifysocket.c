/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/notifysocket: who sent what, senders that flood, lie or pass descriptors, and the path of the
 * socket from its making to its end.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "sys/notifysocket.h"
#include "unit.h"

#define NOBODY  65534
#define FAILURE (-ENOTRECOVERABLE)
#define FDS_MAX 253

static char directory[32];
static char path[64];
static Loop *loop;
static NotifySocket *notify_socket;

/* What the handler saw, and what it does. */
static struct {
        unsigned times;
        unsigned enough;  /* it ends the loop then */
        unsigned free_at; /* it frees the socket then */
        int result;
        pid_t sender;
        int outcome;
        NotifyMessage message;
} seen;

static int on_notify(void *userdata, pid_t sender, int outcome, const NotifyMessage *message) {
        ck_assert_ptr_eq(userdata, &seen);
        ck_assert((outcome == 0) == (message != NULL));
        seen.times++;
        seen.sender = sender;
        seen.outcome = outcome;
        if (message)
                seen.message = *message;
        if (seen.times == seen.free_at)
                notify_socket = notify_socket_free(notify_socket);
        if (seen.times == seen.enough)
                return loop_exit(loop, 0);
        return seen.result;
}

static void make_socket(uid_t uid) {
        ck_assert_int_eq(notify_socket_new(loop, path, uid, on_notify, &seen, &notify_socket), 0);
}

static void setup(void) {
        memset(&seen, 0, sizeof(seen));
        seen.enough = 1;
        (void) strcpy(directory, "/tmp/test-notify-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        ck_assert_int_eq(chmod(directory, 0755), 0);
        (void) snprintf(path, sizeof(path), "%s/socket", directory);
        ck_assert_int_eq(loop_new(&loop), 0);
        make_socket(geteuid());
}

static void teardown(void) {
        notify_socket = notify_socket_free(notify_socket);
        loop = loop_free(loop);
        ck_assert_int_eq(access(path, F_OK), -1);
        ck_assert_int_eq(rmdir(directory), 0);
}

/* A sender's socket, connected; -1 if it may not. */
static int connect_sender(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        (void) strcpy(address.sun_path, path);
        if (connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return fd_close(fd);
        return fd;
}

static void send_bytes(const void *data, size_t size) {
        CLEANUP(fd_closep) int fd = connect_sender();

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(send(fd, data, size, 0), (ssize_t) size);
}

static void send_text(const char *text) {
        send_bytes(text, strlen(text));
}

static unsigned count_descriptors(void) {
        unsigned count = 0;

        for (int fd = 0; fd < 1024; fd++)
                if (fcntl(fd, F_GETFD) >= 0)
                        count++;
        return count;
}

START_TEST(test_message) {
        send_text("READY=1\nSTATUS=up\nMAINPID=4711");
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_uint_eq(seen.times, 1);
        ck_assert_int_eq(seen.outcome, 0);
        ck_assert_int_eq(seen.sender, getpid());
        ck_assert(seen.message.ready);
        ck_assert_str_eq(seen.message.status, "up");
        ck_assert_int_eq(seen.message.main_pid, 4711);
}
END_TEST

/* The kernel says who it was, though he is gone by now. */
START_TEST(test_sender) {
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                send_text("READY=1");
                _exit(0);
        }
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_int_eq(seen.sender, pid);
}
END_TEST

START_TEST(test_bad_messages) {
        static char long_text[NOTIFY_DATAGRAM_MAX + 1];

        send_text("nonsense");
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_int_eq(seen.outcome, NOTIFY_E_MALFORMED);
        ck_assert_int_eq(seen.sender, getpid());

        teardown();
        setup();
        send_bytes("", 0);
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_int_eq(seen.outcome, NOTIFY_E_EMPTY);

        teardown();
        setup();
        memset(long_text, 'x', sizeof(long_text));
        memcpy(long_text, "X=", 2);
        send_bytes(long_text, sizeof(long_text));
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_int_eq(seen.outcome, NOTIFY_E_TOO_LONG);
        ck_assert_int_eq(seen.sender, getpid());

        teardown();
        setup();
        send_bytes(long_text, NOTIFY_DATAGRAM_MAX);
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_int_eq(seen.outcome, 0);
}
END_TEST

/* A daemon that would fill our table of descriptors. */
START_TEST(test_descriptors_are_closed) {
        static char control[CMSG_SPACE(FDS_MAX * sizeof(int))];
        struct iovec part = { .iov_base = (char *) "READY=1", .iov_len = 7 };
        struct msghdr header = { .msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof(control) };
        struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
        CLEANUP(fd_closep) int fd = connect_sender();
        unsigned before = count_descriptors();

        ck_assert_int_ge(fd, 0);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(FDS_MAX * sizeof(int));
        for (int i = 0; i < FDS_MAX; i++)
                memcpy(CMSG_DATA(rights) + (size_t) i * sizeof(int), &fd, sizeof(int));
        ck_assert_int_eq(sendmsg(fd, &header, 0), 7);

        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_int_eq(seen.outcome, 0);
        ck_assert_int_eq(seen.sender, getpid());
        ck_assert_uint_eq(count_descriptors(), before);
}
END_TEST

START_TEST(test_several_in_order) {
        seen.enough = 3;
        send_text("STATUS=one");
        send_text("STATUS=two");
        send_text("STATUS=three");
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_uint_eq(seen.times, 3);
        ck_assert_str_eq(seen.message.status, "three");
}
END_TEST

/* Without its turn. */
START_TEST(test_hear) {
        ck_assert_int_eq(notify_socket_hear(notify_socket), 0);
        ck_assert_uint_eq(seen.times, 0);
        seen.enough = 0;
        send_text("STATUS=one");
        send_text("STATUS=two");
        ck_assert_int_eq(notify_socket_hear(notify_socket), 0);
        ck_assert_uint_eq(seen.times, 2);
        ck_assert_str_eq(seen.message.status, "two");

        seen.result = FAILURE;
        send_text("READY=1");
        ck_assert_int_eq(notify_socket_hear(notify_socket), FAILURE);
        seen.result = 0;
        seen.free_at = 4;
        send_text("READY=1");
        send_text("READY=1");
        ck_assert_int_eq(notify_socket_hear(notify_socket), 0);
        ck_assert_uint_eq(seen.times, 4);
        ck_assert_ptr_null(notify_socket);
}
END_TEST

START_TEST(test_handler_frees) {
        seen.free_at = seen.enough = 2;
        for (int i = 0; i < 5; i++)
                send_text("READY=1");
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert_uint_eq(seen.times, 2);
        ck_assert_ptr_null(notify_socket);
        ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(test_failure_of_the_handler) {
        seen.enough = 0;
        seen.result = FAILURE;
        send_text("READY=1");
        send_text("READY=1");
        ck_assert_int_eq(loop_run(loop), FAILURE);
        ck_assert_uint_eq(seen.times, 1);
}
END_TEST

static int settle(void *userdata) {
        (void) userdata;
        return loop_exit(loop, 5);
}

static int on_flood(void *userdata, pid_t sender, int outcome, const NotifyMessage *message) {
        (void) sender;
        (void) message;
        ck_assert_int_eq(outcome, 0);
        seen.times++;
        send_text("STATUS=talk");
        return loop_defer_arm(*(LoopSource **) userdata);
}

/* There is always one more message, and still the others have their turn. */
START_TEST(test_flood) {
        LoopSource *source;

        ck_assert_int_eq(loop_add_defer(loop, &source, LOOP_SETTLE, "settle", settle, NULL), 0);
        notify_socket = notify_socket_free(notify_socket);
        ck_assert_int_eq(
                notify_socket_new(loop, path, geteuid(), on_flood, &source, &notify_socket), 0);
        send_text("STATUS=talk");
        ck_assert_int_eq(loop_run(loop), 5);
        ck_assert_uint_gt(seen.times, 1);
        loop_source_free(source);
}
END_TEST

START_TEST(test_replaces_an_old_one) {
        int old = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        notify_socket = notify_socket_free(notify_socket);
        (void) strcpy(address.sun_path, path);
        ck_assert_int_eq(bind(old, (struct sockaddr *) &address, sizeof(address)), 0);

        make_socket(geteuid());
        send_text("READY=1");
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert(seen.message.ready);
        fd_close(old);
}
END_TEST

/* The successor is there before the predecessor goes. */
START_TEST(test_successor_keeps_its_path) {
        NotifySocket *predecessor = notify_socket;

        make_socket(geteuid());
        notify_socket_free(predecessor);
        send_text("READY=1");
        ck_assert_int_eq(loop_run(loop), 0);
        ck_assert(seen.message.ready);
}
END_TEST

START_TEST(test_path_is_gone_already) {
        ck_assert_int_eq(unlink(path), 0);
        notify_socket = notify_socket_free(notify_socket);
        ck_assert_ptr_null(notify_socket_free(NULL));
}
END_TEST

START_TEST(test_bad_paths) {
        char text[256];
        NotifySocket *none = NULL;

        memset(text, 'x', sizeof(text));
        text[0] = '/';
        text[108] = '\0';
        ck_assert_int_eq(notify_socket_new(loop, text, 0, on_notify, &seen, &none), -ENAMETOOLONG);
        ck_assert_int_eq(notify_socket_new(loop, "/nonexistent/x", 0, on_notify, &seen, &none),
                         -ENOENT);
        ck_assert_int_eq(notify_socket_new(loop, directory, 0, on_notify, &seen, &none), -EISDIR);
        ck_assert_ptr_null(none);
}
END_TEST

START_TEST(test_longest_path) {
        char text[108];
        NotifySocket *longest = NULL;
        int length = snprintf(text, sizeof(text), "%s/", directory);

        memset(text + length, 'x', sizeof(text) - (size_t) length);
        text[107] = '\0';
        ck_assert_int_eq(notify_socket_new(loop, text, geteuid(), on_notify, &seen, &longest), 0);
        ck_assert_int_eq(access(text, F_OK), 0);
        longest = notify_socket_free(longest);
        ck_assert_int_eq(access(text, F_OK), -1);
}
END_TEST

static bool may_send(uid_t uid) {
        pid_t pid = fork();
        int status = -1;

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                if (setresuid(uid, uid, uid) < 0)
                        _exit(2);
                _exit(connect_sender() >= 0 ? 0 : 1);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        return WEXITSTATUS(status) == 0;
}

START_TEST(test_mode) {
        struct stat status;

        notify_socket = notify_socket_free(notify_socket);
        (void) umask(_i == 0 ? 0 : 0777);
        make_socket(NOBODY);
        ck_assert_int_eq(stat(path, &status), 0);
        ck_assert_uint_eq(status.st_mode, S_IFSOCK | 0600);
        ck_assert_uint_eq(status.st_uid, NOBODY);
        ck_assert(may_send(NOBODY));
        ck_assert(may_send(0));
        ck_assert(!may_send(NOBODY - 1));

        notify_socket = notify_socket_free(notify_socket);
        make_socket(0);
        ck_assert_int_eq(stat(path, &status), 0);
        ck_assert_uint_eq(status.st_mode, S_IFSOCK | 0666);
        ck_assert_uint_eq(status.st_uid, 0);
        ck_assert(may_send(NOBODY));
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sys/notifysocket");
        TCase *tcase = tcase_create("notifysocket");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_message);
        tcase_add_test(tcase, test_sender);
        tcase_add_test(tcase, test_bad_messages);
        tcase_add_test(tcase, test_descriptors_are_closed);
        tcase_add_test(tcase, test_several_in_order);
        tcase_add_test(tcase, test_hear);
        tcase_add_test(tcase, test_handler_frees);
        tcase_add_test(tcase, test_failure_of_the_handler);
        tcase_add_test(tcase, test_flood);
        tcase_add_test(tcase, test_replaces_an_old_one);
        tcase_add_test(tcase, test_successor_keeps_its_path);
        tcase_add_test(tcase, test_path_is_gone_already);
        tcase_add_test(tcase, test_bad_paths);
        tcase_add_test(tcase, test_longest_path);
        suite_add_tcase(suite, tcase);
        if (geteuid() == 0)
                tcase_add_loop_test(tcase, test_mode, 0, 2);
        else
                unit_add_skipped(suite, "mode", "giving a socket away takes root");
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
