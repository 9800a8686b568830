/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * config/budget: what nobody wrote is scaled until a stop fits into supervisor.grace, what somebody
 * wrote stays, and what cannot fit is refused with its sum.
 */

#include "config/budget.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "config/phase.h"
#include "configs.h"
#include "unit.h"

#define S(seconds) ((usec_t) (seconds) *USEC_PER_SEC)
#define MS(count)  ((usec_t) (count) *USEC_PER_MSEC)

static Diag *diag;
static Config *config;

static void setup(void) {
        ck_assert_int_eq(diag_new(&diag), 0);
        config = NULL;
}

static void teardown(void) {
        config = config_unref(config);
        diag = diag_free(diag);
}

static void resolve(const char *text) {
        teardown();
        setup();
        config = configs_resolve(text, diag);
}

/* The worst case of all phases, as it is now. */
static usec_t worst(void) {
        PhaseWindow *windows = calloc(config->daemon_count, sizeof(*windows));
        unsigned *order = calloc(config->daemon_count, sizeof(*order));
        usec_t sum = 0;

        ck_assert(windows && order);
        ck_assert_int_eq(graph_order(config->graph, order), 0);
        for (Phase phase = 0; phase < PHASE_MAX_; phase++)
                sum += phase_plan(&(PhasePlan){
                        .config = config,
                        .phase = phase,
                        .order = order,
                        .windows = windows,
                });
        free(windows);
        free(order);
        return sum;
}

static void assert_times(usec_t freeze, usec_t drain, usec_t cleanup, usec_t term) {
        ck_assert_uint_eq(diag_errors(diag), 0);
        ck_assert_uint_eq(config->supervisor.freeze_timeout, freeze);
        ck_assert_uint_eq(config->supervisor.drain_timeout, drain);
        ck_assert_uint_eq(config->supervisor.cleanup_timeout, cleanup);
        ck_assert_uint_eq(stop_schedule_total(&config->daemons[0].stop), term);
}

static void assert_one_finding(const char *begin, const char *part) {
        configs_expect_count(diag, 1);
        configs_expect(diag, 0, begin, part);
}

#define D(name, settings)     name ": { command = [ \"/bin/" name "\" ]; " settings " }; "
#define ONE(settings, daemon) "supervisor: { " settings " };\ndaemons: { " D("web", daemon) "};"

/* ---- the division ---- */

START_TEST(reserve_is_a_tenth_within_bounds) {
        static const struct {
                usec_t grace, reserve;
        } cases[] = {
                { S(2), S(1) },  { S(10), S(1) },     { MS(10009), S(1) }, { S(15), MS(1500) },
                { S(30), S(3) }, { S(30) + 9, S(3) }, { S(50), S(5) },     { S(600), S(5) },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                ck_assert_uint_eq(budget_reserve(cases[i].grace), cases[i].reserve);
                ck_assert_uint_eq(budget_phases(cases[i].grace), cases[i].grace - cases[i].reserve);
                ck_assert_uint_eq(budget_end(cases[i].grace), cases[i].grace - MS(500));
        }
}
END_TEST

START_TEST(without_grace_nothing_is_scaled) {
        resolve("daemons: { " D("web", "") "};");
        configs_expect_count(diag, 0);
        assert_times(S(5), S(20), S(10), S(5));
        ck_assert_uint_eq(config->supervisor.grace, USEC_INFINITY);
}
END_TEST

START_TEST(what_fits_is_not_scaled) {
        resolve(ONE("grace = \"39s\";", ""));
        configs_expect_count(diag, 0);
        assert_times(S(5), S(20), S(10), S(5));

        resolve(ONE("grace = \"38s\";", ""));
        configs_expect_count(diag, 0);
        assert_times(MS(4850), MS(19400), MS(9700), MS(4850)); /* 97% of 35 s in 34.2 s */
}
END_TEST

START_TEST(defaults_fit_what_containers_give) {
        resolve(ONE("grace = \"10s\";", ""));
        configs_expect_count(diag, 0);
        assert_times(MS(1250), S(5), MS(2500), MS(1250));

        resolve(ONE("grace = \"30s\";", ""));
        configs_expect_count(diag, 0);
        assert_times(MS(3850), MS(15400), MS(7700), MS(3850));
}
END_TEST

