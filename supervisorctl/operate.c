/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steering: by name, by signal, and the end of all. */

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strv.h"
#include "command.h"
#include "control/names.h"
#include "json.h"
#include "wait.h"

/* What can be asked of daemons by name. */
typedef struct Verb Verb;
struct Verb {
        const char *member;        /* of the bus */
        const char *const *wanted; /* the states in which it is done, … */
        bool reason_is_older;      /* … also with a reason, which then is not about this */
        bool is_remembered;        /* over a restart of supervisord, unless it is --now-only */
        const Verb *then;          /* to be asked of those that it leaves in another state */
        const char *const *meant;  /* the states of those that a pattern means; NULL: all */
        const char *nobody;        /* what none of them is if a pattern means nobody */
        bool is_relied_on;         /* by what comes next: no success unless it is done */
        const char *hint;          /* for who does not wait for its end; NULL: none */
};

#define STATES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define OUT         "freezing", "frozen", "draining", "drained", "ended"

static const Verb verb_start = {
        .member = "Start",
        .wanted = STATES("running", "done"),
        .is_remembered = true,
};
static const Verb verb_restart = {
        .member = "Restart",
        .wanted = STATES("running", "done"),
        .is_remembered = true,
};
static const Verb verb_stop = {
        .member = "Stop",
        .wanted = STATES("stopped"),
        .reason_is_older = true,
        .is_remembered = true,
};
static const Verb verb_signal = { .member = "Signal" };
static const Verb verb_reload = { .member = "ReloadDaemons" };
static const Verb verb_freeze = {
        .member = "Freeze",
        .wanted = STATES("frozen", "drained"),
        .meant = STATES("running", OUT),
        .nobody = "is running",
        .is_relied_on = true,
};
static const Verb verb_drain = {
        .member = "Drain",
        .wanted = STATES("drained", "ended"),
        .meant = STATES("running", OUT),
        .nobody = "is running",
        .is_relied_on = true,
        .hint = "The drain goes on; 'supervisorctl status' shows how far it is, "
                "'supervisorctl thaw' calls it off.",
};
static const Verb verb_thaw = {
        .member = "Thaw",
        .wanted = STATES("running"),
        .then = &verb_start, /* it had ended, and is started anew */
        .meant = STATES(OUT),
        .nobody = "is frozen or drained",
};

static bool operate_is_among(const char *const *states, const char *state) {
        for (; *states; states++)
                if (strcmp(*states, state) == 0)
                        return true;
        return false;
}

static const char *operate_state(const DaemonList *list, const char *name) {
        for (size_t i = 0; i < list->count; i++)
                if (list->daemons[i].name == name)
                        return list->daemons[i].state;
        return "";
}

/* Whether a daemon that the arguments mean is one that the verb is for; who is named always is. */
static bool operate_is_meant(const DaemonList *list,
                             const Verb *verb,
                             char *const *arguments,
                             const char *name) {
        return !verb->meant || strv_contains(arguments, name) ||
               operate_is_among(verb->meant, operate_state(list, name));
}

/* Whom the arguments mean. */
static int operate_names(sd_bus *bus, const Verb *verb, char *const *arguments, char ***ret) {
        CLEANUP(daemon_list_done) DaemonList list = { 0 };
        CLEANUP(freep) const char **all = NULL;
        CLEANUP(strv_freep) char **names = NULL;

        int r = client_list(bus, &list);
        if (r == 0)
                r = client_select(&list, arguments, &all);
        if (r != 0)
                return r;
        for (const char **name = all; *name; name++)
                if (operate_is_meant(&list, verb, arguments, *name) &&
                    strv_append(&names, *name) < 0)
                        return client_explain(NULL, -ENOMEM);
        if (!names) {
                fprintf(stderr, "supervisorctl: none of these daemons %s\n", verb->nobody);
                return EXIT_FAILED;
        }
        *ret = TAKE(names);
        return 0;
}

