/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * config/read and config/read_value: what is said about wrong values and types, and unknown names.
 */

#include <stdio.h>
#include <string.h>

#include "configs.h"
#include "unit.h"

#define AT CONFIGS_FILE ":1: "

/* One daemon "web" with these settings, and the one finding about them. */
static void assert_refused(const char *settings, const char *begin, const char *part) {
        CLEANUP(freep) char *text = NULL;

        ck_assert_int_ge(asprintf(&text, "daemons: { web: { command = [ \"/bin/true\" ]; %s }; };",
                                  settings),
                         0);
        configs_expect_one(text, begin, part);
}

START_TEST(test_statuses) {
        assert_refused("stop: { success = [ 0, 256 ]; command = [ \"/bin/true\" ]; };",
                       AT "web.stop.success: 256 is out of range", "from 0 to 255");
        assert_refused("stop: { success = -1; command = [ \"/bin/true\" ]; };",
                       AT "web.stop.success: -1 is out of range", "[ 0, 3 ]");
        assert_refused("stop: { success = [ \"x\" ]; command = [ \"/bin/true\" ]; };",
                       AT "web.stop.success: \"x\" is not an array of exit statuses",
                       "write [ 0, 3 ]");
        assert_refused("stop: { success = 4; };", AT "web.stop.success: warning: it has no effect",
                       "without stop.command");
        assert_refused("type = \"simple\"; start: { success = 4; };",
                       AT "web.start.success: warning: it has no",
                       "type = \"auto\"");
}
END_TEST

START_TEST(test_durations) {
        assert_refused("ready: { timeout = 5; };", AT "web.ready.timeout: 5 is not a duration",
                       "write \"5s\"");
        assert_refused("ready: { timeout = \"5\"; };", AT "web.ready.timeout: \"5\" is not",
                       "write \"");
        assert_refused("ready: { timeout = 1.5; };", AT "web.ready.timeout: 1.5 is not",
                       "write \"");
        assert_refused("ready: { timeout = \"2d\"; };",
                       AT "web.ready.timeout: \"2d\" is out of range", "from 1ms to 1d");
        assert_refused("drain: { timeout = -5; until = \"jobs\"; };", AT "web.drain.timeout: -5",
                       "write \"");
        assert_refused("drain: { timeout = \"infinity\"; until = \"jobs\"; };",
                       AT "web.drain.timeout: \"infinity\" is out of range", "from 0 to 1d");
}
END_TEST

START_TEST(test_numbers) {
        assert_refused("nice = \"5\";", AT "web.nice: \"5\" is not a whole number", "write 5");
        assert_refused("nice = 20;", AT "web.nice: 20 is out of range", "from -20 to 19");
        assert_refused("nice = 2147483647;", AT "web.nice: 2147483647 is out", "from -20 to 19");
        assert_refused("nice = 0x10;", AT "web.nice: 16 is not", "write 10");
        assert_refused("nice = 1.0;", AT "web.nice: 1 is not", "write 10");
        assert_refused("nice = true;", AT "web.nice: true is not", "write 10");
        assert_refused("nice = [ 1 ];", AT "web.nice: an array is not", "write 10");
        assert_refused("nice = { a = 1; };", AT "web.nice: a group is not", "write 10");
        assert_refused("ready: { on = \"listen\"; port = 65536; };", AT "web.ready.port: 65536",
                       "from 0 to 65535");
}
END_TEST

START_TEST(test_truth_values) {
        assert_refused("essential = \"true\";", AT "web.essential: \"true\"", "write true");
        assert_refused("essential = \"off\";", AT "web.essential: \"off\"", "write false");
        assert_refused("essential = 1;", AT "web.essential: 1 is not", "write true");
        assert_refused("essential = \"maybe\";", AT "web.essential: ", "write true");
}
END_TEST

