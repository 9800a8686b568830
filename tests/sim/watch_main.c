/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What holds for the main process of a daemon and for what shows it ready, whatever the daemon
 * does to make us believe something else: one that has ended is not called running for longer
 * than a successor is waited for, and nobody is called ready before it is.
 */

#include <stdio.h>
#include <stdlib.h>

#include "sim/watch.h"

#define SUCCESSOR_MOST (USEC_PER_SEC + LOST_MOST)
#define SETTLE_MOST    USEC_PER_SEC

static bool watch_is_main(const Watched *daemon, pid_t pid) {
        const FakeProcess *process = process_find(pid);

        return process_is_alive(process) && process->tree == daemon->tree;
}

/* In the middle of a change there may be none for a while; a crash is none. */
static usec_t watch_lost_most(const Watched *daemon, DaemonState state, pid_t pid) {
        pid_t crashed = daemon->tree->crashed; /* 0: none of it has */
        bool is_crash = crashed > 0 && crashed == daemon->main;

        return state == STATE_RUNNING && pid == 0 && !is_crash ? SUCCESSOR_MOST : LOST_MOST;
}

void watch_judge_main(unsigned node, DaemonState state) {
        pid_t pid = child_main_pid(watch.generation->children[node]);
        Watched *daemon = watch.nodes[node];

        if ((state != STATE_RUNNING && state != STATE_PROBING) || watch_is_main(daemon, pid))
                daemon->lost_since = 0;
        else if (daemon->lost_since == 0 || daemon->lost != pid)
                daemon->lost_since = world_now();
        else if (watch_is_over(usec_add(daemon->lost_since, watch_lost_most(daemon, state, pid))) &&
                 !watch.doors)
                sim_fail("%s is %s, but its main process is gone", watch_name(node),
                         daemon_state_name(state));
        daemon->lost = pid;
        if (pid > 0)
                daemon->main = pid;
}

/* Who is called dead is dead. */
void watch_ended_line(const char *name) {
        const Watched *daemon = watch_daemon(name);

        if (watch_is_main(daemon, daemon->main) && world_races() == watch.races)
                sim_fail("the main process of %s is said to have ended, but lives", name);
}

/* ---- readiness ---- */

static bool watch_is_named(const DaemonConfig *config, const Watched *daemon) {
        const FakeProcess *process;
        const char *text;

        if (!world_read(config->pidfile, &text) || !text)
                return false;
        process = process_find(atoi(text));
        return process && process->tree == daemon->tree;
}

/* What we started, which is not the daemon, has ended, and as it should. */
static bool watch_began_well(const DaemonConfig *config, const Watched *daemon) {
        const WorldTree *tree = daemon->tree;
        bool is_awaited = config->type == DAEMON_FORKING || config->type == DAEMON_COMMAND ||
                          config->type == DAEMON_ONESHOT;

        return !is_awaited || (tree->first_ended && !tree->first_signaled &&
                               status_set_is_success(&config->start.success, tree->first_code));
}

static bool watch_said_ready(const Watched *daemon) {
        char path[WORLD_NAME_MAX];

        snprintf(path, sizeof(path), SIM_RUNTIME "/notify/%s", daemon->name);
        return fake_said_ready(path);
}

/* Where nobody said what shows it, its life of some time does. */
static bool watch_shows_anything(const Child *child, const Watched *daemon) {
        usec_t settle = MIN_OF(SETTLE_MOST, child_config(child)->ready.timeout / 2);

        return watch_said_ready(daemon) || world_listener(daemon->tree, 0, NULL) ||
               world_now() >= usec_add(child_started(child), settle);
}

/* As far as the world knows it. */
static bool watch_is_truly_ready(const Child *child, const Watched *daemon) {
        const DaemonConfig *config = child_config(child);

        switch (config->ready.on) {
        case READY_ANY:
                return watch_shows_anything(child, daemon);
        case READY_NOTIFY:
                return watch_said_ready(daemon);
        case READY_PIDFILE:
                return watch_is_named(config, daemon) && watch_began_well(config, daemon);
        case READY_EXIT:
                return watch_began_well(config, daemon);
        case READY_LISTEN:
                return world_listener(daemon->tree, config->ready.port, NULL);
        case READY_FILE:
                return world_exists(config->ready.path);
        default:
                return true;
        }
}

void watch_ready_line(const char *name) {
        const Child *child = sim_find(name);

        /* if the world went on meanwhile, it may have been so before */
        if (child && world_races() == watch.races &&
            !watch_is_truly_ready(child, watch_daemon(name)))
                sim_fail("%s is said to be ready, but is not", name);
}
