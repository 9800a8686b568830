/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "sim/random_parts.h"

const char *random_helper(void) {
        return PICK("/h/ok", "/h/ok", "/h/slow", "/h/fail", "/h/hang", "/h/fork", "/h/missing",
                    "/h/blocked", "/h/deaf", "/h/dies");
}

static void add_timeout(void) {
        if (random_once_in(4))
                random_add("timeout = \"%s\";", PICK("0", "500ms", "1s", "2s", "10s"));
}

static void add_freeze(void) {
        switch (world_choose(7)) {
        case 0:
                random_add("freeze: { command = [ \"%s\" ];", random_helper());
                if (random_once_in(2))
                        random_add("thaw_command = [ \"%s\" ];", random_helper());
                break;
        case 1:
                random_add("freeze: { signal = \"USR1\"; %s", PICK("", "thaw_signal = \"WINCH\";"));
                break;
        case 2:
                random_add("freeze: { method = \"none\"; };");
                return;
        case 3:
        case 4:
                random_add("freeze: { method = \"%s\";",
                           PICK("sockets", "refuse", "hold", "rename", "dispatcher", "cgroup"));
                break;
        default: /* by its sockets */
                return;
        }
        add_timeout();
        random_add("};");
}

static void add_drain(const RandomDaemon *daemon) {
        switch (world_choose(9)) {
        case 0:
                random_add("drain: { command = [ \"%s\" ]; interval = \"%s\";", random_helper(),
                           PICK("100ms", "500ms", "1s"));
                break;
        case 1:
                random_add("drain: { until = \"jobs\"; %s", PICK("", "signal = \"USR2\";"));
                break;
        case 2:
                random_add("drain: { until = \"exit\"; signal = \"USR2\";");
                break;
        case 3:
                random_add("drain: { until = \"none\"; %s };", PICK("", "signal = \"USR2\";"));
                return;
        case 4:
                random_add("drain: { until = \"connections\";");
                break;
        case 5:
                random_add("drain: { until = \"idle\"; count = \"%s\"; %s",
                           PICK("careful", "http", "database", "session", "stream", "udp"),
                           PICK("", "", "quiet = \"100ms\";", "quiet = \"1s\";"));
                break;
        case 6:
                random_add("drain: { until = \"%s\"; path = \"%s\";", PICK("file", "no-file"),
                           daemon->file);
                break;
        default:
                return;
        }
        add_timeout();
        random_add("};");
}

static void add_stop_command(void) {
        if (random_once_in(4))
                random_add("command = [ \"%s\" ]; command_timeout = \"%s\"; %s", random_helper(),
                           PICK("100ms", "500ms", "1s", "5s"),
                           PICK("", "success = [ 0, 1 ];", "success = 1;"));
}

static void add_leftovers(const RandomDaemon *daemon) {
        const char *what = daemon->is_master && !random_once_in(3)
                                   ? "wait"
                                   : PICK("wait", "spare", "spare");

        random_add("cleanup: { leftovers = \"%s\"; %s };", what,
                   PICK("", "wait = \"500ms\";", "wait = \"2s\";", "wait = \"5s\";"));
}

static void add_stop(const RandomDaemon *daemon) {
        random_add("stop: { ");
        add_stop_command();
        if (random_once_in(2))
                random_add("signals = \"%s\";",
                           PICK("TERM 5s, KILL", "TERM 2s, KILL", "TERM 500ms, KILL", "TERM",
                                "KILL", "QUIT 1s, TERM 1s, KILL", "TERM 1s", "QUIT 0, KILL",
                                "TERM 20s, KILL", "TERM 0, QUIT 0, TERM 0", "QUIT 500ms, TERM"));
        random_add(" };");
        if (random_once_in(daemon->is_master ? 6 : 3)) {
                random_add("cleanup: { command = [ \"%s\" ];", random_helper());
                if (random_once_in(2))
                        random_add("remove = [ \"%s\" ];", daemon->file);
                add_timeout();
                random_add("};");
        } else if (random_once_in(2))
                add_leftovers(daemon);
}

