/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* getopt_long(3) and the help text. */

#include "options.h"

#include <getopt.h>
#include <stdio.h>

#include "config/load.h"

static void options_print_help(void) {
        printf("Usage: supervisord [OPTION]...\n"
               "Supervises the daemons of a configuration, in the foreground.\n"
               "\n"
               "  -c, --config FILE  the configuration (default %s)\n"
               "      --check        say what is wrong with the configuration, and exit\n"
               "      --dump         print the effective configuration, and exit\n"
               "  -h, --help         print this, and exit\n"
               "  -V, --version      print the version, and exit\n"
               "\n"
               "Signals:\n"
               "  SIGTERM, SIGINT    stop: freeze, drain, cleanup; again: nothing new\n"
               "  SIGQUIT            stop at once, by cleanup alone\n"
               "  SIGHUP             reload: the configuration on disk, or all stays as it is\n"
               "  SIGUSR1            write the state of everything to the journal\n"
               "  SIGCHLD            reap everything there is, orphans too\n"
               "  SIGUSR2, SIGPIPE   ignored\n"
               "\n"
               "Exit status:\n"
               "  0   stopped as asked, also when a deadline had to force it\n"
               "  1   an error, or an essential daemon failed\n"
               "  2   wrong usage\n"
               "  75  another supervisord uses the runtime directory\n"
               "  78  the configuration is invalid\n"
               "\n"
               "See supervisord(8) and supervisord.conf(5).\n",
               CONFIG_DEFAULT_FILE);
}

int options_parse(int argc, char *argv[], Options *ret) {
        enum { OPTION_CHECK = 256, OPTION_DUMP };
        static const struct option options[] = {
                { "config", required_argument, NULL, 'c' },
                { "check", no_argument, NULL, OPTION_CHECK },
                { "dump", no_argument, NULL, OPTION_DUMP },
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'V' },
                { NULL, 0, NULL, 0 },
        };
        Options parsed = { .action = OPTIONS_RUN, .config = CONFIG_DEFAULT_FILE };
        int option;

        while ((option = getopt_long(argc, argv, "c:hV", options, NULL)) >= 0) {
                switch (option) {
                case 'c':
                        parsed.config = optarg;
                        break;
                case OPTION_CHECK:
                        parsed.action = OPTIONS_CHECK;
                        break;
                case OPTION_DUMP:
                        parsed.action = OPTIONS_DUMP;
                        break;
                case 'h':
                        options_print_help();
                        *ret = (Options) { .action = OPTIONS_EXIT };
                        return 0;
                case 'V':
                        puts("supervisord " PACKAGE_VERSION);
                        *ret = (Options) { .action = OPTIONS_EXIT };
                        return 0;
                default:
                        fprintf(stderr, "Try 'supervisord --help'.\n");
                        return OPTIONS_E_USAGE;
                }
        }
        if (optind < argc) {
                fprintf(stderr, "supervisord: '%s' is no option; name a configuration by -c FILE\n",
                        argv[optind]);
                return OPTIONS_E_USAGE;
        }

        *ret = parsed;
        return 0;
}
