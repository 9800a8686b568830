/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The command line of supervisord(8).
 */

typedef enum OptionsAction {
        OPTIONS_RUN,
        OPTIONS_CHECK, /* only say what is wrong with the configuration */
        OPTIONS_DUMP,  /* print the effective configuration */
        OPTIONS_EXIT,  /* done already: --help, --version */
} OptionsAction;

typedef struct Options {
        OptionsAction action;
        const char *config; /* borrowed from argv or static */
} Options;

enum { OPTIONS_E_USAGE = 1 }; /* said on stderr what is wrong */

int options_parse(int argc, char *argv[], Options *ret);
