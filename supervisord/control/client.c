/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One connection, driven by hand instead of by sd_bus_attach_event(3), so that everything that a
 * client can make us do is counted: messages in one go, pieces without a whole message, answers
 * that it does not read. Who does not read is not read from either, until its queue is shorter
 * again.
 *
 * A client is freed only by its own handlers, and not while sd-bus is at work for it: everybody
 * else says client_drop(). Nothing here blocks.
 */

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/file.h"
#include "base/random.h"
#include "control/frame.h"
#include "control/object.h"

const char *client_who(const Client *client, char buffer[static CLIENT_WHO_MAX]) {
        snprintf(buffer, CLIENT_WHO_MAX, "uid %u (process %d)", (unsigned) client->uid,
                 (int) client->pid);
        return buffer;
}

int client_check_full(const Client *client, sd_bus_error *ret_error) {
        if (client->level == ACCESS_FULL) {
                client->control->table_holds = false; /* who needs it may be about to change it */
                return 0;
        }

        const SupervisorConfig *config =
                &supervisor_config(client->control->supervisor)->supervisor;
        if (config->admin_group)
                return sd_bus_error_setf(ret_error, CONTROL_ERROR_DENIED,
                                         "only root and members of the group %s may do this",
                                         config->admin_group);
        return sd_bus_error_set(ret_error, CONTROL_ERROR_DENIED,
                                "only root may do this (no supervisor.admin_group is configured)");
}

void client_drop(Client *client, const char *why) {
        if (client->gone)
                return;
        client->gone = why;
        loop_defer_arm(client->again);
}

/* What it has to do next, and until when; USEC_INFINITY: it may take its time. */
static usec_t client_find_deadline(Client *client, uint64_t queued) {
        usec_t now = loop_now(client->control->loop);

        if (!client->spoke)
                return client->deadline;
        if (queued == 0)
                return USEC_INFINITY;
        if (client->deadline != USEC_INFINITY && queued >= client->queued)
                return client->deadline;
        return usec_add(now, CLIENT_STALL);
}

static int client_watch(Client *client, uint64_t queued) {
        uint32_t events = (uint32_t) sd_bus_get_events(client->bus) & (EPOLLIN | EPOLLOUT);

        if (queued >= CLIENT_QUEUE_PAUSE)
                events &= ~(uint32_t) EPOLLIN;
        if (events == client->events)
                return 0;
        client->events = events;
        return loop_io_set_events(client->io, events);
}

void client_update(Client *client) {
        uint64_t queued;

        if (client->gone)
                return;
        if (sd_bus_is_open(client->bus) <= 0 ||
            sd_bus_get_n_queued_write(client->bus, &queued) < 0) {
                client_drop(client, "it hung up");
                return;
        }
        if (queued > CLIENT_QUEUE_MAX) {
                client_drop(client, "it does not read its answers");
                return;
        }

        usec_t deadline = client_find_deadline(client, queued);
        int r = client_watch(client, queued);
        if (r >= 0 && deadline != client->deadline)
                r = loop_timer_set(client->timer, deadline);
        if (r < 0)
                client_drop(client, strerror(-r));
        client->deadline = deadline;
        client->queued = queued;
}

/* Every message that is whole. */
static int client_on_message(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        Client *client = userdata;

        (void) ret_error;
        client->wakeups = 0;
        if (client->cleared > 0)
                client->cleared--;
        if (sd_bus_message_is_method_call(message, NULL, NULL) > 0)
                client->spoke = true;
        return 0;
}

/*
 * Looks at what waits in the socket, before sd-bus reads it: 0, PEER_E_NOTHING, or what is wrong.
 * Messages that were seen once are not looked at again.
 */
static int client_look(Client *client) {
        bool in = sd_bus_is_ready(client->bus) > 0;
        uint8_t data[FRAME_LOOK];
        size_t size;

        if (in && client->cleared > 0)
                return 0;
        int r = peer_peek(client->fd, data, sizeof(data), &size);
        if (r == PEER_E_NOTHING)
                return PEER_E_NOTHING;
        if (r != 0) {
                client_drop(client, r == PEER_E_END ? "it hung up" : strerror(-r));
                return r;
        }
        r = (in ? frame_check : frame_check_login)(data, size, &client->cleared);
        if (r != 0)
                client_drop(client, r == FRAME_E_PIECE ? "it sends pieces"
                                                       : "its message is too large");
        return 0;
}

/* Whether there is something to do for sd-bus. */
static bool client_has_work(Client *client) {
        int r = client_look(client);

        if (client->gone)
                return false;
        /* sd-bus may still hold what came together with the end of the authentication */
        return r == 0 || !client->settled || client->queued > 0;
}

/* A few messages; the rest has to wait until the others had their turn. */
static void client_process(Client *client) {
        for (unsigned i = 0; i < CLIENT_BURST; i++) {
                if (client->gone || !client_has_work(client))
                        return;
                int r = sd_bus_process(client->bus, NULL);
                client_update(client);
                if (r < 0)
                        client_drop(client, strerror(-r));
                if (r == 0)
                        client->settled = sd_bus_is_ready(client->bus) > 0;
                if (r <= 0 || client->queued >= CLIENT_QUEUE_PAUSE)
                        return;
        }
        loop_defer_arm(client->again);
}

