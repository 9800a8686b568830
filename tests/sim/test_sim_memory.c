/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The way down without any memory: from SIGTERM on every allocation fails. The allocator comes in
 * by the linker's --wrap=, so this concerns our own code and the fakes, which allocate where the
 * doors do.
 */

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include "fake/script.h"
#include "sim/one.h"
#include "unit.h"

static bool starving;
static unsigned refused;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
int __wrap_asprintf(char **ret, const char *format, ...) PRINTF_LIKE(2, 3);

static bool refuse(void) {
        refused += starving;
        if (starving)
                errno = ENOMEM;
        return starving;
}

void *__wrap_malloc(size_t size) {
        return refuse() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
        return refuse() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size) {
        return refuse() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text) {
        return refuse() ? NULL : __real_strdup(text);
}

int __wrap_asprintf(char **ret, const char *format, ...) {
        va_list arguments;

        if (refuse())
                return -1;
        va_start(arguments, format);
        int r = vasprintf(ret, format, arguments);
        va_end(arguments);
        return r;
}

/* Runs for 10 s, then stops without memory; says how long that took. */
static usec_t starve(const char *settings) {
        one_run(settings, 10 * SEC);
        ck_assert_int_eq(sim_mode(), MODE_RUNNING);
        watch_allow_failures();

        starving = true;
        fake_signal(SIGTERM);
        sim_run_to_exit();
        starving = false;

        ck_assert_int_eq(sim_state("d"), STATE_STOPPED);
        ck_assert_uint_eq(world_population(NULL), 0);
        usec_t took = sim_now() - 10 * SEC;
        sim_end();
        return took;
}

START_TEST(signals_need_no_memory) {
        PROGRAM(.path = "/d");
        ck_assert_uint_eq(starve(""), 0);

        PROGRAM(.path = "/d", .reactions = REACTIONS(ON(SIGTERM, EXIT(SEC, 0))));
        ck_assert_uint_eq(starve(""), SEC);

        PROGRAM(.path = "/d", .reactions = REACTIONS(DEAF(SIGTERM)));
        ck_assert_uint_eq(starve("stop: { signals = \"TERM 2s, KILL\"; };"), 2 * SEC);

        PROGRAM(.path = "/d", .reactions = REACTIONS(ON(SIGUSR1, EXIT(3 * SEC, 0))));
        ck_assert_uint_eq(starve("freeze: { signal = \"USR1\"; };"), 3 * SEC);
}
END_TEST

START_TEST(what_cannot_be_watched_ends_at_the_next_step_at_the_latest) {
        PROGRAM(.path = "/worker", .reactions = REACTIONS(ON(SIGTERM, EXIT(SEC, 0))));
        PROGRAM(.path = "/d", .acts = ACTS(FORK(0, "/worker")));
        ck_assert_uint_le(starve("stop: { signals = \"TERM 5s, KILL\"; };"), 5 * SEC);
}
END_TEST

START_TEST(jobs_and_commands_without_memory_are_given_up_not_waited_for) {
        static const char *const settings[] = {
                "drain: { until = \"jobs\"; };",
                "freeze: { command = [ \"/help\" ]; };",
                "drain: { command = [ \"/help\" ]; };",
                "cleanup: { command = [ \"/help\" ]; };",
        };

        for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
                PROGRAM(.path = "/job");
                PROGRAM(.path = "/d", .acts = ACTS(FORK(0, "/job")));
                PROGRAM(.path = "/help", .acts = ACTS(EXIT(SEC, 0)));
                ck_assert_uint_le(starve(settings[i]), 5 * SEC);
        }
        ck_assert_uint_gt(refused, 0);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sim_memory");
        TCase *way = tcase_create("way down");

        tcase_add_test(way, signals_need_no_memory);
        tcase_add_test(way, what_cannot_be_watched_ends_at_the_next_step_at_the_latest);
        tcase_add_test(way, jobs_and_commands_without_memory_are_given_up_not_waited_for);
        suite_add_tcase(suite, way);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
