/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What counts as work in flight. The cases are those of real daemons: an answer in pieces, a
 * request that follows an answer at once, a long poll, a session, a client that says nothing.
 */

#include "model/flight.h"

#include "unit.h"

#define MS(milliseconds) ((usec_t) (milliseconds) *USEC_PER_MSEC)

static FlightRule rule(DrainCount count) {
        return (FlightRule) { .count = count, .quiet = MS(2000) };
}

/* Accepted, with its times in milliseconds. */
static FlightSample spoken(unsigned since_received, unsigned since_sent) {
        return (FlightSample) {
                .accepted = true,
                .has_times = true,
                .since_received = MS(since_received),
                .since_sent = MS(since_sent),
        };
}

static FlightKind judge(DrainCount count, FlightSample sample) {
        FlightRule by = rule(count);

        return flight_judge(&by, &sample);
}

START_TEST(a_request_is_busy_until_it_is_answered) {
        ck_assert_int_eq(judge(COUNT_CAREFUL, spoken(5000, 60000)), FLIGHT_BUSY);
        ck_assert_int_eq(judge(COUNT_HTTP, spoken(5000, 60000)), FLIGHT_BUSY);
        ck_assert_int_eq(judge(COUNT_DATABASE, spoken(5000, 60000)), FLIGHT_BUSY);
}
END_TEST

START_TEST(an_answer_in_pieces_is_no_idle_connection) {
        ck_assert_int_eq(judge(COUNT_CAREFUL, spoken(9000, 1999)), FLIGHT_BUSY);
        ck_assert_int_eq(judge(COUNT_CAREFUL, spoken(9000, 2000)), FLIGHT_IDLE);
}
END_TEST

START_TEST(a_tie_takes_longer) {
        FlightRule by = { .count = COUNT_HTTP, .quiet = MS(100) };
        FlightSample tie = spoken(500, 500), later = spoken(1000, 1000);

        ck_assert_int_eq(flight_judge(&by, &tie), FLIGHT_BUSY);
        ck_assert_int_eq(flight_judge(&by, &later), FLIGHT_IDLE);
}
END_TEST

START_TEST(a_first_request_is_told_by_its_bytes) {
        FlightSample sample = spoken(9000, 9000);

        ck_assert_int_eq(judge(COUNT_CAREFUL, sample), FLIGHT_IDLE); /* it said nothing at all */
        sample.received = 10;
        ck_assert_int_eq(judge(COUNT_CAREFUL, sample), FLIGHT_BUSY);
        sample.sent = 1;
        ck_assert_int_eq(judge(COUNT_CAREFUL, sample), FLIGHT_IDLE);
        sample.received = 0; /* it was greeted */
        ck_assert_int_eq(judge(COUNT_CAREFUL, sample), FLIGHT_IDLE);
}
END_TEST

START_TEST(bytes_that_wait_are_work) {
        FlightSample unread = spoken(9000, 9000), unsent = spoken(9000, 8000);

        unread.unread = 1;
        unsent.unsent = 1;
        ck_assert_int_eq(judge(COUNT_HTTP, unread), FLIGHT_BUSY);
        ck_assert_int_eq(judge(COUNT_DATABASE, unsent), FLIGHT_BUSY);
        /* a client that ended its side after the request still waits for the answer */
        unread.closing = true;
        ck_assert_int_eq(judge(COUNT_CAREFUL, unread), FLIGHT_BUSY);
}
END_TEST

START_TEST(who_was_not_accepted_waits) {
        FlightSample waiting = {};

        for (DrainCount count = 0; count < COUNT_MAX_; count++)
                ck_assert_int_eq(judge(count, waiting), FLIGHT_WAITING);
        /* its client may have said all it has to say: it is served all the same */
        waiting.closing = true;
        waiting.unread = 7;
        for (DrainCount count = 0; count < COUNT_MAX_; count++)
                ck_assert_int_eq(judge(count, waiting), FLIGHT_WAITING);
}
END_TEST

START_TEST(sessions_are_not_waited_for_and_streams_are) {
        FlightSample busy = spoken(100, 9000), idle = spoken(9000, 8000);

        ck_assert_int_eq(judge(COUNT_SESSION, busy), FLIGHT_IDLE);
        ck_assert_int_eq(judge(COUNT_UDP, busy), FLIGHT_IDLE);
        ck_assert_int_eq(judge(COUNT_STREAM, idle), FLIGHT_BUSY);

        FlightRule all = { .count = COUNT_HTTP, .all = true };
        ck_assert_int_eq(flight_judge(&all, &idle), FLIGHT_BUSY);
}
END_TEST

START_TEST(without_times_only_the_careful_wait) {
        FlightSample unknown = { .accepted = true };

        ck_assert_int_eq(judge(COUNT_CAREFUL, unknown), FLIGHT_BUSY);
        ck_assert_int_eq(judge(COUNT_HTTP, unknown), FLIGHT_IDLE);
        ck_assert_int_eq(judge(COUNT_DATABASE, unknown), FLIGHT_IDLE);
}
END_TEST

