/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which sockets listen is asked first, then who holds them: a daemon that is not ready yet costs
 * little more than one look at the former. Nothing here waits; a connect goes on in the background.
 */

#include "sys/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/parse.h"
#include "sys/listeners.h"
#include "sys/netspace.h"
#include "sys/procfs.h"

#define ADDRESS_TEXT_MAX 64

/* What goes along with a walk over the tree. */
typedef struct ListenWalk {
        uint16_t port;
        uint64_t network; /* the namespace of which the listeners are known; 0: none */
        Listeners listeners;
} ListenWalk;

static void listen_walk_done(ListenWalk *walk) {
        listeners_done(&walk->listeners);
}

/* Most often the whole tree lives in one network. */
static int listen_walk_enter(ListenWalk *walk, pid_t pid) {
        uint64_t network = 0;

        /* 0: gone, or not ours to look into. */
        if (netspace_of(pid, &network) == 0 && network == walk->network)
                return 0;
        walk->network = network;
        return listeners_read(&walk->listeners, pid, walk->port);
}

static int listen_walk_look(void *userdata, int fd, uint64_t inode) {
        const ListenWalk *walk = userdata;

        (void) fd;
        return listeners_has(&walk->listeners, inode);
}

/* 1 ends the walk: one listener is enough. */
static int listen_walk_visit(void *userdata, pid_t pid) {
        ListenWalk *walk = userdata;
        int r;

        r = listen_walk_enter(walk, pid);
        if (r < 0)
                return r;
        if (walk->listeners.count == 0)
                return 0;
        r = procfs_each_socket(pid, listen_walk_look, walk);
        return r == -EACCES ? 0 : r; /* not ours to look into */
}

int socket_tree_listens(Tree *tree, uint16_t port, bool *ret) {
        CLEANUP(listen_walk_done) ListenWalk walk = { .port = port };
        int r;

        r = tree_each(tree, listen_walk_visit, &walk);
        if (r < 0)
                return r;
        *ret = r > 0;
        return 0;
}

static int socket_parse_port(const char *text, in_port_t *ret) {
        int64_t port;

        if (parse_int(text, 1, UINT16_MAX, &port) != 0)
                return SOCKET_E_SYNTAX;
        *ret = htons((uint16_t) port);
        return 0;
}

/* "[…]:PORT" and all else: what stands before the last colon is the host. */
int socket_parse_tcp(const char *text, SocketAddress *ret) {
        struct sockaddr_in v4 = { .sin_family = AF_INET };
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
        const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
        size_t length = colon ? (size_t) (colon - text) : 0;
        char host[ADDRESS_TEXT_MAX];
        int r;

        if (length >= sizeof(host))
                return SOCKET_E_SYNTAX;
        memcpy(host, text, length);
        host[length] = '\0';
        r = socket_parse_port(port, &v4.sin_port);
        if (r != 0)
                return r;

        if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
                host[length - 1] = '\0';
                if (inet_pton(AF_INET6, host + 1, &v6.sin6_addr) != 1)
                        return SOCKET_E_SYNTAX;
                v6.sin6_port = v4.sin_port;
                *ret = (SocketAddress){ .length = sizeof(v6) };
                memcpy(&ret->storage, &v6, sizeof(v6));
                return 0;
        }

        if (inet_pton(AF_INET, length > 0 ? host : "127.0.0.1", &v4.sin_addr) != 1)
                return SOCKET_E_SYNTAX;
        *ret = (SocketAddress){ .length = sizeof(v4) };
        memcpy(&ret->storage, &v4, sizeof(v4));
        return 0;
}

int socket_parse_unix(const char *text, SocketAddress *ret) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        size_t length = strlen(text);

        if ((text[0] != '/' && text[0] != '@') || length < 2 || length >= sizeof(address.sun_path))
                return SOCKET_E_SYNTAX;
        memcpy(address.sun_path, text, length);

        /* An abstract name begins with a NUL and ends where the address ends. */
        if (text[0] == '@')
                address.sun_path[0] = '\0';
        else
                length++;
        *ret = (SocketAddress){
                .length = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + length),
        };
        memcpy(&ret->storage, &address, sizeof(address));
        return 0;
}

/*
 * A TCP socket that connects to a free local port of the ephemeral range may be given that very
 * port for its own end, and then is connected to itself.
 */
static bool socket_is_its_own_peer(int fd) {
        struct sockaddr_storage own = { 0 }, peer = { 0 };
        socklen_t own_length = sizeof(own), peer_length = sizeof(peer);

        if (getsockname(fd, (struct sockaddr *) &own, &own_length) < 0
            || getpeername(fd, (struct sockaddr *) &peer, &peer_length) < 0)
                return true;
        return own.ss_family != AF_UNIX && own_length == peer_length
                && memcmp(&own, &peer, own_length) == 0;
}

int socket_connect(const SocketAddress *address, int *ret) {
        CLEANUP(fd_closep) int fd = -1;
        int r = 0;

        fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return errno == EAFNOSUPPORT ? SOCKET_E_REFUSED : errno_negative();

        if (connect(fd, &address->any, address->length) < 0) {
                if (errno != EINPROGRESS)
                        return errno == ENOMEM ? -ENOMEM : SOCKET_E_REFUSED;
                r = SOCKET_E_UNDER_WAY;
        } else if (socket_is_its_own_peer(fd))
                return SOCKET_E_REFUSED;

        *ret = fd;
        fd = -1;
        return r;
}

bool socket_connect_result(int fd) {
        socklen_t length = sizeof(int);
        int error;

        return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0
                && !socket_is_its_own_peer(fd);
}
