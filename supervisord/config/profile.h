/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Profiles: what is proven for a known daemon, as settings of a daemon in a file of their own. The
 * administrator's are beside the configuration file, in profiles/; those that came with supervisord
 * are in PROFILE_DIRECTORY, and come second.
 */

#include "base/macro.h"

enum {
        PROFILE_E_NAME = 1, /* it cannot be the name of one */
        PROFILE_E_MISSING,  /* there is none of that name */
};

/* The file of a profile, malloc'ed; `config_file` is the main one. Looks at the file system. */
int profile_find(const char *config_file, const char *name, char **ret);

/* The names of all that there are, sorted, each once. */
int profile_names(const char *config_file, char ***ret);