START_TEST(what_is_written_stays) {
        resolve(ONE("grace = \"20s\"; drain_timeout = \"12s\";", ""));
        configs_expect_count(diag, 0);
        assert_times(S(2), S(12), S(4), S(2)); /* 40% of 15 s in 6 s */

        resolve(ONE("grace = \"20s\"; freeze_timeout = 0; cleanup_timeout = \"3s\";",
                    "stop: { signals = \"TERM 4s, KILL\"; };"));
        configs_expect_count(diag, 0);
        assert_times(0, S(14), S(3), S(4)); /* cleanup lasts 4 s for it */

        resolve(ONE("grace = \"10s\";", "stop: { signals = \"TERM 5s, KILL\"; };"));
        configs_expect_count(diag, 0);
        assert_times(MS(800), MS(3200), MS(1600), S(5)); /* the default, but written */
}
END_TEST

START_TEST(own_times_replace_those_of_the_phase) {
        resolve(ONE(
                "grace = \"20s\";",
                "drain: { until = \"jobs\"; timeout = \"2s\"; }; cleanup: { timeout = \"4s\"; };"));
        configs_expect_count(diag, 0);
        assert_times(S(5), S(20), S(10), S(5)); /* nobody uses the phases' own */

        /* its schedule ends within its own time anyway: it need not be shortened */
        resolve(ONE("grace = \"10s\";", "cleanup: { timeout = \"4s\"; };"));
        configs_expect_count(diag, 0);
        assert_times(S(1), S(4), S(2), S(5));
        ck_assert_uint_eq(worst(), S(9));
}
END_TEST

START_TEST(a_last_step_without_a_time_lasts_as_long_as_the_phase) {
        resolve(ONE("grace = \"10s\";", "stop: { signals = \"TERM\"; };"));
        configs_expect_count(diag, 0);
        assert_times(MS(1250), S(5), MS(2500), USEC_INFINITY);
}
END_TEST

START_TEST(a_chain_counts_in_whole) {
        resolve("supervisor: { grace = \"30s\"; }; daemons: { "
                D("a", "requires = [ \"b\" ];") D("b", "requires = [ \"c\" ];")
                D("c", "after = [ \"d\" ];") D("d", "") "};");
        configs_expect_count(diag, 0);
        assert_times(MS(2250), S(9), MS(4500), MS(2250)); /* 45%: 5 + 20 + 35 s in 27 s */
        ck_assert_uint_eq(worst(), S(27));
}
END_TEST

START_TEST(a_shorter_phase_may_take_longer) {
        static const char text[] =
                "supervisor: { grace = \"%s\"; freeze_timeout = 0; cleanup_timeout = 0; };"
                "daemons: { "
                D("a", "requires = [ \"b\" ]; stop: { signals = \"KILL\"; };"
                       "drain: { until = \"jobs\"; timeout = \"8s\"; };")
                D("b", "stop: { signals = \"KILL\"; };") "};";
        char with[512];

        /* from 8 s on b need not wait for longer than the phase lasts */
        snprintf(with, sizeof(with), text, "12s");
        resolve(with);
        ck_assert_uint_eq(config->supervisor.drain_timeout, MS(10800));
        ck_assert_uint_eq(worst(), MS(10800));
        /* between 8 and 1 s it would take a's 8 s and the phase's time anew */
        snprintf(with, sizeof(with), text, "9400ms");
        resolve(with);
        ck_assert_uint_eq(config->supervisor.drain_timeout, MS(8400));
        ck_assert_uint_eq(worst(), MS(8400));
        snprintf(with, sizeof(with), text, "9001ms");
        resolve(with);
        ck_assert_uint_eq(config->supervisor.drain_timeout, S(8));
        snprintf(with, sizeof(with), text, "8900ms");
        resolve(with);
        ck_assert_uint_eq(diag_errors(diag), 1);
}
END_TEST

/* ---- what cannot fit ---- */

START_TEST(the_sum_is_spelled_out) {
        resolve(ONE("grace = \"30s\";", "drain: { until = \"jobs\"; timeout = \"45s\"; };"));
        assert_one_finding("test.conf:1: supervisor.grace: \"30s\" is not enough: ",
                           "freeze 50ms + drain 45s (web.drain.timeout) + cleanup 100ms"
                           " + reserve 3s = 48s 150ms, even with 1% of the times that nobody wrote;"
                           " shorten web.drain.timeout, or write grace = \"1min 5s\" or more");
        resolve(ONE("grace = \"1min 5s\";", "drain: { until = \"jobs\"; timeout = \"45s\"; };"));
        configs_expect_count(diag, 0);
        assert_times(S(5), S(20), S(10), S(5));
}
END_TEST

