/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which connection came by which socket. The kernel does not say; but a TCP connection has the port
 * of the socket, its address (unless that is the wildcard), its family and the cgroup of its maker,
 * and one of UNIX its name and file.
 *
 * Not told of are connections that the daemon has closed and let go: what is left to do of them is
 * the kernel's.
 */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "sys/intake_internal.h"
#include "sys/sockdiag.h"

/* What goes along with measuring. Sockets of one kind in one network are a group. */
typedef struct Measure {
        Intake *intake;
        const IntakeSocket *sockets;
        size_t count;
        const IntakeSocket *first; /* of the group that is being told of */
        const IntakeVisitor *visitor;
        usec_t when; /* the oldest snapshot */
} Measure;

static SockdiagKind measure_kind(const IntakeSocket *socket) {
        switch (socket->kind) {
        case INTAKE_TCP:
                return socket->is_v6 ? SOCKDIAG_TCP6 : SOCKDIAG_TCP4;
        case INTAKE_UDP:
                return socket->is_v6 ? SOCKDIAG_UDP6 : SOCKDIAG_UDP4;
        case INTAKE_UNIX:
        case INTAKE_ABSTRACT:
                break;
        }
        return SOCKDIAG_UNIX;
}

static bool is_of_group(const Measure *measure, const IntakeSocket *socket) {
        return socket->network == measure->first->network
                && measure_kind(socket) == measure_kind(measure->first);
}

static bool is_wildcard(const uint8_t address[static 16]) {
        static const uint8_t wildcard[16];

        return memcmp(address, wildcard, sizeof(wildcard)) == 0;
}

/* ---- TCP ---- */

static bool tcp_came_by(const IntakeRecord *record, const IntakeSocket *socket) {
        if (record->port != socket->port)
                return false;
        if (record->cgroup != 0 && socket->cgroup != 0 && record->cgroup != socket->cgroup)
                return false;
        return is_wildcard(socket->address)
                || memcmp(record->address, socket->address, sizeof(record->address)) == 0;
}

/* The daemon has closed it, and the kernel sends what is left. */
static bool tcp_is_let_go(const IntakeRecord *record) {
        switch (record->state) {
        case SOCKDIAG_FIN_WAIT_1:
        case SOCKDIAG_FIN_WAIT_2:
        case SOCKDIAG_CLOSING:
        case SOCKDIAG_LAST_ACK:
                return record->inode == 0;
        default:
                return false;
        }
}

/* The end of what the peer sends is counted as a byte, until it has been read. */
static uint32_t tcp_unread(const IntakeRecord *record) {
        switch (record->state) {
        case SOCKDIAG_CLOSE_WAIT:
        case SOCKDIAG_LAST_ACK:
        case SOCKDIAG_CLOSING:
                return record->read_queue > 0 ? record->read_queue - 1 : 0;
        default:
                return record->read_queue;
        }
}

/* snprintf(3) and inet_ntop(3) would take as long as all the rest. */
static char *format_number(char *at, unsigned number) {
        if (number >= 10)
                at = format_number(at, number / 10);
        *at++ = (char) ('0' + number % 10);
        return at;
}

static void format_v4(char *at, const uint8_t *address, uint16_t port) {
        for (unsigned i = 0; i < 4; i++) {
                at = format_number(at, address[i]);
                *at++ = i < 3 ? '.' : ':';
        }
        *format_number(at, port) = '\0';
}

static void format_peer(char ret[static INTAKE_NAME_MAX],
                        const IntakeRecord *record,
                        const IntakeSocket *socket) {
        static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

        if (!socket->is_v6)
                format_v4(ret, record->peer, record->peer_port);
        else if (memcmp(record->peer, v4_prefix, sizeof(v4_prefix)) == 0)
                format_v4(ret, record->peer + sizeof(v4_prefix), record->peer_port);
        else
                intake_format_address(ret, record->peer, true, record->peer_port);
}

static void tcp_tell(const Measure *measure,
                     const IntakeSocket *socket,
                     const IntakeRecord *record) {
        IntakeConnection connection;

        connection.socket = socket;
        connection.inode = record->inode;
        connection.unread = tcp_unread(record);
        connection.unsent = record->write_queue;
        connection.has_times = record->has_times;
        connection.closing = record->state != SOCKDIAG_ESTABLISHED
                && record->state != SOCKDIAG_SYN_RECEIVED;
        connection.since_received = record->since_received * USEC_PER_MSEC;
        connection.since_sent = record->since_sent * USEC_PER_MSEC;
        connection.received = record->received;
        connection.sent = record->sent;
        format_peer(connection.peer, record, socket);
        measure->visitor->connection(measure->visitor->userdata, &connection);
}

static void queue_tell(const Measure *measure, const IntakeSocket *socket, uint32_t waiting) {
        IntakeQueue queue = { .socket = socket, .waiting = waiting };

        measure->visitor->queue(measure->visitor->userdata, &queue);
}

