/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* getopt_long(3) and the help text. */

#include "options.h"

#include <getopt.h>
#include <stdio.h>

#include "base/parse.h"
#include "client.h"
#include "command.h"
#include "config/load.h"

#define OPTIONS_NUMBER_MAX 1000000

static void options_print_help(void) {
        printf("Usage: supervisorctl [OPTION]... COMMAND [ARGUMENT]...\n"
               "Looks at and steers the daemons of a supervisord.\n"
               "\n"
               "Commands:\n");
        for (const Command *command = commands; command->name; command++)
                if (command->help)
                        printf("  %-10s %-19s %s\n", command->name, command->arguments,
                               command->help);
        printf("\n"
               "DAEMON is a name, a pattern ('web-*') or 'all'.\n"
               "\n"
               "  -s, --socket SOCKET  the control socket\n"
               "  -c, --config FILE    the configuration that names it (default %s)\n"
               "      --json           answer for programs\n"
               "  -n, --number N       show so many (history, tail)\n"
               "      --no-wait        do not wait for the outcome\n"
               "      --now-only       what is stopped or started now is not remembered\n"
               "      --timeout TIME   wait no longer than that (\"30s\")\n"
               "  -h, --help           print this, and exit\n"
               "  -V, --version        print the version, and exit\n"
               "\n"
               "Exit status: 0 done, 1 the outcome is not what was asked for, 2 wrong usage,\n"
               "3 a daemon is not running (status), 4 no such daemon, 69 no supervisord answers,\n"
               "75 the time was over, 77 not permitted. See supervisorctl(8).\n",
               CONFIG_DEFAULT_FILE);
}

static int options_set_timeout(const char *text, usec_t *ret) {
        if (parse_duration(text, ret) == 0)
                return 0;
        fprintf(stderr, "supervisorctl: --timeout %s is no duration; write \"30s\" or \"2min\"\n",
                text);
        return EXIT_USAGE;
}

static int options_set_number(const char *text, size_t *ret) {
        int64_t number;

        if (parse_int(text, 1, OPTIONS_NUMBER_MAX, &number) == 0) {
                *ret = (size_t) number;
                return 0;
        }
        fprintf(stderr, "supervisorctl: -n %s is no number; write one from 1 to %d\n", text,
                OPTIONS_NUMBER_MAX);
        return EXIT_USAGE;
}

int options_parse(int argc, char *argv[], Options *ret) {
        enum { OPTION_JSON = 256, OPTION_NO_WAIT, OPTION_NOW_ONLY, OPTION_TIMEOUT };
        static const struct option options[] = {
                { "socket", required_argument, NULL, 's' },
                { "config", required_argument, NULL, 'c' },
                { "json", no_argument, NULL, OPTION_JSON },
                { "number", required_argument, NULL, 'n' },
                { "no-wait", no_argument, NULL, OPTION_NO_WAIT },
                { "now-only", no_argument, NULL, OPTION_NOW_ONLY },
                { "timeout", required_argument, NULL, OPTION_TIMEOUT },
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'V' },
                { NULL, 0, NULL, 0 },
        };
        Options parsed = { .config = CONFIG_DEFAULT_FILE, .timeout = USEC_INFINITY };
        int option, r;

        while ((option = getopt_long(argc, argv, "s:c:n:hV", options, NULL)) >= 0) {
                switch (option) {
                case 's':
                        parsed.socket = optarg;
                        break;
                case 'c':
                        parsed.config = optarg;
                        parsed.config_named = true;
                        break;
                case OPTION_JSON:
                        parsed.json = true;
                        break;
                case 'n':
                        r = options_set_number(optarg, &parsed.number);
                        if (r != 0)
                                return r;
                        break;
                case OPTION_NO_WAIT:
                        parsed.no_wait = true;
                        break;
                case OPTION_NOW_ONLY:
                        parsed.now_only = true;
                        break;
                case OPTION_TIMEOUT:
                        r = options_set_timeout(optarg, &parsed.timeout);
                        if (r != 0)
                                return r;
                        break;
                case 'h':
                        options_print_help();
                        return -1;
                case 'V':
                        puts("supervisorctl " PACKAGE_VERSION);
                        return -1;
                default:
                        fprintf(stderr, "Try 'supervisorctl --help'.\n");
                        return EXIT_USAGE;
                }
        }

        parsed.command = optind < argc ? argv[optind++] : "status";
        parsed.arguments = argv + optind;
        *ret = parsed;
        return 0;
}