START_TEST(the_sum_names_the_supervisors_times) {
        resolve(ONE("freeze_timeout = \"5s\"; drain_timeout = \"10s\"; cleanup_timeout = \"10s\";\n"
                    " grace = \"20s\";",
                    "stop: { signals = \"TERM 5s, KILL\"; };"));
        assert_one_finding("test.conf:2: supervisor.grace: \"20s\" is not enough: ",
                           "freeze 5s (supervisor.freeze_timeout) + drain 10s "
                           "(supervisor.drain_timeout) + cleanup 10s (supervisor.cleanup_timeout)"
                           " + reserve 2s = 27s; shorten supervisor.drain_timeout, "
                           "or write grace = \"28s\" or more");
}
END_TEST

START_TEST(the_sum_names_the_wait_for_leftovers) {
        resolve(ONE("grace = \"20s\";",
                    "cleanup: { leftovers = \"wait\"; wait = \"30s\"; };"));
        assert_one_finding("test.conf:1: supervisor.grace: \"20s\" is not enough: ",
                           "cleanup 30s 50ms (web.stop.signals and cleanup.wait)"
                           " + reserve 2s = 32s 300ms, even with 1% of the times that nobody wrote;"
                           " shorten web.stop.signals and cleanup.wait, or write grace = ");
        resolve(ONE("grace = \"20s\";", "cleanup: { leftovers = \"wait\"; };"));
        configs_expect_count(diag, 0);
        ck_assert_uint_eq(config->daemons[0].cleanup.wait, MS(4500));
}
END_TEST

START_TEST(the_sum_names_the_way_through_a_chain) {
        resolve("supervisor: { grace = \"10s\"; }; daemons: { "
                D("a", "requires = [ \"b\" ]; stop: { signals = \"QUIT 20s, TERM 5s, KILL\"; };")
                D("b", "requires = [ \"c\" ]; cleanup: { timeout = \"40s\"; };") D("c", "") "};");
        assert_one_finding("test.conf:1: supervisor.grace: \"10s\" is not enough: ",
                           "cleanup 1min 5s 100ms (a.stop.signals 25s, then b.cleanup.timeout 40s, "
                           "then c anew 100ms) + reserve 1s = 1min 6s 350ms, even with 1% of the "
                           "times that nobody wrote; shorten b.cleanup.timeout, or write grace = ");
}
END_TEST

START_TEST(a_long_way_is_not_told_in_whole) {
        char text[16384];
        size_t used = (size_t) snprintf(text, sizeof(text),
                                        "supervisor: { grace = \"2s\"; };"
                                        "daemons: { " D("d0", ""));

        for (unsigned i = 1; i < 100; i++)
                used += (size_t) snprintf(
                        text + used, sizeof(text) - used,
                        "d%u: { command = [ \"/bin/d\" ]; after = [ \"d%u\" ]; };", i, i - 1);
        snprintf(text + used, sizeof(text) - used, "};");
        resolve(text);
        assert_one_finding("test.conf:1: supervisor.grace: \"2s\" is not enough: freeze 50ms"
                           " + drain 200ms + cleanup 9s 950ms (supervisor.cleanup_timeout 100ms,"
                           " then d98.stop.signals 50ms, then d97 anew 100ms, then 97 more)",
                           "; let fewer daemons wait for each other, or write grace = ");
}
END_TEST

START_TEST(a_grace_that_cannot_be_written_is_not_proposed) {
        CLEANUP(freep) char *text = NULL;

        resolve(ONE("grace = \"1d\";", "drain: { until = \"jobs\"; timeout = \"1d\"; };"));
        assert_one_finding("test.conf:1: supervisor.grace: \"1d\" is not enough: ",
                           "; shorten web.drain.timeout");
        text = finding_text(diag_get(diag, 0));
        ck_assert_ptr_null(strstr(text, "or write grace"));
}
END_TEST

