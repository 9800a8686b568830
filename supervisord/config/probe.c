/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses, paths and expressions of probes; see the header. */

#include "config/probe.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

#include "base/parse.h"
#include "config/pattern.h"
#include "config/remark.h"

/* The longest path of a socket, unix(7). */
#define PROBE_SOCKET_MAX (sizeof(((struct sockaddr_un *) NULL)->sun_path) - 1)

/* "127.0.0.1:80", "[::1]:80", ":80" or "80". */
static bool probe_is_address(const char *address) {
        char host[INET6_ADDRSTRLEN + 2];
        const char *colon = strrchr(address, ':');
        size_t length = colon ? (size_t) (colon - address) : 0;
        struct in6_addr binary;
        int64_t port;

        if (parse_int(colon ? colon + 1 : address, 1, 65535, &port) != 0 || length >= sizeof(host))
                return false;
        if (length == 0)
                return true;
        memcpy(host, address, length);
        host[length] = '\0';
        if (host[0] != '[')
                return inet_pton(AF_INET, host, &binary) == 1;
        if (host[length - 1] != ']')
                return false;
        host[length - 1] = '\0';
        return inet_pton(AF_INET6, host + 1, &binary) == 1;
}

static void probe_check_address(const DaemonConfig *daemon,
                                  const char *setting,
                                  const char *address,
                                  Diag *diag) {
        if (address && !probe_is_address(address))
                remark_error(diag, daemon, setting,
                             "\"%.80s\" is no numeric address with a port; "
                             "write \"127.0.0.1:80\" or \"[::1]:80\"",
                             address);
}

static void probe_check_socket(const DaemonConfig *daemon,
                                 const char *setting,
                                 const char *path,
                                 Diag *diag) {
        if (path && strlen(path) > PROBE_SOCKET_MAX)
                remark_error(diag, daemon, setting,
                             "no socket has a path of more than %zu bytes; write a shorter one",
                             PROBE_SOCKET_MAX);
}

static void probe_check_line(const DaemonConfig *daemon, Diag *diag) {
        char why[PATTERN_WHY_MAX];

        if (daemon->ready.on == READY_LOG && daemon->output.to != OUTPUT_JOURNAL &&
            daemon->output.to != OUTPUT_FILE)
                remark_error(diag, daemon, "ready.on",
                             "\"log\" needs an output that can be read back; write output.to = "
                             "\"journal\" or \"file\"");
        if (daemon->ready.line && !pattern_is_valid(daemon->ready.line, why))
                remark_error(diag, daemon, "ready.line",
                             "\"%.80s\" is no regular expression to use: %s; see regex(7), and "
                             "write two backslashes for each one",
                             daemon->ready.line, why);
}

static void probe_check_health(const DaemonConfig *daemon, Diag *diag) {
        if (daemon->health.on != HEALTH_NONE && daemon->type == DAEMON_ONESHOT)
                remark_error(diag, daemon, "health.on",
                             "nothing of a \"oneshot\" is left to be looked at; remove it");
        probe_check_address(daemon, "health.address", daemon->health.address, diag);
        if (daemon->health.on == HEALTH_UNIX)
                probe_check_socket(daemon, "health.path", daemon->health.path, diag);
}

void probe_check(const DaemonConfig *daemon, Diag *diag) {
        probe_check_line(daemon, diag);
        probe_check_address(daemon, "ready.address", daemon->ready.address, diag);
        if (daemon->ready.on == READY_UNIX)
                probe_check_socket(daemon, "ready.path", daemon->ready.path, diag);
        probe_check_health(daemon, diag);
}
