/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reloads: each verdict, what breaks in, and what goes on as if nothing had happened. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "config/load.h"
#include "fake/script.h"
#include "sim/sim.h"
#include "unit.h"

/* Programs "/old" and "/new": ready after 1 s, gone 1 s after SIGTERM. */
#define ONE(name, program, more)                                                                   \
        #name ": { command = [ \"" program "\" ]; type = \"notify\"; " more " };\n"
#define OLD(name, more) ONE(name, "/old", more)
#define NEW(name, more) ONE(name, "/new", more)
#define BAD(name, more) ONE(name, "/bad", "restart: { policy = \"never\"; }; " more)

/* Begins with the three programs, and runs until all are up. */
static void begin(const char *config) {
        static const FakeAct ready[] = { NOTIFY(SEC, "READY=1\n"), { 0 } };
        static const FakeAct gone[] = { EXIT(SEC, 0), { 0 } };
        static const FakeAct fails[] = { EXIT(500 * MS, 3), { 0 } };
        static const FakeReaction reactions[] = { { SIGTERM, gone }, { 0 } };
        static const FakeProgram programs[] = {
                { .path = "/old", .acts = ready, .reactions = reactions },
                { .path = "/new", .acts = ready, .reactions = reactions },
                { .path = "/bad", .acts = fails },
        };

        for (size_t i = 0; i < ELEMENTSOF(programs); i++)
                world_add_program(&programs[i]);
        sim_begin(0, config);
        sim_start();
        sim_run_until(10 * SEC);
        ck_assert_int_eq(sim_mode(), MODE_RUNNING);
}

static void end(void) {
        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_int_eq(sim_code(), 0);
        ck_assert_uint_eq(world_population(NULL), 0);
        sim_end();
}

/* Reloads to that configuration at 10 s, and looks at 30 s. */
static void reload_to(const char *config, ReloadVerdict verdict) {
        sim_set_config(config);
        sim_reload();
        sim_run_for(20 * SEC);
        if (sim_verdicts() != 1 || sim_verdict() != verdict)
                ck_abort_msg("%u verdicts, the last one %s: %s", sim_verdicts(),
                             reload_verdict_name(sim_verdict()), sim_verdict_text());
        ck_assert_int_eq(sim_mode(), MODE_RUNNING);
}

static void assert_says(const char *part) {
        if (!strstr(sim_verdict_text(), part))
                ck_abort_msg("\"%s\" does not say \"%s\"", sim_verdict_text(), part);
}

static void assert_runs(const char *name, const char *program) {
        const FakeProcess *process = process_find(sim_main_pid(name));

        ck_assert_int_eq(sim_state(name), STATE_RUNNING);
        ck_assert_ptr_nonnull(process);
        ck_assert_str_eq(process->program->path, program);
        ck_assert_uint_eq(sim_population(name), 1);
}

/* ---- verdicts ---- */

START_TEST(nothing_changed) {
        begin(OLD(a, "") OLD(b, "requires = [ \"a\" ];"));
        pid_t pid = sim_main_pid("a");
        reload_to(OLD(b, "requires = [ \"a\" ];") OLD(a, ""), RELOAD_NOTHING);
        ck_assert_int_eq(sim_main_pid("a"), pid);
        ck_assert_uint_eq(fake_notify_count(NOTIFY_RELOADING), 1);
        ck_assert_uint_eq(fake_notify_count(NOTIFY_READY), 2);
        end();
}
END_TEST

START_TEST(an_invalid_one_is_refused) {
        begin(OLD(a, ""));
        pid_t pid = sim_main_pid("a");
        sim_set_reload(CONFIG_E_INVALID);
        sim_reload();
        sim_run_for(SEC);
        ck_assert_int_eq(sim_verdict(), RELOAD_REFUSED);
        ck_assert_str_eq(sim_verdict_finding(), "it is invalid");
        assert_says("1 error, the old configuration stays in force");
        ck_assert_uint_eq(sim_said(MESSAGE_RELOAD_REFUSED, NULL), 1);
        ck_assert_ptr_nonnull(strstr(fake_notify_status(), "refused"));
        sim_set_reload(-ENOMEM);
        sim_reload();
        sim_run_for(SEC);
        ck_assert_uint_eq(sim_verdicts(), 2);
        ck_assert_int_eq(sim_verdict(), RELOAD_REFUSED);
        ck_assert_uint_eq(fake_notify_count(NOTIFY_RELOADING), 2);
        ck_assert_uint_eq(fake_notify_count(NOTIFY_READY), 3);
        ck_assert_int_eq(sim_main_pid("a"), pid);
        end();
}
END_TEST

