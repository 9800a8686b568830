/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* control/object and control/call: what is answered to each method, good and bad arguments. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/strv.h"
#include "serving.h"
#include "stub_service.h"
#include "unit.h"

static void read_health(sd_bus_message *reply, bool runs, uint32_t pid) {
        const char *verdict, *text;
        uint64_t looked;
        uint32_t failures;

        ck_assert_int_gt(sd_bus_message_read(reply, "(stus)", &verdict, &looked, &failures, &text),
                         0);
        ck_assert_str_eq(verdict, runs ? "sick" : "");
        ck_assert_uint_eq(looked, pid * 1000);
        ck_assert_uint_eq(failures, 3);
        ck_assert_str_eq(text, "no answer");
}

START_TEST(test_list) {
        CLIENT(bus);
        CLEANUP(sd_bus_message_unrefp)
        sd_bus_message *reply = serving_call(bus, "ListDaemons", NULL, NULL);
        const char *name, *state, *reason, *status;
        uint64_t since, started, deadline;
        uint32_t pid;
        int pending, paused, count = 0;

        ck_assert_ptr_nonnull(reply);
        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "(" CONTROL_DAEMON ")"), 0);
        while (sd_bus_message_enter_container(reply, 'r', CONTROL_DAEMON) > 0) {
                CLEANUP(strv_freep) char **requires = NULL;

                ck_assert_int_gt(sd_bus_message_read(reply, "ssbuttss", &name, &state, &pending,
                                                     &pid, &since, &started, &reason, &status),
                                 0);
                ck_assert_int_ge(sd_bus_message_read_strv(reply, &requires), 0);
                ck_assert_int_gt(sd_bus_message_read(reply, "bt", &paused, &deadline), 0);
                ck_assert_int_eq(paused, 0);
                ck_assert_uint_eq(deadline, 0);
                read_health(reply, strcmp(state, "running") == 0, pid);
                ck_assert_int_ge(sd_bus_message_exit_container(reply), 0);
                if (count == 0) {
                        ck_assert_str_eq(name, "web");
                        ck_assert_str_eq(state, "running");
                        ck_assert_int_eq(pending, 0);
                        ck_assert_uint_eq(pid, 11);
                        ck_assert_uint_eq(since, 11000);
                        ck_assert_uint_eq(started, 1100);
                        ck_assert_str_eq(reason, "was ??");
                        ck_assert_str_eq(status, "\xe2\x82\xac ?");
                        ck_assert_str_eq(requires[0], "db");
                        ck_assert_ptr_null(requires[1]);
                }
                count++;
        }
        ck_assert_int_eq(count, 4);
        ck_assert_str_eq(name, "idle");
        ck_assert_str_eq(state, "stopped");
        ck_assert_int_eq(pending, 1);
        ck_assert_uint_eq(pid, 0);
}
END_TEST

/* With that status of db. */
#define TABLE(status)                                                                              \
        CONTROL_TABLE_COLUMNS "\n"                                                                 \
        "web\trunning\t0\t11\t11000\t1100\twas ??\t\xe2\x82\xac ?\t0\t0\n"                       \
        "db\trunning\t0\t22\t22000\t2200\t\t" status "\t0\t0\n"                                   \
        "slow\trunning\t0\t33\t33000\t3300\t\t\t0\t0\n"                                            \
        "idle\tstopped\t1\t0\t0\t0\t\t\t0\t0\n"

static void expect_table(sd_bus *bus, const char *wanted) {
        CLEANUP(sd_bus_message_unrefp)
        sd_bus_message *reply = serving_call(bus, "StatusTable", NULL, NULL);
        const char *config, *table;

        ck_assert_ptr_nonnull(reply);
        ck_assert_int_gt(sd_bus_message_read(reply, "ss", &config, &table), 0);
        ck_assert_str_eq(config, "/etc/stub?.conf");
        ck_assert_str_eq(table, wanted);
}

