/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that do something. Most are answered when it is done: until then a Call keeps the message,
 * and with it the bus. It outlives its client, and its end is the handler that it was given for:
 * what was asked for goes on, whoever hangs up.
 */

#include <signal.h>
#include <string.h>

#include "base/strv.h"
#include "control/object.h"

struct Call {
        TAILQ_ENTRY(Call) link;
        Control *control;        /* NULL: gone */
        Client *client;          /* NULL: it hung up */
        sd_bus_message *message; /* the call */
        char **names;
        bool is_remembered; /* what it asks for is, over a restart of supervisord, … */
        bool now_only;      /* … but for this one */
};

static Call *call_free(Call *call) {
        if (!call)
                return NULL;
        if (call->control) {
                TAILQ_REMOVE(&call->control->calls, call, link);
                call->control->call_count--;
        }
        if (call->client)
                call->client->calls--;
        sd_bus_message_unref(call->message);
        strv_free(call->names);
        free(call);
        return NULL;
}

DEFINE_CLEANUP(Call, call_free)

static int call_new(Client *client, sd_bus_message *message, Call **ret, sd_bus_error *ret_error) {
        Control *control = client->control;

        if (client->calls >= CLIENT_CALLS_MAX || control->call_count >= CONTROL_CALLS_MAX)
                return sd_bus_error_set(ret_error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                        "too many calls wait for their answer already");

        Call *call = calloc(1, sizeof(*call));
        if (!call)
                return -ENOMEM;
        call->control = control;
        call->client = client;
        call->message = sd_bus_message_ref(message);
        TAILQ_INSERT_TAIL(&control->calls, call, link);
        control->call_count++;
        client->calls++;
        *ret = call;
        return 0;
}

void calls_forget_client(Control *control, const Client *client) {
        Call *call;

        TAILQ_FOREACH(call, &control->calls, link)
                if (call->client == client)
                        call->client = NULL;
}

void calls_forget_control(Control *control) {
        Call *call;

        while ((call = TAILQ_FIRST(&control->calls))) {
                TAILQ_REMOVE(&control->calls, call, link);
                call->control = NULL;
                call->client = NULL;
        }
}

/* The names of a call; there is one at least. */
static int call_read_names(sd_bus_message *message, char ***ret, sd_bus_error *ret_error) {
        CLEANUP(strv_freep) char **names = NULL;

        int r = sd_bus_message_read_strv(message, &names);
        if (r < 0)
                return r;
        if (strv_length(names) == 0)
                return sd_bus_error_set(ret_error, SD_BUS_ERROR_INVALID_ARGS, "no daemon is named");
        *ret = TAKE(names);
        return 0;
}

/* Who asked for what, for the journal. */
static void call_log(const Client *client, const char *what, char *const *names) {
        CLEANUP(freep) char *list = names ? strv_join(names, ", ") : NULL;
        char who[CLIENT_WHO_MAX];

        log_info("%s%s%s asked for by %s", what, list ? " of " : "", list ? list : "",
                 client_who(client, who));
}

