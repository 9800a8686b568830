/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The inside of the intake, for its own files only:
 *
 *   intake.c           the object, finding
 *   intake_listing.c   what listens in a network
 *   intake_act.c       closing and opening
 *   intake_path.c      … what has a path
 *   intake_snapshot.c  connections in a network
 *   intake_measure.c   … and by which socket they came
 *   intake_nudge.c     ending idle ones, hearing of ends
 */

#include "sys/intake.h"

/* ---- what listens in a network ---- */

typedef struct IntakeCandidate {
        IntakeSocket socket; /* whose holder, state and (TCP, UDP) name are not known yet */
        uint32_t interface;
        bool has_file; /* UNIX */
        uint32_t file_inode;
        dev_t file_device;
        uint64_t search; /* the last one that found it */
} IntakeCandidate;

typedef struct IntakeListing {
        uint64_t network; /* 0: none yet */
        usec_t when;
        IntakeCandidate *candidates; /* by inode */
        size_t count, capacity;
} IntakeListing;

#define INTAKE_LISTING_MAX 16

/* ---- connections in a network ---- */

typedef struct IntakeRecord {
        uint8_t state; /* SockdiagState */
        uint64_t inode, cgroup;
        uint32_t read_queue, write_queue;
        union {
                struct {
                        uint8_t address[16], peer[16];
                        uint16_t port, peer_port;
                        bool has_times;
                        uint32_t since_received, since_sent;
                        uint64_t received, sent;
                };
                struct {
                        bool has_file;
                        uint32_t file_inode, peer_inode;
                        dev_t file_device;
                        uint8_t name_length;
                        char name[INTAKE_NAME_MAX];
                };
        };
} IntakeRecord;

typedef struct IntakeSnapshot {
        uint64_t network; /* 0: none yet */
        int kind;         /* SockdiagKind */
        unsigned epoch;
        usec_t when, cost;
        IntakeRecord *records;
        size_t count, capacity;
} IntakeSnapshot;

#define INTAKE_SNAPSHOT_MAX 16

struct Intake {
        Loop *loop;
        bool can_reopen;

        IntakeListing listings[INTAKE_LISTING_MAX];
        uint64_t search; /* counted up, so that what was found is found once */
        IntakeSocket *found;
        size_t found_count, found_capacity;

        IntakeSnapshot snapshots[INTAKE_SNAPSHOT_MAX];
        unsigned epoch; /* snapshots of an earlier one serve no more */
        /* Ports of all sockets that were ever measured: so much the kernel has to tell. */
        uint16_t *ports;
        size_t port_count, port_capacity;

        uint64_t *nudged; /* room for inodes */
        size_t nudged_capacity;

        int watch_fd;
        LoopSource *watch; /* NULL: nobody watches */
        LoopHandler handler;
        void *userdata;
};

/* The array, moved if there was no room for one more behind `count`; NULL: no memory. */
void *intake_grow(void *array, size_t *capacity, size_t count, size_t size);

/*
 * What listens in a network, which is that of the process; borrowed until the next call. 0 or
 * INTAKE_E_GONE, INTAKE_E_DENIED, INTAKE_E_UNSUPPORTED.
 */
int intake_list(Intake *intake, pid_t pid, uint64_t network, IntakeListing **ret);
IntakeCandidate *intake_listing_find(const IntakeListing *listing, uint64_t inode);
void intake_listing_done(IntakeListing *listing);
/* An outcome of netspace_open_sockdiag() as one of ours. */
int intake_outcome(int r);

/*
 * A second descriptor for a socket of a process, whose inode it has; to be closed at once. 0 or
 * INTAKE_E_GONE, INTAKE_E_DENIED, INTAKE_E_UNSUPPORTED.
 */
int intake_duplicate(int pidfd, int fd, uint64_t inode, int *ret);
/* Whether something of ours is on it, as far as we may know. */
bool intake_is_closed(const IntakeCandidate *candidate, const IntakeSocket *socket);
/* Whether a refusal can be undone here. */
bool intake_try_reopen(void);

/* For what has a path. */
int intake_path_close(Intake *intake, const IntakeSocket *socket);
int intake_path_open(Intake *intake, const IntakeSocket *socket);
bool intake_path_is_closed(const IntakeCandidate *candidate, const IntakeSocket *socket);

/* The connections of a kind in the network of the process; like intake_list(). */
int intake_snapshot(
        Intake *intake, pid_t pid, uint64_t network, int kind, const IntakeSnapshot **ret);
/* From now on these ports are told of, too. 0 or -ENOMEM. */
int intake_add_port(Intake *intake, uint16_t port);
/* Something was changed: what was known of connections serves no more. */
void intake_touch(Intake *intake);

/* "1.2.3.4:80", "[::1]:80". */
void intake_format_address(char ret[static INTAKE_NAME_MAX],
                           const uint8_t address[static 16],
                           bool is_v6,
                           uint16_t port);