/* Not before its first call: sd-bus takes nothing for granted until its Hello() was answered. */
void client_tell(Client *client) {
        if (client->gone || !client->spoke)
                return;
        if (news_tell(client) < 0)
                client_drop(client, "it hung up, or a signal could not be sent");
        client_update(client);
}

/* The end of each of its handlers. */
static int client_finish(Client *client) {
        client_tell(client);
        if (client->gone)
                client_free(client);
        return 0;
}

static int client_on_io(void *userdata, uint32_t revents) {
        Client *client = userdata;

        if ((revents & EPOLLIN) != 0 && ++client->wakeups > CLIENT_WAKEUPS_MAX)
                client_drop(client, "its message does not end");
        client_process(client);
        return client_finish(client);
}

static int client_on_again(void *userdata) {
        Client *client = userdata;

        if (client->queued < CLIENT_QUEUE_PAUSE)
                client_process(client);
        return client_finish(client);
}

static int client_on_timer(void *userdata) {
        Client *client = userdata;

        client_drop(client, client->spoke ? "it does not read its answers" : "it asks for nothing");
        return client_finish(client);
}

/* An id of the server; clients do not look at it. */
static sd_id128_t client_server_id(void) {
        char text[SD_ID128_STRING_MAX];
        sd_id128_t id = SD_ID128_NULL;

        random_hex(text, sizeof(text));
        (void) sd_id128_from_string(text, &id);
        return id;
}

/* *fd is -1 as soon as the bus has it. */
static int client_open_bus(Client *client, int *fd) {
        int r = sd_bus_new(&client->bus);

        if (r >= 0)
                r = sd_bus_set_fd(client->bus, *fd, *fd);
        if (r < 0)
                return r;
        client->fd = *fd;
        *fd = -1;

        r = sd_bus_set_server(client->bus, true, client_server_id());
        if (r >= 0)
                r = sd_bus_negotiate_fds(client->bus, false);
        if (r >= 0)
                r = sd_bus_add_filter(client->bus, NULL, client_on_message, client);
        if (r >= 0)
                r = object_add(client);
        if (r >= 0)
                r = broker_add(client);
        if (r >= 0)
                r = sd_bus_start(client->bus);
        /* which makes it 8 MiB, for a client's own use */
        return r < 0 ? r : peer_limit_queue(client->fd, CLIENT_SOCKET_MAX);
}

static int client_add_sources(Client *client) {
        Loop *loop = client->control->loop;

        client->events = EPOLLIN;
        client->deadline = usec_add(loop_now(loop), CLIENT_FIRST_CALL);

        int r = loop_add_io(loop, &client->io, client->fd, client->events, LOOP_CLIENT, "client",
                            client_on_io, client);
        if (r >= 0)
                r = loop_add_timer(loop, &client->timer, LOOP_CLIENT, "client deadline",
                                   client_on_timer, client);
        if (r >= 0)
                r = loop_add_defer(loop, &client->again, LOOP_CLIENT, "client again",
                                   client_on_again, client);
        if (r >= 0)
                r = loop_timer_set(client->timer, client->deadline);
        /* sd_bus_start(3) may have read something already */
        return r < 0 ? r : loop_defer_arm(client->again);
}

DEFINE_CLEANUP(Client, client_free)

int client_new(Control *control, int fd_consume, const Peer *peer, AccessLevel level) {
        CLEANUP(fd_closep) int fd = fd_consume;
        CLEANUP(client_freep) Client *client = calloc(1, sizeof(*client));
        if (!client)
                return -ENOMEM;

        client->control = control;
        client->pid = peer->pid;
        client->uid = peer->uid;
        client->level = level;
        TAILQ_INSERT_TAIL(&control->clients, client, link);
        control->client_count++;

        int r = news_resize(&client->news, supervisor_count(control->supervisor));
        if (r >= 0)
                r = client_open_bus(client, &fd);
        if (r >= 0)
                r = client_add_sources(client);
        if (r < 0)
                return r;
        client = NULL; /* it is in the list, and ends by its own handlers */
        return 0;
}

Client *client_free(Client *client) {
        char who[CLIENT_WHO_MAX];

        if (!client)
                return NULL;
        if (client->gone)
                log_debug("hanging up on %s: %s", client_who(client, who), client->gone);

        TAILQ_REMOVE(&client->control->clients, client, link);
        client->control->client_count--;
        calls_forget_client(client->control, client);
        loop_source_free(client->io);
        loop_source_free(client->timer);
        loop_source_free(client->again);
        if (client->bus)
                sd_bus_close(client->bus);
        sd_bus_unref(client->bus); /* calls that wait for their answer may hold it longer */
        news_clear(&client->news);
        free(client);
        return NULL;
}