/* What was made once is given again, until something is done. */
START_TEST(test_table) {
        CLIENT(bus);

        for (int i = 0; i < 3; i++) {
                CLIENT(another);
                expect_table(another, TABLE(""));
                expect_table(bus, TABLE(""));
        }
        ck_assert_int_ge(serving_signal(bus, "web", SIGUSR2), 0);
        expect_table(bus, TABLE("a?b?c?? d"));
}
END_TEST

/* Without an answer in between: both are read in one go. */
START_TEST(test_table_behind_what_changes_it) {
        CLIENT(bus);
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *call = NULL;

        expect_table(bus, TABLE(""));
        ck_assert_int_ge(sd_bus_message_new_method_call(bus, &call, NULL, CONTROL_PATH,
                                                        CONTROL_INTERFACE, "Signal"),
                         0);
        ck_assert_int_ge(sd_bus_message_append(call, "asi", 1, "web", SIGUSR2), 0);
        ck_assert_int_ge(sd_bus_send(bus, call, NULL), 0);
        expect_table(bus, TABLE("a?b?c?? d"));
}
END_TEST

START_TEST(test_properties) {
        CLIENT(bus);
        uint64_t count = 0;

        serving_expect_property(bus, "Version", PACKAGE_VERSION);
        serving_expect_property(bus, "Mode", "running");
        serving_expect_property(bus, "Status", STUB_STATUS "0");
        serving_expect_property(bus, "ConfigFile", "/etc/stub?.conf");
        ck_assert_int_ge(sd_bus_get_property_trivial(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE,
                                                     "DaemonCount", NULL, 't', &count),
                         0);
        ck_assert_uint_eq(count, 4);
        ck_assert_int_lt(sd_bus_set_property(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, "Mode",
                                             NULL, "s", "stopped"),
                         0);
}
END_TEST

/* As a client of a message bus, busctl above all, would do it. */
START_TEST(test_hello) {
        CLEANUP(serving_close) sd_bus *bus = NULL;
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int fd = serving_connect();
        const char *text;

        ck_assert_int_ge(sd_bus_new(&bus), 0);
        ck_assert_int_ge(sd_bus_set_fd(bus, fd, fd), 0);
        ck_assert_int_ge(sd_bus_set_bus_client(bus, true), 0);
        ck_assert_int_ge(sd_bus_start(bus), 0);
        ck_assert_int_ge(sd_bus_match_signal(bus, NULL, NULL, NULL, NULL, NULL, NULL, NULL), 0);
        ck_assert_int_ge(sd_bus_call_method(bus, "org.supervisord", CONTROL_PATH,
                                            "org.freedesktop.DBus.Introspectable", "Introspect",
                                            NULL, &reply, NULL),
                         0);
        ck_assert_int_gt(sd_bus_message_read(reply, "s", &text), 0);
        ck_assert_ptr_nonnull(strstr(text, "\"" CONTROL_INTERFACE "\""));
        ck_assert_ptr_nonnull(strstr(text, "\"ListDaemons\""));
        ck_assert_ptr_nonnull(strstr(text, "\"StatusChanged\""));
}
END_TEST

START_TEST(test_describe) {
        CLIENT(bus);
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        CLEANUP(strv_freep) char **lines = NULL;

        ck_assert_int_ge(sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, "Describe",
                                            &error, &reply, "s", "web"),
                         0);
        ck_assert_int_ge(sd_bus_message_read_strv(reply, &lines), 0);
        ck_assert_uint_eq(strv_length(lines), 1);
        ck_assert_str_eq(lines[0], "main process: 4711, the one that stayed\n");
        ck_assert_int_lt(sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, "Describe",
                                            &error, NULL, "s", "wen"),
                         0);
        ck_assert_str_eq(error.name, CONTROL_ERROR_UNKNOWN_DAEMON);
}
END_TEST

static const char *const verbs[] = { "Start", "Stop", "Restart", "Freeze", "Drain", "Thaw" };

