/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The fakes themselves: what the simulation proves is worth no more than the world it runs in.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/file.h"
#include "fake/fake.h"
#include "sys/notify.h"
#include "sys/notifysocket.h"
#include "sys/pathwatch.h"
#include "sys/pidfile.h"
#include "sys/pidref.h"
#include "sys/procfs.h"
#include "sys/socket.h"
#include "sys/tree.h"
#include "unit.h"

#define SEC USEC_PER_SEC
#define MS  USEC_PER_MSEC

static Loop *loop;
static Reaper *reaper;
static CgroupRoot *cgroups;
static usec_t zero; /* when the test began */
static unsigned descriptors;

static void begin(uint64_t seed) {
        const char *why;

        world_begin(seed);
        zero = world_now();
        ck_assert_int_eq(loop_new(&loop), 0);
        ck_assert_int_eq(reaper_new(loop, &reaper), 0);
        ck_assert_int_eq(cgroup_root_open("test", &cgroups, &why), 0);
}

static void setup(void) {
        descriptors = descriptor_count();
        begin(0);
}

static void end(void) {
        cgroups = cgroup_root_close(cgroups);
        reaper = reaper_free(reaper);
        ck_assert_uint_eq(fake_source_count(loop), 0);
        loop = loop_free(loop);
        world_end();
}

static void teardown(void) {
        end();
        ck_assert_uint_eq(descriptor_count(), descriptors);
}

/* ---- helpers ---- */

/* What handlers have written, in order. */
static char story[256];

static int tell(void *userdata) {
        strcat(story, userdata);
        return 0;
}

static int tell_io(void *userdata, uint32_t revents) {
        strcat(story, revents & (EPOLLIN | EPOLLOUT) ? userdata : "?");
        return 0;
}

static ExitStatus last_status;

static int on_end(void *userdata, const Process *process, const ExitStatus *status) {
        ck_assert_int_eq(process->pid, 0);
        last_status = *status;
        strcat(story, userdata);
        return 0;
}

static Spawned start(const char *path, int cgroup_fd) {
        char *command[] = { (char *) path, NULL };
        char *environment[] = { (char *) "NOTIFY_SOCKET=/run/n", NULL };
        Spawned spawned;

        ck_assert_int_eq(spawn(&(SpawnRequest) { .command = command, .environment = environment, .cgroup_fd = cgroup_fd }, &spawned), 0);
        return spawned;
}

static void let_go(Spawned *spawned) {
        fd_close(spawned->pidfd);
        fd_close(spawned->report_fd);
}

static const FakeProgram forever = { .path = "/forever" };

/* ---- processes ---- */

START_TEST(a_process_lives_and_is_reaped) {
        static const FakeAct acts[] = { { ACT_EXIT, 3 * SEC, 7, NULL, NULL }, { 0 } };
        world_add_program(&(FakeProgram) { .path = "/p", .exec_time = MS, .acts = acts });
        Process process = { 0 };
        SpawnReport report;

        Spawned spawned = start("/p", -1);
        reaper_add(reaper, &process, spawned.pid, on_end, (void *) "end");
        ck_assert_int_eq(spawn_report_read(spawned.report_fd, &report), -EAGAIN);
        fake_run_until(loop, zero + MS);
        ck_assert_int_eq(spawn_report_read(spawned.report_fd, &report), 0);
        ck_assert_int_eq(report.failed_step, SPAWN_STEP_NONE);
        fake_run_until(loop, zero + 3 * SEC);
        ck_assert_str_eq(story, "");
        fake_run_until(loop, zero + 3 * SEC + MS);
        ck_assert_str_eq(story, "end");
        ck_assert(last_status.known && !last_status.signaled);
        ck_assert_int_eq(last_status.code, 7);
        ck_assert_ptr_null(process_find(spawned.pid));
        let_go(&spawned);
}
END_TEST

