/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Daemons that are taken out of service and back, and other ways to freeze and to drain.
 */

#include <signal.h>

#include "sim/naive.h"
#include "unit.h"

/* ---- maintenance ---- */

START_TEST(frozen_and_thawed) {
        naive_program();
        naive_run("", LISTEN_ON);
        pid_t pid = sim_main_pid("d");
        ck_assert_int_eq(sim_thaw("d"), REQUEST_E_NOT_FROZEN);
        ck_assert_int_eq(sim_pause(false, "d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_FROZEN);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 1);
        ck_assert_int_eq(sim_mode(), MODE_RUNNING);
        naive_clients(1, SEC);
        sim_run_for(2 * SEC);
        ck_assert_uint_eq(world_tally(NULL).refused, 1);
        ck_assert(world_exists(SIM_RUNTIME "/frozen/d"));

        ck_assert_int_eq(sim_thaw("d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert(!world_exists(SIM_RUNTIME "/frozen/d"));
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_THAWED, "d"), 1);
        naive_clients(1, SEC);
        sim_run_for(2 * SEC);
        naive_expect(1, 0);
        ck_assert_int_eq(sim_main_pid("d"), pid);
        ck_assert_uint_eq(fake_timer_count(sim_loop()), 0);
        one_end();
}
END_TEST

START_TEST(drained_and_told) {
        naive_program();
        naive_run("", LISTEN_ON);
        naive_clients(3, 2 * SEC);
        sim_run_for(10 * MS);
        ck_assert_int_eq(sim_pause(true, "d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_DRAINING);
        ck_assert_str_eq(child_status(sim_child("d")), "0 waiting, 3 busy, 0 idle");
        sim_run_for(2 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_DRAINED);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 1);
        naive_expect(3, 0);
        ck_assert_int_eq(sim_thaw("d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        one_end();
}
END_TEST

START_TEST(a_thaw_calls_a_drain_off) {
        naive_program();
        naive_run("", LISTEN_ON);
        naive_clients(1, 15 * SEC);
        sim_run_for(10 * MS);
        ck_assert_int_eq(sim_pause(true, "d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_thaw("d"), 0);
        sim_run_for(SEC);
        ck_assert_uint_eq(sim_ended(OPERATION_CANCELED), 1);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_uint_eq(world_closed(), 0);
        one_end();
}
END_TEST

START_TEST(a_stop_takes_over_what_was_frozen) {
        naive_program();
        naive_run("", LISTEN_ON);
        naive_clients(1, 3 * SEC);
        sim_run_for(10 * MS);
        ck_assert_int_eq(sim_pause(false, "d"), 0);
        sim_run_for(SEC);
        one_stop();
        naive_expect(1, 0);
        sim_end();
}
END_TEST

START_TEST(who_ends_while_it_is_frozen_is_started_by_a_thaw) {
        naive_program();
        naive_run("", LISTEN_ON);
        ck_assert_int_eq(sim_pause(false, "d"), 0);
        sim_run_for(SEC);
        process_exit(process_find(sim_main_pid("d")), true, SIGSEGV);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_ENDED);
        ck_assert_int_eq(sim_thaw("d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 2);
        one_end();
}
END_TEST

START_TEST(a_start_brings_a_frozen_one_back) {
        naive_program();
        naive_run("", LISTEN_ON);
        pid_t pid = sim_main_pid("d");
        ck_assert_int_eq(sim_pause(true, "d"), 0);
        sim_run_for(5 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_DRAINED);
        ck_assert_int_eq(sim_ask(REQUEST_START, "d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_int_eq(sim_main_pid("d"), pid);
        ck_assert_uint_eq(world_closed(), 0);
        one_end();
}
END_TEST

START_TEST(what_cannot_be_undone_is_not_thawed) {
        PROGRAM(.path = "/d", .acts = ACTS(LISTEN(10 * MS, 80)),
                .reactions = REACTIONS(DEAF(SIGUSR1)));
        naive_run("", LISTEN_ON "freeze: { signal = \"USR1\"; };");
        ck_assert_int_eq(sim_pause(false, "d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_thaw("d"), REQUEST_E_NO_THAW);
        ck_assert_int_eq(sim_state("d"), STATE_FROZEN);
        one_end();
}
END_TEST

START_TEST(only_who_runs_is_frozen) {
        PROGRAM(.path = "/d", .acts = ACTS(EXIT(SEC, 1)));
        one_run("restart: { policy = \"never\"; };", STOP);
        ck_assert_int_eq(sim_pause(false, "d"), REQUEST_E_NOT_RUNNING);
        ck_assert_int_eq(sim_pause(false, "nobody"), REQUEST_E_UNKNOWN);
        one_end();
}
END_TEST

START_TEST(who_could_not_come_back_is_not_closed) {
        naive_program();
        naive_run("", LISTEN_ON);
        fake_allow(MAY_LOOK | MAY_HOLD | MAY_DIAG);
        ck_assert_int_eq(sim_pause(false, "d"), 0);
        sim_run_for(SEC);
        ck_assert_uint_eq(world_closed(), 0);
        ck_assert_uint_eq(sim_said(MESSAGE_INTAKE_OPEN, "d"), 1);
        one_end();
}
END_TEST

/* ---- other ways ---- */

START_TEST(a_dispatcher_is_stopped_while_jobs_go_on) {
        PROGRAM(.path = "/job", .acts = ACTS(EXIT(STOP + 3 * SEC, 0)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK(10 * MS, "/job")));
        naive_run("", "freeze: { method = \"dispatcher\"; };");
        one_stop();
        ck_assert_uint_ge(sim_said_when(MESSAGE_DAEMON_STOPPED, "d"), STOP + 3 * SEC);
        ck_assert_int_eq(sim_said_forced(MESSAGE_SUPERVISOR_STOPPED), 0);
        sim_end();
}
END_TEST

START_TEST(a_file_shows_that_it_is_drained) {
        PROGRAM(.path = "/d",
                .acts = ACTS(WRITE(SEC, "/busy", "1"), REMOVE(STOP + 4 * SEC, "/busy")));
        naive_run("", "drain: { until = \"no-file\"; path = \"/busy\"; };");
        one_stop();
        ck_assert_uint_eq(sim_ordered_when("d", EVENT_CLEANUP), STOP + 4 * SEC);
        sim_end();

        PROGRAM(.path = "/d", .acts = ACTS(WRITE(STOP + 5 * SEC, "/done", "1")));
        naive_run("", "drain: { until = \"file\"; path = \"/done\"; };");
        one_stop();
        ck_assert_uint_eq(sim_ordered_when("d", EVENT_CLEANUP), STOP + 5 * SEC);
        sim_end();
}
END_TEST

START_TEST(all_processes_stop_and_go_on_to_be_ended) {
        PROGRAM(.path = "/d");
        naive_run("", "freeze: { method = \"cgroup\"; };");
        ck_assert_int_eq(sim_pause(false, "d"), 0);
        sim_run_for(SEC);
        ck_assert_uint_eq(fake_door_count(DOOR_TREE_PAUSE), 1);
        one_stop();
        ck_assert_uint_eq(fake_door_count(DOOR_TREE_PAUSE), 2);
        sim_end();
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sim/pause");
        TCase *tcase = tcase_create("pause");

        tcase_add_test(tcase, frozen_and_thawed);
        tcase_add_test(tcase, drained_and_told);
        tcase_add_test(tcase, a_thaw_calls_a_drain_off);
        tcase_add_test(tcase, a_stop_takes_over_what_was_frozen);
        tcase_add_test(tcase, who_ends_while_it_is_frozen_is_started_by_a_thaw);
        tcase_add_test(tcase, a_start_brings_a_frozen_one_back);
        tcase_add_test(tcase, what_cannot_be_undone_is_not_thawed);
        tcase_add_test(tcase, only_who_runs_is_frozen);
        tcase_add_test(tcase, who_could_not_come_back_is_not_closed);
        tcase_add_test(tcase, a_dispatcher_is_stopped_while_jobs_go_on);
        tcase_add_test(tcase, a_file_shows_that_it_is_drained);
        tcase_add_test(tcase, all_processes_stop_and_go_on_to_be_ended);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
