/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * config/resolve and config/order: AUTO values, contradictions, settings without effect, the graph
 * and its cycles.
 */

#include <stdio.h>
#include <string.h>

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

/* One warning, and the configuration stands. */
static void assert_warning(const char *settings, const char *begin, const char *part) {
        CLEANUP(diag_freep) Diag *findings = NULL;
        CLEANUP(config_unrefp) Config *resolved = NULL;
        CLEANUP(freep) char *text = web_text(settings);

        ck_assert_int_eq(diag_new(&findings), 0);
        resolved = configs_resolve(text, findings);
        configs_expect_count(findings, 1);
        ck_assert_uint_eq(diag_errors(findings), 0);
        configs_expect(findings, 0, begin, part);
}

typedef struct AutoCase {
        const char *settings;
        ReadyOn ready;
        FreezeMethod freeze;
        DrainUntil drain;
} AutoCase;

static const AutoCase auto_cases[] = {
        { "type = \"simple\";", READY_EXEC, FREEZE_SOCKETS, DRAIN_IDLE },
        { "", READY_ANY, FREEZE_SOCKETS, DRAIN_IDLE },
        { "type = \"notify\";", READY_NOTIFY, FREEZE_SOCKETS, DRAIN_IDLE },
        { "type = \"forking\";", READY_EXIT, FREEZE_SOCKETS, DRAIN_IDLE },
        { "type = \"forking\"; pidfile = \"/run/x\";", READY_PIDFILE, FREEZE_SOCKETS, DRAIN_IDLE },
        { "pidfile = \"/run/x\";", READY_ANY, FREEZE_SOCKETS, DRAIN_IDLE },
        { "ready: { on = \"auto\"; };", READY_ANY, FREEZE_SOCKETS, DRAIN_IDLE },
        { "ready: { on = \"listen\"; };", READY_LISTEN, FREEZE_SOCKETS, DRAIN_IDLE },
        { "type = \"forking\"; ready: { on = \"listen\"; port = 80; };", READY_LISTEN,
          FREEZE_SOCKETS, DRAIN_IDLE },
        { "freeze: { signal = \"QUIT\"; };", READY_ANY, FREEZE_SIGNAL, DRAIN_EXIT },
        { "freeze: { command = [ \"/f\" ]; };", READY_ANY, FREEZE_COMMAND, DRAIN_IDLE },
        { "drain: { signal = \"QUIT\"; };", READY_ANY, FREEZE_SOCKETS, DRAIN_EXIT },
        { "drain: { command = [ \"/d\" ]; };", READY_ANY, FREEZE_SOCKETS, DRAIN_COMMAND },
        { "drain: { command = [ \"/d\" ]; signal = \"QUIT\"; };", READY_ANY, FREEZE_SOCKETS,
          DRAIN_COMMAND },
        { "freeze: { signal = \"QUIT\"; }; drain: { until = \"jobs\"; };", READY_ANY,
          FREEZE_SIGNAL, DRAIN_JOBS },
        { "freeze: { signal = \"QUIT\"; }; drain: { until = \"none\"; };", READY_ANY,
          FREEZE_SIGNAL, DRAIN_NONE },
        { "freeze: { method = \"none\"; }; drain: { until = \"auto\"; };", READY_ANY, FREEZE_NONE,
          DRAIN_NONE },
        { "freeze: { method = \"hold\"; };", READY_ANY, FREEZE_HOLD, DRAIN_IDLE },
        { "freeze: { method = \"rename\"; };", READY_ANY, FREEZE_RENAME, DRAIN_IDLE },
        { "freeze: { method = \"dispatcher\"; };", READY_ANY, FREEZE_DISPATCHER, DRAIN_JOBS },
        { "freeze: { method = \"cgroup\"; };", READY_ANY, FREEZE_CGROUP, DRAIN_NONE },
};

START_TEST(test_auto) {
        const AutoCase *expected = &auto_cases[_i];
        CLEANUP(freep) char *text = web_text(expected->settings);
        const DaemonConfig *web;

        config = configs_resolve(text, diag);
        configs_expect_count(diag, 0);
        web = &config->daemons[0];
        ck_assert_int_eq(web->ready.on, expected->ready);
        ck_assert_int_eq(web->freeze.method, expected->freeze);
        ck_assert_int_eq(web->drain.until, expected->drain);
        ck_assert_str_eq(web->output.identifier, "web");
}
END_TEST

