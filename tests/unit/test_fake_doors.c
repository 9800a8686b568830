/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The fakes of the single doors: loop, tree, pidfile, notify socket, sockets, systemd. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/file.h"
#include "fake/script.h"
#include "fakes.h"
#include "sys/notify.h"
#include "sys/notifysocket.h"
#include "sys/pathwatch.h"
#include "sys/pidfile.h"
#include "sys/socket.h"
#include "sys/tree.h"
#include "unit.h"

/* ---- the loop ---- */

START_TEST(timers_fire_in_order_and_on_time) {
        LoopSource *a, *b, *c;
        usec_t realtime = clock_realtime();

        loop_add_timer(fakes.loop, &a, LOOP_TIMER, "a", fakes_tell, (void *) "a");
        loop_add_timer(fakes.loop, &b, LOOP_TIMER, "b", fakes_tell, (void *) "b");
        loop_add_timer(fakes.loop, &c, LOOP_TIMER, "c", fakes_tell, (void *) "c");
        loop_timer_set(a, fakes.zero + 3 * SEC);
        loop_timer_set(b, fakes.zero + 1 * SEC);
        loop_timer_set(c, fakes.zero + 2 * SEC);
        ck_assert_uint_eq(fake_timer_count(fakes.loop), 3);
        ck_assert_uint_eq(loop_timer_get(c), fakes.zero + 2 * SEC);

        fake_run_until(fakes.loop, fakes.zero + 2 * SEC - 1);
        ck_assert_str_eq(fakes.story, "b");
        fake_run_until(fakes.loop, fakes.zero + 2 * SEC);
        ck_assert_str_eq(fakes.story, "bc");
        ck_assert_uint_eq(clock_now(), fakes.zero + 2 * SEC);
        ck_assert_uint_eq(clock_realtime() - realtime, 2 * SEC);
        loop_timer_disarm(a);
        loop_timer_set(b, fakes.zero); /* in the past: at once, and once */
        fake_run(fakes.loop);
        ck_assert_str_eq(fakes.story, "bcb");
        ck_assert_uint_eq(loop_now(fakes.loop), fakes.zero + 2 * SEC);
        ck_assert_uint_eq(loop_timer_get(b), USEC_INFINITY);
        loop_source_free(a);
        loop_source_free(b);
        loop_source_free(c);
}
END_TEST

START_TEST(priorities_decide_within_an_instant) {
        LoopSource *timer, *settle, *probe, *stop;

        loop_add_defer(fakes.loop, &settle, LOOP_SETTLE, "settle", fakes_tell, (void *) "s");
        loop_add_timer(fakes.loop, &probe, LOOP_PROBE, "probe", fakes_tell, (void *) "p");
        loop_add_timer(fakes.loop, &timer, LOOP_TIMER, "timer", fakes_tell, (void *) "t");
        loop_add_signal(fakes.loop, &stop, SIGTERM, LOOP_STOP, "stop", fakes_tell, (void *) "T");
        loop_defer_arm(settle);
        loop_defer_arm(settle);
        loop_timer_set(probe, fakes.zero);
        loop_timer_set(timer, fakes.zero);
        fake_signal(SIGTERM);
        fake_signal(SIGTERM);
        fake_run(fakes.loop);
        ck_assert_str_eq(fakes.story, "Ttsp");
        loop_source_free(timer);
        loop_source_free(settle);
        loop_source_free(probe);
        loop_source_free(stop);
}
END_TEST

START_TEST(an_open_descriptor_is_told_as_long_as_it_is_ready) {
        static const FakeAct acts[] = { EXIT(SEC, 0), { 0 } };
        PROGRAM(.path = "/p", .exec_time = 1, .acts = acts);
        LoopSource *report, *pidfd;

        Spawned spawned = fakes_start("/p", -1);
        loop_add_io(fakes.loop, &report, spawned.report_fd, EPOLLIN, LOOP_SPAWN, "r", fakes_tell_io,
                    (void *) "r");
        loop_add_io(fakes.loop, &pidfd, spawned.pidfd, EPOLLIN, LOOP_PROCESS, "p", fakes_tell_io,
                    (void *) "p");
        for (int i = 0; i < 5; i++)
                ck_assert(fake_step(fakes.loop));
        ck_assert_str_eq(fakes.story, "rrr");
        loop_source_free(report);
        fakes.story[0] = '\0';
        for (int i = 0; i < 5; i++)
                fake_step(fakes.loop);
        ck_assert_str_eq(fakes.story, "ppp");
        loop_source_free(pidfd);
        fake_run(fakes.loop);
        fakes_let_go(&spawned);
}
END_TEST

