/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The intake of a daemon seen from outside: the sockets by which new work reaches the processes of
 * a tree, closing and opening them without the daemon's help, and what is in flight on them.
 *
 * The sockets are found by a walk over the tree's descriptors and sock_diag(7) in the network
 * namespace of each process. To act on one it is duplicated (pidfd_getfd(2)), checked by its inode,
 * changed and closed again at once. Nothing here waits; no policy.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sys/loop.h"
#include "sys/tree.h"

/* Room that all trees share, and the connections to the kernel; one for each supervisor. */
typedef struct Intake Intake;

int intake_new(Loop *loop, Intake **ret);
/* Accepts NULL; returns NULL. */
Intake *intake_free(Intake *intake);
DEFINE_CLEANUP(Intake, intake_free)

typedef enum IntakeKind {
        INTAKE_TCP,      /* listens */
        INTAKE_UDP,      /* bound, and not connected */
        INTAKE_UNIX,     /* listens at a path */
        INTAKE_ABSTRACT, /* … at an abstract name */
} IntakeKind;

#define INTAKE_NAME_MAX 112 /* "0.0.0.0:80", "[::]:80", "/run/x.sock", "@name" */

/* A socket that takes in new work. */
typedef struct IntakeSocket {
        IntakeKind kind;
        uint64_t inode;
        uint64_t cgroup;  /* id of the one in which it was made; 0: not known */
        uint64_t network; /* inode of its network namespace */
        pid_t pid;        /* a process that holds it, … */
        int fd;           /* … and its number there */
        bool is_v6;
        uint8_t address[16]; /* in network order, of which IPv4 takes the first four */
        uint16_t port;
        bool closed;                /* something of ours is on it */
        char name[INTAKE_NAME_MAX]; /* for people; of INTAKE_UNIX the path */
} IntakeSocket;

enum {
        INTAKE_E_GONE = 1,    /* the process or the socket is not there any more */
        INTAKE_E_DENIED,      /* our privileges do not suffice */
        INTAKE_E_FOREIGN,     /* somebody else has put a filter or an interface on it, or something
                                 else is at its path: left alone */
        INTAKE_E_UNSUPPORTED, /* the method is none for this kind of socket, or for this kernel */
};

/*
 * Finds the sockets of a tree as they are now. *ret is an array of the intake's, good until its
 * next call; each socket is in it once, however many processes hold it. Processes that end
 * meanwhile, and those that may not be looked into, are passed over; *ret_denied (may be NULL) is
 * how many of the latter there were. What listens in a network is asked once for all calls within
 * one handler of the loop.
 */
int intake_find(Intake *intake,
                Tree *tree,
                const IntakeSocket **ret,
                size_t *ret_count,
                size_t *ret_denied);

typedef enum IntakeMethod {
        /*
         * New ones are refused at once: TCP is bound to an interface that does not exist
         * (SO_BINDTOIFINDEX), a UNIX path is renamed aside. What waits in the queue is still
         * served. INTAKE_E_UNSUPPORTED: UDP, abstract names, a socket that is not at its path.
         */
        INTAKE_REFUSE,
        /*
         * New ones wait, unaware: a filter drops SYNs, clients repeat them. TCP only; needs
         * CAP_NET_ADMIN on current kernels.
         */
        INTAKE_HOLD,
} IntakeMethod;

/*
 * Closes it; 0 also if it is closed already by this method. INTAKE_E_GONE: the process that was
 * found does not hold it any more; find again, another one may.
 */
int intake_close(Intake *intake, const IntakeSocket *socket, IntakeMethod method);

/* Undoes what of ours is on it, whoever put it there; 0 also if nothing was. */
int intake_open(Intake *intake, const IntakeSocket *socket);

/* Whether intake_open() may undo a refused TCP socket here (CAP_NET_RAW). */
bool intake_can_reopen(const Intake *intake);

/*
 * Where a UNIX path is renamed to, malloc'ed; NULL: no memory. And back, for paths that an earlier
 * supervisor left there or whose daemon has ended: one that nobody serves any more is removed
 * instead. 0 also if there is nothing to do, INTAKE_E_FOREIGN: something else is at the path by
 * now.
 */
char *intake_aside(const char *path);
int intake_restore(const char *path);

/* A connection that came in by one of the sockets. */
typedef struct IntakeConnection {
        const IntakeSocket *socket; /* the one that it came by */
        uint64_t inode;             /* 0: not accepted yet */
        uint32_t unread;            /* bytes that the daemon has not read */
        uint32_t unsent;            /* bytes that its peer has not acknowledged */
        bool has_times;             /* the members below are known: TCP */
        bool closing;               /* one side has ended it already */
        usec_t since_received;      /* since the last byte came from the peer, … */
        usec_t since_sent;          /* … and since the daemon sent its last; both in ms steps */
        uint64_t received, sent;    /* bytes so far */
        char peer[INTAKE_NAME_MAX];
} IntakeConnection;

/* What waits at a socket itself. Of those that are gone nothing is told. */
typedef struct IntakeQueue {
        const IntakeSocket *socket;
        /*
         * Connections to be accepted; of UDP bytes to be read. TCP tells each of them as a
         * connection too, UNIX does not.
         */
        uint32_t waiting;
} IntakeQueue;

typedef struct IntakeVisitor {
        void (*queue)(void *userdata, const IntakeQueue *queue);
        void (*connection)(void *userdata, const IntakeConnection *connection);
        void *userdata;
} IntakeVisitor;

/*
 * Measures what is in flight on these sockets (as intake_find() gave them, however long ago) with
 * one dump for each kind and network, without a walk. A connection that is half open (SYN_RECV)
 * counts as one that is not accepted; those that the daemon has closed are not told. All is as it
 * was at *ret_when. INTAKE_E_UNSUPPORTED: no sock_diag here; INTAKE_E_DENIED: in another network
 * namespace that may not be entered; INTAKE_E_GONE: in one in which no process that was found is
 * left.
 *
 * Of UNIX sockets, whose connections belong to the network namespace of the client, those of
 * clients in other ones are not seen once they are accepted.
 *
 * A dump that took long serves for a while, so that all who measure take a fifth of the time at
 * most; intake_close(), intake_open() and intake_nudge() end that. *ret_when (may be NULL) is when
 * it was taken, the oldest one if there are several: two answers of the same time are one.
 */
int intake_measure(Intake *intake,
                   const IntakeSocket *sockets,
                   size_t count,
                   const IntakeVisitor *visitor,
                   usec_t *ret_when);

/*
 * Lets the daemon see the end of idle connections of its tree, as if the clients had hung up:
 * shutdown(2) for reading. Those with the given inodes; *ret_count of them were found.
 */
int intake_nudge(
        Intake *intake, Tree *tree, const uint64_t *inodes, size_t count, size_t *ret_count);

/*
 * Calls the handler when TCP connections of our own network namespace have ended (a wake-up only,
 * at most once a round; events may be lost). 0, INTAKE_E_UNSUPPORTED or a negative errno. One
 * watcher at a time; NULL as handler ends it.
 */
int intake_watch(Intake *intake, LoopHandler handler, void *userdata);