START_TEST(test_request) {
        CLIENT(bus);
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *name, *state, *reason, *remark;

        ck_assert_int_ge(sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, verbs[_i],
                                            NULL, &reply, "asb", 2, "idle", "web", 0),
                         0);
        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "(sss)"), 0);
        ck_assert_int_gt(sd_bus_message_read(reply, "(sss)", &name, &state, &reason), 0);
        ck_assert_str_eq(name, "idle");
        ck_assert_str_eq(state, "stopped");
        ck_assert_int_gt(sd_bus_message_read(reply, "(sss)", &name, &state, &reason), 0);
        ck_assert_str_eq(name, "web");
        ck_assert_str_eq(reason, "was ??");
        ck_assert_int_eq(sd_bus_message_at_end(reply, false), 1);
        ck_assert_int_gt(sd_bus_message_exit_container(reply), 0);
        ck_assert_int_gt(sd_bus_message_read(reply, "s", &remark), 0);
        ck_assert_str_eq(remark, STUB_REMARK "?");
        ck_assert_int_eq(sd_bus_message_at_end(reply, true), 1);
}
END_TEST

/* Who wants nothing remembered is not told that it cannot be. */
START_TEST(test_now_only) {
        CLIENT(bus);
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *remark;

        ck_assert_int_ge(sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, verbs[_i],
                                            NULL, &reply, "asb", 1, "web", 1),
                         0);
        ck_assert_int_gt(sd_bus_message_skip(reply, "a(sss)"), 0);
        ck_assert_int_gt(sd_bus_message_read(reply, "s", &remark), 0);
        ck_assert_str_eq(remark, "");
        ck_assert_int_lt(sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, verbs[_i],
                                            NULL, NULL, "as", 1, "web"),
                         0);
}
END_TEST

START_TEST(test_bad_names) {
        CLIENT(bus);
        const char *member = verbs[_i];

        serving_expect_error(bus, member, "wbe", CONTROL_ERROR_UNKNOWN_DAEMON,
                             "did you mean \"web\"?");
        serving_expect_error(bus, member, "a\x01\x1b[2J", CONTROL_ERROR_UNKNOWN_DAEMON,
                             "a\\x01\\x1b[2J");
        serving_expect_error(bus, member, "%s%n", CONTROL_ERROR_UNKNOWN_DAEMON, "\"%s%n\"");
        serving_expect_error(bus, member, "", CONTROL_ERROR_UNKNOWN_DAEMON, "\"\"");
        ck_assert_int_eq(sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, member,
                                            NULL, NULL, serving_types(member), 0, 0),
                         -EINVAL);
        ck_assert_int_lt(sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, member,
                                            NULL, NULL, "u", 7),
                         0);
        serving_expect_property(bus, "Mode", "running");
}
END_TEST

START_TEST(test_long_name) {
        CLIENT(bus);
        char name[2000];

        for (size_t i = 0; i + 3 < sizeof(name); i += 3)
                memcpy(name + i, "\xe2\x82\xac", 3);
        name[sizeof(name) / 3 * 3 - 3] = '\0';
        serving_expect_error(bus, "Start", name, CONTROL_ERROR_UNKNOWN_DAEMON, "\xe2\x82\xac");
}
END_TEST

START_TEST(test_signal) {
        CLIENT(bus);

        ck_assert_int_ge(serving_signal(bus, "web", SIGTERM), 0);
        serving_expect_property(bus, "Status", STUB_STATUS "1");
        ck_assert_int_eq(serving_signal(bus, "web", 0), -EINVAL);
        ck_assert_int_eq(serving_signal(bus, "web", -1), -EINVAL);
        ck_assert_int_eq(serving_signal(bus, "web", SIGRTMAX + 1), -EINVAL);
        ck_assert_int_lt(serving_signal(bus, "idle", SIGTERM), 0);
        ck_assert_int_lt(serving_signal(bus, "none", SIGTERM), 0);
        /* all or none */
        ck_assert_int_lt(sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, "Signal",
                                            NULL, NULL, "asi", 2, "web", "idle", SIGTERM),
                         0);
        serving_expect_property(bus, "Status", STUB_STATUS "1");
}
END_TEST