START_TEST(poor_rests_are_warned_of) {
        resolve(ONE("grace = \"3s\";", ""));
        assert_one_finding("test.conf:1: supervisor.grace: warning: \"3s\" leaves 5% of the times",
                           "or grace = \"39s\" for all of them");
        assert_times(MS(250), S(1), MS(500), MS(250));
        resolve(ONE("grace = \"5s\";", ""));
        configs_expect_count(diag, 0);
}
END_TEST

START_TEST(bounds) {
        configs_expect_one(ONE("grace = \"1s\";", ""),
                           "test.conf:1: supervisor.grace: ", "write a duration from 2s to 1d");
        configs_expect_one(ONE("grace = \"infinity\";", ""),
                           "test.conf:1: supervisor.grace: ", "write a duration from 2s to 1d");
        configs_expect_one(ONE("grace = 10;", ""),
                           "test.conf:1: supervisor.grace: ", "a duration with its unit");
}
END_TEST

/* Another finding hides nothing, and a cycle has no worst case. */
START_TEST(with_other_findings) {
        resolve(ONE(
                "grace = \"10s\";",
                "drain: { until = \"jobs\"; timeout = \"45s\"; };\n requires = [ \"nobody\" ];"));
        configs_expect_count(diag, 2);
        configs_expect(diag, 0, "test.conf:1: supervisor.grace: ", "web.drain.timeout");

        resolve("supervisor: { grace = \"10s\"; };\n"
                "daemons: { " D("a", "after = [ \"b\" ];") D("b", "after = [ \"a\" ];") "};");
        configs_expect_count(diag, 1);
        configs_expect(diag, 0, "test.conf:2: ", "wait for each other");
}
END_TEST

/* ---- the dump ---- */

static char *dump(void) {
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        ck_assert_ptr_nonnull(stream);
        ck_assert_int_eq(config_dump(config, stream), 0);
        ck_assert_int_eq(fclose(stream), 0);
        return text;
}

static void assert_dump_reads_back(void) {
        CLEANUP(diag_freep) Diag *findings = NULL;
        CLEANUP(config_unrefp) Config *again = NULL;
        CLEANUP(freep) char *text = dump();

        ck_assert_int_eq(diag_new(&findings), 0);
        again = configs_resolve(text, findings);
        configs_expect_count(findings, 0);
        configs_expect_equal(config, again);
}

START_TEST(the_dump_shows_what_was_scaled) {
        CLEANUP(freep) char *text = NULL;

        resolve(ONE("grace = \"10s\"; drain_timeout = \"5s\";", ""));
        text = dump();
        ck_assert_ptr_nonnull(
                strstr(text, "freeze_timeout = \"1s 300ms\"; # default, scaled to 26% to fit "
                             "supervisor.grace\n"));
        ck_assert_ptr_nonnull(strstr(text, "drain_timeout = \"5s\"; # test.conf:1\n"));
        ck_assert_ptr_nonnull(
                strstr(text, "signals = \"TERM 1s 300ms, KILL\"; # default, scaled to 26% to fit "
                             "supervisor.grace\n"));
        ck_assert_ptr_nonnull(strstr(text, "grace = \"10s\"; # test.conf:1\n"));
        assert_dump_reads_back();

        resolve(ONE("grace = \"3s\";", "")); /* without a word about the poor rest */
        assert_dump_reads_back();
}
END_TEST

/* ---- any graph ---- */

static unsigned choice;

static unsigned choose(unsigned count) {
        choice = choice * 1103515245u + 12345u;
        return (choice >> 16) % count;
}

static const char *pick(const char *const *words, unsigned count) {
        return words[choose(count)];
}

