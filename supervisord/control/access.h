/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Who may do what by the control socket. It is decided once, when somebody connects, from what the
 * kernel says of it; no user database is asked. Pure.
 */

#include "config/config.h"
#include "sys/listener.h"

typedef enum AccessLevel {
        ACCESS_NONE, /* refused at once */
        ACCESS_READ, /* may look: members of supervisor.reader_group */
        ACCESS_FULL, /* may do everything: root, our own user, members of supervisor.admin_group */
} AccessLevel;

AccessLevel access_level(const Peer *peer, const SupervisorConfig *config, uid_t own);

/*
 * The narrowest mode of the socket with which all of them can connect, and its group
 * (CONFIG_NO_GID: as it is). With two groups it is open to everybody, and the others are refused
 * when they come.
 */
mode_t access_socket_mode(const SupervisorConfig *config, gid_t *ret_group);
