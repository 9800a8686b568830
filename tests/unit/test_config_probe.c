/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Probes as they are configured: what belongs together, addresses, regular expressions. */

#include <stdio.h>
#include <string.h>

#include "config/pattern.h"
#include "configs.h"
#include "unit.h"

#define AT CONFIGS_FILE ":1: web."

/* ---- what belongs together ---- */

START_TEST(test_needed) {
        web_expect("ready: { on = \"command\"; };", AT "ready.on: ", "needs ready.command");
        web_expect("ready: { on = \"log\"; };", AT "ready.on: ", "needs ready.line");
        web_expect("health: { on = \"tcp\"; };", AT "health.on: ", "needs health.address");
        web_expect("health: { on = \"unix\"; };", AT "health.on: ", "needs health.path");
        web_expect("health: { on = \"file\"; };", AT "health.on: ", "needs health.path");
        web_expect("health: { on = \"command\"; };", AT "health.on: ", "needs health.command");
        web_expect("type = \"oneshot\"; health: { on = \"listen\"; };", AT "health.on: ",
                   "nothing of a \"oneshot\" is left");
        web_is_good("health: { on = \"notify\"; timeout = \"30s\"; };");
        web_is_good("health: { on = \"listen\"; port = 80; failures = 1; successes = 9; };");
        web_is_good("ready: { command = [ \"/bin/p\" ]; };");
        web_is_good("ready: { line = \"up\"; };");
}
END_TEST

START_TEST(test_without_effect) {
        web_expect("health: { interval = \"1s\"; };", AT "health.interval: warning: ",
                   "health.on = \"none\"");
        web_expect("health: { timeout = \"1s\"; };", AT "health.timeout: warning: ",
                   "health.on = \"none\"");
        web_expect("health: { on = \"notify\"; failures = 2; };", AT "health.failures: warning: ",
                   "health.on = \"notify\"");
        web_expect("ready: { on = \"exec\"; line = \"up\"; };", AT "ready.line: warning: ",
                   "ready.on = \"log\"");
        web_expect("ready: { on = \"exec\"; interval = \"2s\"; };",
                   AT "ready.interval: warning: ", "ready.on = \"command\"");
}
END_TEST

START_TEST(test_an_output_that_cannot_be_read_back) {
        web_expect("ready: { line = \"up\"; }; output: { to = \"null\"; };", AT "ready.on: ",
                   "write output.to = \"journal\" or \"file\"");
        web_expect("ready: { line = \"up\"; }; output: { to = \"inherit\"; };", AT "ready.on: ",
                   "can be read back");
        web_is_good("ready: { line = \"up\"; }; output: { to = \"file\"; file = \"/log\"; };");
}
END_TEST

START_TEST(test_bounds) {
        web_expect("health: { on = \"listen\"; interval = \"1ms\"; };", AT "health.interval: ",
                   "100ms");
        web_expect("health: { on = \"listen\"; failures = 0; };", AT "health.failures: ", "1");
        web_expect("health: { on = \"listen\"; port = 65536; };", AT "health.port: ", "65535");
        web_expect("health: { on = \"pidfile\"; };", AT "health.on: ", "pidfile");
}
END_TEST

/* ---- addresses ---- */

static const char *const bad_addresses[] = {
        "",           "localhost:80", "127.0.0.1",       "127.0.0.1:",  "127.0.0.1:0",
        "1.2.3:80",   "[::1]",        "[::1:80",         "::1:80",      "127.0.0.1:65536",
        "[zz]:80",    "127.0.0.1:8O", "256.0.0.1:80",    "[::1]:80x",   " 127.0.0.1:80",
};

START_TEST(test_addresses) {
        char settings[256];

        snprintf(settings, sizeof(settings), "health: { on = \"tcp\"; address = \"%s\"; };",
                 bad_addresses[_i]);
        web_expect(settings, AT "health.address: ", "");
}
END_TEST

START_TEST(test_long_paths) {
        char settings[256];

        snprintf(settings, sizeof(settings), "health: { on = \"unix\"; path = \"/%0*d\"; };", 107,
                 0);
        web_expect(settings, AT "health.path: ", "more than 107 bytes");
}
END_TEST

/* ---- regular expressions ---- */

static const struct {
        const char *line, *why; /* NULL: it is fine */
} patterns[] = {
        { "ready to (serve|accept)", NULL },
        { "^[0-9]{1,3}(\\.[0-9]{1,3}){3} up$", NULL },
        { "", NULL },
        { "a{2,}b{0,9}", NULL },
        { "(unclosed", "Unmatched ( or \\(" },
        { "[unclosed", "Unmatched [" },
        { "*", "Invalid preceding regular expression" },
        { "a{2,1}", "Invalid content of \\{\\}" },
        { "trailing\\", "Trailing backslash" },
        { "[[:nothing:]]", "Invalid character class name" },
        { "[z-a]", "Invalid range end" },
        /* of these glibc would make gigabytes */
        { "a{1,30000}", "it repeats too much" },
        { "(((a{1,99}){1,99}){1,99}){1,99}", "it repeats too much" },
        { "a{1,99999999999999999999999}", "it repeats too much" },
};

START_TEST(test_patterns) {
        char why[PATTERN_WHY_MAX] = "";
        bool valid = pattern_is_valid(patterns[_i].line, why);

        ck_assert_msg(valid == !patterns[_i].why, "\"%s\": %s", patterns[_i].line, why);
        if (!valid)
                ck_assert_msg(strstr(why, patterns[_i].why), "\"%s\" does not say \"%s\"", why,
                              patterns[_i].why);
}
END_TEST

START_TEST(test_a_bad_pattern_is_found) {
        web_expect("ready: { line = \"(up\"; };", AT "ready.line: ",
                   "\"(up\" is no regular expression to use: Unmatched (");
        web_expect("ready: { on = \"exec\"; line = \"up\"; };", AT "ready.line: warning: ", "");
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("config/probe");
        TCase *tcase = tcase_create("probe");

        tcase_add_test(tcase, test_needed);
        tcase_add_test(tcase, test_without_effect);
        tcase_add_test(tcase, test_an_output_that_cannot_be_read_back);
        tcase_add_test(tcase, test_bounds);
        tcase_add_loop_test(tcase, test_addresses, 0, (int) ELEMENTSOF(bad_addresses));
        tcase_add_test(tcase, test_long_paths);
        tcase_add_loop_test(tcase, test_patterns, 0, (int) ELEMENTSOF(patterns));
        tcase_add_test(tcase, test_a_bad_pattern_is_found);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