static LoopSource *suicidal;

static int free_self(void *userdata) {
        suicidal = loop_source_free(suicidal);
        return fakes_tell(userdata);
}

START_TEST(a_source_may_end_itself) {
        loop_add_timer(fakes.loop, &suicidal, LOOP_TIMER, "self", free_self, (void *) "x");
        loop_timer_set(suicidal, fakes.zero + SEC);
        fake_run(fakes.loop);
        ck_assert_str_eq(fakes.story, "x");
        ck_assert_uint_eq(fake_source_count(fakes.loop), 1); /* the reaper's */
        ck_assert_str_eq(fake_source_name(fakes.loop, 0), "reaper");
}
END_TEST

static int fail_handler(void *userdata) {
        (void) userdata;
        return -ENOBUFS;
}

START_TEST(a_handler_that_fails_ends_the_loop) {
        LoopSource *timer;

        loop_add_timer(fakes.loop, &timer, LOOP_TIMER, "fail", fail_handler, NULL);
        ck_assert_int_eq(loop_run(fakes.loop), -EDEADLK); /* nothing would ever happen */
        loop_timer_set(timer, fakes.zero);
        ck_assert_int_eq(loop_run(fakes.loop), -ENOBUFS);
        ck_assert(fake_loop_exited(fakes.loop));
        loop_source_free(timer);
}
END_TEST

static int turn(void *userdata) {
        LoopSource **source = userdata;

        return loop_defer_arm(*source);
}

START_TEST(a_busy_loop_is_loud) {
        LoopSource *source;

        loop_add_defer(fakes.loop, &source, LOOP_SETTLE, "mill", turn, &source);
        loop_defer_arm(source);
        fake_run(fakes.loop);
}
END_TEST

/* ---- trees ---- */

START_TEST(a_tree_tells_when_it_is_empty) {
        static const FakeAct acts[] = {
                FORK_SESSION(0, "/worker"),
                EXIT(SEC, 0),
                { 0 },
        };
        static const FakeAct worker[] = { EXIT(2 * SEC, 0), { 0 } };
        PROGRAM(.path = "/p", .acts = acts);
        PROGRAM(.path = "/worker", .acts = worker);
        Tree *tree;

        ck_assert_int_eq(tree_new(fakes.loop, fakes.cgroups, "web", &tree), 0);
        ck_assert_int_eq(tree_cgroup_fd(tree), -1);
        ck_assert_int_eq(tree_prepare(tree), 0);
        Spawned spawned = fakes_start("/p", tree_cgroup_fd(tree));
        ck_assert(tree_contains(tree, spawned.pid));
        ck_assert_int_eq(tree_watch(tree, fakes_tell, (void *) "e"), 0);
        fake_run_until(fakes.loop, fakes.zero + SEC);
        ck_assert(!tree_contains(tree, spawned.pid));
        ck_assert(!tree_is_empty(tree));
        ck_assert_int_eq(tree_prepare(tree), TREE_E_POPULATED);
        ck_assert_int_eq(tree_release(tree), TREE_E_BUSY);
        fake_run(fakes.loop);
        ck_assert_str_eq(fakes.story, "e");
        ck_assert(tree_is_empty(tree));
        ck_assert_uint_eq(fake_cgroup_count(true), 1);
        ck_assert_int_eq(tree_release(tree), 0);
        ck_assert_uint_eq(fake_cgroup_count(true), 0);
        fakes_let_go(&spawned);
        tree_free(tree);
}
END_TEST

