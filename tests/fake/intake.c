/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/intake.h on the sockets and connections of the fake world. What we may do there is up to the
 * test. With a seed the notice that a connection has ended is lost now and then, as that of the
 * kernel is.
 */

#include "sys/intake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fake/fake.h"
#include "fake/parts.h"
#include "fake/world_intake.h"

#define FOUND_MAX    256
#define ASIDE_SUFFIX ".supervisord-aside"
#define NETWORK      1

struct Intake {
        Loop *loop;
        LoopSource *source; /* NULL: nobody watches */
        LoopHandler handler;
        void *userdata;
        IntakeSocket found[FOUND_MAX];
};

static unsigned privileges = ~0u;
static Intake *watching;

void fake_intake_reset(void) {
        privileges = ~0u;
        watching = NULL;
}

void fake_allow(unsigned allowed) {
        privileges = allowed;
}

bool fake_allows_all(void) {
        unsigned all = MAY_LOOK | MAY_REOPEN | MAY_HOLD | MAY_DIAG;

        return (privileges & all) == all;
}

int intake_new(Loop *loop, Intake **ret) {
        Intake *intake = calloc(1, sizeof(*intake));
        if (!intake)
                return -ENOMEM;

        intake->loop = loop;
        *ret = intake;
        return 0;
}

Intake *intake_free(Intake *intake) {
        if (!intake)
                return NULL;

        (void) intake_watch(intake, NULL, NULL);
        free(intake);
        return NULL;
}

/* ---- finding ---- */

static IntakeSocket intake_describe(const FakeSocket *socket) {
        IntakeSocket found = {
                .kind = socket->kind,
                .inode = socket->inode,
                .network = NETWORK,
                .pid = process_by_key(socket->process)->pid,
                .fd = 3,
                .port = (uint16_t) socket->port,
                .closed = socket->refused || socket->held,
        };

        if (socket->port > 0)
                snprintf(found.name, sizeof(found.name), "0.0.0.0:%u", socket->port);
        else
                snprintf(found.name, sizeof(found.name), "%s", socket->path);
        return found;
}

int intake_find(Intake *intake,
                Tree *tree,
                const IntakeSocket **ret,
                size_t *ret_count,
                size_t *ret_denied) {
        const WorldTree *all = fake_tree_of(tree);
        unsigned cursor = 0;
        size_t count = 0;

        int r = fake_door(DOOR_INTAKE_FIND);
        if (r < 0)
                return r;

        if (privileges & MAY_LOOK)
                for (const FakeSocket *socket; (socket = socket_each(&cursor));)
                        if (process_by_key(socket->process)->tree == all)
                                intake->found[count++] = intake_describe(socket);
        if (ret_denied)
                *ret_denied = privileges & MAY_LOOK ? 0 : all->population;
        *ret = intake->found;
        *ret_count = count;
        return 0;
}

/* ---- closing and opening ---- */

/* The socket, or NULL with an outcome. */
static FakeSocket *intake_take(const IntakeSocket *socket, int *ret) {
        FakeSocket *taken = socket_by_inode(socket->inode);

        if (!taken || process_by_key(taken->process)->pid != socket->pid) {
                *ret = INTAKE_E_GONE;
                return NULL;
        }
        if (!(privileges & MAY_LOOK)) {
                *ret = INTAKE_E_DENIED;
                return NULL;
        }
        return taken;
}

static bool aside_of(const char *path, char ret[static WORLD_NAME_MAX]) {
        return snprintf(ret, WORLD_NAME_MAX, "%s" ASIDE_SUFFIX, path) < WORLD_NAME_MAX;
}

static int path_close(FakeSocket *socket) {
        char aside[WORLD_NAME_MAX];

        if (!aside_of(socket->path, aside))
                return -ENAMETOOLONG;
        if (!world_exists(socket->path))
                return world_exists(aside) ? 0 : INTAKE_E_GONE;
        world_remove(socket->path);
        world_write(aside, "");
        socket->refused = true;
        return 0;
}

static int socket_close(FakeSocket *socket, IntakeMethod method) {
        if (method == INTAKE_HOLD) {
                if (socket->kind != INTAKE_TCP)
                        return INTAKE_E_UNSUPPORTED;
                if (socket->foreign)
                        return INTAKE_E_FOREIGN;
                if (!(privileges & MAY_HOLD))
                        return INTAKE_E_DENIED;
                socket->held = true;
                return 0;
        }
        if (socket->kind == INTAKE_UNIX)
                return path_close(socket);
        if (socket->kind != INTAKE_TCP)
                return INTAKE_E_UNSUPPORTED;
        if (socket->foreign)
                return INTAKE_E_FOREIGN;
        socket->refused = true;
        return 0;
}

int intake_close(Intake *intake, const IntakeSocket *socket, IntakeMethod method) {
        (void) intake;
        int r = fake_door(DOOR_INTAKE_CLOSE);
        if (r < 0)
                return r;

        FakeSocket *taken = intake_take(socket, &r);
        if (!taken)
                return r;
        r = socket_close(taken, method);
        if (r == 0)
                world_trace("  socket %s is %s", socket->name,
                            method == INTAKE_HOLD ? "held" : "refused");
        return r;
}

int intake_restore(const char *path) {
        char aside[WORLD_NAME_MAX];

        if (!aside_of(path, aside) || !world_exists(aside))
                return 0;
        FakeSocket *socket = socket_find(NULL, 0, path);
        if (!socket) {
                world_remove(aside);
                return 0;
        }
        if (world_exists(path))
                return INTAKE_E_FOREIGN;
        world_remove(aside);
        world_write(path, "");
        socket->refused = false;
        return 0;
}

