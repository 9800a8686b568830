/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * base/parse: what is taken, what is refused and why, and that what is formatted is parsed back.
 */

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "unit.h"

#define UNTOUCHED 4711

typedef struct DurationCase {
        const char *text;
        int r;
        usec_t value;
} DurationCase;

static const DurationCase duration_cases[] = {
        { "0", 0, 0 },
        { "0s", 0, 0 },
        { "1us", 0, 1 },
        { "1usec", 0, 1 },
        { "1\302\265s", 0, 1 },
        { "500ms", 0, 500000 },
        { "500msec", 0, 500000 },
        { "5s", 0, 5000000 },
        { "5 s", 0, 5000000 },
        { "5 sec", 0, 5000000 },
        { "1second", 0, 1000000 },
        { "5seconds", 0, 5000000 },
        { "2m", 0, 120000000 },
        { "2min", 0, 120000000 },
        { "1minute", 0, 60000000 },
        { "2minutes", 0, 120000000 },
        { "2h", 0, 7200000000 },
        { "2hr", 0, 7200000000 },
        { "1hour", 0, 3600000000 },
        { "2 hours", 0, 7200000000 },
        { "1d", 0, 86400000000 },
        { "1day", 0, 86400000000 },
        { "3 days", 0, 259200000000 },
        { "1w", 0, 604800000000 },
        { "1week", 0, 604800000000 },
        { "2weeks", 0, 1209600000000 },
        { "1min 30s", 0, 90000000 },
        { "1min30s", 0, 90000000 },
        { "1min\t30s", 0, 90000000 },
        { "30s 1min", 0, 90000000 },
        { "1s 1s", 0, 2000000 },
        { "007s", 0, 7000000 },
        { "infinity", 0, USEC_INFINITY },

        { "1.5s", 0, 1500000 },
        { "0.25 min", 0, 15000000 },
        { "1.000001s", 0, 1000001 },
        { "1.50000000000000000000000000000000000s", 0, 1500000 },
        { "1.0us", 0, 1 },

        { "18446744073709551614us", 0, USEC_INFINITY - 1 },
        { "213503982d 8h 1min 49s 551ms 614us", 0, USEC_INFINITY - 1 },

        { "", PARSE_E_SYNTAX, 0 },
        { " ", PARSE_E_SYNTAX, 0 },
        { "5", PARSE_E_SYNTAX, 0 },
        { "00", PARSE_E_SYNTAX, 0 },
        { "1min 30", PARSE_E_SYNTAX, 0 },
        { "-5s", PARSE_E_SYNTAX, 0 },
        { "+5s", PARSE_E_SYNTAX, 0 },
        { " 5s", PARSE_E_SYNTAX, 0 },
        { "5s ", PARSE_E_SYNTAX, 0 },
        { "5S", PARSE_E_SYNTAX, 0 },
        { "5sx", PARSE_E_SYNTAX, 0 },
        { "5parsecs", PARSE_E_SYNTAX, 0 },
        { "5\265s", PARSE_E_SYNTAX, 0 },
        { "0x5s", PARSE_E_SYNTAX, 0 },
        { "1e3s", PARSE_E_SYNTAX, 0 },
        { ".5s", PARSE_E_SYNTAX, 0 },
        { "1.s", PARSE_E_SYNTAX, 0 },
        { "1.5.5s", PARSE_E_SYNTAX, 0 },
        { "1,5s", PARSE_E_SYNTAX, 0 },
        { "Infinity", PARSE_E_SYNTAX, 0 },
        { "5s infinity", PARSE_E_SYNTAX, 0 },

        { "18446744073709551615us", PARSE_E_RANGE, 0 },
        { "18446744073709551615s", PARSE_E_RANGE, 0 },
        { "99999999999999999999999999999999s", PARSE_E_RANGE, 0 },
        { "18446744073709551614us 1us", PARSE_E_RANGE, 0 },
        { "18446744073709551614us 2us", PARSE_E_RANGE, 0 },
        { "18446744073709.999999s", PARSE_E_RANGE, 0 },
        { "0.5us", PARSE_E_RANGE, 0 },
        { "0.0000001s", PARSE_E_RANGE, 0 },
        { "1.000000001w", PARSE_E_RANGE, 0 },
};

START_TEST(test_duration) {
        const DurationCase *c = &duration_cases[_i];
        usec_t value = UNTOUCHED;

        ck_assert_msg(parse_duration(c->text, &value) == c->r, "outcome of '%s'", c->text);
        ck_assert_uint_eq(value, c->r == 0 ? c->value : UNTOUCHED);
}
END_TEST

