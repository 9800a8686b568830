/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * config/read: texts to values, and texts that cannot be read at all. Wrong values are the business
 * of test_config_findings, files that of test_config_load.
 */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "config/load.h"
#include "configs.h"
#include "unit.h"

#define AT CONFIGS_FILE ":1: "

static Diag *diag;
static Config *config;

static void setup(void) {
        ck_assert_int_eq(diag_new(&diag), 0);
        config = NULL;
}

static void teardown(void) {
        config = config_unref(config);
        diag = diag_free(diag);
}

/* A text that libconfig or what stands before it refuses as a whole. */
static void assert_unreadable(const char *text, const char *begin, const char *part) {
        CLEANUP(diag_freep) Diag *findings = NULL;
        CLEANUP(config_unrefp) Config *partial = NULL;

        ck_assert_int_eq(diag_new(&findings), 0);
        ck_assert_int_eq(config_new(&partial), 0);
        ck_assert_int_eq(config_read_text(text, CONFIGS_FILE, findings, partial), CONFIG_E_INVALID);
        configs_expect_count(findings, 1);
        configs_expect(findings, 0, begin, part);
}

static const DaemonConfig *get_daemon(const char *name) {
        const DaemonConfig *daemon = config_find(config, name);

        ck_assert_msg(daemon, "there is no daemon %s", name);
        return daemon;
}

static void assert_words(char *const *words, const char *const *expected) {
        for (; *expected; words++, expected++)
                ck_assert_str_eq(*words, *expected);
        ck_assert_ptr_null(*words);
}

static const char everything[] =
        "supervisor: { freeze_timeout = \"1s\"; drain_timeout = \"2s\"; cleanup_timeout = \"3s\";\n"
        "  runtime_directory = \"/run/x\"; state_directory = \"/var/x\"; cgroups = false;\n"
        "  log_priority = \"debug\"; grace = \"90s\";\n"
        "  control = \"/run/x/c\"; admin_group = \"adm\"; reader_group = \"users\"; };\n"
        "daemons: {\n"
        "  db: { command = [ \"/bin/db\" ]; };\n"
        "  web: {\n"
        "    command = [ \"/bin/web\", \"-c\", \"a b\" ];\n"
        "    type = \"forking\"; pidfile = \"/run/web.pid\";\n"
        "    requires = [ \"db\" ]; after = \"db\";\n"
        "    essential = true; user = \"www\"; group = \"web\"; groups = ( \"a\", \"b\" );\n"
        "    directory = \"/srv\"; umask = \"0077\"; environment = [ \"A=1\", \"B=\" ];\n"
        "    nice = -5; oom_score_adjust = 500; no_new_privileges = true;\n"
        "    limits: { nofile = 1024; core = \"0:infinity\"; };\n"
        "    output: { to = \"file\"; file = \"/var/log/web\"; identifier = \"w\";\n"
        "              priority = \"err\"; };\n"
        "    ready: { on = \"listen\"; timeout = \"9s\"; address = \"[::1]:80\"; port = 80;\n"
        "             path = \"/run/s\"; command = [ \"/bin/p\" ]; interval = \"7s\";\n"
        "             command_timeout = \"8s\"; line = \"up$\"; };\n"
        "    health: { on = \"tcp\"; address = \"80\"; port = 81; path = \"/run/h\";\n"
        "              command = [ \"/bin/h\" ]; interval = \"3s\"; timeout = \"2s\";\n"
        "              failures = 4; successes = 5; };\n"
        "    freeze: { method = \"signal\"; signal = \"QUIT\"; command = [ \"/bin/f\" ];\n"
        "              thaw_signal = \"CONT\"; thaw_command = [ \"/bin/t\" ];\n"
        "              timeout = 0; };\n"
        "    drain: { until = \"jobs\"; signal = \"USR1\"; command = [ \"/bin/d\", \"x\" ];\n"
        "             path = \"/run/d\"; count = \"http\"; quiet = \"1s\";\n"
        "             interval = \"2s\"; timeout = \"1h\"; };\n"
        "    start: { success = 3; };\n"
        "    stop: { signals = \"QUIT 2s, KILL\"; command = [ \"/bin/s\" ];\n"
        "            command_timeout = \"7s\"; success = [ 0, 255 ]; };\n"
        "    cleanup: { leftovers = \"wait\"; wait = \"5s\";\n"
        "               command = [ \"/bin/c\" ]; remove = [ \"/run/x\" ]; timeout = \"4s\"; };\n"
        "    restart: { policy = \"on-failure\"; delay = \"1s\"; delay_max = \"2s\";\n"
        "               jitter = 20; window = \"40s\";\n"
        "               reset = \"3s\"; limit = 0; };\n"
        "    reload: { check = [ \"/bin/t\" ]; signal = \"HUP\"; command = [ \"/bin/r\" ];\n"
        "              files = [ \"/etc/w\", \"/etc/w.d\" ]; timeout = \"6s\"; };\n"
        "  };\n"
        "};\n";

