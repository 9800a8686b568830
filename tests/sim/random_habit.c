/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The habits of ill-bred daemons (tests/daemons/README.md has their classes), on top of what any
 * random daemon does. What a habit does at a signal comes before what others do at it: of two
 * reactions the first one counts.
 */

#include <signal.h>
#include <string.h>

#include "sim/random_parts.h"

#define WATCH_DELAY_LEAST (100 * MS) /* a watchdog that does not rest would keep the world busy */

static bool has_pidfile(const RandomDaemon *daemon) {
        return strstr(daemon->kind, "pidfile");
}

/* What comes after the main process, or beside it: it lives, or dies of what it has read. */
static const char *next_program(RandomDaemon *daemon) {
        Script *next = &daemon->next;

        script_begin(next, "next", daemon->index);
        if (random_once_in(4))
                ACT(next, EXIT(random_time() / 10, 1));
        if (has_pidfile(daemon) && !random_once_in(3))
                ACT(next, WRITE_PID(random_time() / 10, daemon->pidfile));
        if (random_once_in(6))
                ACT(next, NOTIFY_MAIN(random_time() / 10));
        if (random_once_in(3))
                ACT(next, NOTIFY(random_time() / 10, "READY=1\n"));
        if (random_once_in(2))
                ACT(next, LISTEN(random_time(), 1000 + daemon->index));
        script_misfortune(next);
        script_react_to_all(next, false);
        script_react_to_reload(next, false);
        script_end(next);
        return next->path;
}

/* ---- another main process; classes J, K and M ---- */

/* All of it once more, by the process that it is: uwsgi at TERM, sshd and exim4 at HUP. */
static void begins_anew(RandomDaemon *daemon, Script *self) {
        FakeAct *acts = script_react(self, random_once_in(2) ? SIGTERM : SIGHUP);

        acts[0] = (FakeAct) EXEC(random_time() / 10,
                                 random_once_in(2) ? self->path : daemon->main.path);
}

/* The next one comes beside it: nginx at USR2, haproxy -sf. */
static void upgrades(RandomDaemon *daemon, Script *self) {
        const char *next = next_program(daemon);
        FakeAct *acts = script_react(self, random_once_in(2) ? SIGUSR2 : SIGHUP);
        size_t count = 0;

        acts[count++] = (FakeAct) FORK(0, random_once_in(2) ? next : self->path);
        if (has_pidfile(daemon) && random_once_in(2))
                acts[count++] = (FakeAct) WRITE_CHILD(0, daemon->pidfile);
        if (random_once_in(3))
                acts[count++] = (FakeAct) HAND_OVER(random_time());
        if (!random_once_in(3))
                acts[count++] = (FakeAct) EXIT(random_time(), 0);
}

/* It goes into the background once more, told by nobody. */
static void moves_on(RandomDaemon *daemon, Script *self) {
        usec_t when = random_time() + random_time();

        ACT(self, FORK_SESSION(when, next_program(daemon)));
        ACT(self, EXIT(when + (random_once_in(2) ? 0 : random_time()), random_once_in(6)));
}

/* Its parent hears no TERM, and starts it anew: mysqld_safe. */
static void has_a_watchdog(RandomDaemon *daemon, Script *self) {
        self->reactions[self->reaction_count++] = (FakeReaction) DEAF(SIGTERM);
        ACT(self, WATCH(random_time() / 10, next_program(daemon),
                        WATCH_DELAY_LEAST + random_time()));
}

/* ---- others that look like it; classes C, E, F, I and lesson 3 ---- */

/* A child that forks and exits in the middle of whatever there is. */
static void forks_twice_late(RandomDaemon *daemon, Script *self) {
        const char *next = next_program(daemon);

        script_begin(&daemon->other, "other", daemon->index);
        ACT(&daemon->other, FORK_SESSION(random_time() / 10, next));
        ACT(&daemon->other, EXIT(random_time() / 10, 0));
        script_end(&daemon->other);
        ACT(self, FORK(random_time(), daemon->other.path));
}

/* A kid of it says that it is ready: squid. */
static void lets_a_kid_speak(RandomDaemon *daemon, Script *self) {
        script_begin(&daemon->other, "other", daemon->index);
        ACT(&daemon->other, NOTIFY(random_time(), PICK("READY=1\n", "READY=1\nMAINPID=100\n")));
        if (random_once_in(2))
                ACT(&daemon->other, EXIT(random_time(), 0));
        script_end(&daemon->other);
        ACT(self, FORK(random_time() / 10, daemon->other.path));
}

/* A process for each connection, which outlives it: sshd, inetd. */
static void has_sessions(RandomDaemon *daemon, Script *self) {
        script_begin(&daemon->other, "other", daemon->index);
        ACT(&daemon->other, EXIT_SERVED(random_time(), 0));
        script_react_to_stop(&daemon->other, SIGTERM, false);
        script_end(&daemon->other);
        self->program.session = daemon->other.path;
        ACT(self, LISTEN(random_time() / 10, 1000 + daemon->index));
}

/* It is started once more, and that one fails, but not before it has written: uwsgi. */
static void is_started_twice(RandomDaemon *daemon, Script *self) {
        ACT(self, FORK_SESSION(random_time(), daemon->second.path));
}

/* A helper stays behind at its end: squid. */
static void leaves_a_helper(RandomDaemon *daemon, Script *self) {
        FakeAct *acts = script_react(self, random_once_in(2) ? SIGTERM : SIGQUIT);

        (void) daemon;
        acts[0] = (FakeAct) FORK_SESSION(0, PICK("/h/deaf", "/h/hang", "/h/slow", "/h/fork"));
        acts[1] = (FakeAct) EXIT(random_time() / 10, 0);
}

/* It serves, or was about to, and dies with what it has not told anybody yet: redis. */
static void dies_soon(RandomDaemon *daemon, Script *self) {
        (void) daemon;
        ACT(self, EXIT(random_time() / 10, 1));
}

/* ---- all of them ---- */

void random_make_second(RandomDaemon *daemon) {
        Script *second = &daemon->second;

        script_begin(second, "second", daemon->index);
        if (random_once_in(3)) /* it is not refused */
                ACT(second, LISTEN(0, 1000 + daemon->index));
        ACT(second, WRITE_PID(random_time() / 10, daemon->pidfile));
        if (random_once_in(3)) /* mosquitto, lighttpd */
                ACT(second, REMOVE(random_time() / 10, daemon->pidfile));
        if (!random_once_in(4))
                ACT(second, EXIT(random_time() / 10, 1));
        script_end(second);
}

void random_make_habits(RandomDaemon *daemon, Script *self) {
        static void (*const habits[])(RandomDaemon *daemon, Script *self) = {
                begins_anew,      upgrades,     moves_on,         has_a_watchdog,  forks_twice_late,
                lets_a_kid_speak, has_sessions, is_started_twice, leaves_a_helper, dies_soon,
        };

        /* those that make no program, and so go with any other */
        static void (*const more[])(RandomDaemon *daemon, Script *self) = {
                begins_anew, is_started_twice, leaves_a_helper, dies_soon,
        };

        if (random_once_in(2))
                habits[world_choose(ELEMENTSOF(habits))](daemon, self);
        if (random_once_in(6))
                more[world_choose(ELEMENTSOF(more))](daemon, self);
}
