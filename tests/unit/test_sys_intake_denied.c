/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/intake without privileges: each test gives up some, in its own process, and sees that what
 * remains works and that the rest says so and harms nobody.
 */

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "puppet.h"
#include "sockets.h"
#include "spawning.h"
#include "sys/intake.h"
#include "unit.h"

#define NOBODY SPAWNING_NOBODY
#define SOMEBODY (NOBODY - 1)

static Intake *intake;
static IntakeSocket found;
static size_t found_count, denied;
static int listener;
static uint16_t port;

static void setup(void) {
        puppet_setup();
        intake = NULL;
}

/* To whom belongs what was started before. */
static void teardown(void) {
        ck_assert_int_eq(setresuid(0, 0, 0), 0);
        ck_assert_int_eq(setresgid(0, 0, 0), 0);
        intake = intake_free(intake);
        puppet_teardown();
}

static void find(void) {
        const IntakeSocket *sockets;

        ck_assert_int_eq(intake_find(intake, puppet_tree, &sockets, &found_count, &denied), 0);
        if (found_count > 0)
                found = sockets[0];
}

static void start(void) {
        puppet_start(NULL, NULL);
        listener = puppet_do(PUPPET_LISTEN, AF_INET, 1, NULL);
        port = (uint16_t) puppet_do(PUPPET_PORT, listener, 0, NULL);
}

/* Only the way back is left open. */
static void become_nobody(void) {
        ck_assert_int_eq(setresgid(NOBODY, NOBODY, 0), 0);
        ck_assert_int_eq(setresuid(NOBODY, NOBODY, 0), 0);
        ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
        ck_assert_int_eq(intake_new(puppet_loop, &intake), 0);
}

/* What Docker leaves to root in a container. */
static void keep_capabilities_of_docker(void) {
        static const int kept[] = {
                CAP_CHOWN,  CAP_DAC_OVERRIDE,     CAP_FSETID,  CAP_FOWNER,     CAP_MKNOD,
                CAP_NET_RAW, CAP_SETGID,          CAP_SETUID,  CAP_SETFCAP,    CAP_SETPCAP,
                CAP_KILL,   CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_AUDIT_WRITE,
        };
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = { 0 };

        for (size_t i = 0; i < ELEMENTSOF(kept); i++)
                data[CAP_TO_INDEX(kept[i])].permitted |= CAP_TO_MASK(kept[i]);
        for (size_t i = 0; i < ELEMENTSOF(data); i++)
                data[i].effective = data[i].permitted;
        ck_assert_int_eq(syscall(SYS_capset, &header, data), 0);
        ck_assert_int_eq(intake_new(puppet_loop, &intake), 0);
}

static bool is_refused(void) {
        int fd = sockets_connect(AF_INET, port);
        bool refused = fd < 0 && errno == ECONNREFUSED;

        fd_close(fd);
        return refused;
}

static void keep_nothing(void *userdata, const IntakeQueue *queue) {
        (void) userdata;
        (void) queue;
}

static IntakeConnection last;

static void keep_last(void *userdata, const IntakeConnection *connection) {
        (void) userdata;
        last = *connection;
}

static int measure(void) {
        IntakeVisitor visitor = { keep_nothing, keep_last, NULL };

        return intake_measure(intake, &found, 1, &visitor, NULL);
}

static int ignore(void *userdata) {
        (void) userdata;
        return 0;
}

static void assert_measures(void) {
        int client = sockets_connect(AF_INET, port);
        int fd = puppet_do(PUPPET_ACCEPT, listener, 0, NULL);

        last = (IntakeConnection){ 0 };
        ck_assert_int_eq(measure(), 0);
        ck_assert(last.has_times);
        ck_assert_uint_gt(last.inode, 0);
        ck_assert_int_eq(intake_watch(intake, ignore, NULL), 0);
        ck_assert_int_eq(intake_watch(intake, NULL, NULL), 0);
        ck_assert_int_eq(puppet_do(PUPPET_CLOSE, fd, 0, NULL), 0);
        fd_close(client);
}

/* ---- in a container ---- */

START_TEST(test_container) {
        keep_capabilities_of_docker();
        start();
        find();
        ck_assert_uint_eq(found_count, 1);
        ck_assert_uint_eq(denied, 0);
        assert_measures();
        ck_assert_int_eq(intake_close(intake, &found, INTAKE_HOLD), INTAKE_E_DENIED);
        ck_assert(!is_refused());
        ck_assert_int_eq(intake_close(intake, &found, INTAKE_REFUSE), 0);
        ck_assert(is_refused());
        find();
        ck_assert(found.closed);
        ck_assert(intake_can_reopen(intake));
        ck_assert_int_eq(intake_open(intake, &found), 0);
        ck_assert(!is_refused());
}
END_TEST

