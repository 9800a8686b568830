/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/socket.h on the listeners of the fake world. Addresses are numbers and paths only. With a
 * seed a connection may take a moment, at the end of which the listener may be gone.
 */

#include "sys/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/parse.h"
#include "fake/fake.h"
#include "fake/parts.h"
#include "fake/world_intake.h"

#define CONNECT_MOST (3 * USEC_PER_MSEC)

int socket_tree_listens(Tree *tree, uint16_t port, bool *ret) {
        int r = fake_door(DOOR_SOCKET_LISTENS);
        if (r < 0)
                return r;

        *ret = world_listener(fake_tree_of(tree), port, NULL) != NULL;
        return 0;
}

int socket_parse_tcp(const char *text, SocketAddress *ret) {
        const char *colon = strrchr(text, ':');
        int64_t port;

        if (parse_int(colon ? colon + 1 : text, 1, UINT16_MAX, &port) != 0)
                return SOCKET_E_SYNTAX;

        struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t) port) };
        *ret = (SocketAddress){ .length = sizeof(address) };
        memcpy(&ret->storage, &address, sizeof(address));
        return 0;
}

int socket_parse_unix(const char *text, SocketAddress *ret) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        snprintf(address.sun_path, sizeof(address.sun_path), "%s", text);
        *ret = (SocketAddress){ .length = sizeof(address) };
        memcpy(&ret->storage, &address, sizeof(address));
        return 0;
}

static bool socket_listens(unsigned port, const char *path) {
        const FakeSocket *socket = socket_find(NULL, port, port > 0 ? NULL : path);

        return socket && socket_is_open(socket);
}

/* The port stands in `argument` above the descriptor. */
static void socket_decide(void *userdata, uint64_t argument) {
        Descriptor *descriptor = descriptor_get((int) (argument & 0xffff));
        unsigned port = (unsigned) (argument >> 16);

        (void) userdata;
        if (!descriptor || descriptor->kind != DESCRIPTOR_CONNECTION)
                return;
        descriptor->ready = true;
        descriptor->connected = socket_listens(port, descriptor->name);
}

int socket_connect(const SocketAddress *address, int *ret) {
        const char *path = "";
        unsigned port = 0;

        int r = fake_door(DOOR_SOCKET_CONNECT);
        if (r < 0)
                return r;
        if (address->any.sa_family == AF_INET)
                port = ntohs(((const struct sockaddr_in *) &address->storage)->sin_port);
        else
                path = ((const struct sockaddr_un *) &address->storage)->sun_path;
        if (!socket_listens(port, path))
                return SOCKET_E_REFUSED;

        int fd = descriptor_new(DESCRIPTOR_CONNECTION, NULL, path);
        if (fd < 0)
                return fd;
        *ret = fd;
        if (world_choose(2) == 0)
                return 0;
        world_at(usec_add(world_now(), world_choose(CONNECT_MOST)), socket_decide, NULL,
                 (uint64_t) port << 16 | (uint64_t) fd);
        return SOCKET_E_UNDER_WAY;
}

bool socket_connect_result(int fd) {
        const Descriptor *descriptor = descriptor_get(fd);

        return descriptor && descriptor->connected;
}
