/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A part of the fake world: the sockets by which work comes in, the clients that come by them, and
 * what is in flight. What a process holds ends with it.
 */

#include "fake/world.h"
#include "sys/intake.h"

/* ---- sockets ---- */

typedef struct FakeSocket {
        uint64_t inode;   /* 0: free */
        uint64_t process; /* key of the one that holds it */
        IntakeKind kind;
        unsigned port;             /* 0: a path or a name */
        char path[WORLD_NAME_MAX]; /* "@name" of INTAKE_ABSTRACT */
        usec_t changed_at;         /* made, or moved to its process */
        bool refused, held;        /* by us; whether a path is refused depends on its file */
        bool foreign;              /* somebody else has a filter on it: for the test to set */
        uint32_t unread;           /* of INTAKE_UDP: bytes, likewise */
} FakeSocket;

/* A TCP socket, or with port 0 one at a path or at an "@name"; the process listens. */
FakeSocket *socket_add(FakeProcess *process, unsigned port, const char *path);
FakeSocket *socket_add_udp(FakeProcess *process, unsigned port);
/* The first of a live process that listens there, or NULL; port 0 and path NULL: anywhere. */
FakeSocket *socket_find(const WorldTree *tree, unsigned port, const char *path);
FakeSocket *socket_by_inode(uint64_t inode);
/* The first of a live process at or after `*cursor`, which moves behind it; NULL: no more. */
FakeSocket *socket_each(unsigned *cursor);
/* From now on another process holds it; what it has accepted stays where it is. */
void socket_move(FakeSocket *socket, FakeProcess *process);
/* Closed by its process: what waits there is cut. */
void socket_end(FakeSocket *socket);
/* Whether a client is let in. */
bool socket_is_open(const FakeSocket *socket);

/* All of a process: close, hand over to another one. */
void process_close_sockets(FakeProcess *process);
void process_move_sockets(FakeProcess *process, FakeProcess *to);

/* ---- connections ---- */

/*
 * The life of a connection. It comes with its first request, waits, is accepted, and is idle from
 * the last answer on until its client hangs up.
 */
typedef struct FakeLife {
        usec_t wait;       /* in the queue */
        usec_t work;       /* on each request, */
        unsigned pieces;   /* which is answered in so many pieces, spread over it; 0 is 1 */
        unsigned requests; /* 0: it is idle at once */
        usec_t pause;      /* from an answer to the next request */
        usec_t idle;       /* after the last one; USEC_INFINITY: as long as it is let */
        bool half;         /* the client ends its side when it has asked all */
} FakeLife;

/*
 * A client connects. One that is refused is counted and gone; at a socket that is held it knocks
 * again after 1, 3, 7, … s.
 */
void world_connect(unsigned port, const char *path, const FakeLife *life);
/*
 * So many come within `period`: at moments and with lives that the seed chooses, of which `life` is
 * the longest; without one evenly and with this life.
 */
void world_clients(
        unsigned port, const char *path, unsigned count, usec_t period, const FakeLife *life);

typedef enum FakeConnectionState {
        CONNECTION_NONE,
        CONNECTION_COMES,  /* its client is on the way */
        CONNECTION_KNOCKS, /* its SYN was dropped */
        CONNECTION_WAITS,  /* not accepted yet */
        CONNECTION_WORKS,  /* a request is not answered */
        CONNECTION_IDLE,
} FakeConnectionState;

typedef struct FakeConnection {
        FakeConnectionState state;
        uint64_t inode;   /* 0: not accepted */
        uint64_t socket;  /* inode of the one that it came by */
        uint64_t process; /* key; of one that waits: nobody's yet */
        unsigned generation;
        unsigned port; /* where its client connects to, */
        char path[WORLD_NAME_MAX];
        unsigned knocks; /* … and how often it did in vain */
        FakeLife life;
        unsigned requests, pieces; /* still to come */
        bool nudged;
        usec_t received_at, sent_at;
        uint64_t received, sent;
        unsigned peer; /* port of its client */
} FakeConnection;

/* The first one at or after `*cursor`, which moves behind it; NULL: no more. */
FakeConnection *connection_each(unsigned *cursor);
/* The process that it concerns: that of its socket until it is accepted. */
FakeProcess *connection_process(const FakeConnection *connection);
/* The daemon sees the end of it: idle ones are closed, others when they have been answered. */
void connection_nudge(FakeConnection *connection);

/* Ends once nothing of it is in flight; idle connections are closed. */
void process_exit_served(FakeProcess *process, int status);

/* What became of clients: of a tree, or of all. */
typedef struct FakeTally {
        unsigned refused;  /* of all only: nobody, or nobody open, was there */
        unsigned answered; /* requests */
        unsigned cut;      /* connections that ended with a request not answered */
        unsigned closed;   /* … that ended idle */
} FakeTally;

FakeTally world_tally(const char *tree);
/* Connections that are accepted, waiting or at work just now. */
unsigned world_in_flight(const char *tree);
/* Sockets that something of ours is on. */
unsigned world_closed(void);
