/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records as JSON: what stands in them, and what is taken back. */

#include "service/record_text.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "configs.h"
#include "unit.h"

#define MS(number) ((usec_t) (number) *USEC_PER_MSEC)

enum { WEB, DB, COUNT };

static Config *config;
static Record *record;
static json_t *read_back;
static const bool all[COUNT] = { true, true };
static const DaemonState running[COUNT] = { STATE_RUNNING, STATE_RUNNING };

static void setup(void) {
        CLEANUP(diag_freep) Diag *diag = NULL;

        ck_assert_int_eq(diag_new(&diag), 0);
        config = configs_resolve("daemons: {\n"
                                 " web: { command = [ \"/bin/true\" ]; requires = [ \"db\" ]; };\n"
                                 " db: { command = [ \"/bin/true\" ]; };\n"
                                 "};\n",
                                 diag);
        record = NULL;
        read_back = NULL;
}

static void teardown(void) {
        json_decref(read_back);
        record_free(record);
        config_unref(config);
}

/* What a path of members and indexes leads to: "daemons 0 start begin". */
static json_t *at(const char *path) {
        json_t *value = read_back;
        char copy[128], *rest = copy;
        const char *word;

        ck_assert_uint_lt(strlen(path), sizeof(copy));
        strcpy(copy, path);
        while ((word = strsep(&rest, " ")))
                value = json_is_array(value) ? json_array_get(value, (size_t) atoi(word))
                                             : json_object_get(value, word);
        return value;
}

static void expect_text(const char *path, const char *text) {
        const char *found = json_string_value(at(path));

        ck_assert_msg(found && strcmp(found, text) == 0, "%s is \"%s\", not \"%s\"", path,
                      found ? found : "nothing", text);
}

static void expect_number(const char *path, uint64_t number) {
        ck_assert_msg(json_is_integer(at(path)) &&
                              (uint64_t) json_integer_value(at(path)) == number,
                      "%s is not %llu", path, (unsigned long long) number);
}

static void expect_nothing(const char *path) {
        ck_assert_msg(!at(path), "%s is there", path);
}

/* Of the text that was made; it is one line of plain ASCII. */
static void read_text(char *text_consume) {
        CLEANUP(freep) char *text = text_consume;

        ck_assert_ptr_nonnull(text);
        for (const char *byte = text; *byte; byte++)
                ck_assert_msg(*byte >= ' ' && *byte < 127, "byte %d", *byte);
        read_back = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        ck_assert_ptr_nonnull(read_back);
}

/* NULL: a stop of all. */
static void begin(const RecordSets *sets) {
        ck_assert_int_eq(record_new(config, "restart of web", sets, &record), 0);
        record_begin(record, "uid 0 (process 7)",
                     (RecordMoment){ .monotonic = MS(1000), .realtime = MS(5000000) });
        record->id = 42;
}

static void end(RecordResult result, usec_t when) {
        record_end(record, result,
                   (RecordMoment){ .monotonic = when, .realtime = MS(5000000) + when - MS(1000) });
}

