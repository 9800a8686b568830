/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * service/stopped: what is taken from a text, and what is said of the rest.
 */

#include <stdio.h>
#include <string.h>

#include "service/stopped.h"
#include "unit.h"

#define HEADER "supervisord-stopped 1\n"
#define FILE_NAME "/s"

static Diag *diag;
static char taken[512]; /* "name/uid/seconds;" */

static void setup(void) {
        ck_assert_int_eq(diag_new(&diag), 0);
        taken[0] = '\0';
}

static void teardown(void) {
        diag = diag_free(diag);
}

/* There is no daemon whose name begins with "no". */
static bool on_daemon(void *userdata, const char *name, const Hold *hold) {
        size_t used = strlen(taken);

        (void) userdata;
        if (strncmp(name, "no", 2) == 0)
                return false;
        (void) snprintf(taken + used, sizeof(taken) - used, "%s/%d/%llu;", name, (int) hold->uid,
                        (unsigned long long) (hold->when / USEC_PER_SEC));
        return true;
}

static void read_text(const char *text, size_t size) {
        stopped_read(FILE_NAME, text, size, diag, on_daemon, NULL);
}

static void expect(const char *text, const char *wanted, size_t findings) {
        read_text(text, strlen(text));
        ck_assert_str_eq(taken, wanted);
        ck_assert_uint_eq(diag_count(diag), findings);
        ck_assert_uint_eq(diag_errors(diag), 0);
}

static void expect_finding(size_t index, const char *wanted) {
        CLEANUP(freep) char *text = finding_text(diag_get(diag, index));

        ck_assert_ptr_nonnull(text);
        if (strncmp(text, wanted, strlen(wanted)) != 0)
                ck_abort_msg("\"%s\" does not begin with \"%s\"", text, wanted);
}

START_TEST(test_good) {
        expect(HEADER "db 0 1767225600\nweb\nlast 4294967294 253402300799",
               "db/0/1767225600;web/-1/0;last/-2/253402300799;", 0);
}
END_TEST

START_TEST(test_nothing_stopped) {
        expect(HEADER, "", 0);
}
END_TEST

START_TEST(test_no_header) {
        static const char *const texts[] = {
                "",
                "\n",
                "db\n",
                "supervisord-stopped 2\ndb\n",
                "supervisord-stopped 1\r\ndb\n",
                " " HEADER,
        };

        expect(texts[_i], "", 1);
        expect_finding(0, FILE_NAME ":1: warning: it does not begin with \"supervisord-stopped 1");
}
END_TEST

START_TEST(test_unknown) {
        expect(HEADER "db\nno_such 0 1\nweb\n", "db/-1/0;web/-1/0;", 1);
        expect_finding(0, FILE_NAME ":3: warning: there is no daemon \"no_such\", the line is");
}
END_TEST

START_TEST(test_bad_line) {
        static const char *const lines[] = {
                "",       " ",        " db",         "db ",    "db 0",
                "db 0 ",  "db  0 1",  "db 0 1 2",    "db a 1", "db -1 1",
                "db 0 x", "db 0 0x1", "db 0 -1",     "db\t0\t1 2",
                "db 4294967295 1",    "db 0 253402300800",
        };
        char text[256];

        (void) snprintf(text, sizeof(text), HEADER "one\n%s\ntwo\n", lines[_i]);
        expect(text, "one/-1/0;two/-1/0;", 1);
        expect_finding(0, FILE_NAME ":3: warning: this is not the name of a daemon");
}
END_TEST

START_TEST(test_nul_and_control) {
        static const char text[] = HEADER "d\0b\n\0\nno\x1b[2J\none\n";

        read_text(text, sizeof(text) - 1);
        ck_assert_str_eq(taken, "one/-1/0;");
        ck_assert_uint_eq(diag_count(diag), 3);
        expect_finding(2, FILE_NAME ":4: warning: there is no daemon \"no\\x1b[2J\"");
}
END_TEST

START_TEST(test_long_line) {
        char text[300] = HEADER;

        memset(text + strlen(text), 'd', 128);
        (void) strcat(text, "\none\n");
        expect(text, "one/-1/0;", 1);
}
END_TEST

/* A file of nothing but rubbish does not fill the journal. */
START_TEST(test_many_findings) {
        char text[1000] = HEADER;

        for (unsigned i = 0; i < 100; i++)
                (void) strcat(text, " \n");
        (void) strcat(text, "one\n");
        expect(text, "one/-1/0;", STOPPED_FINDINGS_MAX + 1);
        expect_finding(STOPPED_FINDINGS_MAX, FILE_NAME ": warning: 80 further lines are ignored");
}
END_TEST

START_TEST(test_written) {
        CLEANUP(freep) char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);
        Hold hold = { .uid = 1000, .when = 1767225600 * USEC_PER_SEC + 999999 };

        ck_assert_ptr_nonnull(stream);
        stopped_write_begin(stream);
        stopped_write(stream, "db", &hold);
        stopped_write(stream, "web", &(Hold) { .uid = HOLD_NO_UID });
        ck_assert_int_eq(fclose(stream), 0);
        ck_assert_str_eq(text, HEADER "db 1000 1767225600\nweb\n");
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("service/stopped");
        TCase *tcase = tcase_create("stopped");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_good);
        tcase_add_test(tcase, test_nothing_stopped);
        tcase_add_loop_test(tcase, test_no_header, 0, 6);
        tcase_add_test(tcase, test_unknown);
        tcase_add_loop_test(tcase, test_bad_line, 0, 16);
        tcase_add_test(tcase, test_nul_and_control);
        tcase_add_test(tcase, test_long_line);
        tcase_add_test(tcase, test_many_findings);
        tcase_add_test(tcase, test_written);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
