/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking: status, avail, pid. */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/strv.h"
#include "command.h"
#include "control/names.h"
#include "json.h"
#include "progress.h"
#include "rows.h"
#include "terminal.h"

static bool info_is_running(const DaemonInfo *info) {
        return strcmp(info->state, "running") == 0 || strcmp(info->state, "done") == 0;
}

static Row status_row(const DaemonInfo *info) {
        return (Row){
                .name = info->name,
                .state = info->state,
                .pending = info->pending,
                .pid = info->pid,
                .since = info->since,
                .reason = info->reason,
                .status = info->status,
                .paused = info->paused,
                .deadline = info->deadline,
        };
}

/* "sick, 3 failed in a row, last 2 s ago: 127.0.0.1:80 does not accept a connection" */
static void status_print_health(const HealthInfo *health, usec_t now) {
        bool bad = health->failures > 0, sick = strcmp(health->verdict, "sick") == 0;
        char elapsed[DURATION_TEXT_MAX];

        if (health->verdict[0] == '\0')
                return;
        printf("    health    %s%s%s", sick ? terminal_colour(TERMINAL_RED) : "", health->verdict,
               sick ? terminal_colour(TERMINAL_PLAIN) : "");
        if (bad)
                printf(", %u failed in a row", health->failures);
        if (health->looked > 0)
                printf(", last looked at %s ago",
                       format_elapsed(elapsed, usec_sub(now, health->looked)));
        printf("%s%s\n", bad ? ": " : "", health->text);
}

/* What was found out about it; nothing if supervisord is too old to tell, or it is gone. */
static char **status_assumed(sd_bus *bus, const char *name) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        char **lines = NULL;

        int r = sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, "Describe", NULL,
                                   &reply, "s", name);
        if (r < 0 || sd_bus_message_read_strv(reply, &lines) < 0)
                return NULL;
        return lines;
}

static void status_print_assumed(sd_bus *bus, const char *name) {
        CLEANUP(strv_freep) char **lines = status_assumed(bus, name);

        for (char **line = lines; line && *line; line++)
                printf("    %-9s %s\n", line == lines ? "assumed" : "", *line);
}

static void status_print_one(const DaemonInfo *info) {
        char elapsed[DURATION_TEXT_MAX], left[PROGRESS_LEFT_MAX];
        Row row = status_row(info);
        usec_t now = clock_now();

        printf("%s%s%s\n", terminal_colour(TERMINAL_BOLD), info->name,
               terminal_colour(TERMINAL_PLAIN));
        printf("    state     %s%s%s for %s%s\n", terminal_colour(row_colour(&row)),
               row_state(&row), terminal_colour(TERMINAL_PLAIN),
               format_elapsed(elapsed, usec_sub(now, info->since)),
               info->paused ? ", by an operator" : "");
        if (info->deadline > 0)
                printf("    deadline  %s\n", progress_left(left, info->deadline, now));
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
                printf("    %-9s %s\n", row_is_draining(&row) ? "work" : "says", info->status);
        status_print_health(&info->health, now);
        if (info->reason[0] != '\0')
                printf("    reason    %s\n", info->reason);
}

static json_t *status_json_strings(char *const *vector) {
        json_t *array = json_array();

        for (; vector && *vector; vector++)
                json_array_append_new(array, json_string(*vector));
        return array;
}

static json_t *status_json_health(const HealthInfo *health, usec_t now) {
        if (health->verdict[0] == '\0')
                return json_null();
        return json_pack("{s:s, s:o, s:i, s:s}", "verdict", health->verdict, "looked_seconds",
                         health->looked > 0
                                 ? json_real((double) usec_sub(now, health->looked) / USEC_PER_SEC)
                                 : json_null(),
                         "failures", (int) health->failures, "text", health->text);
}

/* Each is a call of its own and a walk through its processes: only of those that are named. */
static json_t *status_json_assumed(sd_bus *bus, const char *name) {
        CLEANUP(strv_freep) char **lines = bus ? status_assumed(bus, name) : NULL;

        return bus ? status_json_strings(lines) : json_null();
}

