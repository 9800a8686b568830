/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What holds for the intake of daemons that know nothing of it: it is closed when they are frozen,
 * looked for again while they drain, open again when they run, and a drain that is over left
 * nothing in flight. Where we lack privileges or doors fail, less is promised.
 */

#include <string.h>

#include "fake/world_intake.h"
#include "sim/watch.h"

#define RESCAN_MOST (1300 * MS) /* so late a listener may be found that was opened late */

void watch_intake_line(MessageId message, const char *daemon, const char *text) {
        if (message == MESSAGE_INTAKE_OPEN ||
            (message == MESSAGE_DAEMON_FORCED && strncmp(text, "freeze", 6) == 0))
                watch_daemon(daemon)->open_said = true;
}

static bool watch_is_privileged(void) {
        watch.unprivileged |= !fake_allows_all();
        return !watch.unprivileged && !watch.doors;
}

static bool watch_closes_sockets(const DaemonConfig *config) {
        return config->freeze.method == FREEZE_SOCKETS || config->freeze.method == FREEZE_REFUSE ||
               config->freeze.method == FREEZE_HOLD;
}

static bool watch_is_of(const FakeSocket *socket, const Watched *daemon) {
        return process_by_key(socket->process)->tree == daemon->tree;
}

/* TCP sockets that it had for so long are closed. */
static void watch_judge_closed(unsigned node, usec_t age) {
        unsigned cursor = 0;

        for (const FakeSocket *socket; (socket = socket_each(&cursor));)
                if (socket->kind == INTAKE_TCP && watch_is_of(socket, watch.nodes[node]) &&
                    !socket->refused && !socket->held && !socket->foreign &&
                    watch_is_over(usec_add(socket->changed_at, age)))
                        sim_fail("%s is %s, but its port %u is open", watch_name(node),
                                 daemon_state_name(watch_state(node)), socket->port);
}

/* Nothing of ours is left on the sockets of one that is in service. */
void watch_judge_open(unsigned node) {
        unsigned cursor = 0;

        if (!watch_is_privileged() || watch_state(node) != STATE_RUNNING)
                return;
        for (const FakeSocket *socket; (socket = socket_each(&cursor));)
                if (watch_is_of(socket, watch.nodes[node]) && (socket->refused || socket->held))
                        sim_fail("%s is running, but its socket %u%s is closed", watch_name(node),
                                 socket->port, socket->path);
}

/* ---- drains ---- */

/* Whether a connection looks idle although it is not, by what can be measured. */
static bool watch_looks_idle(const DaemonConfig *config, const FakeConnection *connection) {
        const FakeSocket *socket = socket_by_inode(connection->socket);

        if (config->drain.until == DRAIN_CONNECTIONS || config->drain.count == COUNT_STREAM)
                return false;
        if (config->drain.count == COUNT_SESSION || config->drain.count == COUNT_UDP)
                return connection->state == CONNECTION_WORKS;
        if (socket && socket->kind != INTAKE_TCP)
                return config->drain.count != COUNT_CAREFUL;
        /* its daemon has said something of the answer, or may have in the same millisecond */
        return connection->state == CONNECTION_WORKS &&
               connection->sent_at + MS >= connection->received_at;
}

static void watch_judge_drained(const Child *child, const WorldTree *tree) {
        const DaemonConfig *config = child_config(child);
        unsigned cursor = 0;

        for (const FakeConnection *connection; (connection = connection_each(&cursor));) {
                const FakeProcess *process = connection_process(connection);
                const FakeSocket *socket = socket_by_inode(connection->socket);

                if (!process || process->tree != tree || connection->state == CONNECTION_IDLE ||
                    (connection->requests == 0 && connection->life.half) ||
                    /* of a path that its daemon has closed, perhaps before anybody looked */
                    (!socket && connection->port == 0) ||
                    (socket && !watch_is_over(socket->changed_at + RESCAN_MOST)) ||
                    watch_looks_idle(config, connection))
                        continue;
                sim_fail("%s is drained, but connection %u is in flight", child_name(child),
                         connection->peer);
        }
}

/* ---- what a main process left ---- */

void watch_judge_left_closed(unsigned node) {
        const DaemonConfig *config = child_config(watch.generation->children[node]);
        FreezeMethod method = config->freeze.method;

        if (watch_is_privileged() && !watch.nodes[node]->open_said &&
            (watch_closes_sockets(config) || method == FREEZE_SIGNAL || method == FREEZE_COMMAND))
                watch_judge_closed(node, 0);
}

void watch_judge_left_idle(const char *name) {
        if (watch_is_privileged())
                watch_judge_drained(sim_child(name), watch_daemon(name)->tree);
}

/* ---- all of it ---- */

void watch_judge_intake(unsigned node, DaemonState state) {
        Watched *daemon = watch.nodes[node];
        DaemonState before = daemon->seen;

        daemon->seen = state;
        if (state == STATE_RUNNING || state == STATE_STARTING)
                daemon->open_said = false;
        if (state != STATE_FROZEN && state != STATE_DRAINING && state != STATE_DRAINED)
                return;
        if (!watch_is_privileged())
                return;

        const DaemonConfig *config = child_config(watch.generation->children[node]);
        bool measures =
                config->drain.until == DRAIN_IDLE || config->drain.until == DRAIN_CONNECTIONS;
        if (watch_closes_sockets(config) && !daemon->open_said) {
                if (state == STATE_FROZEN && before != state)
                        watch_judge_closed(node, 0);
                if (state == STATE_DRAINING && measures && config->drain.count != COUNT_SESSION)
                        watch_judge_closed(node, RESCAN_MOST);
        }
        if (state == STATE_DRAINED && before == STATE_DRAINING && !daemon->forced_now && measures)
                watch_judge_drained(watch.generation->children[node], daemon->tree);
}

#define FROZEN SIM_RUNTIME "/frozen/"

static void watch_judge_record(void *userdata, const char *path) {
        const char *name = path + strlen(FROZEN);

        (void) userdata;
        if (strncmp(path, FROZEN, strlen(FROZEN)) == 0 && sim_find(name) &&
            sim_state(name) != STATE_STUCK && !watch.doors)
                sim_fail("%s is left", path);
}

/* What was written down for a supervisor that comes after one that died is gone. */
void watch_judge_records(void) {
        world_each_file(watch_judge_record, NULL);
}
