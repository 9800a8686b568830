/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Daemons that are taken out of service and back, and other ways to freeze and to drain.
 */

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "service/request.h"
#include "sim/naive.h"
#include "unit.h"

#define SHORT_DRAIN "drain_timeout = \"3s\";"

/* Until when it has time in its phase, counted from the begin of the simulation. */
static usec_t deadline(void) {
        usec_t when = supervisor_deadline(sim_supervisor(), sim_child("d"));

        return when == USEC_INFINITY ? when : when - (world_now() - sim_now());
}

static void assert_reason(const char *wanted) {
        ck_assert_str_eq(child_reason(sim_child("d")), wanted);
}

/* Drained, but for two requests that a deadline gave up. */
static void drain_in_vain(void) {
        naive_program();
        naive_run(SHORT_DRAIN, LISTEN_ON);
        naive_clients(2, 6 * SEC);
        sim_run_for(10 * MS);
        ck_assert_int_eq(sim_pause(true, "d"), 0);
        sim_run_for(4 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_DRAINED);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 1);
}

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
        ck_assert_uint_eq(deadline(), STOP + 10 * MS + 20 * SEC);
        sim_run_for(2 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_DRAINED);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 1);
        ck_assert_uint_eq(deadline(), USEC_INFINITY);
        assert_reason("");
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
        ck_assert_uint_eq(sim_ended(OPERATION_CALLED_OFF), 1);
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

/* Its remains are in the way of a start. Nobody stops it: nothing of it is forced. */
START_TEST(what_is_left_of_a_frozen_one_is_ended_before_a_start) {
        PROGRAM(.path = "/job", .reactions = REACTIONS(DEAF(SIGTERM)));
        PROGRAM(.path = "/d", .acts = ACTS(FORK(10 * MS, "/job")));
        naive_run("", "stop: { signals = \"TERM 1s, KILL\"; };");
        ck_assert_int_eq(sim_pause(false, "d"), 0);
        sim_run_for(SEC);
        process_exit(process_find(sim_main_pid("d")), true, SIGSEGV);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_ask(REQUEST_START, "d"), 0);
        sim_run_for(3 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_STARTING, "d"), 2);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_FORCED, "d"), 0);
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

START_TEST(a_drain_that_is_cut_says_who_was_busy) {
        drain_in_vain();
        const char *reason = child_reason(sim_child("d"));
        ck_assert_ptr_eq(strstr(reason, "drain forced after 3.00 s: 0 waiting, 2 busy"), reason);
        ck_assert_uint_eq(deadline(), USEC_INFINITY);
        ck_assert(child_is_paused(sim_child("d")));
        ck_assert_int_eq(sim_thaw("d"), 0);
        assert_reason("");
        sim_run_for(10 * SEC);
        naive_expect(2, 0); /* nobody ended them */
        one_end();
}
END_TEST

START_TEST(a_further_drain_looks_again) {
        drain_in_vain();
        ck_assert_int_eq(sim_pause(true, "d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_DRAINING);
        ck_assert_uint_eq(deadline(), STOP + 10 * MS + 7 * SEC);
        sim_run_for(2 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_DRAINED);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 2);
        assert_reason("");
        naive_expect(2, 0);
        one_end();
}
END_TEST

START_TEST(a_stop_forgets_what_a_drain_could_not) {
        drain_in_vain();
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_STOPPED);
        ck_assert_ptr_null(strstr(child_reason(sim_child("d")), "drain"));
        one_end();
}
END_TEST