START_TEST(what_cannot_be_executed_says_so_and_exits) {
        world_add_program(&(FakeProgram) {
                .path = "/p",
                .failing_step = SPAWN_STEP_USER,
                .error = EPERM,
        });
        Process process = { 0 };
        SpawnReport report;

        Spawned spawned = start("/p", -1);
        reaper_add(reaper, &process, spawned.pid, on_end, (void *) "end");
        fake_run(loop);
        ck_assert_int_eq(spawn_report_read(spawned.report_fd, &report), 0);
        ck_assert_int_eq(report.failed_step, SPAWN_STEP_USER);
        ck_assert_int_eq(report.error, EPERM);
        ck_assert_int_eq(last_status.code, 127);
        let_go(&spawned);

        spawned = start("/nobody/knows", -1);
        fake_run(loop);
        ck_assert_int_eq(spawn_report_read(spawned.report_fd, &report), 0);
        ck_assert_int_eq(report.error, ENOENT);
        let_go(&spawned);
}
END_TEST

START_TEST(a_report_ends_with_a_process_killed_before_its_exec) {
        world_add_program(&(FakeProgram) { .path = "/p", .exec_time = SEC });
        SpawnReport report;

        Spawned spawned = start("/p", -1);
        process_signal(process_find(spawned.pid), SIGKILL);
        ck_assert_int_eq(spawn_report_read(spawned.report_fd, &report), 0);
        ck_assert_int_eq(report.failed_step, SPAWN_STEP_NONE);
        fake_run(loop);
        let_go(&spawned);
}
END_TEST

START_TEST(children_that_die_together_are_one_signal) {
        static const FakeAct acts[] = { { ACT_EXIT, SEC, 0, NULL, NULL }, { 0 } };
        world_add_program(&(FakeProgram) { .path = "/p", .acts = acts });
        Process processes[5] = { { 0 } };
        Spawned spawned[5];

        for (size_t i = 0; i < 5; i++) {
                spawned[i] = start("/p", -1);
                reaper_add(reaper, &processes[i], spawned[i].pid, on_end, (void *) "x");
        }
        fake_run(loop);
        ck_assert_str_eq(story, "xxxxx");
        ck_assert_uint_eq(fake_loop_dispatched(loop), 1);
        for (size_t i = 0; i < 5; i++)
                let_go(&spawned[i]);
}
END_TEST

static unsigned strangers_seen;

static int on_reaped(void *userdata, unsigned strangers) {
        (void) userdata;
        strangers_seen += strangers;
        return 0;
}

START_TEST(orphans_and_dead_orphans_come_to_us) {
        static const FakeAct grandchild[] = { { ACT_EXIT, 2 * SEC, 0, NULL, NULL }, { 0 } };
        static const FakeAct zombie[] = { { ACT_EXIT, 0, 0, NULL, NULL }, { 0 } };
        static const FakeAct parent[] = {
                { ACT_FORK_SESSION, 0, 0, "/grandchild", NULL },
                { ACT_FORK, 0, 0, "/zombie", NULL },
                { ACT_EXIT, SEC, 0, NULL, NULL },
                { 0 },
        };
        world_add_program(&(FakeProgram) { .path = "/grandchild", .acts = grandchild });
        world_add_program(&(FakeProgram) { .path = "/zombie", .acts = zombie });
        world_add_program(&(FakeProgram) { .path = "/parent", .acts = parent, .negligent = true });
        reaper_on_reaped(reaper, on_reaped, NULL);

        Spawned spawned = start("/parent", -1);
        fake_run_until(loop, zero + SEC / 2);
        pid_t grandchild_pid = spawned.pid + 1;
        ProcStat stat;
        ck_assert_int_eq(procfs_stat(grandchild_pid, &stat), 0);
        ck_assert_int_eq(stat.ppid, spawned.pid);
        ck_assert_int_eq(stat.sid, grandchild_pid);
        ck_assert_int_eq(procfs_stat(spawned.pid + 2, &stat), 0);
        ck_assert_int_eq(stat.state, 'Z');
        ck_assert_int_eq(stat.sid, spawned.pid);

        fake_run_until(loop, zero + 3 * SEC / 2);
        ck_assert_uint_eq(strangers_seen, 2);
        ck_assert_int_eq(procfs_stat(grandchild_pid, &stat), 0);
        ck_assert_int_eq(stat.ppid, WORLD_SUPERVISOR);
        fake_run(loop);
        ck_assert_uint_eq(strangers_seen, 3);
        ck_assert_uint_eq(world_descendants(), 0);
        let_go(&spawned);
}
END_TEST

