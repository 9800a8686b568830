/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looking. A command is killed with all that it started when its time is over or it is called off,
 * and its answer comes only when nothing of it is left: so no two of them ever run side by side.
 */

#include "child/look.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/file.h"
#include "child/object.h"
#include "sys/socket.h"

static int look_bad(Look *look, const char *format, ...) PRINTF_LIKE(2, 3);

static int look_bad(Look *look, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(look->text, sizeof(look->text), format, arguments);
        va_end(arguments);
        return LOOK_E_BAD;
}

static void look_end_connecting(Look *look) {
        look->connecting = loop_source_free(look->connecting);
        look->connecting_fd = fd_close(look->connecting_fd);
}

bool look_is_under_way(const Look *look) {
        return look->connecting_fd >= 0 || (look->command && !command_has_ended(look->command));
}

void look_cancel(Look *look) {
        look_end_connecting(look);
        /* one that has ended may be telling us so just now */
        if (look->command && !command_has_ended(look->command))
                look->command = command_free(look->command);
}

void look_done(Look *look) {
        look_end_connecting(look);
        look->command = command_free(look->command);
}

void look_processes_reaped(Look *look) {
        if (look->command)
                command_processes_reaped(look->command);
}

static int look_refused(Look *look, const LookOrder *order) {
        return look_bad(look, "%s does not accept a connection",
                        order->on == LOOK_TCP ? order->address : order->path);
}

/* A connection that was under way has come to its end. */
static int look_on_connected(void *userdata, uint32_t revents) {
        Look *look = userdata;
        bool connected = socket_connect_result(look->connecting_fd);

        (void) revents;
        look_end_connecting(look);
        if (connected)
                look->text[0] = '\0';
        look->answered(look->userdata, connected);
        return 0;
}

static int look_connect(Look *look, Child *child, const LookOrder *order) {
        SocketAddress address;
        int fd = -1;

        int r = order->on == LOOK_TCP ? socket_parse_tcp(order->address, &address)
                                      : socket_parse_unix(order->path, &address);
        if (r != 0)
                return r > 0 ? -EINVAL : r;

        r = socket_connect(&address, &fd);
        switch (r) {
        case 0:
                fd_close(fd);
                return 0;
        case SOCKET_E_UNDER_WAY:
                look->connecting_fd = fd;
                (void) look_refused(look, order); /* until it is known to be otherwise */
                r = loop_add_io(child->context->loop, &look->connecting, fd, EPOLLOUT, LOOP_PROBE,
                                child_name(child), look_on_connected, look);
                if (r < 0)
                        look_end_connecting(look);
                return r < 0 ? r : LOOK_E_UNDER_WAY;
        case SOCKET_E_REFUSED:
                return look_refused(look, order);
        default:
                return r;
        }
}

static int look_listen(Look *look, Child *child, const LookOrder *order) {
        bool listens = false;
        int r = socket_tree_listens(child->tree, (uint16_t) order->port, &listens);

        if (r < 0 || listens)
                return r;
        if (order->port == 0)
                return look_bad(look, "it listens nowhere");
        return look_bad(look, "it does not listen on port %d", (int) order->port);
}

static int look_file(Look *look, const LookOrder *order) {
        struct stat st;

        if (file_stat(AT_FDCWD, order->path, &st) == 0)
                return 0;
        return look_bad(look, "%s does not exist", order->path);
}

/* What the command that has ended says. */
static int look_hear_command(Look *look) {
        char *const *line = command_lines(look->command);

        if (command_succeeded(look->command)) {
                look->text[0] = '\0';
                return 0;
        }
        while (line[0] && line[1])
                line++;
        return look_bad(look, "%s%s%s", command_text(look->command), *line ? ": " : "",
                        *line ? *line : "");
}

static void look_on_command(void *userdata) {
        Look *look = userdata;

        look->answered(look->userdata, look_hear_command(look) == 0);
}

static int look_command(Look *look, Child *child, const LookOrder *order) {
        int r = command_start(
                &(CommandOrder){
                        .context = child->context,
                        .config = child->config,
                        .daemon = child->daemon,
                        .purpose = "probe",
                        .command = order->command,
                        .main_pid = child->main.pid,
                        .timeout = order->timeout,
                        .alone = true,
                        .ended = look_on_command,
                        .userdata = look,
                },
                &look->command);
        if (r < 0)
                return r;
        return command_has_ended(look->command) ? look_hear_command(look) : LOOK_E_UNDER_WAY;
}

static int look_now(Look *look, Child *child, const LookOrder *order) {
        switch (order->on) {
        case LOOK_LISTEN:
                return look_listen(look, child, order);
        case LOOK_TCP:
        case LOOK_UNIX:
                return look_connect(look, child, order);
        case LOOK_FILE:
                return look_file(look, order);
        case LOOK_COMMAND:
                return look_command(look, child, order);
        }
        return -EINVAL;
}

int look_begin(Look *look, Child *child, const LookOrder *order) {
        look_done(look);
        look->answered = order->answered;
        look->userdata = order->userdata;

        int r = look_now(look, child, order);
        if (r == 0)
                look->text[0] = '\0';
        return r;
}
