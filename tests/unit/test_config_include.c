/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * config/source: files that include others, and the places of what stands in them.
 */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/strv.h"
#include "config/load.h"
#include "configs.h"
#include "unit.h"

#define MAIN   "main.conf"
#define DAEMON "daemons: { web: { command = [ \"/bin/sh\" ]; }; };\n"

static char folder[CONFIGS_FOLDER_MAX];
static char *path;
static Diag *diag;

static void setup(void) {
        configs_folder_make(folder);
        path = configs_path(folder, MAIN);
        ck_assert_int_eq(diag_new(&diag), 0);
}

static void teardown(void) {
        diag = diag_free(diag);
        free(path);
        configs_folder_remove(folder);
}

static Config *load_good(void) {
        Config *config = NULL;
        int r;

        r = config_load(path, diag, &config);
        configs_expect_count(diag, 0);
        ck_assert_int_eq(r, 0);
        ck_assert_ptr_nonnull(config);
        return config;
}

static void load_bad(void) {
        Config *config = NULL;

        ck_assert_int_eq(config_load(path, diag, &config), CONFIG_E_INVALID);
        ck_assert_ptr_null(config);
        ck_assert_uint_gt(diag_errors(diag), 0);
}

/* The only finding is about this file: "PATH:LINE: … part", or without a line. */
static void assert_refused(const char *name, unsigned line, const char *part) {
        CLEANUP(freep) char *begin = NULL;

        if (line > 0)
                ck_assert_int_ge(asprintf(&begin, "%s/%s:%u: ", folder, name, line), 0);
        else
                ck_assert_int_ge(asprintf(&begin, "%s/%s: ", folder, name), 0);
        load_bad();
        configs_expect_count(diag, 1);
        configs_expect(diag, 0, begin, part);
}

START_TEST(test_include) {
        CLEANUP(config_unrefp) Config *config = NULL;
        CLEANUP(freep) char *directory = configs_path(folder, "conf.d");

        configs_write(folder, MAIN,
                      "daemons: {\n  @include \"conf.d/web.inc\"  # here\n"
                      " db: { command = [ \"/bin/sh\" ]; };\n};\n");
        ck_assert_int_eq(mkdir(directory, 0755), 0);
        /* Relative to the file that includes, nested, without a line feed at the end. */
        configs_write(folder, "conf.d/web.inc",
                      "web: {\n @include \"command.inc\"\nnice = 1; }; # no");
        configs_write(folder, "conf.d/command.inc", "# one\ncommand = [ \"/bin/sh\" ]; // two");
        config = load_good();
        ck_assert_uint_eq(config->daemon_count, 2);
        ck_assert_str_eq(config->daemons[0].name, "web");
        ck_assert_int_eq(config->daemons[0].nice, 1);
        ck_assert_str_eq(config->daemons[0].command[0], "/bin/sh");
        ck_assert_uint_eq(strv_length(config->files), 3);
}
END_TEST

/* Findings stand where the setting does, before, in and behind included files. */
START_TEST(test_places) {
        CLEANUP(freep) char *inner = configs_path(folder, "inner.inc:3: web.b: ");
        CLEANUP(freep) char *main_begin = configs_path(folder, "main.conf:3: web.a: ");
        CLEANUP(freep) char *main_end = configs_path(folder, "main.conf:6: web.c: ");

        configs_write(folder, MAIN,
                      "daemons: {\n web: { command = [ \"/bin/sh\" ];\n a = 1;\n"
                      "@include \"inner.inc\"\n/*\n*/ c = 1;\n}; };\n");
        configs_write(folder, "inner.inc", "\n/*\n*/ b = 1;\n");
        load_bad();
        configs_expect_count(diag, 3);
        configs_expect(diag, 0, main_begin, "no such setting");
        configs_expect(diag, 1, main_end, "no such setting");
        configs_expect(diag, 2, inner, "no such setting");
}
END_TEST

START_TEST(test_refused) {
        configs_write(folder, MAIN, DAEMON "@include \"missing.inc\"\n");
        assert_refused(MAIN, 2, "missing.inc\" does not exist; write that file or remove");
}
END_TEST

START_TEST(test_name_too_long) {
        char text[6000];

        (void) snprintf(text, sizeof(text), "@include \"%05000d\"\n", 0);
        configs_write(folder, MAIN, text);
        assert_refused(MAIN, 1, "cannot be read: ");
}
END_TEST

