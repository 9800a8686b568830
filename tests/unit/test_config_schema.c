/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * config/schema is sound, and config/value and config/schedule handle each type: what is taken is
 * printed so that it reads back to the same value, what is refused leaves no trace.
 */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "config/config.h"
#include "config/schedule.h"
#include "config/value.h"
#include "unit.h"

typedef struct Schema {
        const Setting *settings;
        size_t count;
        size_t object_size;
} Schema;

/* The counts are no constants, hence a function. */
static Schema get_schema(int index) {
        return index == 0 ? (Schema) { schema_supervisor, schema_supervisor_count,
                                      sizeof(SupervisorConfig) }
                          : (Schema) { schema_daemon, schema_daemon_count, sizeof(DaemonConfig) };
}

static void *make_object(const Schema *schema) {
        void *object = calloc(1, schema->object_size);

        ck_assert_ptr_nonnull(object);
        return object;
}

static const Setting *find(const char *path) {
        const Setting *setting = schema_find(schema_daemon, schema_daemon_count, path);

        ck_assert_msg(setting, "there is no %s", path);
        return setting;
}

static void assert_printed(const Setting *setting, const void *object, const char *expected) {
        CLEANUP(freep) char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        ck_assert_ptr_nonnull(stream);
        value_print(setting, object, stream);
        ck_assert_int_eq(fclose(stream), 0);
        ck_assert_str_eq(text, expected);
}

/* Takes the text, and prints it as `expected`. */
static void assert_taken(const char *path, const char *text, const char *expected) {
        const Setting *setting = find(path);
        DaemonConfig daemon = {};
        int r;

        r = value_parse(setting, text, &daemon);
        ck_assert_msg(r == 0, "%s does not take \"%s\"", path, text);
        ck_assert(value_is_set(setting, &daemon));
        assert_printed(setting, &daemon, expected);
        value_free(setting, &daemon);
}

/* Refuses the text and leaves the field as it was. */
static void assert_refused(const char *path, const char *text, int expected) {
        const Setting *setting = find(path);
        DaemonConfig daemon = {}, fresh = {};
        int r;

        r = value_parse(setting, text, &daemon);
        ck_assert_msg(r == expected, "%s: \"%s\" gives %d instead of %d", path, text, r, expected);
        ck_assert(value_equal(setting, &daemon, &fresh));
        value_free(setting, &daemon);
}

START_TEST(test_settings_are_sound) {
        Schema schema = get_schema(_i);

        for (size_t i = 0; i < schema.count; i++) {
                const Setting *setting = &schema.settings[i];

                ck_assert_uint_gt(strlen(setting->path), 0);
                ck_assert_uint_lt(setting->offset, schema.object_size);
                ck_assert_ptr_nonnull(setting->help);
                ck_assert_uint_gt(strlen(setting->help), 0);
                ck_assert_ptr_null(strpbrk(setting->help, "\n\t"));
                ck_assert((setting->type == SETTING_ENUM) == (setting->choices != NULL));
                ck_assert_int_le(setting->minimum, setting->maximum);
                if (setting->type == SETTING_INT || setting->type == SETTING_DURATION)
                        ck_assert_int_gt(setting->maximum, 0);
                ck_assert_ptr_eq(schema_find(schema.settings, schema.count, setting->path),
                                 setting);
        }
}
END_TEST

/* No two settings share a path or a field. */
START_TEST(test_settings_are_distinct) {
        Schema schema = get_schema(_i);

        for (size_t i = 0; i < schema.count; i++)
                for (size_t j = 0; j < i; j++) {
                        const Setting *a = &schema.settings[i], *b = &schema.settings[j];

                        ck_assert_str_ne(a->path, b->path);
                        if (a->type == SETTING_LIMIT && b->type == SETTING_LIMIT)
                                ck_assert_int_ne(a->limit, b->limit);
                        else
                                ck_assert_uint_ne(a->offset, b->offset);
                }
}
END_TEST

