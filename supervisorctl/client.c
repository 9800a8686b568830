/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Talking to supervisord by sd-bus, without a broker; see control/names.h for the words. */

#include "client.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/parse.h"
#include "base/strv.h"
#include "control/names.h"

#define NAME_VISIBLE_MAX 256

int client_explain(const sd_bus_error *error, int r) {
        const char *message = error && error->message ? error->message : strerror(-r);

        if (r == -ETIMEDOUT)
                message = "no answer within the time; supervisord goes on with it";
        fprintf(stderr, "supervisorctl: %s\n", message);
        if (sd_bus_error_has_name(error, CONTROL_ERROR_DENIED)) {
                fprintf(stderr, "Root may, and members of supervisor.admin_group.\n");
                return EXIT_DENIED;
        }
        if (sd_bus_error_has_name(error, CONTROL_ERROR_UNKNOWN_DAEMON))
                return EXIT_UNKNOWN;
        if (r == -ETIMEDOUT)
                return EXIT_TIMEOUT;
        if (r == -ECONNRESET || r == -ENOTCONN || r == -EPIPE)
                return EXIT_NO_SUPERVISOR;
        return EXIT_FAILED;
}

static void daemon_info_done(DaemonInfo *info) {
        free(info->name);
        free(info->state);
        free(info->reason);
        free(info->status);
        strv_free(info->requires);
        free(info->health.verdict);
        free(info->health.text);
        *info = (DaemonInfo){ 0 };
}

void daemon_list_done(DaemonList *list) {
        for (size_t i = 0; i < list->count; i++)
                daemon_info_done(&list->daemons[i]);
        free(list->daemons);
        *list = (DaemonList){ 0 };
}

static int client_read_health(sd_bus_message *reply, HealthInfo *ret) {
        const char *verdict, *text;

        int r = sd_bus_message_read(reply, "(stus)", &verdict, &ret->looked, &ret->failures, &text);
        if (r < 0)
                return r;
        ret->verdict = strdup(verdict);
        ret->text = strdup(text);
        return ret->verdict && ret->text ? 0 : -ENOMEM;
}

/* 1: one was read, 0: no more. */
static int client_read_daemon(sd_bus_message *reply, DaemonInfo *ret) {
        const char *name, *state, *reason, *status;
        DaemonInfo info = { 0 };
        int pending, paused;

        int r = sd_bus_message_enter_container(reply, 'r', CONTROL_DAEMON);
        if (r <= 0)
                return r;
        r = sd_bus_message_read(reply, "ssbuttss", &name, &state, &pending, &info.pid, &info.since,
                                &info.started, &reason, &status);
        if (r >= 0)
                r = sd_bus_message_read_strv(reply, &info.requires);
        if (r >= 0)
                r = sd_bus_message_read(reply, "bt", &paused, &info.deadline);
        if (r >= 0)
                r = client_read_health(reply, &info.health);
        if (r >= 0)
                r = sd_bus_message_exit_container(reply);
        if (r < 0) {
                daemon_info_done(&info);
                return r;
        }

        info.pending = pending;
        info.paused = paused;
        info.name = strdup(name);
        info.state = strdup(state);
        info.reason = strdup(reason);
        info.status = strdup(status);
        *ret = info;
        if (!info.name || !info.state || !info.reason || !info.status)
                return -ENOMEM;
        return 1;
}

static int client_read_list(sd_bus_message *reply, DaemonList *list) {
        size_t room = 0;

        int r = sd_bus_message_enter_container(reply, 'a', "(" CONTROL_DAEMON ")");
        while (r >= 0) {
                if (list->count == room) {
                        room = MAX_OF(2 * room, (size_t) 64);
                        DaemonInfo *more = reallocarray(list->daemons, room, sizeof(*more));
                        if (!more)
                                return -ENOMEM;
                        list->daemons = more;
                }
                list->daemons[list->count] = (DaemonInfo){ 0 };
                r = client_read_daemon(reply, &list->daemons[list->count]);
                if (r == 0)
                        return 0;
                list->count++;
        }
        return r;
}

int client_fetch_list(sd_bus *bus, sd_bus_error *ret_error, DaemonList *ret) {
        CLEANUP(sd_bus_message_donep) sd_bus_message *reply = NULL;
        CLEANUP(daemon_list_done) DaemonList list = { 0 };

        int r = sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, "ListDaemons",
                                   ret_error, &reply, "");
        if (r >= 0)
                r = client_read_list(reply, &list);
        if (r >= 0)
                *ret = TAKE(list);
        return r < 0 ? r : 0;
}

int client_list(sd_bus *bus, DaemonList *ret) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = client_fetch_list(bus, &error, ret);

        return r < 0 ? client_explain(&error, r) : 0;
}

static int client_refuse_name(const DaemonList *list, const char *name) {
        CLEANUP(freep) const char **names = calloc(list->count + 1, sizeof(*names));
        const char *nearest = NULL;
        char visible[NAME_VISIBLE_MAX];

        if (names) {
                for (size_t i = 0; i < list->count; i++)
                        names[i] = list->daemons[i].name;
                nearest = nearest_word(name, names, list->count);
        }
        format_visible(visible, sizeof(visible), name);
        if (nearest)
                fprintf(stderr, "supervisorctl: no daemon is called '%s'; did you mean '%s'?\n",
                        visible, nearest);
        else
                fprintf(stderr,
                        "supervisorctl: no daemon is called '%s'; 'supervisorctl status' lists "
                        "them\n",
                        visible);
        return EXIT_UNKNOWN;
}

/* Marks those that one argument means; they are appended to names, which has room for all. */
static int client_select_one(DaemonList *list,
                             const char *argument,
                             const char **names,
                             size_t *count) {
        const char *pattern = strcmp(argument, "all") == 0 ? "*" : argument;
        bool matched = false;

        for (size_t i = 0; i < list->count; i++) {
                DaemonInfo *info = &list->daemons[i];

                if (fnmatch(pattern, info->name, 0) != 0)
                        continue;
                matched = true;
                if (!info->selected)
                        names[(*count)++] = info->name;
                info->selected = true;
        }
        return matched ? 0 : client_refuse_name(list, argument);
}

int client_select(DaemonList *list, char *const *arguments, const char ***ret_names) {
        CLEANUP(freep) const char **names = calloc(list->count + 1, sizeof(*names));
        size_t count = 0;

        if (!names)
                return client_explain(NULL, -ENOMEM);
        for (; *arguments; arguments++) {
                int r = client_select_one(list, *arguments, names, &count);
                if (r != 0)
                        return r;
        }
        if (ret_names)
                *ret_names = TAKE(names);
        return 0;
}

int client_fetch_property(sd_bus *bus, const char *name, sd_bus_error *ret_error, char **ret) {
        return sd_bus_get_property_string(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, name,
                                          ret_error, ret);
}

char *client_property(sd_bus *bus, const char *name) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        char *value = NULL;

        int r = client_fetch_property(bus, name, &error, &value);
        if (r < 0)
                (void) client_explain(&error, r);
        return value;
}
