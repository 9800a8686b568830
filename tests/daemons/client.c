/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeps requests in flight and counts what becomes of them: answered (whole and right), cut (the
 * connection was made, the answer is not whole) or refused (no connection). One summary line on
 * stdout; exit status 1 if an answer was cut, or if a connection was refused without -R.
 *
 * One loop over poll(2); a slot is a connection. In the fixed form all requests are sent at once;
 * in the rate form new ones are begun until the time is over or SIGTERM comes, then those in flight
 * are waited for.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"

static const char usage[] =
        "client -p PORT [-n COUNT | -r RATE -t SECONDS] [-f FILE] [-T SECONDS] [-g PATH]\n"
        "       [-e] [-R]\n"
        "  -p  port on 127.0.0.1\n"
        "  -n  so many requests at once (1 is the default)\n"
        "  -r  so many new requests a second, -t: for so long (10 is the default)\n"
        "  -f  write FILE once all of -n, or the first of -r, are in flight\n"
        "  -T  a request that takes longer is cut (60 is the default)\n"
        "  -g  speak HTTP: GET PATH; whole means as long as Content-Length says\n"
        "  -e  end our side after the request, as nc -N does\n"
        "  -R  refused connections are no violation\n";

#define SLOTS_MAX    1024
#define RECEIVED_MAX (ANSWER_MAX + sizeof TAKEN)

typedef struct Options {
        int port, count, rate, seconds, patience;
        const char *flight_file, *get;
        bool ends_its_side, refusals_allowed;
} Options;

typedef enum Outcome {
        OUTCOME_ANSWERED,
        OUTCOME_CUT,
        OUTCOME_REFUSED,
        OUTCOME_MAX_,
} Outcome;

typedef struct Slot {
        int fd; /* -1: free */
        int request;
        bool connected, in_flight;
        long long begun;
        size_t received;
        char text[RECEIVED_MAX + 1]; /* the beginning of what was received */
} Slot;

static Options options = { .count = 1, .seconds = 10, .patience = 60 };
static Slot slots[SLOTS_MAX];
static struct pollfd entries[SLOTS_MAX];
static unsigned outcomes[OUTCOME_MAX_];
static int begun, taken, open_slots;
static volatile sig_atomic_t asked_to_end;

static void on_signal(int signo) {
        (void) signo;
        asked_to_end = 1;
}

static void slot_end(Slot *slot, Outcome outcome) {
        if (slot->fd >= 0)
                close(slot->fd);
        slot->fd = -1;
        outcomes[outcome]++;
        open_slots--;
}

static void note_in_flight(Slot *slot) {
        slot->in_flight = true;
        taken++;
        if (options.flight_file && taken == (options.rate > 0 ? 1 : options.count))
                write_file(options.flight_file, "%d\n", taken);
}

static void slot_send(Slot *slot) {
        char text[512];

        int length = snprintf(text, sizeof text, "%d\n", slot->request);
        if (options.get)
                length = snprintf(text, sizeof text, "GET %s HTTP/1.0\r\n\r\n", options.get);
        slot->connected = true;
        if (write_all(slot->fd, text, (size_t) length) < 0 ||
            (options.ends_its_side && shutdown(slot->fd, SHUT_WR) < 0))
                slot_end(slot, OUTCOME_CUT);
}

static void slot_begin(Slot *slot) {
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons((uint16_t) options.port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };

        *slot = (Slot) { .request = begun++, .begun = now_ms() };
        open_slots++;
        slot->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (slot->fd < 0)
                die_errno("socket");
        if (connect(slot->fd, (struct sockaddr *) &address, sizeof address) == 0)
                slot_send(slot);
        else if (errno != EINPROGRESS)
                slot_end(slot, OUTCOME_REFUSED);
}

static bool http_is_whole(const Slot *slot) {
        static const char name[] = "\r\nContent-Length: ";

        const char *end = strstr(slot->text, "\r\n\r\n");
        const char *length = strcasestr(slot->text, name);
        if (!end || !length || length > end || strncmp(slot->text, "HTTP/1.", 7) != 0 ||
            strncmp(slot->text + 8, " 200 ", 5) != 0)
                return false;
        size_t header = (size_t) (end + 4 - slot->text);
        return slot->received == header + strtoul(length + strlen(name), NULL, 10);
}

static bool naive_is_whole(const Slot *slot) {
        char answer[ANSWER_MAX];
        size_t length = answer_text(answer, slot->request);

        return slot->received == strlen(TAKEN) + length &&
                memcmp(slot->text, TAKEN, strlen(TAKEN)) == 0 &&
                memcmp(slot->text + strlen(TAKEN), answer, length) == 0;
}

