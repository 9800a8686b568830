/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is applied live is in force from then on: a daemon whose settings were changed by a reload
 * does, from the reload to its end, to the microsecond, what one does that had them from the
 * beginning. And it would have done something else with the old ones, or the comparison would show
 * nothing.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "config/schema.h"
#include "fake/script.h"
#include "fake/world_intake.h"
#include "sim/matrix.h"
#include "sim/sim.h"
#include "unit.h"

#define TRACE_LINE_MAX 512

/* ---- what happens, as the world tells it ---- */

static struct {
        Buffer text;
        bool on;
} trace;

void __wrap_world_trace(const char *format, ...) PRINTF_LIKE(1, 2);

void __wrap_world_trace(const char *format, ...) {
        char *at = trace.on ? buffer_extend(&trace.text, 2 * TRACE_LINE_MAX) : NULL;
        char line[TRACE_LINE_MAX];
        va_list arguments;

        if (!at)
                return;
        va_start(arguments, format);
        vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);
        /* the first reload that changes anything brings the log's priority into force, too */
        if (strstr(line, "<7>"))
                return;
        /* the verdict of the reload is another one, and records say when a file was read */
        line[strcspn(line, ";{")] = '\0';
        at += sprintf(at, "%llu %s\n", (unsigned long long) sim_now(), line);
        buffer_end(&trace.text, at);
}

/* ---- the world ---- */

/* Ready in every way, one after the other, deaf to what does not kill, with work for clients. */
static void add_programs(void) {
        static const FakeAct serves[] = { NOTIFY(10 * MS, "READY=1\n"),  LISTEN(20 * MS, 81),
                                          WRITE(30 * MS, "/ready", "1"), LISTEN(2 * SEC, 80),
                                          WRITE(3 * SEC, "/else", "1"),
                                          SAY(40 * MS, "listening\n"),
                                          SAY(50 * MS, "all ready\n"),  { 0 } };
        static const FakeAct ends[] = { EXIT(100 * MS, 0), { 0 } };
        static const FakeAct fails[] = { EXIT(100 * MS, 1), { 0 } };
        static const FakeReaction reactions[] = { DEAF(SIGUSR1), DEAF(SIGUSR2), DEAF(SIGHUP),
                                                  DEAF(SIGTERM), DEAF(SIGINT),  { 0 } };
        static const FakeProgram programs[] = {
                { .path = "/d", .acts = serves, .reactions = reactions },
                { .path = "/other" },
                { .path = "/c", .acts = ends },
                { .path = "/f", .acts = ends },
                { .path = "/t", .acts = ends },
                { .path = "/never", .acts = fails },
                { .path = "/hangs", .reactions = reactions },
        };

        for (size_t i = 0; i < ELEMENTSOF(programs); i++)
                world_add_program(&programs[i]);
}

/* The world is empty at its begin. */
static void add_files(void) {
        world_write("/run/a", "1");
        world_write("/etc/d", "1");
        world_write("/b", "1");
}

static void add_clients(void) {
        const FakeLife idle = { .requests = 1, .idle = 100 * SEC };
        const FakeLife talks = { .work = SEC, .requests = 6, .pause = 1500 * MS };

        world_connect(80, NULL, &idle);
        world_connect(80, NULL, &talks);
}

static void kill_main(void) {
        FakeProcess *process = process_find(sim_main_pid("d"));

        if (process)
                process_signal(process, SIGKILL);
        world_remove("/ready");
        world_remove("/else");
}

static void end(void) {
        if (!sim_exited())
                fake_signal(SIGTERM);
        sim_run_to_exit();
        sim_end();
}

/* ---- what may come after a reload ---- */

static void script_stop(void) {
        end();
}

static void script_stop_with_clients(void) {
        add_clients();
        sim_run_for(200 * MS);
        end();
}

static void script_stop_of_the_other(void) {
        (void) sim_ask(REQUEST_STOP, "other");
        sim_run_for(60 * SEC);
        (void) sim_ask(REQUEST_START, "d");
        sim_run_for(60 * SEC);
        end();
}

