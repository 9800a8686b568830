/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The fake world itself: its processes, its doors that fail, and what a seed decides. What the
 * simulation proves is worth no more than the world it runs in.
 */

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/file.h"
#include "fake/script.h"
#include "fakes.h"
#include "sys/pidref.h"
#include "sys/procfs.h"
#include "unit.h"

/* ---- processes ---- */

START_TEST(a_process_lives_and_is_reaped) {
        static const FakeAct acts[] = { EXIT(3 * SEC, 7), { 0 } };
        PROGRAM(.path = "/p", .exec_time = MS, .acts = acts);
        Process process = { 0 };
        SpawnReport report;

        Spawned spawned = fakes_start("/p", -1);
        reaper_add(fakes.reaper, &process, spawned.pid, fakes_tell_end, (void *) "end");
        ck_assert_int_eq(spawn_report_read(spawned.report_fd, &report), -EAGAIN);
        fake_run_until(fakes.loop, fakes.zero + MS);
        ck_assert_int_eq(spawn_report_read(spawned.report_fd, &report), 0);
        ck_assert_int_eq(report.failed_step, SPAWN_STEP_NONE);
        fake_run_until(fakes.loop, fakes.zero + 3 * SEC);
        ck_assert_str_eq(fakes.story, "");
        fake_run_until(fakes.loop, fakes.zero + 3 * SEC + MS);
        ck_assert_str_eq(fakes.story, "end");
        ck_assert(fakes.last_status.known && !fakes.last_status.signaled);
        ck_assert_int_eq(fakes.last_status.code, 7);
        ck_assert_ptr_null(process_find(spawned.pid));
        fakes_let_go(&spawned);
}
END_TEST

START_TEST(what_cannot_be_executed_says_so_and_exits) {
        world_add_program(&(FakeProgram){
                .path = "/p",
                .exec_time = MS,
                .failing_step = SPAWN_STEP_USER,
                .error = EPERM,
        });
        Process process = { 0 };
        SpawnReport report;

        Spawned spawned = fakes_start("/p", -1);
        reaper_add(fakes.reaper, &process, spawned.pid, fakes_tell_end, (void *) "end");
        fake_run(fakes.loop);
        ck_assert_int_eq(spawn_report_read(spawned.report_fd, &report), 0);
        ck_assert_int_eq(report.failed_step, SPAWN_STEP_USER);
        ck_assert_int_eq(report.error, EPERM);
        ck_assert_int_eq(fakes.last_status.code, 127);
        fakes_let_go(&spawned);

        /* where that takes no time it is known at once */
        spawned = fakes_start("/nobody/knows", -1);
        ck_assert_int_eq(spawned.report_fd, -1);
        ck_assert_int_eq(spawned.report.error, ENOENT);
        fake_run(fakes.loop);
        fakes_let_go(&spawned);
}
END_TEST

START_TEST(a_report_ends_with_a_process_killed_before_its_exec) {
        PROGRAM(.path = "/p", .exec_time = SEC);
        SpawnReport report;

        Spawned spawned = fakes_start("/p", -1);
        process_signal(process_find(spawned.pid), SIGKILL);
        ck_assert_int_eq(spawn_report_read(spawned.report_fd, &report), 0);
        ck_assert_int_eq(report.failed_step, SPAWN_STEP_NONE);
        fake_run(fakes.loop);
        fakes_let_go(&spawned);
}
END_TEST

START_TEST(children_that_die_together_are_one_signal) {
        static const FakeAct acts[] = { EXIT(SEC, 0), { 0 } };
        PROGRAM(.path = "/p", .acts = acts);
        Process processes[5] = { { 0 } };
        Spawned spawned[5];

        for (size_t i = 0; i < 5; i++) {
                spawned[i] = fakes_start("/p", -1);
                reaper_add(fakes.reaper, &processes[i], spawned[i].pid, fakes_tell_end,
                           (void *) "x");
        }
        fake_run(fakes.loop);
        ck_assert_str_eq(fakes.story, "xxxxx");
        ck_assert_uint_eq(fake_loop_dispatched(fakes.loop), 1);
        for (size_t i = 0; i < 5; i++)
                fakes_let_go(&spawned[i]);
}
END_TEST

