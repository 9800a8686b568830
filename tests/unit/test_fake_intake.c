/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The fake world's sockets, clients and connections, and the fake of sys/intake.h on them. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "fake/script.h"
#include "fake/world_intake.h"
#include "fakes.h"
#include "sys/intake.h"
#include "unit.h"

static Intake *intake;
static Tree *tree;
static Spawned spawned;
static IntakeSocket found[8];
static size_t found_count;

static void begin(void) {
        spawned = (Spawned){ .pidfd = -1, .report_fd = -1 };
        ck_assert_int_eq(intake_new(fakes.loop, &intake), 0);
        ck_assert_int_eq(tree_new(fakes.loop, fakes.cgroups, "web", &tree), 0);
        ck_assert_int_eq(tree_prepare(tree), 0);
}

static void end(void) {
        fakes_let_go(&spawned);
        tree = tree_free(tree);
        intake = intake_free(intake);
}

static void setup(void) {
        fakes_setup();
        begin();
}

static void teardown(void) {
        end();
        fakes_teardown();
}

/* Starts it in the tree and lets it do what it does at once. */
static void start(const char *path) {
        spawned = fakes_start(path, tree_cgroup_fd(tree));
        fake_run_for(fakes.loop, MS);
}

static size_t find(void) {
        const IntakeSocket *sockets;

        ck_assert_int_eq(intake_find(intake, tree, &sockets, &found_count, NULL), 0);
        ck_assert_uint_le(found_count, ELEMENTSOF(found));
        memcpy(found, sockets, found_count * sizeof(*sockets));
        return found_count;
}

static void on_queue(void *userdata, const IntakeQueue *queue) {
        (void) userdata;
        sprintf(fakes.story + strlen(fakes.story), "q%u", queue->waiting);
}

static void on_connection(void *userdata, const IntakeConnection *connection) {
        (void) userdata;
        bool works = connection->received > 0 && connection->sent == 0;

        strcat(fakes.story, connection->inode == 0 ? "n" : works ? "w" : "i");
        strcat(fakes.story, connection->closing ? "c" : "");
}

/* In short: a queue is q and what waits in it; n, w, i: not accepted, at work, idle; c: closing. */
static const char *measure(void) {
        IntakeVisitor visitor = { on_queue, on_connection, NULL };
        usec_t when = 0;

        fakes.story[0] = '\0';
        ck_assert_int_eq(intake_measure(intake, found, found_count, &visitor, &when), 0);
        ck_assert_uint_eq(when, world_now());
        return fakes.story;
}

static const FakeLife quick = { .wait = MS, .work = 10 * MS, .requests = 1 };
static const FakeLife kept = { .wait = MS, .work = 10 * MS, .requests = 1, .idle = USEC_INFINITY };

/* ---- finding ---- */

START_TEST(what_listens_is_found) {
        static const FakeAct acts[] = {
                LISTEN(0, 80),
                LISTEN_UNIX(0, "/run/s"),
                LISTEN_UNIX(0, "@s"),
                BIND_UDP(0, 53),
                { 0 },
        };
        PROGRAM(.path = "/p", .acts = acts);
        size_t denied = 7;

        ck_assert_uint_eq(find(), 0);
        start("/p");
        ck_assert_uint_eq(find(), 4);
        ck_assert_int_eq(found[0].kind, INTAKE_TCP);
        ck_assert_str_eq(found[0].name, "0.0.0.0:80");
        ck_assert_int_eq(found[0].pid, spawned.pid);
        ck_assert_int_eq(found[1].kind, INTAKE_UNIX);
        ck_assert_str_eq(found[1].name, "/run/s");
        ck_assert_int_eq(found[2].kind, INTAKE_ABSTRACT);
        ck_assert_int_eq(found[3].kind, INTAKE_UDP);
        socket_by_inode(found[3].inode)->unread = 12;
        ck_assert_str_eq(measure(), "q0q0q0q12");

        const IntakeSocket *sockets;
        fake_allow(MAY_DIAG);
        ck_assert_int_eq(intake_find(intake, tree, &sockets, &found_count, &denied), 0);
        ck_assert_uint_eq(found_count, 0);
        ck_assert_uint_eq(denied, 1);
}
END_TEST