START_TEST(a_walked_tree_has_to_be_told) {
        PROGRAM(.path = "/forever");
        char *command[] = { (char *) "/forever", NULL };
        char *environment[] = { (char *) "SUPERVISOR_INVOCATION=abc", NULL };
        Spawned spawned;
        Tree *tree;

        ck_assert_int_eq(tree_new(fakes.loop, NULL, "web", &tree), 0);
        ck_assert_int_eq(tree_prepare(tree), 0);
        tree_set_invocation(tree, "SUPERVISOR_INVOCATION=abc");
        ck_assert_int_eq(spawn(&(SpawnRequest){ .command = command,
                                                .environment = environment,
                                                .cgroup_fd = -1 },
                               &spawned),
                         0);
        ck_assert(tree_contains(tree, spawned.pid));
        ck_assert_int_eq(tree_watch(tree, fakes_tell, (void *) "e"), 0);
        ck_assert_int_eq(tree_kill(tree), 0);
        fake_run(fakes.loop);
        ck_assert_str_eq(fakes.story, "");
        tree_child_reaped(tree);
        fake_run(fakes.loop);
        ck_assert_str_eq(fakes.story, "e");
        fakes_let_go(&spawned);
        tree_free(tree);
}
END_TEST

/* ---- files, datagrams, sockets, systemd ---- */

START_TEST(pidfiles_are_what_was_written) {
        PathWatch *watch;
        pid_t pid = 0;
        char own[16];

        ck_assert_int_eq(pathwatch_new(fakes.loop, "/run/p", fakes_tell, (void *) "w", &watch), 0);
        ck_assert_int_eq(pidfile_read("/run/p", &pid), PIDFILE_E_MISSING);
        world_write("/run/p", "");
        ck_assert_int_eq(pidfile_read("/run/p", &pid), PIDFILE_E_EMPTY);
        world_write("/run/p", "12x\n");
        ck_assert_int_eq(pidfile_read("/run/p", &pid), PIDFILE_E_GARBAGE);
        world_write("/run/p", NULL);
        ck_assert_int_eq(pidfile_read("/run/p", &pid), PIDFILE_E_LINK);
        world_write("/run/p", "1\n");
        ck_assert_int_eq(pidfile_read("/run/p", &pid), PIDFILE_E_FORBIDDEN);
        snprintf(own, sizeof(own), "%d\n", WORLD_SUPERVISOR);
        world_write("/run/p", own);
        ck_assert_int_eq(pidfile_read("/run/p", &pid), PIDFILE_E_FORBIDDEN);
        ck_assert_int_eq(pid, 0);
        world_write("/run/p", "123\n");
        ck_assert_int_eq(pidfile_read("/run/p", &pid), 0);
        ck_assert_int_eq(pid, 123);
        fake_run(fakes.loop);
        ck_assert_str_eq(fakes.story, "w"); /* many changes, one look */
        world_remove("/run/p");
        fake_run(fakes.loop);
        ck_assert_str_eq(fakes.story, "ww");
        pathwatch_free(watch);
}
END_TEST

static NotifySocket *notify;
static pid_t last_sender;

static int on_datagram(void *userdata, pid_t sender, int outcome, const NotifyMessage *message) {
        (void) userdata;
        last_sender = sender;
        strcat(fakes.story, outcome == 0 && message->ready ? "R" : outcome == 0 ? "m" : "?");
        return 0;
}

START_TEST(datagrams_come_before_the_death_of_their_sender) {
        static const FakeAct acts[] = {
                NOTIFY(SEC, "STATUS=x\n"),
                NOTIFY(SEC, "READY=1\n"),
                NOTIFY(SEC, "garbage"),
                EXIT(SEC, 0),
                { 0 },
        };
        PROGRAM(.path = "/p", .acts = acts);
        Process process = { 0 };

        ck_assert_int_eq(notify_socket_new(fakes.loop, "/run/n", 0, on_datagram, NULL, &notify), 0);
        Spawned spawned = fakes_start("/p", -1);
        reaper_add(fakes.reaper, &process, spawned.pid, fakes_tell_end, (void *) "end");
        fake_run(fakes.loop);
        ck_assert_str_eq(fakes.story, "mR?end");
        ck_assert_int_eq(last_sender, spawned.pid);
        fake_datagram("/run/other", 1, "READY=1\n");
        fake_run(fakes.loop);
        ck_assert_str_eq(fakes.story, "mR?end");
        notify = notify_socket_free(notify);
        fakes_let_go(&spawned);
}
END_TEST

