/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What listens in a network, kept for as long as one handler of the loop runs: all that are closed
 * in it see the same. Sorted by inode, since that is what the descriptors of a process tell.
 */

#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "sys/intake_internal.h"
#include "sys/netspace.h"
#include "sys/sockdiag.h"

/* Those that listen, and of UDP those that are bound and not connected. */
static const struct {
        SockdiagKind kind;
        SockdiagState state;
} listing_parts[] = {
        { SOCKDIAG_TCP4, SOCKDIAG_LISTENS }, { SOCKDIAG_TCP6, SOCKDIAG_LISTENS },
        { SOCKDIAG_UDP4, SOCKDIAG_CLOSED },  { SOCKDIAG_UDP6, SOCKDIAG_CLOSED },
        { SOCKDIAG_UNIX, SOCKDIAG_LISTENS },
};

int intake_outcome(int r) {
        switch (r) {
        case NETSPACE_E_GONE:
                return INTAKE_E_GONE;
        case NETSPACE_E_DENIED:
                return INTAKE_E_DENIED;
        case NETSPACE_E_UNSUPPORTED:
                return INTAKE_E_UNSUPPORTED;
        default:
                return r;
        }
}

void intake_listing_done(IntakeListing *listing) {
        free(listing->candidates);
        *listing = (IntakeListing){ 0 };
}

static void candidate_set_unix(IntakeCandidate *candidate, const SockdiagSocket *socket) {
        size_t length = MIN_OF(socket->name_length, (size_t) INTAKE_NAME_MAX - 1);
        bool abstract = length > 0 && socket->name[0] == '\0';

        candidate->socket.kind = abstract ? INTAKE_ABSTRACT : INTAKE_UNIX;
        candidate->has_file = socket->has_file;
        candidate->file_inode = socket->file_inode;
        candidate->file_device = socket->file_device;
        for (size_t i = 0; i < length; i++)
                candidate->socket.name[i] = socket->name[i] == '\0' ? '@' : socket->name[i];
}

static void candidate_set_inet(IntakeCandidate *candidate, const SockdiagSocket *socket) {
        bool is_tcp = socket->kind == SOCKDIAG_TCP4 || socket->kind == SOCKDIAG_TCP6;
        bool is_v6 = socket->kind == SOCKDIAG_TCP6 || socket->kind == SOCKDIAG_UDP6;

        candidate->socket.kind = is_tcp ? INTAKE_TCP : INTAKE_UDP;
        candidate->socket.is_v6 = is_v6;
        memcpy(candidate->socket.address, socket->address, is_v6 ? 16 : 4);
        candidate->socket.port = socket->port;
        candidate->interface = socket->interface;
}

static int listing_add(void *userdata, const SockdiagSocket *socket) {
        IntakeListing *listing = userdata;
        IntakeCandidate *candidate;

        if (socket->inode == 0 || (socket->kind != SOCKDIAG_UNIX && socket->port == 0))
                return 0;
        candidate = intake_grow(listing->candidates, &listing->capacity, listing->count,
                                sizeof(*candidate));
        if (!candidate)
                return -ENOMEM;
        listing->candidates = candidate;
        candidate = &listing->candidates[listing->count++];
        *candidate = (IntakeCandidate){
                .socket = { .inode = socket->inode,
                            .cgroup = socket->cgroup,
                            .network = listing->network },
        };
        if (socket->kind == SOCKDIAG_UNIX)
                candidate_set_unix(candidate, socket);
        else
                candidate_set_inet(candidate, socket);
        return 0;
}

static int candidate_compare(const void *a, const void *b) {
        const IntakeCandidate *left = a, *right = b;

        return left->socket.inode < right->socket.inode ? -1
                                                        : left->socket.inode > right->socket.inode;
}

/* A part that this kernel does not know has no sockets either, unless that is true of all. */
static int listing_read(IntakeListing *listing, int fd) {
        unsigned known = 0;

        for (size_t i = 0; i < ELEMENTSOF(listing_parts); i++) {
                SockdiagRequest request = {
                        .kind = listing_parts[i].kind,
                        .states = SOCKDIAG_BIT(listing_parts[i].state),
                        .in_full = listing_parts[i].kind == SOCKDIAG_UNIX,
                };
                int r = sockdiag_each(fd, &request, listing_add, listing);

                if (r < 0)
                        return r;
                known += r == 0;
        }
        if (known == 0)
                return INTAKE_E_UNSUPPORTED;
        qsort(listing->candidates, listing->count, sizeof(*listing->candidates),
              candidate_compare);
        return 0;
}

IntakeCandidate *intake_listing_find(const IntakeListing *listing, uint64_t inode) {
        IntakeCandidate key = { .socket.inode = inode };

        return listing->count == 0 ? NULL
                                   : bsearch(&key, listing->candidates, listing->count, sizeof(key),
                                             candidate_compare);
}

/* That of the network, or the one that was read the longest ago. */
static IntakeListing *listing_place(Intake *intake, uint64_t network) {
        IntakeListing *oldest = &intake->listings[0];

        for (size_t i = 0; i < INTAKE_LISTING_MAX; i++) {
                IntakeListing *listing = &intake->listings[i];

                if (listing->network == network)
                        return listing;
                if (listing->when < oldest->when)
                        oldest = listing;
        }
        return oldest;
}

int intake_list(Intake *intake, pid_t pid, uint64_t network, IntakeListing **ret) {
        CLEANUP(fd_closep) int fd = -1;
        IntakeListing *listing = listing_place(intake, network);
        usec_t now = loop_now(intake->loop);
        int r;

        if (listing->network == network && listing->when == now) {
                *ret = listing;
                return 0;
        }
        r = netspace_open_sockdiag(pid, network, &fd);
        if (r != 0)
                return intake_outcome(r);

        listing->network = network;
        listing->count = 0;
        listing->when = 0;
        r = listing_read(listing, fd);
        if (r != 0)
                return r;
        listing->when = now;
        *ret = listing;
        return 0;
}