START_TEST(only_idle_http_is_nudged) {
        FlightRule http = rule(COUNT_HTTP);
        FlightSample idle = spoken(80, 60), busy = spoken(60, 80), fresh = spoken(80, 40);
        FlightSample tie = spoken(60, 60), silent = spoken(60, 60);

        idle.sent = busy.sent = fresh.sent = tie.sent = 1;
        ck_assert(flight_may_nudge(&http, &tie));
        ck_assert(!flight_may_nudge(&http, &silent)); /* it has not been answered yet */
        ck_assert(flight_may_nudge(&http, &idle));
        ck_assert(!flight_may_nudge(&http, &busy));
        ck_assert(!flight_may_nudge(&http, &fresh));
        idle.unsent = 1;
        ck_assert(!flight_may_nudge(&http, &idle));
        idle.unsent = 0;
        for (DrainCount count = 0; count < COUNT_MAX_; count++) {
                FlightRule by = rule(count);

                ck_assert_int_eq(flight_may_nudge(&by, &idle), count == COUNT_HTTP);
        }
        http.all = true;
        ck_assert(!flight_may_nudge(&http, &idle));
}
END_TEST

START_TEST(new_is_who_got_nothing_yet) {
        FlightSample sample = { .accepted = false };

        ck_assert(flight_is_new(&sample));
        sample.accepted = true;
        ck_assert(!flight_is_new(&sample)); /* nobody tells what was said */
        sample.has_times = true;
        ck_assert(flight_is_new(&sample));
        sample.received = 1;
        ck_assert(flight_is_new(&sample));
        sample.sent = 1;
        ck_assert(!flight_is_new(&sample));
}
END_TEST

START_TEST(two_looks_alike_are_needed) {
        FlightRule by = rule(COUNT_CAREFUL);
        FlightCounts nothing = {}, busy = { .busy = 1 }, idle = { .idle = 1 };
        Flight flight = {};

        ck_assert(!flight_look(&flight, &by, &nothing, MS(0)));
        ck_assert(!flight_look(&flight, &by, &busy, MS(100)));
        ck_assert(!flight_look(&flight, &by, &nothing, MS(200)));
        ck_assert(!flight_look(&flight, &by, &idle, MS(300)));
        ck_assert(flight_look(&flight, &by, &idle, MS(400)));
}
END_TEST

START_TEST(udp_must_be_quiet_for_a_while) {
        FlightRule by = rule(COUNT_UDP);
        FlightCounts nothing = {}, unread = { .unread = 7 };
        Flight flight = {};

        ck_assert(!flight_look(&flight, &by, &nothing, MS(0)));
        ck_assert(!flight_look(&flight, &by, &nothing, MS(500)));
        ck_assert(!flight_look(&flight, &by, &unread, MS(900)));
        ck_assert(!flight_look(&flight, &by, &nothing, MS(1000)));
        ck_assert(!flight_look(&flight, &by, &nothing, MS(1900)));
        ck_assert(flight_look(&flight, &by, &nothing, MS(2000)));
}
END_TEST

START_TEST(the_text_says_what_there_is) {
        char text[FLIGHT_TEXT_MAX];

        ck_assert_str_eq(flight_text(text, &(FlightCounts) {}), "nothing in flight");
        ck_assert_str_eq(flight_text(text, &(FlightCounts) { 1, 2, 3, 0 }),
                         "1 waiting, 2 busy, 3 idle");
        ck_assert_str_eq(flight_text(text, &(FlightCounts) { 0, 0, 0, 9 }),
                         "0 waiting, 0 busy, 0 idle, 9 bytes unread");
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("model/flight");
        TCase *tcase = tcase_create("flight");

        tcase_add_test(tcase, a_request_is_busy_until_it_is_answered);
        tcase_add_test(tcase, an_answer_in_pieces_is_no_idle_connection);
        tcase_add_test(tcase, a_tie_takes_longer);
        tcase_add_test(tcase, a_first_request_is_told_by_its_bytes);
        tcase_add_test(tcase, bytes_that_wait_are_work);
        tcase_add_test(tcase, who_was_not_accepted_waits);
        tcase_add_test(tcase, sessions_are_not_waited_for_and_streams_are);
        tcase_add_test(tcase, without_times_only_the_careful_wait);
        tcase_add_test(tcase, only_idle_http_is_nudged);
        tcase_add_test(tcase, new_is_who_got_nothing_yet);
        tcase_add_test(tcase, two_looks_alike_are_needed);
        tcase_add_test(tcase, udp_must_be_quiet_for_a_while);
        tcase_add_test(tcase, the_text_says_what_there_is);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