START_TEST(a_sequence_tells_everything) {
        SequenceProgress progress = { .phase = PHASE_DRAIN, .begun = MS(1001), .total = 2 };
        RecordSignal signals[] = {
                { .when = MS(1002), .signo = SIGTERM },
                { .when = MS(1004), .signo = SIGKILL, .to_all = true },
        };
        static const bool set[COUNT] = { true, true };

        begin(&(RecordSets){ set, set, set });
        record_phase_begun(record, &progress, all, running);
        record_ordered(record, (SequenceOrder){ WEB, EVENT_DRAIN }, MS(1001));
        record_ordered(record, (SequenceOrder){ WEB, EVENT_DRAIN_DEADLINE }, MS(1003));
        record_observe(record, WEB, STATE_DRAINED, true, MS(1003));
        record_observe(record, DB, STATE_ENDED, false, MS(1004));
        progress.forced = 1;
        record_phase_ended(record, &progress, MS(1005));
        record_signals(record, WEB, signals, ELEMENTSOF(signals));
        record_in_flight(record, WEB, 3);
        record_in_flight(record, WEB, 1);
        record_note(record, WEB, RECORD_PEERS, "192.0.2.1:1025, [::1]:1026, …");
        record_starting(record, (DaemonState[]){ STATE_STOPPED, STATE_RUNNING }, MS(1006));
        record_started(record, WEB, RECORD_FAILED, MS(1007), MS(1009));
        record_reloading(record, MS(1009));
        record_reloaded(record, DB, RECORD_DONE, MS(1010));
        record_reloaded(record, WEB, RECORD_FAILED, MS(1010));
        record_note(record, WEB, RECORD_REASON, "no\xfft well");
        record_note(record, WEB, RECORD_SPARED, "1 left-over process lives on: web 8");
        end(RECORD_OVER, MS(1010));
        read_text(record_text_of_sequence(record));

        expect_text("kind", "sequence");
        expect_number("version", 1);
        expect_number("id", 42);
        expect_text("what", "restart of web");
        expect_text("who", "uid 0 (process 7)");
        expect_text("result", "done");
        expect_number("begin realtime", MS(5000000));
        expect_number("begin monotonic", MS(1000));
        expect_number("end monotonic", MS(1010));
        expect_nothing("phases freeze");
        expect_number("phases drain begin", MS(1));
        expect_number("phases drain end", MS(5));
        expect_number("phases drain daemons", 2);
        expect_number("phases drain forced", 1);
        expect_number("phases drain skipped", 0);
        expect_text("forced 0", "web");
        expect_nothing("forced 1");
        expect_text("daemons 0 name", "web");
        expect_number("daemons 0 drain begin", MS(1));
        expect_number("daemons 0 drain end", MS(3));
        expect_text("daemons 0 drain outcome", "forced");
        expect_text("daemons 0 spared", "1 left-over process lives on: web 8");
        expect_nothing("daemons 0 cleanup");
        expect_number("daemons 0 start begin", MS(7));
        expect_number("daemons 0 start end", MS(9));
        expect_text("daemons 0 start outcome", "failed");
        expect_number("daemons 0 signals 0 at", MS(2));
        expect_text("daemons 0 signals 0 signal", "TERM");
        expect_text("daemons 0 signals 0 to", "main");
        expect_text("daemons 0 signals 1 signal", "KILL");
        expect_text("daemons 0 signals 1 to", "all");
        expect_number("daemons 0 in_flight first", 3);
        expect_number("daemons 0 in_flight last", 1);
        expect_text("daemons 0 peers 0", "192.0.2.1:1025");
        expect_text("daemons 0 peers 1", "[::1]:1026");
        expect_text("daemons 0 peers 2", "…");
        expect_nothing("daemons 0 peers 3");
        expect_text("daemons 0 reason", "no?t well");
        expect_text("daemons 1 drain outcome", "ended");
        expect_nothing("daemons 1 drain begin");
        expect_text("daemons 1 start outcome", "already");
        expect_text("daemons 1 reload outcome", "done");
        expect_number("daemons 1 reload begin", MS(9));
        expect_number("daemons 1 reload end", MS(10));
        expect_text("daemons 0 reload outcome", "failed");
        expect_nothing("daemons 1 signals");
        expect_nothing("daemons 1 in_flight");
        expect_nothing("daemons 1 peers");
        expect_nothing("hurried");
        expect_nothing("fast");
}
END_TEST

START_TEST(a_start_has_no_phases) {
        static const bool set[COUNT] = { true };

        begin(&(RecordSets){ .starts = set });
        record_starting(record, (DaemonState[]){ STATE_STOPPED, STATE_STOPPED }, MS(1001));
        end(RECORD_BROKEN_OFF, MS(1002));
        read_text(record_text_of_sequence(record));
        expect_text("result", "canceled");
        expect_text("daemons 0 start outcome", "canceled");
        expect_nothing("daemons 0 reload");
        expect_nothing("daemons 1");
        expect_nothing("phases");
}
END_TEST

