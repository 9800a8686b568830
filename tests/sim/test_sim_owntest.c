/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The daemons' own configuration tests, before anything is touched: in a reload, and when somebody
 * asks for a daemon's own reload alone.
 */

#include <signal.h>
#include <string.h>

#include "sim/own.h"
#include "unit.h"

/* ---- tests before the commit ---- */

START_TEST(a_good_test_lets_it_go_on) {
        own_begin(OWN(a, CHECK("/t/good")) OWN(b, CHECK("/t/good")));
        world_write(FILE_A, "two");
        sim_reload();
        sim_run_for(1499 * MS); /* side by side: 1 s for the tests of both */
        ck_assert_uint_eq(sim_verdicts(), 0);
        sim_run_for(2 * MS);
        ck_assert_int_eq(sim_verdict(), RELOAD_APPLIED);
        ck_assert_uint_eq(own_told(NULL), 2);
        own_end();
}
END_TEST

/* The test of a fails so: refused, with the daemon, the command and its last words. */
static void refused(const char *config, const char *text, const char *finding, usec_t when) {
        own_begin(OWN(a, "") PLAIN(b, ""));
        pid_t a = sim_main_pid("a"), b = sim_main_pid("b");

        world_write(FILE_A, "two");
        sim_set_config(config);
        sim_reload();
        sim_run_for(when + MS);
        own_assert_verdict(RELOAD_REFUSED, text);
        own_assert_says("; nothing was touched");
        ck_assert_ptr_nonnull(strstr(sim_verdict_finding(), finding));
        ck_assert_int_eq(sim_main_pid("a"), a);
        ck_assert_int_eq(sim_main_pid("b"), b);
        ck_assert_uint_eq(own_told(NULL), 0);
        ck_assert_uint_eq(world_population(NULL), 2);
        sim_run_for(10 * SEC);

        /* the file is still another one */
        sim_set_config(OWN(a, "") PLAIN(b, ""));
        own_reload(RELOAD_APPLIED);
        ck_assert_uint_eq(own_told("a"), 1);
        own_end();
}

START_TEST(a_bad_test_refuses_it) {
        refused(OWN(a, CHECK("/t/bad")) PLAIN(b, "nice = 5;"),
                "the configuration test of a failed: /t/bad -t exited with status 4",
                "/t/bad -t exited with status 4; correct the daemon's own configuration", SEC);
        refused(OWN(a, CHECK("/t/hangs")) PLAIN(b, ""),
                "the configuration test of a failed: /t/hangs -t did not end within 5s",
                "/t/hangs -t did not end", 5 * SEC);
        refused(OWN(a, CHECK("/t/unable")) PLAIN(b, ""), "/t/unable -t could not be started: ",
                "could not be started", 0);
        refused(OWN(a, CHECK("/t/missing")) PLAIN(b, ""), "/t/missing -t could not be started: ",
                "could not be started", 0);
        /* also one that is to be restarted, or is new; the test goes by the settings to come */
        refused(OWN(a, "") PLAIN(b, "nice = 5; reload: { check = [ \"/t/bad\" ]; };"),
                "test of b failed", "/t/bad exited with status 4", SEC);
        refused(OWN(a, "") PLAIN(b, "") PLAIN(c, "reload: { check = [ \"/t/bad\" ]; };"),
                "test of c failed", "/t/bad exited with status 4", SEC);
}
END_TEST

START_TEST(all_that_fails_is_found_at_once) {
        own_begin(OWN(a, CHECK("/t/bad")) OWN(b, CHECK("/t/hangs")) OWN(c, CHECK("/t/good")));
        world_write(FILE_A, "two");
        own_reload(RELOAD_REFUSED);
        /* of a: what happened, and three lines; of b: what happened */
        ck_assert_uint_eq(sim_findings(), 5);
        ck_assert_ptr_nonnull(strstr(sim_finding(1), "it says: the first line"));
        ck_assert_ptr_nonnull(strstr(sim_finding(2), "it says: line 2 is wrong"));
        ck_assert_ptr_nonnull(strstr(sim_finding(3), "it says: \\x1b[31mred"));
        ck_assert_ptr_nonnull(strstr(sim_finding(4), "/t/hangs -t did not end within 5s"));
        own_end();
}
END_TEST

START_TEST(who_goes_on_as_it_is_is_not_tested) {
        own_begin(OWN(a, CHECK("/t/bad")) PLAIN(b, "reload: { check = [ \"/t/bad\" ]; };"));
        sim_set_config(OWN(a, CHECK("/t/bad"))
                               PLAIN(b, "drain: { timeout = \"3s\"; }; "
                                        "reload: { check = [ \"/t/bad\" ]; };") PLAIN(c, ""));
        own_reload(RELOAD_APPLIED);
        own_end();
}
END_TEST

