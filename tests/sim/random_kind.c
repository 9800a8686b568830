/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <signal.h>
#include <string.h>

#include "sim/random_parts.h"

static const char *ready_timeout(void) {
        return PICK("500ms", "1s", "2s", "5s");
}

/* ---- readiness ---- */

static void ready_by_file(RandomDaemon *daemon, Script *script) {
        random_add("ready: { on = \"file\"; path = \"%s\"; timeout = \"%s\"; };", daemon->file,
                   ready_timeout());
        if (!random_once_in(8))
                ACT(script, WRITE(random_time(), daemon->file, ""));
}

static void ready_by_socket(RandomDaemon *daemon, Script *script) {
        const char *timeout = ready_timeout();
        unsigned port = daemon->index + 1;

        switch (world_choose(3)) {
        case 0:
                random_add("ready: { on = \"listen\"; port = %u; timeout = \"%s\"; };", port,
                           timeout);
                break;
        case 1:
                random_add("ready: { on = \"tcp\"; address = \"127.0.0.1:%u\"; timeout = \"%s\"; "
                           "};",
                           port, timeout);
                break;
        default:
                random_add("ready: { on = \"unix\"; path = \"%s\"; timeout = \"%s\"; };",
                           daemon->file, timeout);
                ACT(script, LISTEN_UNIX(random_time(), daemon->file));
                return;
        }
        if (!random_once_in(8))
                ACT(script, LISTEN(random_time(), port));
}

static void ready_somehow(RandomDaemon *daemon, Script *script) {
        switch (world_choose(7)) {
        case 0:
                ready_by_file(daemon, script);
                break;
        case 4:
                random_add("ready: { line = \"up$\"; timeout = \"%s\"; };", ready_timeout());
                if (!random_once_in(8))
                        ACT(script, SAY(random_time(), PICK("it is up\n", "\nx\nup\n", "up",
                                                            "up?\n")));
                break;
        case 3:
                random_add("ready: { command = [ \"%s\" ]; interval = \"%s\"; "
                           "command_timeout = \"%s\"; timeout = \"%s\"; };",
                           random_helper(), PICK("10ms", "100ms", "1s"), PICK("500ms", "2s"),
                           ready_timeout());
                break;
        case 1:
                ready_by_socket(daemon, script);
                break;
        case 2:
                random_add("ready: { on = \"exec\"; timeout = \"%s\"; };", ready_timeout());
                break;
        default:
                break;
        }
}

/* ---- sockets ---- */

static void add_socket(RandomDaemon *daemon, Script *script, usec_t after) {
        switch (world_choose(6)) {
        case 0:
                ACT(script, LISTEN_UNIX(after, daemon->socket));
                break;
        case 1:
                ACT(script, LISTEN_UNIX(after, daemon->name));
                break;
        case 2:
                ACT(script, BIND_UDP(after, 1000 + daemon->index));
                break;
        default:
                ACT(script, LISTEN(after, 1000 + daemon->index));
                break;
        }
}

/* Its workers have the socket from the begin on, and it may leave them alone. */
static void as_master(RandomDaemon *daemon, Script *script) {
        daemon->is_master = true;
        ACT(script, LISTEN(0, 1000 + daemon->index));
        ACT(script, HAND_OVER(10 * MS));
        if (random_once_in(3))
                ACT(script, DIE(random_time() + random_time(), SIGKILL));
}

/* By which work comes in, beside what shows it ready; some later, some moved to a child. */
static void with_sockets(RandomDaemon *daemon, Script *script, bool children) {
        if (children && random_once_in(2)) {
                as_master(daemon, script);
                return;
        }
        if (random_once_in(2))
                return;
        add_socket(daemon, script, random_once_in(2) ? 0 : random_time());
        if (random_once_in(4))
                add_socket(daemon, script, random_time() + random_time());
        if (children && random_once_in(4))
                ACT(script, HAND_OVER(random_time()));
        if (random_once_in(10))
                ACT(script, CLOSE(random_time() + random_time()));
}

/* ---- types ---- */

/* Workers or jobs of `script`, made by its first acts. */
static bool with_children(RandomDaemon *daemon, Script *script) {
        if (!random_once_in(3))
                return false;

        script_begin(&daemon->job, "job", daemon->index);
        if (random_once_in(2))
                ACT(&daemon->job, EXIT(random_time() + random_time(), 0));
        if (random_once_in(8))
                ACT(&daemon->job, FORK_SESSION(random_time(), "/h/slow"));
        script_react_to_stop(&daemon->job, SIGTERM, false);
        script_end(&daemon->job);

        ACT(script, FORK(0, daemon->job.path));
        for (unsigned i = random_once_in(8) ? 3 : 0; i > 0; i--)
                ACT(script, FORK(random_time(), daemon->job.path));
        if (random_once_in(2))
                ACT(script, FORK_SESSION(random_time(), daemon->job.path));
        script->program.negligent = random_once_in(4);
        return true;
}

static void make_simple(RandomDaemon *daemon) {
        Script *script = &daemon->main;

        random_add("type = \"%s\"; ", PICK("simple", "auto"));
        script_unable(script);
        bool children = with_children(daemon, script);
        ready_somehow(daemon, script);
        if (random_once_in(6))
                ACT(script, NOTIFY(random_time(), "READY=1\n"));
        with_sockets(daemon, script, children);
        script_misfortune(script);
        random_make_habits(daemon, script);
        script_react_to_all(script, children);
        script_react_to_reload(script, false);
        script_end(script);
}