/* Every setting of the schema stands in there, so that none is forgotten. */
START_TEST(test_everything) {
        const DaemonConfig *web;

        config = configs_read(everything, diag);
        configs_expect_count(diag, 0);
        ck_assert_uint_eq(config->daemon_count, 2);
        web = get_daemon("web");
        ck_assert_uint_eq(web->index, 1);
        for (size_t i = 0; i < schema_supervisor_count; i++)
                ck_assert_msg(config->supervisor.origins[i].file, "%s", schema_supervisor[i].path);
        for (size_t i = 0; i < schema_daemon_count; i++)
                if (schema_daemon[i].type != SETTING_LIMIT &&
                    strcmp(schema_daemon[i].path, "profile") != 0) /* a file of its own */
                        ck_assert_msg(web->origins[i].file, "%s", schema_daemon[i].path);
}
END_TEST

START_TEST(test_supervisor_values) {
        const SupervisorConfig *supervisor;

        config = configs_read(everything, diag);
        supervisor = &config->supervisor;
        ck_assert_uint_eq(supervisor->freeze_timeout, 1 * USEC_PER_SEC);
        ck_assert_uint_eq(supervisor->drain_timeout, 2 * USEC_PER_SEC);
        ck_assert_uint_eq(supervisor->cleanup_timeout, 3 * USEC_PER_SEC);
        ck_assert_uint_eq(supervisor->grace, 90 * USEC_PER_SEC);
        ck_assert_str_eq(supervisor->runtime_directory, "/run/x");
        ck_assert_str_eq(supervisor->state_directory, "/var/x");
        ck_assert_str_eq(supervisor->control, "/run/x/c");
        ck_assert(!supervisor->cgroups);
        ck_assert_int_eq(supervisor->log_priority, LOG_DEBUG);
}
END_TEST

START_TEST(test_daemon_values) {
        const DaemonConfig *web;

        config = configs_read(everything, diag);
        web = get_daemon("web");
        assert_words(web->command, (const char *[]) { "/bin/web", "-c", "a b", NULL });
        ck_assert_int_eq(web->type, DAEMON_FORKING);
        ck_assert_str_eq(web->pidfile, "/run/web.pid");
        assert_words(web->requires, (const char *[]) { "db", NULL });
        assert_words(web->after, (const char *[]) { "db", NULL });
        ck_assert(web->essential);
        ck_assert_str_eq(web->user, "www");
        ck_assert_str_eq(web->group, "web");
        assert_words(web->groups, (const char *[]) { "a", "b", NULL });
        ck_assert_str_eq(web->directory, "/srv");
        ck_assert_uint_eq(web->umask, 0077);
        assert_words(web->environment, (const char *[]) { "A=1", "B=", NULL });
        ck_assert_int_eq(web->nice, -5);
        ck_assert_int_eq(web->oom_score_adjust, 500);
        ck_assert(web->no_new_privileges);
        ck_assert(web->limits.set[RLIMIT_NOFILE]);
        ck_assert_uint_eq(web->limits.value[RLIMIT_NOFILE].rlim_cur, 1024);
        ck_assert_uint_eq(web->limits.value[RLIMIT_NOFILE].rlim_max, 1024);
        ck_assert_uint_eq(web->limits.value[RLIMIT_CORE].rlim_cur, 0);
        ck_assert_uint_eq(web->limits.value[RLIMIT_CORE].rlim_max, RLIM_INFINITY);
        ck_assert(!web->limits.set[RLIMIT_AS]);
}
END_TEST

