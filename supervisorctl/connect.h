/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which supervisord is meant, and the connection to it.
 */

#include <systemd/sd-bus.h>

#include "base/diag.h"
#include "base/macro.h"
#include "options.h"

/*
 * The path of the socket that the options or the configuration name, malloc'ed; NULL: it cannot be
 * known, and what is wrong with the configuration is in `diag`, or there is no memory.
 */
char *connect_find_socket(const Options *options, Diag *diag);
/* Connects to that socket, and says nothing: 0 or a negative errno. */
int connect_open(const char *path, sd_bus **ret);
/* Both, with words on stderr for what is wrong: 0 or an exit status. */
int connect_to_supervisor(const Options *options, sd_bus **ret);

static inline void sd_bus_closep(sd_bus **bus) {
        sd_bus_flush_close_unref(*bus);
}
