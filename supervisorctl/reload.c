/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration: reload, plan, check. */

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/strv.h"
#include "command.h"
#include "config/load.h"
#include "connect.h"
#include "control/names.h"
#include "json.h"
#include "terminal.h"
#include "wait.h"

static json_t *reload_json_strings(char *const *vector) {
        json_t *array = json_array();

        for (; vector && *vector; vector++)
                json_array_append_new(array, json_string(*vector));
        return array;
}

static void reload_print_findings(char *const *findings) {
        for (; findings && *findings; findings++)
                fprintf(stderr, "%s\n", *findings);
}

static void reload_print_json(json_t *object) {
        json_print(object);
        json_decref(object);
}

int command_reload(sd_bus *bus, const Options *options) {
        CLEANUP(sd_bus_message_donep) sd_bus_message *call = NULL;
        CLEANUP(sd_bus_message_donep) sd_bus_message *reply = NULL;
        CLEANUP(strv_freep) char **findings = NULL;
        const char *verdict, *text;

        if (options->arguments[0])
                return operate_reload(bus, options);
        int r = sd_bus_message_new_method_call(bus, &call, NULL, CONTROL_PATH, CONTROL_INTERFACE,
                                               "Reload");
        if (r < 0)
                return client_explain(NULL, r);
        r = wait_call(bus, call, options->timeout, &reply);
        if (r != 0 || !reply)
                return r;
        r = sd_bus_message_read(reply, "ss", &verdict, &text);
        if (r >= 0)
                r = sd_bus_message_read_strv(reply, &findings);
        if (r < 0)
                return client_explain(NULL, r);

        /*
         * one that a stop broke off has not failed: systemd would take that for the stop's outcome
         */
        bool good = strcmp(verdict, "applied") == 0 || strcmp(verdict, "nothing-changed") == 0 ||
                    strcmp(verdict, "canceled") == 0;
        if (options->json)
                reload_print_json(json_pack("{s:s, s:s, s:o}", "verdict", verdict, "text", text,
                                            "findings", reload_json_strings(findings)));
        else {
                reload_print_findings(findings);
                fprintf(good ? stdout : stderr, "%s: %s\n", verdict, text);
        }
        return good ? 0 : EXIT_FAILED;
}

/* Findings, validity and entries of a plan. */
static int reload_call_plan(sd_bus *bus,
                            sd_bus_message **ret_reply,
                            char ***ret_findings,
                            bool *ret_valid) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int valid = 0;

        int r = sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, "Plan", &error,
                                   ret_reply, "");
        if (r >= 0)
                r = sd_bus_message_read_strv(*ret_reply, ret_findings);
        if (r >= 0)
                r = sd_bus_message_read(*ret_reply, "b", &valid);
        if (r >= 0)
                r = sd_bus_message_enter_container(*ret_reply, 'a', "(sss)");
        if (r < 0)
                return client_explain(&error, r);
        *ret_valid = valid;
        return 0;
}

static const char *plan_colour(const char *action) {
        if (strcmp(action, "keep") == 0)
                return TERMINAL_GREY;
        return strcmp(action, "stop") == 0 ? TERMINAL_RED : TERMINAL_YELLOW;
}

int command_plan(sd_bus *bus, const Options *options) {
        CLEANUP(sd_bus_message_donep) sd_bus_message *reply = NULL;
        CLEANUP(strv_freep) char **findings = NULL;
        const char *name, *action, *reason;
        bool valid;

        int r = reload_call_plan(bus, &reply, &findings, &valid);
        if (r != 0)
                return r;

        json_t *entries = json_array();
        if (!options->json)
                reload_print_findings(findings);
        while ((r = sd_bus_message_read(reply, "(sss)", &name, &action, &reason)) > 0) {
                if (options->json)
                        json_array_append_new(entries,
                                              json_pack("{s:s, s:s, s:s}", "name", name, "action",
                                                        action, "reason", reason));
                else
                        printf("%s%-8s%s %s: %s\n", terminal_colour(plan_colour(action)), action,
                               terminal_colour(TERMINAL_PLAIN), name, reason);
        }
        if (options->json)
                reload_print_json(json_pack("{s:b, s:o, s:O}", "valid", valid, "findings",
                                            reload_json_strings(findings), "entries", entries));
        json_decref(entries);
        if (r < 0)
                return client_explain(NULL, r);
        return valid ? 0 : EXIT_FAILED;
}

static int check_tell(const Options *options, char **findings, bool valid) {
        if (options->json)
                reload_print_json(json_pack("{s:b, s:o}", "valid", valid, "findings",
                                            reload_json_strings(findings)));
        else {
                reload_print_findings(findings);
                puts(valid ? "the configuration is valid" : "the configuration is invalid");
        }
        return valid ? 0 : EXIT_FAILED;
}

static int check_by_supervisor(sd_bus *bus, const Options *options) {
        CLEANUP(sd_bus_message_donep) sd_bus_message *reply = NULL;
        CLEANUP(strv_freep) char **findings = NULL;
        bool valid;

        int r = reload_call_plan(bus, &reply, &findings, &valid);
        return r != 0 ? r : check_tell(options, findings, valid);
}

static int check_take_findings(const Diag *diag, char ***ret) {
        for (size_t i = 0; i < diag_count(diag); i++) {
                CLEANUP(freep) char *text = finding_text(diag_get(diag, i));
                int r = text ? strv_append(ret, text) : -ENOMEM;

                if (r < 0)
                        return r;
        }
        return 0;
}

/* As the supervisord that is to be started will read it. */
static int check_alone(const Options *options) {
        CLEANUP(diag_freep) Diag *diag = NULL;
        CLEANUP(config_unrefp) Config *config = NULL;
        CLEANUP(strv_freep) char **findings = NULL;

        int r = diag_new(&diag);
        if (r >= 0)
                r = config_load(options->config, diag, &config);
        bool valid = r == 0;
        if (r >= 0)
                r = check_take_findings(diag, &findings);
        if (r < 0) {
                fprintf(stderr, "supervisorctl: cannot read %s: %s\n", options->config,
                        strerror(-r));
                return EXIT_FAILED;
        }
        if (!options->json)
                fprintf(stderr, "no supervisord runs with it; this is how one would read %s\n",
                        options->config);
        return check_tell(options, findings, valid);
}

/* Whether nobody can be asked; not where a socket was named: that one shall answer. */
static bool check_is_alone(const Options *options, sd_bus **ret_bus) {
        CLEANUP(diag_freep) Diag *diag = NULL;
        CLEANUP(freep) char *path = NULL;
        int r = -ENOENT;

        if (options->socket || diag_new(&diag) < 0)
                return false;
        path = connect_find_socket(options, diag);
        if (path)
                r = connect_open(path, ret_bus);
        return r == -ENOENT || r == -ECONNREFUSED;
}

int command_check(sd_bus *none, const Options *options) {
        CLEANUP(sd_bus_closep) sd_bus *bus = NULL;
        int r = 0;

        (void) none;
        if (check_is_alone(options, &bus))
                return check_alone(options);
        if (!bus)
                r = connect_to_supervisor(options, &bus);
        return r != 0 ? r : check_by_supervisor(bus, options);
}