static void make_notify(RandomDaemon *daemon) {
        Script *script = &daemon->main;

        random_add("type = \"notify\"; ready: { timeout = \"%s\"; };", ready_timeout());
        script_unable(script);
        bool children = with_children(daemon, script);
        if (random_once_in(4))
                ACT(script,
                    NOTIFY(random_time(),
                           PICK("", "garbage", "MAINPID=1\n", "STATUS=x\n", "STOPPING=1\n",
                                "MAINPID=100\n", "RELOADING=1\n", "READY=0\n", "BARRIER=1",
                                "READY=1\nMAINPID=100\nSTATUS=y\n", "EXTEND_TIMEOUT_USEC=2000000\n",
                                "EXTEND_TIMEOUT_USEC=1000\nSTATUS=z\n")));
        if (children && random_once_in(3))
                ACT(script, NOTIFY_CHILD(random_time()));
        if (random_once_in(6))
                ACT(script, NOTIFY_MAIN(random_time()));
        if (!random_once_in(8))
                ACT(script, NOTIFY(random_time(), "READY=1\n"));
        if (random_once_in(6)) /* once more, or for the first time */
                ACT(script, NOTIFY(random_time(), "READY=1\n"));
        if (random_has_health())
                for (unsigned i = world_choose(4); i > 0; i--)
                        ACT(script, NOTIFY(random_time() + random_time(), "WATCHDOG=1\n"));
        with_sockets(daemon, script, children);
        script_misfortune(script);
        random_make_habits(daemon, script);
        script_react_to_all(script, children);
        script_react_to_reload(script, !random_once_in(3));
        script_end(script);
}

/* Lies, or a slow truth, in the pidfile; by the daemon itself or by its parent. */
static void pidfile_acts(RandomDaemon *daemon, Script *self, Script *parent) {
        const char *path = daemon->pidfile;

        if (random_once_in(3))
                ACT(parent, WRITE(0, path, PICK("", "", "x", "1\n", "0\n", "12 13\n", "100\n",
                                                "99999\n")));
        if (random_once_in(10))
                ACT(self, WRITE_LINK(0, path));
        if (random_once_in(10))
                ACT(parent, WRITE_PID(0, path));
        if (random_once_in(8))
                return;
        if (random_once_in(2))
                ACT(parent, WRITE_CHILD(0, path));
        else
                ACT(self, WRITE_PID(random_time(), path));
}

static bool add_forking(const RandomDaemon *daemon) {
        if (random_once_in(4)) {
                bool pidfile = random_once_in(2);

                random_add("type = \"auto\"; ready: { timeout = \"%s\"; };", ready_timeout());
                if (pidfile)
                        random_add("pidfile = \"%s\";", daemon->pidfile);
                return pidfile;
        }
        random_add("type = \"%s\";", PICK("forking", "command"));
        if (random_once_in(4))
                random_add("start: { success = %s; };", PICK("[ 0, 1 ]", "[ 0 ]", "1"));
        if (random_once_in(3)) {
                if (random_once_in(3))
                        random_add("ready: { on = \"exit\"; timeout = \"%s\"; };", ready_timeout());
                return false;
        }
        random_add("pidfile = \"%s\"; ready: { timeout = \"%s\"; };", daemon->pidfile,
                   ready_timeout());
        return true;
}

static void make_forking(RandomDaemon *daemon) {
        bool twice = random_once_in(3), pidfile = add_forking(daemon);
        Script *parent = twice ? &daemon->middle : &daemon->main;

        script_begin(&daemon->daemon, "daemon", daemon->index);
        bool children = with_children(daemon, &daemon->daemon);
        script_unable(&daemon->main);
        if (twice) {
                script_begin(&daemon->middle, "middle", daemon->index);
                ACT(&daemon->main, FORK(random_time() / 10, daemon->middle.path));
        }
        ACT(parent, FORK_SESSION(0, daemon->daemon.path));
        if (pidfile)
                pidfile_acts(daemon, &daemon->daemon, parent);
        if (twice)
                ACT(&daemon->middle, EXIT(random_time() / 10, 0));
        if (!random_once_in(12))
                ACT(&daemon->main, EXIT(random_time() / 5, random_once_in(10)));

        with_sockets(daemon, &daemon->daemon, children);
        script_misfortune(&daemon->daemon);
        random_make_habits(daemon, &daemon->daemon);
        script_react_to_all(&daemon->daemon, children);
        script_react_to_reload(&daemon->daemon, false);
        script_end(&daemon->daemon);
        if (twice)
                script_end(&daemon->middle);
        script_end(&daemon->main);
}

/* What it leaves is ended. */
static void make_oneshot(RandomDaemon *daemon) {
        Script *script = &daemon->main;

        random_add("type = \"oneshot\"; ready: { timeout = \"%s\"; };", ready_timeout());
        if (random_once_in(4))
                random_add("start: { success = %s; };", PICK("[ 0, 1 ]", "1"));
        script_unable(script);
        (void) with_children(daemon, script);
        ACT(script, EXIT(random_time(), random_once_in(4)));
        script_misfortune(script);
        script_react_to_all(script, false);
        script_end(script);
}

static void add_output(const RandomDaemon *daemon) {
        if (random_once_in(4))
                random_add("output: { to = \"%s\"; };",
                           strstr(daemon->kind, "line =") ? "journal"
                                                          : PICK("inherit", "null", "journal"));
}

void random_make_kind(RandomDaemon *daemon) {
        daemon->is_master = false;
        script_begin(&daemon->main, "main", daemon->index);
        random_make_second(daemon);
        random_write_to(daemon->kind, sizeof(daemon->kind));
        switch (world_choose(7)) {
        case 0:
        case 1:
                make_simple(daemon);
                break;
        case 2:
        case 3:
                make_notify(daemon);
                break;
        case 4:
                make_oneshot(daemon);
                break;
        default:
                make_forking(daemon);
                break;
        }
        add_output(daemon);
}
