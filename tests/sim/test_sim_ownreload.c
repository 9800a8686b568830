/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The daemons' own reloads: what is a reason for one, how they are told, and what becomes of those
 * that do not survive it.
 */

#include <signal.h>
#include <string.h>

#include "sim/own.h"
#include "unit.h"

/* ---- files ---- */

START_TEST(a_changed_file_reloads_its_daemon) {
        own_begin(OWN(a, "") PLAIN(b, ""));
        pid_t a = sim_main_pid("a"), b = sim_main_pid("b");

        own_reload(RELOAD_NOTHING);
        ck_assert_uint_eq(own_told("a"), 0);
        world_write(FILE_A, "two");
        own_reload(RELOAD_APPLIED);
        own_assert_says("0 with new settings, 1 with new files, 1 kept");
        ck_assert_uint_eq(own_told("a"), 1);
        own_reload(RELOAD_NOTHING);
        world_remove(FILE_A);
        own_reload(RELOAD_APPLIED);
        ck_assert_uint_eq(own_told("a"), 2);
        world_write(FILE_A, "one");
        own_reload(RELOAD_APPLIED);
        ck_assert_uint_eq(own_told("a"), 3);
        ck_assert_uint_eq(own_told(NULL), 3);
        ck_assert_int_eq(sim_main_pid("a"), a);
        ck_assert_int_eq(sim_main_pid("b"), b);
        own_end();
}
END_TEST

START_TEST(without_a_way_it_is_restarted) {
        own_begin(PLAIN(a, "reload: { files = [ \"" FILE_A "\" ]; };"));
        pid_t a = sim_main_pid("a");

        world_write(FILE_A, "two");
        own_reload(RELOAD_APPLIED);
        own_assert_says("1 restarted");
        ck_assert_int_ne(sim_main_pid("a"), a);
        own_reload(RELOAD_NOTHING);
        own_end();
}
END_TEST

START_TEST(a_restart_reads_the_files) {
        own_begin(OWN(a, ""));
        world_write(FILE_A, "two");
        ck_assert_int_eq(sim_ask(REQUEST_RESTART, "a"), 0);
        sim_run_for(5 * SEC);
        own_reload(RELOAD_NOTHING);
        world_write(FILE_A, "three");
        process_signal(process_find(sim_main_pid("a")), SIGKILL);
        sim_run_for(5 * SEC);
        own_reload(RELOAD_NOTHING);
        own_end();
}
END_TEST

START_TEST(what_had_failed_gets_another_chance_with_other_files) {
        PROGRAM(.path = "/fails", .acts = ACTS(EXIT(0, 1)));
        own_begin("a: { command = [ \"/fails\" ]; restart: { policy = \"never\"; };"
              " reload: { files = [ \"" FILE_A "\" ]; }; };");
        ck_assert_int_eq(sim_state("a"), STATE_FAILED);
        PROGRAM(.path = "/fails", .reactions = own_reactions);
        own_reload(RELOAD_NOTHING);
        world_write(FILE_A, "two");
        own_reload(RELOAD_APPLIED);
        ck_assert_int_eq(sim_state("a"), STATE_RUNNING);
        own_end();
}
END_TEST

START_TEST(files_that_are_named_only_now_count_from_now_on) {
        own_begin(PLAIN(a, "") PLAIN(b, "reload: { files = [ \"/etc/b\", \"" FILE_A "\" ]; };"));
        world_write(FILE_A, "two");
        /* known to b, and still changed; new to a */
        sim_set_config(OWN(a, "") PLAIN(b, "reload: { files = [ \"" FILE_A "\" ]; };"));
        own_reload(RELOAD_APPLIED);
        own_assert_says("1 restarted, 0 stopped, 1 with new settings, 0 kept");
        own_reload(RELOAD_NOTHING);
        world_write(FILE_A, "three");
        own_reload(RELOAD_APPLIED);
        own_assert_says("1 restarted, 0 stopped, 0 with new settings, 1 with new files, 0 kept");
        own_end();
}
END_TEST

/* ---- how it is told, and what it says ---- */

START_TEST(a_daemon_must_survive_it_for_a_while) {
        own_begin(OWN(a, ""));
        world_write(FILE_A, "two");
        sim_reload();
        sim_run_for(499 * MS);
        ck_assert_int_eq(sim_mode(), MODE_RELOADING);
        sim_run_for(2 * MS);
        ck_assert_int_eq(sim_verdict(), RELOAD_APPLIED);
        own_end();
}
END_TEST

/* One that is told in the middle of something else. */
static void tell_a_busy_one(void) {
        own_begin("a: { command = [ \"/busy\" ]; restart: { policy = \"never\"; };"
                  " reload: { signal = \"HUP\"; files = [ \"" FILE_A "\" ]; timeout = \"4s\"; };"
                  " };");
        sim_run_until(10 * SEC + MS);
        world_write(FILE_A, "two");
        sim_reload();
}

