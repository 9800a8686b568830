/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tail: journalctl(1), asked for some daemons. It works without a supervisord, for the time after
 * its end is when people look: the names come from the one that runs or else from the
 * configuration, and if neither can be asked, they are taken at their word.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/strv.h"
#include "command.h"
#include "config/load.h"
#include "connect.h"

#define TAIL_LINES      ((size_t) 20)
#define TAIL_OPTION_MAX 32

/* What there is to know of the daemons. */
typedef struct Tail {
        DaemonList list; /* their names; empty: nobody could be asked */
        Config *config;  /* the one that they come from, as far as it could be read */
} Tail;

static void tail_done(Tail *tail) {
        daemon_list_done(&tail->list);
        config_unref(tail->config);
}

/* Names and configuration file of the supervisor that runs; *ret_path is malloc'ed. */
static int tail_ask(const Options *options, Diag *diag, DaemonList *ret, char **ret_path) {
        CLEANUP(sd_bus_closep) sd_bus *bus = NULL;
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(freep) char *socket = connect_find_socket(options, diag);

        int r = socket ? connect_open(socket, &bus) : -ENOENT;
        if (r >= 0)
                r = client_fetch_list(bus, &error, ret);
        if (r >= 0)
                r = client_fetch_property(bus, "ConfigFile", &error, ret_path);
        return r;
}

/* The names that stand in the configuration. */
static int tail_list_configured(const Config *config, DaemonList *ret) {
        ret->daemons = calloc(config->daemon_count + 1, sizeof(*ret->daemons));
        if (!ret->daemons)
                return -ENOMEM;
        for (size_t i = 0; i < config->daemon_count; i++) {
                char *name = strdup(config->daemons[i].name);

                if (!name)
                        return -ENOMEM;
                ret->daemons[ret->count++].name = name;
        }
        return 0;
}

static int tail_find_out(const Options *options, Tail *tail) {
        CLEANUP(diag_freep) Diag *diag = NULL;
        CLEANUP(freep) char *path = NULL;

        int r = diag_new(&diag);
        if (r == 0)
                r = config_new(&tail->config);
        if (r < 0)
                return r;

        bool asked = tail_ask(options, diag, &tail->list, &path) >= 0;
        /* a socket alone does not say which configuration belongs to it */
        if (!asked && options->socket && !options->config_named)
                return 0;
        /* what cannot be read of it is nothing that anybody has to mend for this */
        r = config_read_files(path ? path : options->config, diag, tail->config);
        if (r < 0 || asked)
                return r < 0 ? r : 0;
        return tail_list_configured(tail->config, &tail->list);
}

/* Its lines are written under this name. */
static const char *tail_identifier(const Tail *tail, const char *name) {
        const DaemonConfig *daemon = config_find(tail->config, name);

        return daemon && daemon->output.identifier ? daemon->output.identifier : name;
}

static int tail_add_match(char ***command, const char *field, const char *value) {
        CLEANUP(freep) char *match = NULL;

        if (asprintf(&match, "%s=%s", field, value) < 0)
                return -ENOMEM;
        return strv_append(command, match);
}

/*
 * The daemons' own lines and what supervisord says of them: matches of one field are alternatives,
 * and so is what "+" joins (journalctl(1)); -t would be and-ed to both.
 */
static int tail_add_matches(char ***command, const Tail *tail, const char *const *names) {
        int r = 0;

        for (size_t i = 0; r == 0 && names[i]; i++)
                r = tail_add_match(command, "SYSLOG_IDENTIFIER", tail_identifier(tail, names[i]));
        if (r == 0)
                r = strv_append(command, "+");
        for (size_t i = 0; r == 0 && names[i]; i++)
                r = tail_add_match(command, "SUPERVISOR_DAEMON", names[i]);
        return r;
}

/* How many arguments name daemons; what begins with a dash belongs to journalctl. */
static size_t tail_count_names(char *const *arguments) {
        size_t count = 0;

        while (arguments[count] && arguments[count][0] != '-')
                count++;
        return count;
}

static int tail_make_command(const Tail *tail,
                             const char *const *names,
                             char *const *journal_options,
                             size_t number,
                             char ***ret) {
        CLEANUP(strv_freep) char **command = NULL;
        char lines[TAIL_OPTION_MAX];

        snprintf(lines, sizeof(lines), "-n%zu", number > 0 ? number : TAIL_LINES);
        int r = strv_append(&command, "journalctl");
        if (r == 0 && (number > 0 || !*journal_options))
                r = strv_append(&command, lines);
        for (; r == 0 && *journal_options; journal_options++)
                r = strv_append(&command, *journal_options);
        if (r == 0)
                r = tail_add_matches(&command, tail, names);
        if (r == 0)
                *ret = TAKE(command);
        return r;
}

/* Which daemons the words mean; *ret is freed, what it points to is the tail's or the words. */
static int tail_select(Tail *tail, char *const *words, size_t count, const char ***ret) {
        CLEANUP(freep) char **chosen = calloc(count + 1, sizeof(*chosen));

        if (!chosen)
                return client_explain(NULL, -ENOMEM);
        memcpy(chosen, words, count * sizeof(*chosen));
        if (tail->list.count > 0)
                return client_select(&tail->list, chosen, ret);

        for (size_t i = 0; i < count; i++)
                if (strpbrk(words[i], "*?[") || strcmp(words[i], "all") == 0) {
                        fprintf(stderr,
                                "supervisorctl: which daemons '%s' means is not known: no "
                                "supervisord answers, and no configuration could be read\n",
                                words[i]);
                        return EXIT_NO_SUPERVISOR;
                }
        *ret = (const char **) TAKE(chosen);
        return 0;
}

int command_tail(sd_bus *bus, const Options *options) {
        CLEANUP(tail_done) Tail tail = { 0 };
        CLEANUP(freep) const char **names = NULL;
        CLEANUP(strv_freep) char **command = NULL;
        size_t count = tail_count_names(options->arguments);

        (void) bus;
        if (count == 0) {
                fprintf(stderr, "supervisorctl: tail needs the name of a daemon first\n");
                return EXIT_USAGE;
        }
        int r = tail_find_out(options, &tail);
        if (r < 0)
                return client_explain(NULL, r);
        r = tail_select(&tail, options->arguments, count, &names);
        if (r != 0)
                return r;
        r = tail_make_command(&tail, names, options->arguments + count, options->number, &command);
        if (r < 0)
                return client_explain(NULL, r);

        execvp(command[0], command);
        fprintf(stderr, "supervisorctl: cannot run journalctl: %s\n", strerror(errno));
        return EXIT_FAILED;
}