static json_t *status_json(sd_bus *bus, const DaemonInfo *info) {
        usec_t now = clock_now();

        return json_pack(
                "{s:s, s:s, s:b, s:i, s:f, s:f, s:s, s:s, s:o, s:b, s:f, s:o, s:o}", "name",
                info->name, "state", info->state, "waiting", info->pending, "pid", (int) info->pid,
                "state_seconds", (double) usec_sub(now, info->since) / USEC_PER_SEC,
                "started_seconds",
                info->started > 0 ? (double) usec_sub(now, info->started) / USEC_PER_SEC : 0.0,
                "reason", info->reason, "status", info->status, "requires",
                status_json_strings(info->requires), "by_operator", info->paused, "left_seconds",
                (double) usec_sub(info->deadline, now) / USEC_PER_SEC, "health",
                status_json_health(&info->health, now), "assumed",
                status_json_assumed(bus, info->name));
}

static void status_print_json(sd_bus *bus, const DaemonList *list) {
        json_t *array = json_array();

        for (size_t i = 0; i < list->count; i++)
                if (list->daemons[i].selected)
                        json_array_append_new(array, status_json(bus, &list->daemons[i]));
        json_print(array);
        json_decref(array);
}

/* The daemons that the arguments mean; without arguments all. */
static int status_select(sd_bus *bus, const Options *options, DaemonList *ret_list) {
        static char *everything[] = { (char *) "all", NULL };

        int r = client_list(bus, ret_list);
        if (r != 0)
                return r;
        if (ret_list->count == 0)
                return 0;
        return client_select(ret_list, options->arguments[0] ? options->arguments : everything,
                             NULL);
}

/* The selected ones. */
static int status_print(const DaemonList *list) {
        CLEANUP(rows_done) Rows rows = { 0 };
        size_t width = 0;

        for (size_t i = 0; i < list->count; i++)
                if (list->daemons[i].selected)
                        width = MAX_OF(width, strlen(list->daemons[i].name));
        rows_begin(&rows, width);
        for (size_t i = 0; i < list->count; i++)
                if (list->daemons[i].selected) {
                        Row row = status_row(&list->daemons[i]);

                        rows_add(&rows, &row);
                }
        return rows_print(&rows);
}

static size_t status_count_selected(const DaemonList *list, const DaemonInfo **ret_one) {
        size_t count = 0;

        for (size_t i = 0; i < list->count; i++)
                if (list->daemons[i].selected) {
                        *ret_one = &list->daemons[i];
                        count++;
                }
        return count;
}

static int status_exit(const DaemonList *list) {
        for (size_t i = 0; i < list->count; i++)
                if (list->daemons[i].selected && !info_is_running(&list->daemons[i]))
                        return EXIT_NOT_RUNNING;
        return 0;
}

int command_status(sd_bus *bus, const Options *options) {
        CLEANUP(daemon_list_done) DaemonList list = { 0 };
        const DaemonInfo *one = NULL;

        int r = status_select(bus, options, &list);
        if (r != 0)
                return r;
        if (!options->json && (!options->arguments[0] || status_count_selected(&list, &one) != 1))
                return status_print(&list);
        if (options->json)
                status_print_json(options->arguments[0] ? bus : NULL, &list);
        else
                status_print_one(one);
        if (!options->json)
                status_print_assumed(bus, one->name);
        return status_exit(&list);
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
                json_print(array);
                json_decref(array);
                return 0;
        }
        for (size_t i = 0; i < list.count; i++)
                puts(list.daemons[i].name);
        return 0;
}

int command_pid(sd_bus *bus, const Options *options) {
        CLEANUP(daemon_list_done) DaemonList list = { 0 };
        int status = 0;

        int r = status_select(bus, options, &list);
        if (r != 0)
                return r;
        for (size_t i = 0; i < list.count; i++) {
                if (!list.daemons[i].selected)
                        continue;
                printf("%u\n", list.daemons[i].pid);
                if (list.daemons[i].pid == 0)
                        status = EXIT_NOT_RUNNING;
        }
        return status;
}
