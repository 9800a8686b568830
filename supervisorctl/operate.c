/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steering: start, stop, restart, the daemons' own reloads, signal, shutdown. */

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strv.h"
#include "command.h"
#include "control/names.h"
#include "wait.h"

/* Appends the names that the arguments mean to the call. */
static int operate_add_names(sd_bus *bus, sd_bus_message *call, char *const *arguments) {
        CLEANUP(daemon_list_done) DaemonList list = { 0 };
        CLEANUP(freep) const char **names = NULL;

        int r = client_list(bus, &list);
        if (r == 0)
                r = client_select(&list, arguments, &names);
        if (r != 0)
                return r;
        r = sd_bus_message_append_strv(call, (char **) names);
        return r < 0 ? client_explain(NULL, r) : 0;
}

static int operate_new_call(sd_bus *bus, const char *member, sd_bus_message **ret) {
        int r = sd_bus_message_new_method_call(bus, ret, NULL, CONTROL_PATH, CONTROL_INTERFACE,
                                               member);

        return r < 0 ? client_explain(NULL, r) : 0;
}

/*
 * Reads name, state and reason of each daemon named, and what is to be said besides; whether all
 * are in the state that was wanted.
 */
static int operate_tell(sd_bus_message *reply, const char *wanted, bool json) {
        json_t *array = json_array();
        const char *name, *state, *reason, *remark;
        int status = 0;

        int r = sd_bus_message_enter_container(reply, 'a', "(sss)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(sss)", &name, &state, &reason)) > 0) {
                bool good = strcmp(state, wanted) == 0;

                if (!good)
                        status = EXIT_FAILED;
                if (json)
                        json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:b}", "name", name,
                                                               "state", state, "reason", reason,
                                                               "ok", good));
                else
                        fprintf(good ? stdout : stderr, "%s: %s%s%s\n", name, state,
                                reason[0] != '\0' ? ": " : "", reason);
        }
        if (json) {
                json_dumpf(array, stdout, JSON_INDENT(2));
                putchar('\n');
        }
        json_decref(array);
        if (r >= 0)
                r = sd_bus_message_exit_container(reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "s", &remark);
        if (r < 0)
                return client_explain(NULL, r);
        if (remark[0] != '\0')
                fprintf(stderr, "supervisorctl: warning: %s\n", remark);
        return status;
}

/* A call with the daemons that are named. */
static int operate_begin(sd_bus *bus,
                         const Options *options,
                         const char *member,
                         sd_bus_message **ret_call) {
        int r = operate_new_call(bus, member, ret_call);

        return r != 0 ? r : operate_add_names(bus, *ret_call, options->arguments);
}

/* Sends it; 0 without a reply if there is none to be waited for, or not any longer. */
static int operate_send(sd_bus *bus,
                        const Options *options,
                        sd_bus_message *call,
                        sd_bus_message **ret_reply) {
        if (!options->no_wait)
                return wait_call(bus, call, options->timeout, ret_reply);

        int r = sd_bus_message_set_expect_reply(call, 0);
        if (r >= 0)
                r = sd_bus_send(bus, call, NULL);
        return r < 0 ? client_explain(NULL, r) : 0;
}

static int operate(sd_bus *bus, const Options *options, const char *member, const char *wanted) {
        CLEANUP(sd_bus_message_donep) sd_bus_message *call = NULL;
        CLEANUP(sd_bus_message_donep) sd_bus_message *reply = NULL;

        int r = operate_begin(bus, options, member, &call);
        if (r != 0)
                return r;
        if (sd_bus_message_append(call, "b", (int) options->now_only) < 0)
                return client_explain(NULL, -ENOMEM);
        r = operate_send(bus, options, call, &reply);
        return r != 0 || !reply ? r : operate_tell(reply, wanted, options->json);
}

/* What came of the own reload of one daemon; whether it was good. 1: it was read, 0: no more. */
static int operate_read_reload(sd_bus_message *reply, json_t *array, bool *ret_good) {
        CLEANUP(strv_freep) char **lines = NULL;
        const char *name, *outcome, *text;

        int r = sd_bus_message_enter_container(reply, 'r', "sssas");
        if (r <= 0)
                return r;
        r = sd_bus_message_read(reply, "sss", &name, &outcome, &text);
        if (r >= 0)
                r = sd_bus_message_read_strv(reply, &lines);
        if (r >= 0)
                r = sd_bus_message_exit_container(reply);
        if (r < 0)
                return r;

        *ret_good = strcmp(outcome, "reloaded") == 0;
        if (array) {
                json_t *output = json_array();

                for (char **line = lines; line && *line; line++)
                        json_array_append_new(output, json_string(*line));
                json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:o, s:b}", "name", name,
                                                       "outcome", outcome, "reason", text, "output",
                                                       output, "ok", *ret_good));
                return 1;
        }
        fprintf(*ret_good ? stdout : stderr, "%s: %s%s%s\n", name, outcome,
                text[0] != '\0' ? ": " : "", text);
        for (char **line = lines; line && *line && !*ret_good; line++)
                fprintf(stderr, "        %s\n", *line);
        return 1;
}

static int operate_tell_reloads(sd_bus_message *reply, bool json) {
        json_t *array = json ? json_array() : NULL;
        bool good = true, all_good = true;

        int r = sd_bus_message_enter_container(reply, 'a', "(sssas)");
        while (r >= 0 && (r = operate_read_reload(reply, array, &good)) > 0)
                all_good = all_good && good;
        if (array) {
                json_dumpf(array, stdout, JSON_INDENT(2));
                putchar('\n');
                json_decref(array);
        }
        if (r < 0)
                return client_explain(NULL, r);
        return all_good ? 0 : EXIT_FAILED;
}

int operate_reload(sd_bus *bus, const Options *options) {
        CLEANUP(sd_bus_message_donep) sd_bus_message *call = NULL;
        CLEANUP(sd_bus_message_donep) sd_bus_message *reply = NULL;

        int r = operate_begin(bus, options, "ReloadDaemons", &call);
        if (r == 0)
                r = operate_send(bus, options, call, &reply);
        return r != 0 || !reply ? r : operate_tell_reloads(reply, options->json);
}

int command_start(sd_bus *bus, const Options *options) {
        return operate(bus, options, "Start", "running");
}

int command_stop(sd_bus *bus, const Options *options) {
        return operate(bus, options, "Stop", "stopped");
}

int command_restart(sd_bus *bus, const Options *options) {
        return operate(bus, options, "Restart", "running");
}

int command_signal(sd_bus *bus, const Options *options) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(sd_bus_message_donep) sd_bus_message *call = NULL;
        int signo;

        if (parse_signal(options->arguments[0], &signo) != 0) {
                fprintf(stderr, "supervisorctl: '%s' is no signal; write HUP, USR1, 15, …\n",
                        options->arguments[0]);
                return EXIT_USAGE;
        }
        int r = operate_new_call(bus, "Signal", &call);
        if (r == 0)
                r = operate_add_names(bus, call, options->arguments + 1);
        if (r != 0)
                return r;

        r = sd_bus_message_append(call, "i", signo);
        if (r >= 0)
                r = sd_bus_call(bus, call, 0, &error, NULL);
        return r < 0 ? client_explain(&error, r) : 0;
}

int command_shutdown(sd_bus *bus, const Options *options) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

        (void) options;
        int r = sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, "Shutdown", &error,
                                   NULL, "b", 0);
        return r < 0 ? client_explain(&error, r) : 0;
}