START_TEST(left_behind_by_a_test_is_ended) {
        own_begin(OWN(a, CHECK("/t/forks")));
        world_write(FILE_A, "two");
        own_reload(RELOAD_APPLIED);
        ck_assert_uint_eq(world_population(NULL), 1);
        own_end();
}
END_TEST

START_TEST(tests_that_cannot_be_made_refuse_it) {
        static const FakeDoor doors[] = { DOOR_CAPTURE, DOOR_SPAWN, DOOR_TREE_PREPARE };

        for (size_t i = 0; i < ELEMENTSOF(doors); i++) {
                own_begin(OWN(a, CHECK("/t/good")) OWN(b, CHECK("/t/good")));
                world_write(FILE_A, "two");
                fake_fail(doors[i], 24, 1, 1);
                own_reload(RELOAD_REFUSED);
                own_assert_says("the configuration test of a failed: ");
                own_assert_says("open files");
                own_reload(RELOAD_APPLIED);
                own_end();
        }
}
END_TEST

/* ---- a stop breaks in ---- */

START_TEST(a_stop_breaks_in_at_any_time) {
        static const int signals[] = { SIGTERM, SIGQUIT };

        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                for (usec_t after = 0; after < 8 * SEC; after += 250 * MS) {
                        PROGRAM(.path = "/mortal", .reactions = own_mortal);
                        own_begin(OWN(a, CHECK("/t/good")) BY_COMMAND(b, "/t/good")
                                      PLAIN(c, CHECK_OF("/t/good"))
                                              OWN_OF(m, "/mortal", CHECK("/t/forks")));
                        world_write(FILE_A, "two");
                        sim_set_config(OWN(a, CHECK("/t/good")) BY_COMMAND(b, "/t/good")
                                               PLAIN(c, "nice = 5;" CHECK_OF("/t/good"))
                                                       OWN_OF(m, "/mortal", CHECK("/t/forks")));
                        sim_reload();
                        sim_run_for(after);
                        fake_signal(signals[i]);
                        sim_run_to_exit();
                        ck_assert_uint_eq(sim_verdicts(), 1);
                        ck_assert(sim_verdict() == RELOAD_CANCELED ||
                                  sim_verdict() == RELOAD_ROLLED_BACK);
                        ck_assert_int_eq(sim_code(), 0);
                        ck_assert_uint_eq(world_population(NULL), 0);
                        sim_end();
                }
}
END_TEST

START_TEST(an_essential_daemon_lost_during_the_tests_is_the_end) {
        own_begin(OWN(a, CHECK("/t/hangs"))
                      PLAIN(b, "essential = true; restart: { policy = \"never\"; };"));
        world_write(FILE_A, "two");
        sim_reload();
        sim_run_for(SEC);
        process_signal(process_find(sim_main_pid("b")), SIGKILL);
        sim_run_to_exit();
        ck_assert_int_eq(sim_code(), 1);
        ck_assert_uint_lt(sim_now(), 13 * SEC);
        ck_assert_int_eq(sim_verdict(), RELOAD_CANCELED);
        sim_end();
}
END_TEST

/* ---- on its own ---- */

START_TEST(one_daemon_alone_whatever_its_files_say) {
        own_begin(OWN(a, CHECK("/t/good")) OWN(b, CHECK("/t/bad")));
        pid_t a = sim_main_pid("a");

        ck_assert_int_eq(sim_ask(REQUEST_RELOAD, "a"), 0);
        sim_run_for(1499 * MS);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 0);
        sim_run_for(2 * MS);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 1);
        ck_assert_int_eq(child_reload_outcome(sim_child("a")), CHILD_RELOAD_DONE);
        ck_assert_int_eq(sim_main_pid("a"), a);

        /* what it read counts from then on */
        world_write(FILE_A, "two");
        ck_assert_int_eq(sim_ask(REQUEST_RELOAD, "a"), 0);
        sim_run_for(5 * SEC);
        sim_set_config(OWN(a, CHECK("/t/good")) PLAIN(b, ""));
        own_reload(RELOAD_APPLIED);
        own_assert_says("1 with new settings, 1 kept");
        ck_assert_uint_eq(own_told("a"), 2);
        own_end();
}
END_TEST

START_TEST(a_bad_test_keeps_it_from_being_told) {
        own_begin(OWN(a, CHECK("/t/bad")) OWN(b, CHECK("/t/hangs")));
        ck_assert_int_eq(sim_ask(REQUEST_RELOAD, "a", "b"), 0);
        sim_run_for(6 * SEC);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 1);
        ck_assert_uint_eq(own_told(NULL), 0);
        ck_assert_int_eq(child_reload_outcome(sim_child("a")), CHILD_RELOAD_REFUSED);
        ck_assert_str_eq(child_reload_text(sim_child("a")),
                         "its configuration test failed: /t/bad -t exited with status 4");
        ck_assert_str_eq(child_reload_lines(sim_child("a"))[1], "line 2 is wrong");
        ck_assert_int_eq(child_reload_outcome(sim_child("b")), CHILD_RELOAD_REFUSED);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_RELOAD_FAILED, NULL), 2);
        ck_assert_uint_eq(world_population(NULL), 2);
        own_end();
}
END_TEST

