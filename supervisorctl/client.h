/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What a supervisord answers. Every function that can fail says on stderr
 * what went wrong and what to do, and returns an exit status of supervisorctl(8).
 */

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "base/macro.h"
#include "exits.h"

/* How it is, by what health.on looks at. */
typedef struct HealthInfo {
        char *verdict; /* "well", "sick", "unknown"; "": it is not looked at */
        uint64_t looked; /* at last, CLOCK_MONOTONIC; 0: not yet */
        uint32_t failures; /* in a row */
        char *text;        /* what was wrong at the last look */
} HealthInfo;

/* One daemon, as ListDaemons tells it. */
typedef struct DaemonInfo {
        char *name;
        char *state;
        bool pending;
        uint32_t pid;
        uint64_t since;   /* of the state, CLOCK_MONOTONIC */
        uint64_t started; /* of the last start */
        char *reason;
        char *status;
        char **requires;
        bool paused;       /* an operator took it out of service */
        uint64_t deadline; /* of the phase that it is in, CLOCK_MONOTONIC; 0: none */
        HealthInfo health;
        bool selected;     /* by client_select() */
} DaemonInfo;

typedef struct DaemonList {
        DaemonInfo *daemons;
        size_t count;
} DaemonList;

int client_list(sd_bus *bus, DaemonList *ret);
/* The same, but says nothing: 0 or a negative errno and *ret_error. */
int client_fetch_list(sd_bus *bus, sd_bus_error *ret_error, DaemonList *ret);
void daemon_list_done(DaemonList *list);

/*
 * Marks the daemons that the arguments mean: patterns (fnmatch(3)) and "all" are expanded, a name
 * that is none is refused with the nearest one. *ret_names (NULL: not wanted) is an array in the
 * order of the arguments, NULL-terminated and to be freed; the names are the list's.
 */
int client_select(DaemonList *list, char *const *arguments, const char ***ret_names);

/* Says what a failed call means: the exit status for it. */
int client_explain(const sd_bus_error *error, int r);

/* A string property of the supervisor, malloc'ed: 0 or a negative errno and *ret_error. */
int client_fetch_property(sd_bus *bus, const char *name, sd_bus_error *ret_error, char **ret);
/* The same; NULL if it cannot be had (said on stderr). */
char *client_property(sd_bus *bus, const char *name);

static inline void sd_bus_message_donep(sd_bus_message **message) {
        sd_bus_message_unref(*message);
}