static void assert_duration_returns(usec_t duration) {
        char text[DURATION_TEXT_MAX];
        usec_t parsed;

        ck_assert_ptr_eq(format_duration(text, duration), text);
        ck_assert_msg(parse_duration(text, &parsed) == 0, "'%s' is refused", text);
        ck_assert_msg(parsed == duration, "%" PRIu64 " became '%s'", duration, text);
}

START_TEST(test_duration_round_trip) {
        static const usec_t bases[] = {
                1, 1000, 1000000, 60000000, 3600000000, 86400000000, 604800000000,
        };
        usec_t noise = 1;

        for (size_t i = 0; i < ELEMENTSOF(bases); i++)
                for (usec_t n = 0; n < 70; n++) {
                        assert_duration_returns(bases[i] * n);
                        assert_duration_returns(bases[i] * (n + 1) - 1);
                        assert_duration_returns(bases[i] * n + 1);
                }
        for (unsigned shift = 0; shift < 64; shift++)
                assert_duration_returns(USEC_INFINITY >> shift);
        assert_duration_returns(USEC_INFINITY - 1);
        for (unsigned i = 0; i < 10000; i++) {
                noise = noise * 6364136223846793005u + 1442695040888963407u;
                assert_duration_returns(noise >> (noise % 61));
        }
}
END_TEST

START_TEST(test_duration_format) {
        char text[DURATION_TEXT_MAX];

        ck_assert_str_eq(format_duration(text, 0), "0");
        ck_assert_str_eq(format_duration(text, 250000), "250ms");
        ck_assert_str_eq(format_duration(text, 90000000), "1min 30s");
        ck_assert_str_eq(format_duration(text, 1500000), "1s 500ms");
        ck_assert_str_eq(format_duration(text, 86400000001), "1d 1us");
        ck_assert_str_eq(format_duration(text, USEC_INFINITY), "infinity");
}
END_TEST

START_TEST(test_elapsed) {
        static const struct {
                usec_t duration;
                const char *text;
        } cases[] = {
                { 0, "0.00 s" },
                { 4999, "0.00 s" },
                { 5000, "0.01 s" },
                { 120000, "0.12 s" },
                { 9994999, "9.99 s" },
                { 9995000, "10 s" },
                { 12000000, "12 s" },
                { 59499999, "59 s" },
                { 59500000, "1 min 0 s" },
                { 200000000, "3 min 20 s" },
                { 3599499999, "59 min 59 s" },
                { 3599500000, "1 h 0 min" },
                { 3600000000, "1 h 0 min" },
                { 90000000000, "25 h 0 min" },
                { USEC_INFINITY, "infinity" },
                { USEC_INFINITY - 1, "5124095576 h 2 min" },
        };
        char text[DURATION_TEXT_MAX];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                ck_assert_str_eq(format_elapsed(text, cases[i].duration), cases[i].text);
}
END_TEST

