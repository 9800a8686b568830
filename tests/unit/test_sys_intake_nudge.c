/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sys/intake: ending idle connections of a daemon, and hearing that connections have ended. */

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "puppet.h"
#include "sockets.h"
#include "sys/intake.h"
#include "unit.h"

#define CLIENTS     4
#define PATIENCE_MS 20000

static Intake *intake;
static IntakeSocket found;
static int listener, clients[CLIENTS], accepted[CLIENTS];
static uint16_t port;
static uint64_t inodes[16];
static size_t inode_count;

static void keep_nothing(void *userdata, const IntakeQueue *queue) {
        (void) userdata;
        (void) queue;
}

static void keep_inode(void *userdata, const IntakeConnection *connection) {
        (void) userdata;
        if (connection->inode > 0)
                inodes[inode_count++] = connection->inode;
}

static void find(void) {
        const IntakeSocket *sockets;
        size_t count;

        ck_assert_int_eq(intake_find(intake, puppet_tree, &sockets, &count, NULL), 0);
        ck_assert_uint_eq(count, 1);
        found = sockets[0];
}

/* A daemon with connections, whose inodes are known. */
static void setup(void) {
        IntakeVisitor visitor = { keep_nothing, keep_inode, NULL };

        puppet_setup();
        ck_assert_int_eq(intake_new(puppet_loop, &intake), 0);
        puppet_start(NULL, NULL);
        listener = puppet_do(PUPPET_LISTEN, AF_INET, CLIENTS, NULL);
        port = (uint16_t) puppet_do(PUPPET_PORT, listener, 0, NULL);
        for (unsigned i = 0; i < CLIENTS; i++) {
                ck_assert_int_ge(clients[i] = sockets_connect(AF_INET, port), 0);
                accepted[i] = puppet_do(PUPPET_ACCEPT, listener, 0, NULL);
        }
        find();
        inode_count = 0;
        ck_assert_int_eq(intake_measure(intake, &found, 1, &visitor, NULL), 0);
        ck_assert_uint_eq(inode_count, CLIENTS);
}

static void teardown(void) {
        for (unsigned i = 0; i < CLIENTS; i++)
                fd_close(clients[i]);
        intake = intake_free(intake);
        puppet_teardown();
}

static size_t nudge(size_t count) {
        size_t nudged = 1000;

        ck_assert_int_eq(intake_nudge(intake, puppet_tree, inodes, count, &nudged), 0);
        return nudged;
}

/* Of the connections of the daemon so many are at their end. */
static unsigned count_ended(void) {
        unsigned count = 0;

        for (unsigned i = 0; i < CLIENTS; i++) {
                int r = puppet_do(PUPPET_READ, accepted[i], 16, NULL);

                ck_assert(r == 0 || r == -EAGAIN);
                count += r == 0;
        }
        return count;
}

START_TEST(test_some) {
        ck_assert_uint_eq(nudge(0), 0);
        ck_assert_uint_eq(count_ended(), 0);
        ck_assert_uint_eq(nudge(2), 2);
        ck_assert_uint_eq(count_ended(), 2);
        ck_assert_uint_eq(nudge(CLIENTS), CLIENTS);
        ck_assert_uint_eq(count_ended(), CLIENTS);
        ck_assert_int_ge(sockets_connect(AF_INET, port), 0);
}
END_TEST

/* What has arrived is read first, and can be answered. */
START_TEST(test_request_on_the_way) {
        char piece[16];

        for (unsigned i = 0; i < CLIENTS; i++)
                ck_assert_int_eq(send(clients[i], "request", 7, 0), 7);
        ck_assert_uint_eq(nudge(CLIENTS), CLIENTS);
        for (unsigned i = 0; i < CLIENTS; i++) {
                ck_assert_int_eq(puppet_do(PUPPET_READ, accepted[i], 16, NULL), 7);
                ck_assert_int_eq(puppet_do(PUPPET_WRITE, accepted[i], 5, NULL), 5);
        }
        ck_assert_uint_eq(count_ended(), CLIENTS);
        for (unsigned i = 0; i < CLIENTS; i++) {
                ck_assert_int_eq(puppet_do(PUPPET_CLOSE, accepted[i], 0, NULL), 0);
                ck_assert_int_eq(recv(clients[i], piece, sizeof(piece), MSG_WAITALL), 5);
        }
}
END_TEST

/* Nobody's inodes, and that of the socket which listens. */
START_TEST(test_wrong_inodes) {
        inodes[0] = 1;
        inodes[1] = found.inode;
        inodes[2] = UINT64_MAX;
        ck_assert_uint_eq(nudge(3), 0);
        ck_assert_uint_eq(count_ended(), 0);
        ck_assert_int_ge(sockets_connect(AF_INET, port), 0);
        ck_assert_int_ge(puppet_do(PUPPET_ACCEPT, listener, 0, NULL), 0);
}
END_TEST

