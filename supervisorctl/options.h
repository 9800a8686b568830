/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The command line of supervisorctl(8): options before and after the command, then its arguments.
 */

#include <stdbool.h>

#include "base/macro.h"

typedef struct Options {
        const char *socket; /* NULL: from the configuration */
        const char *config;
        bool config_named; /* by -c, not the default */
        bool json;
        bool no_wait;
        bool now_only;
        size_t number;  /* of lines or entries; 0: as many as is usual */
        usec_t timeout; /* USEC_INFINITY: none */
        const char *command;
        char **arguments; /* of the command, NULL-terminated; borrowed from argv */
} Options;

/* 0; -1 if all is said and done (--help, --version); an exit status. */
int options_parse(int argc, char *argv[], Options *ret);