START_TEST(hurry_is_told) {
        SequenceProgress progress = { .phase = PHASE_FREEZE, .begun = MS(1001), .total = 2 };

        begin(NULL);
        record_phase_begun(record, &progress, all, running);
        record_hurried(record, "SIGQUIT", MS(1002));
        progress.left = 2;
        record_phase_ended(record, &progress, MS(1003));
        end(RECORD_OVER, MS(1004));
        read_text(record_text_of_sequence(record));
        expect_text("result", "hurried");
        expect_number("hurried at", MS(2));
        expect_text("hurried who", "SIGQUIT");
        expect_number("phases freeze skipped", 2);
        expect_text("daemons 1 freeze outcome", "skipped");
}
END_TEST

START_TEST(a_reload_tells_everything) {
        CLEANUP(reload_record_freep) ReloadRecord *reload = NULL;
        CLEANUP(freep) char *full = NULL, *part = NULL;
        RecordMoment now = { .monotonic = MS(1000), .realtime = MS(5000000) };
        RecordPlanned planned = { .action = "restart" };

        ck_assert_int_eq(reload_record_new("SIGHUP", now, &reload), 0);
        reload->id = 3;
        reload_record_describe(&reload->before, config);
        reload->before.loaded = 77;
        ck_assert_int_eq(reload_record_find(reload, "a.conf:1: wr\xc3\xb6ng"), 0);
        planned.daemon = strdup("web");
        planned.reason = strdup("environment [ \"SECRET=1\" ] -> [ ]");
        reload->plan = calloc(1, sizeof(planned));
        reload->plan[reload->plan_count++] = planned;
        reload->kept = 1;
        reload_record_step(reload, "check", MS(1000));
        reload_record_step(reload, "stop", MS(1002));
        reload_record_step_over(reload, RECORD_STEP_DONE, 41, MS(1003));
        now.monotonic = MS(1004);
        reload_record_end(reload, "applied", "1 restarted", now);

        full = record_text_of_reload(reload);
        ck_assert_ptr_nonnull(full);
        ck_assert_int_eq(record_text_check(full, strlen(full), RECORD_KIND_RELOAD, 3, false, &part),
                         0);
        read_text(TAKE(full));
        expect_text("kind", "reload");
        expect_text("who", "SIGHUP");
        expect_text("verdict", "applied");
        expect_text("text", "1 restarted");
        expect_text("before digest", reload->before.digest);
        expect_number("before loaded", 77);
        expect_nothing("after");
        expect_text("findings 0", "a.conf:1: wr\xc3\xb6ng");
        expect_number("kept", 1);
        expect_text("plan 0 name", "web");
        expect_text("plan 0 action", "restart");
        expect_text("plan 0 reason", "environment [ \"SECRET=1\" ] -> [ ]");
        expect_text("steps 0 name", "check");
        expect_number("steps 0 end", MS(2));
        expect_nothing("steps 0 sequence");
        expect_text("steps 1 outcome", "done");
        expect_number("steps 1 sequence", 41);

        json_decref(read_back);
        ck_assert_ptr_null(strstr(part, "SECRET"));
        read_text(TAKE(part)); /* for those who may only look */
        expect_nothing("findings");
        expect_text("plan 0 action", "restart");
        expect_nothing("plan 0 reason");
        expect_text("verdict", "applied");
}
END_TEST

