/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is remembered and told of it; that each record is the truth is watched in every simulation
 * (watch_record.c).
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/strv.h"
#include "config/load.h"
#include "fake/script.h"
#include "sim/sim.h"
#include "unit.h"

/* Ready after 1 s, gone 1 s after SIGTERM; or never ready; or deaf. */
#define ONE(name, program, more)                                                                   \
        #name ": { command = [ \"" program "\" ]; type = \"notify\"; " more " };\n"
#define OLD(name, more)  ONE(name, "/old", more)
#define NEW(name, more)  ONE(name, "/new", more)
#define BAD(name, more)  ONE(name, "/bad", "restart: { policy = \"never\"; }; " more)
#define LOST(name, more) ONE(name, "/deaf", "stop: { signals = \"TERM 2s, KILL\"; }; " more)

static void begin(const char *config) {
        static const FakeAct ready[] = { NOTIFY(SEC, "READY=1\n"), { 0 } };
        static const FakeAct gone[] = { EXIT(SEC, 0), { 0 } };
        static const FakeAct fails[] = { EXIT(500 * MS, 3), { 0 } };
        static const FakeAct nothing[] = { { 0 } };
        static const FakeReaction reactions[] = { { SIGTERM, gone }, { SIGUSR2, nothing }, { 0 } };
        static const FakeReaction deaf[] = { { SIGTERM, nothing }, { 0 } };
        static const FakeProgram programs[] = {
                { .path = "/old", .acts = ready, .reactions = reactions },
                { .path = "/new", .acts = ready, .reactions = reactions },
                { .path = "/bad", .acts = fails },
                { .path = "/deaf", .acts = ready, .reactions = deaf },
        };

        for (size_t i = 0; i < ELEMENTSOF(programs); i++)
                world_add_program(&programs[i]);
        sim_begin(0, config);
}

static void run(void) {
        sim_start();
        sim_run_until(10 * SEC);
        ck_assert_int_eq(sim_mode(), MODE_RUNNING);
}

static void leave(void) {
        fake_signal(SIGTERM);
        sim_run_to_exit();
        ck_assert_int_eq(sim_code(), 0);
}

/* All there is of a kind, newest first. */
static char **list(RecordKind kind) {
        RecordQuery query = { .kind = kind, .limit = 99, .bytes = SIZE_MAX, .full = true };
        char **texts = NULL;

        ck_assert_int_eq(supervisor_list_records(sim_supervisor(), &query, &texts), 0);
        return texts;
}

/* The record at `index` has that part. */
static void expect(RecordKind kind, size_t index, const char *part) {
        CLEANUP(strv_freep) char **texts = list(kind);

        ck_assert_uint_gt(strv_length(texts), index);
        if (!strstr(texts[index], part))
                ck_abort_msg("\"%s\" is not in %s", part, texts[index]);
}

static void expect_count(RecordKind kind, size_t count) {
        CLEANUP(strv_freep) char **texts = list(kind);

        ck_assert_uint_eq(strv_length(texts), count);
}

#define SEQUENCE(index, part) expect(RECORD_KIND_SEQUENCE, (index), (part))
#define RELOAD(index, part)   expect(RECORD_KIND_RELOAD, (index), (part))

START_TEST(the_next_one_knows_of_the_last_one) {
        begin(OLD(a, "") LOST(deaf, ""));
        run();
        SEQUENCE(0, "\"what\":\"start of everything\"");
        SEQUENCE(0, "\"name\":\"a\",\"start\":{\"begin\":0,\"end\":1000000,\"outcome\":\"done\"}");
        expect_count(RECORD_KIND_SEQUENCE, 1);
        leave();

        sim_restart(OLD(a, "") LOST(deaf, ""));
        run();
        expect_count(RECORD_KIND_SEQUENCE, 3);
        SEQUENCE(0, "\"id\":3");
        SEQUENCE(1, "\"what\":\"stop of everything\"");
        SEQUENCE(1, "\"who\":\"SIGTERM from uid 0 (process 1)\"");
        SEQUENCE(1, "\"result\":\"done\"");
        SEQUENCE(1, "\"cleanup\":{\"begin\":0,\"end\":2000000,\"daemons\":2,\"forced\":1,"
                    "\"skipped\":0}");
        SEQUENCE(1, "\"forced\":[\"deaf\"]");
        SEQUENCE(1, "\"cleanup\":{\"begin\":0,\"end\":1000000,\"outcome\":\"done\"}");
        SEQUENCE(1, "\"signals\":[{\"at\":0,\"signal\":\"TERM\",\"to\":\"main\"},"
                    "{\"at\":2000000,\"signal\":\"KILL\",\"to\":\"all\"}]");
        leave();
        sim_end();
}
END_TEST

START_TEST(a_request_says_whose_it_was) {
        begin(OLD(a, "") OLD(b, "requires = [ \"a\" ];") BAD(bad, ""));
        run();
        ck_assert_int_eq(sim_ask(REQUEST_RESTART, "a"), 0);
        ck_assert_int_eq(sim_ask(REQUEST_START, "bad"), 0);
        sim_run_for(20 * SEC);
        expect_count(RECORD_KIND_SEQUENCE, 3);
        SEQUENCE(0, "\"what\":\"restart of a\"");
        SEQUENCE(0, "\"name\":\"b\"");
        SEQUENCE(1, "\"what\":\"start of bad\"");
        SEQUENCE(1, "\"outcome\":\"failed\"},\"reason\":\"main process exited with status 3");
        leave();
        sim_end();
}
END_TEST

