/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looking for readiness. Where something tells (exec, exit, notify, inotify), nothing is polled;
 * nobody tells when a socket begins to listen or to answer, so there the looks grow rarer, from
 * 5 to 200 ms, until the start deadline ends them, with a last one. A command runs at its own
 * interval. Where nobody said what shows it, the looks end after a second.
 */

#include <stdlib.h>
#include <string.h>

#include "child/object.h"

#define PROBE_INTERVAL_FIRST (5 * USEC_PER_MSEC)
#define PROBE_INTERVAL_LAST  (200 * USEC_PER_MSEC)
#define PROBE_SETTLE         USEC_PER_SEC

void ready_forget(Child *child) {
        Probe *probe = &child->probe;

        probe->timer = loop_source_free(probe->timer);
        probe->watch = pathwatch_free(probe->watch);
        look_cancel(&probe->look);
        probe->follow = follow_free(probe->follow);
        if (probe->line)
                regfree(probe->line);
        free(TAKE(probe->line));
}

static void ready_seen(Child *child) {
        ready_forget(child);
        child_post(child, EVENT_READY);
}

void ready_prepare(Child *child) {
        ready_forget(child);
        if (child->daemon->ready.on == READY_LOG) /* a failure is told when it matters */
                (void) output_follow(child, &child->probe.follow);
}

static void ready_impossible(Child *child, int error) {
        child_fail(child, "its readiness cannot be looked for: %s", strerror(-error));
}

/* One look: 1 ready, 0 not yet, or a negative errno. */
static int ready_look(Child *child);

/*
 * When a daemon that says nothing and opens nothing counts as ready. Of 38 daemons those that exit
 * with 0 and then die do so within 160 ms, and the slowest parent of an honest one took 390 ms.
 */
static usec_t ready_settled(const Child *child) {
        usec_t settle = MIN_OF(PROBE_SETTLE, child->daemon->ready.timeout / 2);

        return usec_add(child->main_since, settle);
}

static void ready_look_later(Child *child) {
        Probe *probe = &child->probe;

        if (child->daemon->ready.on == READY_ANY)
                loop_timer_set(probe->timer, MIN_OF(usec_add(loop_now(child->context->loop),
                                                             probe->interval),
                                                    ready_settled(child)));
        else
                loop_timer_set(probe->timer,
                               usec_add(loop_now(child->context->loop), probe->interval));
        if (child->daemon->ready.on != READY_COMMAND)
                probe->interval = MIN_OF(probe->interval * 2, PROBE_INTERVAL_LAST);
}

static void ready_look_and_settle(Child *child) {
        int r = ready_look(child);

        if (r < 0)
                ready_impossible(child, r);
        else if (r > 0)
                ready_seen(child);
        else if (child->probe.timer && !look_is_under_way(&child->probe.look))
                ready_look_later(child);
}

static int ready_on_timer(void *userdata) {
        ready_look_and_settle(userdata);
        return 0;
}

/* ---- by what it writes ---- */

/* A line may hold NULs, so that its length has to be told. */
static bool ready_matches(void *userdata, const char *line, size_t length) {
        const Child *child = userdata;
        regmatch_t whole = { .rm_so = 0, .rm_eo = (regoff_t) length };

        return regexec(child->probe.line, line, 1, &whole, REG_STARTEND) == 0;
}

static int ready_on_line(void *userdata) {
        ready_seen(userdata);
        return 0;
}

/* It was checked that it compiles. */
static int ready_compile(const char *expression, regex_t **ret) {
        regex_t *line = calloc(1, sizeof(*line));

        if (!line || regcomp(line, expression, REG_EXTENDED | REG_NOSUB) != 0) {
                free(line);
                return -ENOMEM;
        }
        *ret = line;
        return 0;
}

static void ready_follow(Child *child) {
        Probe *probe = &child->probe;
        int r = 0;

        if (!probe->follow)
                r = output_follow(child, &probe->follow);
        if (r == FOLLOW_E_ABSENT) {
                child_fail(child, "its output cannot be read back from %s; write output.to = "
                                  "\"file\", with a file of its own",
                           child->daemon->output.to == OUTPUT_FILE ? child->daemon->output.file
                                                                   : "the journal");
                return;
        }
        if (r >= 0)
                r = ready_compile(child->daemon->ready.line, &probe->line);
        if (r >= 0)
                r = follow_start(probe->follow, ready_matches, ready_on_line, child);
        if (r < 0)
                ready_impossible(child, r);
}

