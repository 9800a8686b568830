/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The connections in a network, as they are at one moment. To look at them takes the kernel 0.3 ms
 * at least and 1 us for each, however few of them are wanted; so daemons that drain at the same
 * time look at the same snapshot, which serves for four times as long as it took.
 *
 * The kernel is told the ports of all sockets that were ever measured, so that it passes over the
 * other ends of connections within this machine, and those of clients that run here.
 */

#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "sys/intake_internal.h"
#include "sys/netspace.h"
#include "sys/sockdiag.h"

#define SERVES_TIMES 4

#define STATES_TCP                                                                                 \
        (SOCKDIAG_BIT(SOCKDIAG_LISTENS) | SOCKDIAG_BIT(SOCKDIAG_SYN_RECEIVED)                      \
         | SOCKDIAG_BIT(SOCKDIAG_ESTABLISHED) | SOCKDIAG_BIT(SOCKDIAG_FIN_WAIT_1)                  \
         | SOCKDIAG_BIT(SOCKDIAG_FIN_WAIT_2) | SOCKDIAG_BIT(SOCKDIAG_CLOSE_WAIT)                   \
         | SOCKDIAG_BIT(SOCKDIAG_LAST_ACK) | SOCKDIAG_BIT(SOCKDIAG_CLOSING))
#define STATES_UDP  SOCKDIAG_BIT(SOCKDIAG_CLOSED)
#define STATES_UNIX (SOCKDIAG_BIT(SOCKDIAG_LISTENS) | SOCKDIAG_BIT(SOCKDIAG_ESTABLISHED))

static const uint32_t snapshot_states[SOCKDIAG_KIND_MAX_] = {
        [SOCKDIAG_TCP4] = STATES_TCP, [SOCKDIAG_TCP6] = STATES_TCP,   [SOCKDIAG_UDP4] = STATES_UDP,
        [SOCKDIAG_UDP6] = STATES_UDP, [SOCKDIAG_UNIX] = STATES_UNIX,
};

void intake_touch(Intake *intake) {
        intake->epoch++;
}

int intake_add_port(Intake *intake, uint16_t port) {
        uint16_t *ports;

        for (size_t i = 0; i < intake->port_count; i++)
                if (intake->ports[i] == port)
                        return 0;
        ports = intake_grow(intake->ports, &intake->port_capacity, intake->port_count,
                            sizeof(port));
        if (!ports)
                return -ENOMEM;
        intake->ports = ports;
        intake->ports[intake->port_count++] = port;
        intake_touch(intake);
        return 0;
}

static void record_set_inet(IntakeRecord *record, const SockdiagSocket *socket) {
        bool is_v6 = socket->kind == SOCKDIAG_TCP6 || socket->kind == SOCKDIAG_UDP6;

        memcpy(record->address, socket->address, is_v6 ? 16 : 4);
        memcpy(record->peer, socket->peer, is_v6 ? 16 : 4);
        record->port = socket->port;
        record->peer_port = socket->peer_port;
        record->has_times = socket->has_times;
        record->since_received = socket->since_received;
        record->since_sent = socket->since_sent;
        record->received = socket->received;
        record->sent = socket->sent;
}

static void record_set_unix(IntakeRecord *record, const SockdiagSocket *socket) {
        record->has_file = socket->has_file;
        record->file_inode = socket->file_inode;
        record->file_device = socket->file_device;
        record->peer_inode = socket->peer_inode;
        record->name_length = (uint8_t) MIN_OF(socket->name_length, sizeof(record->name));
        if (record->name_length > 0)
                memcpy(record->name, socket->name, record->name_length);
}

static int snapshot_add(void *userdata, const SockdiagSocket *socket) {
        IntakeSnapshot *snapshot = userdata;
        IntakeRecord *record;

        /* Of UNIX sockets most have no name: those of clients. */
        if (socket->kind == SOCKDIAG_UNIX && socket->name_length == 0)
                return 0;
        record = intake_grow(snapshot->records, &snapshot->capacity, snapshot->count,
                             sizeof(*record));
        if (!record)
                return -ENOMEM;
        snapshot->records = record;
        record = &snapshot->records[snapshot->count++];
        *record = (IntakeRecord){
                .state = (uint8_t) socket->state,
                .inode = socket->inode,
                .cgroup = socket->cgroup,
                .read_queue = socket->read_queue,
                .write_queue = socket->write_queue,
        };
        if (socket->kind == SOCKDIAG_UNIX)
                record_set_unix(record, socket);
        else
                record_set_inet(record, socket);
        return 0;
}

static int snapshot_read(const Intake *intake, IntakeSnapshot *snapshot, int fd) {
        SockdiagRequest request = {
                .kind = (SockdiagKind) snapshot->kind,
                .states = snapshot_states[snapshot->kind],
                .in_full = true,
        };
        int r;

        if (snapshot->kind != SOCKDIAG_UNIX && intake->port_count <= SOCKDIAG_PORT_MAX) {
                request.ports = intake->ports;
                request.port_count = intake->port_count;
        }
        r = sockdiag_each(fd, &request, snapshot_add, snapshot);
        return r == SOCKDIAG_E_UNSUPPORTED ? INTAKE_E_UNSUPPORTED : r;
}

static bool snapshot_serves(const Intake *intake, const IntakeSnapshot *snapshot, usec_t now) {
        return snapshot->epoch == intake->epoch
                && now < usec_add(snapshot->when, SERVES_TIMES * snapshot->cost);
}

/* That of this kind and network, or the one that was taken the longest ago. */
static IntakeSnapshot *snapshot_place(Intake *intake, uint64_t network, int kind) {
        IntakeSnapshot *oldest = &intake->snapshots[0];

        for (size_t i = 0; i < INTAKE_SNAPSHOT_MAX; i++) {
                IntakeSnapshot *snapshot = &intake->snapshots[i];

                if (snapshot->network == network && snapshot->kind == kind)
                        return snapshot;
                if (snapshot->when < oldest->when)
                        oldest = snapshot;
        }
        return oldest;
}

int intake_snapshot(
        Intake *intake, pid_t pid, uint64_t network, int kind, const IntakeSnapshot **ret) {
        IntakeSnapshot *snapshot = snapshot_place(intake, network, kind);
        CLEANUP(fd_closep) int fd = -1;
        usec_t begin = clock_now();
        int r;

        *ret = snapshot;
        if (snapshot->network == network && snapshot->kind == kind
            && snapshot_serves(intake, snapshot, begin))
                return 0;
        r = netspace_open_sockdiag(pid, network, &fd);
        if (r != 0)
                return intake_outcome(r);

        snapshot->network = 0; /* until it is whole */
        snapshot->kind = kind;
        snapshot->count = 0;
        r = snapshot_read(intake, snapshot, fd);
        if (r != 0)
                return r;
        snapshot->network = network;
        snapshot->epoch = intake->epoch;
        snapshot->when = begin;
        snapshot->cost = clock_now() - begin;
        return 0;
}
