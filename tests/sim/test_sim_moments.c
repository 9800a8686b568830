/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The habits of ill-bred daemons again, each by itself and at many moments: what has to come of it
 * is known here, which a random scenario can not know. A seed chooses the times, and what comes
 * first of things that happen at the same instant.
 */

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "fake/script.h"
#include "sim/one.h"
#include "unit.h"

#define SEEDS 100

#define FORKING "type = \"forking\"; "
#define NAMED   FORKING "pidfile = \"" PIDFILE "\"; "
#define RELOAD  "reload: { signal = \"HUP\"; };"
#define SLOWLY  "restart: { delay = \"5s\"; };"

static uint64_t seed, dice;

#define EACH_SEED() (seed = 1; seed <= SEEDS; seed++)

#define EXPECT(condition)                                                                          \
        do {                                                                                       \
                if (!(condition))                                                                  \
                        ck_abort_msg("seed %" PRIu64 ": %s", seed, #condition);                    \
        } while (0)

static unsigned choose(unsigned count) {
        dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (unsigned) (dice >> 33) % count;
}

/* Often at once, and never later. */
static usec_t within(usec_t most) {
        const usec_t times[] = { 0, 0, 1, MS, 5 * MS, most / 2, most };
        usec_t time = times[choose(ELEMENTSOF(times))];

        return MIN_OF(time, most);
}

static const char *lie(void) {
        static const char *const lies[] = { "", "", "x", "1\n", "100\n", "99999\n", "0\n" };

        return lies[choose(ELEMENTSOF(lies))];
}

static void begin(const char *settings) {
        CLEANUP(freep) char *config = NULL;

        ck_assert_int_gt(asprintf(&config, "d: { command = [ \"/d\" ]; %s };", settings), 0);
        sim_begin_with(seed, choose(3) > 0 ? "" : "cgroups = false;", config);
        (void) process_add(1, "", NULL); /* 100, whom lies name */
        sim_start();
}

static void run(const char *settings, usec_t until) {
        begin(settings);
        sim_run_until(until);
}

static bool main_is(const char *program) {
        const FakeProcess *process = process_find(sim_main_pid("d"));

        return process_is_alive(process) && strcmp(process->program->path, program) == 0;
}

/* It came up once, and nothing else was said of it. */
static void expect_up(const char *program) {
        EXPECT(sim_state("d") == STATE_RUNNING);
        EXPECT(main_is(program));
        EXPECT(sim_said(MESSAGE_DAEMON_READY, "d") == 1);
        EXPECT(sim_said(MESSAGE_DAEMON_START_FAILED, "d") == 0);
        EXPECT(sim_said(MESSAGE_DAEMON_EXITED, "d") == 0);
}

static void expect_changed(pid_t old, const char *program) {
        expect_up(program);
        EXPECT(sim_main_pid("d") != old);
        EXPECT(sim_said(MESSAGE_MAIN_CHANGED, "d") == 1);
}

static void expect_failed(void) {
        EXPECT(sim_said(MESSAGE_DAEMON_READY, "d") == 0);
        EXPECT(sim_said(MESSAGE_DAEMON_START_FAILED, "d") > 0);
        EXPECT(sim_population("d") == 0);
}

static void reseed(void) {
        dice = seed * UINT64_C(0x9e3779b97f4a7c15);
}

/* ---- classes A to D: starts ---- */

START_TEST(a_pidfile_may_lie_and_be_late) {
        for EACH_SEED () {
                reseed();
                PROGRAM(.path = "/inner", .acts = ACTS(WRITE(0, PIDFILE, lie()),
                                                       WRITE_PID(within(2 * SEC) + 1, PIDFILE)));
                PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(within(SEC), "/inner"),
                                                   EXIT(SEC + 1 + within(SEC), 0)));
                run(NAMED, 10 * SEC);
                expect_up("/inner");
                one_end();
        }
}
END_TEST

