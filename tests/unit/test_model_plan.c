/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Differences between configurations, and what a reload makes of them. */

#include "config/diff.h"

#include <string.h>

#include "base/diag.h"
#include "config/load.h"
#include "config/value.h"
#include "model/plan.h"
#include "unit.h"

static const char base_text[] =
        "daemons: {\n"
        " web: { command = [ \"/bin/sleep\", \"1\" ]; requires = [ \"db\" ]; };\n"
        " db: { command = [ \"/bin/sleep\", \"2\" ]; };\n"
        " lone: { command = [ \"/bin/sleep\", \"3\" ]; };\n"
        "};\n";

static Config *config_of(const char *text) {
        CLEANUP(diag_freep) Diag *diag = NULL;
        Config *config = NULL;

        ck_assert_int_eq(diag_new(&diag), 0);
        ck_assert_int_eq(config_new(&config), 0);
        ck_assert_int_eq(config_read_text(text, "test", diag, config), 0);
        ck_assert_int_eq(config_resolve(config, diag), 0);
        ck_assert_uint_eq(diag_errors(diag), 0);
        return config;
}

static Config *before, *after;
static ConfigDiff *diff;
static Plan *plan;
static DaemonState states[8];
static const char *files[8];

static void compare(const char *text) {
        before = config_of(base_text);
        after = config_of(text);
        ck_assert_int_eq(config_diff_new(before, after, &diff), 0);
        for (size_t i = 0; i < ELEMENTSOF(states); i++)
                states[i] = STATE_RUNNING;
}

static void make_plan(void) {
        ck_assert_int_eq(plan_new(diff, states, files, &plan), 0);
}

static void setup(void) {
        before = after = NULL;
        diff = NULL;
        plan = NULL;
        memset(files, 0, sizeof(files));
}

static void teardown(void) {
        plan_free(plan);
        config_diff_free(diff);
        config_unref(before);
        config_unref(after);
}

static const PlanEntry *entry_of(const char *name) {
        for (size_t i = 0; i < plan->count; i++)
                if (strcmp(plan->entries[i].diff->name, name) == 0)
                        return &plan->entries[i];
        ck_abort_msg("%s is not in the plan", name);
}

static void expect_action(const char *name, PlanAction action) {
        ck_assert_str_eq(plan_action_name(entry_of(name)->action), plan_action_name(action));
}

static void expect_reason(const char *name, const char *text) {
        CLEANUP(freep) char *reason = plan_entry_reason(diff, entry_of(name));

        ck_assert_str_eq(reason, text);
}

START_TEST(equal_ones_do_not_differ) {
        char one[CONFIG_DIGEST_MAX], other[CONFIG_DIGEST_MAX];

        /* another order, a default written out */
        compare("daemons: {\n"
                " lone: { command = [ \"/bin/sleep\", \"3\" ]; nice = 0; };\n"
                " db: { command = [ \"/bin/sleep\", \"2\" ]; };\n"
                " web: { command = [ \"/bin/sleep\", \"1\" ]; requires = [ \"db\" ]; };\n"
                "};\n");
        make_plan();
        ck_assert(diff->same);
        ck_assert(plan->nothing);
        expect_action("web", PLAN_KEEP);
        config_digest(before, one);
        config_digest(after, other);
        ck_assert_str_eq(one, other);
}
END_TEST

START_TEST(daemons_come_and_go) {
        compare("daemons: {\n"
                " db: { command = [ \"/bin/sleep\", \"2\" ]; };\n"
                " new: { command = [ \"/bin/sleep\", \"4\" ]; };\n"
                "};\n");
        make_plan();
        ck_assert(!diff->same);
        expect_action("db", PLAN_KEEP);
        expect_action("new", PLAN_START);
        expect_action("web", PLAN_STOP);
        expect_action("lone", PLAN_STOP);
        expect_reason("new", "it is new");
        expect_reason("web", "it is not configured any more");
        ck_assert_uint_eq(plan->counts[PLAN_STOP], 2);
}
END_TEST

START_TEST(a_restart_takes_along_what_requires_it) {
        compare("daemons: {\n"
                " web: { command = [ \"/bin/sleep\", \"1\" ]; requires = [ \"db\" ]; };\n"
                " db: { command = [ \"/bin/sleep\", \"22\" ]; drain: { timeout = \"3s\"; }; };\n"
                " lone: { command = [ \"/bin/sleep\", \"3\" ]; };\n"
                "};\n");
        make_plan();
        expect_action("db", PLAN_RESTART);
        expect_action("web", PLAN_RESTART);
        expect_action("lone", PLAN_KEEP);
        expect_reason("web", "it requires db");
        expect_reason("db", "command [ \"/bin/sleep\", \"2\" ] -> [ \"/bin/sleep\", \"22\" ], "
                            "drain.timeout unset -> \"3s\"");
}
END_TEST