static uint16_t prepare_worker(const void *userdata) {
        int changed[2];

        (void) userdata;
        ck_assert_int_eq(pipe(changed), 0);
        sockets_listen_tcp(AF_INET, &port);
        if (puppet_fork() == 0) {
                ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
                ck_assert_int_eq(write(changed[1], "", 1), 1);
                puppet_wait();
        }
        ck_assert_int_eq(read(changed[0], (char[1]){ 0 }, 1), 1);
        return port;
}

/* A worker of another user may not be looked into, its master may. */
START_TEST(test_container_with_worker) {
        keep_capabilities_of_docker();
        port = puppet_start(prepare_worker, NULL);
        find();
        ck_assert_uint_eq(found_count, 1);
        ck_assert_uint_eq(denied, 1);
        ck_assert_int_eq(intake_close(intake, &found, INTAKE_REFUSE), 0);
        ck_assert(is_refused());
}
END_TEST

/* A daemon with more capabilities than we have: started before ours were cut. */
START_TEST(test_container_with_stronger_daemon) {
        start();
        ck_assert_int_eq(intake_new(puppet_loop, &intake), 0);
        find();
        ck_assert_uint_eq(found_count, 1);
        intake = intake_free(intake);
        keep_capabilities_of_docker();
        ck_assert_int_eq(intake_close(intake, &found, INTAKE_REFUSE), INTAKE_E_DENIED);
        ck_assert_int_eq(intake_open(intake, &found), INTAKE_E_DENIED);
        ck_assert(!is_refused());
        find();
        ck_assert_uint_eq(found_count, 0);
        ck_assert_uint_eq(denied, 1);
}
END_TEST

START_TEST(test_container_with_path) {
        keep_capabilities_of_docker();
        puppet_start(NULL, NULL);
        puppet_do(PUPPET_LISTEN_UNIX, 0, 1, sockets_path);
        find();
        ck_assert_uint_eq(found_count, 1);
        ck_assert_int_eq(intake_close(intake, &found, INTAKE_REFUSE), 0);
        ck_assert_int_eq(sockets_connect_unix(sockets_path), -1);
        ck_assert_int_eq(intake_open(intake, &found), 0);
        fd_close(sockets_connect_unix(sockets_path));
}
END_TEST

START_TEST(test_container_other_network) {
        puppet_elsewhere = true;
        puppet_start(NULL, NULL);
        ck_assert_int_eq(intake_new(puppet_loop, &intake), 0);
        puppet_do(PUPPET_LISTEN, AF_INET, 1, NULL);
        find();
        ck_assert_uint_eq(found_count, 1);
        intake = intake_free(intake);
        keep_capabilities_of_docker();
        ck_assert_int_eq(measure(), INTAKE_E_DENIED);
        find();
        ck_assert_uint_eq(found_count, 0);
        ck_assert_uint_eq(denied, 1);
}
END_TEST

/* ---- without any privilege ---- */

/* Ours, but we could not open it again: who asks first is told so. */
START_TEST(test_nobody) {
        become_nobody();
        start();
        ck_assert_int_eq(puppet_do(PUPPET_USER, NOBODY, 0, NULL), 0);
        find();
        ck_assert_uint_eq(found_count, 1);
        ck_assert_uint_eq(denied, 0);
        assert_measures();
        ck_assert(!intake_can_reopen(intake));
        ck_assert_int_eq(intake_close(intake, &found, INTAKE_HOLD), INTAKE_E_DENIED);
        ck_assert_int_eq(intake_open(intake, &found), 0);
        ck_assert_int_eq(intake_close(intake, &found, INTAKE_REFUSE), 0);
        ck_assert(is_refused());
        ck_assert_int_eq(intake_open(intake, &found), INTAKE_E_DENIED);
        ck_assert(is_refused());
}
END_TEST

