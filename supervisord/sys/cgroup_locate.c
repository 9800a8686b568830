/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The cgroup v2 hierarchy may be mounted anywhere, alone or beside those of v1, as a whole or only
 * a part of it (in a container without a cgroup namespace), and more than once.
 */

#include "sys/cgroup_locate.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "sys/cgroup.h"

/* Undoes the \ooo of mountinfo (proc(5)) in place. */
static void mountinfo_unescape(char *text) {
        char *out = text;

        for (const char *in = text; *in; out++) {
                unsigned code;

                if (in[0] == '\\' && sscanf(in + 1, "%3o", &code) == 1) {
                        *out = (char) code;
                        in += strlen("\\ooo");
                } else
                        *out = *in++;
        }
        *out = '\0';
}

/* "41 31 0:38 ROOT POINT OPTIONS [optional fields] - TYPE SOURCE OPTIONS" */
static bool mountinfo_parse(char *line, const char **ret_root, const char **ret_point) {
        char *separator = strstr(line, " - "), *words[5], *rest = line;

        if (!separator || strncmp(separator, " - cgroup2 ", strlen(" - cgroup2 ")) != 0)
                return false;
        *separator = '\0';
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                words[i] = strsep(&rest, " ");
                if (!words[i])
                        return false;
        }

        mountinfo_unescape(words[3]);
        mountinfo_unescape(words[4]);
        *ret_root = words[3];
        *ret_point = words[4];
        return true;
}

/* What of `path` stands behind `prefix`: "" or "/…"; NULL if it is neither that nor below it. */
static const char *path_behind(const char *path, const char *prefix) {
        size_t length = strcmp(prefix, "/") == 0 ? 0 : strlen(prefix);

        if (strncmp(path, prefix, length) != 0 || (path[length] != '/' && path[length] != '\0'))
                return NULL;
        return path + length;
}

/* The path in the "0::" line, without a slash at its end. */
static char *membership_find(char *membership) {
        for (char *line = strsep(&membership, "\n"); line; line = strsep(&membership, "\n"))
                if (strncmp(line, "0::/", strlen("0::/")) == 0) {
                        char *group = line + strlen("0::");

                        return strcmp(group, "/") == 0 ? group + 1 : group;
                }
        return NULL;
}

int cgroup_locate(char *mountinfo,
                  char *membership,
                  char **ret_path,
                  char **ret_group,
                  const char **ret_why) {
        const char *why = "no cgroup v2 hierarchy is mounted";
        const char *group = membership_find(membership);

        for (char *line = strsep(&mountinfo, "\n"); group && line;
             line = strsep(&mountinfo, "\n")) {
                const char *root, *point, *below;
                char *path, *copy;

                if (!mountinfo_parse(line, &root, &point))
                        continue;
                why = "our own cgroup cannot be seen in the mounted cgroup v2 hierarchy";
                below = path_behind(group, root);
                if (!below)
                        continue;

                copy = strdup(group);
                if (!copy || asprintf(&path, "%s%s", point, below) < 0) {
                        free(copy);
                        return -ENOMEM;
                }
                *ret_path = path;
                *ret_group = copy;
                return 0;
        }
        *ret_why = why;
        return CGROUP_E_UNUSABLE;
}
