/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What supervisorctl shows of daemons on their way: who is among them, and in which words. */

#include "supervisorctl/progress.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

#define NOW (1000 * USEC_PER_SEC)

static Progress progress;

static void teardown(void) {
        progress_done(&progress);
}

static void tell(const char *name, const char *state, const char *status, uint64_t deadline) {
        progress_update(&progress, &(ProgressNews){ name, state, status, deadline });
}

static void expect_row(size_t i, const char *wanted) {
        char text[PROGRESS_TEXT_MAX];

        ck_assert_uint_gt(progress.count, i);
        ck_assert_str_eq(progress_row_text(text, &progress.rows[i], progress_width(&progress), NOW),
                         wanted);
}

START_TEST(those_on_their_way_have_a_row) {
        tell("web", "freezing", "serving", NOW + 5 * USEC_PER_SEC);
        tell("db", "frozen", "", 0);
        expect_row(0, "web  freezing   5 s left");
        expect_row(1, "db   frozen     ");
        tell("web", "draining", "2 waiting, 5 busy, 1 idle", NOW + 8 * USEC_PER_SEC);
        expect_row(0, "web  draining   2 waiting, 5 busy, 1 idle, 8 s left");
        ck_assert_uint_eq(progress.count, 2);
}
END_TEST

START_TEST(who_has_arrived_has_none) {
        static const char *const goals[] = { "running", "stopped", "failed", "stuck" };

        tell("a", "draining", "", 0);
        tell("b", "starting", "", 0);
        tell("c", "killing", "", 0);
        tell("b", goals[_i], "", 0);
        ck_assert_uint_eq(progress.count, 2);
        expect_row(0, "a  draining   ");
        expect_row(1, "c  killing    ");
        tell("d", goals[_i], "", 0);
        tell("c", goals[_i], "", 0);
        tell("a", goals[_i], "", 0);
        ck_assert_uint_eq(progress.count, 0);
}
END_TEST

START_TEST(there_may_be_many) {
        char name[16];

        for (int i = 0; i < 1000; i++) {
                snprintf(name, sizeof(name), "d%d", i);
                tell(name, "draining", "", 0);
        }
        ck_assert_uint_eq(progress.count, 1000);
        ck_assert_int_eq(progress_width(&progress), 4);
        for (int i = 999; i >= 0; i--) {
                snprintf(name, sizeof(name), "d%d", i);
                tell(name, "running", "", 0);
        }
        ck_assert_uint_eq(progress.count, 0);
}
END_TEST

static const struct {
        uint64_t deadline;
        const char *text;
} times[] = {
        { 0, "" },
        { NOW + 1, "1 s left" },
        { NOW + USEC_PER_SEC, "1 s left" },
        { NOW + USEC_PER_SEC + 1, "2 s left" },
        { NOW, "0 s left" },
        { NOW - 1, "0 s left" },
        { NOW + 59 * USEC_PER_SEC, "59 s left" },
        { NOW + 200 * USEC_PER_SEC, "3 min 20 s left" },
        { UINT64_MAX - 1, NULL },
};

START_TEST(times_have_a_form) {
        char text[PROGRESS_LEFT_MAX];

        progress_left(text, times[_i].deadline, NOW);
        if (times[_i].text)
                ck_assert_str_eq(text, times[_i].text);
        ck_assert_uint_lt(strlen(text), sizeof(text));
}
END_TEST

START_TEST(what_is_too_long_is_cut) {
        char long_text[1000], text[PROGRESS_TEXT_MAX];

        memset(long_text, 'x', sizeof(long_text) - 1);
        long_text[sizeof(long_text) - 1] = '\0';
        tell("web", "draining", long_text, NOW);
        progress_row_text(text, &progress.rows[0], progress_width(&progress), NOW);
        ck_assert_uint_lt(strlen(text), sizeof(text));
        ck_assert_ptr_nonnull(strstr(text, "x, 0 s left"));
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("supervisorctl/progress");
        TCase *tcase = tcase_create("progress");

        tcase_add_checked_fixture(tcase, NULL, teardown);
        tcase_add_test(tcase, those_on_their_way_have_a_row);
        tcase_add_loop_test(tcase, who_has_arrived_has_none, 0, 4);
        tcase_add_test(tcase, there_may_be_many);
        tcase_add_loop_test(tcase, times_have_a_form, 0, ELEMENTSOF(times));
        tcase_add_test(tcase, what_is_too_long_is_cut);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