/* No descriptor of theirs is left with us: what the daemon closes is closed. */
START_TEST(test_nothing_is_kept) {
        ck_assert_uint_eq(nudge(CLIENTS), CLIENTS);
        for (unsigned i = 0; i < CLIENTS; i++) {
                struct pollfd end = { .fd = clients[i], .events = POLLIN };

                ck_assert_int_eq(puppet_do(PUPPET_CLOSE, accepted[i], 0, NULL), 0);
                ck_assert_int_eq(poll(&end, 1, PATIENCE_MS), 1);
                ck_assert_int_eq(recv(clients[i], (char[1]){ 0 }, 1, 0), 0);
        }
}
END_TEST

START_TEST(test_dead) {
        ck_assert_int_eq(kill(puppet_pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(puppet_pid, NULL, 0), puppet_pid);
        ck_assert_uint_eq(nudge(CLIENTS), 0);
}
END_TEST

/* ---- watching ---- */

static unsigned calls;

static int leave(void *userdata) {
        calls++;
        return loop_exit(userdata, 0);
}

static int leave_in_vain(void *userdata) {
        return loop_exit(userdata, ETIMEDOUT);
}

static int run_loop(usec_t patience) {
        LoopSource *timer;
        int r;

        ck_assert_int_eq(loop_add_timer(puppet_loop, &timer, LOOP_TIMER, "late", leave_in_vain,
                                        puppet_loop),
                         0);
        ck_assert_int_eq(loop_timer_set(timer, clock_now() + patience), 0);
        r = loop_run(puppet_loop);
        loop_source_free(timer);
        return r;
}

/* The client ends first, so that it is the one that lingers. */
static void end_connection(unsigned i) {
        clients[i] = fd_close(clients[i]);
        ck_assert_int_eq(puppet_do(PUPPET_CLOSE, accepted[i], 0, NULL), 0);
}

START_TEST(test_watch) {
        ck_assert_int_eq(intake_watch(intake, leave, puppet_loop), 0);
        ck_assert_int_eq(intake_watch(intake, leave, puppet_loop), 0);
        end_connection(0);
        ck_assert_int_eq(run_loop(PATIENCE_MS * USEC_PER_MSEC), 0);
        ck_assert_uint_ge(calls, 1);
}
END_TEST

START_TEST(test_watch_no_more) {
        ck_assert_int_eq(intake_watch(intake, leave, puppet_loop), 0);
        end_connection(0);
        ck_assert_int_eq(intake_watch(intake, NULL, NULL), 0);
        ck_assert_int_eq(intake_watch(intake, NULL, NULL), 0);
        end_connection(1);
        ck_assert_int_eq(run_loop(50 * USEC_PER_MSEC), ETIMEDOUT);
        ck_assert_uint_eq(calls, 0);
}
END_TEST

/* More ends than there is room to tell of: they are one wake-up, or few. */
START_TEST(test_watch_a_flood) {
        ck_assert_int_eq(intake_watch(intake, leave, puppet_loop), 0);
        for (unsigned i = 0; i < 2000; i++) {
                int fd = sockets_connect(AF_INET, port), other;

                other = puppet_do(PUPPET_ACCEPT, listener, 0, NULL);
                fd_close(fd);
                ck_assert_int_eq(puppet_do(PUPPET_CLOSE, other, 0, NULL), 0);
        }
        ck_assert_int_eq(run_loop(PATIENCE_MS * USEC_PER_MSEC), 0);
        ck_assert_uint_eq(calls, 1);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("intake_nudge");
        TCase *nudging, *watching = tcase_create("watch");
        const char *cannot = puppet_cannot_take();

        tcase_add_checked_fixture(watching, setup, teardown);
        tcase_add_test(watching, test_watch);
        tcase_add_test(watching, test_watch_no_more);
        tcase_add_test(watching, test_watch_a_flood);
        suite_add_tcase(suite, watching);

        if (cannot) {
                unit_add_skipped(suite, "nudge", cannot);
                return suite;
        }
        nudging = tcase_create("nudge");
        tcase_add_checked_fixture(nudging, setup, teardown);
        tcase_add_test(nudging, test_some);
        tcase_add_test(nudging, test_request_on_the_way);
        tcase_add_test(nudging, test_wrong_inodes);
        tcase_add_test(nudging, test_nothing_is_kept);
        tcase_add_test(nudging, test_dead);
        suite_add_tcase(suite, nudging);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
