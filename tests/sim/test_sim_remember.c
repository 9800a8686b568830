/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What operators stopped stays stopped: over a reload, and when supervisord is started again. */

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "fake/script.h"
#include "sim/sim.h"
#include "unit.h"

#define STOPPED SIM_STATE "/stopped"
#define HEADER  "supervisord-stopped 1\n"

/* Ready 1 s after its start, gone 1 s after SIGTERM. */
#define ONE(name, program, more)                                                                   \
        #name ": { command = [ \"" program "\" ]; type = \"notify\"; " more " };\n"
#define SLOW(name, more) ONE(name, "/slow", more)
#define CHAIN                                                                                      \
        SLOW(web, "requires = [ \"app\" ];")                                                       \
        SLOW(app, "requires = [ \"db\" ];")                                                        \
        SLOW(db, "")                                                                               \
        SLOW(other, "after = [ \"db\" ];")

static void begin(const char *config) {
        static const FakeAct ready[] = { NOTIFY(SEC, "READY=1\n"), { 0 } };
        static const FakeAct gone[] = { EXIT(SEC, 0), { 0 } };
        static const FakeAct fails[] = { EXIT(500 * MS, 1), { 0 } };
        static const FakeReaction reactions[] = { { SIGTERM, gone }, { 0 } };
        static const FakeProgram slow = { .path = "/slow", .acts = ready, .reactions = reactions };
        static const FakeProgram broken = { .path = "/broken", .acts = fails };

        world_add_program(&slow);
        world_add_program(&broken);
        sim_begin(0, config);
}

static void run(void) {
        sim_start();
        sim_run_until(10 * SEC);
        ck_assert_int_eq(sim_mode(), MODE_RUNNING);
}

static void leave(void) {
        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_int_eq(sim_code(), 0);
}

static void end(void) {
        leave();
        sim_end();
}

/* Another supervisor, as after a reboot. */
static void run_again(const char *config) {
        leave();
        sim_restart(config);
        run();
}

static void ask(RequestVerb verb, const char *name) {
        ck_assert_int_eq(sim_ask(verb, name), 0);
        sim_run_for(10 * SEC);
}

static void ask_now_only(RequestVerb verb, const char *name) {
        ck_assert_int_eq(sim_request_now_only(verb, (const char *[]) { name, NULL }), 0);
        sim_run_for(10 * SEC);
}

static void assert_states(DaemonState web, DaemonState app, DaemonState db) {
        ck_assert_int_eq(sim_state("web"), web);
        ck_assert_int_eq(sim_state("app"), app);
        ck_assert_int_eq(sim_state("db"), db);
        ck_assert_int_eq(sim_state("other"), STATE_RUNNING);
}

static void assert_reason(const char *name, const char *part) {
        const char *reason = child_reason(sim_child(name));

        if (!strstr(reason, part))
                ck_abort_msg("%s: \"%s\" does not say \"%s\"", name, reason, part);
}

/* How many lines the file has for that daemon. */
static unsigned count_lines(const char *name) {
        const char *content;
        unsigned count = 0;

        ck_assert(world_read(STOPPED, &content));
        ck_assert_ptr_nonnull(content);
        for (const char *line = content; *line; line += strcspn(line, "\n") + 1)
                count += strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ' ';
        return count;
}

/* ---- over a restart of the supervisor ---- */

START_TEST(what_was_stopped_stays_stopped) {
        begin(CHAIN);
        run();
        ask(REQUEST_STOP, "db");
        assert_states(STATE_STOPPED, STATE_STOPPED, STATE_STOPPED);
        assert_reason("db", "stopped by an operator (uid 0, since 20");
        ck_assert_uint_eq(count_lines("db"), 1);
        ck_assert_uint_eq(count_lines("app"), 0); /* it stopped with it, nobody named it */

        for (unsigned round = 0; round < 2; round++) {
                run_again(CHAIN);
                assert_states(STATE_STOPPED, STATE_STOPPED, STATE_STOPPED);
                assert_reason("db", "stopped by an operator (uid 0, since 20");
                assert_reason("app", "not started: db, which it requires, was stopped by");
                assert_reason("web", "not started: app, which it requires, was stopped");
                ck_assert_uint_eq(sim_ordered("db", EVENT_START), 0);
                ck_assert_uint_eq(sim_said(MESSAGE_DAEMON_HELD, NULL), 3);
                ck_assert_uint_eq(fake_notify_count(NOTIFY_READY), 1);
        }
        end();
}
END_TEST

