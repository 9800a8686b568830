/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sock_diag(7) tells of listening sockets alone. Where the kernel has none, and of a network that
 * we may not enter, it is the tables in /proc/PID/net: for these the kernel goes through all
 * connections, even through all room for them.
 */

#include "sys/listeners.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "sys/netspace.h"
#include "sys/sockdiag.h"

#define PROC_PATH_MAX     64
#define UNIX_FLAG_LISTENS 0x10000u /* __SO_ACCEPTCON */

/* What is looked for, and where it goes. */
typedef struct Search {
        Listeners *listeners;
        uint16_t port; /* 0: any */
        pid_t pid;
        int diag; /* descriptor to ask sock_diag by; -1: there is none */
} Search;

/* One kind of socket, and how to find it in the tables. */
typedef struct Kind {
        SockdiagKind kind;
        const char *table; /* in /proc/PID/net */
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

static int search_read_tcp_line(const Search *search, const char *line) {
        unsigned port, state;
        unsigned long inode;

        if (sscanf(line,
                   "%*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu",
                   &port, &state, &inode) != 3)
                return 0;
        if (state != SOCKDIAG_LISTENS || (search->port != 0 && search->port != port))
                return 0;
        return listeners_add(search->listeners, inode);
}

static int search_read_unix_line(const Search *search, const char *line) {
        unsigned flags;
        unsigned long inode;

        if (sscanf(line, "%*[0-9A-Fa-f]: %*x %*x %x %*x %*x %lu", &flags, &inode) != 2)
                return 0;
        return flags & UNIX_FLAG_LISTENS ? listeners_add(search->listeners, inode) : 0;
}

static const Kind kinds[] = {
        { SOCKDIAG_TCP4, "tcp", search_read_tcp_line },
        { SOCKDIAG_TCP6, "tcp6", search_read_tcp_line },
        { SOCKDIAG_UNIX, "unix", search_read_unix_line },
};

static int search_visit(void *userdata, const SockdiagSocket *socket) {
        const Search *search = userdata;

        /* Most often all listen: no need to let the kernel choose the port. */
        if (search->port != 0 && search->port != socket->port)
                return 0;
        return listeners_add(search->listeners, socket->inode);
}

static int search_by_diag(const Search *search, const Kind *kind) {
        SockdiagRequest request = {
                .kind = kind->kind,
                .states = SOCKDIAG_BIT(SOCKDIAG_LISTENS),
        };

        return sockdiag_each(search->diag, &request, search_visit, (void *) search);
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
        int r = SOCKDIAG_E_UNSUPPORTED;

        if (search->diag >= 0)
                r = search_by_diag(search, kind);
        return r == SOCKDIAG_E_UNSUPPORTED ? search_by_table(search, kind) : r;
}

/* -1 if it cannot be had, for whatever reason: the tables tell the same. */
static int search_open_diag(pid_t pid) {
        uint64_t network = 0;
        int fd = -1;

        return netspace_of(pid, &network) == 0 && netspace_open_sockdiag(pid, network, &fd) == 0
                ? fd
                : -1;
}

int listeners_read(Listeners *listeners, pid_t pid, uint16_t port) {
        CLEANUP(fd_closep) int diag = search_open_diag(pid);
        Search search = { listeners, port, pid, diag };

        listeners->count = 0;
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                int r;

                if (kinds[i].kind == SOCKDIAG_UNIX && port != 0)
                        continue;
                r = search_run(&search, &kinds[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}