START_TEST(test_reload) {
        CLIENT(bus);
        CLEANUP(sd_bus_message_unrefp)
        sd_bus_message *reply = serving_call(bus, "Reload", NULL, NULL);
        const char *verdict, *text, *finding;

        ck_assert_int_gt(sd_bus_message_read(reply, "ss", &verdict, &text), 0);
        ck_assert_str_eq(verdict, "refused");
        ck_assert_str_eq(text, "1 error?");
        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "s"), 0);
        ck_assert_int_gt(sd_bus_message_read(reply, "s", &finding), 0);
        ck_assert_str_eq(finding, "f?.conf:3: web.nice: no number ?(");
        ck_assert_int_eq(sd_bus_message_at_end(reply, false), 1);
}
END_TEST

START_TEST(test_reload_daemons) {
        CLIENT(bus);
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *name, *outcome, *text, *line;

        ck_assert_int_ge(sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE,
                                            "ReloadDaemons", NULL, &reply, "as", 2, "db", "web"),
                         0);
        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "(sssas)"), 0);
        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'r', "sssas"), 0);
        ck_assert_int_gt(sd_bus_message_read(reply, "sss", &name, &outcome, &text), 0);
        ck_assert_str_eq(name, "db");
        ck_assert_str_eq(outcome, "refused");
        ck_assert_str_eq(text, "its test failed?");
        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "s"), 0);
        ck_assert_int_gt(sd_bus_message_read(reply, "s", &line), 0);
        ck_assert_str_eq(line, "line 1 is ?");
        ck_assert_int_gt(sd_bus_message_exit_container(reply), 0);
        ck_assert_int_gt(sd_bus_message_exit_container(reply), 0);
        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'r', "sssas"), 0);
        ck_assert_int_gt(sd_bus_message_read(reply, "sss", &name, &outcome, &text), 0);
        ck_assert_str_eq(name, "web");
        ck_assert_str_eq(outcome, "reloaded");
        ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(test_reload_daemons_that_cannot) {
        CLIENT(bus);
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        ck_assert_int_lt(sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE,
                                            "ReloadDaemons", &error, NULL, "as", 2, "web", "idle"),
                         0);
        ck_assert_str_eq(error.name, CONTROL_ERROR_NO_RELOAD);
        ck_assert_str_eq(error.message, "idle cannot be told to read its own files anew: set "
                                        "reload.signal or reload.command in its configuration");
        ck_assert_int_eq(sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE,
                                            "ReloadDaemons", NULL, NULL, "as", 0),
                         -EINVAL);
        ck_assert_int_lt(sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE,
                                            "ReloadDaemons", NULL, NULL, "s", "web"),
                         0);
        serving_expect_property(bus, "Mode", "running");
}
END_TEST

START_TEST(test_plan) {
        CLIENT(bus);
        CLEANUP(sd_bus_message_unrefp)
        sd_bus_message *reply = serving_call(bus, "Plan", NULL, NULL);
        const char *finding;
        int valid = 4711;

        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "s"), 0);
        ck_assert_int_gt(sd_bus_message_read(reply, "s", &finding), 0);
        ck_assert_str_eq(finding, "f.conf:1: it is ?");
        ck_assert_int_ge(sd_bus_message_exit_container(reply), 0);
        ck_assert_int_gt(sd_bus_message_read(reply, "b", &valid), 0);
        ck_assert_int_eq(valid, 0);
}
END_TEST

static int list_records(sd_bus *bus, const char *kind, uint32_t limit, sd_bus_message **ret) {
        return sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, "ListRecords", NULL,
                                  ret, "stu", kind, (uint64_t) 5, limit);
}