START_TEST(a_socket_moves_to_another_process) {
        static const FakeAct acts[] = {
                LISTEN(0, 80), FORK(0, "/worker"), HAND_OVER(SEC), EXIT(2 * SEC, 0), { 0 },
        };
        PROGRAM(.path = "/p", .acts = acts);
        PROGRAM(.path = "/worker");

        start("/p");
        ck_assert_uint_eq(find(), 1);
        IntakeSocket before = found[0];
        fake_run_for(fakes.loop, SEC);
        ck_assert_int_eq(intake_close(intake, &before, INTAKE_REFUSE), INTAKE_E_GONE);
        ck_assert_uint_eq(find(), 1);
        ck_assert_uint_eq(found[0].inode, before.inode);
        ck_assert_int_ne(found[0].pid, before.pid);
        ck_assert_int_eq(intake_close(intake, &found[0], INTAKE_REFUSE), 0);
        fake_run_for(fakes.loop, 2 * SEC);
        ck_assert_uint_eq(find(), 1);
        ck_assert(found[0].closed);
}
END_TEST

/* ---- closing ---- */

static const FakeAct listens[] = { LISTEN(0, 80), { 0 } };

START_TEST(who_is_refused_is_gone_and_who_waits_is_served) {
        PROGRAM(.path = "/p", .acts = listens);

        start("/p");
        find();
        world_connect(80, NULL, &quick);
        ck_assert_int_eq(intake_close(intake, &found[0], INTAKE_REFUSE), 0);
        ck_assert_int_eq(intake_close(intake, &found[0], INTAKE_REFUSE), 0);
        ck_assert_uint_eq(world_closed(), 1);
        world_connect(80, NULL, &quick);
        ck_assert_uint_eq(world_tally(NULL).refused, 1);
        ck_assert_uint_eq(world_in_flight("web"), 1);
        ck_assert_str_eq(measure(), "nq1");
        fake_run(fakes.loop);
        ck_assert_uint_eq(world_tally("web").answered, 1);
        ck_assert_uint_eq(world_tally("web").cut, 0);
        ck_assert_uint_eq(world_in_flight(NULL), 0);

        ck_assert_int_eq(intake_open(intake, &found[0]), 0);
        ck_assert_uint_eq(world_closed(), 0);
        world_connect(80, NULL, &quick);
        fake_run(fakes.loop);
        ck_assert_uint_eq(world_tally(NULL).answered, 2);
}
END_TEST

START_TEST(who_is_held_knocks_until_it_is_open) {
        PROGRAM(.path = "/p", .acts = listens);

        start("/p");
        find();
        ck_assert_int_eq(intake_close(intake, &found[0], INTAKE_HOLD), 0);
        world_connect(80, NULL, &quick);
        fake_run_for(fakes.loop, 2 * SEC);
        ck_assert_str_eq(measure(), "q0");
        ck_assert_int_eq(intake_open(intake, &found[0]), 0);
        fake_run_for(fakes.loop, SEC - MS);
        ck_assert_uint_eq(world_tally(NULL).answered, 0);
        fake_run_for(fakes.loop, 20 * MS);
        ck_assert_uint_eq(world_tally(NULL).answered, 1);

        /* nobody knocks for ever */
        ck_assert_int_eq(intake_close(intake, &found[0], INTAKE_HOLD), 0);
        world_connect(80, NULL, &quick);
        fake_run(fakes.loop);
        ck_assert_uint_eq(world_tally(NULL).refused, 1);
}
END_TEST

START_TEST(a_path_is_put_aside_and_back) {
        static const FakeAct acts[] = { LISTEN_UNIX(0, "/run/s"), LISTEN_UNIX(0, "@s"), { 0 } };
        PROGRAM(.path = "/p", .acts = acts);
        char *aside = intake_aside("/run/s");

        start("/p");
        find();
        ck_assert_int_eq(intake_close(intake, &found[1], INTAKE_REFUSE), INTAKE_E_UNSUPPORTED);
        ck_assert_int_eq(intake_close(intake, &found[0], INTAKE_HOLD), INTAKE_E_UNSUPPORTED);
        ck_assert_int_eq(intake_close(intake, &found[0], INTAKE_REFUSE), 0);
        ck_assert(world_exists(aside) && !world_exists("/run/s"));
        world_connect(0, "/run/s", &quick);
        ck_assert_uint_eq(world_tally(NULL).refused, 1);

        world_write("/run/s", "");
        ck_assert_int_eq(intake_open(intake, &found[0]), INTAKE_E_FOREIGN);
        ck_assert_int_eq(intake_restore("/run/s"), INTAKE_E_FOREIGN);
        world_remove("/run/s");
        ck_assert_int_eq(intake_open(intake, &found[0]), 0);
        ck_assert(!world_exists(aside) && world_exists("/run/s"));
        ck_assert_int_eq(intake_restore("/run/s"), 0);

        /* of one that nobody serves nothing is left */
        ck_assert_int_eq(intake_close(intake, &found[0], INTAKE_REFUSE), 0);
        tree_kill(tree);
        ck_assert_int_eq(intake_open(intake, &found[0]), INTAKE_E_GONE);
        ck_assert_int_eq(intake_restore("/run/s"), 0);
        ck_assert(!world_exists(aside) && !world_exists("/run/s"));
        free(aside);
}
END_TEST