START_TEST(a_double_fork_is_seen_through) {
        static const char *const types[] = { FORKING, "type = \"auto\"; " };

        for EACH_SEED () {
                reseed();
                PROGRAM(.path = "/inner");
                PROGRAM(.path = "/middle", .acts = ACTS(FORK_SESSION(within(500 * MS), "/inner"),
                                                        EXIT(500 * MS + 1 + within(SEC), 0)));
                PROGRAM(.path = "/d", .acts = ACTS(FORK(within(500 * MS), "/middle"),
                                                   EXIT(500 * MS + 1 + within(SEC), 0)));
                run(types[choose(2)], 10 * SEC);
                expect_up("/inner");
                EXPECT(sim_population("d") == 1);
                one_end();
        }
}
END_TEST

START_TEST(who_dies_before_it_is_ready_was_never_ready) {
        static const char *const signs[] = {
                NAMED, FORKING "ready: { on = \"listen\"; };",
                FORKING "ready: { on = \"file\"; path = \"/run/up\"; };",
        };

        for EACH_SEED () {
                reseed();
                PROGRAM(.path = "/inner", .acts = ACTS(WRITE(0, PIDFILE, lie()),
                                                       EXIT(within(SEC), (int) choose(2))));
                PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/inner"),
                                                   EXIT(within(2 * SEC), 0)));
                CLEANUP(freep) char *settings = NULL;
                ck_assert_int_gt(asprintf(&settings, "%s restart: { policy = \"never\"; };",
                                          signs[choose(ELEMENTSOF(signs))]),
                                 0);
                run(settings, 100 * SEC);
                expect_failed();
                one_end();
        }
}
END_TEST

START_TEST(a_first_process_that_fails_takes_all_with_it) {
        for EACH_SEED () {
                reseed();
                PROGRAM(.path = "/inner", .acts = ACTS(WRITE_PID(within(SEC), PIDFILE),
                                                       LISTEN(within(SEC), 80)));
                PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/inner"),
                                                   EXIT(within(2 * SEC), 3)));
                run(NAMED "restart: { policy = \"never\"; };", 100 * SEC);
                expect_failed();
                one_end();
        }
}
END_TEST

/* ---- class J: another main process ---- */

/* sshd, exim4: a new pid, and the pidfile says so, later or never. */
START_TEST(a_new_pid_at_a_reload_is_followed) {
        for EACH_SEED () {
                bool named = choose(2);

                reseed();
                PROGRAM(.path = "/inner", .acts = ACTS(WRITE_PID(within(500 * MS), PIDFILE)),
                        .reactions = REACTIONS(ON(SIGHUP, FORK_SESSION(0, "/inner"),
                                                  EXIT(1 + within(SEC), 0))));
                PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/inner"), EXIT(SEC, 0)));
                run(named ? NAMED RELOAD : FORKING RELOAD, 4 * SEC);
                pid_t old = sim_main_pid("d");
                EXPECT(sim_ask(REQUEST_RELOAD, "d") == 0);
                sim_run_for(5 * SEC);
                expect_changed(old, "/inner");
                EXPECT(sim_said(MESSAGE_DAEMON_RELOADED, "d") == 1);
                one_end();
        }
}
END_TEST

/* All of its start again, by its main process, which is then a first process that exits. */
START_TEST(a_daemon_may_daemonize_again) {
        for EACH_SEED () {
                reseed();
                PROGRAM(.path = "/inner", .acts = ACTS(WRITE_PID(within(500 * MS), PIDFILE)),
                        .reactions = REACTIONS(ON(SIGHUP, EXEC(within(SEC), "/d"))));
                PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(within(MS), "/inner"),
                                                   EXIT(MS + 1 + within(500 * MS), 0)));
                run(NAMED RELOAD, 4 * SEC);
                pid_t old = sim_main_pid("d");
                EXPECT(sim_ask(REQUEST_RELOAD, "d") == 0);
                sim_run_for(5 * SEC);
                expect_changed(old, "/inner");
                one_end();
        }
}
END_TEST

