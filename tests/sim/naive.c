/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sim/naive.h"

void naive_program(void) {
        static const FakeAct listens[] = { LISTEN(10 * MS, 80), { 0 } };
        static const FakeProgram program = { .path = "/d", .acts = listens };

        world_add_program(&program);
}

void naive_run(const char *supervisor, const char *settings) {
        one_begin_with(supervisor, settings);
        sim_start();
        sim_run_until(STOP);
        ck_assert_int_eq(sim_state("d"), STATE_RUNNING);
}

void naive_clients(unsigned count, usec_t work) {
        FakeLife life = { .work = work, .requests = 1 };

        for (unsigned i = 0; i < count; i++)
                world_connect(80, NULL, &life);
}

void naive_expect(unsigned answered, unsigned cut) {
        FakeTally tally = world_tally(NULL);

        ck_assert_uint_eq(tally.answered, answered);
        ck_assert_uint_eq(tally.cut, cut);
}