START_TEST(test_identifier) {
        CLEANUP(freep) char *text = web_text("output: { identifier = \"other\"; };");

        config = configs_resolve(text, diag);
        ck_assert_str_eq(config->daemons[0].output.identifier, "other");
}
END_TEST

START_TEST(test_command_missing) {
        configs_expect_one("daemons: { web: { }; };", AT "web.command: ", "write command = [");
        /* A refused one was given: once is enough. */
        configs_expect_one("daemons: { web: { command = 1; }; };", AT "web.command: ", "1 is not");
}
END_TEST

START_TEST(test_needed) {
        web_expect("ready: { on = \"pidfile\"; };", AT "web.ready.on: \"pidfile\" needs pidfile",
                   "set");
        web_expect("ready: { on = \"tcp\"; };", AT "web.ready.on: \"tcp\" needs ready.address",
                   "set");
        web_expect("ready: { on = \"unix\"; };", AT "web.ready.on: \"unix\" needs ready.path",
                   "set");
        web_expect("ready: { on = \"file\"; };", AT "web.ready.on: \"file\" needs ready.path",
                   "set");
        web_expect("freeze: { method = \"signal\"; };", AT "web.freeze.method: ", "freeze.signal");
        web_expect("freeze: { method = \"command\"; };",
                   AT "web.freeze.method: ", "freeze.command");
        web_expect("drain: { until = \"command\"; };", AT "web.drain.until: ", "drain.command");
        web_expect("output: { to = \"file\"; };", AT "web.output.to: \"file\" needs output.file",
                   "set");
        /* What was given wrongly is not missing. */
        web_expect("pidfile = \"x\"; ready: { on = \"pidfile\"; };",
                   AT "web.pidfile: ", "absolute");
        web_is_good("ready: { on = \"tcp\"; address = \"127.0.0.1:80\"; };");
        web_is_good("ready: { on = \"unix\"; path = \"/run/s\"; };");
        web_is_good("output: { to = \"file\"; file = \"/var/log/web\"; };");
        web_is_good("pidfile = \"/run/x\"; ready: { on = \"pidfile\"; };");
}
END_TEST

START_TEST(test_restart_window) {
        web_is_good("restart: { window = \"7s\"; };");
        assert_warning("restart: { limit = 0; window = \"7s\"; };", AT "web.restart.window: ",
                       "no effect with restart.limit = 0");
        web_expect("restart: { limit = 65; window = \"1h\"; };", AT "web.restart.window: ",
                   "no more than 64 restarts");
        /* 200 ms, 400 ms, … */
        web_expect("restart: { window = \"5s\"; };", AT "web.restart.window: ",
                   "5 restarts take at least 6s 200ms by their growing delays");
}
END_TEST

START_TEST(test_without_effect) {
        assert_warning("cleanup: { wait = \"3s\"; };", AT "web.cleanup.wait: warning: it has no "
                       "effect", "write cleanup.leftovers = \"wait\"");
        assert_warning("ready: { port = 80; };", AT "web.ready.port: warning: it has no effect",
                       "ready.on = \"listen\"");
        assert_warning("ready: { on = \"tcp\"; address = \"[::1]:80\"; port = 80; };",
                       AT "web.ready.port: warning: ", "ready.on = \"listen\"");
        assert_warning("ready: { address = \"[::1]:80\"; };",
                       AT "web.ready.address: warning: ", "ready.on = \"tcp\"");
        assert_warning("ready: { path = \"/x\"; };",
                       AT "web.ready.path: warning: ", "ready.on = \"unix\"");
        assert_warning("freeze: { signal = \"QUIT\"; command = [ \"/f\" ]; };",
                       AT "web.freeze.signal: warning: ", "freeze.method = \"signal\"");
        assert_warning("freeze: { method = \"none\"; command = [ \"/f\" ]; };",
                       AT "web.freeze.command: warning: ", "freeze.method = \"command\"");
        assert_warning("freeze: { method = \"none\"; timeout = \"1s\"; };",
                       AT "web.freeze.timeout: warning: ", "freeze.method");
        assert_warning("drain: { until = \"jobs\"; command = [ \"/d\" ]; };",
                       AT "web.drain.command: warning: ", "drain.until = \"command\"");
        assert_warning("drain: { interval = \"2s\"; };",
                       AT "web.drain.interval: warning: ", "drain.until = \"command\"");
        assert_warning("drain: { until = \"none\"; timeout = \"2s\"; };",
                       AT "web.drain.timeout: warning: ", "drain.until");
        assert_warning("output: { to = \"null\"; priority = \"err\"; };",
                       AT "web.output.priority: warning: ", "output.to = \"journal\"");
        assert_warning("restart: { policy = \"never\"; limit = 3; };",
                       AT "web.restart.limit: warning: ", "restart.policy");
        assert_warning("drain: { until = \"exit\"; signal = \"USR1\"; count = \"http\"; };",
                       AT "web.drain.count: warning: ", "drain.until = \"idle\"");
        assert_warning("drain: { until = \"jobs\"; count = \"http\"; };"
                       " cleanup: { leftovers = \"wait\"; };",
                       AT "web.drain.count: warning: ", "drain.until = \"idle\"");
        /* What a crash leaves is measured all the same. */
        web_is_good("drain: { until = \"exit\"; signal = \"USR1\"; count = \"http\"; };"
                    " cleanup: { leftovers = \"wait\"; };");
        web_expect("output: { file = \"/x\"; };", AT "web.output.file: nothing is written to it",
                   "output.to = \"file\"");
        /* As it would be anyway. */
        web_is_good("ready: { port = 0; }; drain: { interval = \"1s\"; }; output: { to = \"null\";"
                    " priority = \"info\"; }; restart: { policy = \"never\"; limit = 5; };");
}
END_TEST