START_TEST(test_size) {
        static const struct {
                const char *text;
                int r;
                uint64_t value;
        } cases[] = {
                { "0", 0, 0 },
                { "4096", 0, 4096 },
                { "64K", 0, 65536 },
                { "1M", 0, 1048576 },
                { "2G", 0, 2147483648 },
                { "3T", 0, 3298534883328 },
                { "0T", 0, 0 },
                { "infinity", 0, UINT64_MAX },
                { "18446744073709551614", 0, UINT64_MAX - 1 },
                { "16777215T", 0, UINT64_MAX - (UINT64_C(1) << 40) + 1 },
                { "", PARSE_E_SYNTAX, 0 },
                { "K", PARSE_E_SYNTAX, 0 },
                { "-1", PARSE_E_SYNTAX, 0 },
                { "1 K", PARSE_E_SYNTAX, 0 },
                { "1k", PARSE_E_SYNTAX, 0 },
                { "1KB", PARSE_E_SYNTAX, 0 },
                { "1KK", PARSE_E_SYNTAX, 0 },
                { "1.5M", PARSE_E_SYNTAX, 0 },
                { "0x10", PARSE_E_SYNTAX, 0 },
                { "10 ", PARSE_E_SYNTAX, 0 },
                { "18446744073709551615", PARSE_E_RANGE, 0 },
                { "18446744073709551616", PARSE_E_RANGE, 0 },
                { "16777216T", PARSE_E_RANGE, 0 },
                { "18446744073709551615K", PARSE_E_RANGE, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint64_t value = UNTOUCHED;

                ck_assert_msg(parse_size(cases[i].text, &value) == cases[i].r, "outcome of '%s'",
                              cases[i].text);
                ck_assert_uint_eq(value, cases[i].r == 0 ? cases[i].value : UNTOUCHED);
        }
}
END_TEST

START_TEST(test_int) {
        static const struct {
                const char *text;
                int64_t minimum, maximum;
                int r;
                int64_t value;
        } cases[] = {
                { "0", 0, 0, 0, 0 },
                { "-20", -20, 19, 0, -20 },
                { "19", -20, 19, 0, 19 },
                { "-0", -1, 1, 0, 0 },
                { "007", 0, 10, 0, 7 },
                { "9223372036854775807", INT64_MIN, INT64_MAX, 0, INT64_MAX },
                { "-9223372036854775808", INT64_MIN, INT64_MAX, 0, INT64_MIN },
                { "20", -20, 19, PARSE_E_RANGE, 0 },
                { "-21", -20, 19, PARSE_E_RANGE, 0 },
                { "9223372036854775808", INT64_MIN, INT64_MAX, PARSE_E_RANGE, 0 },
                { "-9223372036854775809", INT64_MIN, INT64_MAX, PARSE_E_RANGE, 0 },
                { "18446744073709551616", INT64_MIN, INT64_MAX, PARSE_E_RANGE, 0 },
                { "", 0, 10, PARSE_E_SYNTAX, 0 },
                { "-", 0, 10, PARSE_E_SYNTAX, 0 },
                { "--1", -10, 10, PARSE_E_SYNTAX, 0 },
                { "+1", 0, 10, PARSE_E_SYNTAX, 0 },
                { " 1", 0, 10, PARSE_E_SYNTAX, 0 },
                { "1 ", 0, 10, PARSE_E_SYNTAX, 0 },
                { "1.0", 0, 10, PARSE_E_SYNTAX, 0 },
                { "0x1", 0, 10, PARSE_E_SYNTAX, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int64_t value = UNTOUCHED;
                int r = parse_int(cases[i].text, cases[i].minimum, cases[i].maximum, &value);

                ck_assert_msg(r == cases[i].r, "outcome of '%s'", cases[i].text);
                ck_assert_int_eq(value, r == 0 ? cases[i].value : UNTOUCHED);
        }
}
END_TEST

START_TEST(test_mode) {
        static const struct {
                const char *text;
                int r;
                mode_t mode;
        } cases[] = {
                { "0", 0, 0 },
                { "22", 0, 022 },
                { "0022", 0, 022 },
                { "7777", 0, 07777 },
                { "00007777", 0, 07777 },
                { "10000", PARSE_E_RANGE, 0 },
                { "777777777777777777777777", PARSE_E_RANGE, 0 },
                { "", PARSE_E_SYNTAX, 0 },
                { "8", PARSE_E_SYNTAX, 0 },
                { "0o22", PARSE_E_SYNTAX, 0 },
                { "-22", PARSE_E_SYNTAX, 0 },
                { "22 ", PARSE_E_SYNTAX, 0 },
                { "u=rwx", PARSE_E_SYNTAX, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                mode_t mode = UNTOUCHED;

                ck_assert_msg(parse_mode(cases[i].text, &mode) == cases[i].r, "outcome of '%s'",
                              cases[i].text);
                ck_assert_uint_eq(mode, cases[i].r == 0 ? cases[i].mode : UNTOUCHED);
        }
}
END_TEST

START_TEST(test_signal_names) {
        static const struct {
                const char *text;
                int signo;
        } cases[] = {
                { "HUP", SIGHUP },       { "INT", SIGINT },       { "QUIT", SIGQUIT },
                { "ILL", SIGILL },       { "TRAP", SIGTRAP },     { "ABRT", SIGABRT },
                { "IOT", SIGABRT },      { "BUS", SIGBUS },       { "FPE", SIGFPE },
                { "KILL", SIGKILL },     { "USR1", SIGUSR1 },     { "SEGV", SIGSEGV },
                { "USR2", SIGUSR2 },     { "PIPE", SIGPIPE },     { "ALRM", SIGALRM },
                { "TERM", SIGTERM },     { "STKFLT", SIGSTKFLT }, { "CHLD", SIGCHLD },
                { "CLD", SIGCHLD },      { "CONT", SIGCONT },     { "STOP", SIGSTOP },
                { "TSTP", SIGTSTP },     { "TTIN", SIGTTIN },     { "TTOU", SIGTTOU },
                { "URG", SIGURG },       { "XCPU", SIGXCPU },     { "XFSZ", SIGXFSZ },
                { "VTALRM", SIGVTALRM }, { "PROF", SIGPROF },     { "WINCH", SIGWINCH },
                { "IO", SIGIO },         { "POLL", SIGPOLL },     { "PWR", SIGPWR },
                { "SYS", SIGSYS },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char prefixed[32];
                int signo = 0;

                ck_assert_int_eq(parse_signal(cases[i].text, &signo), 0);
                ck_assert_int_eq(signo, cases[i].signo);

                (void) snprintf(prefixed, sizeof(prefixed), "sIg%s", cases[i].text);
                signo = 0;
                ck_assert_int_eq(parse_signal(prefixed, &signo), 0);
                ck_assert_int_eq(signo, cases[i].signo);
        }
}
END_TEST

START_TEST(test_signal) {
        const struct {
                const char *text;
                int r;
                int signo;
        } cases[] = {
                { "term", 0, SIGTERM },
                { "sigterm", 0, SIGTERM },
                { "15", 0, 15 },
                { "1", 0, 1 },
                { "64", 0, 64 },
                { "RTMIN", 0, SIGRTMIN },
                { "RTMIN+0", 0, SIGRTMIN },
                { "RTMIN+3", 0, SIGRTMIN + 3 },
                { "sigrtmin+3", 0, SIGRTMIN + 3 },
                { "RTMIN+30", 0, SIGRTMIN + 30 },
                { "RTMAX", 0, SIGRTMAX },
                { "SIGRTMAX-1", 0, SIGRTMAX - 1 },
                { "RTMAX-30", 0, SIGRTMIN },
                { "0", PARSE_E_RANGE, 0 },
                { "65", PARSE_E_RANGE, 0 },
                { "4294967311", PARSE_E_RANGE, 0 },
                { "RTMIN+31", PARSE_E_RANGE, 0 },
                { "RTMAX-31", PARSE_E_RANGE, 0 },
                { "RTMIN+18446744073709551616", PARSE_E_RANGE, 0 },
                { "", PARSE_E_SYNTAX, 0 },
                { "SIG", PARSE_E_SYNTAX, 0 },
                { "SIGSIGTERM", PARSE_E_SYNTAX, 0 },
                { "SIG15", PARSE_E_SYNTAX, 0 },
                { "-15", PARSE_E_SYNTAX, 0 },
                { "+15", PARSE_E_SYNTAX, 0 },
                { "15x", PARSE_E_SYNTAX, 0 },
                { "TERM ", PARSE_E_SYNTAX, 0 },
                { "TERMINATE", PARSE_E_SYNTAX, 0 },
                { "RTMIN-1", PARSE_E_SYNTAX, 0 },
                { "RTMAX+1", PARSE_E_SYNTAX, 0 },
                { "RTMIN+", PARSE_E_SYNTAX, 0 },
                { "RTMIN+x", PARSE_E_SYNTAX, 0 },
                { "RTMIN+1x", PARSE_E_SYNTAX, 0 },
                { "RTMIN+-1", PARSE_E_SYNTAX, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int signo = UNTOUCHED;

                ck_assert_msg(parse_signal(cases[i].text, &signo) == cases[i].r, "outcome of '%s'",
                              cases[i].text);
                ck_assert_int_eq(signo, cases[i].r == 0 ? cases[i].signo : UNTOUCHED);
        }
}
END_TEST

START_TEST(test_signal_format) {
        char text[SIGNAL_TEXT_MAX];

        ck_assert_str_eq(format_signal(text, SIGTERM), "TERM");
        ck_assert_str_eq(format_signal(text, SIGVTALRM), "VTALRM");
        ck_assert_str_eq(format_signal(text, SIGRTMIN), "RTMIN");
        ck_assert_str_eq(format_signal(text, SIGRTMIN + 3), "RTMIN+3");
        ck_assert_str_eq(format_signal(text, SIGRTMAX), "RTMIN+30");
        ck_assert_str_eq(format_signal(text, 0), "0");
        ck_assert_str_eq(format_signal(text, -1), "-1");
        ck_assert_str_eq(format_signal(text, INT_MIN), "-2147483648");

        for (int signo = 1; signo <= SIGRTMAX; signo++) {
                int parsed = 0;

                ck_assert_int_eq(parse_signal(format_signal(text, signo), &parsed), 0);
                ck_assert_int_eq(parsed, signo);
        }
}
END_TEST

START_TEST(test_pid) {
        static const struct {
                const char *text;
                int r;
                pid_t pid;
        } cases[] = {
                { "1", 0, 1 },
                { "4194304\n", 0, 4194304 },
                { " \t\r\n 42 \n\n", 0, 42 },
                { "00042", 0, 42 },
                { "2147483647", 0, INT_MAX },
                { "0", PARSE_E_RANGE, 0 },
                { "2147483648", PARSE_E_RANGE, 0 },
                { "4294967297", PARSE_E_RANGE, 0 },
                { "18446744073709551617", PARSE_E_RANGE, 0 },
                { "", PARSE_E_SYNTAX, 0 },
                { "\n", PARSE_E_SYNTAX, 0 },
                { "-1", PARSE_E_SYNTAX, 0 },
                { "+1", PARSE_E_SYNTAX, 0 },
                { "12 13", PARSE_E_SYNTAX, 0 },
                { "12\n13\n", PARSE_E_SYNTAX, 0 },
                { "12x", PARSE_E_SYNTAX, 0 },
                { "pid=12", PARSE_E_SYNTAX, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                pid_t pid = UNTOUCHED;

                ck_assert_msg(parse_pid(cases[i].text, &pid) == cases[i].r, "outcome of '%s'",
                              cases[i].text);
                ck_assert_int_eq(pid, cases[i].r == 0 ? cases[i].pid : UNTOUCHED);
        }
}
END_TEST

START_TEST(test_visible) {
        char text[64];

        ck_assert_str_eq(format_visible(text, sizeof(text), ""), "");
        ck_assert_str_eq(format_visible(text, sizeof(text), "plain\ttext"), "plain\ttext");
        ck_assert_str_eq(format_visible(text, sizeof(text), "a\nb\033[2J\177"),
                         "a\\x0ab\\x1b[2J\\x7f");
        ck_assert_str_eq(format_visible(text, sizeof(text), "\303\244\377"), "\303\244\377");
}
END_TEST

/* Whatever the size: nothing is written behind it, and neither an escape nor a letter is halved. */
START_TEST(test_visible_cut) {
        char text[16];

        ck_assert_str_eq(format_visible(text, 1, "abc"), "");
        ck_assert_str_eq(format_visible(text, 4, "abc"), "abc");
        ck_assert_str_eq(format_visible(text, 3, "abc"), "ab");
        ck_assert_str_eq(format_visible(text, 5, "a\n"), "a");
        ck_assert_str_eq(format_visible(text, 6, "a\n"), "a\\x0a");

        ck_assert_str_eq(format_visible(text, 3, "a\303\244b"), "a");
        ck_assert_str_eq(format_visible(text, 4, "a\303\244b"), "a\303\244");
        ck_assert_str_eq(format_visible(text, 4, "a\342\202\254b"), "a");
        ck_assert_str_eq(format_visible(text, 5, "a\342\202\254b"), "a\342\202\254");
        ck_assert_str_eq(format_visible(text, 5, "a\360\237\230\200b"), "a");
        ck_assert_str_eq(format_visible(text, 6, "a\360\237\230\200b"), "a\360\237\230\200");
        ck_assert_str_eq(format_visible(text, 4, "\200\200\200\200\200"), "\200\200\200");

        memset(text, '#', sizeof(text));
        format_visible(text, 8, "0123456789");
        ck_assert_int_eq(text[7], '\0');
        for (size_t i = 8; i < sizeof(text); i++)
                ck_assert_int_eq(text[i], '#');
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("base/parse");
        TCase *tcase = tcase_create("parse");

        tcase_add_loop_test(tcase, test_duration, 0, (int) ELEMENTSOF(duration_cases));
        tcase_add_test(tcase, test_duration_round_trip);
        tcase_add_test(tcase, test_duration_format);
        tcase_add_test(tcase, test_elapsed);
        tcase_add_test(tcase, test_size);
        tcase_add_test(tcase, test_int);
        tcase_add_test(tcase, test_mode);
        tcase_add_test(tcase, test_signal_names);
        tcase_add_test(tcase, test_signal);
        tcase_add_test(tcase, test_signal_format);
        tcase_add_test(tcase, test_pid);
        tcase_add_test(tcase, test_visible);
        tcase_add_test(tcase, test_visible_cut);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