START_TEST(test_unsafe) {
        CLEANUP(freep) char *file = configs_path(folder, "web.inc");

        configs_write(folder, MAIN, "\n@include \"web.inc\"\n");
        configs_write(folder, "web.inc", DAEMON);
        ck_assert_int_eq(chmod(file, 0666), 0);
        assert_refused(MAIN, 2, "web.inc\" can be written by everybody; run: chmod o-w");
}
END_TEST

START_TEST(test_fifo) {
        CLEANUP(freep) char *fifo = configs_path(folder, "fifo");

        configs_write(folder, MAIN, "@include \"fifo\"\n");
        ck_assert_int_eq(mkfifo(fifo, 0600), 0);
        assert_refused(MAIN, 1, "put a regular file there");
}
END_TEST

START_TEST(test_itself) {
        configs_write(folder, MAIN, DAEMON "@include \"main.conf\"\n");
        assert_refused(MAIN, 2, "include itself");
}
END_TEST

/* Ten files of which each includes the next one twelve times. */
START_TEST(test_bomb) {
        CLEANUP(freep) char *begin = configs_path(folder, "");

        for (int i = 0; i < 10; i++) {
                char name[16], text[512] = "";

                (void) snprintf(name, sizeof(name), i == 0 ? MAIN : "%d.inc", i);
                for (int j = 0; j < 12; j++)
                        (void) sprintf(text + strlen(text), "@include \"%d.inc\"\n", i + 1);
                configs_write(folder, name, text);
        }
        configs_write(folder, "10.inc", "# 2345678901234567890\n");
        load_bad();
        configs_expect_count(diag, 1);
        configs_expect(diag, 0, begin, "more than 100 files are included");
}
END_TEST

/* The limit of one file holds for all of them together, too. */
START_TEST(test_too_large) {
        CLEANUP(freep) char *text = malloc(CONFIG_FILE_MAX / 2);

        ck_assert_ptr_nonnull(text);
        memset(text, '#', CONFIG_FILE_MAX / 2);
        configs_write_bytes(folder, "half.inc", text, CONFIG_FILE_MAX / 2);
        configs_write(folder, MAIN, DAEMON "@include \"half.inc\"\n@include \"half.inc\"\n");
        load_bad();
        configs_expect_count(diag, 1);
        configs_expect(diag, 0, folder, "half.inc:1: up to here more than 16 MiB");
}
END_TEST

/* Nothing may reach libconfig that it would take for an @include of its own. */
START_TEST(test_forms) {
        static const char *const lines[] = {
                "@include \"\"\n",
                "@include web.inc\n",
                "@include \"web.inc\n",
                "@include \"web.inc\" @include \"web.inc\"\n",
                "@include \"web.inc\" a=1;\n",
                "@include\n",
                "\t @includes \"web.inc\"\n",
        };

        configs_write(folder, "web.inc", DAEMON);
        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                configs_write(folder, MAIN, lines[i]);
                assert_refused(MAIN, 1, "write @include \"FILE\" on a line of its own");
                diag = diag_free(diag);
                ck_assert_int_eq(diag_new(&diag), 0);
        }
        configs_write(folder, MAIN, "/*\n*/ @include \"web.inc\"\n");
        assert_refused(MAIN, 2, "a text cannot stand here");
}
END_TEST

/* Brackets open and close in the same file. */
START_TEST(test_brackets) {
        CLEANUP(freep) char *begin = configs_path(folder, "web.inc:1: ");

        configs_write(folder, MAIN, "daemons: {\n@include \"web.inc\"\n");
        configs_write(folder, "web.inc", "};\n");
        load_bad();
        configs_expect(diag, 0, begin, "closes nothing");
        diag = diag_free(diag);
        ck_assert_int_eq(diag_new(&diag), 0);
        configs_write(folder, "web.inc", "web: {\n");
        load_bad();
        configs_expect(diag, 0, begin, "never closed");
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("config/include");
        TCase *tcase = tcase_create("include");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_include);
        tcase_add_test(tcase, test_places);
        tcase_add_test(tcase, test_refused);
        tcase_add_test(tcase, test_name_too_long);
        tcase_add_test(tcase, test_unsafe);
        tcase_add_test(tcase, test_fifo);
        tcase_add_test(tcase, test_itself);
        tcase_add_test(tcase, test_bomb);
        tcase_add_test(tcase, test_too_large);
        tcase_add_test(tcase, test_forms);
        tcase_add_test(tcase, test_brackets);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
