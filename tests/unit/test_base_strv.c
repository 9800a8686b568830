/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * base/strv: an absent vector is an empty one, copies are deep, and the NULL stays at the end.
 */

#include <stdio.h>

#include "base/strv.h"
#include "unit.h"

#define VECTOR(...) ((char *const *) (const char *const[]) { __VA_ARGS__ })

#define WORDS   VECTOR("one", "two", "three", NULL)
#define NOTHING VECTOR(NULL)

START_TEST(test_length) {
        ck_assert_uint_eq(strv_length(NULL), 0);
        ck_assert_uint_eq(strv_length(NOTHING), 0);
        ck_assert_uint_eq(strv_length(WORDS), 3);
}
END_TEST

START_TEST(test_contains) {
        ck_assert(strv_contains(WORDS, "one"));
        ck_assert(strv_contains(WORDS, "three"));
        ck_assert(!strv_contains(WORDS, "thre"));
        ck_assert(!strv_contains(WORDS, "threee"));
        ck_assert(!strv_contains(WORDS, ""));
        ck_assert(!strv_contains(NOTHING, "one"));
        ck_assert(!strv_contains(NULL, "one"));
}
END_TEST

START_TEST(test_equal) {
        char *const *shorter = VECTOR("one", "two", NULL);
        char *const *swapped = VECTOR("two", "one", "three", NULL);
        char *const *other = VECTOR("one", "two", "Three", NULL);

        ck_assert(strv_equal(WORDS, WORDS));
        ck_assert(strv_equal(NULL, NOTHING));
        ck_assert(strv_equal(NULL, NULL));
        ck_assert(!strv_equal(WORDS, NULL));
        ck_assert(!strv_equal(WORDS, shorter));
        ck_assert(!strv_equal(shorter, WORDS));
        ck_assert(!strv_equal(WORDS, swapped));
        ck_assert(!strv_equal(WORDS, other));
}
END_TEST

START_TEST(test_append) {
        CLEANUP(strv_freep) char **vector = NULL;
        char text[16];

        for (unsigned i = 0; i < 100; i++) {
                (void) snprintf(text, sizeof(text), "word %u", i);
                ck_assert_int_eq(strv_append(&vector, text), 0);
                ck_assert_uint_eq(strv_length(vector), i + 1);
                /* A copy: the buffer is used again. */
                ck_assert_ptr_ne(vector[i], text);
        }
        ck_assert_str_eq(vector[0], "word 0");
        ck_assert_str_eq(vector[99], "word 99");
        ck_assert_ptr_null(vector[100]);
}
END_TEST

START_TEST(test_copy) {
        char *const *words = WORDS;
        CLEANUP(strv_freep) char **copy = strv_copy(words);
        CLEANUP(strv_freep) char **empty = strv_copy(NULL);

        ck_assert(strv_equal(copy, words));
        for (size_t i = 0; i < 3; i++)
                ck_assert_ptr_ne(copy[i], words[i]);

        /* NULL would mean that there was no memory. */
        ck_assert_ptr_nonnull(empty);
        ck_assert_ptr_null(empty[0]);
}
END_TEST

static void assert_join(char *const *vector, const char *separator, const char *expected) {
        CLEANUP(freep) char *joined = strv_join(vector, separator);

        ck_assert_str_eq(joined, expected);
}

START_TEST(test_join) {
        assert_join(WORDS, " -> ", "one -> two -> three");
        assert_join(WORDS, "", "onetwothree");
        assert_join(VECTOR("three", NULL), ", ", "three");
        assert_join(VECTOR("", "", NULL), ",", ",");
        assert_join(NOTHING, ", ", "");
        assert_join(NULL, ", ", "");
}
END_TEST

START_TEST(test_free) {
        ck_assert_ptr_null(strv_free(NULL));
        ck_assert_ptr_null(strv_free(strv_copy(NOTHING)));
        ck_assert_ptr_null(strv_free(strv_copy(WORDS)));
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("base/strv");
        TCase *tcase = tcase_create("strv");

        tcase_add_test(tcase, test_length);
        tcase_add_test(tcase, test_contains);
        tcase_add_test(tcase, test_equal);
        tcase_add_test(tcase, test_append);
        tcase_add_test(tcase, test_copy);
        tcase_add_test(tcase, test_join);
        tcase_add_test(tcase, test_free);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
