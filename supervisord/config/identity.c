/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Users and groups. A number needs no entry in the database; where there is one, it gives the name,
 * the home directory and the groups. May block in NSS.
 */

#include "config/identity.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/parse.h"
#include "base/strv.h"

/* (uid_t) -1 means "no user" to the kernel. */
#define IDENTITY_ID_MAX ((int64_t) UINT32_MAX - 1)
/* The text of one entry; a group may have very many members. */
#define IDENTITY_BUFFER_MIN 1024
#define IDENTITY_BUFFER_MAX (16u << 20)

/* The strings of a struct passwd or group, which point into `buffer`. */
typedef struct IdentityEntry {
        struct passwd passwd;
        struct group group;
        char *buffer;
} IdentityEntry;

static void identity_entry_clear(IdentityEntry *entry) {
        free(entry->buffer);
}

/* One reentrant look-up with a buffer of `size`; *ret_found says whether there is such an entry. */
typedef int (*IdentityQuery)(const char *name,
                             int64_t id,
                             IdentityEntry *entry,
                             size_t size,
                             bool *ret_found);

static int identity_query_user(const char *name,
                               int64_t id,
                               IdentityEntry *entry,
                               size_t size,
                               bool *ret_found) {
        struct passwd *found = NULL;
        int r;

        r = id >= 0 ? getpwuid_r((uid_t) id, &entry->passwd, entry->buffer, size, &found)
                    : getpwnam_r(name, &entry->passwd, entry->buffer, size, &found);
        *ret_found = found;
        return r;
}

static int identity_query_group(const char *name,
                                int64_t id,
                                IdentityEntry *entry,
                                size_t size,
                                bool *ret_found) {
        struct group *found = NULL;
        int r;

        r = id >= 0 ? getgrgid_r((gid_t) id, &entry->group, entry->buffer, size, &found)
                    : getgrnam_r(name, &entry->group, entry->buffer, size, &found);
        *ret_found = found;
        return r;
}

/* "No such entry" has many numbers; see getpwnam(3). */
static bool identity_is_absent(int error) {
        return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

static int identity_query(IdentityQuery query,
                          const char *name,
                          int64_t id,
                          IdentityEntry *entry,
                          bool *ret_found) {
        for (size_t size = IDENTITY_BUFFER_MIN; size <= IDENTITY_BUFFER_MAX; size *= 2) {
                bool found;
                int r;

                free(entry->buffer);
                entry->buffer = malloc(size);
                if (!entry->buffer)
                        return -ENOMEM;
                r = query(name, id, entry, size, &found);
                if (r == ERANGE)
                        continue;
                if (!found && !identity_is_absent(r))
                        return -r;
                *ret_found = found;
                return 0;
        }
        return -ERANGE;
}

/* The number that `text` is, or -1 if it is a name. */
static int64_t identity_number(const char *text) {
        int64_t number;

        return parse_int(text, 0, IDENTITY_ID_MAX, &number) == 0 ? number : -1;
}

int identity_find_group(const char *group, gid_t *ret) {
        CLEANUP(identity_entry_clear) IdentityEntry entry = {};
        int64_t number = identity_number(group);
        bool found;
        int r;

        if (number >= 0) {
                *ret = (gid_t) number;
                return 0;
        }
        r = identity_query(identity_query_group, group, -1, &entry, &found);
        if (r < 0)
                return r;
        if (!found)
                return IDENTITY_E_GROUP;
        *ret = entry.group.gr_gid;
        return 0;
}

static int identity_copy_entry(const struct passwd *passwd, Identity *identity) {
        identity->uid = passwd->pw_uid;
        identity->gid = passwd->pw_gid;
        identity->user_name = strdup(passwd->pw_name);
        identity->home = strdup(passwd->pw_dir);
        identity->shell = strdup(passwd->pw_shell);
        return identity->user_name && identity->home && identity->shell ? 0 : -ENOMEM;
}

/* The user, and the user's own group unless `group_given`. */
static int identity_find_user(const char *user, bool group_given, Identity *identity) {
        CLEANUP(identity_entry_clear) IdentityEntry entry = {};
        int64_t number = identity_number(user);
        bool found;
        int r;

        r = identity_query(identity_query_user, user, number, &entry, &found);
        if (r < 0)
                return r;
        if (found)
                return identity_copy_entry(&entry.passwd, identity);
        if (number < 0)
                return IDENTITY_E_USER;
        if (!group_given)
                return IDENTITY_E_NO_GROUP;
        identity->uid = (uid_t) number;
        return 0;
}

/* The groups that the database gives the user, in a vector with room for `extra` more. */
static int identity_find_memberships(Identity *identity, size_t extra) {
        int count = 0;

        if (identity->user_name)
                /* Fails and says how many there are. */
                getgrouplist(identity->user_name, identity->gid, NULL, &count);
        identity->groups = calloc((size_t) count + extra + 1, sizeof(gid_t));
        if (!identity->groups)
                return -ENOMEM;
        if (identity->user_name && getgrouplist(identity->user_name, identity->gid,
                                                identity->groups, &count) < 0)
                return -EAGAIN; /* it grew in between */
        identity->group_count = (size_t) count;
        return 0;
}

static int identity_find_groups(char *const *groups, Identity *identity, const char **ret_missing) {
        int r;

        r = identity_find_memberships(identity, strv_length(groups));
        if (r < 0)
                return r;
        for (size_t i = 0; groups && groups[i]; i++) {
                gid_t gid;

                r = identity_find_group(groups[i], &gid);
                if (r != 0) {
                        *ret_missing = groups[i];
                        return r;
                }
                identity->groups[identity->group_count++] = gid;
        }
        return 0;
}

int identity_find(const char *user,
                  const char *group,
                  char *const *groups,
                  Identity *ret,
                  const char **ret_missing) {
        CLEANUP(identity_clear) Identity identity = { .uid = geteuid(), .gid = getegid() };
        int r;

        identity.switch_user = user || group || groups;
        if (user) {
                r = identity_find_user(user, group, &identity);
                if (r != 0)
                        return r;
        }
        if (group) {
                r = identity_find_group(group, &identity.gid);
                if (r != 0) {
                        *ret_missing = group;
                        return r;
                }
        }
        if (identity.switch_user) {
                r = identity_find_groups(groups, &identity, ret_missing);
                if (r != 0)
                        return r;
        }
        *ret = TAKE(identity);
        return 0;
}

void identity_clear(Identity *identity) {
        free(identity->groups);
        free(identity->user_name);
        free(identity->home);
        free(identity->shell);
        *identity = (Identity) {};
}