/* --dump opens each group once. */
START_TEST(test_groups_stand_together) {
        Schema schema = get_schema(_i);

        for (size_t i = 1; i < schema.count; i++)
                for (size_t j = 0; j + 1 < i; j++) {
                        const char *dot = strchr(schema.settings[i].path, '.');
                        size_t length = dot ? (size_t) (dot - schema.settings[i].path + 1) : 0;

                        if (strncmp(schema.settings[j].path, schema.settings[i].path, length) !=
                                    0 ||
                            (length == 0 && strchr(schema.settings[j].path, '.')))
                                continue;
                        ck_assert_msg(strncmp(schema.settings[i - 1].path, schema.settings[i].path,
                                              length) == 0,
                                      "%s stands apart from its group", schema.settings[i].path);
                }
}
END_TEST

/* A default is of its own form, and what it is printed as reads back to the same value. */
START_TEST(test_presets) {
        Schema schema = get_schema(_i);
        CLEANUP(freep) void *object = make_object(&schema), *again = make_object(&schema);

        for (size_t i = 0; i < schema.count; i++) {
                const Setting *setting = &schema.settings[i];

                ck_assert_int_eq(value_preset(setting, object), 0);
                ck_assert_int_eq(value_preset(setting, again), 0);
                ck_assert(value_equal(setting, object, again));
                ck_assert(value_is_set(setting, object) == (setting->preset != NULL));
        }
        for (size_t i = 0; i < schema.count; i++) {
                value_free(&schema.settings[i], object);
                value_free(&schema.settings[i], again);
        }
}
END_TEST

START_TEST(test_texts) {
        Schema schema = get_schema(_i);
        char range[VALUE_RANGE_MAX];

        for (size_t i = 0; i < schema.count; i++) {
                const Setting *setting = &schema.settings[i];

                ck_assert_uint_gt(strlen(value_form(setting->type)), 0);
                ck_assert(setting->type == SETTING_ENUM || value_example(setting->type));
                if (setting->type != SETTING_ENUM)
                        ck_assert_uint_gt(strlen(value_range(setting, range)), 0);
        }
        ck_assert_str_eq(value_range(find("nice"), range), "a number from -20 to 19");
        ck_assert_str_eq(value_range(find("drain.timeout"), range), "a duration from 0 to 1d");
}
END_TEST

START_TEST(test_find) {
        ck_assert_ptr_null(schema_find(schema_daemon, schema_daemon_count, "drain"));
        ck_assert_ptr_null(schema_find(schema_daemon, schema_daemon_count, ""));
        ck_assert_ptr_null(schema_find(schema_daemon, 0, "command"));
        ck_assert_uint_eq(find("drain.timeout")->offset, offsetof(DaemonConfig, drain.timeout));
}
END_TEST

START_TEST(test_scalars) {
        assert_taken("user", "www-data", "\"www-data\"");
        assert_taken("pidfile", "/run/a b.pid", "\"/run/a b.pid\"");
        assert_taken("essential", "true", "true");
        assert_taken("essential", "false", "false");
        assert_taken("nice", "-20", "-20");
        assert_taken("ready.timeout", "90s", "\"1min 30s\"");
        assert_taken("type", "forking", "\"forking\"");
        assert_taken("umask", "27", "\"0027\"");
        assert_taken("freeze.signal", "SIGUSR1", "\"USR1\"");
        assert_taken("output.priority", "warning", "\"warning\"");
}
END_TEST

START_TEST(test_scalars_refused) {
        assert_refused("user", "", VALUE_E_FORM);
        assert_refused("user", "a\nb", VALUE_E_FORM);
        assert_refused("pidfile", "run/a.pid", VALUE_E_FORM);
        assert_refused("pidfile", "", VALUE_E_FORM);
        assert_refused("essential", "yes", VALUE_E_FORM);
        assert_refused("nice", "20", VALUE_E_RANGE);
        assert_refused("nice", "-21", VALUE_E_RANGE);
        assert_refused("nice", "1.5", VALUE_E_FORM);
        assert_refused("nice", "99999999999999999999", VALUE_E_RANGE);
        assert_refused("ready.timeout", "5", VALUE_E_FORM);
        assert_refused("ready.timeout", "0", VALUE_E_RANGE);
        assert_refused("drain.timeout", "infinity", VALUE_E_RANGE);
        assert_refused("drain.timeout", "25h", VALUE_E_RANGE);
        assert_refused("type", "Forking", VALUE_E_FORM);
        assert_refused("type", "", VALUE_E_FORM);
        assert_refused("umask", "0088", VALUE_E_FORM);
        assert_refused("umask", "10000", VALUE_E_RANGE);
        assert_refused("freeze.signal", "0", VALUE_E_RANGE);
        assert_refused("freeze.signal", "TREM", VALUE_E_FORM);
        assert_refused("output.priority", "loud", VALUE_E_FORM);
        /* Vectors are not given as a text. */
        assert_refused("command", "/bin/true", VALUE_E_FORM);
}
END_TEST

