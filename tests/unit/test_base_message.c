/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * base/message: every message has an id of its own that sd-id128(3) can read, and its own name.
 */

#include <string.h>
#include <systemd/sd-id128.h>

#include "base/message.h"
#include "unit.h"

START_TEST(test_none) {
        ck_assert_ptr_null(message_id_text(MESSAGE_NONE));
        ck_assert_str_eq(message_id_name(MESSAGE_NONE), "NONE");
}
END_TEST

START_TEST(test_form) {
        const char *text = message_id_text((MessageId) _i);
        char written[SD_ID128_STRING_MAX];
        sd_id128_t id;

        ck_assert_ptr_nonnull(text);
        ck_assert_uint_eq(strlen(text), 32);
        ck_assert_int_eq(sd_id128_from_string(text, &id), 0);
        ck_assert(!sd_id128_is_null(id));
        ck_assert_str_eq(sd_id128_to_string(id, written), text);
        ck_assert_ptr_nonnull(message_id_name((MessageId) _i));
}
END_TEST

START_TEST(test_distinct) {
        MessageId id = (MessageId) _i;

        for (MessageId other = MESSAGE_NONE + 1; other < id; other++) {
                ck_assert_str_ne(message_id_text(other), message_id_text(id));
                ck_assert_str_ne(message_id_name(other), message_id_name(id));
        }
}
END_TEST

START_TEST(test_names) {
        ck_assert_str_eq(message_id_name(MESSAGE_SUPERVISOR_STARTED), "SUPERVISOR_STARTED");
        ck_assert_str_eq(message_id_name(MESSAGE_DAEMON_READY), "DAEMON_READY");
        ck_assert_str_eq(message_id_name(MESSAGE_CLEANUP_FAILED), "CLEANUP_FAILED");
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("base/message");
        TCase *tcase = tcase_create("message");

        tcase_add_test(tcase, test_none);
        tcase_add_loop_test(tcase, test_form, MESSAGE_NONE + 1, MESSAGE_MAX_);
        tcase_add_loop_test(tcase, test_distinct, MESSAGE_NONE + 1, MESSAGE_MAX_);
        tcase_add_test(tcase, test_names);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