int intake_open(Intake *intake, const IntakeSocket *socket) {
        (void) intake;
        int r = fake_door(DOOR_INTAKE_OPEN);
        if (r < 0)
                return r;

        FakeSocket *taken = intake_take(socket, &r);
        if (!taken)
                return r;
        if (taken->kind == INTAKE_UNIX)
                return intake_restore(taken->path);
        if (taken->refused && !(privileges & MAY_REOPEN))
                return INTAKE_E_DENIED;
        taken->refused = taken->held = false;
        world_trace("  socket %s is open", socket->name);
        return 0;
}

bool intake_can_reopen(const Intake *intake) {
        (void) intake;
        return privileges & MAY_REOPEN;
}

char *intake_aside(const char *path) {
        char *aside = NULL;

        return asprintf(&aside, "%s" ASIDE_SUFFIX, path) < 0 ? NULL : aside;
}

/* ---- measuring ---- */

/* The kernel counts in milliseconds. */
static usec_t since(usec_t when) {
        return (world_now() - when) / USEC_PER_MSEC * USEC_PER_MSEC;
}

static void measure_tell(const IntakeSocket *socket,
                         const FakeConnection *connection,
                         const IntakeVisitor *visitor) {
        bool waits = connection->state == CONNECTION_WAITS;
        IntakeConnection told = {
                .socket = socket,
                .inode = connection->inode,
                .unread = waits && connection->requests > 0 ? 1 : 0,
                .has_times = socket->kind == INTAKE_TCP,
                .closing = connection->life.half && connection->requests == 0,
        };

        if (told.has_times) {
                told.since_received = since(connection->received_at);
                told.since_sent = since(connection->sent_at);
                told.received = connection->received;
                told.sent = connection->sent;
        }
        snprintf(told.peer, sizeof(told.peer), "198.51.100.1:%u", connection->peer);
        visitor->connection(visitor->userdata, &told);
}

static void measure_socket(const IntakeSocket *socket, const IntakeVisitor *visitor) {
        const FakeSocket *taken = socket_by_inode(socket->inode);
        IntakeQueue queue = { .socket = socket };
        unsigned cursor = 0;

        for (const FakeConnection *connection; (connection = connection_each(&cursor));) {
                bool waits = connection->state == CONNECTION_WAITS;

                if (connection->socket != socket->inode)
                        continue;
                queue.waiting += waits;
                if (!waits || socket->kind == INTAKE_TCP)
                        measure_tell(socket, connection, visitor);
        }
        if (!taken)
                return;
        if (socket->kind == INTAKE_UDP)
                queue.waiting = taken->unread;
        visitor->queue(visitor->userdata, &queue);
}

int intake_measure(Intake *intake,
                   const IntakeSocket *sockets,
                   size_t count,
                   const IntakeVisitor *visitor,
                   usec_t *ret_when) {
        (void) intake;
        int r = fake_door(DOOR_INTAKE_MEASURE);
        if (r < 0)
                return r;
        if (!(privileges & MAY_DIAG))
                return INTAKE_E_UNSUPPORTED;

        for (size_t i = 0; i < count; i++)
                measure_socket(&sockets[i], visitor);
        if (ret_when)
                *ret_when = world_now();
        return 0;
}

/* ---- nudging and watching ---- */

static bool is_one_of(uint64_t inode, const uint64_t *inodes, size_t count) {
        for (size_t i = 0; i < count; i++)
                if (inodes[i] == inode)
                        return true;
        return false;
}

static bool connection_is_of(const FakeConnection *connection, const WorldTree *tree) {
        const FakeProcess *process =
                connection->inode > 0 ? process_by_key(connection->process) : NULL;

        return process_is_alive(process) && process->tree == tree;
}

int intake_nudge(
        Intake *intake, Tree *tree, const uint64_t *inodes, size_t count, size_t *ret_count) {
        unsigned cursor = 0;
        size_t found = 0;

        (void) intake;
        int r = fake_door(DOOR_INTAKE_NUDGE);
        if (r < 0)
                return r;

        for (FakeConnection *connection; (connection = connection_each(&cursor));)
                if (privileges & MAY_LOOK && connection_is_of(connection, fake_tree_of(tree))
                    && is_one_of(connection->inode, inodes, count)) {
                        connection_nudge(connection);
                        found++;
                }
        *ret_count = found;
        return 0;
}

static int intake_on_end(void *userdata) {
        Intake *intake = userdata;

        return intake->handler(intake->userdata);
}

void fake_connection_ended(void) {
        if (watching && world_choose(4) < 3)
                loop_defer_arm(watching->source);
}

int intake_watch(Intake *intake, LoopHandler handler, void *userdata) {
        if (!handler) {
                intake->source = loop_source_free(intake->source);
                watching = watching == intake ? NULL : watching;
                return 0;
        }

        int r = fake_door(DOOR_INTAKE_WATCH);
        if (r < 0)
                return r;
        if (!(privileges & MAY_DIAG))
                return INTAKE_E_UNSUPPORTED;
        intake->handler = handler;
        intake->userdata = userdata;
        watching = intake;
        return intake->source ? 0
                              : loop_add_defer(intake->loop, &intake->source, LOOP_PROBE, "intake",
                                               intake_on_end, intake);
}