/* Time counts from where it has taken the signal: until then it cannot have died of it. */
START_TEST(who_is_busy_is_waited_for) {
        PROGRAM(.path = "/busy", .acts = ACTS(BLOCK(10 * SEC, 3 * SEC)),
                .reactions = REACTIONS(ON(SIGHUP, EXIT(400 * MS, 3))));
        tell_a_busy_one();
        sim_run_for(2900 * MS);
        ck_assert_int_eq(sim_mode(), MODE_RELOADING);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_verdict(), RELOAD_ROLLED_BACK);
        own_assert_says("a did not reload its own files: it did not survive it");
        own_end();
}
END_TEST

START_TEST(who_does_not_hear_has_not_done_it) {
        PROGRAM(.path = "/busy", .acts = ACTS(BLOCK(10 * SEC, 8 * SEC)));
        tell_a_busy_one();
        sim_run_for(5 * SEC);
        ck_assert_int_eq(sim_verdict(), RELOAD_ROLLED_BACK);
        own_assert_says("a did not reload its own files: it did not take SIGHUP within 4s");
        sim_run_until(20 * SEC);
        own_end();
}
END_TEST

#define NOTIFIER(name)                                                                             \
        #name ": { command = [ \"/n\" ]; type = \"notify\"; reload: { signal = \"HUP\"; "          \
              "files = [ \"" FILE_A "\" ]; timeout = \"5s\"; }; };\n"

/* What it does at SIGHUP, when the verdict is there, and which it is. */
static void notifier(const FakeAct *acts, usec_t when, ReloadVerdict verdict, const char *text) {
        const FakeReaction reactions[] = { { SIGHUP, acts }, { SIGTERM, own_gone }, { 0 } };

        PROGRAM(.path = "/n", .acts = ACTS(NOTIFY(0, "READY=1\n")), .reactions = reactions);
        own_begin(NOTIFIER(a));
        world_write(FILE_A, "two");
        sim_reload();
        sim_run_for(when - MS);
        ck_assert_uint_eq(sim_verdicts(), 0);
        sim_run_for(2 * MS);
        own_assert_verdict(verdict, text);
        own_end();
}

START_TEST(who_says_that_it_reloads_is_waited_for) {
        notifier(ACTS(NOTIFY(100 * MS, "RELOADING=1\n"), NOTIFY(3 * SEC, "READY=1\n")), 3 * SEC,
                 RELOAD_APPLIED, "1 with new files");
        notifier(ACTS(NOTIFY(100 * MS, "RELOADING=1\n")), 5100 * MS, RELOAD_ROLLED_BACK,
                 "a did not reload its own files: it said RELOADING=1, but not READY=1 within 5s; "
                 "all is as it was before (the daemons' own files stay as they are on disk)");
        notifier(ACTS(NOTIFY(100 * MS, "RELOADING=1\n"),
                      NOTIFY(4 * SEC, "EXTEND_TIMEOUT_USEC=3000000\n"),
                      NOTIFY(6 * SEC, "READY=1\n")),
                 6 * SEC, RELOAD_APPLIED, "1 with new files");
        /* one that says nothing of a reload just has to live */
        notifier(ACTS(NOTIFY(100 * MS, "READY=1\n")), 500 * MS, RELOAD_APPLIED, "1 with new files");
        notifier(ACTS(NOTIFY(600 * MS, "RELOADING=1\n")), 500 * MS, RELOAD_APPLIED,
                 "1 with new files");
}
END_TEST

static void by_command(const char *config, usec_t when, ReloadVerdict verdict, const char *text) {
        own_begin(config);
        pid_t a = sim_main_pid("a");

        world_write(FILE_A, "two");
        sim_reload();
        sim_run_for(when > MS ? when - MS : 0);
        if (when > MS)
                ck_assert_uint_eq(sim_verdicts(), 0);
        sim_run_for(2 * MS);
        own_assert_verdict(verdict, text);
        ck_assert_int_eq(sim_main_pid("a"), a);
        ck_assert_uint_eq(world_population(NULL), 1); /* the daemon itself */
        own_end();
}

START_TEST(a_command_tells_it) {
        by_command(BY_COMMAND(a, "/t/good"), 1500 * MS, RELOAD_APPLIED, "1 with new files");
        by_command(BY_COMMAND(a, "/t/forks"), 1500 * MS, RELOAD_APPLIED, "1 with new files");
        by_command(BY_COMMAND(a, "/t/bad"), SEC, RELOAD_ROLLED_BACK,
                   "a did not reload its own files: /t/bad exited with status 4; ");
        by_command(BY_COMMAND(a, "/t/hangs"), 5 * SEC, RELOAD_ROLLED_BACK,
                   "/t/hangs did not end within 5s and was killed");
        by_command(BY_COMMAND(a, "/t/unable"), 0, RELOAD_ROLLED_BACK,
                   "/t/unable could not be started: ");
}
END_TEST

