/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking: status, avail, pid. */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/strv.h"
#include "command.h"
#include "terminal.h"

static bool info_is_running(const DaemonInfo *info) {
        return strcmp(info->state, "running") == 0;
}

/* The word for people: one that waits for another is not just stopped. */
static const char *info_state(const DaemonInfo *info) {
        return info->pending ? "waiting" : info->state;
}

static const char *info_colour(const DaemonInfo *info) {
        if (info_is_running(info))
                return TERMINAL_GREEN;
        if (strcmp(info->state, "failed") == 0 || strcmp(info->state, "stuck") == 0)
                return TERMINAL_RED;
        if (strcmp(info->state, "stopped") == 0)
                return TERMINAL_GREY;
        return TERMINAL_YELLOW;
}

static const char *info_detail(const DaemonInfo *info) {
        return info->status[0] != '\0' && info_is_running(info) ? info->status : info->reason;
}

static void status_print_row(const DaemonInfo *info, int width) {
        char elapsed[DURATION_TEXT_MAX], pid[16] = "-";

        if (info->pid > 0)
                snprintf(pid, sizeof(pid), "%u", info->pid);
        printf("%-*s  %s%-9s%s  %8s  %10s  %s\n", width, info->name,
               terminal_colour(info_colour(info)), info_state(info),
               terminal_colour(TERMINAL_PLAIN), pid,
               format_elapsed(elapsed, usec_sub(clock_now(), info->since)), info_detail(info));
}

static void status_print_one(const DaemonInfo *info) {
        char elapsed[DURATION_TEXT_MAX];
        usec_t now = clock_now();

        printf("%s%s%s\n", terminal_colour(TERMINAL_BOLD), info->name,
               terminal_colour(TERMINAL_PLAIN));
        printf("    state     %s%s%s for %s\n", terminal_colour(info_colour(info)),
               info_state(info), terminal_colour(TERMINAL_PLAIN),
               format_elapsed(elapsed, usec_sub(now, info->since)));
        if (info->pid > 0)
                printf("    process   %u\n", info->pid);
        if (info->started > 0)
                printf("    started   %s ago\n",
                       format_elapsed(elapsed, usec_sub(now, info->started)));
        if (info->requires && info->requires[0]) {
                CLEANUP(freep) char *requires = strv_join(info->requires, ", ");
                printf("    requires  %s\n", requires ? requires : "?");
        }
        if (info->status[0] != '\0')
                printf("    says      %s\n", info->status);
        if (info->reason[0] != '\0')
                printf("    reason    %s\n", info->reason);
}

static json_t *status_json_strings(char *const *vector) {
        json_t *array = json_array();

        for (; vector && *vector; vector++)
                json_array_append_new(array, json_string(*vector));
        return array;
}

static json_t *status_json(const DaemonInfo *info) {
        usec_t now = clock_now();

        return json_pack(
                "{s:s, s:s, s:b, s:i, s:f, s:f, s:s, s:s, s:o}", "name", info->name, "state",
                info->state, "waiting", info->pending, "pid", (int) info->pid, "state_seconds",
                (double) usec_sub(now, info->since) / USEC_PER_SEC, "started_seconds",
                info->started > 0 ? (double) usec_sub(now, info->started) / USEC_PER_SEC : 0.0,
                "reason", info->reason, "status", info->status, "requires",
                status_json_strings(info->requires));
}

static void status_print_json(const DaemonList *list, char *const *names) {
        json_t *array = json_array();

        for (size_t i = 0; i < list->count; i++)
                if (strv_contains(names, list->daemons[i].name))
                        json_array_append_new(array, status_json(&list->daemons[i]));
        json_dumpf(array, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(array);
}

static void status_print(const DaemonList *list, char *const *names) {
        int width = 0;

        for (size_t i = 0; i < list->count; i++)
                if (strv_contains(names, list->daemons[i].name))
                        width = MAX_OF(width, (int) strlen(list->daemons[i].name));
        for (size_t i = 0; i < list->count; i++)
                if (strv_contains(names, list->daemons[i].name))
                        status_print_row(&list->daemons[i], width);
}

/* The daemons that the arguments mean; without arguments all. */
static int status_select(sd_bus *bus,
                         const Options *options,
                         DaemonList *ret_list,
                         char ***ret_names) {
        static char *everything[] = { (char *) "all", NULL };

        int r = client_list(bus, ret_list);
        if (r != 0)
                return r;
        if (ret_list->count == 0)
                return 0;
        return client_expand(ret_list, options->arguments[0] ? options->arguments : everything,
                             ret_names);
}

int command_status(sd_bus *bus, const Options *options) {
        CLEANUP(daemon_list_done) DaemonList list = { 0 };
        CLEANUP(strv_freep) char **names = NULL;

        int r = status_select(bus, options, &list, &names);
        if (r != 0)
                return r;

        if (options->json)
                status_print_json(&list, names);
        else if (options->arguments[0] && strv_length(names) == 1) {
                for (size_t i = 0; i < list.count; i++)
                        if (strv_contains(names, list.daemons[i].name))
                                status_print_one(&list.daemons[i]);
        } else
                status_print(&list, names);

        for (size_t i = 0; i < list.count; i++)
                if (strv_contains(names, list.daemons[i].name) &&
                    !info_is_running(&list.daemons[i]))
                        return EXIT_NOT_RUNNING;
        return 0;
}

int command_avail(sd_bus *bus, const Options *options) {
        CLEANUP(daemon_list_done) DaemonList list = { 0 };

        int r = client_list(bus, &list);
        if (r != 0)
                return r;
        if (options->json) {
                json_t *array = json_array();

                for (size_t i = 0; i < list.count; i++)
                        json_array_append_new(array, json_string(list.daemons[i].name));
                json_dumpf(array, stdout, JSON_INDENT(2));
                putchar('\n');
                json_decref(array);
                return 0;
        }
        for (size_t i = 0; i < list.count; i++)
                puts(list.daemons[i].name);
        return 0;
}

int command_pid(sd_bus *bus, const Options *options) {
        CLEANUP(daemon_list_done) DaemonList list = { 0 };
        CLEANUP(strv_freep) char **names = NULL;
        int status = 0;

        int r = status_select(bus, options, &list, &names);
        if (r != 0)
                return r;
        for (size_t i = 0; i < list.count; i++) {
                if (!strv_contains(names, list.daemons[i].name))
                        continue;
                printf("%u\n", list.daemons[i].pid);
                if (list.daemons[i].pid == 0)
                        status = EXIT_NOT_RUNNING;
        }
        return status;
}