START_TEST(what_may_not_be_done_is_not_done) {
        PROGRAM(.path = "/p", .acts = listens);

        start("/p");
        find();
        fake_allow(MAY_LOOK | MAY_DIAG);
        ck_assert(!intake_can_reopen(intake));
        ck_assert_int_eq(intake_close(intake, &found[0], INTAKE_HOLD), INTAKE_E_DENIED);
        ck_assert_int_eq(intake_close(intake, &found[0], INTAKE_REFUSE), 0);
        ck_assert_int_eq(intake_open(intake, &found[0]), INTAKE_E_DENIED);
        fake_allow(0);
        IntakeVisitor visitor = { on_queue, on_connection, NULL };
        ck_assert_int_eq(intake_measure(intake, found, 1, &visitor, NULL), INTAKE_E_UNSUPPORTED);
        ck_assert_int_eq(intake_watch(intake, fakes_tell, NULL), INTAKE_E_UNSUPPORTED);
        ck_assert_int_eq(intake_open(intake, &found[0]), INTAKE_E_DENIED);
        fake_allow(~0u);
        ck_assert_int_eq(intake_open(intake, &found[0]), 0);

        socket_by_inode(found[0].inode)->foreign = true;
        ck_assert_int_eq(intake_close(intake, &found[0], INTAKE_HOLD), INTAKE_E_FOREIGN);
        ck_assert_int_eq(intake_close(intake, &found[0], INTAKE_REFUSE), INTAKE_E_FOREIGN);
        ck_assert_int_eq(intake_open(intake, &found[0]), 0);
}
END_TEST

START_TEST(doors_fail) {
        PROGRAM(.path = "/p", .acts = listens);
        IntakeVisitor visitor = { on_queue, on_connection, NULL };
        const IntakeSocket *sockets;
        size_t count;

        start("/p");
        find();
        fake_fail(DOOR_INTAKE_FIND, ENOMEM, 1, 1);
        fake_fail(DOOR_INTAKE_CLOSE, ENOBUFS, 1, 1);
        fake_fail(DOOR_INTAKE_OPEN, EMFILE, 1, 1);
        fake_fail(DOOR_INTAKE_MEASURE, ENOBUFS, 1, 1);
        fake_fail(DOOR_INTAKE_NUDGE, ENOMEM, 1, 1);
        fake_fail(DOOR_INTAKE_WATCH, EMFILE, 1, 1);
        ck_assert_int_eq(intake_find(intake, tree, &sockets, &count, NULL), -ENOMEM);
        ck_assert_int_eq(intake_close(intake, &found[0], INTAKE_REFUSE), -ENOBUFS);
        ck_assert_int_eq(intake_open(intake, &found[0]), -EMFILE);
        ck_assert_int_eq(intake_measure(intake, found, 1, &visitor, NULL), -ENOBUFS);
        ck_assert_int_eq(intake_nudge(intake, tree, NULL, 0, &count), -ENOMEM);
        ck_assert_int_eq(intake_watch(intake, fakes_tell, NULL), -EMFILE);
        ck_assert_uint_eq(find(), 1);
}
END_TEST

/* ---- measuring ---- */