/* ---- what does not survive it ---- */

/* It dies of the new file, at once or in a while; a changed neighbour is undone. */
START_TEST(one_that_dies_of_it_turns_the_way_around) {
        PROGRAM(.path = "/mortal", .reactions = own_mortal);
        PROGRAM(.path = "/new", .reactions = own_reactions);
        own_begin(OWN_OF(a, "/mortal", "") PLAIN(b, "") PLAIN(c, ""));
        pid_t c = sim_main_pid("c");

        world_write(FILE_A, "two");
        sim_set_config(OWN_OF(a, "/mortal", "")
                       "b: { command = [ \"/new\" ]; };" PLAIN(c, "") PLAIN(d, ""));
        own_reload(RELOAD_ROLLED_BACK);
        own_assert_says("a did not reload its own files: it did not survive it: "
                    "main process exited with status 3; all is as it was before (the daemons' own "
                    "files stay");
        ck_assert_int_eq(sim_state("a"), STATE_RUNNING); /* started again, with the new file */
        ck_assert_str_eq(process_find(sim_main_pid("b"))->program->path, "/d");
        ck_assert_int_eq(sim_main_pid("c"), c);
        ck_assert_ptr_null(sim_find("d"));
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_RELOAD_FAILED, "a"), 1);
        sim_set_config(OWN_OF(a, "/mortal", "") PLAIN(b, "") PLAIN(c, ""));
        own_reload(RELOAD_NOTHING);
        own_end();
}
END_TEST

START_TEST(one_that_stays_dead_is_told) {
        PROGRAM(.path = "/mortal", .reactions = own_mortal);
        own_begin("a: { command = [ \"/mortal\" ]; reload: { signal = \"HUP\"; "
              "files = [ \"" FILE_A "\" ]; }; restart: { policy = \"never\"; }; };");
        world_write(FILE_A, "two");
        PROGRAM(.path = "/mortal", .failing_step = SPAWN_STEP_EXEC, .error = 13);
        process_find(sim_main_pid("a"))->program =
                &(const FakeProgram){ .path = "/mortal", .reactions = own_mortal };
        own_reload(RELOAD_ROLLED_BACK);
        own_assert_says("undone (the daemons' own files stay as they are on disk), but 1 daemon "
                        "did not become ready again");
        ck_assert_int_eq(sim_state("a"), STATE_FAILED);
        own_end();
}
END_TEST

START_TEST(one_that_ends_during_the_tests_reads_its_files_when_it_starts) {
        own_begin(OWN(a, CHECK("/t/good")));
        pid_t a = sim_main_pid("a");

        world_write(FILE_A, "two");
        sim_reload();
        sim_run_for(900 * MS);
        process_signal(process_find(a), SIGKILL);
        sim_run_for(20 * SEC);
        ck_assert_int_eq(sim_verdict(), RELOAD_APPLIED);
        ck_assert_uint_eq(own_told("a"), 0);
        ck_assert_int_ne(sim_main_pid("a"), a);
        own_reload(RELOAD_NOTHING);
        own_end();
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sim_ownreload");
        TCase *files = tcase_create("files"), *telling = tcase_create("telling");
        TCase *deaths = tcase_create("deaths");

        tcase_add_test(files, a_changed_file_reloads_its_daemon);
        tcase_add_test(files, without_a_way_it_is_restarted);
        tcase_add_test(files, a_restart_reads_the_files);
        tcase_add_test(files, what_had_failed_gets_another_chance_with_other_files);
        tcase_add_test(files, files_that_are_named_only_now_count_from_now_on);
        suite_add_tcase(suite, files);

        tcase_add_test(telling, a_daemon_must_survive_it_for_a_while);
        tcase_add_test(telling, who_is_busy_is_waited_for);
        tcase_add_test(telling, who_does_not_hear_has_not_done_it);
        tcase_add_test(telling, who_says_that_it_reloads_is_waited_for);
        tcase_add_test(telling, a_command_tells_it);
        suite_add_tcase(suite, telling);

        tcase_add_test(deaths, one_that_dies_of_it_turns_the_way_around);
        tcase_add_test(deaths, one_that_stays_dead_is_told);
        tcase_add_test(deaths, one_that_ends_during_the_tests_reads_its_files_when_it_starts);
        suite_add_tcase(suite, deaths);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
