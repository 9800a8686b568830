/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The matrix of changes: each setting of the schema is changed once on a running daemon, and back.
 * What happens is what the plan said, and the plan says what the schema does. A neighbour that did
 * not change notices nothing.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/value.h"
#include "fake/script.h"
#include "sim/matrix.h"
#include "sim/sim.h"
#include "unit.h"

static char home[] = "/tmp/test-matrix-XXXXXX";

/* The profiles of the row that is about them; they are looked for beside the configuration. */
static void setup(void) {
        (void) strcpy(home + sizeof(home) - 7, "XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(home));
        ck_assert_int_eq(chdir(home), 0);
        ck_assert_int_eq(mkdir("profiles", 0755), 0);
        sim_set_config_file("sim.conf");
        for (size_t i = 0; i < 2; i++) {
                FILE *stream = fopen(i == 0 ? "profiles/one.conf" : "profiles/two.conf", "we");

                ck_assert_ptr_nonnull(stream);
                ck_assert_int_eq(fchmod(fileno(stream), 0644), 0);
                ck_assert_int_eq(fclose(stream), 0);
        }
}

static void teardown(void) {
        (void) unlink("profiles/one.conf");
        (void) unlink("profiles/two.conf");
        (void) rmdir("profiles");
        ck_assert_int_eq(chdir("/"), 0);
        ck_assert_int_eq(rmdir(home), 0);
}

static void add_programs(void) {
        static const FakeAct serves[] = { NOTIFY(10 * MS, "READY=1\n"), LISTEN(10 * MS, 80),
                                          WRITE(10 * MS, "/ready", "1"),
                                          SAY(10 * MS, "listening\nall ready\n"), { 0 } };
        static const FakeAct ends[] = { EXIT(0, 0), { 0 } };
        static const FakeReaction reactions[] = { { SIGUSR1, NULL }, { SIGUSR2, NULL },
                                                  { SIGHUP, NULL }, { 0 } };
        static const FakeProgram programs[] = {
                { .path = "/d", .acts = serves, .reactions = reactions },
                { .path = "/other" },
                { .path = "/c", .acts = ends },
                { .path = "/f", .acts = ends },
                { .path = "/t", .acts = ends },
        };

        for (size_t i = 0; i < ELEMENTSOF(programs); i++)
                world_add_program(&programs[i]);
}

/* "other" and "d" with these settings; malloc'ed. */
static char *with(const char *settings) {
        const char *command = strstr(settings, "command = [ \"/d\"") == settings
                                      ? ""
                                      : "command = [ \"/d\" ];";
        char *text;

        ck_assert_int_gt(asprintf(&text,
                                  "other: { command = [ \"/other\" ]; };\n"
                                  "d: { %s %s };\n",
                                  command, settings),
                         0);
        return text;
}

typedef struct Seen {
        pid_t pid, other;
        unsigned starts;
        usec_t other_started;
} Seen;

static Seen look(void) {
        return (Seen) {
                .pid = sim_main_pid("d"),
                .other = sim_main_pid("other"),
                .starts = sim_said(MESSAGE_DAEMON_STARTING, "d"),
                .other_started = child_started(sim_child("other")),
        };
}

static void begin(const char *supervisor, const char *daemons) {
        add_programs();
        sim_begin_with(0, supervisor, daemons);
        sim_start();
        sim_run_until(10 * SEC);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_int_eq(sim_state("other"), STATE_RUNNING);
}

static void end(void) {
        fake_signal(SIGTERM);
        sim_run_to_exit();
        sim_end();
}

/* What a reload would do to d. */
static PlanAction planned(void) {
        CLEANUP(request_plan_freep) RequestPlan *plan = NULL;

        ck_assert_int_eq(supervisor_plan(sim_supervisor(), &plan), 0);
        ck_assert_uint_eq(diag_errors(plan->diag), 0);
        for (size_t i = 0; i < plan->plan->count; i++)
                if (strcmp(plan->plan->entries[i].diff->name, "d") == 0)
                        return plan->plan->entries[i].action;
        ck_abort_msg("d is not in the plan");
        return PLAN_MAX_;
}

static void reload(ReloadVerdict verdict) {
        unsigned before = sim_verdicts();

        sim_reload();
        sim_run_for(20 * SEC);
        if (sim_verdicts() != before + 1 || sim_verdict() != verdict)
                ck_abort_msg("%s: %s (%s)", reload_verdict_name(sim_verdict()), sim_verdict_text(),
                             sim_verdict_finding());
}

/* To these settings: what the schema says happens, and the value is in force. */
static void change(const Setting *setting, const char *settings) {
        CLEANUP(freep) char *daemons = with(settings);
        bool restarts = setting->effect == EFFECT_RESTART;
        Seen before = look();

        sim_set_config(daemons);
        ck_assert_int_eq(planned(), restarts ? PLAN_RESTART : PLAN_LIVE);
        reload(RELOAD_APPLIED);

        Seen after = look();
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
        ck_assert_int_eq(before.pid == after.pid, !restarts);
        ck_assert_uint_eq(after.starts, before.starts + restarts);
        ck_assert_int_eq(after.other, before.other);
        ck_assert_uint_eq(after.other_started, before.other_started);

        const Config *in_force = sim_supervisor()->generation->config;
        ck_assert(value_equal(setting, child_config(sim_child("d")), config_find(in_force, "d")));
        sim_reload();
        sim_run_for(SEC);
        ck_assert_int_eq(sim_verdict(), RELOAD_NOTHING);
}

START_TEST(each_setting_of_a_daemon_does_what_is_planned) {
        const Setting *setting = &schema_daemon[_i];
        const MatrixRow *row = matrix_find(matrix_daemon, matrix_daemon_count, setting->path);

        if (!row)
                ck_abort_msg("%s has no rule: write two values of it into matrix.c", setting->path);
        CLEANUP(freep) char *daemons = with(row->before);
        begin("", daemons);
        change(setting, row->after);
        change(setting, row->before);
        end();
}
END_TEST

/* Applied while all go on, or refused as a whole. */
START_TEST(each_setting_of_the_supervisor_is_applied_or_refused) {
        const Setting *setting = &schema_supervisor[_i];
        const MatrixRow *row =
                matrix_find(matrix_supervisor, matrix_supervisor_count, setting->path);

        if (!row)
                ck_abort_msg("%s has no rule: write two values of it into matrix.c", setting->path);
        CLEANUP(freep) char *daemons = with("");
        begin(row->before, daemons);
        Seen before = look();
        const Config *in_force = sim_supervisor()->generation->config;

        sim_set_config_with(row->after, daemons);
        if (setting->effect == EFFECT_RESTART) {
                reload(RELOAD_REFUSED);
                ck_assert_ptr_nonnull(strstr(sim_verdict_text(), setting->path));
                ck_assert_ptr_eq(sim_supervisor()->generation->config, in_force);
        } else {
                reload(RELOAD_APPLIED);
                ck_assert_ptr_ne(sim_supervisor()->generation->config, in_force);
        }
        Seen after = look();
        ck_assert_int_eq(after.pid, before.pid);
        ck_assert_int_eq(after.other, before.other);
        ck_assert_uint_eq(after.starts, before.starts);
        end();
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sim/matrix");
        TCase *tcase = tcase_create("matrix");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, each_setting_of_a_daemon_does_what_is_planned, 0,
                            (int) schema_daemon_count);
        tcase_add_loop_test(tcase, each_setting_of_the_supervisor_is_applied_or_refused, 0,
                            (int) schema_supervisor_count);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
