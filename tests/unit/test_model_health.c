/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* So many looks in a row, and the places of looks in time. */

#include <string.h>

#include "model/health.h"
#include "unit.h"

static DaemonConfig daemon_with(int64_t failures, int64_t successes) {
        return (DaemonConfig){
                .health = {
                        .on = HEALTH_TCP,
                        .failures = failures,
                        .successes = successes,
                        .interval = 10 * USEC_PER_SEC,
                },
        };
}

/* '+' and '-' are looks; what is expected of each stands below it: '.', 's'ick, 'w'ell. */
static void assert_verdicts(const DaemonConfig *daemon, const char *looks, const char *verdicts) {
        static const char letters[] = {
                [HEALTH_AS_BEFORE] = '.', [HEALTH_FELL_SICK] = 's', [HEALTH_GOT_WELL] = 'w',
        };
        HealthCount count = { 0 };

        ck_assert_uint_eq(strlen(looks), strlen(verdicts));
        for (size_t i = 0; looks[i] != '\0'; i++) {
                HealthVerdict verdict = health_count(daemon, &count, looks[i] == '+');

                ck_assert_msg(letters[verdict] == verdicts[i], "look %zu of %s: %c", i, looks,
                              letters[verdict]);
        }
}

START_TEST(test_so_many_in_a_row_decide) {
        DaemonConfig three = daemon_with(3, 1), one = daemon_with(1, 2);

        assert_verdicts(&three, "++--+--+---", "..........s");
        assert_verdicts(&three, "-----+-----", "..s..w..s..");
        assert_verdicts(&one, "-+-++-", "s...ws");
        assert_verdicts(&one, "+-+-+-+++-", ".s.....w.s");
}
END_TEST

START_TEST(test_one_late_word_decides) {
        DaemonConfig daemon = daemon_with(3, 3);

        daemon.health.on = HEALTH_NOTIFY;
        assert_verdicts(&daemon, "+-+--+", ".sws.w");
}
END_TEST

START_TEST(test_failures_are_counted) {
        DaemonConfig daemon = daemon_with(2, 1);
        HealthCount count = { 0 };

        for (unsigned i = 1; i <= 5; i++) {
                (void) health_count(&daemon, &count, false);
                ck_assert_uint_eq(count.failures, i);
        }
        (void) health_count(&daemon, &count, true);
        ck_assert_uint_eq(count.failures, 0);
        ck_assert(!count.sick);
}
END_TEST

START_TEST(test_looks_have_one_place_each) {
        DaemonConfig daemon = daemon_with(3, 1);

        for (unsigned i = 0; i < 100; i++) {
                daemon.index = i;
                usec_t due = health_next(&daemon, 12345678);
                ck_assert_uint_gt(due, 12345678);
                ck_assert_uint_le(due, 12345678 + daemon.health.interval);
                ck_assert_uint_eq(health_next(&daemon, due - 1), due);
                ck_assert_uint_eq(health_next(&daemon, due), due + daemon.health.interval);
        }
}
END_TEST

/* A thousand that were started at once: in no hundredth of the interval more than 12 are due. */
START_TEST(test_looks_are_spread) {
        DaemonConfig daemon = daemon_with(3, 1);
        unsigned due[100] = { 0 };

        for (unsigned i = 0; i < 1000; i++) {
                daemon.index = i;
                due[(health_next(&daemon, 0) - 1) * 100 / daemon.health.interval]++;
        }
        for (size_t i = 0; i < ELEMENTSOF(due); i++)
                ck_assert_uint_le(due[i], 12);
}
END_TEST

START_TEST(test_the_longest_interval) {
        DaemonConfig daemon = daemon_with(3, 1);

        daemon.health.interval = 24 * 3600 * USEC_PER_SEC;
        for (daemon.index = 0; daemon.index < 1000; daemon.index++) {
                ck_assert_uint_gt(health_next(&daemon, USEC_PER_SEC), USEC_PER_SEC);
                ck_assert_uint_le(health_next(&daemon, USEC_PER_SEC),
                                  USEC_PER_SEC + daemon.health.interval);
        }
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("model/health");
        TCase *tcase = tcase_create("health");

        tcase_add_test(tcase, test_so_many_in_a_row_decide);
        tcase_add_test(tcase, test_one_late_word_decides);
        tcase_add_test(tcase, test_failures_are_counted);
        tcase_add_test(tcase, test_looks_have_one_place_each);
        tcase_add_test(tcase, test_looks_are_spread);
        tcase_add_test(tcase, test_the_longest_interval);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
