/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client of the control socket as nobody wants it. Each mode does one harm and then says on
 * stdout what became of it; status 0 if the other side did as it should, 1 if it did not.
 *
 * It speaks D-Bus by hand, since no library would send such things.
 */

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common.h"

static const char usage[] =
        "hostile SOCKET MODE [COUNT]\n"
        "  silent   says nothing\n"
        "  auth     wrong claims of who it is, by COUNT connections\n"
        "  text     what is no D-Bus at all\n"
        "  half     half of a message\n"
        "  drip     a message byte by byte\n"
        "  large    a message of COUNT MiB\n"
        "  deaf     COUNT calls, whose answers it does not read\n"
        "  crowd    COUNT connections at once\n"
        "  wrong    calls of what does not exist and with wrong arguments\n"
        "  random   COUNT connections with random bytes after the authentication\n";

#define PATIENCE_MS  30000
#define MESSAGE_MAX  4096
#define CHUNK        65536
#define MEGABYTE     (1 << 20)
#define HEADER_FIXED 16
#define TYPE_CALL    1
#define TYPE_ANSWER  2
#define TYPE_ERROR   3
#define OBJECT       "/org/supervisord"
#define INTERFACE    "org.supervisord.Supervisor1"
#define PROPERTIES   "org.freedesktop.DBus.Properties"

typedef struct Message {
        uint8_t data[MESSAGE_MAX];
        size_t size;
} Message;

static const char *socket_path;

/* -1: the other side does not take it. */
static int open_socket(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0)
                die_errno("socket");
        if (strlen(socket_path) >= sizeof(address.sun_path))
                die("the path is too long");
        strcpy(address.sun_path, socket_path);
        if (connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0)
                return fd;
        close(fd);
        return -1;
}

/* What there is to read, up to `size` bytes: 0 for the end, -1 for nothing in time. */
static ssize_t receive(int fd, void *buffer, size_t size, int patience) {
        struct pollfd entry = { .fd = fd, .events = POLLIN };

        if (poll(&entry, 1, patience > 0 ? patience : 0) <= 0)
                return -1;
        ssize_t n = read(fd, buffer, size);
        return n < 0 ? 0 : n;
}

/* Reads and forgets until the other side hangs up. */
static bool is_hung_up_on(int fd) {
        long long end = now_ms() + PATIENCE_MS;
        char buffer[CHUNK];
        ssize_t n;

        do
                n = receive(fd, buffer, sizeof(buffer), (int) (end - now_ms()));
        while (n > 0 && now_ms() < end);
        return n == 0;
}

