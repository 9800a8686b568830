/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * config/phase: the window of one daemon, and the windows of many that wait for each other.
 */

#include "config/phase.h"

#include <stdlib.h>
#include <string.h>

#include "configs.h"
#include "unit.h"

#define S(seconds) ((usec_t) (seconds) *USEC_PER_SEC)

/* ---- one daemon ---- */

START_TEST(window_of_the_phase_alone) {
        PhaseWindow window = phase_window((PhaseTimes){ S(20), USEC_INFINITY, 0 }, 0);

        ck_assert_uint_eq(window.latest, S(20));
        ck_assert_uint_eq(phase_window_deadline(&window, S(100), S(100)), S(120));
        ck_assert_uint_eq(phase_window_deadline(&window, S(100), S(119)), S(120));
}
END_TEST

START_TEST(window_with_a_time_of_its_own) {
        PhaseWindow shorter = phase_window((PhaseTimes){ S(20), S(2), 0 }, 0);
        PhaseWindow longer = phase_window((PhaseTimes){ S(20), S(45), S(60) }, S(10));

        ck_assert_uint_eq(phase_window_deadline(&shorter, S(100), S(105)), S(107));
        ck_assert_uint_eq(phase_window_deadline(&longer, S(100), S(105)), S(150));
        ck_assert_uint_eq(longer.latest, S(55));
}
END_TEST

START_TEST(window_after_one_that_moved_the_end) {
        PhaseWindow in_time = phase_window((PhaseTimes){ S(20), USEC_INFINITY, 0 }, S(20));
        PhaseWindow moved = phase_window((PhaseTimes){ S(20), USEC_INFINITY, 0 }, S(45));

        ck_assert_uint_eq(in_time.latest, S(20));
        ck_assert_uint_eq(moved.latest, S(65));
        ck_assert_uint_eq(phase_window_deadline(&moved, S(100), S(140)), S(160));
        ck_assert_uint_eq(phase_window_deadline(&moved, S(100), S(101)), S(121));
}
END_TEST

START_TEST(window_with_a_least_time) {
        PhaseWindow window = phase_window((PhaseTimes){ S(10), USEC_INFINITY, S(25) }, 0);

        ck_assert_uint_eq(window.latest, S(25));
        ck_assert_uint_eq(phase_window_deadline(&window, S(100), S(100)), S(125));
}
END_TEST

START_TEST(windows_do_not_wrap) {
        PhaseWindow window = phase_window((PhaseTimes){ S(10), USEC_INFINITY - 1, 0 }, S(10));

        ck_assert_uint_eq(window.latest, USEC_INFINITY);
        ck_assert_uint_eq(phase_window_deadline(&window, S(100), S(100)), USEC_INFINITY);
}
END_TEST

/* ---- many ---- */

#define PLAN_MAX 8

/* The worst case of a phase over the daemons of a configuration; NULL: all of them count. */
static usec_t plan(const char *text, Phase phase, const bool *counts, PhaseWindow *windows) {
        CLEANUP(diag_freep) Diag *diag = NULL;
        CLEANUP(config_unrefp) Config *config = NULL;
        unsigned order[PLAN_MAX];

        ck_assert_int_eq(diag_new(&diag), 0);
        config = configs_resolve(text, diag);
        ck_assert_uint_eq(diag_errors(diag), 0);
        ck_assert_uint_le(config->daemon_count, PLAN_MAX);
        ck_assert_int_eq(graph_order(config->graph, order), 0);
        return phase_plan(&(PhasePlan){
                .config = config,
                .phase = phase,
                .order = order,
                .counts = counts,
                .windows = windows,
        });
}

#define D(name, settings) name ": { command = [ \"/bin/" name "\" ]; " settings " }; "

START_TEST(plan_of_a_chain) {
        static const char text[] = "daemons: { " D("a", "after = [ \"b\" ];")
                D("b", "after = [ \"c\" ];") D("c", "after = [ \"d\" ];") D("d", "") "};";
        PhaseWindow windows[PLAN_MAX];

        ck_assert_uint_eq(plan(text, PHASE_FREEZE, NULL, windows), S(5));
        ck_assert_uint_eq(plan(text, PHASE_DRAIN, NULL, windows), S(20));
        for (size_t i = 0; i < 4; i++)
                ck_assert_uint_eq(windows[i].latest, S(20));

        /* each has its stop schedule, and what waits for longer than the phase has all of it */
        ck_assert_uint_eq(plan(text, PHASE_CLEANUP, NULL, windows), S(35));
        ck_assert_uint_eq(windows[0].latest, S(10));
        ck_assert_uint_eq(windows[1].latest, S(15));
        ck_assert_uint_eq(windows[2].latest, S(25));
        ck_assert_uint_eq(windows[3].latest, S(35));
}
END_TEST