static int operate_new_call(sd_bus *bus,
                            const Verb *verb,
                            char *const *names,
                            bool now_only,
                            sd_bus_message **ret) {
        int r = sd_bus_message_new_method_call(bus, ret, NULL, CONTROL_PATH, CONTROL_INTERFACE,
                                               verb->member);

        if (r >= 0)
                r = sd_bus_message_append_strv(*ret, (char **) names);
        if (r >= 0 && verb->is_remembered)
                r = sd_bus_message_append(*ret, "b", (int) now_only);
        return r < 0 ? client_explain(NULL, r) : 0;
}

static int operate_on_refusal(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        sd_bus_message **refusal = userdata;

        (void) error;
        if (sd_bus_message_is_method_error(message, NULL) > 0)
                *refusal = sd_bus_message_ref(message);
        return 0;
}

static int operate_explain_error(sd_bus_message *reply) {
        const sd_bus_error *error = sd_bus_message_get_error(reply);
        int r = sd_bus_error_get_errno(error);

        return client_explain(error, r > 0 ? -r : -EIO);
}

/*
 * Does not wait for the outcome, but for the answer to a question after it: what is refused is
 * refused before that.
 */
static int operate_send(sd_bus *bus,
                        const Options *options,
                        const Verb *verb,
                        char *const *names) {
        CLEANUP(sd_bus_message_donep) sd_bus_message *call = NULL;
        CLEANUP(sd_bus_message_donep) sd_bus_message *refusal = NULL;
        CLEANUP(freep) char *mode = NULL;

        int r = operate_new_call(bus, verb, names, options->now_only, &call);
        if (r != 0)
                return r;
        r = sd_bus_call_async(bus, NULL, call, operate_on_refusal, &refusal, UINT64_MAX);
        if (r < 0)
                return client_explain(NULL, r);
        mode = client_property(bus, "Mode");
        if (!mode)
                return EXIT_FAILED;
        do
                r = sd_bus_process(bus, NULL);
        while (r > 0);
        return refusal ? operate_explain_error(refusal) : 0;
}

/* Why it is not remembered, if that was wanted and is so. */
static int operate_read_remark(sd_bus_message *reply) {
        const char *remark;

        int r = sd_bus_message_read(reply, "s", &remark);
        if (r < 0)
                return r;
        if (remark[0] != '\0')
                fprintf(stderr, "supervisorctl: warning: %s\n", remark);
        return 0;
}

/* Name, state and reason of each daemon, as objects for --json. */
static int operate_read(sd_bus_message *reply, const Verb *verb, json_t *rows) {
        const char *name, *state, *reason;

        int r = sd_bus_message_enter_container(reply, 'a', "(sss)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(sss)", &name, &state, &reason)) > 0) {
                bool good = operate_is_among(verb->wanted, state) &&
                            (reason[0] == '\0' || verb->reason_is_older);

                json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:b}", "name", name, "state",
                                                      state, "reason", reason, "ok", good));
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(reply);
        if (r >= 0 && verb->is_remembered)
                r = operate_read_remark(reply);
        return r < 0 ? client_explain(NULL, r) : 0;
}

/* Asks, and waits for the rows. */
static int operate_ask(sd_bus *bus,
                       const Options *options,
                       const Verb *verb,
                       char *const *names,
                       json_t *rows) {
        CLEANUP(sd_bus_message_donep) sd_bus_message *call = NULL;
        CLEANUP(sd_bus_message_donep) sd_bus_message *reply = NULL;

        int r = operate_new_call(bus, verb, names, options->now_only, &call);
        if (r != 0)
                return r;
        r = wait_call(bus, call, options->timeout, &reply);
        if (r == 0 && !reply && verb->is_relied_on)
                r = EXIT_TIMEOUT;
        if (r == EXIT_TIMEOUT && verb->hint)
                fprintf(stderr, "%s\n", verb->hint);
        return r != 0 || !reply ? r : operate_read(reply, verb, rows);
}

static const char *operate_member(const json_t *row, const char *name) {
        return json_string_value(json_object_get(row, name));
}

/* Takes the rows out of those that are in no state that was wanted; *ret: their names. */
static int operate_take_late(json_t *rows, const Verb *verb, char ***ret) {
        CLEANUP(strv_freep) char **names = NULL;

        for (size_t i = 0; i < json_array_size(rows);) {
                const json_t *row = json_array_get(rows, i);

                if (operate_is_among(verb->wanted, operate_member(row, "state"))) {
                        i++;
                        continue;
                }
                if (strv_append(&names, operate_member(row, "name")) < 0)
                        return client_explain(NULL, -ENOMEM);
                json_array_remove(rows, i);
        }
        *ret = TAKE(names);
        return 0;
}

