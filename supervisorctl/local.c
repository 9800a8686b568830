/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What needs little or no supervisord: version, tail. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/strv.h"
#include "command.h"

int command_version(sd_bus *bus, const Options *options) {
        CLEANUP(freep) char *version = NULL;

        (void) options;
        printf("supervisorctl %s\n", PACKAGE_VERSION);
        version = client_property(bus, "Version");
        if (!version)
                return EXIT_FAILED;
        printf("supervisord %s\n", version);
        return 0;
}

/*
 * The daemon's own lines and what supervisord says of it: two matches of the journal, joined by "+"
 * (journalctl(1)); -t would be and-ed to both.
 */
int command_tail(sd_bus *bus, const Options *options) {
        CLEANUP(strv_freep) char **command = NULL;
        CLEANUP(freep) char *lines = NULL, *events = NULL;
        const char *name = options->arguments[0];

        (void) bus;
        if (asprintf(&lines, "SYSLOG_IDENTIFIER=%s", name) < 0 ||
            asprintf(&events, "SUPERVISOR_DAEMON=%s", name) < 0 ||
            strv_append(&command, "journalctl") < 0)
                return client_explain(NULL, -ENOMEM);
        for (char **option = options->arguments + 1; *option; option++)
                if (strv_append(&command, *option) < 0)
                        return client_explain(NULL, -ENOMEM);
        if (!options->arguments[1] && strv_append(&command, "-n20") < 0)
                return client_explain(NULL, -ENOMEM);
        if (strv_append(&command, lines) < 0 || strv_append(&command, "+") < 0 ||
            strv_append(&command, events) < 0)
                return client_explain(NULL, -ENOMEM);

        execvp(command[0], command);
        fprintf(stderr, "supervisorctl: cannot run journalctl: %s\n", strerror(errno));
        return EXIT_FAILED;
}
