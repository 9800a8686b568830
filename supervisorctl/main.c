/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* supervisorctl: looks at and steers a supervisord. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/parse.h"
#include "base/strv.h"
#include "client.h"
#include "command.h"
#include "connect.h"
#include "options.h"

#define COMMANDS_MAX     32
#define NAME_VISIBLE_MAX 256

static const Command *main_find_command(const char *name) {
        for (const Command *command = commands; command->name; command++)
                if (strcmp(command->name, name) == 0)
                        return command;
        return NULL;
}

static int main_refuse_command(const char *name) {
        const char *names[COMMANDS_MAX];
        char visible[NAME_VISIBLE_MAX];
        size_t count = 0;

        for (const Command *command = commands; command->name && count < COMMANDS_MAX; command++)
                names[count++] = command->name;

        const char *nearest = nearest_word(name, names, count);
        fprintf(stderr, "supervisorctl: there is no command '%s'",
                format_visible(visible, sizeof(visible), name));
        if (nearest)
                fprintf(stderr, "; did you mean '%s'?", nearest);
        fprintf(stderr, "\nTry 'supervisorctl --help'.\n");
        return EXIT_USAGE;
}

static int main_check_arguments(const Command *command, const Options *options) {
        int count = (int) strv_length(options->arguments);

        if (options->now_only && !command_is_remembered(command)) {
                fprintf(stderr, "supervisorctl: --now-only is for start, stop and restart\n");
                return EXIT_USAGE;
        }
        if (count >= command->minimum && (command->maximum < 0 || count <= command->maximum))
                return 0;
        fprintf(stderr, "Usage: supervisorctl %s %s\n", command->name, command->arguments);
        return EXIT_USAGE;
}

int main(int argc, char *argv[]) {
        CLEANUP(sd_bus_closep) sd_bus *bus = NULL;
        Options options;

        int r = options_parse(argc, argv, &options);
        if (r != 0)
                return r < 0 ? EXIT_SUCCESS : r;

        const Command *command = main_find_command(options.command);
        if (!command)
                return main_refuse_command(options.command);
        r = main_check_arguments(command, &options);
        if (r != 0)
                return r;

        if (!command->offline) {
                r = connect_to_supervisor(&options, &bus);
                if (r != 0)
                        return r;
        }
        return command->run(bus, &options);
}