START_TEST(test_ready_exit) {
        web_expect("ready: { on = \"exit\"; };", AT "web.ready.on: ", "type = \"forking\"");
        web_expect("type = \"notify\"; ready: { on = \"exit\"; };",
                   AT "web.ready.on: ", "type = \"forking\"");
        web_is_good("type = \"forking\"; pidfile = \"/run/x\"; ready: { on = \"exit\"; };");
}
END_TEST

START_TEST(test_socket_path) {
        char settings[256];

        for (int length = 107; length <= 108; length++) {
                (void) snprintf(settings, sizeof(settings),
                                "ready: { on = \"unix\"; path = \"/%0*d\"; };", length - 1, 0);
                if (length == 107)
                        web_is_good(settings);
                else
                        web_expect(settings, AT "web.ready.path: ", "more than 107 bytes");
        }
        (void) snprintf(settings, sizeof(settings),
                        "ready: { on = \"file\"; path = \"/%0*d\"; };", 150, 0);
        web_is_good(settings);
}
END_TEST

START_TEST(test_addresses) {
        static const char *const good[] = { "127.0.0.1:80", "[::1]:443", "[2001:db8::1]:1",
                                            ":80",          "80",        "0.0.0.0:65535" };
        static const char *const bad[] = {
                "localhost:80", "127.0.0.1",    "127.0.0.1:",     "127.0.0.1:0", "127.0.0.1:65536",
                "::1:80",       "[::1:80",      "::1]:80",        "[]:80",       "[::1]",
                "127.1:80",     "1.2.3.4.5:80", "[127.0.0.1]:80", "x",           ":"
        };
        char settings[256];

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                (void) snprintf(settings, sizeof(settings),
                                "ready: { on = \"tcp\"; address = \"%s\"; };", good[i]);
                web_is_good(settings);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                (void) snprintf(settings, sizeof(settings),
                                "ready: { on = \"tcp\"; address = \"%s\"; };", bad[i]);
                web_expect(settings, AT "web.ready.address: ", "write \"127.0.0.1:80\"");
        }
}
END_TEST

START_TEST(test_drain_exit) {
        assert_warning("drain: { until = \"exit\"; };",
                       AT "web.drain.until: warning: ", "set drain.signal");
        web_is_good("drain: { until = \"exit\"; signal = \"QUIT\"; };");
        web_is_good("freeze: { command = [ \"/f\" ]; }; drain: { until = \"exit\"; };");
}
END_TEST

START_TEST(test_stop) {
        web_expect("stop: { signals = \"TERM, KILL\"; };", AT "web.stop.signals: the step \"TERM\"",
                   "write \"TERM 5s\"");
        web_expect("stop: { signals = \"TERM infinity, KILL\"; };",
                   AT "web.stop.signals: ", "TERM 5s");
        web_expect("stop: { signals = \"TERM 1s, KILL 1s, TERM\"; };",
                   AT "web.stop.signals: ", "remove what follows");
        web_expect("stop: { signals = \"KILL, TERM\"; };",
                   AT "web.stop.signals: ", "remove what follows");
        web_is_good("stop: { signals = \"TERM\"; };");
        web_is_good("stop: { signals = \"QUIT 1s, TERM\"; };");
        web_is_good("stop: { signals = \"KILL\"; };");
}
END_TEST

