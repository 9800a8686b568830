/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is remembered of reloads, along a real plan. */

#include "model/record_reload.h"

#include <string.h>

#include "configs.h"
#include "unit.h"

#define S(seconds) ((usec_t) (seconds) *USEC_PER_SEC)

static const DaemonState states[] = { STATE_RUNNING, STATE_RUNNING, STATE_RUNNING, STATE_RUNNING };
static Config *config;
static usec_t now;

static RecordMoment moment(void) {
        return (RecordMoment){ .monotonic = now, .realtime = S(1000000) + now };
}

static void setup(void) {
        CLEANUP(diag_freep) Diag *diag = NULL;

        ck_assert_int_eq(diag_new(&diag), 0);
        config = configs_resolve("daemons: {\n"
                                 " web: { command = [ \"/bin/true\" ]; requires = [ \"app\" ]; };\n"
                                 " app: { command = [ \"/bin/true\" ]; requires = [ \"db\" ]; };\n"
                                 " db: { command = [ \"/bin/true\" ];\n"
                                 "  drain: { signal = \"TERM\"; }; };\n"
                                 " lone: { command = [ \"/bin/true\" ]; };\n"
                                 "};\n",
                                 diag);
        configs_expect_count(diag, 0);
        now = S(1000);
}

static void teardown(void) {
        config_unref(config);
}

START_TEST(a_reload_keeps_its_plan) {
        CLEANUP(diag_freep) Diag *diag = NULL;
        CLEANUP(config_unrefp) Config *other = NULL;
        CLEANUP(config_diff_freep) ConfigDiff *diff = NULL;
        CLEANUP(plan_freep) Plan *plan = NULL;
        CLEANUP(reload_record_freep) ReloadRecord *reload = NULL;

        ck_assert_int_eq(diag_new(&diag), 0);
        other = configs_resolve("daemons: {\n"
                                " lone: { command = [ \"/bin/true\" ]; };\n"
                                " db: { command = [ \"/bin/false\" ];\n"
                                "  drain: { signal = \"TERM\"; }; };\n"
                                " new: { command = [ \"/bin/true\" ]; };\n"
                                "};\n",
                                diag);
        other->loaded = 77;
        ck_assert_int_eq(config_diff_new(config, other, &diff), 0);
        ck_assert_int_eq(plan_new(diff, states, NULL, &plan), 0);
        ck_assert_int_eq(reload_record_new("me", moment(), &reload), 0);
        reload_record_describe(&reload->before, config);
        reload_record_describe(&reload->after, other);
        ck_assert_int_eq(reload_record_plan(reload, diff, plan), 0);
        ck_assert_int_eq(reload_record_plan(reload, diff, plan), 0); /* once is enough */

        ck_assert_str_ne(reload->before.digest, reload->after.digest);
        ck_assert_uint_eq(reload->after.loaded, 77);
        ck_assert_uint_eq(reload->kept, 1);
        ck_assert_uint_eq(reload->plan_count, 4);
        ck_assert_str_eq(reload->plan[0].daemon, "db");
        ck_assert_str_eq(reload->plan[0].action, "restart");
        ck_assert_ptr_nonnull(strstr(reload->plan[0].reason, "command"));
        ck_assert_str_eq(reload->plan[1].daemon, "new");
        ck_assert_str_eq(reload->plan[1].action, "start");
}
END_TEST

START_TEST(a_reload_has_steps_and_a_verdict) {
        CLEANUP(reload_record_freep) ReloadRecord *reload = NULL;

        ck_assert_int_eq(reload_record_new("me", moment(), &reload), 0);
        reload_record_step_failed(reload); /* there is none */
        reload_record_step(reload, "check", now);
        reload_record_step(reload, "stop", now + 1);
        reload_record_step_over(reload, RECORD_STEP_DONE, 5, now + 3);
        reload_record_step_over(reload, RECORD_STEP_FAILED, 6, now + 4);
        reload_record_step(reload, "start", now + 4);
        reload_record_step_over(reload, RECORD_STEP_DONE, 6, now + 5);
        reload_record_step_failed(reload);
        reload_record_step(reload, "undo", now + 5);
        now += 9;
        reload_record_end(reload, "canceled", "a stop broke in", moment());

        ck_assert_uint_eq(reload->step_count, 4);
        ck_assert_int_eq(reload->steps[0].outcome, RECORD_STEP_DONE);
        ck_assert_uint_eq(reload->steps[0].ended, S(1000) + 1);
        ck_assert_int_eq(reload->steps[1].outcome, RECORD_STEP_DONE);
        ck_assert_uint_eq(reload->steps[1].sequence, 5);
        ck_assert_uint_eq(reload->steps[1].ended, S(1000) + 3);
        ck_assert_int_eq(reload->steps[2].outcome, RECORD_STEP_FAILED);
        ck_assert_int_eq(reload->steps[3].outcome, RECORD_STEP_CANCELED);
        ck_assert_uint_eq(reload->steps[3].ended, now);
        ck_assert_str_eq(reload->verdict, "canceled");
        for (unsigned i = 0; i < 100; i++)
                reload_record_step(reload, "more", now);
        ck_assert_uint_eq(reload->step_count, RELOAD_RECORD_STEPS_MAX);
}
END_TEST

START_TEST(findings_of_a_reload_are_bounded) {
        CLEANUP(reload_record_freep) ReloadRecord *reload = NULL;
        char text[2 * RELOAD_RECORD_REASON_MAX];

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        ck_assert_int_eq(reload_record_new("me", moment(), &reload), 0);
        for (size_t i = 0; i < RELOAD_RECORD_FINDINGS_MAX + 3; i++)
                ck_assert_int_eq(reload_record_find(reload, text), 0);
        ck_assert_uint_eq(reload->findings_lost, 3);
        ck_assert_uint_eq(strlen(reload->findings[0]), RELOAD_RECORD_REASON_MAX);
        ck_assert_int_eq(reload_record_find(NULL, text), 0);
        ck_assert_int_eq(reload_record_plan(NULL, NULL, NULL), 0);
        reload_record_step(NULL, "check", now);
        reload_record_end(NULL, "refused", "", moment());
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("model_record_reload");
        TCase *reloads = tcase_create("reloads");

        tcase_add_checked_fixture(reloads, setup, teardown);
        tcase_add_test(reloads, a_reload_keeps_its_plan);
        tcase_add_test(reloads, a_reload_has_steps_and_a_verdict);
        tcase_add_test(reloads, findings_of_a_reload_are_bounded);
        suite_add_tcase(suite, reloads);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