START_TEST(who_cannot_is_not_asked) {
        own_begin(OWN(a, "") PLAIN(b, ""));
        ck_assert_int_eq(sim_ask(REQUEST_RELOAD, "a", "b"), REQUEST_E_NO_RELOAD);
        ck_assert_int_eq(sim_ask(REQUEST_RELOAD, "a", "c"), REQUEST_E_UNKNOWN);
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "a"), 0);
        ck_assert_int_eq(sim_ask(REQUEST_RELOAD, "a"), 0); /* after the stop */
        sim_run_for(5 * SEC);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 2);
        ck_assert_int_eq(child_reload_outcome(sim_child("a")), CHILD_RELOAD_FAILED);
        ck_assert_str_eq(child_reload_text(sim_child("a")), "it is not running, but stopped");
        own_end();
}
END_TEST

START_TEST(one_after_the_other_and_none_during_a_reload) {
        own_begin(OWN(a, CHECK("/t/good")) PLAIN(b, ""));
        for (int i = 0; i < 3; i++)
                ck_assert_int_eq(sim_ask(REQUEST_RELOAD, "a"), 0);
        sim_set_config(OWN(a, CHECK("/t/good")) PLAIN(b, "nice = 5;"));
        sim_reload();
        sim_run_for(4499 * MS);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 2);
        ck_assert_int_eq(sim_mode(), MODE_RUNNING);
        sim_run_for(2 * MS);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 3);
        ck_assert_int_eq(sim_mode(), MODE_RELOADING); /* b is on its way down */
        ck_assert_int_eq(sim_ask(REQUEST_RELOAD, "a"), REQUEST_E_BUSY);
        sim_run_for(10 * SEC);
        ck_assert_int_eq(sim_verdict(), RELOAD_APPLIED);
        own_end();
}
END_TEST

START_TEST(one_that_dies_of_it_is_told_and_restarted) {
        PROGRAM(.path = "/mortal", .reactions = own_mortal);
        own_begin(OWN_OF(a, "/mortal", ""));
        ck_assert_int_eq(sim_ask(REQUEST_RELOAD, "a"), 0);
        sim_run_for(5 * SEC);
        ck_assert_int_eq(child_reload_outcome(sim_child("a")), CHILD_RELOAD_FAILED);
        ck_assert_str_eq(child_reload_text(sim_child("a")),
                         "it did not survive it: main process exited with status 3");
        ck_assert_int_eq(sim_state("a"), STATE_RUNNING);
        own_end();
}
END_TEST

START_TEST(a_stop_breaks_into_one_at_any_time) {
        static const int signals[] = { SIGTERM, SIGQUIT };

        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                for (usec_t after = 0; after < 3 * SEC; after += 250 * MS) {
                        own_begin(OWN(a, CHECK("/t/forks")) BY_COMMAND(b, "/t/forks"));
                        ck_assert_int_eq(sim_ask(REQUEST_RELOAD, "a", "b"), 0);
                        sim_run_for(after);
                        fake_signal(signals[i]);
                        sim_run_to_exit();
                        ck_assert_uint_eq(sim_ended(OPERATION_DONE) +
                                                  sim_ended(OPERATION_CANCELED),
                                          1);
                        ck_assert_uint_eq(world_population(NULL), 0);
                        sim_end();
                }
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sim_owntest");
        TCase *tests = tcase_create("tests"), *stops = tcase_create("stops");

        tcase_add_test(tests, a_good_test_lets_it_go_on);
        tcase_add_test(tests, a_bad_test_refuses_it);
        tcase_add_test(tests, all_that_fails_is_found_at_once);
        tcase_add_test(tests, who_goes_on_as_it_is_is_not_tested);
        tcase_add_test(tests, left_behind_by_a_test_is_ended);
        tcase_add_test(tests, tests_that_cannot_be_made_refuse_it);
        suite_add_tcase(suite, tests);

        tcase_add_test(stops, a_stop_breaks_in_at_any_time);
        tcase_add_test(stops, an_essential_daemon_lost_during_the_tests_is_the_end);
        suite_add_tcase(suite, stops);

        TCase *alone = tcase_create("alone");
        tcase_add_test(alone, one_daemon_alone_whatever_its_files_say);
        tcase_add_test(alone, a_bad_test_keeps_it_from_being_told);
        tcase_add_test(alone, who_cannot_is_not_asked);
        tcase_add_test(alone, one_after_the_other_and_none_during_a_reload);
        tcase_add_test(alone, one_that_dies_of_it_is_told_and_restarted);
        tcase_add_test(alone, a_stop_breaks_into_one_at_any_time);
        suite_add_tcase(suite, alone);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
