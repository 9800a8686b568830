/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who is let in. A process has only a few connections, readers leave some to the others, and in a
 * crowd who connected first and said nothing yet makes room for the next one: so that nobody keeps
 * anybody out. Clients come after everything that concerns daemons (LOOP_CLIENT), and those who are
 * in come before new ones.
 */

#include "control/server.h"

#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "control/object.h"

/* So many in that time; a bound also where accept(2) always fails. */
#define CONTROL_ACCEPT_BURST    5000
#define CONTROL_ACCEPT_INTERVAL (100 * USEC_PER_MSEC)

static size_t control_count_process(const Control *control, pid_t pid) {
        const Client *client;
        size_t count = 0;

        TAILQ_FOREACH(client, &control->clients, link)
                count += client->pid == pid;
        return count;
}

/* The oldest one that said nothing yet has to go; false if all have. */
static bool control_make_room(Control *control) {
        Client *client;

        TAILQ_FOREACH(client, &control->clients, link)
                if (!client->spoke) {
                        client->gone = "others want to come in";
                        client_free(client);
                        return true;
                }
        return false;
}

/* Why it is not let in; NULL: it is. */
static const char *control_find_objection(Control *control, const Peer *peer, AccessLevel level) {
        size_t limit = level == ACCESS_FULL ? CONTROL_CLIENTS_MAX : CONTROL_CLIENTS_READING_MAX;

        if (level == ACCESS_NONE)
                return "it is neither root nor in a group that may";
        if (control_count_process(control, peer->pid) >= CONTROL_CLIENTS_PROCESS_MAX)
                return "its process has too many connections";
        if (control->client_count >= limit && !control_make_room(control))
                return "there are too many connections";
        return NULL;
}

static void control_let_in(Control *control, Peer *peer) {
        const SupervisorConfig *config = &supervisor_config(control->supervisor)->supervisor;
        AccessLevel level = access_level(peer, config, geteuid());
        const char *objection = control_find_objection(control, peer, level);

        if (objection) {
                log_debug("refusing uid %u (process %d): %s", (unsigned) peer->uid, (int) peer->pid,
                          objection);
                return;
        }
        int fd = peer->fd;

        peer->fd = -1;
        int r = client_new(control, fd, peer, level);
        if (r < 0)
                log_debug("a client could not be served: %s", strerror(-r));
}

/* One at a time: whoever has hung up meanwhile is gone before the next one is counted. */
static int control_on_accept(void *userdata, uint32_t revents) {
        CLEANUP(peer_clear) Peer peer = { .fd = -1 };
        Control *control = userdata;

        (void) revents;
        int r = listener_accept(control->listener, &peer);
        if (r < 0 && !control->accept_failed)
                log_warning("clients have to wait: %s", strerror(-r));
        control->accept_failed = r < 0;
        if (r > 0)
                control_let_in(control, &peer);
        return 0;
}

static int control_on_tell(void *userdata) {
        Control *control = userdata;
        Client *client;

        TAILQ_FOREACH(client, &control->clients, link)
                if (!news_is_empty(&client->news))
                        client_tell(client);
        return 0;
}

static void control_on_daemon(void *userdata, const Child *child) {
        Control *control = userdata;
        Client *client;

        TAILQ_FOREACH(client, &control->clients, link)
                news_add_daemon(&client->news, child_index(child));
        loop_defer_arm(control->telling);
}

static void control_on_status(void *userdata, const char *status) {
        Control *control = userdata;
        Client *client;

        (void) status; /* asked for when there is room to tell it */
        TAILQ_FOREACH(client, &control->clients, link)
                client->news.status = true;
        loop_defer_arm(control->telling);
}

static int control_permit(const Control *control) {
        gid_t group;
        mode_t mode =
                access_socket_mode(&supervisor_config(control->supervisor)->supervisor, &group);

        return listener_permit(control->listener, group, mode);
}

/* A new configuration: other daemons, other groups. Who is in keeps what it was let in for. */
static void control_on_set(void *userdata) {
        Control *control = userdata;
        Client *client;

        TAILQ_FOREACH(client, &control->clients, link) {
                if (news_resize(&client->news, supervisor_count(control->supervisor)) < 0)
                        client_drop(client, "out of memory");
                client->news.set = true;
        }
        loop_defer_arm(control->telling);

        int r = control_permit(control);
        if (r < 0)
                log_error("the groups that may use the control socket stay as they were: %s",
                          strerror(-r));
}

static int control_open(Control *control) {
        const char *path = supervisor_config(control->supervisor)->supervisor.control;

        int r = listener_open(path, &control->listener);
        if (r == 0)
                r = control_permit(control);
        switch (r) {
        case 0:
                return 0;
        case LISTENER_E_IN_USE:
                log_error("somebody else listens on %s; give this supervisord a "
                          "supervisor.control of its own",
                          path);
                return CONTROL_E_SOCKET;
        case LISTENER_E_NO_SOCKET:
                log_error("%s is no socket; remove it or write another supervisor.control", path);
                return CONTROL_E_SOCKET;
        default:
                log_error("cannot make the control socket %s: %s", path, strerror(-r));
                return CONTROL_E_SOCKET;
        }
}

static int control_add_sources(Control *control) {
        int r = loop_add_io(control->loop, &control->accepting, listener_fd(control->listener),
                            EPOLLIN, LOOP_ACCEPT, "control socket", control_on_accept, control);

        if (r >= 0)
                r = loop_io_limit(control->accepting, CONTROL_ACCEPT_INTERVAL,
                                  CONTROL_ACCEPT_BURST);
        if (r >= 0)
                r = loop_add_defer(control->loop, &control->telling, LOOP_CLIENT, "news",
                                   control_on_tell, control);
        return r;
}

int control_new(Loop *loop, Supervisor *supervisor, Control **ret) {
        CLEANUP(control_freep) Control *control = calloc(1, sizeof(*control));
        if (!control)
                return -ENOMEM;
        control->loop = loop;
        control->supervisor = supervisor;
        TAILQ_INIT(&control->clients);
        TAILQ_INIT(&control->calls);

        int r = control_open(control);
        if (r != 0)
                return r;
        r = control_add_sources(control);
        if (r < 0)
                return r;

        supervisor_observe(supervisor, &(SupervisorObserver) {
                                               .daemon_changed = control_on_daemon,
                                               .status_changed = control_on_status,
                                               .set_changed = control_on_set,
                                               .userdata = control,
                                       });
        *ret = TAKE(control);
        return 0;
}

Control *control_free(Control *control) {
        if (!control)
                return NULL;

        supervisor_observe(control->supervisor, &(SupervisorObserver) {});
        (void) control_on_tell(control); /* the very last of it */
        while (!TAILQ_EMPTY(&control->clients))
                client_free(TAILQ_FIRST(&control->clients));
        calls_forget_control(control);
        loop_source_free(control->accepting);
        loop_source_free(control->telling);
        listener_close(control->listener);
        buffer_done(&control->table);
        free(control);
        return NULL;
}
