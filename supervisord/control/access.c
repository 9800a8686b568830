/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers compared with numbers; see the header. */

#include "control/access.h"

#define ACCESS_MODE_OWNER    0600
#define ACCESS_MODE_GROUP    0660
#define ACCESS_MODE_EVERYONE 0666

static bool access_is_member(const Peer *peer, gid_t group) {
        if (group == CONFIG_NO_GID)
                return false;
        if (peer->gid == group)
                return true;
        for (size_t i = 0; i < peer->group_count; i++)
                if (peer->groups[i] == group)
                        return true;
        return false;
}

AccessLevel access_level(const Peer *peer, const SupervisorConfig *config, uid_t own) {
        if (peer->uid == 0 || peer->uid == own || access_is_member(peer, config->admin_gid))
                return ACCESS_FULL;
        return access_is_member(peer, config->reader_gid) ? ACCESS_READ : ACCESS_NONE;
}

mode_t access_socket_mode(const SupervisorConfig *config, gid_t *ret_group) {
        gid_t admin = config->admin_gid, reader = config->reader_gid;
        gid_t group = admin != CONFIG_NO_GID ? admin : reader;
        bool two = admin != CONFIG_NO_GID && reader != CONFIG_NO_GID && admin != reader;

        *ret_group = two ? CONFIG_NO_GID : group;
        if (two)
                return ACCESS_MODE_EVERYONE;
        return group != CONFIG_NO_GID ? ACCESS_MODE_GROUP : ACCESS_MODE_OWNER;
}