START_TEST(sockets_listen_as_long_as_their_process_lives) {
        static const FakeAct acts[] = { LISTEN(SEC, 80), LISTEN_UNIX(SEC, "/run/s"), { 0 } };
        PROGRAM(.path = "/p", .acts = acts);
        SocketAddress tcp, path;
        bool listens = true;
        Tree *tree;
        int fd = -1;

        ck_assert_int_eq(socket_parse_tcp("127.0.0.1:80", &tcp), 0);
        ck_assert_int_eq(socket_parse_tcp("127.0.0.1:", &tcp), SOCKET_E_SYNTAX);
        ck_assert_int_eq(socket_parse_unix("/run/s", &path), 0);
        tree_new(fakes.loop, fakes.cgroups, "web", &tree);
        tree_prepare(tree);
        Spawned spawned = fakes_start("/p", tree_cgroup_fd(tree));
        ck_assert_int_eq(socket_connect(&tcp, &fd), SOCKET_E_REFUSED);
        ck_assert_int_eq(socket_tree_listens(tree, 0, &listens), 0);
        ck_assert(!listens);
        fake_run(fakes.loop);
        ck_assert_int_eq(socket_tree_listens(tree, 80, &listens), 0);
        ck_assert(listens);
        ck_assert_int_eq(socket_tree_listens(tree, 81, &listens), 0);
        ck_assert(!listens);
        ck_assert_int_eq(socket_connect(&tcp, &fd), 0);
        fd_close(fd);
        ck_assert_int_eq(socket_connect(&path, &fd), 0);
        fd_close(fd);
        tree_kill(tree);
        ck_assert_int_eq(socket_connect(&path, &fd), SOCKET_E_REFUSED);
        fake_run(fakes.loop);
        fakes_let_go(&spawned);
        tree_free(tree);
}
END_TEST

START_TEST(systemd_loses_patience_unless_it_is_asked) {
        notify_stopping("stopping");
        fake_run_for(fakes.loop, 15 * SEC);
        notify_extend(10 * SEC);
        fake_run_for(fakes.loop, 9 * SEC);
        ck_assert(!fake_notify_overdue());
        notify_extend(10 * SEC);
        fake_run_for(fakes.loop, 10 * SEC);
        ck_assert(!fake_notify_overdue());
        fake_run_for(fakes.loop, 1);
        ck_assert(fake_notify_overdue());
        notify_extend(100 * SEC); /* too late */
        ck_assert(fake_notify_overdue());
        ck_assert_uint_eq(fake_notify_count(NOTIFY_EXTEND), 3);
        ck_assert_str_eq(fake_notify_status(), "stopping");
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("fake_doors");
        TCase *loops = tcase_create("loop");
        TCase *trees = tcase_create("trees");
        TCase *others = tcase_create("others");

        tcase_add_checked_fixture(loops, fakes_setup, fakes_teardown);
        tcase_add_test(loops, timers_fire_in_order_and_on_time);
        tcase_add_test(loops, priorities_decide_within_an_instant);
        tcase_add_test(loops, an_open_descriptor_is_told_as_long_as_it_is_ready);
        tcase_add_test(loops, a_source_may_end_itself);
        tcase_add_test(loops, a_handler_that_fails_ends_the_loop);
        tcase_add_test_raise_signal(loops, a_busy_loop_is_loud, SIGABRT);
        suite_add_tcase(suite, loops);

        tcase_add_checked_fixture(trees, fakes_setup, fakes_teardown);
        tcase_add_test(trees, a_tree_tells_when_it_is_empty);
        tcase_add_test(trees, a_walked_tree_has_to_be_told);
        suite_add_tcase(suite, trees);

        tcase_add_checked_fixture(others, fakes_setup, fakes_teardown);
        tcase_add_test(others, pidfiles_are_what_was_written);
        tcase_add_test(others, datagrams_come_before_the_death_of_their_sender);
        tcase_add_test(others, sockets_listen_as_long_as_their_process_lives);
        tcase_add_test(others, systemd_loses_patience_unless_it_is_asked);
        suite_add_tcase(suite, others);
        return suite;
}

int main(void) {
        return unit_main_apart(make_suite());
}