START_TEST(test_group_values) {
        const DaemonConfig *web;

        config = configs_read(everything, diag);
        web = get_daemon("web");
        ck_assert_int_eq(web->output.to, OUTPUT_FILE);
        ck_assert_str_eq(web->output.file, "/var/log/web");
        ck_assert_str_eq(web->output.identifier, "w");
        ck_assert_int_eq(web->output.priority, LOG_ERR);
        ck_assert_int_eq(web->ready.on, READY_LISTEN);
        ck_assert_uint_eq(web->ready.timeout, 9 * USEC_PER_SEC);
        ck_assert_str_eq(web->ready.address, "[::1]:80");
        ck_assert_int_eq(web->ready.port, 80);
        ck_assert_str_eq(web->ready.path, "/run/s");
        assert_words(web->ready.command, (const char *[]) { "/bin/p", NULL });
        ck_assert_str_eq(web->ready.line, "up$");
        ck_assert_uint_eq(web->ready.interval, 7 * USEC_PER_SEC);
        ck_assert_uint_eq(web->ready.command_timeout, 8 * USEC_PER_SEC);
        ck_assert_int_eq(web->health.on, HEALTH_TCP);
        ck_assert_str_eq(web->health.address, "80");
        ck_assert_int_eq(web->health.port, 81);
        ck_assert_str_eq(web->health.path, "/run/h");
        assert_words(web->health.command, (const char *[]) { "/bin/h", NULL });
        ck_assert_uint_eq(web->health.interval, 3 * USEC_PER_SEC);
        ck_assert_uint_eq(web->health.timeout, 2 * USEC_PER_SEC);
        ck_assert_int_eq(web->health.failures, 4);
        ck_assert_int_eq(web->health.successes, 5);
        ck_assert_int_eq(web->freeze.method, FREEZE_SIGNAL);
        ck_assert_int_eq(web->freeze.signo, SIGQUIT);
        assert_words(web->freeze.command, (const char *[]) { "/bin/f", NULL });
        ck_assert_uint_eq(web->freeze.timeout, 0);
        ck_assert_int_eq(web->drain.until, DRAIN_JOBS);
        ck_assert_int_eq(web->drain.signo, SIGUSR1);
        assert_words(web->drain.command, (const char *[]) { "/bin/d", "x", NULL });
        ck_assert_uint_eq(web->drain.interval, 2 * USEC_PER_SEC);
        ck_assert_uint_eq(web->drain.timeout, 3600 * USEC_PER_SEC);
        ck_assert_uint_eq(web->stop.count, 2);
        ck_assert_int_eq(web->stop.steps[1].signo, SIGKILL);
        ck_assert(status_set_is_success(&web->start.success, 3));
        ck_assert(!status_set_is_success(&web->start.success, 0));
        assert_words(web->stop_by.command, (const char *[]) { "/bin/s", NULL });
        ck_assert_uint_eq(web->stop_by.timeout, 7 * USEC_PER_SEC);
        ck_assert(status_set_is_success(&web->stop_by.success, 0));
        ck_assert(status_set_is_success(&web->stop_by.success, 255));
        ck_assert(!status_set_is_success(&web->stop_by.success, 1));
        ck_assert_int_eq(web->cleanup.leftovers, LEFTOVERS_WAIT);
        ck_assert_uint_eq(web->cleanup.wait, 5 * USEC_PER_SEC);
        assert_words(web->cleanup.command, (const char *[]) { "/bin/c", NULL });
        assert_words(web->cleanup.remove, (const char *[]) { "/run/x", NULL });
        ck_assert_uint_eq(web->cleanup.timeout, 4 * USEC_PER_SEC);
        ck_assert_int_eq(web->restart.policy, RESTART_ON_FAILURE);
        ck_assert_uint_eq(web->restart.delay, 1 * USEC_PER_SEC);
        ck_assert_uint_eq(web->restart.delay_max, 2 * USEC_PER_SEC);
        ck_assert_uint_eq(web->restart.reset, 3 * USEC_PER_SEC);
        ck_assert_int_eq(web->restart.jitter, 20);
        ck_assert_int_eq(web->restart.limit, 0);
        ck_assert_uint_eq(web->restart.window, 40 * USEC_PER_SEC);
        assert_words(web->reload.check, (const char *[]) { "/bin/t", NULL });
        ck_assert_int_eq(web->reload.signo, SIGHUP);
        assert_words(web->reload.command, (const char *[]) { "/bin/r", NULL });
        assert_words(web->reload.files, (const char *[]) { "/etc/w", "/etc/w.d", NULL });
        ck_assert_uint_eq(web->reload.timeout, 6 * USEC_PER_SEC);
}
END_TEST