/* How it reads its own files anew, and how they are tested. */
static void add_reload(const RandomDaemon *daemon) {
        if (random_once_in(2))
                return;
        if (random_once_in(3))
                random_add("reload: { command = [ \"%s\" ];", random_helper());
        else
                random_add("reload: { signal = \"%s\";", PICK("HUP", "HUP", "USR2"));
        if (random_once_in(2))
                random_add("files = [ \"%s\" ];", daemon->conf);
        if (random_once_in(2))
                random_add("check = [ \"%s\" ];", random_helper());
        random_add("timeout = \"%s\"; };", PICK("500ms", "1s", "5s"));
}

static void add_restart(void) {
        if (random_once_in(2))
                random_add("restart: { policy = \"%s\"; };", PICK("always", "on-failure", "never"));
        else
                random_add("restart: { delay = \"%s\"; limit = %s; reset = \"%s\"; %s %s };",
                           PICK("10ms", "100ms", "1s", "5s"), PICK("0", "1", "5"),
                           PICK("1s", "10s", "60s"),
                           PICK("", "delay_max = \"5s\";", "delay_max = \"60s\";"),
                           PICK("", "", "jitter = 0;", "jitter = 100; window = \"10min\";"));
}

/* Looks at what is there, or is not, or comes and goes. */
static void add_health(const RandomDaemon *daemon) {
        unsigned port = random_once_in(2) ? daemon->index + 1 : 1000 + daemon->index;

        if (!random_once_in(3))
                return;
        switch (world_choose(6)) {
        case 0:
                random_add("health: { on = \"listen\"; %s", PICK("", "port = 7;"));
                break;
        case 1:
                random_add("health: { on = \"tcp\"; address = \"127.0.0.1:%u\";", port);
                break;
        case 2:
                random_add("health: { on = \"unix\"; path = \"%s\";", daemon->socket);
                break;
        case 3:
                random_add("health: { on = \"file\"; path = \"%s\";", daemon->file);
                break;
        case 4:
                random_add("health: { on = \"notify\"; timeout = \"%s\"; };",
                           PICK("1s", "5s", "1min"));
                return;
        default:
                random_add("health: { on = \"command\"; command = [ \"%s\" ];", random_helper());
                break;
        }
        random_add("interval = \"%s\"; timeout = \"%s\"; failures = %s; successes = %s; };",
                   PICK("100ms", "1s", "5s"), PICK("1ms", "500ms", "2s"), PICK("1", "2", "5"),
                   PICK("1", "2"));
}

void random_make_way(RandomDaemon *daemon) {
        random_write_to(daemon->way, sizeof(daemon->way));
        add_freeze();
        add_drain(daemon);
        add_stop(daemon);
        add_reload(daemon);
        add_restart();
        if (random_has_health() && !strstr(daemon->kind, "oneshot"))
                add_health(daemon);
        if (random_once_in(30))
                random_add("essential = true;");
}

void random_make_helpers(void) {
        static const FakeAct exit_0[] = { EXIT(0, 0), { 0 } },
                             exit_1[] = { EXIT(100 * MS, 1), { 0 } };
        static const FakeAct slow[] = { EXIT(1 * SEC, 0), { 0 } };
        static const FakeAct forks[] = { FORK_SESSION(0, "/h/hang"), EXIT(100 * MS, 0), { 0 } };
        static const FakeAct blocks[] = { BLOCK(0, 3 * SEC), { 0 } };
        static const FakeAct dies[] = { DIE(0, SIGSEGV), { 0 } };
        static const FakeReaction deaf[] = { DEAF(SIGTERM), { 0 } };
        static const FakeProgram helpers[] = {
                { .path = "/h/ok", .acts = exit_0 },
                { .path = "/h/fail", .acts = exit_1 },
                { .path = "/h/slow", .acts = slow },
                { .path = "/h/fork", .acts = forks },
                { .path = "/h/hang" },
                { .path = "/h/blocked", .acts = blocks },
                { .path = "/h/dies", .acts = dies },
                { .path = "/h/deaf", .reactions = deaf },
        };

        for (size_t i = 0; i < ELEMENTSOF(helpers); i++)
                world_add_program(&helpers[i]);
}