static unsigned strangers_seen;

static int on_reaped(void *userdata, unsigned strangers) {
        (void) userdata;
        strangers_seen += strangers;
        return 0;
}

START_TEST(orphans_and_dead_orphans_come_to_us) {
        static const FakeAct grandchild[] = { EXIT(2 * SEC, 0), { 0 } };
        static const FakeAct zombie[] = { EXIT(0, 0), { 0 } };
        static const FakeAct parent[] = {
                FORK_SESSION(0, "/grandchild"),
                FORK(0, "/zombie"),
                EXIT(SEC, 0),
                { 0 },
        };
        PROGRAM(.path = "/grandchild", .acts = grandchild);
        PROGRAM(.path = "/zombie", .acts = zombie);
        PROGRAM(.path = "/parent", .acts = parent, .negligent = true);
        reaper_on_reaped(fakes.reaper, on_reaped, NULL);

        Spawned spawned = fakes_start("/parent", -1);
        fake_run_until(fakes.loop, fakes.zero + SEC / 2);
        pid_t grandchild_pid = spawned.pid + 1;
        ProcStat stat;
        ck_assert_int_eq(procfs_stat(grandchild_pid, &stat), 0);
        ck_assert_int_eq(stat.ppid, spawned.pid);
        ck_assert_int_eq(stat.sid, grandchild_pid);
        ck_assert_int_eq(procfs_stat(spawned.pid + 2, &stat), 0);
        ck_assert_int_eq(stat.state, 'Z');
        ck_assert_int_eq(stat.sid, spawned.pid);

        fake_run_until(fakes.loop, fakes.zero + 3 * SEC / 2);
        ck_assert_uint_eq(strangers_seen, 2);
        ck_assert_int_eq(procfs_stat(grandchild_pid, &stat), 0);
        ck_assert_int_eq(stat.ppid, WORLD_SUPERVISOR);
        fake_run(fakes.loop);
        ck_assert_uint_eq(strangers_seen, 3);
        ck_assert_uint_eq(world_descendants(), 0);
        fakes_let_go(&spawned);
}
END_TEST

START_TEST(signals_do_what_the_script_says) {
        static const FakeAct slow[] = { EXIT(2 * SEC, 3), { 0 } };
        static const FakeReaction reactions[] = { { SIGTERM, slow }, { SIGHUP, NULL }, { 0 } };
        PROGRAM(.path = "/p", .reactions = reactions);
        Process process = { 0 };

        Spawned spawned = fakes_start("/p", -1);
        reaper_add(fakes.reaper, &process, spawned.pid, fakes_tell_end, (void *) "end");
        fake_run(fakes.loop);
        PidRef ref;
        ck_assert_int_eq(pidref_take(spawned.pid, spawned.pidfd, &ref), 0);
        ck_assert_int_eq(pidref_signal(&ref, SIGHUP), 0);
        ck_assert_int_eq(pidref_signal(&ref, SIGWINCH), 0);
        fake_run(fakes.loop);
        ck_assert(pidref_is_alive(&ref));
        ck_assert_int_eq(pidref_signal(&ref, SIGTERM), 0);
        fake_run_for(fakes.loop, 2 * SEC - 1);
        ck_assert(pidref_is_alive(&ref));
        fake_run_for(fakes.loop, 1);
        ck_assert(!pidref_is_alive(&ref));
        ck_assert_int_eq(fakes.last_status.code, 3);
        ck_assert_int_eq(pidref_signal(&ref, SIGTERM), PIDREF_E_GONE);
        pidref_done(&ref);
        fd_close(spawned.report_fd);
}
END_TEST