START_TEST(who_stopped_it_and_when_is_kept) {
        char reason[256];

        begin(CHAIN);
        run();
        ask(REQUEST_STOP, "web");
        strcpy(reason, child_reason(sim_child("web")));
        sim_run_for(3600 * SEC);
        ask(REQUEST_STOP, "web"); /* again: nothing new */
        ck_assert_str_eq(child_reason(sim_child("web")), reason);
        run_again(CHAIN);
        ck_assert_str_eq(child_reason(sim_child("web")), reason);
        end();
}
END_TEST

START_TEST(a_start_forgets_it_and_what_it_requires) {
        begin(CHAIN);
        run();
        ask(REQUEST_STOP, "db");
        run_again(CHAIN);
        ask(REQUEST_START, "web");
        assert_states(STATE_RUNNING, STATE_RUNNING, STATE_RUNNING);
        ck_assert_str_eq(child_reason(sim_child("db")), "");
        ck_assert_uint_eq(count_lines("db"), 0);
        run_again(CHAIN);
        assert_states(STATE_RUNNING, STATE_RUNNING, STATE_RUNNING);
        end();
}
END_TEST

START_TEST(a_restart_forgets_it_too) {
        begin(CHAIN);
        run();
        ask(REQUEST_STOP, "web");
        ask(REQUEST_STOP, "app");
        ask(REQUEST_RESTART, "app");
        assert_states(STATE_STOPPED, STATE_RUNNING, STATE_RUNNING);
        run_again(CHAIN);
        assert_states(STATE_STOPPED, STATE_RUNNING, STATE_RUNNING);
        end();
}
END_TEST

START_TEST(now_only_remembers_and_forgets_nothing) {
        begin(CHAIN);
        run();
        ask_now_only(REQUEST_STOP, "app");
        ck_assert_int_eq(sim_state("app"), STATE_STOPPED);
        ck_assert(!world_exists(STOPPED));
        run_again(CHAIN);
        assert_states(STATE_RUNNING, STATE_RUNNING, STATE_RUNNING);

        ask(REQUEST_STOP, "app");
        ask_now_only(REQUEST_START, "web");
        assert_states(STATE_RUNNING, STATE_RUNNING, STATE_RUNNING);
        ck_assert_str_eq(child_reason(sim_child("app")), ""); /* it runs */
        ask_now_only(REQUEST_RESTART, "app");
        assert_states(STATE_RUNNING, STATE_RUNNING, STATE_RUNNING);
        run_again(CHAIN);
        assert_states(STATE_STOPPED, STATE_STOPPED, STATE_RUNNING);
        end();
}
END_TEST

START_TEST(everything_may_be_stopped) {
        begin(SLOW(a, "essential = true;"));
        run();
        ask(REQUEST_STOP, "a");
        ck_assert_int_eq(sim_mode(), MODE_RUNNING);
        run_again(SLOW(a, "essential = true;") SLOW(b, "essential = true; requires = [ \"a\" ];"));
        ck_assert_int_eq(sim_state("b"), STATE_STOPPED); /* that is no failure */
        ck_assert_uint_eq(fake_timer_count(sim_loop()), 0);
        end();
}
END_TEST

START_TEST(a_failed_one_can_be_stopped) {
        begin(ONE(bad, "/broken", "restart: { policy = \"never\"; };") SLOW(a, ""));
        run();
        ck_assert_int_eq(sim_state("bad"), STATE_FAILED);
        ask(REQUEST_STOP, "bad");
        ck_assert_int_eq(sim_state("bad"), STATE_STOPPED);
        assert_reason("bad", "stopped by an operator");
        run_again(ONE(bad, "/slow", "") SLOW(a, ""));
        ck_assert_int_eq(sim_state("bad"), STATE_STOPPED);
        end();
}
END_TEST