START_TEST(what_only_a_restart_can_change_is_refused) {
        begin(OLD(a, ""));
        sim_set_config_with("cgroups = false;", NEW(a, ""));
        sim_reload();
        sim_run_for(10 * SEC);
        ck_assert_int_eq(sim_verdict(), RELOAD_REFUSED);
        assert_says("supervisor.cgroups");
        assert_runs("a", "/old");
        end();
}
END_TEST

START_TEST(a_good_one_is_applied) {
        begin(OLD(kept, "") OLD(changed, "") OLD(removed, "") OLD(live, ""));
        pid_t kept = sim_main_pid("kept"), live = sim_main_pid("live");
        reload_to(NEW(added, "requires = [ \"changed\" ];")
                          OLD(live, "drain: { timeout = \"3s\"; };") NEW(changed, "") OLD(kept, ""),
                  RELOAD_APPLIED);
        assert_says("1 started, 1 restarted, 1 stopped, 1 with new settings, 1 kept");
        ck_assert_int_eq(sim_main_pid("kept"), kept);
        ck_assert_int_eq(sim_main_pid("live"), live);
        ck_assert_uint_eq(child_config(sim_child("live"))->drain.timeout, 3 * SEC);
        assert_runs("changed", "/new");
        assert_runs("added", "/new");
        ck_assert_ptr_null(sim_find("removed"));
        ck_assert_uint_eq(sim_population("removed"), 0);
        ck_assert_uint_eq(sim_ordered("removed", EVENT_FREEZE), 1); /* by the whole sequence */
        ck_assert_uint_eq(sim_said_when(MESSAGE_RELOAD_DONE, NULL), 13 * SEC);
        ck_assert_uint_eq(fake_notify_count(NOTIFY_READY), 2);
        ck_assert_uint_eq(fake_timer_count(sim_loop()), 0);
        end();
}
END_TEST

#define FIVE(of, fourth)                                                                           \
        of(d1, "") of(d2, "requires = [ \"d1\" ];") of(d3, "")                                     \
                fourth(d4, "requires = [ \"d3\" ];") of(d5, "") OLD(kept, "")

START_TEST(of_five_the_fourth_fails) {
        static const char *const names[] = { "d1", "d2", "d3", "d4", "d5" };

        begin(FIVE(OLD, OLD));
        pid_t kept = sim_main_pid("kept");
        reload_to(FIVE(NEW, BAD), RELOAD_ROLLED_BACK);
        assert_says("d4 did not become ready");
        assert_says("all is as it was");
        ck_assert_uint_eq(sim_said(MESSAGE_RELOAD_ROLLED_BACK, NULL), 1);
        ck_assert_int_eq(sim_main_pid("kept"), kept);
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                assert_runs(names[i], "/old");

        /* also what is started later goes by the old one */
        process_signal(process_find(sim_main_pid("d1")), SIGKILL);
        sim_run_for(5 * SEC);
        assert_runs("d1", "/old");
        end();
}
END_TEST

START_TEST(what_was_added_and_removed_is_undone_too) {
        begin(OLD(removed, "") OLD(changed, "") OLD(rest, ""));
        reload_to(OLD(rest, "") BAD(changed, "") NEW(added, ""), RELOAD_ROLLED_BACK);
        assert_runs("removed", "/old");
        assert_runs("changed", "/old");
        assert_runs("rest", "/old");
        ck_assert_ptr_null(sim_find("added"));
        ck_assert_uint_eq(sim_population("added"), 0);
        end();
}
END_TEST

START_TEST(a_way_back_that_fails_is_told) {
        begin(OLD(a, "restart: { policy = \"never\"; };"));
        PROGRAM(.path = "/old", .acts = ACTS(EXIT(500 * MS, 1)));
        reload_to(BAD(a, ""), RELOAD_ROLLED_BACK);
        assert_says("did not become ready again");
        ck_assert_int_eq(sim_state("a"), STATE_FAILED);
        end();
}
END_TEST

START_TEST(an_essential_daemon_that_fails_is_undone_not_the_end) {
        begin(OLD(a, "essential = true;") OLD(b, ""));
        reload_to(BAD(a, "essential = true;") OLD(b, ""), RELOAD_ROLLED_BACK);
        assert_runs("a", "/old");
        end();
}
END_TEST