/* ---- by looking ---- */

static int ready_on_path(void *userdata) {
        ready_look_and_settle(userdata);
        return 0;
}

static void ready_on_answer(void *userdata, bool good) {
        if (good)
                ready_seen(userdata);
        else
                ready_look_later(userdata);
}

/* A look from outside. */
static int ready_look_at(Child *child, LookOn on) {
        const DaemonConfig *daemon = child->daemon;

        int r = look_begin(&child->probe.look, child,
                           &(LookOrder){
                                   .on = on,
                                   .address = daemon->ready.address,
                                   .port = daemon->ready.port,
                                   .path = daemon->ready.path,
                                   .command = daemon->ready.command,
                                   .timeout = daemon->ready.command_timeout,
                                   .answered = ready_on_answer,
                                   .userdata = child,
                           });
        return r < 0 ? r : r == 0;
}

static int ready_look_pidfile(Child *child) {
        pid_t pid;

        return track_pidfile_names_process(child, &pid);
}

/* The first of three signs. What cannot be seen is none. */
static int ready_look_any(Child *child) {
        if (child->notified)
                child->ready_sign = READY_SIGN_NOTIFIED;
        else if (ready_look_at(child, LOOK_LISTEN) > 0)
                child->ready_sign = READY_SIGN_LISTENS;
        else if (pidref_is_set(&child->main) &&
                 loop_now(child->context->loop) >= ready_settled(child))
                child->ready_sign = READY_SIGN_LIVES;
        return child->ready_sign != READY_SIGN_NONE;
}

static int ready_look(Child *child) {
        switch (child->daemon->ready.on) {
        case READY_ANY:
                return ready_look_any(child);
        case READY_NOTIFY:
                return child->notified;
        case READY_PIDFILE:
                return ready_look_pidfile(child);
        case READY_LISTEN:
                return ready_look_at(child, LOOK_LISTEN);
        case READY_TCP:
                return ready_look_at(child, LOOK_TCP);
        case READY_UNIX:
                return ready_look_at(child, LOOK_UNIX);
        case READY_FILE:
                return ready_look_at(child, LOOK_FILE);
        case READY_COMMAND:
                return ready_look_at(child, LOOK_COMMAND);
        default:
                return 1; /* exec, exit: this state is not reached before */
        }
}

static const char *ready_path(const DaemonConfig *daemon) {
        switch (daemon->ready.on) {
        case READY_PIDFILE:
                return daemon->pidfile;
        case READY_FILE:
                return daemon->ready.path;
        default:
                return NULL;
        }
}

static bool ready_is_polled(const DaemonConfig *daemon) {
        return daemon->ready.on == READY_ANY || daemon->ready.on == READY_LISTEN ||
               daemon->ready.on == READY_TCP ||
               daemon->ready.on == READY_UNIX || daemon->ready.on == READY_COMMAND;
}

void ready_begin(Child *child) {
        const DaemonConfig *daemon = child->daemon;
        const char *path = ready_path(daemon);
        int r = 0;

        child->probe.interval =
                daemon->ready.on == READY_COMMAND ? daemon->ready.interval : PROBE_INTERVAL_FIRST;
        child->probe.look.text[0] = '\0';
        if (daemon->ready.on == READY_LOG) {
                ready_follow(child);
                return;
        }
        if (path)
                r = pathwatch_new(child->context->loop, path, ready_on_path, child,
                                  &child->probe.watch);
        else if (ready_is_polled(daemon))
                r = loop_add_timer(child->context->loop, &child->probe.timer, LOOP_PROBE,
                                   child_name(child), ready_on_timer, child);
        if (r < 0)
                ready_impossible(child, r);
        else
                ready_look_and_settle(child);
}

/*
 * A look that is due at the deadline comes behind it, and the last one was up to 200 ms ago. Not by
 * a command, which would take its time.
 */
bool ready_look_at_last(Child *child) {
        if (child->state != STATE_PROBING || !ready_is_polled(child->daemon) ||
            child->daemon->ready.on == READY_COMMAND || ready_look(child) <= 0)
                return false;
        ready_seen(child);
        return true;
}