static void slot_finish(Slot *slot) {
        bool whole = options.get ? http_is_whole(slot) : naive_is_whole(slot);

        slot_end(slot, whole ? OUTCOME_ANSWERED : OUTCOME_CUT);
}

static void slot_receive(Slot *slot) {
        char chunk[16384];

        ssize_t got = recv(slot->fd, chunk, sizeof chunk, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (got <= 0) {
                slot_finish(slot);
                return;
        }
        if (slot->received < RECEIVED_MAX) {
                size_t room = RECEIVED_MAX - slot->received, size = (size_t) got;
                memcpy(slot->text + slot->received, chunk, size < room ? size : room);
        }
        slot->received += (size_t) got;
        if (!slot->in_flight)
                note_in_flight(slot);
}

static void slot_connected(Slot *slot) {
        int error = 0;
        socklen_t length = sizeof error;

        getsockopt(slot->fd, SOL_SOCKET, SO_ERROR, &error, &length);
        if (error)
                slot_end(slot, OUTCOME_REFUSED);
        else
                slot_send(slot);
}

static Slot *slot_free(void) {
        for (size_t i = 0; i < SLOTS_MAX; i++)
                if (slots[i].fd < 0)
                        return slots + i;
        die("more than %d requests in flight", SLOTS_MAX);
}

/* Begins what is due; the time until the next one is due, -1 for never. */
static int begin_due(long long start) {
        if (options.rate == 0) {
                while (begun < options.count)
                        slot_begin(slot_free());
                return -1;
        }
        long long elapsed = now_ms() - start;
        if (asked_to_end || elapsed >= options.seconds * 1000LL)
                return -1;
        while (begun * 1000LL <= elapsed * options.rate)
                slot_begin(slot_free());
        return 1000 / options.rate + 1;
}

static void look_at(Slot *slot, short revents) {
        if (revents && !slot->connected)
                slot_connected(slot);
        else if (revents)
                slot_receive(slot);
        if (slot->fd >= 0 && now_ms() - slot->begun > options.patience * 1000LL)
                slot_end(slot, slot->connected ? OUTCOME_CUT : OUTCOME_REFUSED);
}

static void run(void) {
        long long start = now_ms();

        for (;;) {
                int due = begin_due(start);
                if (due < 0 && open_slots == 0)
                        return;
                for (size_t i = 0; i < SLOTS_MAX; i++)
                        entries[i] = (struct pollfd) {
                                .fd = slots[i].fd,
                                .events = slots[i].connected ? POLLIN : POLLOUT,
                        };
                if (poll(entries, SLOTS_MAX, due < 0 || due > 100 ? 100 : due) < 0)
                        continue;
                for (size_t i = 0; i < SLOTS_MAX; i++)
                        if (slots[i].fd >= 0)
                                look_at(slots + i, entries[i].revents);
        }
}

static void parse_options(int argc, char **argv) {
        int option;

        while ((option = getopt(argc, argv, "p:n:r:t:f:T:g:eRh")) != -1) {
                switch (option) {
                case 'p':
                        options.port = number(optarg);
                        break;
                case 'n':
                        options.count = number(optarg);
                        break;
                case 'r':
                        options.rate = number(optarg);
                        break;
                case 't':
                        options.seconds = number(optarg);
                        break;
                case 'f':
                        options.flight_file = optarg;
                        break;
                case 'T':
                        options.patience = number(optarg);
                        break;
                case 'g':
                        options.get = optarg;
                        break;
                case 'e':
                        options.ends_its_side = true;
                        break;
                case 'R':
                        options.refusals_allowed = true;
                        break;
                default:
                        die("usage:\n%s", usage);
                }
        }
        if (options.port == 0 || options.count > SLOTS_MAX)
                die("usage:\n%s", usage);
}

int main(int argc, char **argv) {
        parse_options(argc, argv);
        handle(SIGTERM, on_signal);
        handle(SIGINT, on_signal);
        for (size_t i = 0; i < SLOTS_MAX; i++)
                slots[i].fd = -1;

        run();
        printf("requests %d answered %u cut %u refused %u\n",
               begun,
               outcomes[OUTCOME_ANSWERED],
               outcomes[OUTCOME_CUT],
               outcomes[OUTCOME_REFUSED]);
        if (outcomes[OUTCOME_CUT] > 0)
                return 1;
        return outcomes[OUTCOME_REFUSED] > 0 && !options.refusals_allowed;
}