START_TEST(an_essential_daemon_that_does_not_come_back_is_the_end) {
        begin(OLD(a, "essential = true; restart: { policy = \"never\"; };") OLD(b, ""));
        PROGRAM(.path = "/old", .acts = ACTS(EXIT(500 * MS, 1)),
                .reactions = REACTIONS(ON(SIGTERM, EXIT(0, 0))));
        sim_set_config(BAD(a, "essential = true;") OLD(b, ""));
        sim_reload();
        sim_run_to_exit();
        ck_assert_int_eq(sim_code(), 1);
        ck_assert_int_eq(sim_verdict(), RELOAD_ROLLED_BACK);
        sim_end();
}
END_TEST

/* ---- who takes part ---- */

START_TEST(who_requires_a_changed_one_is_restarted_with_it) {
        begin(OLD(web, "requires = [ \"db\" ];") OLD(db, "") OLD(late, "after = [ \"db\" ];"));
        pid_t web = sim_main_pid("web"), late = sim_main_pid("late");
        reload_to(OLD(web, "requires = [ \"db\" ];") NEW(db, "") OLD(late, "after = [ \"db\" ];"),
                  RELOAD_APPLIED);
        assert_runs("web", "/old");
        assert_runs("db", "/new");
        ck_assert_int_ne(sim_main_pid("web"), web);
        ck_assert_int_eq(sim_main_pid("late"), late);
        end();
}
END_TEST

START_TEST(who_does_not_require_it_any_more_goes_on) {
        begin(OLD(web, "requires = [ \"cache\" ];") OLD(app, "requires = [ \"db\" ];")
                      OLD(cache, "") OLD(db, ""));
        pid_t web = sim_main_pid("web"), app = sim_main_pid("app");
        reload_to(OLD(web, "") OLD(app, "") NEW(db, ""), RELOAD_APPLIED);
        ck_assert_int_eq(sim_main_pid("web"), web);
        ck_assert_int_eq(sim_main_pid("app"), app);
        ck_assert_int_eq(sim_state("web"), STATE_RUNNING);
        assert_runs("db", "/new");
        ck_assert_ptr_null(sim_find("cache"));
        end();
}
END_TEST

START_TEST(a_failure_beside_it_does_not_confuse_the_indexes) {
        PROGRAM(.path = "/mortal", .acts = ACTS(EXIT(10 * SEC + 500 * MS, 1)));
        begin(OLD(a, "") OLD(b, "") OLD(c, "")
                      ONE(top, "/old", "requires = [ \"mortal\" ];")
                      "mortal: { command = [ \"/mortal\" ]; restart: { policy = \"never\"; }; };");
        reload_to("mortal: { command = [ \"/mortal\" ]; restart: { policy = \"never\"; }; };"
                          ONE(top, "/old", "requires = [ \"mortal\" ];") NEW(c, ""),
                  RELOAD_APPLIED);
        assert_runs("c", "/new");
        ck_assert_int_eq(sim_state("mortal"), STATE_FAILED);
        ck_assert_int_eq(sim_state("top"), STATE_STOPPED);
        end();
}
END_TEST

START_TEST(what_is_stopped_stays_stopped) {
        begin(OLD(a, "") OLD(b, ""));
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "a"), 0);
        sim_run_for(5 * SEC);
        reload_to(NEW(a, "") NEW(b, ""), RELOAD_APPLIED);
        ck_assert_int_eq(sim_state("a"), STATE_STOPPED);
        assert_runs("b", "/new");
        ck_assert_int_eq(sim_ask(REQUEST_START, "a"), 0);
        sim_run_for(5 * SEC);
        assert_runs("a", "/new");
        end();
}
END_TEST

START_TEST(what_had_failed_is_started_when_it_changed) {
        begin(BAD(a, "") BAD(b, ""));
        reload_to(NEW(a, "") BAD(b, ""), RELOAD_APPLIED);
        assert_runs("a", "/new");
        ck_assert_int_eq(sim_state("b"), STATE_FAILED);
        ck_assert_uint_eq(sim_ordered("b", EVENT_START), 1);
        end();
}
END_TEST

