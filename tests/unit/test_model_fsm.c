/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of daemon states, walked cell by cell, and its print in doc/STATES.md. To write that
 * file anew: tests/unit/test_model_fsm --print >doc/STATES.md
 */

#include "model/fsm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "unit.h"

static void print_actions(FILE *stream, uint32_t actions) {
        for (unsigned bit = 0; (1u << bit) < ACTION_MAX_; bit++)
                if (actions & (1u << bit))
                        fprintf(stream, " %s", daemon_action_name((DaemonAction) (1u << bit)));
}

static void print_state(FILE *stream, DaemonState state) {
        fprintf(stream, "\n## %s\n\n| event | becomes | actions |\n|---|---|---|\n",
                daemon_state_name(state));

        for (DaemonEvent event = 0; event < EVENT_MAX_; event++) {
                FsmCell cell = fsm_step(state, event);

                if (cell.kind == FSM_BUG)
                        continue;
                fprintf(stream, "| %s | %s |", daemon_event_name(event),
                        cell.kind == FSM_GO     ? daemon_state_name(cell.next)
                        : cell.kind == FSM_STAY ? "(stays)"
                                                : "(ignored)");
                print_actions(stream, cell.actions);
                fputs(" |\n", stream);
        }
}

static void print_table(FILE *stream) {
        fputs("# States of a daemon\n\n"
              "Printed from the table in `supervisord/model/fsm.c` by `test_model_fsm --print`; a "
              "test\ncompares the two. An event that a state does not list cannot come there: it "
              "would be\nlogged as a bug and change nothing.\n",
              stream);
        for (DaemonState state = 0; state < STATE_MAX_; state++)
                print_state(stream, state);
}

START_TEST(states_document_is_current) {
        CLEANUP(freep) char *printed = NULL;
        char kept[65536];
        size_t size;

        FILE *stream = open_memstream(&printed, &size);
        ck_assert_ptr_nonnull(stream);
        print_table(stream);
        fclose(stream);

        FILE *file = fopen(SOURCE_DIRECTORY "/doc/STATES.md", "re");
        ck_assert_ptr_nonnull(file);
        size_t length = fread(kept, 1, sizeof(kept) - 1, file);
        fclose(file);
        kept[length] = '\0';
        ck_assert_str_eq(printed, kept);
}
END_TEST

START_TEST(every_cell_is_well_formed) {
        DaemonState state = (DaemonState) _i;

        for (DaemonEvent event = 0; event < EVENT_MAX_; event++) {
                FsmCell cell = fsm_step(state, event);

                ck_assert_uint_lt(cell.actions, ACTION_MAX_);
                ck_assert_int_lt(cell.next, STATE_MAX_);
                if (cell.kind == FSM_GO)
                        ck_assert_int_ne(cell.next, state);
                else
                        ck_assert_int_eq(cell.next, state);
                if (cell.kind == FSM_STAY)
                        ck_assert_uint_ne(cell.actions, ACTION_NONE);
                if (cell.kind == FSM_BUG || cell.kind == FSM_IGNORE)
                        ck_assert_uint_eq(cell.actions, ACTION_NONE);
        }
}
END_TEST

START_TEST(names_are_distinct) {
        for (int a = 0; a < STATE_MAX_; a++)
                for (int b = 0; b < a; b++)
                        ck_assert_str_ne(daemon_state_name(a), daemon_state_name(b));
        for (int a = 0; a < EVENT_MAX_; a++)
                for (int b = 0; b < a; b++)
                        ck_assert_str_ne(daemon_event_name(a), daemon_event_name(b));
        ck_assert_str_eq(daemon_action_name(ACTION_NONE), "NONE");
        ck_assert_str_eq(daemon_action_name(ACTION_NOTE_END), "NOTE_END");
}
END_TEST

static void mark_reachable(DaemonState from, bool reached[static STATE_MAX_]) {
        if (reached[from])
                return;
        reached[from] = true;
        for (DaemonEvent event = 0; event < EVENT_MAX_; event++)
                mark_reachable(fsm_step(from, event).next, reached);
}

START_TEST(every_state_is_reachable_and_reaches_rest) {
        bool from_stopped[STATE_MAX_] = { false };
        bool reached[STATE_MAX_] = { false };

        mark_reachable(STATE_STOPPED, from_stopped);
        ck_assert(from_stopped[_i]);
        mark_reachable((DaemonState) _i, reached);
        ck_assert(reached[STATE_STOPPED]);
}
END_TEST

/* Orders come from outside at any time, so no state may find a stop impossible. */
START_TEST(cleanup_is_taken_everywhere) {
        DaemonState state = (DaemonState) _i;
        FsmCell cell = fsm_step(state, EVENT_CLEANUP);

        ck_assert_int_ne(cell.kind, FSM_BUG);
        if (daemon_state_is_up(state))
                ck_assert_int_eq(cell.next, STATE_STOPPING);
}
END_TEST

