/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The traffic of the demonstration: it keeps a number of requests in flight against an HTTP
 * server, a redis and the line protocol of legacyd, a new connection for each, and counts what
 * becomes of them. Every request ends in exactly one way:
 *
 *   answered     the whole answer came
 *   turned away  refused, or reset before the server had read it: never taken in, so no loss.
 *                (A server that has read a request and dies closes the connection in order; a reset
 *                without a byte of answer comes from a listening socket that was closed while the
 *                connection still waited in its queue.)
 *   lost         anything else: cut short, closed without an answer, nothing within 20 s
 *
 * A server that refuses gets no further requests. When none is left to be sent to, or after
 * SIGTERM, the client waits for what is in flight, prints its report and exits: with 0, or with 1
 * if anything was lost. SIGUSR1 prints a report in between. A report has a line per server
 *
 *   NAME SENT ANSWERED TURNED-AWAY LOST IN-FLIGHT SLOWEST-MSEC
 *
 * and ends with a line "end". `client ports N` prints N free TCP ports instead.
 *
 * It blocks in ppoll() only, where alone its signals can reach it.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SLOTS_MAX     32
#define BUFFER_SIZE   4096
#define PATIENCE_MSEC 20000
#define TURN_MSEC     50 /* no sleep is longer */

/* How much of an answer is there. */
typedef enum Answer {
        ANSWER_PARTIAL,
        ANSWER_WHOLE,
        ANSWER_WRONG,
} Answer;

typedef enum SlotState {
        SLOT_IDLE,       /* sends its next request at `since` */
        SLOT_CONNECTING, /* … was begun at `since` */
        SLOT_WAITING,
} SlotState;

typedef struct Slot {
        SlotState state;
        int fd;
        int64_t since;
        char buffer[BUFFER_SIZE + 1]; /* the begin of the answer */
        size_t length;                /* bytes of the answer, also of those that are not kept */
} Slot;

typedef struct Server {
        const char *name;
        const char *request;
        Answer (*check)(const Slot *slot);
        size_t slots; /* so many in flight at once */
        int64_t rest; /* between two requests of a slot */
        uint16_t port;
        bool open; /* it has not refused yet */
        unsigned long sent, answered, turned_away, lost;
        int64_t slowest;
        Slot slot[SLOTS_MAX];
} Server;

static Answer check_http(const Slot *slot);
static Answer check_redis(const Slot *slot);
static Answer check_line(const Slot *slot);

static Server servers[] = {
        {
                .name = "nginx",
                .request = "GET /work HTTP/1.0\r\nHost: demo\r\n\r\n",
                .check = check_http,
                .slots = 24,
                .rest = 40,
        },
        {
                .name = "redis",
                .request = "INCR requests\r\n",
                .check = check_redis,
                .slots = 4,
                .rest = 20,
        },
        {
                .name = "legacyd",
                .request = "work\n",
                .check = check_line,
                .slots = 12,
                .rest = 10,
        },
};

#define SERVER_COUNT (sizeof(servers) / sizeof(servers[0]))

static volatile sig_atomic_t report_wanted, end_wanted;

static void on_signal(int signo) {
        if (signo == SIGUSR1)
                report_wanted = 1;
        else
                end_wanted = 1;
}