START_TEST(signals_do_what_the_script_says) {
        static const FakeAct slow[] = { { ACT_EXIT, 2 * SEC, 3, NULL, NULL }, { 0 } };
        static const FakeReaction reactions[] = { { SIGTERM, slow }, { SIGHUP, NULL }, { 0 } };
        world_add_program(&(FakeProgram) { .path = "/p", .reactions = reactions });
        Process process = { 0 };

        Spawned spawned = start("/p", -1);
        reaper_add(reaper, &process, spawned.pid, on_end, (void *) "end");
        fake_run(loop);
        PidRef ref;
        ck_assert_int_eq(pidref_take(spawned.pid, spawned.pidfd, &ref), 0);
        ck_assert_int_eq(pidref_signal(&ref, SIGHUP), 0);
        ck_assert_int_eq(pidref_signal(&ref, SIGWINCH), 0);
        fake_run(loop);
        ck_assert(pidref_is_alive(&ref));
        ck_assert_int_eq(pidref_signal(&ref, SIGTERM), 0);
        fake_run_for(loop, 2 * SEC - 1);
        ck_assert(pidref_is_alive(&ref));
        fake_run_for(loop, 1);
        ck_assert(!pidref_is_alive(&ref));
        ck_assert_int_eq(last_status.code, 3);
        ck_assert_int_eq(pidref_signal(&ref, SIGTERM), PIDREF_E_GONE);
        pidref_done(&ref);
        fd_close(spawned.report_fd);
}
END_TEST

START_TEST(a_blocked_process_hears_even_kill_later) {
        static const FakeAct acts[] = { { ACT_BLOCK, 0, (int64_t) (5 * SEC), NULL, NULL }, { 0 } };
        world_add_program(&(FakeProgram) { .path = "/p", .acts = acts });
        Process process = { 0 };

        Spawned spawned = start("/p", -1);
        reaper_add(reaper, &process, spawned.pid, on_end, (void *) "end");
        fake_run_for(loop, SEC);
        process_signal(process_find(spawned.pid), SIGKILL);
        fake_run_for(loop, 4 * SEC - 1);
        ck_assert_str_eq(story, "");
        fake_run_for(loop, 1);
        ck_assert_str_eq(story, "end");
        ck_assert(last_status.signaled);
        ck_assert_int_eq(last_status.code, SIGKILL);
        let_go(&spawned);
}
END_TEST

START_TEST(a_parent_may_wait_for_its_children) {
        static const FakeAct worker_end[] = { { ACT_EXIT, SEC, 0, NULL, NULL }, { 0 } };
        static const FakeReaction worker[] = { { SIGTERM, worker_end }, { 0 } };
        static const FakeAct master_end[] = {
                { ACT_SIGNAL_CHILDREN, 0, SIGTERM, NULL, NULL },
                { ACT_EXIT_ALONE, 0, 0, NULL, NULL },
                { 0 },
        };
        static const FakeReaction master[] = { { SIGQUIT, master_end }, { 0 } };
        static const FakeAct acts[] = { { ACT_FORK, 0, 0, "/worker", NULL },
                                        { ACT_FORK, 0, 0, "/worker", NULL }, { 0 } };
        world_add_program(&(FakeProgram) { .path = "/worker", .reactions = worker });
        world_add_program(&(FakeProgram) { .path = "/master", .acts = acts, .reactions = master });

        Spawned spawned = start("/master", -1);
        fake_run(loop);
        ck_assert_uint_eq(world_descendants(), 1); /* without a tree only the first is ours */
        process_signal(process_find(spawned.pid), SIGQUIT);
        fake_run_for(loop, SEC - 1);
        ck_assert(process_is_alive(process_find(spawned.pid)));
        fake_run(loop);
        ck_assert_ptr_null(process_find(spawned.pid));
        let_go(&spawned);
}
END_TEST