START_TEST(what_is_used_later_is_applied_live) {
        compare("daemons: {\n"
                " web: { command = [ \"/bin/sleep\", \"1\" ]; requires = [ \"db\" ]; };\n"
                " db: { command = [ \"/bin/sleep\", \"2\" ];"
                " stop: { signals = \"INT 1s, KILL\"; }; };\n"
                " lone: { command = [ \"/bin/sleep\", \"3\" ]; };\n"
                "};\n");
        make_plan();
        expect_action("db", PLAN_LIVE);
        expect_action("web", PLAN_KEEP);
}
END_TEST

START_TEST(what_was_stopped_stays_stopped) {
        compare("daemons: {\n"
                " web: { command = [ \"/bin/sleep\", \"1\" ]; requires = [ \"db\" ]; };\n"
                " db: { command = [ \"/bin/sleep\", \"22\" ]; };\n"
                " lone: { command = [ \"/bin/sleep\", \"33\" ]; };\n"
                "};\n");
        states[0] = STATE_STOPPED;
        states[2] = STATE_STOPPED;
        make_plan();
        expect_action("db", PLAN_RESTART);
        expect_action("web", PLAN_KEEP);
        expect_action("lone", PLAN_LIVE);
}
END_TEST

START_TEST(what_had_failed_gets_another_chance) {
        compare("daemons: {\n"
                " web: { command = [ \"/bin/sleep\", \"1\" ]; requires = [ \"db\" ]; };\n"
                " db: { command = [ \"/bin/sleep\", \"2\" ]; };\n"
                " lone: { command = [ \"/bin/sleep\", \"3\" ]; nice = 1; };\n"
                "};\n");
        states[2] = STATE_FAILED;
        make_plan();
        expect_action("lone", PLAN_START);
}
END_TEST

START_TEST(settings_of_the_supervisor_count) {
        compare("supervisor: { drain_timeout = \"7s\"; };\n"
                "daemons: {\n"
                " web: { command = [ \"/bin/sleep\", \"1\" ]; requires = [ \"db\" ]; };\n"
                " db: { command = [ \"/bin/sleep\", \"2\" ]; };\n"
                " lone: { command = [ \"/bin/sleep\", \"3\" ]; };\n"
                "};\n");
        make_plan();
        ck_assert(!diff->same);
        ck_assert(!plan->nothing);
        ck_assert_uint_eq(plan->counts[PLAN_KEEP], 3);
}
END_TEST

#define LONE_WITH(more)                                                                            \
        "daemons: {\n"                                                                             \
        " web: { command = [ \"/bin/sleep\", \"1\" ]; requires = [ \"db\" ]; };\n"                 \
        " db: { command = [ \"/bin/sleep\", \"2\" ]; };\n"                                         \
        " lone: { command = [ \"/bin/sleep\", \"3\" ]; " more " };\n"                              \
        "};\n"

START_TEST(a_changed_file_is_a_reload_where_there_is_a_way) {
        compare(LONE_WITH("reload: { signal = \"HUP\"; };"));
        files[2] = "/etc/lone.conf";
        make_plan();
        expect_action("lone", PLAN_RELOAD);
        expect_reason("lone", "/etc/lone.conf changed, reload.signal unset -> \"HUP\"");
        ck_assert(!plan->nothing);
        ck_assert_uint_eq(plan->counts[PLAN_RELOAD], 1);
        expect_action("web", PLAN_KEEP);
}
END_TEST

START_TEST(a_changed_file_alone_is_something) {
        compare(base_text);
        files[1] = "/etc/db.conf";
        make_plan();
        ck_assert(diff->same);
        ck_assert(!plan->nothing);
        expect_action("db", PLAN_RESTART);
        expect_reason("db", "/etc/db.conf changed, and it has no reload.signal");
        expect_action("web", PLAN_RESTART);
        expect_reason("web", "it requires db");
}
END_TEST

START_TEST(a_restart_is_more_than_a_reload) {
        compare(LONE_WITH("nice = 1; reload: { command = [ \"/bin/true\" ]; };"));
        files[2] = "/etc/lone.conf";
        make_plan();
        expect_action("lone", PLAN_RESTART);
        expect_reason("lone", "/etc/lone.conf changed, nice 0 -> 1, "
                              "reload.command unset -> [ \"/bin/true\" ]");
}
END_TEST

START_TEST(who_reloads_follows_into_a_restart) {
        compare("daemons: {\n"
                " web: { command = [ \"/bin/sleep\", \"1\" ]; requires = [ \"db\" ];"
                "        reload: { signal = \"HUP\"; }; };\n"
                " db: { command = [ \"/bin/sleep\", \"22\" ]; };\n"
                " lone: { command = [ \"/bin/sleep\", \"3\" ]; };\n"
                "};\n");
        files[0] = "/etc/web.conf";
        make_plan();
        expect_action("web", PLAN_RESTART);
        expect_reason("web", "it requires db");
}
END_TEST

