/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The service layer as the control layer sees it, without any process: a supervisor of four daemons
 * that does at once, or when it is told to, what it is asked for.
 *
 *   web    is running and requires db; its reason and status are no UTF-8
 *   db     is running; its own reload is refused; once it is frozen it can only be started anew
 *   slow   what is asked of it is done when it gets SIGUSR1; draining has a deadline
 *   idle   is stopped; it has no own reload
 *
 * A call for slow beside another daemon is as slow; a thaw of slow calls off all that drains.
 *
 * SIGUSR2 to web changes all of them once and gives db a status, SIGHUP to it makes the set another
 * one. The supervisor's status line counts the signals. A reload is refused with a finding; a stop
 * ends the loop.
 */

#include "service/supervisor.h"
#include "sys/loop.h"

#define STUB_STATUS   "signals: "
#define STUB_REMARK   "cannot write" /* and a byte that is no UTF-8 */
#define STUB_DEADLINE 4711

/* `control` is the path of the socket. */
Supervisor *stub_new(Loop *loop, const char *control, gid_t admin, gid_t reader);
void stub_free(Supervisor *supervisor);
