/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The D-Bus specification's wire format, as far as one method call and its return need it. */

#include "wire.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "control/names.h"

#define WIRE_PATIENCE  5           /* seconds */
#define WIRE_ROOM      (96u << 10) /* to begin with: a thousand daemons */
#define WIRE_REPLY_MAX (64u << 20)

#define LOGIN_MAX  128
#define CALL_MAX   512
#define HEADER     16 /* bytes of a message before its fields */
#define TYPE_CALL  1
#define TYPE_REPLY 2

enum { FIELD_PATH = 1, FIELD_INTERFACE = 2, FIELD_MEMBER = 3 };

/* Little-endian, on every machine: the first byte of the message says so. */
static void wire_put(uint8_t *at, uint32_t number) {
        for (int i = 0; i < 4; i++)
                at[i] = (uint8_t) (number >> 8 * i);
}

static uint32_t wire_get(const char *at) {
        uint32_t number = 0;

        for (int i = 0; i < 4; i++)
                number |= (uint32_t) (uint8_t) at[i] << 8 * i;
        return number;
}

static size_t wire_align(size_t size, size_t to) {
        return (size + to - 1) / to * to;
}

/* A field of the header: its number, the type of its value, the value. */
static size_t wire_add_field(
        uint8_t *call, size_t size, uint8_t field, char type, const char *text) {
        size_t length = strlen(text);

        size = wire_align(size, 8);
        call[size] = field;
        call[size + 1] = 1; /* the length of the signature */
        call[size + 2] = (uint8_t) type;
        wire_put(call + size + 4, (uint32_t) length);
        memcpy(call + size + 8, text, length);
        return size + 8 + length + 1;
}

static size_t wire_make_call(uint8_t call[static CALL_MAX], const char *member) {
        size_t size = HEADER;

        memset(call, 0, CALL_MAX);
        call[0] = 'l';
        call[1] = TYPE_CALL;
        call[3] = 1;           /* version of the protocol */
        wire_put(call + 8, 1); /* serial number */
        size = wire_add_field(call, size, FIELD_PATH, 'o', CONTROL_PATH);
        size = wire_add_field(call, size, FIELD_INTERFACE, 's', CONTROL_INTERFACE);
        size = wire_add_field(call, size, FIELD_MEMBER, 's', member);
        wire_put(call + 12, (uint32_t) (size - HEADER));
        return wire_align(size, 8);
}

/* A NUL byte, then the user as EXTERNAL wants it: in hexadecimal digits of decimal digits. */
static size_t wire_make_login(char login[static LOGIN_MAX]) {
        char user[16];
        int length;

        (void) snprintf(user, sizeof(user), "%u", (unsigned) geteuid());
        length = snprintf(login, LOGIN_MAX, "%cAUTH EXTERNAL ", '\0');
        for (const char *digit = user; *digit; digit++)
                length += snprintf(login + length, LOGIN_MAX - (size_t) length, "%02x", *digit);
        length += snprintf(login + length, LOGIN_MAX - (size_t) length, "\r\nBEGIN\r\n");
        return (size_t) length;
}

static int wire_connect(const char *path, int *ret) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct timeval patience = { .tv_sec = WIRE_PATIENCE };
        CLEANUP(fd_closep) int fd = -1;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
            connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return errno_negative();
        *ret = fd;
        fd = -1;
        return 0;
}

static int wire_send(int fd, const char *member) {
        char login[LOGIN_MAX];
        uint8_t call[CALL_MAX];
        struct iovec pieces[] = {
                { .iov_base = login, .iov_len = wire_make_login(login) },
                { .iov_base = call, .iov_len = wire_make_call(call, member) },
        };
        struct msghdr message = { .msg_iov = pieces, .msg_iovlen = ELEMENTSOF(pieces) };

        ssize_t count = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (count < 0)
                return errno_negative();
        return (size_t) count == pieces[0].iov_len + pieces[1].iov_len ? 0 : -EPROTO;
}

void wire_reply_done(WireReply *reply) {
        free(reply->data);
        *reply = (WireReply){};
}

/* Reads what is there; the data is terminated. */
static int wire_read(int fd, WireReply *reply) {
        if (reply->room - reply->size < WIRE_ROOM / 2) {
                size_t room = MAX_OF(2 * reply->room, (size_t) WIRE_ROOM);
                char *grown = room <= WIRE_REPLY_MAX ? realloc(reply->data, room) : NULL;

                if (!grown)
                        return -ENOMEM;
                reply->data = grown;
                reply->room = room;
        }
        ssize_t count = read(fd, reply->data + reply->size, reply->room - reply->size - 1);
        if (count < 0)
                return errno_negative();
        reply->size += (size_t) count;
        reply->data[reply->size] = '\0';
        return count > 0 ? 0 : -EPROTO;
}

/* Until there are so many bytes. */
static int wire_read_up_to(int fd, WireReply *reply, size_t size) {
        int r = 0;

        if (size > WIRE_REPLY_MAX)
                return -EPROTO;
        while (r == 0 && reply->size < size)
                r = wire_read(fd, reply);
        return r;
}

/* The line that answers the authentication; *ret is where the message begins. */
static int wire_read_login(int fd, WireReply *reply, size_t *ret) {
        const char *end = NULL;

        while (!end) {
                int r = wire_read(fd, reply);
                if (r < 0)
                        return r;
                if (reply->size >= 3 && memcmp(reply->data, "OK ", 3) != 0)
                        return -EPROTO;
                end = strstr(reply->data, "\r\n");
        }
        *ret = (size_t) (end + 2 - reply->data);
        return 0;
}

/* The text at `*at`, which is moved behind it; both are relative to the body. */
static char *wire_take_text(char *body, size_t size, size_t *at) {
        size_t begin = wire_align(*at, 4) + 4;

        if (begin > size)
                return NULL;
        size_t length = wire_get(body + begin - 4);
        if (length >= size - begin || body[begin + length] != '\0')
                return NULL;
        *at = begin + length + 1;
        return body + begin;
}

static int wire_read_reply(int fd, WireReply *reply, size_t start) {
        int r = wire_read_up_to(fd, reply, start + HEADER);
        if (r < 0)
                return r;

        const char *header = reply->data + start;
        size_t body = start + HEADER + wire_align(wire_get(header + 12), 8);
        size_t size = wire_get(header + 4), at = 0;

        if (header[0] != 'l' || header[1] != TYPE_REPLY)
                return -EPROTO;
        r = wire_read_up_to(fd, reply, body + size);
        if (r < 0)
                return r;
        reply->first = wire_take_text(reply->data + body, size, &at);
        reply->second = reply->first ? wire_take_text(reply->data + body, size, &at) : NULL;
        return reply->second ? 0 : -EPROTO;
}

int wire_call(const char *socket, const char *member, WireReply *ret) {
        CLEANUP(wire_reply_done) WireReply reply = {};
        CLEANUP(fd_closep) int fd = -1;
        size_t start = 0;

        int r = wire_connect(socket, &fd);
        if (r == 0)
                r = wire_send(fd, member);
        if (r == 0)
                r = wire_read_login(fd, &reply, &start);
        if (r == 0)
                r = wire_read_reply(fd, &reply, start);
        if (r == 0)
                *ret = TAKE(reply);
        return r;
}