START_TEST(a_start_that_fails_forgets_it_all_the_same) {
        begin(ONE(bad, "/broken", "restart: { policy = \"never\"; };") SLOW(a, ""));
        run();
        ask(REQUEST_STOP, "bad");
        ask(REQUEST_START, "bad");
        ck_assert_int_eq(sim_state("bad"), STATE_FAILED);
        assert_reason("bad", "exited with status 1");
        run_again(ONE(bad, "/slow", "") SLOW(a, ""));
        ck_assert_int_eq(sim_state("bad"), STATE_RUNNING);
        end();
}
END_TEST

/* ---- over a reload ---- */

static void reload_to(const char *config, ReloadVerdict verdict) {
        sim_set_config(config);
        sim_reload();
        sim_run_for(20 * SEC);
        ck_assert_int_eq(sim_verdict(), verdict);
}

START_TEST(a_reload_leaves_it_stopped) {
        begin(SLOW(a, "") SLOW(b, ""));
        run();
        ask(REQUEST_STOP, "a");
        reload_to(SLOW(a, "nice = 1;") SLOW(b, "nice = 1;"), RELOAD_APPLIED);
        ck_assert_int_eq(sim_state("a"), STATE_STOPPED);
        assert_reason("a", "stopped by an operator");
        run_again(SLOW(a, "nice = 2;") SLOW(b, ""));
        ck_assert_int_eq(sim_state("a"), STATE_STOPPED);
        end();
}
END_TEST

START_TEST(who_is_removed_is_forgotten) {
        begin(SLOW(a, "") SLOW(b, ""));
        run();
        ask(REQUEST_STOP, "a");
        ck_assert_uint_eq(count_lines("a"), 1);
        reload_to(SLOW(b, ""), RELOAD_APPLIED);
        ck_assert_uint_eq(count_lines("a"), 0);
        reload_to(SLOW(a, "") SLOW(b, ""), RELOAD_APPLIED);
        ck_assert_int_eq(sim_state("a"), STATE_RUNNING);
        end();
}
END_TEST

START_TEST(who_was_to_be_removed_but_was_not_is_not) {
        begin(SLOW(a, "") SLOW(b, ""));
        run();
        ask(REQUEST_STOP, "a");
        reload_to(ONE(b, "/broken", "restart: { policy = \"never\"; };"), RELOAD_ROLLED_BACK);
        ck_assert_int_eq(sim_state("a"), STATE_STOPPED);
        assert_reason("a", "stopped by an operator");
        ck_assert_uint_eq(count_lines("a"), 1);
        run_again(SLOW(a, "") SLOW(b, ""));
        ck_assert_int_eq(sim_state("a"), STATE_STOPPED);
        end();
}
END_TEST

/* ---- the file ---- */

static void begin_with_file(const char *content) {
        begin(CHAIN);
        run();
        leave();
        world_write(STOPPED, content);
        sim_restart(CHAIN);
        run();
}

START_TEST(a_file_written_by_hand) {
        begin_with_file(HEADER "web\nno_such 0 1\napp 1000 1700000000");
        assert_states(STATE_STOPPED, STATE_STOPPED, STATE_RUNNING);
        ck_assert_str_eq(child_reason(sim_child("web")), "stopped by an operator");
        assert_reason("app", "(uid 1000, since 2023-11-1");
        ck_assert_uint_eq(sim_said(MESSAGE_STATE_LOST, NULL), 1);
        ck_assert_ptr_nonnull(strstr(sim_said_text(MESSAGE_STATE_LOST, NULL),
                                     STOPPED ":3: warning: there is no daemon \"no_such\""));
        ask(REQUEST_START, "app");
        ck_assert_uint_eq(count_lines("app"), 0);
        ck_assert_uint_eq(count_lines("no_such"), 0);
        run_again(CHAIN);
        assert_states(STATE_STOPPED, STATE_RUNNING, STATE_RUNNING);
        ck_assert_uint_eq(sim_said(MESSAGE_STATE_LOST, NULL), 0);
        end();
}
END_TEST

START_TEST(a_file_that_is_none) {
        begin_with_file(_i == 0 ? NULL : _i == 1 ? "" : "supervisord-stopped 2\nweb\n");
        assert_states(STATE_RUNNING, STATE_RUNNING, STATE_RUNNING);
        ck_assert_uint_eq(sim_said(MESSAGE_STATE_LOST, NULL), 1);
        ck_assert_ptr_nonnull(strstr(sim_said_text(MESSAGE_STATE_LOST, NULL), STOPPED));
        ask(REQUEST_STOP, "web");
        run_again(CHAIN);
        assert_states(STATE_STOPPED, STATE_RUNNING, STATE_RUNNING);
        end();
}
END_TEST