START_TEST(a_connection_lives) {
        static const FakeLife life = {
                .wait = 10 * MS,
                .work = 20 * MS,
                .pieces = 2,
                .requests = 2,
                .pause = 30 * MS,
                .idle = 40 * MS,
        };
        PROGRAM(.path = "/p", .acts = listens);

        start("/p");
        find();
        ck_assert_int_eq(intake_watch(intake, fakes_tell, (void *) "e"), 0);
        ck_assert_str_eq(measure(), "q0");
        world_connect(80, NULL, &life);
        ck_assert_str_eq(measure(), "nq1");
        fake_run_for(fakes.loop, 10 * MS);
        ck_assert_str_eq(measure(), "wq0");
        fake_run_for(fakes.loop, 10 * MS);
        ck_assert_str_eq(measure(), "iq0"); /* a piece of the answer: it only seems so */
        ck_assert_uint_eq(world_in_flight("web"), 1);
        fake_run_for(fakes.loop, 10 * MS);
        ck_assert_uint_eq(world_in_flight("web"), 0);
        ck_assert_uint_eq(world_tally("web").answered, 1);
        fake_run_for(fakes.loop, 30 * MS);
        ck_assert_uint_eq(world_in_flight("web"), 1);
        fake_run_for(fakes.loop, 20 * MS);
        ck_assert_str_eq(measure(), "iq0");
        fakes.story[0] = '\0';
        fake_run_for(fakes.loop, 40 * MS);
        ck_assert_str_eq(fakes.story, "e");
        ck_assert_str_eq(measure(), "q0");
        ck_assert_uint_eq(world_tally("web").closed, 1);
        ck_assert_int_eq(intake_watch(intake, NULL, NULL), 0);
}
END_TEST

static IntakeConnection last;

static void keep_connection(void *userdata, const IntakeConnection *connection) {
        (void) userdata;
        last = *connection;
}

START_TEST(times_are_those_of_the_last_bytes) {
        PROGRAM(.path = "/p", .acts = listens);
        IntakeVisitor visitor = { on_queue, keep_connection, NULL };

        start("/p");
        find();
        world_connect(80, NULL, &kept);
        fake_run_for(fakes.loop, 5 * MS + 700);
        ck_assert_int_eq(intake_measure(intake, found, 1, &visitor, NULL), 0);
        ck_assert_ptr_eq(last.socket, &found[0]);
        ck_assert(last.has_times && !last.closing);
        ck_assert_uint_eq(last.since_received, 4 * MS);
        ck_assert_uint_eq(last.since_sent, 5 * MS);
        ck_assert_uint_eq(last.sent, 0);
        fake_run_for(fakes.loop, 8 * MS);
        ck_assert_int_eq(intake_measure(intake, found, 1, &visitor, NULL), 0);
        ck_assert_uint_eq(last.since_received, 12 * MS);
        ck_assert_uint_eq(last.since_sent, 2 * MS);
        ck_assert_uint_gt(last.sent, 0);
        ck_assert_str_eq(last.peer, "198.51.100.1:40001");
}
END_TEST

START_TEST(who_dies_cuts_what_it_had) {
        PROGRAM(.path = "/p", .acts = listens);
        static const FakeLife half = { .work = SEC, .requests = 1, .half = true };
        static const FakeLife waits = { .wait = USEC_INFINITY };

        start("/p");
        find();
        world_connect(80, NULL, &kept);
        fake_run(fakes.loop);
        world_connect(80, NULL, &half);
        world_connect(80, NULL, &waits);
        fake_run_for(fakes.loop, MS);
        ck_assert_str_eq(measure(), "iwcnq1");
        ck_assert_uint_eq(world_in_flight("web"), 2);
        tree_kill(tree);
        ck_assert_uint_eq(world_in_flight(NULL), 0);
        ck_assert_uint_eq(world_tally("web").cut, 2);
        ck_assert_uint_eq(world_tally("web").closed, 1);
        ck_assert_str_eq(measure(), "");
        fake_run(fakes.loop);
}
END_TEST

START_TEST(a_well_bred_daemon_serves_before_it_exits) {
        PROGRAM(.path = "/p", .acts = listens,
                .reactions = REACTIONS(ON(SIGTERM, EXIT_SERVED(0, 0)), ON(SIGUSR1, CLOSE(0))));
        static const FakeLife slow = { .work = SEC, .requests = 2, .idle = USEC_INFINITY };

        start("/p");
        world_connect(80, NULL, &kept);
        fake_run(fakes.loop);
        world_connect(80, NULL, &slow);
        tree_signal(tree, SIGUSR1);
        fake_run_for(fakes.loop, 10 * MS);
        world_connect(80, NULL, &quick);
        ck_assert_uint_eq(world_tally(NULL).refused, 1);
        tree_signal(tree, SIGTERM);
        fake_run_for(fakes.loop, 100 * MS);
        ck_assert_uint_eq(world_tally("web").closed, 1);
        ck_assert(!tree_is_empty(tree));
        fake_run_for(fakes.loop, SEC);
        ck_assert(tree_is_empty(tree));
        ck_assert_uint_eq(world_tally("web").answered, 2);
        ck_assert_uint_eq(world_tally("web").cut, 0);
        fake_run(fakes.loop);
}
END_TEST

