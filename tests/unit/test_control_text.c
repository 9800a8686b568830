/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* control/text: what the bus takes is valid, and what is not can be repaired. */

#include <string.h>

#include "base/macro.h"
#include "control/text.h"
#include "unit.h"

/* Text, and what becomes of it. */
static const char *const texts[][2] = {
        { "", "" },
        { "plain", "plain" },
        { "\x01\x1b[2J\n", "\x01\x1b[2J\n" },
        { "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
        { "\xe2\x82\xac\xf0\x9f\x98\x80", "\xe2\x82\xac\xf0\x9f\x98\x80" },
        { "\xff", "?" },
        { "\x80", "?" },
        { "a\xc3", "a?" },
        { "a\xe2\x82", "a??" },
        { "\xf0\x9f\x98 ", "??? " },
        { "\xc0\xaf", "??" }, /* overlong */
        { "\xe0\x80\xaf", "???" },
        { "\xf0\x80\x80\xaf", "????" },
        { "\xed\xa0\x80", "???" },      /* a surrogate */
        { "\xf4\x90\x80\x80", "????" }, /* above the last one */
        { "\xf8\x88\x80\x80\x80", "?????" },
        { "\xef\xbf\xbf", "???" }, /* noncharacters */
        { "\xef\xb7\x90", "???" },
        { "\xf0\x9f\xbf\xbe", "????" },
        { "\xef\xbf\xbd", "\xef\xbf\xbd" },
        { "\xf4\x8f\xbf\xbd", "\xf4\x8f\xbf\xbd" },
};

START_TEST(test_repair) {
        char text[64];

        (void) strcpy(text, texts[_i][0]);
        ck_assert_int_eq(text_is_valid(text), strcmp(texts[_i][0], texts[_i][1]) == 0);
        text_repair(text);
        ck_assert_str_eq(text, texts[_i][1]);
        ck_assert(text_is_valid(text));
}
END_TEST

/* All of up to three bytes, or nearly. */
START_TEST(test_many) {
        unsigned valid = 0;

        for (unsigned number = 1; number < 0x1000000; number += 251) {
                const char text[] = { (char) number, (char) (number >> 8), (char) (number >> 16),
                                      0 };
                char repaired[sizeof(text)];

                memcpy(repaired, text, sizeof(text));
                text_repair(repaired);
                ck_assert(text_is_valid(repaired));
                ck_assert_uint_eq(strlen(repaired), strlen(text));
                ck_assert_int_eq(text_is_valid(text), strcmp(text, repaired) == 0);
                valid += text_is_valid(text);
        }
        ck_assert_uint_gt(valid, 1000);
}
END_TEST

START_TEST(test_show) {
        char buffer[16];

        ck_assert_str_eq(text_show(buffer, sizeof(buffer), "a\x01z"), "a\\x01z");
        ck_assert_str_eq(text_show(buffer, sizeof(buffer), "\xff"), "?");
        ck_assert(text_is_valid(text_show(buffer, 6, "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac")));
        ck_assert_str_eq(text_show(buffer, 1, "abc"), "");
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("control/text");
        TCase *cases = tcase_create("text");

        tcase_add_loop_test(cases, test_repair, 0, (int) ELEMENTSOF(texts));
        tcase_add_test(cases, test_many);
        tcase_add_test(cases, test_show);
        suite_add_tcase(suite, cases);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