/* Which state it is in when a file of it changed, with a way to reload it and without. */
START_TEST(a_changed_file_counts_by_state) {
        static const struct {
                DaemonState state;
                PlanAction with, without;
        } cases[] = {
                { STATE_RUNNING, PLAN_RELOAD, PLAN_RESTART },
                { STATE_STARTING, PLAN_RESTART, PLAN_RESTART },
                { STATE_PROBING, PLAN_RESTART, PLAN_RESTART },
                { STATE_FAILED, PLAN_START, PLAN_START },
                { STATE_STOPPED, PLAN_KEEP, PLAN_KEEP },
                { STATE_CLEARED, PLAN_KEEP, PLAN_KEEP },
                { STATE_DELAYED, PLAN_KEEP, PLAN_KEEP },
                { STATE_SWEEPING, PLAN_KEEP, PLAN_KEEP },
        };

        compare(_i % 2 == 0 ? base_text : LONE_WITH("reload: { signal = \"HUP\"; };"));
        config_unref(before); /* the same on both sides */
        before = config_ref(after);
        config_diff_free(diff);
        ck_assert_int_eq(config_diff_new(before, after, &diff), 0);
        files[2] = "/etc/lone.conf";
        states[2] = cases[_i / 2].state;
        make_plan();
        expect_action("lone", _i % 2 == 0 ? cases[_i / 2].without : cases[_i / 2].with);
        ck_assert_int_eq(plan->nothing, entry_of("lone")->action == PLAN_KEEP);
        ck_assert_int_eq(!entry_of("lone")->file, entry_of("lone")->action == PLAN_KEEP);
}
END_TEST

static const char *last_choice(const Setting *setting) {
        size_t last = 0;

        while (setting->choices[last + 1])
                last++;
        return setting->choices[last];
}

/* A value of the setting's form that is not its default. */
static const char *another_value(const Setting *setting) {
        switch (setting->type) {
        case SETTING_STRING:
                return "0"; /* a user or group by number */
        case SETTING_PATH:
                return "/tmp";
        case SETTING_BOOL:
                return strcmp(setting->preset, "true") == 0 ? "false" : "true";
        case SETTING_INT:
                return "7";
        case SETTING_DURATION:
                return "77s";
        case SETTING_ENUM:
                return last_choice(setting); /* none resolves to it */
        case SETTING_MODE:
                return "0077";
        case SETTING_SIGNAL:
                return "USR2";
        case SETTING_PRIORITY:
                return "err";
        case SETTING_SCHEDULE:
                return "INT 3s, KILL";
        case SETTING_LIMIT:
        case SETTING_STATUSES:
                return "77";
        case SETTING_VARIABLES:
                return "KEY=value";
        default:
                return "/bin/true";
        }
}

/* Every setting of the schema, changed once: seen, and with the effect that the schema says. */
START_TEST(every_setting_has_its_rule) {
        const Setting *setting = &schema_daemon[_i];
        DaemonConfig *changed;

        compare(base_text);
        changed = &after->daemons[2];
        value_free(setting, changed);
        if (value_is_list(setting->type))
                ck_assert_int_eq(value_append(setting, another_value(setting), changed), 0);
        else
                ck_assert_int_eq(value_parse(setting, another_value(setting), changed), 0);

        config_diff_free(diff);
        ck_assert_int_eq(config_diff_new(before, after, &diff), 0);
        make_plan();
        ck_assert(!diff->same);
        for (size_t i = 0; i < schema_daemon_count; i++)
                ck_assert_int_eq(diff->daemons[2].settings[i], i == (size_t) _i);
        expect_action("lone", setting->effect == EFFECT_RESTART ? PLAN_RESTART : PLAN_LIVE);
        expect_action("web", PLAN_KEEP);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("model/plan");
        TCase *tcase = tcase_create("diff and plan");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, equal_ones_do_not_differ);
        tcase_add_test(tcase, daemons_come_and_go);
        tcase_add_test(tcase, a_restart_takes_along_what_requires_it);
        tcase_add_test(tcase, what_is_used_later_is_applied_live);
        tcase_add_test(tcase, what_was_stopped_stays_stopped);
        tcase_add_test(tcase, what_had_failed_gets_another_chance);
        tcase_add_test(tcase, settings_of_the_supervisor_count);
        tcase_add_test(tcase, a_changed_file_is_a_reload_where_there_is_a_way);
        tcase_add_test(tcase, a_changed_file_alone_is_something);
        tcase_add_test(tcase, a_restart_is_more_than_a_reload);
        tcase_add_test(tcase, who_reloads_follows_into_a_restart);
        tcase_add_loop_test(tcase, a_changed_file_counts_by_state, 0, 16);
        tcase_add_loop_test(tcase, every_setting_has_its_rule, 0, (int) schema_daemon_count);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