/* exim4 -oP, redis: the old number stays, and names nobody or a stranger. */
START_TEST(a_pidfile_that_is_never_written_anew_harms_nobody) {
        for EACH_SEED () {
                reseed();
                PROGRAM(.path = "/inner",
                        .reactions = REACTIONS(ON(SIGHUP, FORK_SESSION(0, "/inner"),
                                                  EXIT(1 + within(SEC), 0))));
                PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/inner"),
                                                   WRITE_CHILD(MS, PIDFILE), EXIT(SEC, 0)));
                run(NAMED RELOAD, 4 * SEC);
                pid_t old = sim_main_pid("d");
                if (choose(2))
                        world_write(PIDFILE, lie());
                EXPECT(sim_ask(REQUEST_RELOAD, "d") == 0);
                sim_run_for(5 * SEC);
                expect_changed(old, "/inner");
                one_end();
        }
}
END_TEST

/* nginx: the old one is told to end when the new one works. */
START_TEST(an_upgrade_is_followed_whenever_the_old_one_ends) {
        for EACH_SEED () {
                reseed();
                PROGRAM(.path = "/d", .acts = ACTS(WRITE_PID(within(500 * MS), PIDFILE)),
                        .reactions = REACTIONS(ON(SIGUSR2, FORK(within(MS), "/d")),
                                               ON(SIGQUIT, EXIT(within(3 * SEC), 0))));
                run(choose(2) ? "pidfile = \"" PIDFILE "\";" : "", 4 * SEC);
                pid_t old = sim_main_pid("d");
                if (choose(2))
                        process_hear(process_find(old), SIGUSR2);
                else
                        EXPECT(child_signal(sim_child("d"), SIGUSR2));
                sim_run_for(SEC + within(60 * SEC));
                process_hear(process_find(old), SIGQUIT);
                sim_run_for(5 * SEC);
                expect_changed(old, "/d");
                one_end();
        }
}
END_TEST

/* The new one dies of a bad file, and the pidfile names it. */
START_TEST(an_upgrade_that_fails_changes_nothing) {
        for EACH_SEED () {
                reseed();
                PROGRAM(.path = "/next", .acts = ACTS(EXIT(within(SEC), 1)));
                PROGRAM(.path = "/d", .acts = ACTS(WRITE_PID(0, PIDFILE)),
                        .reactions = REACTIONS(ON(SIGUSR2, FORK(0, "/next"),
                                                  WRITE_CHILD(within(500 * MS), PIDFILE))));
                run(choose(2) ? "pidfile = \"" PIDFILE "\"; reload: { signal = \"USR2\"; };"
                              : "reload: { signal = \"USR2\"; };",
                    2 * SEC);
                pid_t old = sim_main_pid("d");
                EXPECT(sim_ask(REQUEST_RELOAD, "d") == 0);
                sim_run_for(5 * SEC);
                expect_up("/d");
                EXPECT(sim_main_pid("d") == old);
                EXPECT(sim_said(MESSAGE_MAIN_CHANGED, "d") == 0);
                one_end();
        }
}
END_TEST

/* ---- classes E, K, M and N: what is left, and what looks like it ---- */

START_TEST(workers_of_a_killed_master_are_gone_before_the_next_start) {
        for EACH_SEED () {
                reseed();
                PROGRAM(.path = "/worker", .acts = ACTS(LISTEN(0, 80)),
                        .reactions = REACTIONS(DEAF(SIGTERM)));
                PROGRAM(.path = "/d",
                        .acts = ACTS(FORK(within(MS), "/worker"),
                                     FORK_SESSION(within(SEC), "/worker"), WRITE_PID(0, PIDFILE)));
                run("pidfile = \"" PIDFILE "\"; stop: { signals = \"TERM 1s, KILL\"; };",
                    2 * SEC + within(SEC));
                process_hear(process_find(sim_main_pid("d")), choose(2) ? SIGKILL : SIGSEGV);
                sim_run_for(20 * SEC);
                EXPECT(sim_said(MESSAGE_DAEMON_EXITED, "d") == 1);
                EXPECT(sim_said(MESSAGE_DAEMON_READY, "d") == 2);
                EXPECT(sim_population("d") == 3);
                EXPECT(world_doubled() == 0);
                one_end();
        }
}
END_TEST

