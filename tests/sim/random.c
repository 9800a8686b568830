/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sim/random.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fake/script.h"

#define SEC USEC_PER_SEC
#define MS  USEC_PER_MSEC

#define TEXT_MAX     (64 * 1024)
#define PATH_ROOM    32
#define BODY_ROOM    1536
#define NEEDS_MAX    4
#define REACTION_MAX 6

/* A program under construction: its lists live as long as the process. */
typedef struct Script {
        FakeProgram program;
        char path[PATH_ROOM];
        FakeAct acts[RANDOM_ACT_MAX];
        size_t act_count;
        FakeReaction reactions[REACTION_MAX];
        size_t reaction_count;
        FakeAct reaction_acts[REACTION_MAX][4];
} Script;

/* What changes between two configurations: its command, what it needs, whether it is there. */
typedef struct RandomDaemon {
        bool present;
        bool broken;      /* starts what fails */
        unsigned variant; /* another argument, and so another command */
        unsigned needs[NEEDS_MAX];
        size_t requires_count, needs_count; /* the first ones are required */
        char body[BODY_ROOM];               /* its other settings */
        char pidfile[PATH_ROOM];
        char file[PATH_ROOM];
        Script main;   /* what the configuration starts */
        Script daemon; /* what a forking one leaves, or a worker */
        Script middle; /* between them, in a double fork */
        Script job;
} RandomDaemon;

static RandomDaemon daemons[RANDOM_DAEMON_MAX];
static unsigned daemon_count;
static char config_text[TEXT_MAX];
static char settings_text[512];
static size_t config_used;

static PRINTF_LIKE(1, 2) void add(const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        config_used += (size_t) vsnprintf(config_text + config_used, TEXT_MAX - config_used, format,
                                          arguments);
        va_end(arguments);
}

bool random_once_in(unsigned count) {
        return world_choose(count) == 0;
}

usec_t random_time(void) {
        static const usec_t times[] = {
                0,        0,       1,       MS,      5 * MS,  100 * MS, 200 * MS, 500 * MS,
                500 * MS, 1 * SEC, 1 * SEC, 2 * SEC, 2 * SEC, 3 * SEC,  5 * SEC,  10 * SEC,
        };

        return times[world_choose(ELEMENTSOF(times))];
}

static const char *pick(const char *const *words, unsigned count) {
        return words[world_choose(count)];
}