START_TEST(it_is_written_only_when_it_changes) {
        begin(CHAIN);
        run();
        unsigned before = fake_door_count(DOOR_STATE_WRITE);
        ask(REQUEST_START, "web");
        ask(REQUEST_RESTART, "other");
        ask_now_only(REQUEST_STOP, "other");
        ck_assert(!world_exists(STOPPED));
        ask(REQUEST_STOP, "web");
        ask(REQUEST_STOP, "web");
        ck_assert_uint_eq(fake_door_count(DOOR_STATE_WRITE), before + 1);
        ask(REQUEST_START, "other");
        ck_assert_uint_eq(fake_door_count(DOOR_STATE_WRITE), before + 1);
        end();
}
END_TEST

START_TEST(a_full_disk_undoes_nothing) {
        begin(CHAIN);
        run();
        fake_fail(DOOR_STATE_WRITE, ENOSPC, 1, 1);
        ask(REQUEST_STOP, "web");
        ck_assert_int_eq(sim_state("web"), STATE_STOPPED);
        assert_reason("web", "stopped by an operator");
        ck_assert_ptr_nonnull(
                strstr(supervisor_remark(sim_supervisor()), STOPPED ": No space left on device"));
        ck_assert_str_eq(sim_said_text(MESSAGE_STATE_LOST, NULL),
                         supervisor_remark(sim_supervisor()));

        ask(REQUEST_STOP, "app"); /* there is room again: both are written */
        ck_assert_str_eq(supervisor_remark(sim_supervisor()), "");
        run_again(CHAIN);
        assert_states(STATE_STOPPED, STATE_STOPPED, STATE_RUNNING);
        end();
}
END_TEST

START_TEST(without_a_directory_it_goes_on) {
        begin(CHAIN);
        leave();
        fake_fail(DOOR_STATE_OPEN, EROFS, 1, 1);
        sim_restart(CHAIN);
        run();
        ck_assert_uint_eq(sim_said(MESSAGE_STATE_LOST, NULL), 1);
        ask(REQUEST_STOP, "web");
        assert_states(STATE_STOPPED, STATE_RUNNING, STATE_RUNNING);
        assert_reason("web", "stopped by an operator");
        reload_to(CHAIN SLOW(more, ""), RELOAD_APPLIED);
        ck_assert_int_eq(sim_state("web"), STATE_STOPPED);
        ck_assert_str_eq(supervisor_remark(sim_supervisor()), ""); /* it was said at the start */
        ck_assert_uint_eq(sim_said(MESSAGE_STATE_LOST, NULL), 1);
        run_again(CHAIN);
        assert_states(STATE_RUNNING, STATE_RUNNING, STATE_RUNNING);
        end();
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sim/remember");
        TCase *tcase = tcase_create("remember");

        tcase_add_test(tcase, what_was_stopped_stays_stopped);
        tcase_add_test(tcase, who_stopped_it_and_when_is_kept);
        tcase_add_test(tcase, a_start_forgets_it_and_what_it_requires);
        tcase_add_test(tcase, a_restart_forgets_it_too);
        tcase_add_test(tcase, now_only_remembers_and_forgets_nothing);
        tcase_add_test(tcase, everything_may_be_stopped);
        tcase_add_test(tcase, a_failed_one_can_be_stopped);
        tcase_add_test(tcase, a_start_that_fails_forgets_it_all_the_same);
        tcase_add_test(tcase, a_reload_leaves_it_stopped);
        tcase_add_test(tcase, who_is_removed_is_forgotten);
        tcase_add_test(tcase, who_was_to_be_removed_but_was_not_is_not);
        tcase_add_test(tcase, a_file_written_by_hand);
        tcase_add_loop_test(tcase, a_file_that_is_none, 0, 3);
        tcase_add_test(tcase, it_is_written_only_when_it_changes);
        tcase_add_test(tcase, a_full_disk_undoes_nothing);
        tcase_add_test(tcase, without_a_directory_it_goes_on);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