/* mysqld_safe: who is named is killed, its watchdog makes it anew, and it names itself. */
START_TEST(what_a_watchdog_makes_anew_is_followed) {
        for EACH_SEED () {
                reseed();
                PROGRAM(.path = "/inner", .acts = ACTS(WRITE_PID(within(200 * MS), PIDFILE)));
                PROGRAM(.path = "/watchdog",
                        .acts = ACTS(WATCH(within(MS), "/inner", within(500 * MS))),
                        .reactions = REACTIONS(DEAF(SIGTERM)));
                PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/watchdog"),
                                                   EXIT(1 + within(SEC), 0)));
                run(NAMED SLOWLY, 4 * SEC);
                pid_t old = sim_main_pid("d");
                process_hear(process_find(old), SIGKILL);
                sim_run_for(4 * SEC);
                expect_changed(old, "/inner");
                EXPECT(sim_population("d") == 2);
                one_end();
        }
}
END_TEST

/* A second start by hand writes its number, and dies or stays; then the pid changes. */
START_TEST(a_second_start_by_hand_is_never_followed) {
        for EACH_SEED () {
                reseed();
                PROGRAM(.path = "/second", .acts = ACTS(WRITE_PID(0, PIDFILE),
                                                        EXIT(within(20 * SEC), 1)));
                PROGRAM(.path = "/inner", .acts = ACTS(WRITE_PID(within(500 * MS), PIDFILE)),
                        .reactions = REACTIONS(ON(SIGHUP, FORK_SESSION(0, "/inner"),
                                                  EXIT(1 + within(SEC), 0))));
                PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/inner"), EXIT(SEC, 0)));
                run(NAMED RELOAD, 4 * SEC);
                pid_t old = sim_main_pid("d");
                process_execute(process_add(1, "", world_find_program("/second")));
                sim_run_for(within(SEC));
                EXPECT(sim_main_pid("d") == old);
                EXPECT(sim_ask(REQUEST_RELOAD, "d") == 0);
                sim_run_for(within(500 * MS));
                process_execute(process_add(1, "", world_find_program("/second")));
                sim_run_for(5 * SEC);
                expect_changed(old, "/inner");
                EXPECT(world_harmed() == 0);
                one_end();
        }
}
END_TEST

/* A crash is no change, whatever the pidfile and the tree say. */
START_TEST(a_crash_is_answered_by_a_start) {
        for EACH_SEED () {
                reseed();
                PROGRAM(.path = "/d",
                        .acts = ACTS(WRITE_PID(0, PIDFILE), FORK(within(SEC), "/next"),
                                     DIE(2 * SEC + within(SEC), SIGSEGV)));
                PROGRAM(.path = "/next", .acts = ACTS(WRITE_PID(within(3 * SEC), PIDFILE)));
                run("pidfile = \"" PIDFILE "\";" SLOWLY, 2 * SEC - 1);
                usec_t most = 3 * SEC + 10 * MS;
                while (sim_state("d") == STATE_RUNNING && sim_now() < most)
                        ck_assert(sim_step());
                EXPECT(sim_said(MESSAGE_DAEMON_EXITED, "d") == 1);
                EXPECT(sim_said(MESSAGE_MAIN_CHANGED, "d") == 0);
                one_end();
        }
}
END_TEST

/* sshd: sessions are of its program, and older than what it was told. */
START_TEST(sessions_are_not_taken_for_the_next_one) {
        for EACH_SEED () {
                bool named = choose(2);

                reseed();
                PROGRAM(.path = "/inner",
                        .acts = ACTS(WRITE_PID(within(500 * MS), PIDFILE), FORK(SEC, "/session"),
                                     FORK(SEC + within(2 * SEC), "/session")),
                        .reactions = REACTIONS(ON(SIGHUP, EXEC(within(SEC), "/again"))));
                PROGRAM(.path = "/session", .reactions = REACTIONS(DEAF(SIGTERM)));
                PROGRAM(.path = "/again", .acts = ACTS(FORK_SESSION(0, "/inner"), EXIT(1, 0)));
                PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(0, "/inner"), EXIT(SEC, 0)));
                run(named ? NAMED RELOAD : FORKING RELOAD, 6 * SEC);
                pid_t old = sim_main_pid("d");
                EXPECT(sim_population("d") == 3);
                EXPECT(sim_ask(REQUEST_RELOAD, "d") == 0);
                sim_run_for(1500 * MS);
                expect_changed(old, "/inner");
                one_end();
        }
}
END_TEST