static void script_freeze(void) {
        (void) sim_pause(false, "d");
        sim_run_for(10 * SEC);
        (void) sim_thaw("d");
        sim_run_for(10 * SEC);
        end();
}

static void script_own_reload(void) {
        world_write("/etc/d", "2");
        sim_reload();
        sim_run_for(30 * SEC);
        (void) sim_ask(REQUEST_RELOAD, "d");
        sim_run_for(30 * SEC);
        end();
}

static void script_death(void) {
        kill_main();
        sim_run_for(20 * SEC);
        kill_main();
        sim_run_for(20 * SEC);
        end();
}

/* Its main process leaves one that does not hear. */
static void script_leftovers(void) {
        static const FakeReaction deaf[] = { DEAF(SIGTERM), { 0 } };
        static const FakeProgram job = { .path = "/job", .reactions = deaf };
        FakeProcess *left = process_add(sim_main_pid("d"), "d", &job);

        process_execute(left);
        kill_main();
        sim_run_for(60 * SEC);
        end();
}

static void script_clean_end(void) {
        FakeProcess *process = process_find(sim_main_pid("d"));

        if (process)
                process_exit(process, false, 0);
        sim_run_for(20 * SEC);
        end();
}

/* It is never ready again. */
static void script_hanging_start(void) {
        static const FakeReaction reactions[] = { DEAF(SIGTERM), { 0 } };

        PROGRAM(.path = "/d", .reactions = reactions);
        kill_main();
        sim_run_for(100 * SEC);
        end();
}

/* What says whether it is there and well says no, and then nothing at all. */
static void script_bad_probes(void) {
        static const FakeAct fails[] = { EXIT(100 * MS, 1), { 0 } };

        PROGRAM(.path = "/c", .acts = fails);
        kill_main();
        sim_run_for(100 * SEC);
        PROGRAM(.path = "/c");
        kill_main();
        sim_run_for(100 * SEC);
        end();
}

/* It dies of each start, at last after long runs. */
static void script_failing_starts(void) {
        static const FakeAct dies[] = { EXIT(500 * MS, 1), { 0 } };
        static const FakeAct dies_late[] = { EXIT(10 * SEC, 1), { 0 } };

        PROGRAM(.path = "/d", .acts = dies_late);
        kill_main();
        sim_run_for(60 * SEC);
        PROGRAM(.path = "/d", .acts = dies);
        sim_run_for(300 * SEC);
        end();
}

/* It runs on, but nothing of what shows it well is there; later a part comes back. */
static void script_bad_health(void) {
        static const FakeAct closes[] = { CLOSE(0), { 0 } };
        FakeProcess *process = process_find(sim_main_pid("d"));

        if (process)
                process_play(process, closes);
        world_remove("/ready");
        world_remove("/else");
        sim_run_for(100 * SEC);
        world_write("/ready", "1");
        sim_run_for(100 * SEC);
        end();
}

static void (*const scripts[])(void) = {
        script_stop,      script_stop_with_clients, script_stop_of_the_other,
        script_freeze,    script_own_reload,        script_death,
        script_clean_end, script_hanging_start,     script_failing_starts,
        script_bad_probes, script_leftovers,        script_bad_health,
};

/* ---- comparing ---- */

typedef struct Settings {
        const char *supervisor, *daemon; /* of d */
} Settings;

static char *daemons_with(const Settings *settings) {
        char *text;

        ck_assert_int_gt(asprintf(&text,
                                  "other: { command = [ \"/other\" ]; };\n"
                                  "d: { command = [ \"/d\" ]; %s };\n",
                                  settings->daemon),
                         0);
        return text;
}

/* What happens by that script after a reload from one to the other; malloc'ed. */
static char *play(void (*script)(void), const Settings *before, const Settings *after) {
        CLEANUP(freep) char *first = daemons_with(before), *second = daemons_with(after);

        add_programs();
        sim_begin_with(0, before->supervisor, first);
        add_files();
        sim_start();
        sim_run_until(100 * SEC);
        sim_set_config_with(after->supervisor, second);
        sim_reload();
        sim_run_for(20 * SEC);
        ck_assert(sim_verdict() == RELOAD_APPLIED || sim_verdict() == RELOAD_NOTHING);

        buffer_clear(&trace.text);
        trace.on = true;
        script();
        trace.on = false;
        ck_assert(!trace.text.failed);
        return strndup(trace.text.data, trace.text.length);
}

