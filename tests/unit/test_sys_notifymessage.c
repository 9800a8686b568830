/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/notifymessage: what daemons write into their notify socket, in order, broken and hostile.
 */

#include <stdio.h>
#include <string.h>

#include "sys/notifysocket.h"
#include "unit.h"

#define TWO_TO_22 "4194304"

/* The text in a buffer of its exact size, so that a sanitizer sees a read behind its end. */
static int parse_bytes(const char *data, size_t size, NotifyMessage *ret) {
        CLEANUP(freep) char *copy = malloc(size > 0 ? size : 1);

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, data, size);
        return notify_message_parse(copy, size, ret);
}

static int parse_text(const char *text, NotifyMessage *ret) {
        return parse_bytes(text, strlen(text), ret);
}

static NotifyMessage parsed(const char *text) {
        NotifyMessage message;

        memset(&message, 0xff, sizeof(message));
        ck_assert_msg(parse_text(text, &message) == 0, "refused: %s", text);
        return message;
}

static void assert_malformed(const char *text) {
        NotifyMessage message = { .main_pid = 77 };

        ck_assert_msg(parse_text(text, &message) == NOTIFY_E_MALFORMED, "taken: %s", text);
        ck_assert_int_eq(message.main_pid, 77);
}

START_TEST(test_states) {
        NotifyMessage message = parsed("READY=1");

        ck_assert(message.ready && !message.reloading && !message.stopping && !message.watchdog);
        ck_assert_int_eq(message.main_pid, 0);
        ck_assert_int_eq(message.error, 0);
        ck_assert_uint_eq(message.extend, 0);
        ck_assert_str_eq(message.status, "");

        ck_assert(parsed("RELOADING=1").reloading);
        ck_assert(parsed("STOPPING=1").stopping);
        ck_assert(parsed("WATCHDOG=1").watchdog);
        ck_assert(!parsed("READY=0").ready);
        ck_assert(!parsed("READY=").ready);
        ck_assert(!parsed("READY=11").ready);
        ck_assert(!parsed("ready=1").ready);
        ck_assert(!parsed("READY =1").ready);
        ck_assert(parsed("READY=1\nREADY=0").ready);
}
END_TEST

START_TEST(test_everything_at_once) {
        NotifyMessage message = parsed("READY=1\nMAINPID=4711\nSTATUS=serving = 3\nERRNO=2\n"
                                       "EXTEND_TIMEOUT_USEC=5000000\nFDNAME=x\nX_OWN=");

        ck_assert(message.ready);
        ck_assert_int_eq(message.main_pid, 4711);
        ck_assert_int_eq(message.error, 2);
        ck_assert_uint_eq(message.extend, 5000000);
        ck_assert_str_eq(message.status, "serving = 3");
}
END_TEST

START_TEST(test_lines) {
        ck_assert(parsed("READY=1\n").ready);
        ck_assert(parsed("\n\nREADY=1\n\n").ready);
        ck_assert(parsed("UNKNOWN=x\nREADY=1").ready);
        assert_malformed("\n");
        assert_malformed("\n\n\n");
        assert_malformed("READY");
        assert_malformed("READY=1\nnonsense");
        assert_malformed("nonsense\nREADY=1");
        assert_malformed("=1");
        assert_malformed("READY=1\n=");
        assert_malformed(" ");
}
END_TEST

START_TEST(test_nul) {
        NotifyMessage message;

        ck_assert_int_eq(parse_bytes("READY=1", 8, &message), 0);
        ck_assert(message.ready);
        ck_assert_int_eq(parse_bytes("READY=1\0", 9, &message), NOTIFY_E_MALFORMED);
        ck_assert_int_eq(parse_bytes("READY=1\0X=1", 11, &message), NOTIFY_E_MALFORMED);
        ck_assert_int_eq(parse_bytes("\0READY=1", 8, &message), NOTIFY_E_MALFORMED);
}
END_TEST

START_TEST(test_empty) {
        NotifyMessage message;

        ck_assert_int_eq(notify_message_parse(NULL, 0, &message), NOTIFY_E_EMPTY);
        ck_assert_int_eq(parse_bytes("", 0, &message), NOTIFY_E_EMPTY);
        ck_assert_int_eq(parse_bytes("", 1, &message), NOTIFY_E_EMPTY);
}
END_TEST

START_TEST(test_length) {
        char text[NOTIFY_DATAGRAM_MAX + 1];
        NotifyMessage message;

        memset(text, 'x', sizeof(text));
        memcpy(text, "STATUS=", strlen("STATUS="));
        ck_assert_int_eq(parse_bytes(text, NOTIFY_DATAGRAM_MAX, &message), 0);
        ck_assert_uint_eq(strlen(message.status), NOTIFY_STATUS_MAX - 1);
        ck_assert_int_eq(parse_bytes(text, NOTIFY_DATAGRAM_MAX + 1, &message), NOTIFY_E_TOO_LONG);
}
END_TEST

