/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Clients and their connections: each has one thing of the world that happens next, as its life
 * says. A process that is blocked neither accepts nor answers.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake/fake.h"
#include "fake/parts.h"
#include "fake/world_intake.h"

#define CONNECTION_MAX 1024
#define TALLY_MAX      128
#define KNOCK_MAX      6     /* tcp_syn_retries */
#define FIRST_PEER     40000
#define REQUEST_SIZE   100
#define PIECE_SIZE     1000

static struct {
        FakeConnection table[CONNECTION_MAX];
        unsigned count; /* places used so far */
        unsigned generations;
} connections;

static struct {
        const WorldTree *trees[TALLY_MAX];
        FakeTally table[TALLY_MAX];
        unsigned count;
        unsigned refused;
} tallies;

void world_connections_reset(void) {
        connections.count = connections.generations = 0;
        tallies.count = tallies.refused = 0;
}

/* ---- counting ---- */

static FakeTally *tally_of(uint64_t process_key) {
        const FakeProcess *process = process_by_key(process_key);
        const WorldTree *tree = process ? process->tree : world_tree("");

        for (unsigned i = 0; i < tallies.count; i++)
                if (tallies.trees[i] == tree)
                        return &tallies.table[i];
        if (tallies.count == TALLY_MAX) {
                fprintf(stderr, "the fake world is too small for so many trees\n");
                abort();
        }
        tallies.trees[tallies.count] = tree;
        tallies.table[tallies.count] = (FakeTally){ 0 };
        return &tallies.table[tallies.count++];
}

FakeTally world_tally(const char *tree) {
        FakeTally sum = { .refused = tree ? 0 : tallies.refused };

        for (unsigned i = 0; i < tallies.count; i++) {
                if (tree && tallies.trees[i] != world_tree(tree))
                        continue;
                sum.answered += tallies.table[i].answered;
                sum.cut += tallies.table[i].cut;
                sum.closed += tallies.table[i].closed;
        }
        return sum;
}

FakeConnection *connection_each(unsigned *cursor) {
        while (*cursor < connections.count) {
                FakeConnection *connection = &connections.table[(*cursor)++];
                if (connection->state != CONNECTION_NONE)
                        return connection;
        }
        return NULL;
}

FakeProcess *connection_process(const FakeConnection *connection) {
        if (connection->process > 0)
                return process_by_key(connection->process);

        const FakeSocket *socket = socket_by_inode(connection->socket);
        return socket ? process_by_key(socket->process) : NULL;
}

unsigned world_in_flight(const char *tree) {
        unsigned cursor = 0, count = 0;

        for (const FakeConnection *connection; (connection = connection_each(&cursor));) {
                const FakeProcess *process = connection_process(connection);

                count += process && connection->state != CONNECTION_IDLE
                        && (!tree || process->tree == world_tree(tree));
        }
        return count;
}

/* ---- the end ---- */

static bool process_is_served(uint64_t key) {
        unsigned cursor = 0;

        for (const FakeConnection *connection; (connection = connection_each(&cursor));)
                if (connection->process == key)
                        return false;
        return true;
}

/* `key` is of the process that has it or, if it waits, had to accept it. */
static void connection_end(FakeConnection *connection, uint64_t key) {
        bool cut = connection->state != CONNECTION_IDLE, accepted = connection->process > 0;
        FakeProcess *process = process_by_key(key);

        world_trace("  connection %u is %s", connection->peer, cut ? "cut" : "closed");
        tally_of(key)->cut += cut;
        tally_of(key)->closed += !cut;
        *connection = (FakeConnection){ 0 };
        if (accepted)
                fake_connection_ended();
        if (accepted && process_is_alive(process) && process->exits_served
            && process_is_served(key))
                process_exit(process, false, process->exit_alone_status);
}

void world_cut_waiting(uint64_t socket, uint64_t process) {
        unsigned cursor = 0;

        for (FakeConnection *connection; (connection = connection_each(&cursor));)
                if (connection->state == CONNECTION_WAITS && connection->socket == socket)
                        connection_end(connection, process);
}

void world_cut_process(FakeProcess *process) {
        uint64_t key = process_key(process);
        unsigned cursor = 0;

        for (FakeConnection *connection; (connection = connection_each(&cursor));)
                if (connection->process == key)
                        connection_end(connection, key);
}

void connection_nudge(FakeConnection *connection) {
        world_trace("  connection %u is nudged", connection->peer);
        connection->nudged = true;
        if (connection->state == CONNECTION_IDLE)
                connection_end(connection, connection->process);
}

void process_exit_served(FakeProcess *process, int status) {
        uint64_t key = process_key(process);
        unsigned cursor = 0;

        process->exits_served = true;
        process->exit_alone_status = status;
        for (FakeConnection *connection; (connection = connection_each(&cursor));)
                if (connection->process == key)
                        connection_nudge(connection);
        if (process_is_alive(process) && process_is_served(key))
                process_exit(process, false, status);
}

/* ---- the life ---- */

static void connection_happen(void *userdata, uint64_t key);

static uint64_t connection_key(const FakeConnection *connection) {
        return (uint64_t) (connection - connections.table) << 32 | connection->generation;
}

static void connection_next(const FakeConnection *connection, usec_t after) {
        if (after != USEC_INFINITY)
                world_at(usec_add(world_now(), after), connection_happen, NULL,
                         connection_key(connection));
}

static usec_t connection_piece_time(const FakeConnection *connection) {
        return connection->life.work / MAX_OF(connection->life.pieces, 1u);
}

