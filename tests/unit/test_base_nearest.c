/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * base/nearest: slips are recognised, other words are not, and a tie goes to the first.
 */

#include <string.h>

#include "base/nearest.h"
#include "unit.h"

static const char *const settings[] = {
        "command", "type", "pidfile", "user", "groups", "directory", "umask", "environment",
};

static const char *nearest_setting(const char *word) {
        return nearest_word(word, settings, ELEMENTSOF(settings));
}

START_TEST(test_slips) {
        ck_assert_str_eq(nearest_setting("command"), "command");
        ck_assert_str_eq(nearest_setting("comand"), "command");   /* one missing */
        ck_assert_str_eq(nearest_setting("commmand"), "command"); /* one too many */
        ck_assert_str_eq(nearest_setting("kommand"), "command");  /* one wrong */
        ck_assert_str_eq(nearest_setting("ocmmand"), "command");  /* two swapped */
        ck_assert_str_eq(nearest_setting("commandd"), "command"); /* at the end */
        ck_assert_str_eq(nearest_setting("ommand"), "command");   /* at the beginning */
        ck_assert_str_eq(nearest_setting("pid_file"), "pidfile");
        ck_assert_str_eq(nearest_setting("enviroment"), "environment");
        ck_assert_str_eq(nearest_setting("Directory"), "directory");
        ck_assert_str_eq(nearest_setting("tpye"), "type");
        ck_assert_str_eq(nearest_setting("usr"), "user");
}
END_TEST

START_TEST(test_strangers) {
        ck_assert_ptr_null(nearest_setting(""));
        ck_assert_ptr_null(nearest_setting("x"));
        ck_assert_ptr_null(nearest_setting("colour"));
        ck_assert_ptr_null(nearest_setting("commotion"));
        ck_assert_ptr_null(nearest_word("command", settings, 0));
        ck_assert_ptr_null(nearest_word("command", NULL, 0));
}
END_TEST

/* A third of the letters of the mistyped word, and at least one. */
START_TEST(test_limit) {
        static const char *const words[] = { "abcdefghi" };
        static const char *const letters[] = { "ab" };

        ck_assert_ptr_nonnull(nearest_word("abcdefXYZ", words, 1));
        ck_assert_ptr_null(nearest_word("abcdeWXYZ", words, 1));
        ck_assert_ptr_nonnull(nearest_word("ax", letters, 1));
        ck_assert_ptr_null(nearest_word("xy", letters, 1));
}
END_TEST

START_TEST(test_least) {
        static const char *const words[] = { "stopped", "stops", "stop" };
        static const char *const ties[] = { "cat", "bat", "hat" };

        ck_assert_ptr_eq(nearest_word("stopp", words, ELEMENTSOF(words)), words[1]);
        ck_assert_ptr_eq(nearest_word("sotp", words, ELEMENTSOF(words)), words[2]);
        ck_assert_ptr_eq(nearest_word("rat", ties, ELEMENTSOF(ties)), ties[0]);
        ck_assert_ptr_eq(nearest_word("hat", ties, ELEMENTSOF(ties)), ties[2]);
}
END_TEST

/* A swap counts once, but no letter is touched twice: "ca" to "abc" takes three slips, not two. */
START_TEST(test_alignment) {
        static const char *const swapped[] = { "badcfehgji" };
        static const char *const twice[] = { "abc......" };

        ck_assert_ptr_null(nearest_word("abcdefghij", swapped, 1)); /* five swaps of ten letters */
        ck_assert_ptr_nonnull(nearest_word("badcefghji", swapped, 1));
        ck_assert_ptr_null(nearest_word("ca......", twice, 1)); /* 3 slips, 8 letters: 2 allowed */
}
END_TEST

START_TEST(test_long_words) {
        char longest[65], longer[66], huge[5000];
        const char *words[] = { longer, longest };

        memset(longest, 'a', sizeof(longest));
        memset(longer, 'a', sizeof(longer));
        memset(huge, 'a', sizeof(huge));
        longest[64] = longer[65] = huge[4999] = '\0';

        ck_assert_ptr_eq(nearest_word(longest, words, 2), longest);
        ck_assert_ptr_eq(nearest_word(longest + 1, words, 2), longest);
        ck_assert_ptr_null(nearest_word(longer, words, 2));
        ck_assert_ptr_null(nearest_word(huge, words, 2));
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("base/nearest");
        TCase *tcase = tcase_create("nearest");

        tcase_add_test(tcase, test_slips);
        tcase_add_test(tcase, test_strangers);
        tcase_add_test(tcase, test_limit);
        tcase_add_test(tcase, test_least);
        tcase_add_test(tcase, test_alignment);
        tcase_add_test(tcase, test_long_words);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