START_TEST(a_nudge_ends_what_is_idle) {
        PROGRAM(.path = "/p", .acts = listens);
        static const FakeLife slow = { .work = SEC, .requests = 2, .idle = USEC_INFINITY };
        uint64_t inodes[8];
        size_t nudged, count = 0;
        unsigned cursor = 0;

        start("/p");
        world_connect(80, NULL, &kept);
        world_connect(80, NULL, &slow);
        world_connect(80, NULL, &kept);
        fake_run_for(fakes.loop, 100 * MS);
        for (const FakeConnection *connection; (connection = connection_each(&cursor));)
                inodes[count++] = connection->inode;
        inodes[count++] = 12345;
        ck_assert_int_eq(intake_nudge(intake, tree, inodes + 1, count - 1, &nudged), 0);
        ck_assert_uint_eq(nudged, 2);
        ck_assert_uint_eq(world_tally("web").closed, 1);
        fake_run(fakes.loop);
        ck_assert_uint_eq(world_tally("web").closed, 2);
        ck_assert_uint_eq(world_tally("web").answered, 3);
        ck_assert_uint_eq(world_tally("web").cut, 0);
}
END_TEST

START_TEST(who_is_blocked_serves_nobody) {
        PROGRAM(.path = "/p", .acts = listens);

        start("/p");
        find();
        process_block(process_find(spawned.pid), SEC);
        world_connect(80, NULL, &quick);
        fake_run_for(fakes.loop, SEC / 2);
        ck_assert_str_eq(measure(), "nq1");
        fake_run(fakes.loop);
        ck_assert_uint_eq(world_tally("web").answered, 1);
}
END_TEST

START_TEST(clients_come_by_themselves) {
        static const FakeLife life = { .wait = MS, .work = 50 * MS, .pieces = 3, .requests = 3,
                                       .pause = 50 * MS, .idle = 50 * MS, .half = true };

        end();
        fakes_end();
        fakes_begin((uint64_t) _i);
        begin();
        PROGRAM(.path = "/p", .acts = listens);
        start("/p");
        world_clients(80, NULL, 100, SEC, &life);
        ck_assert_uint_eq(world_in_flight(NULL), 0);
        fake_run(fakes.loop);
        ck_assert_uint_eq(world_in_flight(NULL), 0);
        ck_assert_uint_eq(world_tally("web").closed, 100);
        ck_assert_uint_eq(world_tally(NULL).refused, 0);
        ck_assert_uint_eq(world_tally("web").cut, 0);
        if (_i == 0)
                ck_assert_uint_eq(world_tally("web").answered, 300);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("fake_intake");
        TCase *doors = tcase_create("doors");
        TCase *connections = tcase_create("connections");

        tcase_add_checked_fixture(doors, setup, teardown);
        tcase_add_test(doors, what_listens_is_found);
        tcase_add_test(doors, a_socket_moves_to_another_process);
        tcase_add_test(doors, who_is_refused_is_gone_and_who_waits_is_served);
        tcase_add_test(doors, who_is_held_knocks_until_it_is_open);
        tcase_add_test(doors, a_path_is_put_aside_and_back);
        tcase_add_test(doors, what_may_not_be_done_is_not_done);
        tcase_add_test(doors, doors_fail);
        suite_add_tcase(suite, doors);

        tcase_add_checked_fixture(connections, setup, teardown);
        tcase_add_test(connections, a_connection_lives);
        tcase_add_test(connections, times_are_those_of_the_last_bytes);
        tcase_add_test(connections, who_dies_cuts_what_it_had);
        tcase_add_test(connections, a_well_bred_daemon_serves_before_it_exits);
        tcase_add_test(connections, a_nudge_ends_what_is_idle);
        tcase_add_test(connections, who_is_blocked_serves_nobody);
        tcase_add_loop_test(connections, clients_come_by_themselves, 0, 20);
        suite_add_tcase(suite, connections);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