/* Name, state and reason of each that was named and is still there. */
static int call_append_rows(sd_bus_message *reply,
                            const Supervisor *supervisor,
                            char *const *names) {
        int r = sd_bus_message_open_container(reply, 'a', "(sss)");

        for (; r >= 0 && *names; names++) {
                const Child *child = supervisor_find(supervisor, *names);

                if (!child)
                        continue;
                r = sd_bus_message_open_container(reply, 'r', "sss");
                if (r >= 0)
                        r = sd_bus_message_append(reply, "ss", child_name(child),
                                                  daemon_state_name(child_state(child)));
                if (r >= 0)
                        r = message_append_text(reply, child_reason(child));
                if (r >= 0)
                        r = sd_bus_message_close_container(reply);
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int call_answer(sd_bus_message *message,
                       const Supervisor *supervisor,
                       char *const *names,
                       const char *remark) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

        int r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = call_append_rows(reply, supervisor, names);
        if (r >= 0 && remark)
                r = message_append_text(reply, remark);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* After an answer, whatever became of it. */
static void call_answered(const Call *call, int result) {
        if (result < 0)
                client_drop(call->client, "its answer could not be sent");
        client_update(call->client);
}

static int call_answer_canceled(const Call *call, OperationOutcome outcome) {
        return sd_bus_reply_method_errorf(call->message, CONTROL_ERROR_CANCELED,
                                          outcome == OPERATION_CALLED_OFF
                                                  ? "a thaw called it off"
                                                  : "everything is being stopped");
}

/* What could not be remembered is said, but only to who wanted it; NULL: it never is remembered. */
static const char *call_remark(const Call *call, const Supervisor *supervisor) {
        if (!call->is_remembered)
                return NULL;
        return call->now_only ? "" : supervisor_remark(supervisor);
}

static void call_on_done(void *userdata, Supervisor *supervisor, OperationOutcome outcome) {
        CLEANUP(call_freep) Call *call = userdata;

        if (!call->client)
                return;
        call_answered(call, outcome == OPERATION_DONE
                                    ? call_answer(call->message, supervisor, call->names,
                                                  call_remark(call, supervisor))
                                    : call_answer_canceled(call, outcome));
}

/* A call with names, without anything done. */
static int call_begin(Client *client,
                      sd_bus_message *message,
                      Call **ret,
                      sd_bus_error *ret_error) {
        CLEANUP(call_freep) Call *call = NULL;

        int r = client_check_full(client, ret_error);
        if (r >= 0)
                r = call_new(client, message, &call, ret_error);
        if (r >= 0)
                r = call_read_names(message, &call->names, ret_error);
        if (r < 0)
                return r;
        *ret = TAKE(call);
        return 0;
}

/* Asks the service layer; from then on the call is its handler's. */
static int call_ask(Call *call_consume,
                    RequestVerb verb,
                    const char *what,
                    OperationHandler handler,
                    sd_bus_error *ret_error) {
        CLEANUP(call_freep) Call *call = call_consume;
        Supervisor *supervisor = call->control->supervisor;
        char who[CLIENT_WHO_MAX];
        const char *name = NULL;

        int r = supervisor_request(supervisor,
                                   &(Request) {
                                           .verb = verb,
                                           .names = call->names,
                                           .now_only = call->now_only,
                                           .uid = call->client->uid,
                                           .who = client_who(call->client, who),
                                           .handler = handler,
                                           .userdata = call,
                                   },
                                   &name);
        if (r != 0)
                return refuse(supervisor, r, name, ret_error);
        call_log(call->client, what, call->names);
        call = NULL; /* its handler frees it */
        return 1;
}

static int call_request(Client *client,
                        sd_bus_message *message,
                        RequestVerb verb,
                        const char *what,
                        sd_bus_error *ret_error) {
        CLEANUP(call_freep) Call *call = NULL;
        int now_only = 0;

        int r = call_begin(client, message, &call, ret_error);
        if (r >= 0)
                r = sd_bus_message_read(message, "b", &now_only);
        if (r < 0)
                return r;
        call->is_remembered = true;
        call->now_only = now_only;
        return call_ask(TAKE(call), verb, what, call_on_done, ret_error);
}

int call_start(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        return call_request(userdata, message, REQUEST_START, "start", ret_error);
}

int call_stop(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        return call_request(userdata, message, REQUEST_STOP, "stop", ret_error);
}

int call_restart(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        return call_request(userdata, message, REQUEST_RESTART, "restart", ret_error);
}

/* Name, outcome, why, and the last words of its test or command. */
static int call_append_reload(sd_bus_message *reply, const Child *child) {
        int r = sd_bus_message_open_container(reply, 'r', "sssas");

        if (r >= 0)
                r = sd_bus_message_append(reply, "ss", child_name(child),
                                          child_reload_name(child_reload_outcome(child)));
        if (r >= 0)
                r = message_append_text(reply, child_reload_text(child));
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "s");
        for (char *const *line = child_reload_lines(child); r >= 0 && *line; line++)
                r = message_append_text(reply, *line);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int call_answer_reloads(const Call *call, const Supervisor *supervisor) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

        int r = sd_bus_message_new_method_return(call->message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sssas)");
        for (char *const *name = call->names; r >= 0 && *name; name++) {
                const Child *child = supervisor_find(supervisor, *name);

                if (child)
                        r = call_append_reload(reply, child);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static void call_on_reloaded(void *userdata, Supervisor *supervisor, OperationOutcome outcome) {
        CLEANUP(call_freep) Call *call = userdata;

        if (!call->client)
                return;
        call_answered(call, outcome == OPERATION_DONE ? call_answer_reloads(call, supervisor)
                                                      : call_answer_canceled(call, outcome));
}

int call_reload_daemons(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        Call *call = NULL;

        int r = call_begin(userdata, message, &call, ret_error);
        return r < 0 ? r
                     : call_ask(call, REQUEST_RELOAD, "own reload", call_on_reloaded, ret_error);
}

static int call_pause(Client *client,
                      sd_bus_message *message,
                      bool drain,
                      sd_bus_error *ret_error) {
        CLEANUP(call_freep) Call *call = NULL;
        Supervisor *supervisor = client->control->supervisor;
        const char *name = NULL;
        char who[CLIENT_WHO_MAX];

        int r = call_begin(client, message, &call, ret_error);
        if (r < 0)
                return r;
        r = supervisor_pause(supervisor,
                             &(PauseRequest) {
                                     .who = client_who(client, who),
                                     .drain = drain,
                                     .names = call->names,
                                     .handler = call_on_done,
                                     .userdata = call,
                             },
                             &name);
        if (r != 0)
                return refuse(supervisor, r, name, ret_error);
        call_log(client, drain ? "drain" : "freeze", call->names);
        call = NULL; /* its handler frees it */
        return 1;
}

int call_freeze(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        return call_pause(userdata, message, false, ret_error);
}

int call_drain(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        return call_pause(userdata, message, true, ret_error);
}

/* Done at once, and so it is answered. */
int call_thaw(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        CLEANUP(strv_freep) char **names = NULL;
        Client *client = userdata;
        Supervisor *supervisor = client->control->supervisor;
        const char *name = NULL;

        int r = client_check_full(client, ret_error);
        if (r >= 0)
                r = call_read_names(message, &names, ret_error);
        if (r < 0)
                return r;
        r = supervisor_thaw(supervisor, names, &name);
        if (r != 0)
                return refuse(supervisor, r, name, ret_error);
        call_log(client, "thaw", names);
        r = call_answer(message, supervisor, names, NULL);
        return r < 0 ? r : 1;
}

static int call_append_verdict(sd_bus_message *reply,
                               ReloadVerdict verdict,
                               const char *text,
                               const Diag *diag) {
        int r = message_append_text(reply, reload_verdict_name(verdict));

        if (r >= 0)
                r = message_append_text(reply, text);
        return r < 0 ? r : message_append_findings(reply, diag);
}

static void call_on_verdict(void *userdata,
                            ReloadVerdict verdict,
                            const char *text,
                            const Diag *diag) {
        CLEANUP(call_freep) Call *call = userdata;
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

        if (!call->client)
                return;
        int r = sd_bus_message_new_method_return(call->message, &reply);
        if (r >= 0)
                r = call_append_verdict(reply, verdict, text, diag);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        call_answered(call, r);
}

int call_reload(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        CLEANUP(call_freep) Call *call = NULL;
        Client *client = userdata;
        Supervisor *supervisor = client->control->supervisor;
        char who[CLIENT_WHO_MAX];

        int r = client_check_full(client, ret_error);
        if (r < 0)
                return r;
        if (mode_is_stopping(supervisor_mode(supervisor)))
                return refuse(supervisor, REQUEST_E_BUSY, NULL, ret_error);
        r = call_new(client, message, &call, ret_error);
        if (r >= 0)
                r = reload_request(supervisor, client_who(client, who), call_on_verdict, call);
        if (r < 0)
                return r;
        call_log(client, "reload", NULL);
        call = NULL; /* its handler frees it */
        return 1;
}

/* All of them can be signalled, or none is. */
static int call_check_signal(const Supervisor *supervisor,
                             char *const *names,
                             sd_bus_error *ret_error) {
        for (; *names; names++) {
                const Child *child = supervisor_find(supervisor, *names);

                if (!child)
                        return refuse(supervisor, REQUEST_E_UNKNOWN, *names, ret_error);
                if (child_main_pid(child) <= 0)
                        return refuse(supervisor, REQUEST_E_NO_PROCESS, *names, ret_error);
        }
        return 0;
}

int call_signal(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        CLEANUP(strv_freep) char **names = NULL;
        Client *client = userdata;
        Supervisor *supervisor = client->control->supervisor;
        int signo = 0;

        int r = client_check_full(client, ret_error);
        if (r >= 0)
                r = call_read_names(message, &names, ret_error);
        if (r >= 0)
                r = sd_bus_message_read(message, "i", &signo);
        if (r < 0)
                return r;
        if (signo < 1 || signo > SIGRTMAX)
                return sd_bus_error_setf(ret_error, SD_BUS_ERROR_INVALID_ARGS, "%d is no signal",
                                         signo);
        r = call_check_signal(supervisor, names, ret_error);
        if (r < 0)
                return r;

        call_log(client, "signal", names);
        for (char **name = names; *name; name++)
                if (supervisor_signal(supervisor, *name, signo) != 0)
                        return sd_bus_error_setf(ret_error, CONTROL_ERROR_NO_PROCESS,
                                                 "%s has ended in the meantime", *name);
        return sd_bus_reply_method_return(message, NULL);
}

/* Answered before: what the stop cancels, and its own end, come after. */
int call_shutdown(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        Client *client = userdata;
        char who[CLIENT_WHO_MAX];
        int fast = 0;

        int r = client_check_full(client, ret_error);
        if (r >= 0)
                r = sd_bus_message_read(message, "b", &fast);
        if (r >= 0)
                r = sd_bus_reply_method_return(message, NULL);
        if (r < 0)
                return r;
        call_log(client, fast ? "fast stop" : "stop", NULL);
        supervisor_stop(client->control->supervisor, fast, client_who(client, who));
        return 1;
}