static void tcp_tell_record(const Measure *measure, const IntakeRecord *record) {
        if (tcp_is_let_go(record))
                return;
        for (size_t i = 0; i < measure->count; i++) {
                const IntakeSocket *socket = &measure->sockets[i];

                if (record->state == SOCKDIAG_LISTENS) {
                        if (socket->inode == record->inode)
                                queue_tell(measure, socket, record->read_queue);
                } else if (tcp_came_by(record, socket) && is_of_group(measure, socket)) {
                        tcp_tell(measure, socket, record);
                        return;
                }
        }
}

/* ---- UDP ---- */

static void udp_tell_record(const Measure *measure, const IntakeRecord *record) {
        for (size_t i = 0; i < measure->count; i++)
                if (measure->sockets[i].inode == record->inode)
                        queue_tell(measure, &measure->sockets[i], record->read_queue);
}

/* ---- UNIX ---- */

/* Of one that does not listen any more only the name is left. */
static IntakeRecord unix_describe(const IntakeSnapshot *snapshot, const IntakeSocket *socket) {
        IntakeRecord record = { .name_length = (uint8_t) strlen(socket->name) };

        for (size_t i = 0; i < snapshot->count; i++)
                if (snapshot->records[i].inode == socket->inode)
                        return snapshot->records[i];
        memcpy(record.name, socket->name, record.name_length);
        if (socket->kind == INTAKE_ABSTRACT)
                record.name[0] = '\0';
        return record;
}

static bool unix_came_by(const IntakeRecord *record, const IntakeRecord *listener) {
        if (record->state == SOCKDIAG_LISTENS || record->name_length != listener->name_length
            || memcmp(record->name, listener->name, record->name_length) != 0)
                return false;
        return !record->has_file || !listener->has_file
                || (record->file_inode == listener->file_inode
                    && record->file_device == listener->file_device);
}

static void unix_tell(const Measure *measure,
                      const IntakeSocket *socket,
                      const IntakeRecord *record) {
        IntakeConnection connection = {
                .socket = socket,
                .inode = record->inode,
                .unread = record->read_queue,
                .unsent = record->write_queue,
                .closing = record->peer_inode == 0,
        };

        (void) snprintf(connection.peer, sizeof(connection.peer), "socket %u", record->peer_inode);
        measure->visitor->connection(measure->visitor->userdata, &connection);
}

static void unix_tell_socket(const Measure *measure,
                             const IntakeSnapshot *snapshot,
                             const IntakeSocket *socket) {
        IntakeRecord listener = unix_describe(snapshot, socket);

        if (listener.state == SOCKDIAG_LISTENS)
                queue_tell(measure, socket, listener.read_queue);
        for (size_t i = 0; i < snapshot->count; i++)
                if (unix_came_by(&snapshot->records[i], &listener))
                        unix_tell(measure, socket, &snapshot->records[i]);
}

/* ---- all ---- */

static void group_tell(const Measure *measure, const IntakeSnapshot *snapshot) {
        SockdiagKind kind = measure_kind(measure->first);

        if (kind == SOCKDIAG_UNIX) {
                for (size_t i = 0; i < measure->count; i++)
                        if (is_of_group(measure, &measure->sockets[i]))
                                unix_tell_socket(measure, snapshot, &measure->sockets[i]);
                return;
        }
        for (size_t i = 0; i < snapshot->count; i++)
                if (kind == SOCKDIAG_TCP4 || kind == SOCKDIAG_TCP6)
                        tcp_tell_record(measure, &snapshot->records[i]);
                else
                        udp_tell_record(measure, &snapshot->records[i]);
}

/* Any of the processes will do to get into another network. */
static int group_look(const Measure *measure, const IntakeSnapshot **ret) {
        const IntakeSocket *first = measure->first;
        int r = INTAKE_E_GONE;

        for (size_t i = 0; i < measure->count && r == INTAKE_E_GONE; i++)
                if (measure->sockets[i].network == first->network)
                        r = intake_snapshot(measure->intake, measure->sockets[i].pid,
                                            first->network, measure_kind(first), ret);
        return r;
}

static int group_measure(Measure *measure) {
        const IntakeSnapshot *snapshot;
        int r;

        r = group_look(measure, &snapshot);
        if (r != 0)
                return r;
        measure->when = MIN_OF(measure->when, snapshot->when);
        group_tell(measure, snapshot);
        return 0;
}

/* Whether no socket before it is of its group. */
static bool is_first(const Measure *measure) {
        for (const IntakeSocket *socket = measure->sockets; socket < measure->first; socket++)
                if (is_of_group(measure, socket))
                        return false;
        return true;
}

static int measure_add_ports(Intake *intake, const IntakeSocket *sockets, size_t count) {
        int r = 0;

        for (size_t i = 0; i < count && r == 0; i++)
                if (sockets[i].port != 0)
                        r = intake_add_port(intake, sockets[i].port);
        return r;
}

int intake_measure(Intake *intake,
                   const IntakeSocket *sockets,
                   size_t count,
                   const IntakeVisitor *visitor,
                   usec_t *ret_when) {
        Measure measure = { intake, sockets, count, sockets, visitor, clock_now() };
        int r;

        r = measure_add_ports(intake, sockets, count);
        for (; r == 0 && measure.first < sockets + count; measure.first++)
                if (is_first(&measure))
                        r = group_measure(&measure);
        if (r == 0 && ret_when)
                *ret_when = measure.when;
        return r;
}