START_TEST(plan_of_a_diamond) {
        static const char text[] = "daemons: { "
                D("top", "after = [ \"left\", \"right\" ];")
                D("left", "after = [ \"base\" ]; drain: { timeout = \"45s\"; };")
                D("right", "after = [ \"base\" ]; drain: { timeout = \"3s\"; };")
                D("base", "") "};";
        PhaseWindow windows[PLAN_MAX];

        /* top 20, then left 45, then base afresh */
        ck_assert_uint_eq(plan(text, PHASE_DRAIN, NULL, windows), S(85));
        ck_assert_uint_eq(windows[1].latest, S(65));
        ck_assert_uint_eq(windows[2].latest, S(23));
        ck_assert_uint_eq(windows[3].latest, S(85));
}
END_TEST

START_TEST(plan_without_those_that_do_not_count) {
        static const char text[] = "daemons: { "
                D("a", "after = [ \"b\" ]; drain: { timeout = \"60s\"; };") D("b", "") "};";
        PhaseWindow windows[PLAN_MAX] = { 0 };

        ck_assert_uint_eq(plan(text, PHASE_DRAIN, NULL, windows), S(80));
        ck_assert_uint_eq(plan(text, PHASE_DRAIN, (bool[]){ false, true }, windows), S(20));
        ck_assert_uint_eq(plan(text, PHASE_DRAIN, (bool[]){ true, false }, windows), S(60));
        ck_assert_uint_eq(plan(text, PHASE_DRAIN, (bool[]){ false, false }, windows), 0);
}
END_TEST

START_TEST(plan_of_freeze_waits_for_nobody) {
        static const char text[] = "daemons: { "
                D("a", "after = [ \"b\" ]; freeze: { timeout = \"7s\"; signal = \"HUP\"; };")
                D("b", "freeze: { timeout = \"9s\"; signal = \"HUP\"; };") "};";
        PhaseWindow windows[PLAN_MAX];

        ck_assert_uint_eq(plan(text, PHASE_FREEZE, NULL, windows), S(9));
        ck_assert_uint_eq(windows[0].latest, S(7));
}
END_TEST

START_TEST(plan_of_odd_times) {
        static const char zero[] =
                "supervisor: { drain_timeout = 0; cleanup_timeout = 0; };"
                "daemons: { " D("a", "after = [ \"b\" ]; stop: { signals = \"KILL\"; };")
                D("b", "stop: { signals = \"TERM\"; };") "};";
        static const char endless[] =
                "daemons: { " D("a", "after = [ \"b\" ]; stop: { signals = \"TERM\"; };")
                D("b", "cleanup: { timeout = 0; };") "};";
        PhaseWindow windows[PLAN_MAX];

        ck_assert_uint_eq(plan(zero, PHASE_DRAIN, NULL, windows), 0);
        ck_assert_uint_eq(plan(zero, PHASE_CLEANUP, NULL, windows), 0);
        /* a last step without a time lasts as long as the phase */
        ck_assert_uint_eq(plan(endless, PHASE_CLEANUP, NULL, windows), S(10));
        ck_assert_uint_eq(windows[1].from_order, 0);
}
END_TEST

/* What is left alone for a while is ended by the whole schedule after that. */
START_TEST(plan_with_a_wait_for_leftovers) {
        static const char text[] =
                "daemons: { " D("a", "cleanup: { leftovers = \"wait\"; wait = \"30s\"; };")
                D("b", "cleanup: { leftovers = \"spare\"; };") "};";
        PhaseWindow windows[PLAN_MAX];

        ck_assert_uint_eq(plan(text, PHASE_CLEANUP, NULL, windows), S(35));
        ck_assert_uint_eq(windows[1].latest, S(10));
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("config/phase");
        TCase *tcase = tcase_create("phase");

        tcase_add_test(tcase, window_of_the_phase_alone);
        tcase_add_test(tcase, window_with_a_time_of_its_own);
        tcase_add_test(tcase, window_after_one_that_moved_the_end);
        tcase_add_test(tcase, window_with_a_least_time);
        tcase_add_test(tcase, windows_do_not_wrap);
        tcase_add_test(tcase, plan_of_a_chain);
        tcase_add_test(tcase, plan_of_a_diamond);
        tcase_add_test(tcase, plan_without_those_that_do_not_count);
        tcase_add_test(tcase, plan_of_freeze_waits_for_nobody);
        tcase_add_test(tcase, plan_of_odd_times);
        tcase_add_test(tcase, plan_with_a_wait_for_leftovers);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