/* Authenticated; dies if it cannot be. */
static int log_in(void) {
        static const char hello[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";
        char answer[MESSAGE_MAX];
        size_t size = 0;
        int fd = open_socket();

        if (fd < 0 || write_all(fd, hello, sizeof(hello) - 1) < 0)
                die("cannot log in");
        do {
                ssize_t n = receive(fd, answer + size, sizeof(answer) - 1 - size, PATIENCE_MS);

                if (n <= 0)
                        die("no answer to the authentication");
                size += (size_t) n;
                answer[size] = '\0';
        } while (!strstr(answer, "OK ") || answer[size - 1] != '\n');
        return fd;
}

static void put(Message *message, const void *data, size_t size) {
        if (message->size + size > sizeof(message->data))
                die("a message is too long");
        memcpy(message->data + message->size, data, size);
        message->size += size;
}

static void put_u32(Message *message, uint32_t value) {
        put(message, &value, sizeof(value));
}

static void align(Message *message, size_t step) {
        while (message->size % step != 0)
                put(message, "", 1);
}

static void put_string(Message *message, const char *text) {
        align(message, sizeof(uint32_t));
        put_u32(message, (uint32_t) strlen(text));
        put(message, text, strlen(text) + 1);
}

static void put_signature(Message *message, const char *signature) {
        uint8_t length = (uint8_t) strlen(signature);

        put(message, &length, 1);
        put(message, signature, length + 1u);
}

static void put_field(Message *message, uint8_t code, const char *type, const char *value) {
        align(message, 8);
        put(message, &code, 1);
        put_signature(message, type);
        if (*type == 'g')
                put_signature(message, value);
        else
                put_string(message, value);
}

/* The head of a call, in the byte order of this machine; its body of `body` bytes is to follow. */
static void make_head(Message *message,
                      const char *interface,
                      const char *member,
                      const char *signature,
                      uint32_t body) {
        static uint32_t serial;
        const uint8_t order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 'l' : 'B';
        const uint8_t begin[4] = { order, TYPE_CALL, 0, 1 };

        message->size = 0;
        put(message, begin, sizeof(begin));
        put_u32(message, body);
        put_u32(message, ++serial);
        put_u32(message, 0); /* the length of the fields, known below */
        put_field(message, 1, "o", OBJECT);
        put_field(message, 2, "s", interface);
        put_field(message, 3, "s", member);
        if (*signature)
                put_field(message, 8, "g", signature);

        uint32_t fields = (uint32_t) (message->size - HEADER_FIXED);
        memcpy(message->data + 12, &fields, sizeof(fields));
        align(message, 8);
}

static void make_call(Message *message,
                      const char *interface,
                      const char *member,
                      const char *signature,
                      const Message *body) {
        make_head(message, interface, member, signature, body ? (uint32_t) body->size : 0);
        if (body)
                put(message, body->data, body->size);
}

static void make_get(Message *message) {
        Message body = { .size = 0 };

        put_string(&body, INTERFACE);
        put_string(&body, "Version");
        make_call(message, PROPERTIES, "Get", "ss", &body);
}

static void read_whole(int fd, void *buffer, size_t size) {
        for (size_t done = 0; done < size;) {
                ssize_t n = receive(fd, (char *) buffer + done, size - done, PATIENCE_MS);

                if (n <= 0)
                        die("no answer to a call");
                done += (size_t) n;
        }
}

/* The type of the next message that is an answer or an error. */
static int read_answer(int fd) {
        for (;;) {
                uint8_t head[HEADER_FIXED], rest[CHUNK];
                uint32_t body, fields;

                read_whole(fd, head, sizeof(head));
                memcpy(&body, head + 4, sizeof(body));
                memcpy(&fields, head + 12, sizeof(fields));
                size_t size = (size_t) (fields + 7) / 8 * 8 + body;
                if (size > sizeof(rest))
                        die("an answer is too long");
                read_whole(fd, rest, size);
                if (head[1] == TYPE_ANSWER || head[1] == TYPE_ERROR)
                        return head[1];
        }
}

static int report(bool good, const char *what) {
        printf("%s\n", what);
        return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_silent(void) {
        int fd = open_socket();
        bool gone = fd >= 0 && is_hung_up_on(fd);

        return report(gone, gone ? "hung up on" : "still connected");
}

static int run_auth(int count) {
        static const char *const claims[] = {
                "AUTH EXTERNAL 3432393439363732\r\n", /* another uid, in hexadecimal digits */
                "AUTH ANONYMOUS\r\n",
                "AUTH EXTERNAL zz\r\nBEGIN\r\n",
                "BEGIN\r\n",
                "CANCEL\r\nERROR\r\nAUTH\r\n",
        };
        const size_t kinds = sizeof(claims) / sizeof(claims[0]);
        Message call;

        make_get(&call);
        for (int i = 0; i < count; i++) {
                const char *claim = claims[(size_t) i % kinds];
                char answer[MESSAGE_MAX + 1];
                int fd = open_socket();

                if (fd < 0 || write_all(fd, "", 1) < 0 || write_all(fd, claim, strlen(claim)) < 0 ||
                    write_all(fd, (const char *) call.data, call.size) < 0) {
                        close(fd);
                        continue; /* hung up already */
                }
                ssize_t n = receive(fd, answer, MESSAGE_MAX, 50);
                answer[n > 0 ? n : 0] = '\0';
                if (strstr(answer, "OK "))
                        return report(false, "let in");
                close(fd);
        }
        return report(true, "not let in");
}

static int run_text(void) {
        static const char text[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        int fd = open_socket();

        (void) write_all(fd, text, sizeof(text) - 1);
        bool gone = is_hung_up_on(fd);
        return report(gone, gone ? "hung up on" : "still connected");
}

static int run_half(void) {
        Message call;
        int fd = log_in();

        make_get(&call);
        (void) write_all(fd, (const char *) call.data, call.size / 2);
        bool gone = is_hung_up_on(fd);
        return report(gone, gone ? "hung up on" : "still connected");
}

/* So slow that each byte is a piece of its own. */
static int run_drip(void) {
        Message call;
        int fd = log_in();

        make_get(&call);
        for (size_t i = 0; i < call.size; i++) {
                if (write_all(fd, (const char *) call.data + i, 1) < 0)
                        return report(true, "hung up on");
                sleep_ms(2);
        }
        bool gone = is_hung_up_on(fd);
        return report(gone, gone ? "hung up on" : "answered");
}

static int run_large(int megabytes) {
        static char chunk[CHUNK];
        uint32_t body = (uint32_t) megabytes * MEGABYTE, sent = 0;
        Message head;
        int fd = log_in();

        make_head(&head, INTERFACE, "Start", "asb", body);
        if (write_all(fd, (const char *) head.data, head.size) == 0)
                while (sent < body && write_all(fd, chunk, sizeof(chunk)) == 0)
                        sent += (uint32_t) sizeof(chunk);
        bool gone = is_hung_up_on(fd);
        printf("%u KiB sent\n", sent / 1024);
        return report(gone, gone ? "hung up on" : "still connected");
}

/* Two of them at once: one that calls, and one that would only have to listen. */
static int run_deaf(int count) {
        Message call;
        int sent = 0, fd = log_in(), listener = log_in();

        make_get(&call);
        (void) write_all(listener, (const char *) call.data, call.size);
        while (sent < count && write_all(fd, (const char *) call.data, call.size) == 0)
                sent++;
        printf("%d calls sent\n", sent);
        return report(sent < count, sent < count ? "hung up on" : "all calls were taken");
}

static int run_crowd(int count) {
        struct rlimit limit = { .rlim_cur = (rlim_t) count + 16, .rlim_max = (rlim_t) count + 16 };
        int opened = 0, kept = 0;
        int *fds = calloc((size_t) count, sizeof(*fds));

        if (!fds || setrlimit(RLIMIT_NOFILE, &limit) < 0)
                die_errno("so many descriptors");
        for (int i = 0; i < count; i++) {
                fds[i] = open_socket();
                opened += fds[i] >= 0;
        }
        for (int i = 0; i < count; i++)
                if (fds[i] >= 0 && !is_hung_up_on(fds[i]))
                        kept++;
        free(fds);
        printf("%d of %d connections were made, %d were kept\n", opened, count, kept);
        return report(kept == 0, kept == 0 ? "hung up on" : "still connected");
}

static void expect_error(int fd, const Message *call, const char *what) {
        if (write_all(fd, (const char *) call->data, call->size) < 0)
                die("hung up on before: %s", what);
        if (read_answer(fd) != TYPE_ERROR)
                die("no error for: %s", what);
}

static void make_names(Message *body, const char *name) {
        body->size = 0;
        put_u32(body, (uint32_t) (sizeof(uint32_t) + strlen(name) + 1));
        put_string(body, name);
}

static int run_wrong(int count) {
        static const char *const names[] = { "",
                                             "no-such-daemon",
                                             "a\x01\x1b[2Jb",
                                             "../../etc/passwd",
                                             "\xc3\xa4\xe2\x82\xac",
                                             "%s%n%n",
                                             "*" };
        static const char *const steering[] = { "Start", "Stop", "Restart" };
        static const char *const naming[] = { "Freeze", "Drain", "Thaw", "ReloadDaemons" };
        Message call, body;
        int fd = log_in();

        for (int i = 0; i < count; i++) {
                make_call(&call, INTERFACE, "NoSuchMethod", "", NULL);
                expect_error(fd, &call, "a method that does not exist");
                make_call(&call, "no.such.Interface", "Start", "", NULL);
                expect_error(fd, &call, "an interface that does not exist");
                make_call(&call, INTERFACE, "Start", "", NULL);
                expect_error(fd, &call, "no arguments");
                body.size = 0;
                put_u32(&body, 7);
                make_call(&call, INTERFACE, "Start", "u", &body);
                expect_error(fd, &call, "an argument of a wrong type");
                make_call(&call, INTERFACE, "Shutdown", "u", &body);
                expect_error(fd, &call, "a stop with a number");
                make_call(&call, INTERFACE, "StatusTable", "u", &body);
                expect_error(fd, &call, "an argument too many");
                make_call(&call, INTERFACE, "ListRecords", "u", &body);
                expect_error(fd, &call, "too few arguments");
                for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
                        make_names(&body, names[j]);
                        make_call(&call, INTERFACE, steering[j % 3], "as", &body);
                        expect_error(fd, &call, "too few arguments");
                        make_call(&call, INTERFACE, naming[j % 4], "as", &body);
                        expect_error(fd, &call, names[j]);
                        align(&body, sizeof(uint32_t));
                        put_u32(&body, 1);
                        make_call(&call, INTERFACE, steering[j % 3], "asb", &body);
                        expect_error(fd, &call, names[j]);
                        make_names(&body, names[j]);
                        align(&body, sizeof(uint32_t));
                        put_u32(&body, 15);
                        make_call(&call, INTERFACE, "Signal", "asi", &body);
                        expect_error(fd, &call, names[j]);
                }
        }
        return report(true, "nothing but errors");
}

static int run_random(int count) {
        Message call;

        srand(1);
        for (int i = 0; i < count; i++) {
                int fd = log_in();

                make_get(&call);
                for (int j = 0; j < 1 + i % 8; j++)
                        call.data[(size_t) rand() % call.size] = (uint8_t) rand();
                (void) write_all(fd, (const char *) call.data, call.size);
                close(fd);
        }
        return report(true, "done");
}

int main(int argc, char *argv[]) {
        const char *mode = argc >= 3 ? argv[2] : "";
        int count = argc >= 4 ? number(argv[3]) : 1;

        if (argc < 3)
                die("%s", usage);
        socket_path = argv[1];
        signal(SIGPIPE, SIG_IGN);

        if (strcmp(mode, "silent") == 0)
                return run_silent();
        if (strcmp(mode, "auth") == 0)
                return run_auth(count);
        if (strcmp(mode, "text") == 0)
                return run_text();
        if (strcmp(mode, "half") == 0)
                return run_half();
        if (strcmp(mode, "drip") == 0)
                return run_drip();
        if (strcmp(mode, "large") == 0)
                return run_large(count);
        if (strcmp(mode, "deaf") == 0)
                return run_deaf(count);
        if (strcmp(mode, "crowd") == 0)
                return run_crowd(count);
        if (strcmp(mode, "wrong") == 0)
                return run_wrong(count);
        if (strcmp(mode, "random") == 0)
                return run_random(count);
        die("%s", usage);
}