START_TEST(a_start_forgets_it_too) {
        drain_in_vain();
        ck_assert_int_eq(sim_ask(REQUEST_START, "d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        assert_reason("");
        one_end();
}
END_TEST

START_TEST(an_intake_that_stays_open_is_told) {
        unsigned cursor = 0;

        naive_program();
        naive_run(SHORT_DRAIN, LISTEN_ON);
        socket_each(&cursor)->foreign = true;
        naive_clients(1, 60 * SEC);
        sim_run_for(10 * MS);
        ck_assert_int_eq(sim_pause(false, "d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_FROZEN);
        assert_reason("freeze failed after 0.00 s, its intake stays open");

        ck_assert_int_eq(sim_pause(true, "d"), 0);
        sim_run_for(4 * SEC);
        ck_assert_ptr_nonnull(strstr(child_reason(sim_child("d")), "stays open; drain forced"));
        ck_assert_int_eq(sim_pause(true, "d"), 0);
        sim_run_for(SEC);
        assert_reason("its intake is open");
        ck_assert_int_eq(sim_thaw("d"), 0);
        assert_reason("");
        one_end();
}
END_TEST

/* Who serves another one of the drain is frozen when that has drained; not so at a freeze. */
START_TEST(several_are_drained_in_their_order) {
        static const char *const names[] = { "web", "app", NULL };
        FakeLife life = { .work = 2 * SEC, .requests = 1 };

        PROGRAM(.path = "/web", .acts = ACTS(LISTEN(10 * MS, 80)));
        PROGRAM(.path = "/app", .acts = ACTS(LISTEN(10 * MS, 81)));
        sim_begin(0, "web: { command = [ \"/web\" ]; " LISTEN_ON " requires = [ \"app\" ]; };"
                     "app: { command = [ \"/app\" ]; " LISTEN_ON " };");
        sim_start();
        sim_run_until(STOP);
        ck_assert_int_eq(sim_pause_all(false, names), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("web"), STATE_FROZEN);
        ck_assert_int_eq(sim_state("app"), STATE_FROZEN);
        ck_assert_int_eq(sim_thaw("web"), 0);
        ck_assert_int_eq(sim_thaw("app"), 0);

        socket_find(NULL, 81, NULL)->foreign = true;
        world_connect(80, NULL, &life);
        sim_run_for(10 * MS);
        ck_assert_int_eq(sim_pause_all(true, names), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("web"), STATE_DRAINING);
        ck_assert_int_eq(sim_state("app"), STATE_RUNNING);
        sim_run_for(3 * SEC);
        ck_assert_int_eq(sim_state("app"), STATE_DRAINED);
        ck_assert_ptr_nonnull(strstr(child_reason(sim_child("app")), "its intake stays open"));
        ck_assert_int_eq(sim_pause_all(true, names), 0);
        sim_run_for(SEC);
        ck_assert_str_eq(child_reason(sim_child("app")), "its intake is open");
        naive_expect(1, 0);
        one_end();
}
END_TEST

START_TEST(who_ends_while_it_is_out_says_how) {
        naive_program();
        naive_run("", LISTEN_ON);
        ck_assert_int_eq(sim_pause(true, "d"), 0);
        sim_run_for(SEC);
        process_exit(process_find(sim_main_pid("d")), true, SIGKILL);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_ENDED);
        assert_reason("main process killed by SIGKILL while it was drained");
        one_assert_said(MESSAGE_DAEMON_EXITED, "killed by SIGKILL while it was drained");
        ck_assert_int_eq(sim_thaw("d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        assert_reason("");
        one_end();
}
END_TEST

/* As cron does, whose jobs go on. */
START_TEST(an_end_by_our_own_signal_is_none_to_tell) {
        PROGRAM(.path = "/d");
        naive_run("", "freeze: { signal = \"TERM\"; }; drain: { until = \"jobs\"; };");
        ck_assert_int_eq(sim_pause(true, "d"), 0);
        sim_run_for(3 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_ENDED);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_EXITED, "d"), 0);
        assert_reason("");
        one_end();
}
END_TEST

START_TEST(an_end_that_a_drain_waits_for_is_none_to_tell) {
        PROGRAM(.path = "/d", .reactions = REACTIONS(ON(SIGUSR1, EXIT(2 * SEC, 0))));
        naive_run("", "freeze: { signal = \"USR1\"; }; drain: { until = \"exit\"; };");
        ck_assert_int_eq(sim_pause(true, "d"), 0);
        sim_run_for(3 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_ENDED);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 1);
        ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_EXITED, "d"), 0);
        assert_reason("");
        ck_assert_int_eq(sim_thaw("d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        one_end();
}
END_TEST

START_TEST(a_thaw_calls_no_stop_off) {
        naive_program();
        naive_run("", LISTEN_ON);
        naive_clients(1, 5 * SEC);
        sim_run_for(10 * MS);
        ck_assert_int_eq(sim_pause(true, "d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_thaw("d"), REQUEST_E_ENDING);
        ck_assert_uint_eq(sim_ended(OPERATION_CALLED_OFF), 0);
        ck_assert_int_eq(sim_state("d"), STATE_DRAINING);
        sim_run_for(5 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_STOPPED);
        naive_expect(1, 0);
        one_end();
}
END_TEST

START_TEST(what_cannot_be_opened_again_is_told) {
        naive_program();
        one_begin(LISTEN_ON);
        watch_allow_failures();
        sim_start();
        sim_run_until(STOP);
        ck_assert_int_eq(sim_pause(false, "d"), 0);
        sim_run_for(SEC);
        fake_fail(DOOR_INTAKE_OPEN, EIO, 1, 1);
        ck_assert_int_eq(sim_thaw("d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        assert_reason("not all of its intake could be opened again; restart it");
        one_assert_said(MESSAGE_DAEMON_THAWED, "back to work, but not all");
        one_end();
}
END_TEST

START_TEST(a_thaw_command_that_fails_is_told) {
        PROGRAM(.path = "/freeze", .acts = ACTS(EXIT(10 * MS, 0)));
        PROGRAM(.path = "/thaw", .acts = ACTS(EXIT(10 * MS, 3)));
        PROGRAM(.path = "/d");
        naive_run("", "freeze: { command = [ \"/freeze\" ]; thaw_command = [ \"/thaw\" ]; };");
        ck_assert_int_eq(sim_pause(false, "d"), 0);
        sim_run_for(SEC);
        ck_assert_int_eq(sim_thaw("d"), 0);
        sim_run_for(SEC);
        assert_reason("freeze.thaw_command exited with status 3");
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
        tcase_add_test(tcase, what_is_left_of_a_frozen_one_is_ended_before_a_start);
        tcase_add_test(tcase, a_start_brings_a_frozen_one_back);
        tcase_add_test(tcase, what_cannot_be_undone_is_not_thawed);
        tcase_add_test(tcase, only_who_runs_is_frozen);
        tcase_add_test(tcase, who_could_not_come_back_is_not_closed);
        tcase_add_test(tcase, a_drain_that_is_cut_says_who_was_busy);
        tcase_add_test(tcase, a_further_drain_looks_again);
        tcase_add_test(tcase, a_stop_forgets_what_a_drain_could_not);
        tcase_add_test(tcase, a_start_forgets_it_too);
        tcase_add_test(tcase, an_intake_that_stays_open_is_told);
        tcase_add_test(tcase, several_are_drained_in_their_order);
        tcase_add_test(tcase, who_ends_while_it_is_out_says_how);
        tcase_add_test(tcase, an_end_by_our_own_signal_is_none_to_tell);
        tcase_add_test(tcase, an_end_that_a_drain_waits_for_is_none_to_tell);
        tcase_add_test(tcase, a_thaw_calls_no_stop_off);
        tcase_add_test(tcase, what_cannot_be_opened_again_is_told);
        tcase_add_test(tcase, a_thaw_command_that_fails_is_told);
        tcase_add_test(tcase, a_dispatcher_is_stopped_while_jobs_go_on);
        tcase_add_test(tcase, a_file_shows_that_it_is_drained);
        tcase_add_test(tcase, all_processes_stop_and_go_on_to_be_ended);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