START_TEST(all_may_be_other_ones) {
        begin(OLD(a, "") OLD(b, "requires = [ \"a\" ];"));
        reload_to(NEW(c, "") NEW(d, "requires = [ \"c\" ];") NEW(e, ""), RELOAD_APPLIED);
        ck_assert_uint_eq(world_population(NULL), 3);
        sim_set_config(OLD(b, ""));
        sim_reload();
        sim_run_for(10 * SEC);
        ck_assert_int_eq(sim_verdict(), RELOAD_APPLIED);
        assert_runs("b", "/old");
        ck_assert_uint_eq(world_population(NULL), 1);
        end();
}
END_TEST

START_TEST(the_new_settings_are_used_from_now_on) {
        PROGRAM(.path = "/deaf", .reactions = REACTIONS(DEAF(SIGTERM)));
        begin("a: { command = [ \"/deaf\" ]; stop: { signals = \"TERM 1s, TERM 1s, KILL\"; }; };");
        reload_to("a: { command = [ \"/deaf\" ]; stop: { signals = \"TERM 7s, KILL\"; }; };",
                  RELOAD_APPLIED);
        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_uint_eq(sim_now(), 37 * SEC);
        sim_end();
}
END_TEST

/* It failed and is being swept by a schedule that is gone when the next step is due. */
START_TEST(a_shorter_schedule_may_come_in_the_middle_of_a_longer_one) {
        for (usec_t after = 0; after < 4 * SEC; after += 250 * MS) {
                PROGRAM(.path = "/worker", .reactions = REACTIONS(DEAF(SIGTERM), DEAF(SIGQUIT)));
                PROGRAM(.path = "/main", .acts = ACTS(FORK(0, "/worker"), EXIT(10 * SEC - MS, 1)));
                begin("a: { command = [ \"/main\" ]; "
                      "stop: { signals = \"TERM 1s, QUIT 1s, TERM 1s, KILL\"; }; };");
                sim_run_for(after);
                reload_to("a: { command = [ \"/main\" ]; stop: { signals = \"KILL\"; }; };",
                          RELOAD_APPLIED);
                end();
        }
}
END_TEST

/* ---- several at once ---- */

START_TEST(a_burst_is_two_of_them_and_all_are_answered) {
        begin(OLD(a, ""));
        sim_set_config(NEW(a, ""));
        for (int i = 0; i < 100; i++) {
                sim_reload();
                sim_run_for(10 * MS);
        }
        sim_run_for(10 * SEC);
        ck_assert_uint_eq(sim_verdicts(), 100);
        ck_assert_int_eq(sim_verdict(), RELOAD_NOTHING);
        ck_assert_uint_eq(sim_said(MESSAGE_RELOAD_DONE, NULL), 2);
        assert_runs("a", "/new");
        end();
}
END_TEST

START_TEST(one_during_another_sees_the_last_files) {
        begin(OLD(a, ""));
        sim_set_config(NEW(a, ""));
        sim_reload();
        sim_run_for(500 * MS);
        ck_assert_int_eq(sim_mode(), MODE_RELOADING);
        sim_set_config(NEW(a, "") NEW(b, ""));
        fake_signal(SIGHUP);
        sim_run_for(10 * SEC);
        assert_runs("b", "/new");
        ck_assert_uint_eq(sim_said(MESSAGE_RELOAD_DONE, NULL), 2);
        end();
}
END_TEST

START_TEST(requests_have_to_wait_for_a_reload) {
        begin(OLD(a, "") OLD(b, ""));
        sim_set_config(NEW(a, "") OLD(b, ""));
        sim_reload();
        sim_run_for(500 * MS);
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "b"), REQUEST_E_BUSY);
        sim_run_for(10 * SEC);
        ck_assert_int_eq(sim_ask(REQUEST_STOP, "b"), 0);
        sim_run_for(10 * SEC);
        ck_assert_int_eq(sim_state("b"), STATE_STOPPED);
        end();
}
END_TEST

START_TEST(a_reload_waits_for_operations) {
        begin(OLD(a, "") OLD(b, ""));
        ck_assert_int_eq(sim_ask(REQUEST_RESTART, "a"), 0);
        sim_set_config(OLD(b, "") NEW(a, ""));
        sim_reload();
        sim_run_for(1500 * MS);
        ck_assert_int_eq(sim_mode(), MODE_RUNNING);
        sim_run_for(10 * SEC);
        ck_assert_uint_eq(sim_ended(OPERATION_DONE), 1);
        ck_assert_int_eq(sim_verdict(), RELOAD_APPLIED);
        assert_runs("a", "/new");
        end();
}
END_TEST

/* ---- a stop breaks in ---- */

