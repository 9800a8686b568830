/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* control/call and control/refuse: out of service and back, and how far that is. */

#include <string.h>

#include "serving.h"
#include "stub_service.h"
#include "unit.h"

/* The states of web and db after such a call for both. */
static void expect_states(sd_bus *bus, const char *member, const char *wanted) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        static const char *const names[] = { "web", "db" };
        const char *name, *state, *reason;

        ck_assert_int_ge(sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, member,
                                            NULL, &reply, "as", 2, names[0], names[1]),
                         0);
        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "(sss)"), 0);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                ck_assert_int_gt(sd_bus_message_read(reply, "(sss)", &name, &state, &reason), 0);
                ck_assert_str_eq(name, names[i]);
                ck_assert_str_eq(state, wanted);
        }
        ck_assert_int_eq(sd_bus_message_at_end(reply, false), 1);
}

START_TEST(test_pause) {
        CLIENT(bus);

        expect_states(bus, "Freeze", "frozen");
        expect_states(bus, "Drain", "drained");
        CLEANUP(sd_bus_message_unrefp)
        sd_bus_message *reply = serving_call(bus, "Thaw", "web", NULL);
        const char *name, *state, *reason;
        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "(sss)"), 0);
        ck_assert_int_gt(sd_bus_message_read(reply, "(sss)", &name, &state, &reason), 0);
        ck_assert_str_eq(state, "running");
        ck_assert_str_eq(reason, "was ??");
}
END_TEST

START_TEST(test_pause_and_thaw_are_refused) {
        CLIENT(bus);

        serving_expect_error(bus, "Freeze", "idle", CONTROL_ERROR_NOT_RUNNING,
                             "idle is stopped, not running");
        serving_expect_error(bus, "Drain", "idle", CONTROL_ERROR_NOT_RUNNING, "not running");
        serving_expect_error(bus, "Thaw", "web", CONTROL_ERROR_NOT_FROZEN,
                             "web is running, not frozen or drained");
        expect_states(bus, "Freeze", "frozen");
        serving_expect_error(bus, "Thaw", "db", CONTROL_ERROR_NO_THAW, "restart it");
}
END_TEST

/* What ListDaemons says of slow: is it out of service, and until when it has time. */
static void expect_slow(sd_bus *bus, int wanted_paused, uint64_t wanted_deadline) {
        CLEANUP(sd_bus_message_unrefp)
        sd_bus_message *reply = serving_call(bus, "ListDaemons", NULL, NULL);
        const char *name;
        uint64_t deadline;
        int paused;

        ck_assert_int_gt(sd_bus_message_enter_container(reply, 'a', "(" CONTROL_DAEMON ")"), 0);
        for (;;) {
                ck_assert_int_gt(sd_bus_message_enter_container(reply, 'r', CONTROL_DAEMON), 0);
                ck_assert_int_gt(sd_bus_message_read(reply, "s", &name), 0);
                if (strcmp(name, "slow") == 0)
                        break;
                ck_assert_int_ge(sd_bus_message_skip(reply, CONTROL_DAEMON + 1), 0);
                ck_assert_int_ge(sd_bus_message_exit_container(reply), 0);
        }
        ck_assert_int_ge(sd_bus_message_skip(reply, "sbuttssas"), 0);
        ck_assert_int_gt(sd_bus_message_read(reply, "bt", &paused, &deadline), 0);
        ck_assert_int_eq(paused, wanted_paused);
        ck_assert_uint_eq(deadline, wanted_deadline);
}

START_TEST(test_progress) {
        CLIENT(bus);

        expect_slow(bus, 0, 0);
        ck_assert_int_ge(sd_bus_call_method_async(bus, NULL, NULL, CONTROL_PATH, CONTROL_INTERFACE,
                                                  "Drain", NULL, NULL, "as", 1, "slow"),
                         0);
        expect_slow(bus, 1, STUB_DEADLINE);
        CLEANUP(sd_bus_message_unrefp)
        sd_bus_message *reply = serving_call(bus, "StatusTable", NULL, NULL);
        const char *file, *table;
        ck_assert_int_gt(sd_bus_message_read(reply, "ss", &file, &table), 0);
        ck_assert_ptr_nonnull(strstr(table, "\nslow\tdraining\t0\t33\t33000\t3300\t\t\t1\t4711\n"));
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("control/pause");
        TCase *cases = tcase_create("pause");

        tcase_add_checked_fixture(cases, serving_setup, serving_teardown);
        tcase_add_test(cases, test_pause);
        tcase_add_test(cases, test_pause_and_thaw_are_refused);
        tcase_add_test(cases, test_progress);
        suite_add_tcase(suite, cases);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