START_TEST(test_words) {
        assert_refused("umask = 27;", AT "web.umask: 27 is not an octal mode", "write \"0027\"");
        assert_refused("freeze: { signal = 15; };", AT "web.freeze.signal: 15", "write \"TERM\"");
        assert_refused("freeze: { signal = \"SIGFOO\"; };", AT "web.freeze.signal: \"SIGFOO\"",
                       "write \"TERM\"");
        assert_refused("user = 1000;", AT "web.user: 1000 is not", "write \"1000\"");
        assert_refused("user = \"\";", AT "web.user: \"\" is not", "write \"");
        assert_refused("pidfile = \"web.pid\";",
                       AT "web.pidfile: \"web.pid\" is not an absolute path", "write \"/");
        assert_refused("type = \"froking\";", AT "web.type: \"froking\"", "write \"forking\"");
        assert_refused("type = \"x\";", AT "web.type: \"x\"",
                       "write one of \"auto\", \"simple\", \"notify\"");
        assert_refused("type = 3;", AT "web.type: 3", "write one of");
        assert_refused("output: { priority = \"inof\"; };", AT "web.output.priority: \"inof\"",
                       "write \"info\"");
        assert_refused("limits: { nofile = -1; };", AT "web.limits.nofile: -1", "infinity");
        assert_refused("limits: { nofile = \"9:8\"; };", AT "web.limits.nofile: \"9:8\"",
                       "not above the hard one");
        assert_refused("stop: { signals = \"TERM 5, KILL\"; };",
                       AT "web.stop.signals: ", "write \"QUIT 20s, TERM 5s, KILL\"");
        assert_refused("stop: { signals = [ \"TERM\" ]; };", AT "web.stop.signals: an array",
                       "write \"QUIT");
}
END_TEST

START_TEST(test_commands) {
        configs_expect_one("daemons: { w: { command = \"/bin/a  -b c\"; }; };",
                           AT "w.command: ", "write [ \"/bin/a\", \"-b\", \"c\" ]");
        configs_expect_one("daemons: { w: { command = \"/bin/a 'b c' | d\"; }; };",
                           AT "w.command: ", "write [ \"/bin/sh\", \"-c\", \"/bin/a 'b c' | d\" ]");
        configs_expect_one("daemons: { w: { command = \"\"; }; };", AT "w.command: \"\"",
                           "write [ \"/");
        configs_expect_one("daemons: { w: { command = \" \"; }; };", AT "w.command: \" \"",
                           "write [ \"/");
        configs_expect_one("daemons: { w: { command = []; }; };", AT "w.command: an array",
                           "write [ \"/");
        configs_expect_one("daemons: { w: { command = (); }; };", AT "w.command: a list",
                           "write [ \"/");
        configs_expect_one("daemons: { w: { command = [ \"\", \"a\" ]; }; };", AT "w.command: \"\"",
                           "write [ \"/");
        configs_expect_one("daemons: { w: { command = ( \"/bin/a\", 1 ); }; };", AT "w.command: 1",
                           "write [ \"/");
        configs_expect_one("daemons: { w: { command = ( ( \"/bin/a\" ) ); }; };",
                           AT "w.command: a list", "write [ \"/");
        configs_expect_one("daemons: { w: { command = true; }; };", AT "w.command: true",
                           "write [ \"/");
}
END_TEST

START_TEST(test_lists) {
        assert_refused("groups = [ 1 ];", AT "web.groups: 1 is not", "write [ \"");
        assert_refused("groups = ( \"a\", { b = 1; } );", AT "web.groups: a group", "write [ \"");
        assert_refused("cleanup: { remove = \"x\"; };", AT "web.cleanup.remove: \"x\"",
                       "write [ \"/");
        assert_refused("environment = [ \"A=1\", \"B\" ];", AT "web.environment: \"B\"",
                       "write [ \"LANG=C\"");
        configs_expect_good(
                "daemons: { w: { command = [ \"/bin/a\" ]; groups = []; requires = (); }; };");
        configs_expect_good(
                "daemons: { w: { command = [ \"/bin/a\" ]; environment = \"A=1\"; }; };");
}
END_TEST

