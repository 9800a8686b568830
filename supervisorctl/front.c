/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * supervisorctl as people call it. `status` of all daemons is done here and now; everything else is
 * the business of supervisorctl-full, which takes longer to load its libraries than this to be
 * done.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/load.h"
#include "control/names.h"
#include "exits.h"
#include "quick.h"

#define FULL          "supervisorctl-full"
#define FULL_PATH_MAX 4096

/*
 * Whether the arguments ask for the status of all daemons and for nothing else; *ret_socket is NULL
 * if they name none.
 */
static bool front_is_status(char *argv[], const char **ret_socket) {
        bool commanded = false;

        *ret_socket = NULL;
        for (char **argument = argv + 1; *argument; argument++) {
                if (!commanded && strcmp(*argument, "status") == 0)
                        commanded = true;
                else if ((strcmp(*argument, "-s") == 0 || strcmp(*argument, "--socket") == 0) &&
                         argument[1])
                        *ret_socket = *++argument;
                else
                        return false;
        }
        return true;
}

/* Where there is no configuration to be read first: who answers says which one is his. */
static bool front_status(char *argv[], int *ret_status) {
        const char *socket;

        if (!front_is_status(argv, &socket))
                return false;
        return quick_status(socket ? socket : CONTROL_DEFAULT_SOCKET,
                            socket ? NULL : CONFIG_DEFAULT_FILE, ret_status) == 0;
}

/* Beside this program, as it was built; or where it was installed. Returns only if neither is. */
static void front_run_full(char *argv[]) {
        char path[FULL_PATH_MAX];
        ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - sizeof(FULL) - 1);
        char *slash;

        if (length > 0) {
                path[length] = '\0';
                slash = strrchr(path, '/');
                strcpy(slash ? slash + 1 : path, FULL);
                execv(path, argv);
        }
        execv(PKGLIBEXECDIR "/" FULL, argv);
}

int main(int argc, char *argv[]) {
        int status;

        (void) argc;
        if (front_status(argv, &status))
                return status;
        front_run_full(argv);
        fprintf(stderr, "supervisorctl: cannot run %s: %s\nInstall supervisord again.\n",
                PKGLIBEXECDIR "/" FULL, strerror(errno));
        return EXIT_FAILED;
}