#define PICK(...)                                                                                  \
        pick((const char *const[]){ __VA_ARGS__ },                                                 \
             sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

/* ---- scripts ---- */

static void script_begin(Script *script, const char *kind, unsigned index) {
        memset(script, 0, sizeof(*script));
        snprintf(script->path, sizeof(script->path), "/%s%u", kind, index);
        script->program = (FakeProgram){ .path = script->path };
}

static void script_act(Script *script, FakeAct act) {
        if (script->act_count + 1 < RANDOM_ACT_MAX)
                script->acts[script->act_count++] = act;
}

#define ACT(script, ...) script_act((script), (FakeAct) __VA_ARGS__)

static FakeAct *script_react(Script *script, int signo) {
        FakeReaction *reaction = &script->reactions[script->reaction_count];
        FakeAct *acts = script->reaction_acts[script->reaction_count++];

        *reaction = (FakeReaction){ signo, acts };
        return acts;
}

static void script_end(Script *script) {
        script->program.acts = script->acts;
        script->program.reactions = script->reactions;
        world_add_program(&script->program);
}

/* What a process does at a signal that asks it to end. */
static void script_react_to_stop(Script *script, int signo, bool has_workers) {
        FakeAct *acts;

        switch (world_choose(6)) {
        case 0: /* as signal(7) says */
                return;
        case 1: /* deaf */
                script->reactions[script->reaction_count++] = (FakeReaction) DEAF(signo);
                return;
        case 2:
                acts = script_react(script, signo);
                acts[0] = (FakeAct) DIE(random_time(), signo);
                return;
        default:
                acts = script_react(script, signo);
                if (has_workers) {
                        acts[0] = (FakeAct) SIGNAL_CHILDREN(0, signo);
                        acts[1] = (FakeAct) EXIT_ALONE(random_time());
                } else
                        acts[0] = (FakeAct) EXIT(random_time(), random_once_in(4));
                return;
        }
}

static void script_react_to_all(Script *script, bool has_workers) {
        script_react_to_stop(script, SIGTERM, has_workers);
        script_react_to_stop(script, SIGQUIT, has_workers);
        script_react_to_stop(script, SIGUSR1, has_workers); /* freeze.signal */
        script_react_to_stop(script, SIGUSR2, has_workers); /* drain.signal */
}

/* What befalls a process that runs. */
static void script_misfortune(Script *script) {
        if (random_once_in(6))
                ACT(script, EXIT(random_time() + random_time(), world_choose(2)));
        if (random_once_in(10))
                ACT(script, DIE(random_time() + random_time(), SIGSEGV));
        if (random_once_in(20))
                ACT(script, BLOCK(random_time() + random_time(), random_time()));
}

static void script_unable(Script *script) {
        script->program.exec_time = random_once_in(2) ? 0 : random_time() / 10;
        if (random_once_in(25)) {
                script->program.failing_step = SPAWN_STEP_EXEC;
                script->program.error = EACCES;
        }
}

/* ---- readiness ---- */

static void ready_by_file(RandomDaemon *daemon, Script *script) {
        add("ready: { on = \"file\"; path = \"%s\"; timeout = \"%s\"; };", daemon->file,
            PICK("500ms", "1s", "2s", "5s"));
        if (!random_once_in(8))
                ACT(script, WRITE(random_time(), daemon->file, ""));
}

static void ready_by_socket(RandomDaemon *daemon, Script *script, unsigned index) {
        const char *timeout = PICK("500ms", "1s", "2s", "5s");

        switch (world_choose(3)) {
        case 0:
                add("ready: { on = \"listen\"; port = %u; timeout = \"%s\"; };", index + 1,
                    timeout);
                break;
        case 1:
                add("ready: { on = \"tcp\"; address = \"127.0.0.1:%u\"; timeout = \"%s\"; };",
                    index + 1, timeout);
                break;
        default:
                add("ready: { on = \"unix\"; path = \"%s\"; timeout = \"%s\"; };", daemon->file,
                    timeout);
                ACT(script, LISTEN_UNIX(random_time(), daemon->file));
                return;
        }
        if (!random_once_in(8))
                ACT(script, LISTEN(random_time(), index + 1));
}

static void ready_somehow(RandomDaemon *daemon, Script *script, unsigned index) {
        switch (world_choose(4)) {
        case 0:
                ready_by_file(daemon, script);
                break;
        case 1:
                ready_by_socket(daemon, script, index);
                break;
        default:
                break;
        }
}

/* ---- types ---- */

/* A worker or job of `script`, made by its first act. */
static bool with_children(RandomDaemon *daemon, Script *script, unsigned index) {
        if (!random_once_in(3))
                return false;

        script_begin(&daemon->job, "job", index);
        if (random_once_in(2))
                ACT(&daemon->job, EXIT(random_time() + random_time(), 0));
        script_react_to_stop(&daemon->job, SIGTERM, false);
        script_end(&daemon->job);

        ACT(script, FORK(0, daemon->job.path));
        if (random_once_in(2))
                ACT(script, FORK_SESSION(random_time(), daemon->job.path));
        script->program.negligent = random_once_in(4);
        return true;
}

static void make_simple(RandomDaemon *daemon, unsigned index) {
        Script *script = &daemon->main;

        script_unable(script);
        bool children = with_children(daemon, script, index);
        ready_somehow(daemon, script, index);
        script_misfortune(script);
        script_react_to_all(script, children);
        script_end(script);
}

static void make_notify(RandomDaemon *daemon, unsigned index) {
        Script *script = &daemon->main;

        add("type = \"notify\"; ready: { timeout = \"%s\"; };", PICK("500ms", "1s", "2s", "5s"));
        script_unable(script);
        bool children = with_children(daemon, script, index);
        if (random_once_in(4))
                ACT(script, NOTIFY(random_time(), PICK("", "garbage", "MAINPID=1\n", "STATUS=x\n",
                                                       "STOPPING=1\n", "MAINPID=100\n")));
        if (children && random_once_in(3))
                ACT(script, NOTIFY_CHILD(random_time()));
        if (random_once_in(6))
                ACT(script, NOTIFY_MAIN(random_time()));
        if (!random_once_in(8))
                ACT(script, NOTIFY(random_time(), "READY=1\n"));
        script_misfortune(script);
        script_react_to_all(script, children);
        script_end(script);
}

/* Lies, or a slow truth, in the pidfile; by the daemon itself or by its parent. */
static void pidfile_acts(RandomDaemon *daemon, Script *self, Script *parent) {
        const char *path = daemon->pidfile;

        if (random_once_in(3))
                ACT(parent, WRITE(0, path, PICK("", "x", "1\n", "0\n", "12 13\n", "100\n")));
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

static void make_forking(RandomDaemon *daemon, unsigned index) {
        bool twice = random_once_in(3), pidfile = !random_once_in(3);
        Script *parent = twice ? &daemon->middle : &daemon->main;

        add("type = \"forking\";");
        if (pidfile)
                add("pidfile = \"%s\"; ready: { timeout = \"%s\"; };", daemon->pidfile,
                    PICK("500ms", "1s", "2s", "5s"));

        script_begin(&daemon->daemon, "daemon", index);
        bool children = with_children(daemon, &daemon->daemon, index);
        script_unable(&daemon->main);
        if (twice) {
                script_begin(&daemon->middle, "middle", index);
                ACT(&daemon->main, FORK(random_time() / 10, daemon->middle.path));
        }
        ACT(parent, FORK_SESSION(0, daemon->daemon.path));
        if (pidfile)
                pidfile_acts(daemon, &daemon->daemon, parent);
        if (twice)
                ACT(&daemon->middle, EXIT(random_time() / 10, 0));
        if (!random_once_in(12))
                ACT(&daemon->main, EXIT(random_time() / 5, random_once_in(10)));

        script_misfortune(&daemon->daemon);
        script_react_to_all(&daemon->daemon, children);
        script_end(&daemon->daemon);
        if (twice)
                script_end(&daemon->middle);
        script_end(&daemon->main);
}

/* ---- the way down ---- */

static const char *helper(void) {
        return PICK("/h/ok", "/h/ok", "/h/slow", "/h/fail", "/h/hang", "/h/fork", "/h/missing",
                    "/h/blocked");
}

static void add_timeout(void) {
        if (random_once_in(4))
                add("timeout = \"%s\";", PICK("0", "500ms", "1s", "2s", "10s"));
}

static void add_freeze(void) {
        switch (world_choose(4)) {
        case 0:
                add("freeze: { command = [ \"%s\" ];", helper());
                break;
        case 1:
                add("freeze: { signal = \"USR1\";");
                break;
        default:
                return;
        }
        add_timeout();
        add("};");
}

static void add_drain(void) {
        switch (world_choose(5)) {
        case 0:
                add("drain: { command = [ \"%s\" ]; interval = \"%s\";", helper(),
                    PICK("100ms", "500ms", "1s"));
                break;
        case 1:
                add("drain: { until = \"jobs\"; %s", PICK("", "signal = \"USR2\";"));
                break;
        case 2:
                add("drain: { until = \"exit\"; signal = \"USR2\";");
                break;
        default:
                return;
        }
        add_timeout();
        add("};");
}

static void add_stop(const RandomDaemon *daemon) {
        if (random_once_in(2))
                add("stop: { signals = \"%s\"; };",
                    PICK("TERM 5s, KILL", "TERM 2s, KILL", "TERM 500ms, KILL", "TERM", "KILL",
                         "QUIT 1s, TERM 1s, KILL", "TERM 1s", "QUIT 0, KILL", "TERM 20s, KILL"));
        if (random_once_in(3)) {
                add("cleanup: { command = [ \"%s\" ];", helper());
                if (random_once_in(2))
                        add("remove = [ \"%s\" ];", daemon->file);
                add_timeout();
                add("};");
        }
}

static void add_restart(void) {
        if (random_once_in(2))
                add("restart: { policy = \"%s\"; };", PICK("always", "on-failure", "never"));
        else
                add("restart: { delay = \"%s\"; limit = %s; reset = \"%s\"; };",
                    PICK("10ms", "100ms", "1s", "5s"), PICK("0", "1", "5"),
                    PICK("1s", "10s", "60s"));
}

/* Those before it, so that there are no cycles. */
static size_t choose_names(RandomDaemon *daemon, unsigned index) {
        if (index == 0 || !random_once_in(2))
                return daemon->needs_count;
        for (unsigned i = 1 + world_choose(2); i > 0; i--)
                daemon->needs[daemon->needs_count++] = world_choose(index);
        return daemon->needs_count;
}

static void choose_needs(RandomDaemon *daemon, unsigned index) {
        daemon->needs_count = 0;
        daemon->requires_count = choose_names(daemon, index);
        (void) choose_names(daemon, index);
}

static void make_daemon(unsigned index) {
        RandomDaemon *daemon = &daemons[index];

        snprintf(daemon->pidfile, sizeof(daemon->pidfile), "/run/d%u.pid", index);
        snprintf(daemon->file, sizeof(daemon->file), "/run/d%u.file", index);
        script_begin(&daemon->main, "main", index);
        config_used = 0;
        config_text[0] = '\0';
        switch (world_choose(3)) {
        case 0:
                make_simple(daemon, index);
                break;
        case 1:
                make_notify(daemon, index);
                break;
        default:
                make_forking(daemon, index);
                break;
        }
        add_freeze();
        add_drain();
        add_stop(daemon);
        add_restart();
        if (random_once_in(30))
                add("essential = true;");
        snprintf(daemon->body, sizeof(daemon->body), "%s", config_text);
        daemon->present = true;
        daemon->broken = false, daemon->variant = 0;
        choose_needs(daemon, index);
}

static void make_helpers(void) {
        static const FakeAct exit_0[] = { EXIT(0, 0), { 0 } },
                             exit_1[] = { EXIT(100 * MS, 1), { 0 } };
        static const FakeAct slow[] = { EXIT(1 * SEC, 0), { 0 } };
        static const FakeAct forks[] = { FORK_SESSION(0, "/h/hang"), EXIT(100 * MS, 0), { 0 } };
        static const FakeAct blocks[] = { BLOCK(0, 3 * SEC), { 0 } };
        static const FakeProgram helpers[] = {
                { .path = "/h/ok", .acts = exit_0 },
                { .path = "/h/fail", .acts = exit_1 },
                { .path = "/h/slow", .acts = slow },
                { .path = "/h/fork", .acts = forks },
                { .path = "/h/hang" },
                { .path = "/h/blocked", .acts = blocks },
        };

        for (size_t i = 0; i < ELEMENTSOF(helpers); i++)
                world_add_program(&helpers[i]);
}

void random_daemons(unsigned count) {
        snprintf(settings_text, sizeof(settings_text),
                 "freeze_timeout = \"%s\"; drain_timeout = \"%s\"; cleanup_timeout = \"%s\"; "
                 "cgroups = %s;",
                 PICK("0", "500ms", "1s", "5s"), PICK("0", "1s", "5s", "20s"),
                 PICK("0", "1s", "2s", "10s"), random_once_in(3) ? "false" : "true");
        make_helpers();
        daemon_count = count;
        for (unsigned i = 0; i < count; i++)
                make_daemon(i);
}

void random_change(void) {
        for (unsigned i = 0; i < daemon_count; i++) {
                RandomDaemon *daemon = &daemons[i];
                if (random_once_in(4))
                        daemon->present = !daemon->present;
                if (random_once_in(4))
                        daemon->variant++;
                if (random_once_in(6))
                        daemon->broken = !daemon->broken;
                if (random_once_in(5))
                        choose_needs(daemon, i);
        }
        daemons[0].present = true; /* one there has to be */
}

const char *random_settings(void) {
        return settings_text;
}

static void add_names(const char *key, const RandomDaemon *daemon, size_t from, size_t to) {
        const char *separator = "";

        add("%s = [ ", key);
        for (size_t i = from; i < to; i++) {
                if (!daemons[daemon->needs[i]].present)
                        continue;
                add("%s\"d%u\"", separator, daemon->needs[i]);
                separator = ", ";
        }
        add(" ]; ");
}

const char *random_config(void) {
        config_used = 0;
        for (unsigned i = 0; i < daemon_count; i++) {
                const RandomDaemon *daemon = &daemons[i];
                if (!daemon->present)
                        continue;
                add("d%u: { command = [ \"%s\", \"%u\" ]; ", i,
                    daemon->broken ? "/h/fail" : daemon->main.path, daemon->variant);
                add_names("requires", daemon, 0, daemon->requires_count);
                add_names("after", daemon, daemon->requires_count, daemon->needs_count);
                add("%s };\n", daemon->body);
        }
        return config_text;
}