static void connection_ask(FakeConnection *connection) {
        connection->state = CONNECTION_WORKS;
        connection->requests--;
        connection->pieces = MAX_OF(connection->life.pieces, 1u);
        connection->received += REQUEST_SIZE;
        connection->received_at = world_now();
        connection_next(connection, connection_piece_time(connection));
}

static void connection_rest(FakeConnection *connection) {
        bool last = connection->requests == 0;

        connection->state = CONNECTION_IDLE;
        if (connection->nudged || (last && connection->life.half))
                connection_end(connection, connection->process);
        else
                connection_next(connection,
                                last ? connection->life.idle : connection->life.pause);
}

static void connection_answer(FakeConnection *connection) {
        connection->sent += PIECE_SIZE;
        connection->sent_at = world_now();
        if (--connection->pieces > 0) {
                connection_next(connection, connection_piece_time(connection));
                return;
        }
        tally_of(connection->process)->answered++;
        connection_rest(connection);
}

static void connection_accept(FakeConnection *connection, FakeProcess *process) {
        const char *session = process->program ? process->program->session : NULL;
        FakeProcess *own = session ? process_begin_session(process, session) : NULL;

        process = process_is_alive(own) ? own : process;
        connection->process = process_key(process);
        connection->inode = world_new_inode();
        world_trace("  connection %u is accepted by process %d", connection->peer, process->pid);
        if (connection->requests > 0)
                connection_ask(connection);
        else
                connection_rest(connection);
        if (connection->state != CONNECTION_NONE && process->exits_served)
                connection_nudge(connection);
}

static void connection_knock(FakeConnection *connection) {
        world_trace("  connection %u to %u%s", connection->peer, connection->port,
                    connection->path);
        const FakeSocket *socket = socket_find(NULL, connection->port, connection->path);

        if (socket && socket->held && connection->knocks < KNOCK_MAX) {
                connection->state = CONNECTION_KNOCKS;
                connection_next(connection, USEC_PER_SEC << connection->knocks++);
        } else if (!socket || socket->held || !socket_is_open(socket)) {
                world_trace("  connection %u is refused", connection->peer);
                tallies.refused++;
                *connection = (FakeConnection){ 0 };
        } else {
                connection->state = CONNECTION_WAITS;
                connection->socket = socket->inode;
                connection->received_at = connection->sent_at = world_now();
                connection_next(connection, connection->life.wait);
        }
}

static void connection_step(FakeConnection *connection, FakeProcess *process) {
        switch (connection->state) {
        case CONNECTION_NONE:
        case CONNECTION_COMES:
        case CONNECTION_KNOCKS:
                break;
        case CONNECTION_WAITS:
                connection_accept(connection, process);
                break;
        case CONNECTION_WORKS:
                connection_answer(connection);
                break;
        case CONNECTION_IDLE:
                if (connection->requests > 0)
                        connection_ask(connection);
                else
                        connection_end(connection, connection->process);
                break;
        }
}

static void connection_happen(void *userdata, uint64_t key) {
        FakeConnection *connection = &connections.table[key >> 32];

        (void) userdata;
        if (connection->state == CONNECTION_NONE || connection->generation != (uint32_t) key)
                return;
        if (connection->state <= CONNECTION_KNOCKS) {
                connection_knock(connection);
                return;
        }

        FakeProcess *process = connection_process(connection);
        if (!process_is_alive(process) || process->killed_by > 0)
                return; /* its end ends this, too */
        if (process_stands(process))
                process_postpone(process, connection_happen, NULL, key);
        else
                connection_step(connection, process);
}

static FakeConnection *connection_place(void) {
        for (unsigned i = 0; i < connections.count; i++)
                if (connections.table[i].state == CONNECTION_NONE)
                        return &connections.table[i];
        if (connections.count == CONNECTION_MAX) {
                fprintf(stderr, "the fake world is too small for so many connections\n");
                abort();
        }
        return &connections.table[connections.count++];
}

static FakeConnection *connection_new(unsigned port, const char *path, const FakeLife *life) {
        FakeConnection *connection = connection_place();
        unsigned generation = ++connections.generations;

        *connection = (FakeConnection){
                .state = CONNECTION_COMES,
                .generation = generation,
                .port = port,
                .life = *life,
                .requests = life->requests,
                .peer = FIRST_PEER + generation,
        };
        strncat(connection->path, path ? path : "", sizeof(connection->path) - 1);
        return connection;
}

void world_connect(unsigned port, const char *path, const FakeLife *life) {
        connection_knock(connection_new(port, path, life));
}

static usec_t draw(usec_t most) {
        if (most == USEC_INFINITY || !world_is_seeded())
                return most;
        return world_choose((unsigned) most + 1);
}

static FakeLife draw_life(const FakeLife *most) {
        return (FakeLife){
                .wait = draw(most->wait),
                .work = draw(most->work),
                .pieces = (unsigned) draw(most->pieces),
                .requests = (unsigned) draw(most->requests),
                .pause = draw(most->pause),
                .idle = draw(most->idle),
                .half = most->half && draw(1) > 0,
        };
}

void world_clients(
        unsigned port, const char *path, unsigned count, usec_t period, const FakeLife *life) {
        for (unsigned i = 0; i < count; i++) {
                FakeLife own = draw_life(life);
                usec_t after = world_is_seeded() ? draw(period) : period * i / count;

                world_plan(usec_add(world_now(), after), connection_happen, NULL,
                           connection_key(connection_new(port, path, &own)));
        }
}
