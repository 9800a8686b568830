/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * base/diag: what is collected, in which order it is shown, and how.
 */

#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "unit.h"

static Diag *diag;

static void setup(void) {
        ck_assert_int_eq(diag_new(&diag), 0);
}

static void teardown(void) {
        diag = diag_free(diag);
}

static void assert_text(size_t index, const char *expected) {
        const Finding *finding = diag_get(diag, index);
        CLEANUP(freep) char *text = NULL;

        ck_assert_ptr_nonnull(finding);
        text = finding_text(finding);
        ck_assert_str_eq(text, expected);
}

START_TEST(test_empty) {
        ck_assert_uint_eq(diag_count(diag), 0);
        ck_assert_uint_eq(diag_errors(diag), 0);
        ck_assert_ptr_null(diag_get(diag, 0));
        diag_sort(diag);
        ck_assert_uint_eq(diag_count(diag), 0);
        ck_assert_ptr_null(diag_free(NULL));
}
END_TEST

START_TEST(test_add) {
        char file[] = "a.conf", setting[] = "web.user";
        const Finding *finding;

        diag_add(diag, SEVERITY_ERROR, file, 7, setting, "no user '%s'", "nobdy");
        /* Copies: what the caller does with its own does not matter. */
        memset(file, '#', strlen(file));
        memset(setting, '#', strlen(setting));

        ck_assert_uint_eq(diag_count(diag), 1);
        ck_assert_uint_eq(diag_errors(diag), 1);
        finding = diag_get(diag, 0);
        ck_assert_int_eq(finding->severity, SEVERITY_ERROR);
        ck_assert_str_eq(finding->file, "a.conf");
        ck_assert_uint_eq(finding->line, 7);
        ck_assert_str_eq(finding->setting, "web.user");
        ck_assert_str_eq(finding->text, "no user 'nobdy'");
        ck_assert_ptr_null(diag_get(diag, 1));
}
END_TEST

START_TEST(test_counts) {
        for (unsigned i = 0; i < 100; i++)
                diag_add(diag, i % 3 == 0 ? SEVERITY_ERROR : SEVERITY_WARNING, "a.conf", i, NULL,
                         "finding %u", i);
        ck_assert_uint_eq(diag_count(diag), 100);
        ck_assert_uint_eq(diag_errors(diag), 34);
        ck_assert_str_eq(diag_get(diag, 99)->text, "finding 99");
}
END_TEST

START_TEST(test_text) {
        diag_add(diag, SEVERITY_ERROR, "a.conf", 7, "web.user", "wrong");
        diag_add(diag, SEVERITY_WARNING, "a.conf", 7, "web.user", "odd");
        diag_add(diag, SEVERITY_ERROR, "a.conf", 7, NULL, "wrong");
        diag_add(diag, SEVERITY_ERROR, "a.conf", 0, NULL, "wrong");
        diag_add(diag, SEVERITY_WARNING, "a.conf", 0, "web.user", "odd");
        diag_add(diag, SEVERITY_ERROR, NULL, 0, "web.user", "wrong");
        diag_add(diag, SEVERITY_ERROR, NULL, 7, NULL, "wrong");
        diag_add(diag, SEVERITY_WARNING, NULL, 0, NULL, "%s", "");

        assert_text(0, "a.conf:7: web.user: wrong");
        assert_text(1, "a.conf:7: web.user: warning: odd");
        assert_text(2, "a.conf:7: wrong");
        assert_text(3, "a.conf: wrong");
        assert_text(4, "a.conf: web.user: warning: odd");
        assert_text(5, "web.user: wrong");
        assert_text(6, "wrong");
        assert_text(7, "warning: ");
}
END_TEST

START_TEST(test_control_characters) {
        diag_add(diag, SEVERITY_ERROR, "a\n.conf", 1, "we\033b", "un\tknown '%s'", "x\r\n\177");
        assert_text(0, "a\\x0a.conf:1: we\\x1bb: un\tknown 'x\\x0d\\x0a\\x7f'");
}
END_TEST

