/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * For scenarios about a single daemon: it is called "d" and runs /d, as the test has written it.
 */

#include <check.h>

#include "sim/sim.h"

/* Never again: what a failure is about is the first try. */
#define ONCE "restart: { policy = \"never\"; };"

#define PIDFILE "/run/d.pid"

/* Begins with these settings of the daemon; does not start it. */
void one_begin(const char *settings);
/* The same with settings of the supervisor. */
void one_begin_with(const char *supervisor, const char *settings);
/* … and runs until then. */
void one_run(const char *settings, usec_t until);
/* Raises SIGTERM, and runs to the end. */
void one_stop(void);
void one_end(void);

/* It is ready at that moment, from then on nothing is polled, and it can be stopped. */
void one_assert_ready(const char *settings, usec_t when);
/* It never is, is given up at that moment, says so, and leaves nothing. */
void one_assert_fails(const char *settings, usec_t when, const char *reason);
/* A message of it came, and its text says that. */
void one_assert_said(MessageId message, const char *part);