START_TEST(test_nobody_and_somebody) {
        size_t nudged = 1;
        int client;

        start();
        puppet_do(PUPPET_USER, SOMEBODY, 0, NULL);
        client = sockets_connect(AF_INET, port);
        ck_assert_int_ge(puppet_do(PUPPET_ACCEPT, listener, 0, NULL), 0);
        ck_assert_int_eq(intake_new(puppet_loop, &intake), 0);
        find();
        ck_assert_uint_eq(found_count, 1);
        ck_assert_int_eq(measure(), 0);
        intake = intake_free(intake);

        become_nobody();
        ck_assert_int_eq(intake_close(intake, &found, INTAKE_REFUSE), INTAKE_E_DENIED);
        ck_assert_int_eq(intake_open(intake, &found), INTAKE_E_DENIED);
        ck_assert_int_eq(intake_nudge(intake, puppet_tree, &last.inode, 1, &nudged), 0);
        ck_assert_uint_eq(nudged, 0);
        ck_assert_int_eq(measure(), 0);
        find();
        ck_assert_uint_eq(found_count, 0);
        ck_assert_uint_eq(denied, 1);
        ck_assert(!is_refused());
        fd_close(client);
}
END_TEST

START_TEST(test_nobody_and_path_of_somebody) {
        start();
        puppet_do(PUPPET_LISTEN_UNIX, 0, 1, sockets_path);
        puppet_do(PUPPET_CLOSE, listener, 0, NULL);
        ck_assert_int_eq(intake_new(puppet_loop, &intake), 0);
        find();
        ck_assert_int_eq(found.kind, INTAKE_UNIX);
        intake = intake_free(intake);
        become_nobody();
        ck_assert_int_eq(intake_close(intake, &found, INTAKE_REFUSE), INTAKE_E_DENIED);
        ck_assert_int_eq(intake_open(intake, &found), INTAKE_E_DENIED);
        ck_assert_int_eq(setresuid(0, 0, 0), 0);
        fd_close(sockets_connect_unix(sockets_path));
}
END_TEST

/* ---- on a kernel that knows less ---- */

static void begin_without(int call, int other, int error) {
        ck_assert_int_eq(intake_new(puppet_loop, &intake), 0);
        start();
        find();
        ck_assert_uint_eq(found_count, 1);
        ck_assert_int_eq(spawning_deny_calls((int[]){ call, other }, error), 0);
}

START_TEST(test_no_sock_diag) {
        begin_without(SYS_socket, -1, _i == 0 ? EAFNOSUPPORT : EPERM);
        find();
        ck_assert_uint_eq(found_count, 0);
        ck_assert_uint_eq(denied, 1);
        ck_assert_int_eq(measure(), INTAKE_E_UNSUPPORTED);
        ck_assert_int_eq(intake_watch(intake, ignore, NULL), INTAKE_E_UNSUPPORTED);
        /* What was found before can be closed all the same. */
        ck_assert_int_eq(intake_close(intake, &found, INTAKE_REFUSE), 0);
        ck_assert_int_eq(intake_open(intake, &found), 0);
}
END_TEST

START_TEST(test_no_descriptors) {
        begin_without(SYS_pidfd_getfd, -1, _i == 0 ? ENOSYS : EPERM);
        find();
        ck_assert_uint_eq(found_count, 1);
        ck_assert(!found.closed);
        ck_assert_int_eq(intake_close(intake, &found, INTAKE_REFUSE),
                         _i == 0 ? INTAKE_E_UNSUPPORTED : INTAKE_E_DENIED);
        ck_assert_int_eq(measure(), 0);
}
END_TEST

/* What is given up has to be there in the first place. */
static bool may(int capability) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = { 0 };

        return syscall(SYS_capget, &header, data) == 0
                && data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

static Suite *make_suite(void) {
        Suite *suite = suite_create("intake_denied");

        const char *cannot = geteuid() == 0 ? puppet_cannot_take()
                                            : "only root can give up privileges";
        TCase *tcase;

        if (cannot) {
                unit_add_skipped(suite, "denied", cannot);
                return suite;
        }
        tcase = tcase_create("denied");
        suite_add_tcase(suite, tcase);
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_container);
        tcase_add_test(tcase, test_container_with_worker);
        tcase_add_test(tcase, test_container_with_stronger_daemon);
        tcase_add_test(tcase, test_container_with_path);
        tcase_add_test(tcase, test_nobody);
        if (may(CAP_SYS_PTRACE))
                tcase_add_test(tcase, test_nobody_and_somebody);
        tcase_add_test(tcase, test_nobody_and_path_of_somebody);
        tcase_add_loop_test(tcase, test_no_sock_diag, 0, 2);
        tcase_add_loop_test(tcase, test_no_descriptors, 0, 2);
        if (puppet_can_enter_network())
                tcase_add_test(tcase, test_container_other_network);
        else
                unit_add_skipped(suite, "networks", "no network namespace can be made here");
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
