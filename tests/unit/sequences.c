/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sequences.h"

#include <stdlib.h>

#include "config/load.h"
#include "unit.h"

Config *config;
Sequence *sequence;
DaemonState states[COUNT];
usec_t now;

void sequences_setup(void) {
        CLEANUP(diag_freep) Diag *diag = NULL;
        static const char text[] =
                "supervisor: { freeze_timeout = \"5s\"; drain_timeout = \"20s\";"
                " cleanup_timeout = \"10s\"; };\n"
                "daemons: {\n"
                " web: { command = [ \"/bin/true\" ]; requires = [ \"app\" ]; };\n"
                " app: { command = [ \"/bin/true\" ]; after = [ \"db\" ]; };\n"
                " db: { command = [ \"/bin/true\" ]; };\n"
                " lone: { command = [ \"/bin/true\" ]; };\n"
                "};\n";

        ck_assert_int_eq(diag_new(&diag), 0);
        ck_assert_int_eq(config_new(&config), 0);
        ck_assert_int_eq(config_read_text(text, "test", diag, config), 0);
        ck_assert_int_eq(config_resolve(config, diag), 0);
        ck_assert_uint_eq(diag_errors(diag), 0);
        ck_assert_int_eq(sequence_new(config, &sequence), 0);
        for (int i = 0; i < COUNT; i++)
                states[i] = STATE_RUNNING;
        now = S(1000);
}

void sequences_teardown(void) {
        sequence_free(sequence);
        config_unref(config);
}

void begin(Phase first) {
        bool in_set[COUNT] = { true, true, true, true };

        sequence_begin(sequence, (SequenceSpan) { first, PHASE_CLEANUP }, in_set, states, now);
}

void observe(unsigned node, DaemonState state) {
        states[node] = state;
        sequence_observe(sequence, node, state);
}

void expect(SequenceStep step) {
        SequenceOrder order;

        ck_assert_int_eq(sequence_next(sequence, now, &order), step);
}

void expect_phase(Phase phase, size_t total) {
        SequenceProgress progress;

        expect(SEQUENCE_PHASE_BEGUN);
        sequence_progress(sequence, &progress);
        ck_assert_int_eq(progress.phase, phase);
        ck_assert_uint_eq(progress.total, total);
}

void expect_orders(DaemonEvent event, unsigned mask) {
        SequenceOrder order;

        while (mask != 0) {
                ck_assert_int_eq(sequence_next(sequence, now, &order), SEQUENCE_ORDER);
                ck_assert_int_eq(order.event, event);
                ck_assert_uint_ne(mask & (1u << order.node), 0);
                mask &= ~(1u << order.node);
        }
}

void observe_all(DaemonState state) {
        for (unsigned i = 0; i < COUNT; i++)
                observe(i, state);
}

void pass_freeze(void) {
        expect_phase(PHASE_FREEZE, FRONT_COUNT);
        expect_orders(EVENT_FREEZE, FRONT);
        observe(WEB, STATE_FROZEN);
        observe(LONE, STATE_FROZEN);
        expect(SEQUENCE_PHASE_ENDED);
}