START_TEST(test_limits) {
        assert_taken("limits.nofile", "1024", "\"1024\"");
        assert_taken("limits.nofile", "1K:4096", "\"1024:4096\"");
        assert_taken("limits.core", "0:infinity", "\"0:infinity\"");
        assert_taken("limits.core", "infinity", "\"infinity\"");
        assert_refused("limits.nofile", "4096:1024", VALUE_E_RANGE);
        assert_refused("limits.nofile", "infinity:1024", VALUE_E_RANGE);
        assert_refused("limits.nofile", "1024:", VALUE_E_FORM);
        assert_refused("limits.nofile", ":1024", VALUE_E_FORM);
        assert_refused("limits.nofile", "1:2:3", VALUE_E_FORM);
        assert_refused("limits.nofile", "-1", VALUE_E_FORM);
}
END_TEST

/* One limit says nothing about another, though they share their field. */
START_TEST(test_limits_are_apart) {
        DaemonConfig a = {}, b = {};

        ck_assert_int_eq(value_parse(find("limits.nofile"), "10", &a), 0);
        ck_assert(value_is_set(find("limits.nofile"), &a));
        ck_assert(!value_is_set(find("limits.core"), &a));
        ck_assert(!value_equal(find("limits.nofile"), &a, &b));
        ck_assert(value_equal(find("limits.core"), &a, &b));
        ck_assert_int_eq(value_parse(find("limits.nofile"), "10:11", &b), 0);
        ck_assert(!value_equal(find("limits.nofile"), &a, &b));
}
END_TEST

START_TEST(test_lists) {
        const Setting *command = find("command"), *paths = find("cleanup.remove");
        DaemonConfig daemon = {}, other = {};

        ck_assert(value_is_list(command->type));
        ck_assert(!value_is_list(SETTING_SCHEDULE));
        ck_assert(!value_is_set(command, &daemon));
        ck_assert(value_equal(command, &daemon, &other));
        /* The program has to be something; what follows may be anything. */
        ck_assert_int_eq(value_append(command, "", &daemon), VALUE_E_FORM);
        ck_assert_int_eq(value_append(command, "/bin/sh", &daemon), 0);
        ck_assert_int_eq(value_append(command, "", &daemon), 0);
        ck_assert_int_eq(value_append(command, "\"a\\b\"\n\r\t\f\x01\x7f\xc3\xa4", &daemon), 0);
        assert_printed(command, &daemon,
                       "[ \"/bin/sh\", \"\", \"\\\"a\\\\b\\\"\\n\\r\\t\\f\\x01\\x7f\xc3\xa4\" ]");
        ck_assert(!value_equal(command, &daemon, &other));
        value_free(command, &daemon);
        ck_assert_ptr_null(daemon.command);

        ck_assert_int_eq(value_append(paths, "relative", &daemon), VALUE_E_FORM);
        ck_assert_int_eq(value_append(paths, "/run/a", &daemon), 0);
        assert_printed(paths, &daemon, "[ \"/run/a\" ]");
        value_free(paths, &daemon);
}
END_TEST

START_TEST(test_variables) {
        static const char *const good[] = { "A=", "A=b=c", "_a9=x", "PATH=/bin:/sbin", "A=\n" };
        static const char *const bad[] = { "", "A", "=x", "9A=x", "A B=x", "A-B=x", "\xc3\xa4=x" };
        const Setting *setting = find("environment");
        DaemonConfig daemon = {};

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                ck_assert_msg(value_append(setting, good[i], &daemon) == 0, "%s", good[i]);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(value_append(setting, bad[i], &daemon) == VALUE_E_FORM, "%s", bad[i]);
        value_free(setting, &daemon);
}
END_TEST