START_TEST(numbers_are_used_again_but_never_twice_at_once) {
        world_add_program(&forever);
        Spawned keeper = start("/forever", -1);
        pid_t first = 0;
        bool again = false;

        for (int i = 0; i < 3000; i++) {
                FakeProcess *process = process_add(1, "", NULL);
                ck_assert_int_ne(process->pid, keeper.pid);
                ck_assert_int_ne(process->pid, WORLD_SUPERVISOR);
                again |= process->pid == first;
                first = first ? first : process->pid;
                process_reap(process);
        }
        ck_assert(again);
        process_signal(process_find(keeper.pid), SIGKILL);
        fake_run(loop);
        let_go(&keeper);
}
END_TEST

START_TEST(an_identity_is_never_that_of_a_successor) {
        FakeProcess *process = process_add(1, "", NULL);
        PidRef ref = PIDREF_NONE;

        ck_assert_int_eq(pidref_open(process->pid, &ref), 0);
        process_reap(process);
        FakeProcess *other = process_add(1, "", NULL);
        ck_assert_ptr_eq(other, process);
        ck_assert(!pidref_is_alive(&ref));
        ck_assert_int_eq(pidref_signal(&ref, SIGKILL), PIDREF_E_GONE);
        ck_assert(process_is_alive(other));
        pidref_done(&ref);
}
END_TEST

START_TEST(harm_to_strangers_is_counted) {
        FakeProcess *stranger = process_add(1, "", NULL);

        ck_assert_uint_eq(world_harmed(), 0);
        process_signal(stranger, SIGTERM);
        ck_assert_uint_eq(world_harmed(), 1);
}
END_TEST

/* ---- the loop ---- */

START_TEST(timers_fire_in_order_and_on_time) {
        LoopSource *a, *b, *c;

        loop_add_timer(loop, &a, LOOP_TIMER, "a", tell, (void *) "a");
        loop_add_timer(loop, &b, LOOP_TIMER, "b", tell, (void *) "b");
        loop_add_timer(loop, &c, LOOP_TIMER, "c", tell, (void *) "c");
        loop_timer_set(a, zero + 3 * SEC);
        loop_timer_set(b, zero + 1 * SEC);
        loop_timer_set(c, zero + 2 * SEC);
        ck_assert_uint_eq(fake_timer_count(loop), 3);
        ck_assert_uint_eq(loop_timer_get(c), zero + 2 * SEC);

        fake_run_until(loop, zero + 2 * SEC - 1);
        ck_assert_str_eq(story, "b");
        fake_run_until(loop, zero + 2 * SEC);
        ck_assert_str_eq(story, "bc");
        ck_assert_uint_eq(clock_now(), zero + 2 * SEC);
        loop_timer_disarm(a);
        loop_timer_set(b, zero); /* in the past: at once, and once */
        fake_run(loop);
        ck_assert_str_eq(story, "bcb");
        ck_assert_uint_eq(loop_now(loop), zero + 2 * SEC);
        ck_assert_uint_eq(loop_timer_get(b), USEC_INFINITY);
        loop_source_free(a);
        loop_source_free(b);
        loop_source_free(c);
}
END_TEST