#define LONG_DRAIN "freeze: { signal = \"USR2\"; }; drain: { until = \"exit\"; };"

START_TEST(what_a_stop_breaks_off_is_canceled) {
        begin(OLD(a, "") OLD(b, LONG_DRAIN));
        run();
        sim_set_config(NEW(a, "") OLD(b, LONG_DRAIN));
        sim_reload();
        sim_run_for(1500 * MS); /* a is being started */
        fake_signal(SIGTERM);
        sim_run_for(500 * MS);
        fake_signal(SIGQUIT);
        sim_run_to_exit();
        sim_restart(OLD(a, ""));
        run();
        SEQUENCE(1, "\"result\":\"hurried\"");
        SEQUENCE(1, "\"hurried\":{\"at\":500000,\"who\":\"SIGQUIT from uid 0 (process 1)\"}");
        SEQUENCE(2, "\"result\":\"canceled\"");
        SEQUENCE(2, "\"start\":{\"begin\":0,\"end\":500000,\"outcome\":\"canceled\"}");
        RELOAD(0, "\"verdict\":\"canceled\"");
        RELOAD(0, "{\"name\":\"start\",\"begin\":1000000,\"end\":1500000,"
                  "\"outcome\":\"canceled\"}");
        RELOAD(0, "\"plan\":[{\"name\":\"a\",\"action\":\"restart\"");
        leave();
        sim_end();
}
END_TEST

START_TEST(records_that_cannot_be_written_are_kept_for_a_while) {
        begin(OLD(a, ""));
        run();
        fake_fail(DOOR_STATE_RECORD, ENOSPC, 1, 2);
        for (int i = 0; i < 3; i++) {
                ck_assert_int_eq(sim_ask(REQUEST_RESTART, "a"), 0);
                sim_run_for(10 * SEC);
        }
        ck_assert_uint_eq(sim_said(MESSAGE_STATE_LOST, NULL), 1);
        expect_count(RECORD_KIND_SEQUENCE, 4);
        leave();
        sim_restart(OLD(a, ""));
        run();
        expect_count(RECORD_KIND_SEQUENCE, 4); /* with this start and that stop */
        SEQUENCE(0, "\"id\":6");
        leave();
        sim_end();
}
END_TEST

/* ---- the journal ---- */

static void expect_field(const char *field) {
        if (!strstr(sim_verdict_fields(), field))
                ck_abort_msg("\"%s\" is not among\n%s", field, sim_verdict_fields());
}

/* Digest and time of both, who asked, and each step. */
START_TEST(a_verdict_has_its_fields) {
        char digest[CONFIG_DIGEST_MAX], field[128];

        begin(OLD(a, ""));
        run();
        const Config *config = sim_supervisor()->generation->config;
        config_digest(config, digest);
        sim_set_config(BAD(a, ""));
        sim_reload();
        sim_run_for(20 * SEC);
        expect_field("SUPERVISOR_VERDICT=rolled-back\n");
        expect_field("SUPERVISOR_REQUESTER=the simulation\n");
        snprintf(field, sizeof(field), "SUPERVISOR_DIGEST_BEFORE=%s\n", digest);
        expect_field(field);
        expect_field("SUPERVISOR_DIGEST_AFTER=");
        snprintf(field, sizeof(field), "SUPERVISOR_LOADED_BEFORE=%llu\n",
                 (unsigned long long) config->loaded);
        expect_field(field);
        snprintf(field, sizeof(field), "SUPERVISOR_LOADED_AFTER=%llu\n",
                 (unsigned long long) (config->loaded + 10 * SEC));
        expect_field(field);
        expect_field("SUPERVISOR_STEP=check: done after 0.00 s\n");
        expect_field("SUPERVISOR_STEP=stop: done after 1.00 s, sequence 2\n");
        expect_field("SUPERVISOR_STEP=start: failed after 0.50 s, sequence 3\n");
        expect_field("SUPERVISOR_STEP=undo-stop: done after 0.00 s, sequence 4\n");
        expect_field("SUPERVISOR_STEP=undo-start: done after 1.00 s, sequence 5\n");

        sim_set_reload(CONFIG_E_INVALID);
        fake_signal(SIGHUP);
        sim_run_for(SEC);
        expect_field("SUPERVISOR_REQUESTER=SIGHUP from uid 0 (process 1)\n");
        expect_field(digest);
        expect_field("SUPERVISOR_DIGEST_AFTER=\n");
        expect_field("SUPERVISOR_LOADED_AFTER=0\n");
        expect_field("SUPERVISOR_STEP=check: failed after 0.00 s\n");
        RELOAD(0, "\"verdict\":\"refused\"");
        RELOAD(1, "\"verdict\":\"rolled-back\"");
        leave();
        sim_end();
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sim_record");
        TCase *records = tcase_create("records");

        tcase_add_test(records, the_next_one_knows_of_the_last_one);
        tcase_add_test(records, a_request_says_whose_it_was);
        tcase_add_test(records, what_a_stop_breaks_off_is_canceled);
        tcase_add_test(records, records_that_cannot_be_written_are_kept_for_a_while);
        tcase_add_test(records, a_verdict_has_its_fields);
        suite_add_tcase(suite, records);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