START_TEST(a_blocked_process_hears_even_kill_later) {
        static const FakeAct acts[] = { BLOCK(0, 5 * SEC), { 0 } };
        PROGRAM(.path = "/p", .acts = acts);
        Process process = { 0 };

        Spawned spawned = fakes_start("/p", -1);
        reaper_add(fakes.reaper, &process, spawned.pid, fakes_tell_end, (void *) "end");
        fake_run_for(fakes.loop, SEC);
        process_signal(process_find(spawned.pid), SIGKILL);
        fake_run_for(fakes.loop, 4 * SEC - 1);
        ck_assert_str_eq(fakes.story, "");
        fake_run_for(fakes.loop, 1);
        ck_assert_str_eq(fakes.story, "end");
        ck_assert(fakes.last_status.signaled);
        ck_assert_int_eq(fakes.last_status.code, SIGKILL);
        fakes_let_go(&spawned);
}
END_TEST

START_TEST(a_parent_may_wait_for_its_children) {
        static const FakeAct worker_end[] = { EXIT(SEC, 0), { 0 } };
        static const FakeReaction worker[] = { { SIGTERM, worker_end }, { 0 } };
        static const FakeAct master_end[] = {
                SIGNAL_CHILDREN(0, SIGTERM),
                EXIT_ALONE(0),
                { 0 },
        };
        static const FakeReaction master[] = { { SIGQUIT, master_end }, { 0 } };
        static const FakeAct acts[] = { FORK(0, "/worker"), FORK(0, "/worker"), { 0 } };
        PROGRAM(.path = "/worker", .reactions = worker);
        PROGRAM(.path = "/master", .acts = acts, .reactions = master);

        Spawned spawned = fakes_start("/master", -1);
        fake_run(fakes.loop);
        ck_assert_uint_eq(world_descendants(), 1); /* without a tree only the first is ours */
        process_signal(process_find(spawned.pid), SIGQUIT);
        fake_run_for(fakes.loop, SEC - 1);
        ck_assert(process_is_alive(process_find(spawned.pid)));
        fake_run(fakes.loop);
        ck_assert_ptr_null(process_find(spawned.pid));
        fakes_let_go(&spawned);
}
END_TEST

START_TEST(numbers_are_used_again_but_never_twice_at_once) {
        PROGRAM(.path = "/forever");
        Spawned keeper = fakes_start("/forever", -1);
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
        fake_run(fakes.loop);
        fakes_let_go(&keeper);
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
        static const FakeAct acts[] = { EXIT(SEC, 0), { 0 } };
        static const FakeProgram program = { .path = "/p", .acts = acts };
        Process process = { 0 };
        LoopSource *timer;

        fakes_end();
        fakes_begin(seed);
        fakes.story[0] = '\0';
        world_add_program(&program);
        loop_add_timer(fakes.loop, &timer, LOOP_TIMER, "t", fakes_tell, (void *) "t");
        loop_timer_set(timer, fakes.zero + SEC);
        Spawned spawned = fakes_start("/p", -1);
        reaper_add(fakes.reaper, &process, spawned.pid, fakes_tell_end, (void *) "e");
        fake_run(fakes.loop);
        memcpy(ret, fakes.story, 3);
        loop_source_free(timer);
        fakes_let_go(&spawned);
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

        loop_add_timer(fakes.loop, &timer, LOOP_TIMER, "t", fakes_tell, (void *) "t");
        loop_timer_set(timer, fakes.zero + SEC);
        world_jump(10 * SEC);
        fake_run(fakes.loop);
        ck_assert_str_eq(fakes.story, "t");
        ck_assert_uint_eq(world_now(), fakes.zero + 10 * SEC);
        loop_source_free(timer);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("fake_world");
        TCase *processes = tcase_create("processes");
        TCase *seeds = tcase_create("doors and seeds");

        tcase_add_checked_fixture(processes, fakes_setup, fakes_teardown);
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

        tcase_add_checked_fixture(seeds, fakes_setup, fakes_teardown);
        tcase_add_test(seeds, doors_fail_when_they_shall);
        tcase_add_test(seeds, a_seed_decides_what_comes_first);
        tcase_add_test(seeds, a_machine_that_slept_finds_everything_late);
        suite_add_tcase(suite, seeds);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