START_TEST(priorities_decide_within_an_instant) {
        LoopSource *timer, *settle, *probe, *stop;

        loop_add_defer(loop, &settle, LOOP_SETTLE, "settle", tell, (void *) "s");
        loop_add_timer(loop, &probe, LOOP_PROBE, "probe", tell, (void *) "p");
        loop_add_timer(loop, &timer, LOOP_TIMER, "timer", tell, (void *) "t");
        loop_add_signal(loop, &stop, SIGTERM, LOOP_STOP, "stop", tell, (void *) "T");
        loop_defer_arm(settle);
        loop_defer_arm(settle);
        loop_timer_set(probe, zero);
        loop_timer_set(timer, zero);
        fake_signal(SIGTERM);
        fake_signal(SIGTERM);
        fake_run(loop);
        ck_assert_str_eq(story, "Ttps");
        loop_source_free(timer);
        loop_source_free(settle);
        loop_source_free(probe);
        loop_source_free(stop);
}
END_TEST

START_TEST(an_open_descriptor_is_told_as_long_as_it_is_ready) {
        static const FakeAct acts[] = { { ACT_EXIT, SEC, 0, NULL, NULL }, { 0 } };
        world_add_program(&(FakeProgram) { .path = "/p", .acts = acts });
        LoopSource *report, *pidfd;

        Spawned spawned = start("/p", -1);
        loop_add_io(loop, &report, spawned.report_fd, EPOLLIN, LOOP_SPAWN, "r", tell_io, (void *) "r");
        loop_add_io(loop, &pidfd, spawned.pidfd, EPOLLIN, LOOP_PROCESS, "p", tell_io, (void *) "p");
        for (int i = 0; i < 4; i++)
                ck_assert(fake_step(loop));
        ck_assert_str_eq(story, "rrr");
        loop_source_free(report);
        story[0] = '\0';
        for (int i = 0; i < 5; i++)
                fake_step(loop);
        ck_assert_str_eq(story, "ppp");
        loop_source_free(pidfd);
        fake_run(loop);
        let_go(&spawned);
}
END_TEST

static LoopSource *suicidal;

static int free_self(void *userdata) {
        suicidal = loop_source_free(suicidal);
        return tell(userdata);
}

START_TEST(a_source_may_end_itself) {
        loop_add_timer(loop, &suicidal, LOOP_TIMER, "self", free_self, (void *) "x");
        loop_timer_set(suicidal, zero + SEC);
        fake_run(loop);
        ck_assert_str_eq(story, "x");
        ck_assert_uint_eq(fake_source_count(loop), 1); /* the reaper's */
        ck_assert_str_eq(fake_source_name(loop, 0), "reaper");
}
END_TEST

static int fail_handler(void *userdata) {
        (void) userdata;
        return -ENOBUFS;
}

START_TEST(a_handler_that_fails_ends_the_loop) {
        LoopSource *timer;

        loop_add_timer(loop, &timer, LOOP_TIMER, "fail", fail_handler, NULL);
        ck_assert_int_eq(loop_run(loop), -EDEADLK); /* nothing would ever happen */
        loop_timer_set(timer, zero);
        ck_assert_int_eq(loop_run(loop), -ENOBUFS);
        ck_assert(fake_loop_exited(loop));
        loop_source_free(timer);
}
END_TEST

static int turn(void *userdata) {
        LoopSource **source = userdata;

        return loop_defer_arm(*source);
}

START_TEST(a_busy_loop_is_loud) {
        LoopSource *source;

        loop_add_defer(loop, &source, LOOP_SETTLE, "mill", turn, &source);
        loop_defer_arm(source);
        fake_run(loop);
}
END_TEST

/* ---- trees ---- */