START_TEST(test_defaults) {
        const DaemonConfig *web;

        config = configs_read("daemons: { web: { command = [ \"/bin/web\" ]; }; };", diag);
        configs_expect_count(diag, 0);
        web = get_daemon("web");
        ck_assert_uint_eq(config->supervisor.freeze_timeout, 5 * USEC_PER_SEC);
        ck_assert_uint_eq(config->supervisor.drain_timeout, 20 * USEC_PER_SEC);
        ck_assert_uint_eq(config->supervisor.cleanup_timeout, 10 * USEC_PER_SEC);
        ck_assert_int_eq(web->type, DAEMON_AUTO);
        ck_assert_str_eq(web->directory, "/");
        ck_assert_uint_eq(web->umask, 0022);
        ck_assert_int_eq(web->ready.on, READY_AUTO);
        ck_assert_uint_eq(web->ready.timeout, 30 * USEC_PER_SEC);
        ck_assert_uint_eq(web->freeze.timeout, USEC_INFINITY);
        ck_assert_uint_eq(web->drain.timeout, USEC_INFINITY);
        ck_assert_uint_eq(web->cleanup.timeout, USEC_INFINITY);
        ck_assert_uint_eq(stop_schedule_total(&web->stop), 5 * USEC_PER_SEC);
        ck_assert(status_set_is_success(&web->start.success, 0));
        ck_assert(!status_set_is_success(&web->start.success, 1));
        ck_assert_int_eq(web->restart.policy, RESTART_ALWAYS);
        ck_assert_int_eq(web->restart.limit, 5);
        ck_assert_ptr_null(web->user);
}
END_TEST

START_TEST(test_places) {
        config = configs_read("# a comment\n/* one\n more */ daemons:\n{\n web: {\n command =\n"
                              " [ \"/bin/true\",\n   \"x\"\n ]; nice = 1;\n };\n};\n",
                              diag);
        configs_expect_count(diag, 0);
        ck_assert_uint_eq(get_daemon("web")->origin.line, 5);
        ck_assert_str_eq(get_daemon("web")->origin.file, CONFIGS_FILE);
        for (size_t i = 0; i < schema_daemon_count; i++)
                if (strcmp(schema_daemon[i].path, "command") == 0)
                        ck_assert_uint_eq(get_daemon("web")->origins[i].line, 6);
                else if (strcmp(schema_daemon[i].path, "nice") == 0)
                        ck_assert_uint_eq(get_daemon("web")->origins[i].line, 9);
                else
                        ck_assert_ptr_null(get_daemon("web")->origins[i].file);
}
END_TEST

START_TEST(test_syntax) {
        assert_unreadable("daemons: {\n web: {\n  ready: { timeout = 5s; };\n };\n};",
                          CONFIGS_FILE ":3: ", "timeout = 5s;");
        assert_unreadable("daemons: {\n web: { nice = 1;\n nice = 2; };\n};",
                          CONFIGS_FILE ":3: ", "second time");
        assert_unreadable("daemons: { web: { command = [ \"a\", 1 ]; }; };", AT, "of one kind");
        assert_unreadable("daemons: {\n web: {\n };\n", AT, "never closed");
        assert_unreadable("daemons: {\n web: [ \"a\" };\n};",
                          CONFIGS_FILE ":2: ", "write \"]\" first");
        assert_unreadable("daemons: {\n};\n};", CONFIGS_FILE ":3: ", "closes nothing");
        assert_unreadable("daemons: {\n web: { user = \"abc; };\n};\n",
                          CONFIGS_FILE ":2: ", "close its quotes");
        assert_unreadable("a = 1;\n/* daemons: { };\n", CONFIGS_FILE ":2: ", "write \"*/\"");
        assert_unreadable("daemons: { \"web\": { }; };", AT, "NAME = ");
        assert_unreadable("daemons: { a = 1, \"web\"; };", AT, "NAME = ");
        assert_unreadable("=", AT, "write NAME");
        assert_unreadable("daemons: { web: { user = ; }; };", AT, "write NAME");
        assert_unreadable("\xef\xbb\xbf"
                          "daemons: { };",
                          AT, "write NAME");
}
END_TEST