START_TEST(test_sort) {
        diag_add(diag, SEVERITY_ERROR, "b.conf", 9, "x", "1");
        diag_add(diag, SEVERITY_ERROR, "a.conf", 2, "y", "2");
        diag_add(diag, SEVERITY_ERROR, NULL, 0, NULL, "3");
        diag_add(diag, SEVERITY_WARNING, "b.conf", 3, "z", "4");
        diag_add(diag, SEVERITY_ERROR, "a.conf", 2, "x", "5");
        diag_add(diag, SEVERITY_ERROR, "a.conf", 2, NULL, "6");
        diag_add(diag, SEVERITY_ERROR, "b.conf", 0, NULL, "7");
        diag_add(diag, SEVERITY_ERROR, NULL, 0, NULL, "8");
        diag_add(diag, SEVERITY_ERROR, "b.conf", 10, "x", "9");

        for (unsigned round = 0; round < 2; round++) {
                diag_sort(diag);
                assert_text(0, "b.conf: 7");
                assert_text(1, "b.conf:3: z: warning: 4");
                assert_text(2, "b.conf:9: x: 1");
                assert_text(3, "b.conf:10: x: 9");
                assert_text(4, "a.conf:2: 6");
                assert_text(5, "a.conf:2: x: 5");
                assert_text(6, "a.conf:2: y: 2");
                assert_text(7, "3");
                assert_text(8, "8");
        }
}
END_TEST

/* Findings of equal place stay in their order, however many there are and whatever sorts them. */
START_TEST(test_sort_stable) {
        for (unsigned i = 0; i < 500; i++)
                diag_add(diag, SEVERITY_ERROR, "a.conf", 500 - i / 100, "x", "%u", i);
        diag_sort(diag);
        for (unsigned i = 0; i < 500; i++) {
                unsigned expected = (4 - i / 100) * 100 + i % 100;

                ck_assert_uint_eq(strtoul(diag_get(diag, i)->text, NULL, 10), expected);
        }
}
END_TEST

/* What is added after a sort takes part in the next one, with the files' order kept. */
START_TEST(test_sort_again) {
        diag_add(diag, SEVERITY_ERROR, "b.conf", 1, NULL, "1");
        diag_add(diag, SEVERITY_ERROR, "a.conf", 1, NULL, "2");
        diag_sort(diag);
        diag_add(diag, SEVERITY_ERROR, "c.conf", 1, NULL, "3");
        diag_add(diag, SEVERITY_ERROR, "b.conf", 1, NULL, "4");
        diag_sort(diag);

        assert_text(0, "b.conf:1: 1");
        assert_text(1, "b.conf:1: 4");
        assert_text(2, "a.conf:1: 2");
        assert_text(3, "c.conf:1: 3");
}
END_TEST

START_TEST(test_print) {
        CLEANUP(freep) char *printed = NULL;
        size_t size = 0;
        FILE *stream = open_memstream(&printed, &size);

        ck_assert_ptr_nonnull(stream);
        diag_add(diag, SEVERITY_ERROR, "a.conf", 1, "x", "wrong");
        diag_add(diag, SEVERITY_WARNING, "a.conf", 2, NULL, "100 %% odd");
        diag_print(diag, stream);
        ck_assert_int_eq(fclose(stream), 0);
        ck_assert_str_eq(printed, "a.conf:1: x: wrong\na.conf:2: warning: 100 % odd\n");
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("base/diag");
        TCase *tcase = tcase_create("diag");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_empty);
        tcase_add_test(tcase, test_add);
        tcase_add_test(tcase, test_counts);
        tcase_add_test(tcase, test_text);
        tcase_add_test(tcase, test_control_characters);
        tcase_add_test(tcase, test_sort);
        tcase_add_test(tcase, test_sort_stable);
        tcase_add_test(tcase, test_sort_again);
        tcase_add_test(tcase, test_print);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