START_TEST(a_tree_tells_when_it_is_empty) {
        static const FakeAct acts[] = {
                { ACT_FORK_SESSION, 0, 0, "/worker", NULL },
                { ACT_EXIT, SEC, 0, NULL, NULL },
                { 0 },
        };
        static const FakeAct worker[] = { { ACT_EXIT, 2 * SEC, 0, NULL, NULL }, { 0 } };
        world_add_program(&(FakeProgram) { .path = "/p", .acts = acts });
        world_add_program(&(FakeProgram) { .path = "/worker", .acts = worker });
        Tree *tree;

        ck_assert_int_eq(tree_new(loop, cgroups, "web", &tree), 0);
        ck_assert_int_eq(tree_cgroup_fd(tree), -1);
        ck_assert_int_eq(tree_prepare(tree), 0);
        Spawned spawned = start("/p", tree_cgroup_fd(tree));
        ck_assert(tree_contains(tree, spawned.pid));
        ck_assert_int_eq(tree_watch(tree, tell, (void *) "e"), 0);
        fake_run_until(loop, zero + SEC);
        ck_assert(!tree_contains(tree, spawned.pid));
        ck_assert(!tree_is_empty(tree));
        ck_assert_int_eq(tree_prepare(tree), TREE_E_POPULATED);
        ck_assert_int_eq(tree_release(tree), TREE_E_BUSY);
        fake_run(loop);
        ck_assert_str_eq(story, "e");
        ck_assert(tree_is_empty(tree));
        ck_assert_uint_eq(fake_cgroup_count(true), 1);
        ck_assert_int_eq(tree_release(tree), 0);
        ck_assert_uint_eq(fake_cgroup_count(true), 0);
        let_go(&spawned);
        tree_free(tree);
}
END_TEST

START_TEST(a_walked_tree_has_to_be_told) {
        world_add_program(&forever);
        char *command[] = { (char *) "/forever", NULL };
        char *environment[] = { (char *) "SUPERVISOR_INVOCATION=abc", NULL };
        Spawned spawned;
        Tree *tree;

        ck_assert_int_eq(tree_new(loop, NULL, "web", &tree), 0);
        ck_assert_int_eq(tree_prepare(tree), 0);
        tree_set_invocation(tree, "SUPERVISOR_INVOCATION=abc");
        ck_assert_int_eq(spawn(&(SpawnRequest) { .command = command, .environment = environment, .cgroup_fd = -1 }, &spawned), 0);
        ck_assert(tree_contains(tree, spawned.pid));
        ck_assert_int_eq(tree_watch(tree, tell, (void *) "e"), 0);
        ck_assert_int_eq(tree_kill(tree), 0);
        fake_run(loop);
        ck_assert_str_eq(story, "");
        tree_child_reaped(tree);
        fake_run(loop);
        ck_assert_str_eq(story, "e");
        let_go(&spawned);
        tree_free(tree);
}
END_TEST

/* ---- files, datagrams, sockets, systemd ---- */

START_TEST(pidfiles_are_what_was_written) {
        PathWatch *watch;
        pid_t pid = 0;
        char own[16];

        ck_assert_int_eq(pathwatch_new(loop, "/run/p", tell, (void *) "w", &watch), 0);
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
        fake_run(loop);
        ck_assert_str_eq(story, "w"); /* many changes, one look */
        world_remove("/run/p");
        fake_run(loop);
        ck_assert_str_eq(story, "ww");
        pathwatch_free(watch);
}
END_TEST

static NotifySocket *notify;
static pid_t last_sender;

static int on_datagram(void *userdata, pid_t sender, int outcome, const NotifyMessage *message) {
        (void) userdata;
        last_sender = sender;
        strcat(story, outcome == 0 && message->ready ? "R" : outcome == 0 ? "m" : "?");
        return 0;
}

START_TEST(datagrams_come_before_the_death_of_their_sender) {
        static const FakeAct acts[] = {
                { ACT_NOTIFY, SEC, 0, NULL, "STATUS=x\n" },
                { ACT_NOTIFY, SEC, 0, NULL, "READY=1\n" },
                { ACT_NOTIFY, SEC, 0, NULL, "garbage" },
                { ACT_EXIT, SEC, 0, NULL, NULL },
                { 0 },
        };
        world_add_program(&(FakeProgram) { .path = "/p", .acts = acts });
        Process process = { 0 };

        ck_assert_int_eq(notify_socket_new(loop, "/run/n", 0, on_datagram, NULL, &notify), 0);
        Spawned spawned = start("/p", -1);
        reaper_add(reaper, &process, spawned.pid, on_end, (void *) "end");
        fake_run(loop);
        ck_assert_str_eq(story, "mR?end");
        ck_assert_int_eq(last_sender, spawned.pid);
        fake_datagram("/run/other", 1, "READY=1\n");
        fake_run(loop);
        ck_assert_str_eq(story, "mR?end");
        notify = notify_socket_free(notify);
        let_go(&spawned);
}
END_TEST