/* libconfig 1.5 would take the first two for 0 and 1, and 1.7 the last two as octal. */
START_TEST(test_large_numbers) {
        assert_unreadable("daemons: { w: { limits: { as = 4294967296; }; }; };", AT,
                          "4294967296 is too large");
        assert_unreadable("daemons: { w: { nice = -4294967295; }; };", AT,
                          "4294967295 is too large");
        assert_unreadable("daemons: { w: { nice = 99999999999999999999999999; }; };", AT,
                          "99999999999999999999… is too large");
        assert_unreadable("daemons: { w: { nice = 010; }; };", AT, "010 begins with 0");
        assert_unreadable("daemons: { w: { umask = 0022; }; };", AT, "an octal mode in quotes");
        configs_expect_good("daemons: { w99999999999999: { command = [ \"/b\" ]; nice = +5;"
                            " limits: { as = 2147483647; rss = \"4294967296\"; }; }; };");
}
END_TEST

/* What looks like syntax in texts and comments is none. */
START_TEST(test_texts_and_comments) {
        config =
                configs_resolve("# \" { [ (\n// \" }\n/* \" { ) \n@include \"x\"\n*/\n"
                                "daemons: { web: { command = [ \"/bin/{[(\\\"#\" \"//\\\\\", \"/*\n"
                                "@include \\\"y\\\"\n\" ]; /**/ }; } # end",
                                diag);
        configs_expect_count(diag, 0);
        assert_words(get_daemon("web")->command,
                     (const char *[]) { "/bin/{[(\"#//\\", "/*\n@include \"y\"\n", NULL });
}
END_TEST

START_TEST(test_doubled_between_texts) {
        config = configs_read("supervisor: { cgroups = true; };\n"
                              "daemons: { web: { command = [ \"/bin/a\" ]; }; };",
                              diag);
        ck_assert_int_eq(config_read_text("daemons: { x: { command = [ \"/bin/b\" ]; };\n"
                                          "web: { command = [ \"/bin/b\" ]; nicee = 1; }; };\n"
                                          "supervisor: { cgroups = false; };",
                                          "other.conf", diag, config),
                         0);
        configs_expect_count(diag, 2);
        configs_expect(diag, 0, "other.conf:2: web: ", CONFIGS_FILE ":2; remove or rename");
        configs_expect(diag, 1,
                       "other.conf:3: supervisor.cgroups: ", CONFIGS_FILE ":1; remove one");
        ck_assert_uint_eq(config->daemon_count, 2);
        ck_assert_str_eq(get_daemon("web")->command[0], "/bin/a");
        ck_assert(config->supervisor.cgroups);
}
END_TEST

/* begin, then count times part, then end. */
static char *make_long(const char *begin, const char *part, size_t count, const char *end) {
        char *text = malloc(strlen(begin) + count * strlen(part) + strlen(end) + 1), *at;

        ck_assert_ptr_nonnull(text);
        at = stpcpy(text, begin);
        for (size_t i = 0; i < count; i++)
                at = stpcpy(at, part);
        (void) strcpy(at, end);
        return text;
}

START_TEST(test_nesting) {
        static const char *const parts[] = { "{a:", "(", "[", "({a:" };

        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                CLEANUP(freep) char *text = make_long("a:", parts[i], 100000, "");

                assert_unreadable(text, AT, "within each other");
        }
}
END_TEST

START_TEST(test_huge_texts) {
        CLEANUP(freep)
        char *word = make_long("daemons: { w: { command = [ \"/bin/a\", \"", "x", 1 << 20,
                               "\" ]; }; };");
        CLEANUP(freep)
        char *escapes = make_long("daemons: { w: { command = [ \"/bin/a\", \"", "\\n", 1 << 16,
                                  "\" ]; }; };");
        CLEANUP(freep)
        char *user = make_long("daemons: { w: { command = [ \"/bin/a\" ]; user = \"", "\\n",
                               1 << 16, "\"; }; };");
        CLEANUP(freep)
        char *name = make_long("daemons: { w: { command = [ \"/bin/a\" ]; ", "n", 1 << 20,
                               " = 1; }; };");
        CLEANUP(freep)
        char *comment =
                make_long("daemons: { w: { command = [ \"/bin/a\" ]; }; }; #", "#", 1 << 20, "");

        configs_expect_good(word);
        configs_expect_good(escapes);
        configs_expect_one(user, AT "w.user: ", "write \"");
        configs_expect_one(name, AT "w.nnnn", "remove it");
        configs_expect_good(comment);
}
END_TEST