/* The way down: whatever it is in, killing it and an empty tree bring it to rest. */
START_TEST(a_stop_always_ends) {
        DaemonState state = (DaemonState) _i;
        unsigned steps = 0;

        state = fsm_step(state, EVENT_CLEANUP).next;
        while (!daemon_state_is_resting(state)) {
                DaemonEvent event = state == STATE_TIDYING ? EVENT_TIDIED_REST : EVENT_TREE_EMPTY;
                FsmCell cell = fsm_step(state, event);

                ck_assert_int_eq(cell.kind, FSM_GO);
                state = cell.next;
                ck_assert_uint_lt(++steps, STATE_MAX_);
        }
}
END_TEST

START_TEST(an_end_is_heard_wherever_something_lives) {
        DaemonState state = (DaemonState) _i;
        bool awaited = daemon_state_is_live(state) && state != STATE_STARTING &&
                       state != STATE_PROBING && state != STATE_RUNNING;

        /* the tree is watched in exactly those states */
        ck_assert_int_eq(fsm_step(state, EVENT_TREE_EMPTY).kind == FSM_GO, awaited);
        if (daemon_state_is_live(state) && state != STATE_STARTING)
                ck_assert_int_ne(fsm_step(state, EVENT_MAIN_EXITED).kind, FSM_BUG);
        else
                ck_assert_int_eq(fsm_step(state, EVENT_MAIN_EXITED).kind, FSM_BUG);
}
END_TEST

/* Whoever may be ordered into a phase can be cut short in it. */
START_TEST(deadlines_end_their_phase) {
        ck_assert(daemon_state_is_frozen(fsm_step(STATE_FREEZING, EVENT_FREEZE_DEADLINE).next));
        ck_assert(daemon_state_is_drained(fsm_step(STATE_DRAINING, EVENT_DRAIN_DEADLINE).next));
        ck_assert_int_eq(fsm_step(STATE_STOPPING, EVENT_CLEANUP_DEADLINE).next, STATE_KILLING);
        ck_assert(fsm_step(STATE_STOPPING, EVENT_CLEANUP_DEADLINE).actions & ACTION_NOTE_FORCED);
        ck_assert(fsm_step(STATE_DRAINING, EVENT_DRAIN_DEADLINE).actions & ACTION_NOTE_FORCED);
        ck_assert(daemon_state_is_resting(fsm_step(STATE_TIDYING, EVENT_CLEANUP_DEADLINE).next));
}
END_TEST

/* The sequence waits for these sets: they must grow from phase to phase. */
START_TEST(sets_of_states_are_nested) {
        DaemonState state = (DaemonState) _i;

        if (daemon_state_is_resting(state))
                ck_assert(daemon_state_is_drained(state));
        if (daemon_state_is_drained(state))
                ck_assert(daemon_state_is_frozen(state));
        if (daemon_state_is_up(state) && state != STATE_DONE)
                ck_assert(daemon_state_is_live(state) && !daemon_state_is_frozen(state));
        if (daemon_state_is_ready(state))
                ck_assert(daemon_state_is_up(state) && daemon_state_is_settled(state));
        if (state == STATE_DELAYED)
                ck_assert(!daemon_state_is_frozen(state) && daemon_state_is_settled(state));
        if (state == STATE_CLEARED)
                ck_assert(!daemon_state_is_frozen(state) && !daemon_state_is_settled(state));
}
END_TEST

/* Orders for a phase lead there in no more than the daemon's own answer. */
START_TEST(an_order_is_answered) {
        DaemonState state = (DaemonState) _i;

        if (daemon_state_is_frozen(state))
                return;
        DaemonState next = fsm_step(state, EVENT_FREEZE).next;
        ck_assert(next == STATE_FREEZING || daemon_state_is_frozen(next));
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("model/fsm");
        TCase *tcase = tcase_create("table");

        tcase_add_test(tcase, states_document_is_current);
        tcase_add_test(tcase, names_are_distinct);
        tcase_add_test(tcase, deadlines_end_their_phase);
        tcase_add_loop_test(tcase, every_cell_is_well_formed, 0, STATE_MAX_);
        tcase_add_loop_test(tcase, every_state_is_reachable_and_reaches_rest, 0, STATE_MAX_);
        tcase_add_loop_test(tcase, cleanup_is_taken_everywhere, 0, STATE_MAX_);
        tcase_add_loop_test(tcase, a_stop_always_ends, 0, STATE_MAX_);
        tcase_add_loop_test(tcase, an_end_is_heard_wherever_something_lives, 0, STATE_MAX_);
        tcase_add_loop_test(tcase, sets_of_states_are_nested, 0, STATE_MAX_);
        tcase_add_loop_test(tcase, an_order_is_answered, 0, STATE_MAX_);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(int argc, char *argv[]) {
        if (argc > 1 && strcmp(argv[1], "--print") == 0) {
                print_table(stdout);
                return EXIT_SUCCESS;
        }
        return unit_main(make_suite());
}