START_TEST(too_long_a_one_is_shortened) {
        CLEANUP(reload_record_freep) ReloadRecord *reload = NULL;
        const size_t count = RECORD_SIZE_MAX / 400;
        char reason[513];

        memset(reason, 'x', sizeof(reason) - 1);
        reason[sizeof(reason) - 1] = '\0';
        ck_assert_int_eq(reload_record_new("me", (RecordMoment){ 0 }, &reload), 0);
        reload->plan = calloc(count, sizeof(*reload->plan));
        for (size_t i = 0; i < count; i++)
                reload->plan[reload->plan_count++] = (RecordPlanned){
                        .daemon = strdup("web"),
                        .action = "restart",
                        .reason = strdup(reason),
                };
        reload_record_end(reload, "applied", "", (RecordMoment){ 0 });
        read_text(record_text_of_reload(reload));
        ck_assert(json_is_true(at("shortened")));
        expect_nothing("plan");
        expect_text("verdict", "applied");
}
END_TEST

static int check(const char *text, size_t size) {
        CLEANUP(freep) char *checked = NULL;

        return record_text_check(text, size, RECORD_KIND_SEQUENCE, 7, true, &checked);
}

START_TEST(strangers_are_not_taken) {
        static const char *const texts[] = {
                "",
                "null",
                "7",
                "[]",
                "{}",
                "{\"kind\":\"sequence\"}",
                "{\"kind\":\"sequence\",\"id\":\"7\"}",
                "{\"kind\":\"sequence\",\"id\":7.0}",
                "{\"kind\":\"sequence\",\"id\":8}",
                "{\"kind\":\"reload\",\"id\":7}",
                "{\"kind\":[],\"id\":7}",
                "{\"kind\":\"sequence\",\"id\":7",
                "{\"kind\":\"sequence\",\"id\":7}}",
                "{\"kind\":\"sequence\",\"id\":7,\"id\":7}",
                "{\"kind\":\"sequence\",\"id\":7,\"who\":\"\xff\"}",
                "{\"kind\":\"sequence\",\"id\":7,\"who\":\"\\u0000\"}",
                "{\"kind\":\"sequence\",\"id\":99999999999999999999}",
        };
        static const char nul[] = "{\"kind\":\"sequence\",\"id\":7}\0{";
        CLEANUP(freep) char *deep = malloc(1u << 20);

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                ck_assert_msg(check(texts[i], strlen(texts[i])) == RECORD_TEXT_E_INVALID, "%s",
                              texts[i]);
        ck_assert_int_eq(check(nul, sizeof(nul) - 1), RECORD_TEXT_E_INVALID);
        ck_assert_int_eq(check(nul, strlen(nul)), 0);
        memset(deep, '[', 1u << 20);
        ck_assert_int_eq(check(deep, 1u << 20), RECORD_TEXT_E_INVALID);
}
END_TEST

/* What is there and of another form does no harm to what is left out for readers. */
START_TEST(other_forms_can_be_stripped) {
        static const char *const texts[] = {
                "{\"kind\":\"reload\",\"id\":7,\"plan\":7,\"findings\":{}}",
                "{\"kind\":\"reload\",\"id\":7,\"plan\":{\"reason\":1}}",
                "{\"kind\":\"reload\",\"id\":7,\"plan\":[7,[],{},null,\"reason\"]}",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                CLEANUP(freep) char *checked = NULL;

                ck_assert_int_eq(record_text_check(texts[i], strlen(texts[i]), RECORD_KIND_RELOAD,
                                                   7, false, &checked),
                                 0);
                ck_assert_ptr_null(strstr(checked, "findings"));
        }
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("service_record_text");
        TCase *made = tcase_create("made");
        TCase *taken = tcase_create("taken back");

        tcase_add_checked_fixture(made, setup, teardown);
        tcase_add_test(made, a_sequence_tells_everything);
        tcase_add_test(made, a_start_has_no_phases);
        tcase_add_test(made, hurry_is_told);
        tcase_add_test(made, a_reload_tells_everything);
        tcase_add_test(made, too_long_a_one_is_shortened);
        suite_add_tcase(suite, made);
        tcase_add_test(taken, strangers_are_not_taken);
        tcase_add_test(taken, other_forms_can_be_stripped);
        suite_add_tcase(suite, taken);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
