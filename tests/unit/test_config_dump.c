/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * config/dump: what it prints reads back to the same configuration, without a finding, and says
 * where each value came from.
 */

#include <stdio.h>
#include <string.h>

#include "config/load.h"
#include "config/value.h"
#include "configs.h"
#include "unit.h"

static Diag *diag;
static Config *config;
static char *dump;

static void setup(void) {
        ck_assert_int_eq(diag_new(&diag), 0);
        config = NULL;
        dump = NULL;
}

static void teardown(void) {
        free(dump);
        config = config_unref(config);
        diag = diag_free(diag);
}

static char *make_dump(const Config *dumped) {
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        ck_assert_ptr_nonnull(stream);
        ck_assert_int_eq(config_dump(dumped, stream), 0);
        ck_assert_int_eq(fclose(stream), 0);
        return text;
}

/* Reads the text, dumps it, and reads the dump. */
static void assert_round_trip(const char *text) {
        CLEANUP(config_unrefp) Config *again = NULL;

        config = configs_resolve(text, diag);
        configs_expect_count(diag, 0);
        dump = make_dump(config);
        again = configs_resolve(dump, diag);
        configs_expect_count(diag, 0);
        configs_expect_equal(config, again);
}

static void assert_line(const char *line) {
        const char *found = strstr(dump, line);

        ck_assert_msg(found && found[strlen(line)] == '\n', "\"%s\" is no line of it", line);
}

START_TEST(test_defaults) {
        assert_round_trip("daemons: { web: { command = [ \"/bin/web\" ]; }; };");
        assert_line("        drain_timeout = \"20s\"; # default");
        assert_line("        web: { # test.conf:1");
        assert_line("                command = [ \"/bin/web\" ]; # test.conf:1");
        assert_line("                        signals = \"TERM 5s, KILL\"; # default");
        assert_line("                        on = \"any\"; # default");
        assert_line("                # user: the user that the daemon runs as, by name or number");
}
END_TEST

START_TEST(test_everything) {
        assert_round_trip(
                "supervisor: { freeze_timeout = \"1s\"; drain_timeout = 0; cgroups = false;\n"
                "  cleanup_timeout = \"1min 30s 5ms\"; runtime_directory = \"/run/\\\"x\\\"\";\n"
                "  log_priority = \"debug\"; };\n"
                "daemons: { db: { command = ( \"/bin/db\" ); };\n"
                " web-2: { command = [ \"/bin/web\", \"\", \"a\\n\\\"b\\\\\",\n"
                "  \"\\x01\\x7f\", \"ä\" ]; type = \"forking\"; pidfile = \"/run/web.pid\";\n"
                "  requires = \"db\"; after = [ \"db\" ];\n"
                "  essential = true; user = \"www\"; group = \"web\"; groups = ( \"a\", \"b\" );\n"
                "  directory = \"/srv\"; umask = \"7777\"; environment = [ \"A=1\", \"B=\" ];\n"
                "  nice = -5; oom_score_adjust = 500; no_new_privileges = true;\n"
                "  limits: { nofile = 1024; core = \"0:infinity\"; as = \"3G\"; };\n"
                "  output: { to = \"file\"; file = \"/var/log/web\"; identifier = \"w\"; };\n"
                "  ready: { on = \"listen\"; timeout = \"9s\"; port = 80; };\n"
                "  freeze: { signal = \"RTMIN+3\"; timeout = 0; };\n"
                "  drain: { command = [ \"/bin/d\", \"x\" ]; signal = \"USR1\";\n"
                "           interval = \"2s\"; timeout = \"1d\"; };\n"
                "  stop: { signals = \"QUIT 2s 1us, 50 1h, KILL\"; };\n"
                "  cleanup: { command = [ \"/bin/c\" ]; remove = \"/run/x\"; timeout = \"4s\"; };\n"
                "  restart: { policy = \"on-failure\"; delay = \"1s\"; delay_max = \"2s\";\n"
                "             reset = \"3s\"; limit = 0; };\n"
                "}; };\n");
        assert_line("        cleanup_timeout = \"1min 30s 5ms\"; # test.conf:2");
        assert_line("                        as = \"3221225472\"; # test.conf:11");
        assert_line("                        until = \"command\"; # default");
}
END_TEST

/* Every setting has its line: with its value, or as a comment with what it is good for. */
START_TEST(test_complete) {
        assert_round_trip("daemons: { web: { command = [ \"/bin/web\" ]; }; };");
        for (size_t i = 0; i < schema_daemon_count; i++) {
                const Setting *setting = &schema_daemon[i];
                const char *dot = strchr(setting->path, '.');
                const char *name = dot ? dot + 1 : setting->path;
                char line[512];

                if (value_is_set(setting, &config->daemons[0]))
                        (void) snprintf(line, sizeof(line), " %s = ", name);
                else
                        (void) snprintf(line, sizeof(line), " # %s: %s\n", name, setting->help);
                ck_assert_msg(strstr(dump, line), "there is no line \"%s\"", line);
        }
}
END_TEST

/* Whatever a file is called, its name does not end the comment that it stands in. */
START_TEST(test_odd_file_names) {
        CLEANUP(config_unrefp) Config *again = NULL;

        ck_assert_int_eq(config_new(&config), 0);
        ck_assert_int_eq(config_read_text("daemons: { web: { command = [ \"/bin/web\" ]; }; };",
                                          "a\n\"{\r */.conf", diag, config),
                         0);
        ck_assert_int_eq(config_resolve(config, diag), 0);
        dump = make_dump(config);
        again = configs_resolve(dump, diag);
        configs_expect_count(diag, 0);
        configs_expect_equal(config, again);
}
END_TEST

START_TEST(test_full_disk) {
        FILE *stream = fopen("/dev/full", "w");

        ck_assert_ptr_nonnull(stream);
        config = configs_resolve("daemons: { web: { command = [ \"/bin/web\" ]; }; };", diag);
        ck_assert_int_lt(config_dump(config, stream), 0);
        (void) fclose(stream);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("config/dump");
        TCase *tcase = tcase_create("dump");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, test_defaults);
        tcase_add_test(tcase, test_everything);
        tcase_add_test(tcase, test_complete);
        tcase_add_test(tcase, test_odd_file_names);
        tcase_add_test(tcase, test_full_disk);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