/* The first line in which they differ; the rest of both is compared by eye, with SIM_TRACE. */
static void assert_same(const char *a, const char *b, const char *path, size_t script) {
        const char *line_a = a, *line_b = b;

        if (strcmp(a, b) == 0)
                return;
        for (; *a && *a == *b; a++, b++)
                if (*a == '\n') {
                        line_a = a + 1;
                        line_b = b + 1;
                }
        ck_abort_msg("%s, script %zu: \"%.*s\" after a reload, \"%.*s\" without", path, script,
                     (int) strcspn(line_a, "\n"), line_a, (int) strcspn(line_b, "\n"), line_b);
}

/* From `before` to `after` it is as with `after` alone; whether that is not as with `before`. */
static bool compare(const char *path, const Settings *before, const Settings *after) {
        bool differs = false;

        for (size_t i = 0; i < ELEMENTSOF(scripts); i++) {
                CLEANUP(freep) char *old = play(scripts[i], before, before);
                CLEANUP(freep) char *new = play(scripts[i], after, after);
                CLEANUP(freep) char *changed = play(scripts[i], before, after);

                assert_same(changed, new, path, i);
                differs = differs || strcmp(old, new) != 0;
        }
        return differs;
}

static void compare_both_ways(const char *path, const Settings *a, const Settings *b) {
        bool differs = compare(path, a, b);

        (void) compare(path, b, a);
        if (!differs)
                ck_abort_msg(
                        "nothing that the scripts do depends on %s: its two values in matrix.c "
                        "or the scripts have to be others",
                        path);
}

static void teardown(void) {
        buffer_done(&trace.text);
}

/* A profile is nothing but other settings; the matrix is about it. */
START_TEST(what_is_applied_to_a_daemon_is_in_force) {
        const Setting *setting = &schema_daemon[_i];
        const MatrixRow *row = matrix_find(matrix_daemon, matrix_daemon_count, setting->path);

        ck_assert_ptr_nonnull(row);
        if (setting->effect == EFFECT_RESTART || strcmp(setting->path, "profile") == 0)
                return;
        compare_both_ways(row->path, &(Settings){ "", row->before }, &(Settings){ "", row->after });
}
END_TEST

/* Neither the groups of the socket nor the log are in the simulation. */
static bool is_simulated(const char *path) {
        return strcmp(path, "admin_group") != 0 && strcmp(path, "reader_group") != 0 &&
               strcmp(path, "log_priority") != 0;
}

/* Each phase goes to its deadline. */
#define SLOW                                                                                       \
        "freeze: { command = [ \"/hangs\" ]; }; "                                                  \
        "drain: { until = \"exit\"; signal = \"USR1\"; }; "                                        \
        "stop: { signals = \"TERM 1min, KILL\"; };"

START_TEST(what_is_applied_to_the_supervisor_is_in_force) {
        const Setting *setting = &schema_supervisor[_i];
        const MatrixRow *row =
                matrix_find(matrix_supervisor, matrix_supervisor_count, setting->path);

        ck_assert_ptr_nonnull(row);
        if (setting->effect == EFFECT_RESTART || !is_simulated(setting->path))
                return;
        compare_both_ways(row->path, &(Settings){ row->before, SLOW },
                          &(Settings){ row->after, SLOW });
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sim/inforce");
        TCase *tcase = tcase_create("inforce");

        tcase_add_checked_fixture(tcase, NULL, teardown);
        tcase_add_loop_test(tcase, what_is_applied_to_a_daemon_is_in_force, 0,
                            (int) schema_daemon_count);
        tcase_add_loop_test(tcase, what_is_applied_to_the_supervisor_is_in_force, 0,
                            (int) schema_supervisor_count);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
