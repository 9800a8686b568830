/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The door to sock_diag(7): the lists of sockets that the kernel keeps of a network namespace,
 * whosever they are.
 *
 * Nothing here waits: an answer is there when the request returns. While a list is read, sockets
 * come and go; one that moves within it may be missed or come twice.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef enum SockdiagKind {
        SOCKDIAG_TCP4,
        SOCKDIAG_TCP6,
        SOCKDIAG_UDP4,
        SOCKDIAG_UDP6,
        SOCKDIAG_UNIX,
        SOCKDIAG_KIND_MAX_,
} SockdiagKind;

/* As the kernel numbers them, for all kinds; UDP knows the first and SOCKDIAG_CLOSED only. */
typedef enum SockdiagState {
        SOCKDIAG_ESTABLISHED = 1, /* of UDP: connected */
        SOCKDIAG_SYN_SENT,
        SOCKDIAG_SYN_RECEIVED,
        SOCKDIAG_FIN_WAIT_1,
        SOCKDIAG_FIN_WAIT_2,
        SOCKDIAG_TIME_WAIT,
        SOCKDIAG_CLOSED, /* of UDP: not connected */
        SOCKDIAG_CLOSE_WAIT,
        SOCKDIAG_LAST_ACK,
        SOCKDIAG_LISTENS,
        SOCKDIAG_CLOSING,
} SockdiagState;

#define SOCKDIAG_BIT(state) (1u << (state))

/* More ports than that are not worth to be told to the kernel. */
#define SOCKDIAG_PORT_MAX 32

typedef struct SockdiagRequest {
        SockdiagKind kind;
        uint32_t states; /* SOCKDIAG_BIT() of each that is wanted */
        /* More than addresses, inode and cgroup: times of TCP; names, files, queues of UNIX. */
        bool in_full;
        /* Local ports, at most SOCKDIAG_PORT_MAX; none: any. Not of UNIX. */
        const uint16_t *ports;
        size_t port_count;
} SockdiagRequest;

/* A socket. Pointers are good for the call only. */
typedef struct SockdiagSocket {
        SockdiagKind kind;
        SockdiagState state;
        uint64_t inode;  /* 0: no process has it */
        uint64_t cgroup; /* id of the one in which it was made; 0: not known */

        /* Of TCP and UDP; in network order, of which IPv4 takes the first four. */
        const uint8_t *address, *peer;
        uint16_t port, peer_port;
        uint32_t interface; /* index of the one that it is bound to; 0: none */

        /* Bytes to be read and not acknowledged; of one that listens: waiting, and how many may. */
        uint32_t read_queue, write_queue;

        bool has_times; /* the following are known */
        uint32_t since_received, since_sent; /* ms */
        uint64_t received, sent;             /* bytes */

        /* Of UNIX. */
        const char *name; /* without a NUL at its end; an abstract one begins with one */
        size_t name_length;
        bool has_file;
        uint32_t file_inode; /* as stat(2) has it, cut to 32 bits */
        dev_t file_device;   /* that of its file system; of btrfs stat(2) has another one */
        uint32_t peer_inode;
} SockdiagSocket;

enum { SOCKDIAG_E_UNSUPPORTED = 1 }; /* no sock_diag, or not of this kind */

/* A socket to ask by, of the network namespace in which we are then. */
int sockdiag_open(int *ret);

/*
 * Calls `visit` for each socket that is asked for. What it returns below 0 ends that and is
 * returned; then, as after any error, the descriptor is of no use any more.
 */
typedef int (*SockdiagVisitor)(void *userdata, const SockdiagSocket *socket);
int sockdiag_each(int fd, const SockdiagRequest *request, SockdiagVisitor visit, void *userdata);