#define PICK(...)                                                                                  \
        pick((const char *const[]){ __VA_ARGS__ },                                                 \
             sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

#define ANY_TEXT 8192

/*
 * A random configuration; with percent > 0 the same with what it leaves out written: so many
 * percent of the default.
 */
static void any_config(char text[static ANY_TEXT], unsigned seed, unsigned percent) {
        static const unsigned defaults[] = { 50, 200, 100 }; /* ms in a percent */
        FILE *stream = fmemopen(text, ANY_TEXT, "w");

        choice = seed;
        fprintf(stream, "supervisor: { grace = \"%s\"; ", PICK("5s", "10s", "30s", "60s", "2min"));
        for (Phase phase = 0; phase < PHASE_MAX_; phase++) {
                const char *time = PICK("", "", "", "0", "1s", "7s");

                if (*time)
                        fprintf(stream, "%s = \"%s\"; ", phase_setting(phase), time);
                else if (percent > 0)
                        fprintf(stream, "%s = \"%ums\"; ", phase_setting(phase),
                                defaults[phase] * percent);
        }
        fputs("};\ndaemons: {\n", stream);
        for (unsigned i = 0, count = 1 + choose(9); i < count; i++) {
                fprintf(stream, "d%u: { command = [ \"/bin/d\" ]; %s %s ", i,
                        PICK("", "", "freeze: { signal = \"HUP\"; timeout = \"3s\"; };"),
                        PICK("", "", "drain: { until = \"jobs\"; timeout = \"6s\"; };",
                             "drain: { until = \"jobs\"; timeout = 0; };"));
                if (i > 0 && choose(3) > 0)
                        fprintf(stream, "after = [ \"d%u\" ]; ", choose(i));
                if (i > 0 && choose(3) == 0)
                        fprintf(stream, "requires = [ \"d%u\" ]; ", choose(i));
                const char *cleanup = PICK("", "", "", "4s", "0");
                if (*cleanup)
                        fprintf(stream, "cleanup: { timeout = \"%s\"; }; ", cleanup);
                const char *signals = PICK("", "", "", "TERM", "KILL", "QUIT 2s, TERM 1s, KILL");
                if (*signals)
                        fprintf(stream, "stop: { signals = \"%s\"; }; ", signals);
                else if (percent > 0 && !*cleanup)
                        fprintf(stream, "stop: { signals = \"TERM %ums, KILL\"; }; ", 50 * percent);
                fputs("};\n", stream);
        }
        fputs("};\n", stream);
        ck_assert_int_eq(fclose(stream), 0);
}

START_TEST(the_best_of_all_percents_is_taken_in_any_graph) {
        CLEANUP(diag_freep) Diag *findings = NULL;
        CLEANUP(config_unrefp) Config *written = NULL;
        char text[ANY_TEXT];
        unsigned best = 0;

        /* the same written out: the first percent that is not refused */
        for (unsigned percent = 100; percent > 0 && best == 0; percent--) {
                written = config_unref(written);
                findings = diag_free(findings);
                ck_assert_int_eq(diag_new(&findings), 0);
                any_config(text, (unsigned) _i, percent);
                written = configs_resolve(text, findings);
                if (diag_errors(findings) == 0)
                        best = percent;
        }

        any_config(text, (unsigned) _i, 0);
        resolve(text);
        ck_assert_msg((best > 0) == (diag_errors(diag) == 0), "%s", text);
        if (best == 0) {
                assert_one_finding("test.conf:1: supervisor.grace: ", " is not enough: ");
                return;
        }
        configs_expect_equal(config, written);
        ck_assert_uint_le(worst(), budget_phases(config->supervisor.grace));
        assert_dump_reads_back();
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("config/budget");
        TCase *tcase = tcase_create("budget");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, reserve_is_a_tenth_within_bounds);
        tcase_add_test(tcase, without_grace_nothing_is_scaled);
        tcase_add_test(tcase, what_fits_is_not_scaled);
        tcase_add_test(tcase, defaults_fit_what_containers_give);
        tcase_add_test(tcase, what_is_written_stays);
        tcase_add_test(tcase, own_times_replace_those_of_the_phase);
        tcase_add_test(tcase, a_last_step_without_a_time_lasts_as_long_as_the_phase);
        tcase_add_test(tcase, a_chain_counts_in_whole);
        tcase_add_test(tcase, a_shorter_phase_may_take_longer);
        tcase_add_test(tcase, the_sum_is_spelled_out);
        tcase_add_test(tcase, the_sum_names_the_supervisors_times);
        tcase_add_test(tcase, the_sum_names_the_wait_for_leftovers);
        tcase_add_test(tcase, the_sum_names_the_way_through_a_chain);
        tcase_add_test(tcase, a_long_way_is_not_told_in_whole);
        tcase_add_test(tcase, a_grace_that_cannot_be_written_is_not_proposed);
        tcase_add_test(tcase, poor_rests_are_warned_of);
        tcase_add_test(tcase, bounds);
        tcase_add_test(tcase, with_other_findings);
        tcase_add_test(tcase, the_dump_shows_what_was_scaled);
        tcase_add_loop_test(tcase, the_best_of_all_percents_is_taken_in_any_graph, 1, 81);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
