/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* version */

#include <stdio.h>

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
