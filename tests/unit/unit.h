/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The main body of every unit test program:
 *
 *         int main(void) {
 *                 return unit_main(make_suite());
 *         }
 *
 * It runs the suite and prints TAP on stdout. Check's environment variables hold (CK_FORK,
 * CK_RUN_CASE, CK_TIMEOUT_MULTIPLIER, …).
 */

#include <check.h>

/* Runs and frees the suite. The exit status of main(): 0 if all of it passed and there was any. */
int unit_main(Suite *suite);
/* The same with a process for each test, whatever CK_FORK says: they would disturb each other. */
int unit_main_apart(Suite *suite);

/*
 * Stands for the cases that cannot run here: one test that is reported as skipped, with the reason.
 * For a few groups of cases per program.
 */
void unit_add_skipped(Suite *suite, const char *name, const char *reason);