START_TEST(test_restart) {
        web_expect("restart: { delay = \"2min\"; };",
                   AT "web.restart.delay: ", "delay_max = \"2min\"");
        web_expect("restart: { delay_max = \"100ms\"; };",
                   AT "web.restart.delay_max: ", "delay_max = \"200ms\"");
        web_is_good("restart: { delay = \"2s\"; delay_max = \"2s\"; };");
}
END_TEST

START_TEST(test_reload) {
        web_expect("reload: { signal = \"HUP\"; command = [ \"/bin/r\" ]; };",
                   AT "web.reload.command: ", "remove one of them");
        web_expect("reload: { signal = \"KILL\"; };", AT "web.reload.signal: ",
                   "no daemon reads anything at KILL; write the one");
        web_expect("reload: { signal = \"STOP\"; };", AT "web.reload.signal: ", "at STOP");
        assert_warning("reload: { files = [ \"/etc/web\" ]; timeout = \"5s\"; };",
                       AT "web.reload.timeout: warning: ", "nothing takes that time");
        web_is_good("reload: { files = [ \"/etc/web\" ]; };"); /* then a change is a restart */
        web_is_good("reload: { check = [ \"/bin/t\" ]; timeout = \"5s\"; };");
        web_is_good("reload: { signal = \"HUP\"; };"); /* when somebody asks for it */
        web_is_good("reload: { check = [ \"/bin/t\" ]; command = [ \"/bin/r\" ];"
                    " files = [ \"/etc/web\", \"/etc/web.d\" ]; timeout = \"5s\"; };");
}
END_TEST

START_TEST(test_pidfiles) {
        config = configs_resolve("daemons: {\n"
                                 "a: { command = [ \"/a\" ]; pidfile = \"/run/x\"; };\n"
                                 "b: { command = [ \"/a\" ]; pidfile = \"/run/y\"; };\n"
                                 "c: { command = [ \"/a\" ]; pidfile = \"/run/x\"; };\n"
                                 "d: { command = [ \"/a\" ]; };\n"
                                 "e: { command = [ \"/a\" ]; };\n};",
                                 diag);
        configs_expect_count(diag, 1);
        configs_expect(diag, 0, CONFIGS_FILE ":4: c.pidfile: ", "pidfile of a; give each its own");
}
END_TEST

/* Lines 1 … of daemons with these needs. */
static void resolve_needs(const char *const (*needs)[2], size_t count) {
        CLEANUP(freep) char *text = malloc(64 + count * 128);
        char *at;

        ck_assert_ptr_nonnull(text);
        at = stpcpy(text, "daemons: {");
        for (size_t i = 0; i < count; i++)
                at += sprintf(at, "%s: { command = [ \"/bin/sh\" ]; %s };\n", needs[i][0],
                              needs[i][1]);
        (void) strcpy(at, "};");
        config = configs_resolve(text, diag);
}

START_TEST(test_graph) {
        const char *const needs[][2] = {
                { "web", "requires = [ \"app\" ]; after = [ \"log\" ];" },
                { "app", "requires = [ \"db\" ]; after = [ \"db\", \"log\" ];" },
                { "db", "" },
                { "log", "" },
        };
        GraphEdges edges;

        resolve_needs(needs, ELEMENTSOF(needs));
        configs_expect_count(diag, 0);
        ck_assert_uint_eq(graph_size(config->graph), 4);
        edges = graph_needs(config->graph, 0);
        ck_assert_uint_eq(edges.count, 2);
        ck_assert_uint_eq(edges.edges[0].node, 1);
        ck_assert(edges.edges[0].required);
        ck_assert_uint_eq(edges.edges[1].node, 3);
        ck_assert(!edges.edges[1].required);
        edges = graph_needs(config->graph, 1);
        ck_assert_uint_eq(edges.count, 2);
        ck_assert(edges.edges[0].required);
        ck_assert_uint_eq(graph_needed_by(config->graph, 3).count, 2);
}
END_TEST

START_TEST(test_unknown_names) {
        const char *const needs[][2] = {
                { "web", "requires = [ \"bakend\", \"xyz\" ];" },
                { "backend", "after = [ \"backend\" ];" },
        };

        resolve_needs(needs, ELEMENTSOF(needs));
        configs_expect_count(diag, 3);
        configs_expect(diag, 0, CONFIGS_FILE ":1: web.requires: ", "did you mean \"backend\"?");
        configs_expect(diag, 1, CONFIGS_FILE ":1: web.requires: ", "no daemon \"xyz\"");
        configs_expect(diag, 2, CONFIGS_FILE ":2: backend.after: ", "cannot wait for itself");
}
END_TEST

