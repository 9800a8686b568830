/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A call that takes its time: made without blocking, with live lines meanwhile, and an end that
 * the person sets.
 */

#include <systemd/sd-bus.h>

#include "base/macro.h"

/*
 * Sends `call` and waits for its answer, at most `timeout`. While it waits it shows on a terminal
 * what supervisord says of itself and of the daemons that change. 0 and *ret_reply, or an exit
 * status (said on stderr). SIGTERM and SIGINT end the waiting, not the work: exit status 0 and no
 * reply, as systemd wants it of a reload that a stop breaks off (systemd.service(5), ExecReload=).
 */
int wait_call(sd_bus *bus, sd_bus_message *call, usec_t timeout, sd_bus_message **ret_reply);