static int64_t now_msec(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct sockaddr_in loopback(uint16_t port) {
        return (struct sockaddr_in) {
                .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
}

/* The header's Content-Length and as many bytes behind the header. */
static Answer check_http(const Slot *slot) {
        const char *body = strstr(slot->buffer, "\r\n\r\n");
        const char *field = strstr(slot->buffer, "Content-Length: ");
        size_t size;

        if (slot->length >= 12 && strncmp(slot->buffer + 8, " 200", 4) != 0)
                return ANSWER_WRONG;
        if (!body)
                return slot->length < BUFFER_SIZE ? ANSWER_PARTIAL : ANSWER_WRONG;
        if (!field || field > body)
                return ANSWER_WRONG;

        size = strtoul(field + strlen("Content-Length: "), NULL, 10);
        size += (size_t) (body + strlen("\r\n\r\n") - slot->buffer);
        return slot->length >= size ? ANSWER_WHOLE : ANSWER_PARTIAL;
}

static Answer check_text(const Slot *slot, const char *begin) {
        size_t length = strlen(begin);

        if (strncmp(slot->buffer, begin, slot->length < length ? slot->length : length) != 0)
                return ANSWER_WRONG;
        return strchr(slot->buffer, '\n') ? ANSWER_WHOLE : ANSWER_PARTIAL;
}

static Answer check_redis(const Slot *slot) {
        return check_text(slot, ":");
}

static Answer check_line(const Slot *slot) {
        return check_text(slot, "done work\n");
}

static size_t server_in_flight(const Server *server) {
        size_t count = 0;

        for (size_t i = 0; i < server->slots; i++)
                count += server->slot[i].state != SLOT_IDLE;
        return count;
}

/* Its slots begin one after another, so that at any moment there are requests of every age. */
static void server_open(Server *server, uint16_t port) {
        int64_t now = now_msec();

        server->port = port;
        server->open = true;
        for (size_t i = 0; i < server->slots; i++)
                server->slot[i].since = now + (int64_t) i * server->rest;
}

static void report_print(void) {
        for (size_t i = 0; i < SERVER_COUNT; i++) {
                const Server *server = &servers[i];

                printf("%s %lu %lu %lu %lu %zu %lld\n",
                       server->name,
                       server->sent,
                       server->answered,
                       server->turned_away,
                       server->lost,
                       server_in_flight(server),
                       (long long) server->slowest);
        }
        printf("end\n");
        fflush(stdout);
}

static void slot_end(Server *server, Slot *slot, unsigned long *counter) {
        int64_t now = now_msec();

        if (counter == &server->answered && now - slot->since > server->slowest)
                server->slowest = now - slot->since;
        (*counter)++;
        close(slot->fd);
        slot->fd = -1;
        slot->state = SLOT_IDLE;
        slot->since = now + server->rest;
}

/* After a failed call: whether it says that the request was never taken in. */
static void slot_fail(Server *server, Slot *slot, int error) {
        if (error == ECONNREFUSED)
                server->open = false;
        if (error == ECONNREFUSED || ((error == ECONNRESET || error == EPIPE) && slot->length == 0))
                slot_end(server, slot, &server->turned_away);
        else
                slot_end(server, slot, &server->lost);
}

static void slot_begin(Server *server, Slot *slot) {
        struct sockaddr_in address = loopback(server->port);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd < 0) {
                perror("client: socket");
                exit(2);
        }
        slot->fd = fd;
        slot->length = 0;
        slot->buffer[0] = '\0';
        slot->since = now_msec();
        slot->state = SLOT_CONNECTING;
        server->sent++;
        if (connect(fd, (struct sockaddr *) &address, sizeof address) < 0 && errno != EINPROGRESS)
                slot_fail(server, slot, errno);
}

static void slot_send(Server *server, Slot *slot) {
        size_t length = strlen(server->request);
        socklen_t size = sizeof(int);
        int error = 0;

        if (getsockopt(slot->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error != 0)
                slot_fail(server, slot, error);
        else if (send(slot->fd, server->request, length, MSG_NOSIGNAL) != (ssize_t) length)
                slot_fail(server, slot, errno);
        else
                slot->state = SLOT_WAITING;
}

static void slot_receive(Server *server, Slot *slot) {
        char rest[BUFFER_SIZE];
        size_t room = slot->length < BUFFER_SIZE ? BUFFER_SIZE - slot->length : 0;
        char *target = room > 0 ? slot->buffer + slot->length : rest;
        ssize_t n = recv(slot->fd, target, room > 0 ? room : sizeof rest, 0);

        if (n < 0) {
                if (errno != EAGAIN && errno != EINTR)
                        slot_fail(server, slot, errno);
                return;
        }

        slot->length += (size_t) n;
        if (room > 0)
                slot->buffer[slot->length] = '\0';
        switch (server->check(slot)) {
        case ANSWER_WHOLE:
                slot_end(server, slot, &server->answered);
                break;
        case ANSWER_WRONG:
                slot_end(server, slot, &server->lost);
                break;
        case ANSWER_PARTIAL:
                if (n == 0)
                        slot_end(server, slot, &server->lost);
                break;
        }
}

static void slot_turn(Server *server, Slot *slot, short revents) {
        int64_t now = now_msec();

        if (slot->state == SLOT_IDLE) {
                if (server->open && !end_wanted && slot->since <= now)
                        slot_begin(server, slot);
        } else if (now - slot->since > PATIENCE_MSEC)
                slot_end(server, slot, &server->lost);
        else if (revents != 0 && slot->state == SLOT_CONNECTING)
                slot_send(server, slot);
        else if (revents != 0)
                slot_receive(server, slot);
}

/* Until the next slot may send; a long wait is never needed. */
static struct timespec patience(void) {
        int64_t now = now_msec(), left = TURN_MSEC;

        for (size_t i = 0; i < SERVER_COUNT; i++)
                for (size_t j = 0; servers[i].open && j < servers[i].slots; j++) {
                        const Slot *slot = &servers[i].slot[j];

                        if (slot->state == SLOT_IDLE && slot->since - now < left)
                                left = slot->since > now ? slot->since - now : 0;
                }
        return (struct timespec) { .tv_nsec = (end_wanted ? TURN_MSEC : left) * 1000000 };
}

/* One round over all slots; false once there is nothing left to do. */
static bool turn(const sigset_t *open_mask) {
        static struct pollfd polls[SERVER_COUNT * SLOTS_MAX];
        struct timespec timeout = patience();
        bool busy = false;
        size_t n = 0;

        for (size_t i = 0; i < SERVER_COUNT; i++)
                for (size_t j = 0; j < servers[i].slots; j++) {
                        const Slot *slot = &servers[i].slot[j];

                        polls[n++] = (struct pollfd) {
                                .fd = slot->state == SLOT_IDLE ? -1 : slot->fd,
                                .events = slot->state == SLOT_CONNECTING ? POLLOUT : POLLIN,
                        };
                }
        if (ppoll(polls, n, &timeout, open_mask) < 0)
                memset(polls, 0, sizeof polls);

        n = 0;
        for (size_t i = 0; i < SERVER_COUNT; i++) {
                Server *server = &servers[i];

                for (size_t j = 0; j < server->slots; j++)
                        slot_turn(server, &server->slot[j], polls[n++].revents);
                busy = busy || (server->open && !end_wanted) || server_in_flight(server) > 0;
        }
        return busy;
}

static void signals_prepare(sigset_t *ret_open_mask) {
        static const int signals[] = { SIGTERM, SIGINT, SIGUSR1 };
        sigset_t blocked;

        sigemptyset(&blocked);
        for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
                signal(signals[i], on_signal);
                sigaddset(&blocked, signals[i]);
        }
        sigprocmask(SIG_BLOCK, &blocked, ret_open_mask);
}

/*
 * Free ports below the range that the kernel takes for outgoing connections, where nobody else is
 * likely to come in between.
 */
static int ports_print(int count) {
        unsigned port = 20000 + (unsigned) getpid() % 10000;

        for (int found = 0; found < count && port < 32000; port++) {
                struct sockaddr_in address = loopback((uint16_t) port);
                int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

                if (fd < 0)
                        return 2;
                if (bind(fd, (struct sockaddr *) &address, sizeof address) == 0) {
                        printf("%u\n", port);
                        found++;
                }
                close(fd);
        }
        return 0;
}

int main(int argc, char **argv) {
        unsigned long lost = 0;
        sigset_t open_mask;

        if (argc == 3 && strcmp(argv[1], "ports") == 0)
                return ports_print(atoi(argv[2]));
        if (argc != 4) {
                fprintf(stderr, "usage: client NGINX-PORT REDIS-PORT LEGACYD-PORT\n"
                                "       client ports N\n");
                return 2;
        }

        prctl(PR_SET_PDEATHSIG, SIGTERM);
        signals_prepare(&open_mask);
        for (size_t i = 0; i < SERVER_COUNT; i++)
                server_open(&servers[i], (uint16_t) atoi(argv[i + 1]));

        while (turn(&open_mask))
                if (report_wanted) {
                        report_wanted = 0;
                        report_print();
                }
        report_print();

        for (size_t i = 0; i < SERVER_COUNT; i++)
                lost += servers[i].lost;
        return lost > 0;
}
