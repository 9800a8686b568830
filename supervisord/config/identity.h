/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who a daemon runs as: users and groups of the configuration as numbers. The look-up asks the user
 * database (NSS) and may block; it happens at load time only.
 */

#include "config/config.h"

enum {
        IDENTITY_E_USER = 1, /* no such user */
        IDENTITY_E_GROUP,    /* no such group; *ret_missing names it */
        IDENTITY_E_NO_GROUP, /* the user is a number without an entry, and no group is given */
};

/*
 * Looks up `user` (NULL: as supervisord itself), `group` (NULL: the user's own) and further
 * `groups`, each a name or a number. With none of them *ret says switch_user = false.
 */
int identity_find(const char *user,
                  const char *group,
                  char *const *groups,
                  Identity *ret,
                  const char **ret_missing);

/* One group, by name or number: 0 or IDENTITY_E_GROUP. */
int identity_find_group(const char *group, gid_t *ret);

/* Releases what it holds and empties it. */
void identity_clear(Identity *identity);
