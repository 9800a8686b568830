/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looking for readiness. Where something tells (exec, exit, notify, inotify), nothing is polled;
 * nobody tells when a socket begins to listen or to answer, so there the looks grow rarer, from
 * 5 to 200 ms, until the start deadline ends them.
 */

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/file.h"
#include "child/object.h"
#include "sys/socket.h"

#define PROBE_INTERVAL_FIRST (5 * USEC_PER_MSEC)
#define PROBE_INTERVAL_LAST  (200 * USEC_PER_MSEC)

void ready_forget(Child *child) {
        Probe *probe = &child->probe;

        probe->timer = loop_source_free(probe->timer);
        probe->watch = pathwatch_free(probe->watch);
        probe->connecting = loop_source_free(probe->connecting);
        probe->connecting_fd = fd_close(probe->connecting_fd);
}

static void ready_seen(Child *child) {
        ready_forget(child);
        child_post(child, EVENT_READY);
}

static void ready_impossible(Child *child, int error) {
        child_fail(child, "its readiness cannot be looked for: %s", strerror(-error));
}

/* One look: 1 ready, 0 not yet, or a negative errno. */
static int ready_look(Child *child);

static void ready_look_later(Child *child) {
        Probe *probe = &child->probe;

        loop_timer_set(probe->timer, usec_add(loop_now(child->context->loop), probe->interval));
        probe->interval = MIN_OF(probe->interval * 2, PROBE_INTERVAL_LAST);
}

static void ready_look_and_settle(Child *child) {
        int r = ready_look(child);

        if (r < 0)
                ready_impossible(child, r);
        else if (r > 0)
                ready_seen(child);
        else if (child->probe.timer && child->probe.connecting_fd < 0)
                ready_look_later(child);
}

static int ready_on_timer(void *userdata) {
        ready_look_and_settle(userdata);
        return 0;
}

static int ready_on_path(void *userdata) {
        ready_look_and_settle(userdata);
        return 0;
}

/* A connection that is under way has come to its end. */
static int ready_on_connected(void *userdata, uint32_t revents) {
        Child *child = userdata;
        Probe *probe = &child->probe;

        (void) revents;
        bool connected = socket_connect_result(probe->connecting_fd);
        probe->connecting = loop_source_free(probe->connecting);
        probe->connecting_fd = fd_close(probe->connecting_fd);
        if (connected)
                ready_seen(child);
        else
                ready_look_later(child);
        return 0;
}

static int ready_look_connect(Child *child) {
        const DaemonConfig *daemon = child->daemon;
        Probe *probe = &child->probe;
        SocketAddress address;
        int fd = -1;

        int r = daemon->ready.on == READY_TCP ? socket_parse_tcp(daemon->ready.address, &address)
                                              : socket_parse_unix(daemon->ready.path, &address);
        if (r != 0)
                return r > 0 ? -EINVAL : r;

        r = socket_connect(&address, &fd);
        switch (r) {
        case 0:
                fd_close(fd);
                return 1;
        case SOCKET_E_UNDER_WAY:
                probe->connecting_fd = fd;
                return loop_add_io(child->context->loop, &probe->connecting, fd, EPOLLOUT,
                                   LOOP_PROBE, child_name(child), ready_on_connected, child);
        case SOCKET_E_REFUSED:
                return 0;
        default:
                return r;
        }
}

static int ready_look_listen(Child *child) {
        bool listens = false;
        int r = socket_tree_listens(child->tree, (uint16_t) child->daemon->ready.port, &listens);

        return r < 0 ? r : listens;
}

static int ready_look_pidfile(Child *child) {
        pid_t pid;

        return track_pidfile_names_process(child, &pid);
}

static int ready_look_file(Child *child) {
        struct stat st;

        return file_stat(AT_FDCWD, child->daemon->ready.path, &st) == 0;
}

static int ready_look(Child *child) {
        switch (child->daemon->ready.on) {
        case READY_NOTIFY:
                return child->notified;
        case READY_PIDFILE:
                return ready_look_pidfile(child);
        case READY_LISTEN:
                return ready_look_listen(child);
        case READY_TCP:
        case READY_UNIX:
                return ready_look_connect(child);
        case READY_FILE:
                return ready_look_file(child);
        default:
                return 1; /* exec, exit: this state is not reached before */
        }
}

static const char *ready_path(const DaemonConfig *daemon) {
        switch (daemon->ready.on) {
        case READY_PIDFILE:
                return daemon->pidfile;
        case READY_FILE:
                return daemon->ready.path;
        default:
                return NULL;
        }
}

static bool ready_is_polled(const DaemonConfig *daemon) {
        return daemon->ready.on == READY_LISTEN || daemon->ready.on == READY_TCP ||
               daemon->ready.on == READY_UNIX;
}

void ready_begin(Child *child) {
        const char *path = ready_path(child->daemon);
        int r = 0;

        child->probe.interval = PROBE_INTERVAL_FIRST;
        if (path)
                r = pathwatch_new(child->context->loop, path, ready_on_path, child,
                                  &child->probe.watch);
        else if (ready_is_polled(child->daemon))
                r = loop_add_timer(child->context->loop, &child->probe.timer, LOOP_PROBE,
                                   child_name(child), ready_on_timer, child);
        if (r < 0)
                ready_impossible(child, r);
        else
                ready_look_and_settle(child);
}
