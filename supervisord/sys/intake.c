/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Two things have to be put together: what listens, which the kernel tells of a network, and who
 * holds what, which /proc tells of a process. The walk over descriptors is what costs, about 6 us
 * for each.
 */

#include "sys/intake.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "sys/intake_internal.h"
#include "sys/netspace.h"
#include "sys/procfs.h"

int intake_new(Loop *loop, Intake **ret) {
        Intake *intake = calloc(1, sizeof(*intake));

        if (!intake)
                return -ENOMEM;
        intake->loop = loop;
        intake->watch_fd = -1;
        intake->can_reopen = intake_try_reopen();
        *ret = intake;
        return 0;
}

Intake *intake_free(Intake *intake) {
        if (!intake)
                return NULL;

        (void) intake_watch(intake, NULL, NULL);
        for (size_t i = 0; i < INTAKE_LISTING_MAX; i++)
                intake_listing_done(&intake->listings[i]);
        for (size_t i = 0; i < INTAKE_SNAPSHOT_MAX; i++)
                free(intake->snapshots[i].records);
        free(intake->found);
        free(intake->ports);
        free(intake->nudged);
        free(intake);
        return NULL;
}

void *intake_grow(void *array, size_t *capacity, size_t count, size_t size) {
        size_t more = MAX_OF(count * 2, (size_t) 64);
        void *grown;

        if (count < *capacity)
                return array;
        grown = reallocarray(array, more, size);
        if (grown)
                *capacity = more;
        return grown;
}

bool intake_can_reopen(const Intake *intake) {
        return intake->can_reopen;
}

/* ---- names ---- */

void intake_format_address(char ret[static INTAKE_NAME_MAX],
                           const uint8_t address[static 16],
                           bool is_v6,
                           uint16_t port) {
        char text[INET6_ADDRSTRLEN];

        (void) inet_ntop(is_v6 ? AF_INET6 : AF_INET, address, text, sizeof(text));
        (void) snprintf(ret, INTAKE_NAME_MAX, is_v6 ? "[%s]:%u" : "%s:%u", text, port);
}

/* ---- finding ---- */

/* What goes along with a walk over a tree. */
typedef struct Find {
        Intake *intake;
        uint64_t own;                /* our network */
        IntakeListing *here, *there; /* of our network, and of the last other one; NULL: not yet */
        const IntakeListing *listing; /* the one of them that is looked for */
        pid_t pid;                   /* whose descriptors are looked at */
        size_t denied;
} Find;

static int find_add(Find *find, IntakeCandidate *candidate, int fd) {
        Intake *intake = find->intake;
        IntakeSocket *socket = intake_grow(intake->found, &intake->found_capacity,
                                           intake->found_count, sizeof(*socket));

        if (!socket)
                return -ENOMEM;
        intake->found = socket;
        socket = &intake->found[intake->found_count++];
        *socket = candidate->socket;
        socket->pid = find->pid;
        socket->fd = fd;
        if (socket->kind == INTAKE_TCP || socket->kind == INTAKE_UDP)
                intake_format_address(socket->name, socket->address, socket->is_v6, socket->port);
        socket->closed = intake_is_closed(candidate, socket);
        candidate->search = intake->search;
        return 0;
}

static int find_look(void *userdata, int fd, uint64_t inode) {
        Find *find = userdata;
        IntakeCandidate *candidate = intake_listing_find(find->listing, inode);

        if (!candidate || candidate->search == find->intake->search)
                return 0;
        return find_add(find, candidate, fd);
}

/* Looks for what listens in one network among the descriptors of the process. */
static int find_look_in(Find *find, uint64_t network, pid_t pid) {
        IntakeListing **known = network == find->own ? &find->here : &find->there;
        int r;

        if (!*known || (*known)->network != network) {
                r = intake_list(find->intake, pid, network, known);
                if (r != 0)
                        return r;
        }
        if ((*known)->count == 0)
                return 0;
        find->listing = *known;
        r = procfs_each_socket(find->pid, find_look, find);
        return r == -EACCES ? INTAKE_E_DENIED : r;
}

/* A process that has gone to another network may hold sockets of ours still. */
static int find_look_at(Find *find) {
        uint64_t network = 0;
        int r;

        r = intake_outcome(netspace_of(find->pid, &network));
        if (r == 0)
                r = find_look_in(find, network, find->pid);
        if (r == 0 && network != find->own)
                r = find_look_in(find, find->own, 0);
        return r;
}

static int find_visit(void *userdata, pid_t pid) {
        Find *find = userdata;
        int r;

        find->pid = pid;
        r = find_look_at(find);
        switch (r) {
        case INTAKE_E_GONE:
                return 0;
        case INTAKE_E_DENIED:
        case INTAKE_E_UNSUPPORTED:
                find->denied++;
                return 0;
        default:
                return r;
        }
}

int intake_find(Intake *intake,
                Tree *tree,
                const IntakeSocket **ret,
                size_t *ret_count,
                size_t *ret_denied) {
        Find find = { .intake = intake };
        int r;

        r = netspace_of(0, &find.own);
        if (r != 0)
                return r < 0 ? r : -ENOENT; /* there is no /proc */

        intake->search++;
        intake->found_count = 0;
        r = tree_each(tree, find_visit, &find);
        if (r < 0)
                return r;

        *ret = intake->found;
        *ret_count = intake->found_count;
        if (ret_denied)
                *ret_denied = find.denied;
        return 0;
}
