/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The sockets of the world by which work comes in. */

#include "fake/world_intake.h"

#include <string.h>

#include "fake/parts.h"

#define SOCKET_MAX 256

static struct {
        FakeSocket table[SOCKET_MAX];
        unsigned count; /* places used so far */
        uint64_t inodes;
} sockets;

void world_sockets_reset(void) {
        sockets.count = 0;
        sockets.inodes = 0;
}

uint64_t world_new_inode(void) {
        return ++sockets.inodes;
}

static bool socket_is_alive(const FakeSocket *socket) {
        return socket->inode > 0 && process_is_alive(process_by_key(socket->process));
}

static FakeSocket *socket_place(void) {
        for (unsigned i = 0; i < sockets.count; i++)
                if (!socket_is_alive(&sockets.table[i]))
                        return &sockets.table[i];
        return sockets.count < SOCKET_MAX ? &sockets.table[sockets.count++] : NULL;
}

static FakeSocket *socket_make(FakeProcess *process, IntakeKind kind, unsigned port) {
        FakeSocket *socket = socket_place();
        if (!socket)
                return NULL;

        *socket = (FakeSocket){
                .inode = world_new_inode(),
                .process = process_key(process),
                .kind = kind,
                .port = port,
                .changed_at = world_now(),
        };
        return socket;
}

static IntakeKind socket_kind(unsigned port, const char *path) {
        if (port > 0)
                return INTAKE_TCP;
        return *path == '@' ? INTAKE_ABSTRACT : INTAKE_UNIX;
}

FakeSocket *socket_add(FakeProcess *process, unsigned port, const char *path) {
        FakeSocket *socket = socket_make(process, socket_kind(port, path), port);

        world_trace("  process %d listens on %u%s", process->pid, port, path ? path : "");
        if (socket && port == 0)
                strncat(socket->path, path, sizeof(socket->path) - 1);
        if (socket && socket->kind == INTAKE_UNIX)
                world_write(path, "");
        return socket;
}

FakeSocket *socket_add_udp(FakeProcess *process, unsigned port) {
        world_trace("  process %d is bound to UDP %u", process->pid, port);
        return socket_make(process, INTAKE_UDP, port);
}

FakeSocket *socket_each(unsigned *cursor) {
        while (*cursor < sockets.count) {
                FakeSocket *socket = &sockets.table[(*cursor)++];
                if (socket_is_alive(socket))
                        return socket;
        }
        return NULL;
}

static bool socket_listens_at(const FakeSocket *socket, unsigned port, const char *path) {
        if (socket->kind == INTAKE_UDP)
                return false;
        if (port > 0)
                return socket->port == port;
        return !path || strcmp(socket->path, path) == 0;
}

FakeSocket *socket_find(const WorldTree *tree, unsigned port, const char *path) {
        unsigned cursor = 0;

        for (FakeSocket *socket; (socket = socket_each(&cursor));)
                if (socket_listens_at(socket, port, path)
                    && (!tree || process_by_key(socket->process)->tree == tree))
                        return socket;
        return NULL;
}

FakeSocket *socket_by_inode(uint64_t inode) {
        unsigned cursor = 0;

        for (FakeSocket *socket; (socket = socket_each(&cursor));)
                if (socket->inode == inode)
                        return socket;
        return NULL;
}

bool socket_is_open(const FakeSocket *socket) {
        if (socket->kind == INTAKE_UNIX)
                return world_exists(socket->path);
        return !socket->refused;
}

void socket_move(FakeSocket *socket, FakeProcess *process) {
        world_trace("  socket %u%s moves to process %d", socket->port, socket->path, process->pid);
        socket->process = process_key(process);
        socket->changed_at = world_now();
}

void socket_end(FakeSocket *socket) {
        uint64_t inode = socket->inode;

        socket->inode = 0;
        world_cut_waiting(inode, socket->process);
}

void process_close_sockets(FakeProcess *process) {
        uint64_t key = process_key(process);

        for (unsigned i = 0; i < sockets.count; i++)
                if (sockets.table[i].inode > 0 && sockets.table[i].process == key)
                        socket_end(&sockets.table[i]);
}

void process_move_sockets(FakeProcess *process, FakeProcess *to) {
        uint64_t key = process_key(process);

        for (unsigned i = 0; i < sockets.count; i++)
                if (sockets.table[i].inode > 0 && sockets.table[i].process == key)
                        socket_move(&sockets.table[i], to);
}

FakeProcess *world_listener(const WorldTree *tree, unsigned port, const char *path) {
        const FakeSocket *socket = socket_find(tree, port, path);

        return socket ? process_by_key(socket->process) : NULL;
}

unsigned world_closed(void) {
        unsigned cursor = 0, count = 0;

        for (const FakeSocket *socket; (socket = socket_each(&cursor));)
                count += socket->refused || socket->held;
        return count;
}