START_TEST(sockets_listen_as_long_as_their_process_lives) {
        static const FakeAct acts[] = { { ACT_LISTEN, SEC, 80, NULL, NULL },
                                        { ACT_LISTEN, SEC, 0, "/run/s", NULL }, { 0 } };
        world_add_program(&(FakeProgram) { .path = "/p", .acts = acts });
        SocketAddress tcp, path;
        bool listens = true;
        Tree *tree;
        int fd = -1;

        ck_assert_int_eq(socket_parse_tcp("127.0.0.1:80", &tcp), 0);
        ck_assert_int_eq(socket_parse_tcp("127.0.0.1:", &tcp), SOCKET_E_SYNTAX);
        ck_assert_int_eq(socket_parse_unix("/run/s", &path), 0);
        tree_new(loop, cgroups, "web", &tree);
        tree_prepare(tree);
        Spawned spawned = start("/p", tree_cgroup_fd(tree));
        ck_assert_int_eq(socket_connect(&tcp, &fd), SOCKET_E_REFUSED);
        ck_assert_int_eq(socket_tree_listens(tree, 0, &listens), 0);
        ck_assert(!listens);
        fake_run(loop);
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
        fake_run(loop);
        let_go(&spawned);
        tree_free(tree);
}
END_TEST

START_TEST(systemd_loses_patience_unless_it_is_asked) {
        notify_stopping("stopping");
        fake_run_for(loop, 15 * SEC);
        notify_extend(10 * SEC);
        fake_run_for(loop, 9 * SEC);
        ck_assert(!fake_notify_overdue());
        notify_extend(10 * SEC);
        fake_run_for(loop, 10 * SEC);
        ck_assert(!fake_notify_overdue());
        fake_run_for(loop, 1);
        ck_assert(fake_notify_overdue());
        notify_extend(100 * SEC); /* too late */
        ck_assert(fake_notify_overdue());
        ck_assert_uint_eq(fake_notify_count(NOTIFY_EXTEND), 3);
        ck_assert_str_eq(fake_notify_status(), "stopping");
}
END_TEST

/* ---- doors and seeds ---- */

START_TEST(doors_fail_when_they_shall) {
        PidRef ref = PIDREF_NONE;
        pid_t pid = process_add(1, "", NULL)->pid;

        fake_fail(DOOR_PIDREF_OPEN, EMFILE, 2, 2);
        ck_assert_int_eq(pidref_open(pid, &ref), 0);
        pidref_done(&ref);
        ck_assert_int_eq(pidref_open(pid, &ref), -EMFILE);
        ck_assert_int_eq(pidref_open(pid, &ref), -EMFILE);
        ck_assert(!pidref_is_set(&ref));
        ck_assert_int_eq(pidref_open(pid, &ref), 0);
        pidref_done(&ref);
        ck_assert_uint_eq(fake_door_count(DOOR_PIDREF_OPEN), 4);
}
END_TEST

/* A death and a timer at the same instant, told as a story. */
static void play_at_one_instant(uint64_t seed, char ret[static 8]) {
        static const FakeAct acts[] = { { ACT_EXIT, SEC, 0, NULL, NULL }, { 0 } };
        static const FakeProgram program = { .path = "/p", .acts = acts };
        Process process = { 0 };
        LoopSource *timer;

        end();
        begin(seed);
        story[0] = '\0';
        world_add_program(&program);
        loop_add_timer(loop, &timer, LOOP_TIMER, "t", tell, (void *) "t");
        loop_timer_set(timer, zero + SEC);
        Spawned spawned = start("/p", -1);
        reaper_add(reaper, &process, spawned.pid, on_end, (void *) "e");
        fake_run(loop);
        memcpy(ret, story, 3);
        loop_source_free(timer);
        let_go(&spawned);
}