static void assert_schedule(const char *text, const char *expected, usec_t total) {
        CLEANUP(stop_schedule_clear) StopSchedule schedule = {}, again = {};
        CLEANUP(freep) char *printed = NULL;

        ck_assert_msg(stop_schedule_parse(text, &schedule) == 0, "\"%s\" is refused", text);
        printed = stop_schedule_text(&schedule);
        ck_assert_str_eq(printed, expected);
        ck_assert_uint_eq(stop_schedule_total(&schedule), total);
        ck_assert_int_eq(stop_schedule_parse(printed, &again), 0);
        ck_assert(stop_schedule_equal(&schedule, &again));
        again.steps[0].wait ^= 1;
        ck_assert(!stop_schedule_equal(&schedule, &again));
}

START_TEST(test_schedules) {
        assert_schedule("TERM 5s, KILL", "TERM 5s, KILL", 5 * USEC_PER_SEC);
        assert_schedule(" SIGQUIT  1min 30s ,term\t500ms,KILL 1s ",
                        "QUIT 1min 30s, TERM 500ms, KILL 1s",
                        90 * USEC_PER_SEC + 500 * USEC_PER_MSEC);
        assert_schedule("KILL", "KILL", 0);
        assert_schedule("TERM", "TERM", USEC_INFINITY);
        assert_schedule("TERM infinity, KILL", "TERM, KILL", USEC_INFINITY);
        assert_schedule("RTMIN+3 0, 9", "RTMIN+3 0, KILL", 0);
}
END_TEST

START_TEST(test_schedules_refused) {
        static const char *const texts[] = { "",
                                             " ",
                                             ",",
                                             "TERM,",
                                             ",KILL",
                                             "TERM 5",
                                             "TERM 5s KILL",
                                             "5s TERM",
                                             "TERM 5s,,KILL",
                                             "TREM 5s",
                                             "TERM -5s" };
        char huge[4096];

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                StopSchedule schedule = {};

                ck_assert_msg(stop_schedule_parse(texts[i], &schedule) == PARSE_E_SYNTAX,
                              "\"%s\" is taken", texts[i]);
                ck_assert_ptr_null(schedule.steps);
        }
        memset(huge, 'A', sizeof(huge) - 1);
        huge[sizeof(huge) - 1] = '\0';
        assert_refused("stop.signals", huge, VALUE_E_FORM);
        assert_refused("stop.signals", "TERM 99999999999999999999s, KILL", VALUE_E_RANGE);
}
END_TEST

/* A second value takes the place of the first. */
START_TEST(test_parse_again) {
        const Setting *user = find("user"), *stop = find("stop.signals");
        DaemonConfig daemon = {};

        ck_assert_int_eq(value_parse(user, "a", &daemon), 0);
        ck_assert_int_eq(value_parse(user, "b", &daemon), 0);
        ck_assert_str_eq(daemon.user, "b");
        ck_assert_int_eq(value_parse(stop, "TERM 1s, KILL", &daemon), 0);
        ck_assert_int_eq(value_parse(stop, "INT 2s, QUIT 3s, KILL", &daemon), 0);
        ck_assert_uint_eq(daemon.stop.count, 3);
        ck_assert_int_eq(daemon.stop.steps[0].signo, SIGINT);
        value_free(user, &daemon);
        value_free(stop, &daemon);
        ck_assert_ptr_null(daemon.user);
        ck_assert_uint_eq(daemon.stop.count, 0);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("config/schema");
        TCase *table = tcase_create("table"), *values = tcase_create("values");

        tcase_add_loop_test(table, test_settings_are_sound, 0, 2);
        tcase_add_loop_test(table, test_settings_are_distinct, 0, 2);
        tcase_add_loop_test(table, test_groups_stand_together, 0, 2);
        tcase_add_loop_test(table, test_presets, 0, 2);
        tcase_add_loop_test(table, test_texts, 0, 2);
        tcase_add_test(table, test_find);
        suite_add_tcase(suite, table);
        tcase_add_test(values, test_scalars);
        tcase_add_test(values, test_scalars_refused);
        tcase_add_test(values, test_limits);
        tcase_add_test(values, test_limits_are_apart);
        tcase_add_test(values, test_lists);
        tcase_add_test(values, test_variables);
        tcase_add_test(values, test_schedules);
        tcase_add_test(values, test_schedules_refused);
        tcase_add_test(values, test_parse_again);
        suite_add_tcase(suite, values);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