/* Nothing of this is to be remembered: they had not been stopped. */
static int operate_go_on(sd_bus *bus, const Options *options, const Verb *verb, json_t *rows) {
        CLEANUP(strv_freep) char **late = NULL;
        Options then = *options;

        then.now_only = true;
        int r = operate_take_late(rows, verb, &late);
        return r != 0 || !late ? r : operate_ask(bus, &then, verb->then, late, rows);
}

/* Says what became of each; whether all are as they should be. */
static int operate_tell(const json_t *rows, bool json) {
        int status = 0;
        const json_t *row;
        size_t i;

        json_array_foreach(rows, i, row) {
                bool good = json_is_true(json_object_get(row, "ok"));
                const char *reason = operate_member(row, "reason");

                if (!good)
                        status = EXIT_FAILED;
                if (!json)
                        fprintf(good ? stdout : stderr, "%s: %s%s%s\n", operate_member(row, "name"),
                                operate_member(row, "state"), reason[0] != '\0' ? ": " : "",
                                reason);
        }
        if (json && json_array_size(rows) > 0) {
                json_print(rows);
        }
        return status;
}

static int operate(sd_bus *bus, const Options *options, const Verb *verb) {
        CLEANUP(strv_freep) char **names = NULL;

        int r = operate_names(bus, verb, options->arguments, &names);
        if (r != 0)
                return r;
        if (options->no_wait)
                return operate_send(bus, options, verb, names);

        json_t *rows = json_array();
        r = operate_ask(bus, options, verb, names, rows);
        if (r == 0 && verb->then)
                r = operate_go_on(bus, options, verb, rows);
        if (r == 0)
                r = operate_tell(rows, options->json);
        json_decref(rows);
        return r;
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
                json_print(array);
                json_decref(array);
        }
        if (r < 0)
                return client_explain(NULL, r);
        return all_good ? 0 : EXIT_FAILED;
}

int operate_reload(sd_bus *bus, const Options *options) {
        CLEANUP(strv_freep) char **names = NULL;
        CLEANUP(sd_bus_message_donep) sd_bus_message *call = NULL;
        CLEANUP(sd_bus_message_donep) sd_bus_message *reply = NULL;

        int r = operate_names(bus, &verb_reload, options->arguments, &names);
        if (r != 0)
                return r;
        if (options->no_wait)
                return operate_send(bus, options, &verb_reload, names);
        r = operate_new_call(bus, &verb_reload, names, false, &call);
        if (r == 0)
                r = wait_call(bus, call, options->timeout, &reply);
        return r != 0 || !reply ? r : operate_tell_reloads(reply, options->json);
}

int command_start(sd_bus *bus, const Options *options) {
        return operate(bus, options, &verb_start);
}

int command_stop(sd_bus *bus, const Options *options) {
        return operate(bus, options, &verb_stop);
}

int command_restart(sd_bus *bus, const Options *options) {
        return operate(bus, options, &verb_restart);
}

int command_freeze(sd_bus *bus, const Options *options) {
        return operate(bus, options, &verb_freeze);
}

int command_drain(sd_bus *bus, const Options *options) {
        return operate(bus, options, &verb_drain);
}

int command_thaw(sd_bus *bus, const Options *options) {
        return operate(bus, options, &verb_thaw);
}

int command_signal(sd_bus *bus, const Options *options) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(strv_freep) char **names = NULL;
        CLEANUP(sd_bus_message_donep) sd_bus_message *call = NULL;
        int signo;

        if (parse_signal(options->arguments[0], &signo) != 0) {
                fprintf(stderr, "supervisorctl: '%s' is no signal; write HUP, USR1, 15, …\n",
                        options->arguments[0]);
                return EXIT_USAGE;
        }
        int r = operate_names(bus, &verb_signal, options->arguments + 1, &names);
        if (r == 0)
                r = operate_new_call(bus, &verb_signal, names, false, &call);
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
