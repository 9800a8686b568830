/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sim/own.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "unit.h"

static const FakeAct nothing[] = { { 0 } };
static const FakeAct dies[] = { EXIT(100 * MS, 3), { 0 } };
static const FakeAct good[] = { EXIT(SEC, 0), { 0 } };
static const FakeAct bad[] = { SAY(0, "the first line\n\nline 2 is wr"),
                               SAY(100 * MS, "ong\n\033[31mred\n"), EXIT(SEC, 4), { 0 } };
static const FakeAct forks[] = { FORK_SESSION(0, "/t/stays"), EXIT(SEC, 0), { 0 } };

const FakeAct own_gone[] = { EXIT(SEC, 0), { 0 } };
const FakeReaction own_reactions[] = { { SIGHUP, nothing }, { SIGTERM, own_gone }, { 0 } };
const FakeReaction own_mortal[] = { { SIGHUP, dies }, { SIGTERM, own_gone }, { 0 } };

static const FakeProgram programs[] = {
        { .path = "/d", .reactions = own_reactions },
        { .path = "/t/good", .acts = good },
        { .path = "/t/bad", .acts = bad },
        { .path = "/t/hangs" },
        { .path = "/t/forks", .acts = forks },
        { .path = "/t/stays", .reactions = own_reactions },
        { .path = "/t/unable", .failing_step = SPAWN_STEP_EXEC, .error = EACCES },
};

void own_begin(const char *config) {
        for (size_t i = 0; i < ELEMENTSOF(programs); i++)
                world_add_program(&programs[i]);
        sim_begin(0, config);
        world_write(FILE_A, "one");
        sim_start();
        sim_run_until(10 * SEC);
        ck_assert_int_eq(sim_mode(), MODE_RUNNING);
}

void own_end(void) {
        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_int_eq(sim_code(), 0);
        ck_assert_uint_eq(world_population(NULL), 0);
        sim_end();
}

static void assert_last(unsigned count, ReloadVerdict verdict) {
        if (sim_verdicts() != count || sim_verdict() != verdict)
                ck_abort_msg("%u verdicts, the last one %s: %s", sim_verdicts(),
                             reload_verdict_name(sim_verdict()), sim_verdict_text());
}

void own_reload(ReloadVerdict verdict) {
        unsigned before = sim_verdicts();

        sim_reload();
        sim_run_for(20 * SEC);
        assert_last(before + 1, verdict);
        ck_assert_int_eq(sim_mode(), MODE_RUNNING);
        ck_assert_uint_eq(fake_timer_count(sim_loop()), 0);
}

void own_assert_verdict(ReloadVerdict verdict, const char *text) {
        assert_last(1, verdict);
        own_assert_says(text);
}

void own_assert_says(const char *part) {
        if (!strstr(sim_verdict_text(), part))
                ck_abort_msg("\"%s\" does not say \"%s\"", sim_verdict_text(), part);
}

unsigned own_told(const char *name) {
        return sim_said(MESSAGE_DAEMON_RELOADED, name);
}