START_TEST(test_huge_numbers) {
        CLEANUP(freep)
        char *elements =
                make_long("daemons: { w: { command = [ \"/b\"", ", \"a\"", 500000, " ]; }; };");
        CLEANUP(freep) char *settings = make_long("daemons: {", "a = 1;", 500000, "};");
        CLEANUP(freep) char *doubled = make_long("daemons: {", "a = 1;", 1000, "};");

        assert_unreadable(elements, AT, "far too many");
        assert_unreadable(settings, AT, "far too many");
        assert_unreadable(doubled, AT, "second time");
}
END_TEST

/* More errors than anybody would read. */
START_TEST(test_many_errors) {
        CLEANUP(freep) char *text = malloc(100000 * 32);
        char *at;

        ck_assert_ptr_nonnull(text);
        at = stpcpy(text, "daemons: {\n");
        for (int i = 0; i < 1000; i++) {
                at += sprintf(at, "w%d: {", i);
                for (int j = 0; j < 100; j++)
                        at += sprintf(at, "a%d = 1;\n", j);
                at = stpcpy(at, "};");
        }
        (void) strcpy(at, "};");
        ck_assert_int_eq(config_new(&config), 0);
        ck_assert_int_eq(config_read_text(text, CONFIGS_FILE, diag, config), CONFIG_E_INVALID);
        ck_assert_uint_eq(diag_count(diag), 1001);
        configs_expect(diag, 1000, CONFIGS_FILE ":1002: ", "mend these first");
}
END_TEST

START_TEST(test_many_daemons) {
        CLEANUP(freep) char *text = malloc(2000 * 64);
        char *at = stpcpy(text, "daemons: {\n");

        ck_assert_ptr_nonnull(text);
        for (int i = 0; i < 2000; i++)
                at += sprintf(at, "w%d: { command = [ \"/bin/true\" ]; };\n", i);
        (void) strcpy(at, "};");
        config = configs_resolve(text, diag);
        configs_expect_count(diag, 0);
        ck_assert_uint_eq(config->daemon_count, 2000);
        for (unsigned i = 0; i < 2000; i++) {
                ck_assert_uint_eq(config->daemons[i].index, i);
                ck_assert_uint_eq(config->daemons[i].origin.line, i + 2);
        }
}
END_TEST

/* A reference holds the configuration; ASan sees one too many or too few. */
START_TEST(test_references) {
        config = configs_read("daemons: { web: { command = [ \"/bin/web\" ]; }; };", diag);
        ck_assert_ptr_eq(config_ref(config), config);
        ck_assert_ptr_null(config_unref(config));
        ck_assert_str_eq(get_daemon("web")->name, "web");
        ck_assert_ptr_null(config_find(config, "we"));
        ck_assert_ptr_null(config_unref(NULL));
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("config/read");
        TCase *values = tcase_create("values"), *texts = tcase_create("texts");

        tcase_add_checked_fixture(values, setup, teardown);
        tcase_add_test(values, test_everything);
        tcase_add_test(values, test_supervisor_values);
        tcase_add_test(values, test_daemon_values);
        tcase_add_test(values, test_group_values);
        tcase_add_test(values, test_defaults);
        tcase_add_test(values, test_places);
        tcase_add_test(values, test_references);
        suite_add_tcase(suite, values);

        tcase_add_checked_fixture(texts, setup, teardown);
        tcase_add_test(texts, test_syntax);
        tcase_add_test(texts, test_large_numbers);
        tcase_add_test(texts, test_texts_and_comments);
        tcase_add_test(texts, test_doubled_between_texts);
        tcase_add_test(texts, test_nesting);
        tcase_add_test(texts, test_huge_texts);
        tcase_add_test(texts, test_huge_numbers);
        tcase_add_test(texts, test_many_errors);
        tcase_add_test(texts, test_many_daemons);
        suite_add_tcase(suite, texts);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