/* apache2, sshd: a bad file is fatal at a reload. */
START_TEST(who_dies_of_its_reload_is_started_again) {
        for EACH_SEED () {
                reseed();
                PROGRAM(.path = "/worker", .reactions = REACTIONS(DEAF(SIGTERM)));
                PROGRAM(.path = "/d", .acts = ACTS(FORK(0, "/worker"), WRITE_PID(0, PIDFILE)),
                        .reactions = REACTIONS(ON(SIGHUP, EXIT(within(499 * MS), 1))));
                run(choose(2) ? "pidfile = \"" PIDFILE "\";" RELOAD : RELOAD, 2 * SEC);
                EXPECT(sim_ask(REQUEST_RELOAD, "d") == 0);
                sim_run_for(30 * SEC);
                EXPECT(sim_said(MESSAGE_DAEMON_RELOAD_FAILED, "d") == 1);
                EXPECT(sim_said(MESSAGE_DAEMON_READY, "d") == 2);
                EXPECT(sim_population("d") == 2);
                one_end();
        }
}
END_TEST

/* ---- classes H and I: ends ---- */

/* Whatever TERM means to it, its schedule ends it in time, with all that it makes meanwhile. */
START_TEST(no_answer_to_term_outlives_the_schedule) {
        for EACH_SEED () {
                const FakeAct answers[][3] = {
                        { { 0 } },
                        { EXEC(within(SEC), "/d"), { 0 } },
                        { FORK_SESSION(0, "/deaf"), EXIT(1 + within(SEC), 0), { 0 } },
                        { FORK_SESSION(within(2 * SEC), "/d"), { 0 } },
                        { BLOCK(0, 1 + within(SEC)), { 0 } },
                        { EXIT(within(10 * SEC), 0), { 0 } },
                };

                reseed();
                PROGRAM(.path = "/deaf", .reactions = REACTIONS(DEAF(SIGTERM)));
                PROGRAM(.path = "/d", .acts = ACTS(FORK_SESSION(within(MS), "/deaf")),
                        .reactions = (const FakeReaction[]){
                                { SIGTERM, answers[choose(ELEMENTSOF(answers))] }, { 0 } });
                run("drain: { until = \"none\"; }; stop: { signals = \"TERM 2s, KILL\"; };", SEC);
                one_stop();
                EXPECT(sim_population("d") == 0);
                EXPECT(sim_said(MESSAGE_DAEMON_STUCK, "d") == 0);
                EXPECT(sim_said_when(MESSAGE_DAEMON_STOPPED, "d") <= 3 * SEC + 50 * MS);
                sim_end();
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("sim_moments");
        TCase *starts = tcase_create("starts"), *changes = tcase_create("changes"),
              *others = tcase_create("others");

        tcase_add_test(starts, a_pidfile_may_lie_and_be_late);
        tcase_add_test(starts, a_double_fork_is_seen_through);
        tcase_add_test(starts, who_dies_before_it_is_ready_was_never_ready);
        tcase_add_test(starts, a_first_process_that_fails_takes_all_with_it);
        suite_add_tcase(suite, starts);
        tcase_add_test(changes, a_new_pid_at_a_reload_is_followed);
        tcase_add_test(changes, a_daemon_may_daemonize_again);
        tcase_add_test(changes, a_pidfile_that_is_never_written_anew_harms_nobody);
        tcase_add_test(changes, an_upgrade_is_followed_whenever_the_old_one_ends);
        tcase_add_test(changes, an_upgrade_that_fails_changes_nothing);
        tcase_add_test(changes, sessions_are_not_taken_for_the_next_one);
        tcase_add_test(changes, who_dies_of_its_reload_is_started_again);
        suite_add_tcase(suite, changes);
        tcase_add_test(others, workers_of_a_killed_master_are_gone_before_the_next_start);
        tcase_add_test(others, what_a_watchdog_makes_anew_is_followed);
        tcase_add_test(others, a_second_start_by_hand_is_never_followed);
        tcase_add_test(others, a_crash_is_answered_by_a_start);
        tcase_add_test(others, no_answer_to_term_outlives_the_schedule);
        suite_add_tcase(suite, others);
        return unit_main(suite);
}
