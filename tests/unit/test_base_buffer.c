/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* base/buffer: text that grows. */

#include <string.h>

#include "base/buffer.h"
#include "base/macro.h"
#include "base/parse.h"
#include "unit.h"

static void add(Buffer *buffer, const char *text) {
        char *at = buffer_extend(buffer, strlen(text) + 1);

        ck_assert_ptr_nonnull(at);
        buffer_end(buffer, stpcpy(at, text));
}

START_TEST(it_grows) {
        CLEANUP(buffer_done) Buffer buffer = {};

        for (int i = 0; i < 100000; i++)
                add(&buffer, "0123456789");
        ck_assert_uint_eq(buffer.length, 1000000);
        ck_assert_mem_eq(buffer.data + 999990, "0123456789", 10);
        ck_assert(!buffer.failed);
}
END_TEST

START_TEST(only_what_was_written_counts) {
        CLEANUP(buffer_done) Buffer buffer = {};
        char *at = buffer_extend(&buffer, 1000);

        ck_assert_ptr_nonnull(at);
        memcpy(at, "abc", 3);
        buffer_end(&buffer, at + 3);
        add(&buffer, "d");
        ck_assert_uint_eq(buffer.length, 4);
        ck_assert_mem_eq(buffer.data, "abcd", 4);
}
END_TEST

START_TEST(it_can_be_cleared) {
        CLEANUP(buffer_done) Buffer buffer = {};

        add(&buffer, "abc");
        size_t room = buffer.room;
        buffer_clear(&buffer);
        ck_assert_uint_eq(buffer.length, 0);
        ck_assert_uint_eq(buffer.room, room);
        buffer_done(&buffer);
        ck_assert_ptr_null(buffer.data);
        add(&buffer, "d");
        ck_assert_mem_eq(buffer.data, "d", 1);
}
END_TEST

START_TEST(no_memory_is_remembered) {
        CLEANUP(buffer_done) Buffer buffer = {};

        add(&buffer, "abc");
        ck_assert_ptr_null(buffer_extend(&buffer, SIZE_MAX / 8));
        ck_assert(buffer.failed);
        ck_assert_ptr_null(buffer_extend(&buffer, 1));
        ck_assert_mem_eq(buffer.data, "abc", 3);
        buffer_clear(&buffer);
        add(&buffer, "d");
        ck_assert(!buffer.failed);
}
END_TEST

START_TEST(digits_can_be_put_into_it) {
        static const struct {
                uint64_t number;
                const char *text;
        } cases[] = {
                { 0, "0" },
                { 9, "9" },
                { 10, "10" },
                { 4711, "4711" },
                { UINT64_MAX, "18446744073709551615" },
        };
        char text[NUMBER_TEXT_MAX];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char *end = format_digits(text, cases[i].number);

                ck_assert_str_eq(text, cases[i].text);
                ck_assert_ptr_eq(end, text + strlen(text));
        }
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("base/buffer");
        TCase *cases = tcase_create("buffer");

        tcase_add_test(cases, it_grows);
        tcase_add_test(cases, only_what_was_written_counts);
        tcase_add_test(cases, it_can_be_cleared);
        tcase_add_test(cases, no_memory_is_remembered);
        tcase_add_test(cases, digits_can_be_put_into_it);
        suite_add_tcase(suite, cases);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