START_TEST(test_cycle) {
        const char *const needs[][2] = {
                { "x", "requires = [ \"web\" ];" },
                { "web", "requires = [ \"app\" ];" },
                { "app", "after = [ \"db\" ];" },
                { "db", "requires = [ \"web\" ];" },
        };

        resolve_needs(needs, ELEMENTSOF(needs));
        configs_expect_count(diag, 1);
        configs_expect(diag, 0, CONFIGS_FILE ":2: web.requires: ",
                       "each other: web -> app -> db -> web; remove one");
}
END_TEST

/* Cycles that have nothing to do with each other are all reported, each once. */
START_TEST(test_cycles) {
        const char *const needs[][2] = {
                { "a", "after = [ \"b\" ];" },
                { "b", "requires = [ \"a\" ]; after = [ \"a\" ];" },
                { "c", "" },
                { "d", "requires = [ \"e\", \"c\" ];" },
                { "e", "requires = [ \"d\", \"f\" ];" },
                { "f", "requires = [ \"e\" ];" },
        };
        unsigned order[6];

        resolve_needs(needs, ELEMENTSOF(needs));
        configs_expect_count(diag, 3);
        configs_expect(diag, 0, CONFIGS_FILE ":1: a.after: ", "a -> b -> a");
        configs_expect(diag, 1, CONFIGS_FILE ":4: d.requires: ", "d -> e -> d");
        configs_expect(diag, 2, CONFIGS_FILE ":5: e.requires: ", "e -> f -> e");
        ck_assert_int_eq(graph_order(config->graph, order), 0);
}
END_TEST

/* Everybody needs everybody: bounded work, bounded findings. */
START_TEST(test_all_with_all) {
        char *text = malloc(200 * 200 * 8 + 200 * 64), *at = stpcpy(text, "daemons: {");

        ck_assert_ptr_nonnull(text);
        for (int i = 0; i < 200; i++) {
                at += sprintf(at, "d%d: { command = [ \"/a\" ]; after = ( ", i);
                for (int j = 0; j < 200; j++)
                        if (i != j)
                                at += sprintf(at, "%s\"d%d\"",
                                              j == 0 || (i == 0 && j == 1) ? "" : ",", j);
                at = stpcpy(at, " ); };\n");
        }
        (void) strcpy(at, "};");
        config = configs_resolve(text, diag);
        free(text);
        ck_assert_uint_gt(diag_errors(diag), 0);
        ck_assert_uint_lt(diag_errors(diag), 100);
        configs_expect(diag, 0, CONFIGS_FILE ":1: d0.after: ", " -> d0; remove one");
}
END_TEST

START_TEST(test_nothing) {
        ck_assert_int_eq(config_new(&config), 0);
        ck_assert_int_eq(config_resolve(config, diag), 0);
        configs_expect_count(diag, 1);
        configs_expect(diag, 0, "no daemons are configured", "write daemons:");
        ck_assert_uint_eq(graph_size(config->graph), 0);
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("config/resolve");
        TCase *daemon = tcase_create("daemon"), *order = tcase_create("order");

        tcase_add_checked_fixture(daemon, setup, teardown);
        tcase_add_loop_test(daemon, test_auto, 0, (int) ELEMENTSOF(auto_cases));
        tcase_add_test(daemon, test_identifier);
        tcase_add_test(daemon, test_command_missing);
        tcase_add_test(daemon, test_needed);
        tcase_add_test(daemon, test_without_effect);
        tcase_add_test(daemon, test_restart_window);
        tcase_add_test(daemon, test_ready_exit);
        tcase_add_test(daemon, test_socket_path);
        tcase_add_test(daemon, test_addresses);
        tcase_add_test(daemon, test_drain_exit);
        tcase_add_test(daemon, test_stop);
        tcase_add_test(daemon, test_restart);
        tcase_add_test(daemon, test_reload);
        suite_add_tcase(suite, daemon);

        tcase_add_checked_fixture(order, setup, teardown);
        tcase_add_test(order, test_pidfiles);
        tcase_add_test(order, test_graph);
        tcase_add_test(order, test_unknown_names);
        tcase_add_test(order, test_cycle);
        tcase_add_test(order, test_cycles);
        tcase_add_test(order, test_all_with_all);
        tcase_add_test(order, test_nothing);
        suite_add_tcase(suite, order);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