static int count_texts(sd_bus_message *reply, const char *begin) {
        CLEANUP(strv_freep) char **texts = NULL;

        ck_assert_int_ge(sd_bus_message_read_strv(reply, &texts), 0);
        ck_assert_msg(!begin || strncmp(texts[0], begin, strlen(begin)) == 0, "%.40s", texts[0]);
        return (int) strv_length(texts);
}

START_TEST(test_records) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *few = NULL, *many = NULL, *none = NULL;
        CLIENT(bus);

        ck_assert_int_ge(list_records(bus, "sequence", 2, &few), 0);
        ck_assert_int_eq(count_texts(few, "sequence 0 before 5 full "), 2);
        ck_assert_int_ge(list_records(bus, "reload", UINT32_MAX, &many), 0);
        ck_assert_int_eq(count_texts(many, "reload 0 before 5 full "), 10); /* of 100 kB each */
        ck_assert_int_ge(list_records(bus, "reload", 0, &none), 0);
        ck_assert_int_eq(count_texts(none, NULL), 0);
        ck_assert_int_eq(list_records(bus, "", 1, NULL), -EINVAL);
        ck_assert_int_eq(list_records(bus, "sequences", 1, NULL), -EINVAL);
}
END_TEST

static int keep_reply(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        sd_bus_message **replies = userdata;

        (void) error;
        while (*replies)
                replies++;
        *replies = sd_bus_message_ref(message);
        return 0;
}

/* Who asks for much more than he reads does not fill our memory. */
START_TEST(test_records_at_a_time) {
        sd_bus_message *replies[4] = { NULL };
        CLIENT(bus);

        ck_assert_int_ge(list_records(bus, "sequence", 1, NULL), 0);
        for (int i = 0; i < 3; i++)
                ck_assert_int_ge(sd_bus_call_method_async(bus, NULL, NULL, CONTROL_PATH,
                                                          CONTROL_INTERFACE, "ListRecords",
                                                          keep_reply, replies, "stu", "sequence",
                                                          (uint64_t) 0, 99u),
                                 0);
        ck_assert_int_ge(sd_bus_flush(bus), 0);
        serving_expect(); /* by others: when they have their answers, ours are on the way */
        serving_expect();
        while (!replies[2]) {
                int r = sd_bus_process(bus, NULL);

                ck_assert_int_ge(r, 0);
                if (r == 0)
                        ck_assert_int_ge(sd_bus_wait(bus, UINT64_MAX), 0);
        }
        ck_assert_int_eq(count_texts(replies[0], "sequence"), 10);
        for (int i = 1; i < 3; i++)
                ck_assert_int_eq(sd_bus_message_is_method_error(replies[i],
                                                                SD_BUS_ERROR_LIMITS_EXCEEDED),
                                 1);
        for (int i = 0; i < 3; i++)
                sd_bus_message_unref(replies[i]);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("control/call");
        TCase *cases = tcase_create("call");

        tcase_add_checked_fixture(cases, serving_setup, serving_teardown);
        tcase_add_test(cases, test_list);
        tcase_add_test(cases, test_describe);
        tcase_add_test(cases, test_table);
        tcase_add_test(cases, test_table_behind_what_changes_it);
        tcase_add_test(cases, test_properties);
        tcase_add_test(cases, test_hello);
        tcase_add_loop_test(cases, test_request, 0, 3);
        tcase_add_loop_test(cases, test_now_only, 0, 3);
        tcase_add_loop_test(cases, test_bad_names, 0, 6);
        tcase_add_test(cases, test_long_name);
        tcase_add_test(cases, test_signal);
        tcase_add_test(cases, test_reload);
        tcase_add_test(cases, test_reload_daemons);
        tcase_add_test(cases, test_reload_daemons_that_cannot);
        tcase_add_test(cases, test_plan);
        tcase_add_test(cases, test_records);
        tcase_add_test(cases, test_records_at_a_time);
        suite_add_tcase(suite, cases);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
