/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The environment of a daemon: ours, without what systemd meant for us alone (11 of 38 real daemons
 * would speak to systemd in our name if they saw our NOTIFY_SOCKET), then the daemon's own.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "base/strv.h"
#include "child/object.h"

/* Set by systemd for its unit's main process only (systemd.exec(5), sd_listen_fds(3)). */
static const char *const private_variables[] = {
        "NOTIFY_SOCKET",
        "WATCHDOG_USEC",
        "WATCHDOG_PID",
        "LISTEN_FDS",
        "LISTEN_PID",
        "LISTEN_PIDFDID",
        "LISTEN_FDNAMES",
        "FDSTORE",
        "JOURNAL_STREAM",
        "INVOCATION_ID",
        "MANAGERPID",
        "MAINPID",
        "SYSTEMD_EXEC_PID",
        "RUNTIME_DIRECTORY",
        "STATE_DIRECTORY",
        "CREDENTIALS_DIRECTORY",
        "MEMORY_PRESSURE_WATCH",
        "MEMORY_PRESSURE_WRITE",
        "SUPERVISOR_INVOCATION",
        "SUPERVISOR_DAEMON",
};

/* Whether `entry` ("KEY=value") sets the variable `name`, which may itself be "KEY=value". */
static bool variable_is(const char *entry, const char *name) {
        while (*name && *name != '=' && *name == *entry) {
                name++;
                entry++;
        }
        return (*name == '\0' || *name == '=') && *entry == '=';
}

static bool variable_is_private(const char *entry) {
        for (size_t i = 0; i < ELEMENTSOF(private_variables); i++)
                if (variable_is(entry, private_variables[i]))
                        return true;
        return false;
}

/* Sets `entry`, instead of an earlier one for the same variable. */
static int environment_set(char ***environment, const char *entry) {
        for (char **e = *environment; e && *e; e++) {
                if (!variable_is(*e, entry))
                        continue;

                char *copy = strdup(entry);
                if (!copy)
                        return -ENOMEM;
                free(*e);
                *e = copy;
                return 0;
        }
        return strv_append(environment, entry);
}

static int environment_set_pair(char ***environment, const char *name, const char *value) {
        CLEANUP(freep) char *entry = NULL;

        if (!value)
                return 0;
        if (asprintf(&entry, "%s=%s", name, value) < 0)
                return -ENOMEM;
        return environment_set(environment, entry);
}

static int environment_set_all(char ***environment, char *const *entries) {
        for (; entries && *entries; entries++) {
                int r = environment_set(environment, *entries);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int environment_set_identity(char ***environment, const Identity *identity) {
        if (!identity->switch_user || !identity->user_name)
                return 0;

        int r = environment_set_pair(environment, "USER", identity->user_name);
        if (r >= 0)
                r = environment_set_pair(environment, "LOGNAME", identity->user_name);
        if (r >= 0)
                r = environment_set_pair(environment, "HOME", identity->home);
        if (r >= 0)
                r = environment_set_pair(environment, "SHELL", identity->shell);
        return r;
}

int environment_new(const DaemonConfig *daemon,
                    const char *invocation,
                    char *const *more,
                    char ***ret) {
        CLEANUP(strv_freep) char **environment = NULL;
        int r = 0;

        for (char **e = environ; e && *e; e++) {
                if (variable_is_private(*e))
                        continue;
                r = strv_append(&environment, *e);
                if (r < 0)
                        return r;
        }

        r = environment_set_identity(&environment, &daemon->identity);
        if (r >= 0)
                r = environment_set_all(&environment, daemon->environment);
        if (r >= 0)
                r = environment_set_pair(&environment, "SUPERVISOR_DAEMON", daemon->name);
        if (r >= 0)
                r = environment_set(&environment, invocation);
        if (r >= 0)
                r = environment_set_all(&environment, more);
        if (r < 0)
                return r;

        *ret = TAKE(environment);
        return 0;
}

void invocation_new(char ret[static INVOCATION_TEXT_MAX]) {
        char id[33];

        random_hex(id, sizeof(id));
        snprintf(ret, INVOCATION_TEXT_MAX, "SUPERVISOR_INVOCATION=%s", id);
}
