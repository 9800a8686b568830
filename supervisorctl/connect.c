/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way from the command line to a bus. Reads the configuration where no socket is named. */

#include "connect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "control/names.h"
#include "exits.h"

static int connect_explain(const char *path, int r) {
        switch (-r) {
        case ENOENT:
        case ECONNREFUSED:
                fprintf(stderr,
                        "supervisorctl: no supervisord answers at %s\n"
                        "Start it with 'systemctl start supervisord', or name another socket "
                        "with -s.\n",
                        path);
                return EXIT_NO_SUPERVISOR;
        case EACCES:
        case EPERM:
                fprintf(stderr,
                        "supervisorctl: you may not connect to %s\n"
                        "Root may, and members of supervisor.admin_group and "
                        "supervisor.reader_group.\n",
                        path);
                return EXIT_DENIED;
        default:
                fprintf(stderr, "supervisorctl: cannot connect to %s: %s\n", path, strerror(-r));
                return EXIT_NO_SUPERVISOR;
        }
}

/* The address of a path, with the bytes escaped that mean something in an address. */
static char *connect_address(const char *path) {
        char *address = calloc(1, strlen("unix:path=") + 3 * strlen(path) + 1);
        char *end;

        if (!address)
                return NULL;
        end = stpcpy(address, "unix:path=");
        for (; *path; path++) {
                bool plain = (*path >= 'a' && *path <= 'z') || (*path >= 'A' && *path <= 'Z') ||
                             (*path >= '0' && *path <= '9') || strchr("-_/.", *path);

                end += plain ? sprintf(end, "%c", *path)
                             : sprintf(end, "%%%02x", (unsigned char) *path);
        }
        return address;
}

/*
 * A configuration that cannot be read has the default socket, so that a broken file can be reloaded
 * and get its verdict; but not one that was named: that might be the one of another supervisord.
 */
char *connect_find_socket(const Options *options, Diag *diag) {
        CLEANUP(config_unrefp) Config *config = NULL;
        char *path = NULL;

        if (options->socket)
                return strdup(options->socket);
        if (config_new(&config) < 0)
                return NULL;
        if (config_read_files(options->config, diag, config) != 0 && options->config_named)
                return NULL;
        if (config->supervisor.control)
                return strdup(config->supervisor.control);
        return asprintf(&path, "%s/" CONTROL_SOCKET, config->supervisor.runtime_directory) < 0
                       ? NULL
                       : path;
}

int connect_open(const char *path, sd_bus **ret) {
        CLEANUP(sd_bus_closep) sd_bus *bus = NULL;
        CLEANUP(freep) char *address = connect_address(path);

        int r = address ? sd_bus_new(&bus) : -ENOMEM;
        if (r >= 0)
                r = sd_bus_set_address(bus, address);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0)
                return r;
        *ret = TAKE(bus);
        return 0;
}

int connect_to_supervisor(const Options *options, sd_bus **ret) {
        CLEANUP(diag_freep) Diag *diag = NULL;
        CLEANUP(freep) char *path = NULL;

        int r = diag_new(&diag);
        if (r == 0)
                path = connect_find_socket(options, diag);
        if (!path) {
                if (diag)
                        diag_print(diag, stderr);
                fprintf(stderr,
                        "supervisorctl: which socket this configuration means is not known; "
                        "name it with -s\n");
                return EXIT_USAGE;
        }
        r = connect_open(path, ret);
        return r < 0 ? connect_explain(path, r) : 0;
}
