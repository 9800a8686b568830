/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * In our own network namespace sock_diag(7) tells of listening sockets alone. Elsewhere, and where
 * the kernel has no sock_diag, it is the tables in /proc/PID/net: for these the kernel goes through
 * all connections, even through all room for them.
 *
 * Nothing here waits: an answer of sock_diag is there when the request returns.
 */

#include "sys/listeners.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

#define PROC_PATH_MAX     64
#define ANSWER_MAX        16384 /* of one piece, see netlink(7) */
#define UNIX_FLAG_LISTENS 0x10000u /* __SO_ACCEPTCON */

/* What is looked for, and where it goes. */
typedef struct Search {
        Listeners *listeners;
        uint16_t port; /* 0: any */
        pid_t pid;
        bool here; /* the process lives in our own network namespace */
} Search;

/* One kind of socket, and the two ways to ask for it. */
typedef struct Kind {
        const char *table; /* in /proc/PID/net */
        uint8_t family;
        int (*read_message)(const Search *search, const void *message, size_t size);
        int (*read_line)(const Search *search, const char *line);
} Kind;

void listeners_done(Listeners *listeners) {
        free(listeners->inodes);
        *listeners = (Listeners){ 0 };
}

bool listeners_has(const Listeners *listeners, uint64_t inode) {
        for (size_t i = 0; i < listeners->count; i++)
                if (listeners->inodes[i] == inode)
                        return true;
        return false;
}

static int listeners_add(Listeners *listeners, uint64_t inode) {
        if (listeners->count == listeners->capacity) {
                size_t capacity = listeners->capacity == 0 ? 64 : listeners->capacity * 2;
                uint64_t *inodes = reallocarray(listeners->inodes, capacity, sizeof(*inodes));

                if (!inodes)
                        return -ENOMEM;
                listeners->inodes = inodes;
                listeners->capacity = capacity;
        }
        listeners->inodes[listeners->count++] = inode;
        return 0;
}

static int search_add_tcp(const Search *search, uint16_t port, uint64_t inode) {
        return search->port == 0 || search->port == port ? listeners_add(search->listeners, inode)
                                                          : 0;
}

static int search_read_tcp_message(const Search *search, const void *message, size_t size) {
        const struct inet_diag_msg *socket = message;

        if (size < sizeof(*socket))
                return -EBADMSG;
        return search_add_tcp(search, ntohs(socket->id.idiag_sport), socket->idiag_inode);
}

static int search_read_tcp_line(const Search *search, const char *line) {
        unsigned port, state;
        unsigned long inode;

        if (sscanf(line,
                   "%*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu",
                   &port, &state, &inode) != 3)
                return 0;
        return state == TCP_LISTEN ? search_add_tcp(search, (uint16_t) port, inode) : 0;
}

static int search_read_unix_message(const Search *search, const void *message, size_t size) {
        const struct unix_diag_msg *socket = message;

        if (size < sizeof(*socket))
                return -EBADMSG;
        return listeners_add(search->listeners, socket->udiag_ino);
}

static int search_read_unix_line(const Search *search, const char *line) {
        unsigned flags;
        unsigned long inode;

        if (sscanf(line, "%*[0-9A-Fa-f]: %*x %*x %x %*x %*x %lu", &flags, &inode) != 2)
                return 0;
        return flags & UNIX_FLAG_LISTENS ? listeners_add(search->listeners, inode) : 0;
}

static const Kind kinds[] = {
        { "tcp", AF_INET, search_read_tcp_message, search_read_tcp_line },
        { "tcp6", AF_INET6, search_read_tcp_message, search_read_tcp_line },
        { "unix", AF_UNIX, search_read_unix_message, search_read_unix_line },
};

/* Asks for all sockets of the kind that listen. */
static int search_send(int fd, const Kind *kind) {
        struct {
                struct nlmsghdr header;
                union {
                        struct inet_diag_req_v2 inet;
                        struct unix_diag_req local;
                };
        } request = { .header = { .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                                  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
        size_t size = NLMSG_LENGTH(0);

        if (kind->family == AF_UNIX) {
                request.local.sdiag_family = kind->family;
                request.local.udiag_states = 1u << TCP_LISTEN;
                size += sizeof(request.local);
        } else {
                request.inet.sdiag_family = kind->family;
                request.inet.sdiag_protocol = IPPROTO_TCP;
                request.inet.idiag_states = 1u << TCP_LISTEN;
                size += sizeof(request.inet);
        }
        request.header.nlmsg_len = (uint32_t) size;
        return send(fd, &request, size, 0) < 0 ? errno_negative() : 0;
}

/* The messages of one piece of the answer. 1: it was the last. */
static int search_read_piece(
        const Search *search, const Kind *kind, const struct nlmsghdr *message, size_t size) {
        for (; NLMSG_OK(message, size); message = NLMSG_NEXT(message, size)) {
                int r;

                if (message->nlmsg_type == NLMSG_DONE)
                        return 1;
                /* The kernel does not know the kind, or its module is not there. */
                if (message->nlmsg_type == NLMSG_ERROR)
                        return -EOPNOTSUPP;
                r = kind->read_message(search, NLMSG_DATA(message), NLMSG_PAYLOAD(message, 0));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int search_by_diag(const Search *search, const Kind *kind) {
        _Alignas(struct nlmsghdr) char answer[ANSWER_MAX];
        CLEANUP(fd_closep) int fd = -1;
        int r;

        fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
        if (fd < 0)
                return errno_negative();
        r = search_send(fd, kind);
        while (r == 0) {
                ssize_t n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);

                if (n < 0)
                        return errno_negative();
                r = search_read_piece(search, kind, (const struct nlmsghdr *) answer, (size_t) n);
        }
        return r < 0 ? r : 0;
}

static void fclosep(FILE **stream) {
        if (*stream)
                (void) fclose(*stream);
}

static int search_by_table(const Search *search, const Kind *kind) {
        CLEANUP(fclosep) FILE *stream = NULL;
        CLEANUP(freep) char *line = NULL;
        char path[PROC_PATH_MAX];
        size_t capacity = 0;
        int r = 0;

        snprintf(path, sizeof(path), "/proc/%d/net/%s", (int) search->pid, kind->table);
        stream = fopen(path, "re");
        if (!stream) /* the process has gone, or there is no such protocol */
                return errno == ENOENT || errno == ESRCH ? 0 : errno_negative();

        while (r == 0 && getline(&line, &capacity, stream) > 0)
                r = kind->read_line(search, line);
        return r;
}

static int search_run(const Search *search, const Kind *kind) {
        size_t before = search->listeners->count;

        if (search->here && search_by_diag(search, kind) == 0)
                return 0;
        search->listeners->count = before;
        return search_by_table(search, kind);
}

/* Whether a process is in our network namespace; not, if that cannot be seen. */
static bool process_is_here(pid_t pid) {
        struct stat own, its;
        char path[PROC_PATH_MAX];

        snprintf(path, sizeof(path), "/proc/%d/ns/net", (int) pid);
        return stat("/proc/self/ns/net", &own) == 0 && stat(path, &its) == 0
                && own.st_dev == its.st_dev && own.st_ino == its.st_ino;
}

int listeners_read(Listeners *listeners, pid_t pid, uint16_t port) {
        Search search = { listeners, port, pid, process_is_here(pid) };

        listeners->count = 0;
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                int r;

                if (kinds[i].family == AF_UNIX && port != 0)
                        continue;
                r = search_run(&search, &kinds[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}
