/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The main body of every unit test program. Each test runs in a process of its own, so that a crash
 * is one failed test and a leak is found at the end of the test that made it.
 */

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

/* For what would never end. A test fails by what it sees, not by how busy the machine is. */
#define UNIT_TIMEOUT_SECONDS "120"

#define UNIT_SKIPPED_MAX 4

/* Before main(): Check looks at it when a test case is created. */
__attribute__((constructor)) static void unit_set_timeout(void) {
        setenv("CK_DEFAULT_TIMEOUT", UNIT_TIMEOUT_SECONDS, 0);
}

static int unit_run(Suite *suite, enum fork_status fork_status) {
        SRunner *runner;
        int run, failed;

        runner = srunner_create(suite);
        srunner_set_fork_status(runner, fork_status);
        srunner_set_tap(runner, "-");
        srunner_run_all(runner, CK_SILENT);
        run = srunner_ntests_run(runner);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);

        return run > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int unit_main(Suite *suite) {
        return unit_run(suite, CK_FORK_GETENV);
}

int unit_main_apart(Suite *suite) {
        return unit_run(suite, CK_FORK);
}

START_TEST(test_skipped) {
}
END_TEST

void unit_add_skipped(Suite *suite, const char *name, const char *reason) {
        static char titles[UNIT_SKIPPED_MAX][256]; /* Check keeps the pointers */
        static unsigned count;
        TCase *tcase;

        if (count == UNIT_SKIPPED_MAX)
                abort();
        /* Check does not know skipped tests, but TAP does: by what stands behind the "#". */
        snprintf(titles[count], sizeof(titles[count]), "%s # SKIP %s", name, reason);
        tcase = tcase_create(titles[count++]);
        tcase_add_test(tcase, test_skipped);
        suite_add_tcase(suite, tcase);
}
