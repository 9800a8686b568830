/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * For scenarios about a daemon "d" that listens on port 80 and dies of SIGTERM whatever it is
 * doing, and about its clients.
 */

#include "fake/script.h"
#include "fake/world_intake.h"
#include "sim/one.h"

#define STOP      (10 * SEC)
#define LOOK      (100 * MS) /* between two looks at the connections */
#define LISTEN_ON "ready: { on = \"listen\"; };"

void naive_program(void);
/* Begins, and runs until STOP; then it is running. */
void naive_run(const char *supervisor, const char *settings);
/* So many clients at once, each with one request that takes so long. */
void naive_clients(unsigned count, usec_t work);
void naive_expect(unsigned answered, unsigned cut);