START_TEST(a_stop_breaks_in_at_any_time) {
        static const int signals[] = { SIGTERM, SIGQUIT };

        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                for (usec_t after = 0; after < 8 * SEC; after += 250 * MS) {
                        begin(FIVE(OLD, OLD) OLD(gone, ""));
                        sim_set_config(FIVE(NEW, BAD) NEW(more, ""));
                        sim_reload();
                        sim_run_for(after);
                        fake_signal(signals[i]);
                        sim_run_to_exit();
                        ck_assert_uint_eq(sim_verdicts(), 1);
                        ck_assert(sim_verdict() == RELOAD_CANCELED ||
                                  sim_verdict() == RELOAD_ROLLED_BACK);
                        ck_assert_int_eq(sim_code(), 0);
                        ck_assert_uint_eq(world_population(NULL), 0);
                        ck_assert_uint_eq(fake_notify_count(NOTIFY_STOPPING), 1);
                        sim_end();
                }
}
END_TEST

START_TEST(who_asks_during_a_stop_is_answered) {
        begin(OLD(a, ""));
        fake_signal(SIGTERM);
        sim_run_for(500 * MS);
        sim_reload();
        fake_signal(SIGHUP);
        sim_run_to_exit();
        ck_assert_uint_eq(sim_verdicts(), 1);
        ck_assert_int_eq(sim_verdict(), RELOAD_CANCELED);
        sim_end();
}
END_TEST

START_TEST(systemd_waits_for_a_long_reload) {
        PROGRAM(.path = "/long", .acts = ACTS(NOTIFY(200 * SEC, "READY=1\n")),
                .reactions = REACTIONS(ON(SIGTERM, EXIT(0, 0))));
        begin(OLD(a, ""));
        sim_set_config(ONE(a, "/long", "ready: { timeout = \"300s\"; };"));
        sim_reload();
        for (int i = 0; i < 20; i++) {
                unsigned said = fake_notify_count(NOTIFY_EXTEND);

                sim_run_for(10 * SEC);
                ck_assert_uint_gt(fake_notify_count(NOTIFY_EXTEND), said);
        }
        sim_run_for(10 * SEC);
        ck_assert_int_eq(sim_verdict(), RELOAD_APPLIED);
        end();
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sim_reload");
        TCase *verdicts = tcase_create("verdicts"), *parts = tcase_create("parts");
        TCase *several = tcase_create("several"), *stops = tcase_create("stops");

        tcase_add_test(verdicts, nothing_changed);
        tcase_add_test(verdicts, an_invalid_one_is_refused);
        tcase_add_test(verdicts, what_only_a_restart_can_change_is_refused);
        tcase_add_test(verdicts, a_good_one_is_applied);
        tcase_add_test(verdicts, of_five_the_fourth_fails);
        tcase_add_test(verdicts, what_was_added_and_removed_is_undone_too);
        tcase_add_test(verdicts, a_way_back_that_fails_is_told);
        tcase_add_test(verdicts, an_essential_daemon_that_fails_is_undone_not_the_end);
        tcase_add_test(verdicts, an_essential_daemon_that_does_not_come_back_is_the_end);
        suite_add_tcase(suite, verdicts);

        tcase_add_test(parts, who_requires_a_changed_one_is_restarted_with_it);
        tcase_add_test(parts, who_does_not_require_it_any_more_goes_on);
        tcase_add_test(parts, a_failure_beside_it_does_not_confuse_the_indexes);
        tcase_add_test(parts, what_is_stopped_stays_stopped);
        tcase_add_test(parts, what_had_failed_is_started_when_it_changed);
        tcase_add_test(parts, all_may_be_other_ones);
        tcase_add_test(parts, the_new_settings_are_used_from_now_on);
        tcase_add_test(parts, a_shorter_schedule_may_come_in_the_middle_of_a_longer_one);
        suite_add_tcase(suite, parts);

        tcase_add_test(several, a_burst_is_two_of_them_and_all_are_answered);
        tcase_add_test(several, one_during_another_sees_the_last_files);
        tcase_add_test(several, requests_have_to_wait_for_a_reload);
        tcase_add_test(several, a_reload_waits_for_operations);
        suite_add_tcase(suite, several);

        tcase_add_test(stops, a_stop_breaks_in_at_any_time);
        tcase_add_test(stops, who_asks_during_a_stop_is_answered);
        tcase_add_test(stops, systemd_waits_for_a_long_reload);
        suite_add_tcase(suite, stops);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