START_TEST(a_seed_decides_what_comes_first) {
        unsigned death_first = 0, timer_first = 0;
        char one[8], two[8];

        for (uint64_t seed = 1; seed <= 100; seed++) {
                play_at_one_instant(seed, one);
                play_at_one_instant(seed, two);
                ck_assert_str_eq(one, two);
                death_first += strcmp(one, "et") == 0;
                timer_first += strcmp(one, "te") == 0;
        }
        ck_assert_uint_eq(death_first + timer_first, 100);
        ck_assert_uint_gt(death_first, 10);
        ck_assert_uint_gt(timer_first, 10);

        play_at_one_instant(0, one);
        ck_assert_str_eq(one, "et");
}
END_TEST

START_TEST(a_machine_that_slept_finds_everything_late) {
        LoopSource *timer;

        loop_add_timer(loop, &timer, LOOP_TIMER, "t", tell, (void *) "t");
        loop_timer_set(timer, zero + SEC);
        world_jump(10 * SEC);
        fake_run(loop);
        ck_assert_str_eq(story, "t");
        ck_assert_uint_eq(world_now(), zero + 10 * SEC);
        loop_source_free(timer);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("fake_world");
        TCase *processes = tcase_create("processes");
        TCase *loops = tcase_create("loop");
        TCase *others = tcase_create("others");

        tcase_add_checked_fixture(processes, setup, teardown);
        tcase_add_test(processes, a_process_lives_and_is_reaped);
        tcase_add_test(processes, what_cannot_be_executed_says_so_and_exits);
        tcase_add_test(processes, a_report_ends_with_a_process_killed_before_its_exec);
        tcase_add_test(processes, children_that_die_together_are_one_signal);
        tcase_add_test(processes, orphans_and_dead_orphans_come_to_us);
        tcase_add_test(processes, signals_do_what_the_script_says);
        tcase_add_test(processes, a_blocked_process_hears_even_kill_later);
        tcase_add_test(processes, a_parent_may_wait_for_its_children);
        tcase_add_test(processes, numbers_are_used_again_but_never_twice_at_once);
        tcase_add_test(processes, an_identity_is_never_that_of_a_successor);
        tcase_add_test(processes, harm_to_strangers_is_counted);
        suite_add_tcase(suite, processes);

        tcase_add_checked_fixture(loops, setup, teardown);
        tcase_add_test(loops, timers_fire_in_order_and_on_time);
        tcase_add_test(loops, priorities_decide_within_an_instant);
        tcase_add_test(loops, an_open_descriptor_is_told_as_long_as_it_is_ready);
        tcase_add_test(loops, a_source_may_end_itself);
        tcase_add_test(loops, a_handler_that_fails_ends_the_loop);
        tcase_add_test_raise_signal(loops, a_busy_loop_is_loud, SIGABRT);
        suite_add_tcase(suite, loops);

        tcase_add_checked_fixture(others, setup, teardown);
        tcase_add_test(others, a_tree_tells_when_it_is_empty);
        tcase_add_test(others, a_walked_tree_has_to_be_told);
        tcase_add_test(others, pidfiles_are_what_was_written);
        tcase_add_test(others, datagrams_come_before_the_death_of_their_sender);
        tcase_add_test(others, sockets_listen_as_long_as_their_process_lives);
        tcase_add_test(others, systemd_loses_patience_unless_it_is_asked);
        tcase_add_test(others, doors_fail_when_they_shall);
        tcase_add_test(others, a_seed_decides_what_comes_first);
        tcase_add_test(others, a_machine_that_slept_finds_everything_late);
        suite_add_tcase(suite, others);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