START_TEST(test_unknown) {
        assert_refused("nicee = 1;", AT "web.nicee: there is no such setting", "\"nice\"");
        assert_refused("drian: { timeout = \"5s\"; xyz = 5; };", AT "web.drian: ", "\"drain\"");
        assert_refused("drain: { timeuot = \"5s\"; };", AT "web.drain.timeuot: ", "\"timeout\"");
        assert_refused("signals = \"TERM 5s, KILL\";", AT "web.signals: ", "\"stop.signals\"");
        assert_refused("ready: { pidfile = \"/run/x\"; };",
                       AT "web.ready.pidfile: ", "\"pidfile\"");
        assert_refused("xyzzy = 1;", AT "web.xyzzy: ", "remove it");
        assert_refused("drain: { drain: { timeout = 1; }; };", AT "web.drain.drain: ", "remove it");
        assert_refused("drain = \"5s\";", AT "web.drain: this is a group", "write drain: {");
        configs_expect_one("supervisor: { drain_timeuot = \"5s\"; };",
                           AT "supervisor.drain_timeuot: ", "\"drain_timeout\"");
        configs_expect_one("daemon: { web: { }; };", AT, "write daemons");
        configs_expect_one("web: { command = [ \"/bin/true\" ]; };", AT, "daemons: {");
        configs_expect_one("supervisor = 3;", AT "supervisor: ", "supervisor: {");
        configs_expect_one("daemons = ( { name = \"web\"; } );", AT "daemons: ", "daemons: {");
        configs_expect_one("daemons: { web = \"/bin/true\"; };", AT "web: a daemon is a group",
                           "write web: {");
}
END_TEST

START_TEST(test_names) {
        char text[128], name[66];

        configs_expect_one("daemons: { *: { command = [ \"/bin/true\" ]; }; };", AT, "letters");
        configs_expect_one("daemons: { a*: { command = [ \"/bin/true\" ]; }; };", AT, "letters");
        for (int length = 64; length <= 65; length++) {
                memset(name, 'a', sizeof(name));
                name[length] = '\0';
                (void) snprintf(text, sizeof(text), "daemons: { %s: { command = [ \"/b\" ]; }; };",
                                name);
                if (length == 64)
                        configs_expect_good(text);
                else
                        configs_expect_one(text, AT, "at most 64");
        }
}
END_TEST

START_TEST(test_all_at_once) {
        CLEANUP(diag_freep) Diag *diag = NULL;
        CLEANUP(config_unrefp) Config *config = NULL;

        ck_assert_int_eq(diag_new(&diag), 0);
        config = configs_resolve("supervisor: { cgroups = 1; };\ndaemons: {\n"
                                 " a: { command = 1; nice = 50; };\n"
                                 " b: { type = \"x\"; command = [ \"/bin/b\" ]; umsak = 1; };\n"
                                 "};\nother = 1;\n",
                                 diag);
        configs_expect_count(diag, 6);
        ck_assert_uint_eq(diag_errors(diag), 6);
        configs_expect(diag, 0, CONFIGS_FILE ":1: supervisor.cgroups: ", "write true");
        configs_expect(diag, 1, CONFIGS_FILE ":3: a.command: ", "write [");
        configs_expect(diag, 2, CONFIGS_FILE ":3: a.nice: ", "write a number");
        configs_expect(diag, 3, CONFIGS_FILE ":4: b.type: ", "write one of");
        configs_expect(diag, 4, CONFIGS_FILE ":4: b.umsak: ", "\"umask\"");
        configs_expect(diag, 5, CONFIGS_FILE ":6: ", "\"other\"");
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("config/findings");
        TCase *tcase = tcase_create("findings");

        tcase_add_test(tcase, test_statuses);
        tcase_add_test(tcase, test_durations);
        tcase_add_test(tcase, test_numbers);
        tcase_add_test(tcase, test_truth_values);
        tcase_add_test(tcase, test_words);
        tcase_add_test(tcase, test_commands);
        tcase_add_test(tcase, test_lists);
        tcase_add_test(tcase, test_unknown);
        tcase_add_test(tcase, test_names);
        tcase_add_test(tcase, test_all_at_once);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