START_TEST(test_numbers) {
        ck_assert_int_eq(parsed("MAINPID=1").main_pid, 1);
        ck_assert_int_eq(parsed("MAINPID=" TWO_TO_22).main_pid, 4194304);
        ck_assert_int_eq(parsed("MAINPID=1\nMAINPID=2").main_pid, 2);
        ck_assert_int_eq(parsed("ERRNO=0").error, 0);
        ck_assert_int_eq(parsed("ERRNO=4095").error, 4095);
        ck_assert_uint_eq(parsed("EXTEND_TIMEOUT_USEC=9223372036854775807").extend, INT64_MAX);
}
END_TEST

static const char *const BAD_NUMBERS[] = {
        "MAINPID=",
        "MAINPID=0",
        "MAINPID=-1",
        "MAINPID=+1",
        "MAINPID= 1",
        "MAINPID=1 ",
        "MAINPID=1x",
        "MAINPID=0x10",
        "MAINPID=1.5",
        "MAINPID=4194305",
        "MAINPID=4294967297",
        "MAINPID=18446744073709551617",
        "MAINPID=000000000000000000000001", /* 24 digits */
        "MAINPID=99999999999999999999999999999999999999999999999",
        "MAINPID=\xd9\xa1",
        "ERRNO=ENOENT",
        "ERRNO=-2",
        "ERRNO=4096",
        "EXTEND_TIMEOUT_USEC=0",
        "EXTEND_TIMEOUT_USEC=5s",
        "EXTEND_TIMEOUT_USEC=9223372036854775808",
        "EXTEND_TIMEOUT_USEC=18446744073709551615",
};

START_TEST(test_bad_numbers) {
        assert_malformed(BAD_NUMBERS[_i]);
}
END_TEST

/* Each pair: what the daemon sends, what may be shown. */
static const char *const STATUSES[][2] = {
        { "", "" },
        { "two words", "two words" },
        { "tab\there", "tab?here" },
        { "bell\a escape\033[2J delete\177", "bell? escape?[2J delete?" },
        { "carriage\rreturn", "carriage?return" },
        { "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
        { "\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80" },
        { "latin \xfc", "latin ?" },
        { "cut \xe2\x82", "cut ??" },
        { "lone \x80", "lone ?" },
        { "c1 \xc2\x9b", "c1 ??" },
        { "overlong \xc0\xaf \xe0\x80\xaf", "overlong ?? ???" },
        { "surrogate \xed\xa0\x80", "surrogate ???" },
        { "beyond \xf4\x90\x80\x80 \xf8\x88\x80\x80\x80", "beyond ???? ?????" },
        { "last \xf4\x8f\xbf\xbf", "last \xf4\x8f\xbf\xbf" },
};

START_TEST(test_status) {
        char text[NOTIFY_STATUS_MAX];

        (void) snprintf(text, sizeof(text), "STATUS=%s", STATUSES[_i][0]);
        ck_assert_str_eq(parsed(text).status, STATUSES[_i][1]);
}
END_TEST

/* A character of three bytes is kept whole or left out, wherever the end falls. */
START_TEST(test_status_cut) {
        char text[2 * NOTIFY_STATUS_MAX] = "STATUS=";
        size_t before = NOTIFY_STATUS_MAX - 1 - (size_t) _i;
        NotifyMessage message;

        memset(text + strlen("STATUS="), 'x', before);
        strcat(text, "\xe2\x82\xac"
                     "tail");
        message = parsed(text);

        if (_i < 3)
                ck_assert_uint_eq(strlen(message.status), before);
        else
                ck_assert_str_eq(message.status + before, "\xe2\x82\xac");
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("sys/notifymessage");
        TCase *tcase = tcase_create("notifymessage");

        tcase_add_test(tcase, test_states);
        tcase_add_test(tcase, test_everything_at_once);
        tcase_add_test(tcase, test_lines);
        tcase_add_test(tcase, test_nul);
        tcase_add_test(tcase, test_empty);
        tcase_add_test(tcase, test_length);
        tcase_add_test(tcase, test_numbers);
        tcase_add_loop_test(tcase, test_bad_numbers, 0, ELEMENTSOF(BAD_NUMBERS));
        tcase_add_loop_test(tcase, test_status, 0, ELEMENTSOF(STATUSES));
        tcase_add_loop_test(tcase, test_status_cut, 0, 4);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
