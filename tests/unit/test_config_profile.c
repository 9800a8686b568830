/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Profiles: found, read before the daemon's own settings, and refused with their own lines. */

#include "config/profile.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/strv.h"
#include "config/load.h"
#include "configs.h"
#include "unit.h"

static Diag *diag;
static Config *config;
static char *main_file;
static char place[CONFIGS_FOLDER_MAX];

static void write_profile(const char *name, const char *text) {
        CLEANUP(freep) char *path = NULL;

        ck_assert_int_gt(asprintf(&path, "profiles/%s", name), 0);
        configs_write(place, path, text);
}

static void setup(void) {
        CLEANUP(freep) char *directory = NULL;

        configs_folder_make(place);
        ck_assert_int_gt(asprintf(&main_file, "%s/main.conf", place), 0);
        ck_assert_int_gt(asprintf(&directory, "%s/profiles", place), 0);
        ck_assert_int_eq(mkdir(directory, 0755), 0);
        ck_assert_int_eq(diag_new(&diag), 0);
}

static void teardown(void) {
        config = config_unref(config);
        diag = diag_free(diag);
        free(TAKE(main_file));
        configs_folder_remove(place);
}

static int load(const char *daemons) {
        CLEANUP(freep) char *text = NULL;

        ck_assert_int_gt(asprintf(&text, "daemons: { %s };\n", daemons), 0);
        configs_write(place, "main.conf", text);
        return config_load(main_file, diag, &config);
}

static void expect_error(const char *part, const char *other) {
        ck_assert_uint_ge(diag_count(diag), 1);
        CLEANUP(freep) char *text = finding_text(diag_get(diag, 0));
        if (!strstr(text, part) || !strstr(text, other))
                ck_abort_msg("\"%s\" does not say \"%s\" and \"%s\"", text, part, other);
}

START_TEST(its_settings_are_the_daemons) {
        write_profile("true.conf", "# true\n"
                                   "command = [ \"/bin/true\", \"-x\" ];\n"
                                   "ready: { timeout = \"7s\"; };\n"
                                   "stop: { signals = \"INT 1s, KILL\"; };\n"
                                   "environment = [ \"A=1\" ];\n");
        ck_assert_int_eq(load("d: { profile = \"true\"; };"), 0);
        const DaemonConfig *daemon = &config->daemons[0];
        ck_assert_str_eq(daemon->command[0], "/bin/true");
        ck_assert_uint_eq(daemon->ready.timeout, 7 * USEC_PER_SEC);
        ck_assert_uint_eq(daemon->stop.count, 2);
        ck_assert_str_eq(daemon->profile, "true");
}
END_TEST

START_TEST(single_settings_take_their_place) {
        write_profile("true.conf", "command = [ \"/bin/true\", \"-x\" ];\n"
                                   "ready: { timeout = \"7s\"; };\n"
                                   "stop: { signals = \"INT 1s, KILL\"; };\n"
                                   "limits: { nofile = \"64\"; };\n"
                                   "environment = [ \"A=1\", \"B=2\" ];\n");
        ck_assert_int_eq(load("d: { command = [ \"/bin/false\" ]; profile = \"true\";\n"
                              "stop: { signals = \"QUIT 3s, TERM 1s, KILL\"; };\n"
                              "environment = [ \"C=3\" ]; limits: { nofile = \"65\"; }; };"),
                         0);
        const DaemonConfig *daemon = &config->daemons[0];
        ck_assert_uint_eq(strv_length(daemon->command), 1);
        ck_assert_str_eq(daemon->command[0], "/bin/false");
        ck_assert_uint_eq(daemon->ready.timeout, 7 * USEC_PER_SEC);
        ck_assert_uint_eq(daemon->stop.count, 3);
        ck_assert_uint_eq(strv_length(daemon->environment), 1);
        ck_assert_uint_eq(daemon->limits.value[RLIMIT_NOFILE].rlim_cur, 65);
}
END_TEST

START_TEST(it_may_name_files_of_other_versions) {
        write_profile("true.conf", "command = [ \"/bin/true\" ];\n"
                                   "reload: { files = [ \"/surely-not-there\" ]; };\n");
        ck_assert_int_eq(load("d: { profile = \"true\"; };"), 0);
        ck_assert_uint_eq(diag_count(diag), 0);
        config = config_unref(config);
        ck_assert_int_eq(load("d: { profile = \"true\";"
                              "reload: { files = [ \"/not-there\" ]; }; };"),
                         0);
        expect_error("main.conf:1: d.reload.files: warning: ", "/not-there\" does not exist");
}
END_TEST

START_TEST(two_daemons_may_begin_with_the_same) {
        write_profile("true.conf", "command = [ \"/bin/true\" ];\n");
        ck_assert_int_eq(load("a: { profile = \"true\"; }; b: { profile = \"true\"; };"), 0);
        ck_assert_uint_eq(config->daemon_count, 2);
}
END_TEST

START_TEST(what_is_wrong_in_it_is_told_with_its_line) {
        write_profile("true.conf", "command = [ \"/bin/true\" ];\nready: { timeot = \"7s\"; };\n");
        ck_assert_int_eq(load("d: { profile = \"true\"; };"), CONFIG_E_INVALID);
        expect_error("profiles/true.conf:2: d.ready.timeot", "did you mean \"timeout\"");
}
END_TEST

