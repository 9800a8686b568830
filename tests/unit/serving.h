/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The control layer over the stubs of the service layer (stub_service.h), in a process of its own,
 * and what its clients have in common. For tests with Check.
 */

#include <systemd/sd-bus.h>

#include "base/macro.h"
#include "control/names.h"

#define SERVING_ADMIN_GID  4242
#define SERVING_READER_GID 4343

extern pid_t serving_pid;

/* A fixture: the server, in a directory of its own. If it still runs, Shutdown() ends it. */
void serving_setup(void);
void serving_teardown(void);
/* Waits for its end; its exit status, which is 7 after a fast stop. */
int serving_wait(void);

/* The path of its socket. */
const char *serving_path(void);
/* A connection, as soon as there is a server; -1: it cannot be made. */
int serving_connect(void);
/* A client over such a connection, without Hello(), that has asked for something. */
sd_bus *serving_client(void);
void serving_close(sd_bus **bus);
#define CLIENT(name) CLEANUP(serving_close) sd_bus *name = serving_client()

/* What a method takes that is about daemons by name: the names, and a truth value or nothing. */
const char *serving_types(const char *member);
/*
 * Calls a method with a list of one name (and `false`), or without arguments; the reply, or NULL.
 */
sd_bus_message *serving_call(sd_bus *bus,
                             const char *member,
                             const char *name,
                             sd_bus_error *error);
/* The same: it fails with that error, whose message holds `part`. */
void serving_expect_error(
        sd_bus *bus, const char *member, const char *name, const char *wanted, const char *part);
/* Signal() for one daemon: what sd_bus_call(3) gave. */
int serving_signal(sd_bus *bus, const char *name, int signo);

void serving_expect_property(sd_bus *bus, const char *property, const char *wanted);
/* A new client is served. */
void serving_expect(void);