START_TEST(what_cannot_be_parsed_is_told) {
        write_profile("true.conf", "command = [ \"/bin/true\" ];\nready: {\n");
        ck_assert_int_eq(load("d: { profile = \"true\"; };"), CONFIG_E_INVALID);
        expect_error("profiles/true.conf:2: ", "never closed");
}
END_TEST

START_TEST(an_unknown_one_gives_the_nearest) {
        write_profile("nginy.conf", "command = [ \"/bin/true\" ];\n");
        ck_assert_int_eq(load("d: { profile = \"nginyy\"; };"), CONFIG_E_INVALID);
        expect_error("main.conf:1: d.profile: there is no profile \"nginyy\"",
                     "did you mean \"nginy\"");
}
END_TEST

START_TEST(no_name_leads_elsewhere) {
        static const char *const names[] = { "../main", "/etc/passwd", "", ".hidden", "a/b" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                char *path = NULL;

                ck_assert_int_eq(profile_find(main_file, names[i], &path), PROFILE_E_NAME);
        }
}
END_TEST

START_TEST(a_profile_has_no_profile) {
        write_profile("true.conf", "command = [ \"/bin/true\" ];\nprofile = \"true\";\n");
        ck_assert_int_eq(load("d: { profile = \"true\"; };"), CONFIG_E_INVALID);
        expect_error("profiles/true.conf:2: d.profile", "cannot begin with another one");
}
END_TEST

START_TEST(one_that_everybody_can_write_is_refused) {
        CLEANUP(freep) char *path = NULL;

        write_profile("true.conf", "command = [ \"/bin/true\" ];\n");
        ck_assert_int_gt(asprintf(&path, "%s/profiles/true.conf", place), 0);
        ck_assert_int_eq(chmod(path, 0666), 0);
        ck_assert_int_eq(load("d: { profile = \"true\"; };"), CONFIG_E_INVALID);
        expect_error("can be written by everybody", "chmod o-w");
}
END_TEST

START_TEST(twice_by_hand_is_still_an_error) {
        write_profile("true.conf", "command = [ \"/bin/true\" ];\nnice = 1;\n");
        ck_assert_int_eq(load("d: { profile = \"true\"; nice = 2; nice = 3; };"), CONFIG_E_INVALID);
        expect_error("main.conf:1", "second time");
}
END_TEST

START_TEST(names_are_listed_once) {
        CLEANUP(strv_freep) char **names = NULL;

        write_profile("b.conf", "");
        write_profile("a.conf", "");
        write_profile("no", "");
        ck_assert_int_eq(profile_names(main_file, &names), 0);
        ck_assert(strv_contains(names, "a"));
        ck_assert(strv_contains(names, "b"));
        ck_assert(!strv_contains(names, "no"));
}
END_TEST

/* Its times are proven defaults, but not what the administrator wrote. */
START_TEST(its_times_are_scaled_to_fit_grace) {
        CLEANUP(freep) char *dump = NULL;
        size_t size;

        write_profile("true.conf", "command = [ \"/bin/true\" ];\n"
                                   "drain: { until = \"jobs\"; timeout = \"40s\"; };\n"
                                   "stop: { signals = \"INT 6s, TERM 4s, KILL\"; };\n");
        configs_write(place, "main.conf",
                      "supervisor: { grace = \"30s\"; };\n"
                      "daemons: { a: { profile = \"true\"; };\n"
                      "b: { profile = \"true\"; drain: { timeout = \"4s\"; }; }; };\n");
        ck_assert_int_eq(config_load(main_file, diag, &config), 0);
        ck_assert_uint_eq(diag_count(diag), 0);

        /* 49% of 5 + 40 + 10 s in 27 s */
        const DaemonConfig *a = &config->daemons[0], *b = &config->daemons[1];
        ck_assert_uint_eq(a->drain.timeout, 19600 * USEC_PER_MSEC);
        ck_assert_uint_eq(a->stop.steps[0].wait, 2940 * USEC_PER_MSEC);
        ck_assert_uint_eq(a->stop.steps[1].wait, 1960 * USEC_PER_MSEC);
        ck_assert_uint_eq(b->drain.timeout, 4 * USEC_PER_SEC);

        FILE *stream = open_memstream(&dump, &size);
        ck_assert_ptr_nonnull(stream);
        ck_assert_int_eq(config_dump(config, stream), 0);
        (void) fclose(stream);
        ck_assert_ptr_nonnull(strstr(dump, "/profiles/true.conf:2, scaled to 49% to fit "));
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("config/profile");
        TCase *tcase = tcase_create("profile");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, its_settings_are_the_daemons);
        tcase_add_test(tcase, single_settings_take_their_place);
        tcase_add_test(tcase, its_times_are_scaled_to_fit_grace);
        tcase_add_test(tcase, it_may_name_files_of_other_versions);
        tcase_add_test(tcase, two_daemons_may_begin_with_the_same);
        tcase_add_test(tcase, what_is_wrong_in_it_is_told_with_its_line);
        tcase_add_test(tcase, what_cannot_be_parsed_is_told);
        tcase_add_test(tcase, an_unknown_one_gives_the_nearest);
        tcase_add_test(tcase, no_name_leads_elsewhere);
        tcase_add_test(tcase, a_profile_has_no_profile);
        tcase_add_test(tcase, one_that_everybody_can_write_is_refused);
        tcase_add_test(tcase, twice_by_hand_is_still_an_error);
        tcase_add_test(tcase, names_are_listed_once);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
