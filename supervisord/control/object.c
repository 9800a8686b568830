/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interface on the bus, and what only looks. Nothing blocks but Plan(), which reads files. */

#include "control/object.h"

#include <string.h>

#include "base/strv.h"
#include "control/table.h"
#include "control/text.h"

int message_append_text(sd_bus_message *message, const char *text) {
        CLEANUP(freep) char *copy = NULL;

        if (text_is_valid(text))
                return sd_bus_message_append_basic(message, 's', text);
        copy = strdup(text);
        if (!copy)
                return -ENOMEM;
        text_repair(copy);
        return sd_bus_message_append_basic(message, 's', copy);
}

uint64_t message_deadline(const Supervisor *supervisor, const Child *child) {
        usec_t deadline = supervisor_deadline(supervisor, child);

        return deadline == USEC_INFINITY ? 0 : deadline;
}

static int object_append_health(sd_bus_message *message, const Child *child) {
        ChildHealth health;

        child_health(child, &health);
        int r = sd_bus_message_open_container(message, 'r', "stus");
        if (r >= 0)
                r = sd_bus_message_append(message, "stu", health.verdict, health.looked,
                                          health.failures);
        if (r >= 0)
                r = message_append_text(message, health.text);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int object_append_child(sd_bus_message *message,
                               const Supervisor *supervisor,
                               const Child *child) {
        int r = sd_bus_message_open_container(message, 'r', CONTROL_DAEMON);

        if (r >= 0)
                r = sd_bus_message_append(message, "ssbutt", child_name(child),
                                          daemon_state_name(child_state(child)),
                                          (int) supervisor_is_pending(supervisor, child),
                                          (uint32_t) child_main_pid(child),
                                          child_state_since(child), child_started(child));
        if (r >= 0)
                r = message_append_text(message, child_reason(child));
        if (r >= 0)
                r = message_append_text(message, child_status(child));
        if (r >= 0)
                r = sd_bus_message_append_strv(message, child_config(child)->requires);
        if (r >= 0)
                r = sd_bus_message_append(message, "bt", (int) child_is_paused(child),
                                          message_deadline(supervisor, child));
        if (r >= 0)
                r = object_append_health(message, child);
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int object_list_daemons(sd_bus_message *call, void *userdata, sd_bus_error *ret_error) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Client *client = userdata;
        const Supervisor *supervisor = client->control->supervisor;
        size_t count = supervisor_count(supervisor);

        (void) ret_error;
        int r = sd_bus_message_new_method_return(call, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(" CONTROL_DAEMON ")");
        for (size_t i = 0; r >= 0 && i < count; i++)
                r = object_append_child(reply, supervisor, supervisor_child(supervisor, i));
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(client->bus, reply, NULL);
}

/* The table as it is now; NULL: no memory. */
static const Buffer *object_table(Control *control) {
        uint64_t work = loop_work(control->loop);

        if (control->table_holds && control->table_work == work)
                return &control->table;
        buffer_clear(&control->table);
        table_add(&control->table, control->supervisor);
        control->table_work = work;
        control->table_holds = !control->table.failed;
        return control->table_holds ? &control->table : NULL;
}

static int object_status_table(sd_bus_message *call, void *userdata, sd_bus_error *ret_error) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Client *client = userdata;
        const Supervisor *supervisor = client->control->supervisor;
        const Buffer *table = object_table(client->control);
        char *space;

        (void) ret_error;
        int r = table ? sd_bus_message_new_method_return(call, &reply) : -ENOMEM;
        if (r >= 0)
                r = message_append_text(reply, supervisor_config_path(supervisor));
        /* not as a string: sd-bus would look at each of its characters again */
        if (r >= 0)
                r = sd_bus_message_append_string_space(reply, table->length, &space);
        if (r < 0)
                return r;
        memcpy(space, table->data, table->length);
        return sd_bus_send(client->bus, reply, NULL);
}

int message_append_findings(sd_bus_message *message, const Diag *diag) {
        size_t count = diag ? diag_count(diag) : 0;
        int r = sd_bus_message_open_container(message, 'a', "s");

        for (size_t i = 0; r >= 0 && i < count; i++) {
                CLEANUP(freep) char *text = finding_text(diag_get(diag, i));

                r = text ? message_append_text(message, text) : -ENOMEM;
        }
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int object_append_plan(sd_bus_message *message, const RequestPlan *plan) {
        size_t count = plan->plan ? plan->plan->count : 0;
        int r = sd_bus_message_open_container(message, 'a', "(sss)");

        for (size_t i = 0; r >= 0 && i < count; i++) {
                const PlanEntry *entry = &plan->plan->entries[i];
                CLEANUP(freep) char *reason = plan_entry_reason(plan->diff, entry);

                r = reason ? sd_bus_message_open_container(message, 'r', "sss") : -ENOMEM;
                if (r >= 0)
                        r = sd_bus_message_append(message, "ss", entry->diff->name,
                                                  plan_action_name(entry->action));
                if (r >= 0)
                        r = message_append_text(message, reason);
                if (r >= 0)
                        r = sd_bus_message_close_container(message);
        }
        return r < 0 ? r : sd_bus_message_close_container(message);
}

static int object_plan(sd_bus_message *call, void *userdata, sd_bus_error *ret_error) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        CLEANUP(request_plan_freep) RequestPlan *plan = NULL;
        const Client *client = userdata;

        int r = client_check_full(client, ret_error);
        if (r >= 0)
                r = supervisor_plan(client->control->supervisor, &plan);
        if (r >= 0)
                r = sd_bus_message_new_method_return(call, &reply);
        if (r >= 0)
                r = message_append_findings(reply, plan->diag);
        if (r >= 0)
                r = sd_bus_message_append(reply, "b", (int) (diag_errors(plan->diag) == 0));
        if (r >= 0)
                r = object_append_plan(reply, plan);
        return r < 0 ? r : sd_bus_send(client->bus, reply, NULL);
}

/* The kind that a word means; false: none. */
static bool object_parse_kind(const char *word, RecordKind *ret) {
        for (RecordKind kind = 0; kind < RECORD_KIND_MAX_; kind++)
                if (strcmp(word, record_kind_name(kind)) == 0) {
                        *ret = kind;
                        return true;
                }
        return false;
}

/* One long answer at a time: they wait for the client in our memory. */
static int object_read_query(sd_bus_message *call,
                             const Client *client,
                             RecordQuery *ret,
                             sd_bus_error *ret_error) {
        RecordQuery query = { .bytes = CLIENT_RECORDS_MAX, .full = client->level == ACCESS_FULL };
        const char *kind;
        uint32_t limit;

        int r = sd_bus_message_read(call, "stu", &kind, &query.before, &limit);
        if (r < 0)
                return r;
        if (!object_parse_kind(kind, &query.kind))
                return sd_bus_error_set(ret_error, SD_BUS_ERROR_INVALID_ARGS,
                                        "there are records of the kinds sequence and reload");
        if (client->queued > 0)
                return sd_bus_error_set(ret_error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                        "earlier answers have not been read yet");
        query.limit = limit;
        *ret = query;
        return 0;
}

static int object_list_records(sd_bus_message *call, void *userdata, sd_bus_error *ret_error) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        CLEANUP(strv_freep) char **texts = NULL;
        const Client *client = userdata;
        RecordQuery query;

        int r = object_read_query(call, client, &query, ret_error);
        if (r < 0)
                return r;
        r = supervisor_list_records(client->control->supervisor, &query, &texts);
        if (r >= 0)
                r = sd_bus_message_new_method_return(call, &reply);
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, texts); /* plain ASCII */
        return r < 0 ? r : sd_bus_send(client->bus, reply, NULL);
}

static int object_get(sd_bus *bus,
                      const char *path,
                      const char *interface,
                      const char *property,
                      sd_bus_message *reply,
                      void *userdata,
                      sd_bus_error *ret_error) {
        const Client *client = userdata;
        const Supervisor *supervisor = client->control->supervisor;
        char digest[CONFIG_DIGEST_MAX];

        (void) bus;
        (void) path;
        (void) interface;
        (void) ret_error;
        if (strcmp(property, "Version") == 0)
                return message_append_text(reply, PACKAGE_VERSION);
        if (strcmp(property, "Mode") == 0)
                return message_append_text(reply, mode_name(supervisor_mode(supervisor)));
        if (strcmp(property, "Status") == 0)
                return message_append_text(reply, supervisor_status(supervisor));
        if (strcmp(property, "ConfigFile") == 0)
                return message_append_text(reply, supervisor_config_path(supervisor));
        if (strcmp(property, "ConfigDigest") == 0) {
                config_digest(supervisor_config(supervisor), digest);
                return message_append_text(reply, digest);
        }
        return sd_bus_message_append(reply, "t", (uint64_t) supervisor_count(supervisor));
}

static int object_describe(sd_bus_message *call, void *userdata, sd_bus_error *ret_error) {
        CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        CLEANUP(strv_freep) char **lines = NULL;
        const Client *client = userdata;
        const Supervisor *supervisor = client->control->supervisor;
        const char *name;

        int r = sd_bus_message_read(call, "s", &name);
        if (r < 0)
                return r;
        const Child *child = supervisor_find(supervisor, name);
        if (!child)
                return refuse(supervisor, REQUEST_E_UNKNOWN, name, ret_error);
        r = child_assumptions(child, &lines);
        if (r >= 0)
                r = sd_bus_message_new_method_return(call, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "s");
        for (char **line = lines; r >= 0 && *line; line++)
                r = message_append_text(reply, *line);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(client->bus, reply, NULL);
}

#define STEER  SD_BUS_ARGS("as", names, "b", now_only)
#define RESULT SD_BUS_RESULT("a(sss)", daemons, "s", remark)
#define NAMES  SD_BUS_ARGS("as", names)
#define ROWS   SD_BUS_RESULT("a(sss)", daemons)
/* sd-bus itself would let in nobody but root; who may what is ours to decide. */
#define EVERYBODY SD_BUS_VTABLE_UNPRIVILEGED

static const sd_bus_vtable object_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("ListDaemons", SD_BUS_NO_ARGS,
                                SD_BUS_RESULT("a(" CONTROL_DAEMON ")", daemons),
                                object_list_daemons, EVERYBODY),
        SD_BUS_METHOD_WITH_ARGS("StatusTable", SD_BUS_NO_ARGS,
                                SD_BUS_RESULT("s", config_file, "s", table), object_status_table,
                                EVERYBODY),
        SD_BUS_METHOD_WITH_ARGS("Describe", SD_BUS_ARGS("s", name), SD_BUS_RESULT("as", lines),
                                object_describe, EVERYBODY),
        SD_BUS_METHOD_WITH_ARGS("ListRecords", SD_BUS_ARGS("s", kind, "t", before, "u", limit),
                                SD_BUS_RESULT("as", records), object_list_records, EVERYBODY),
        SD_BUS_METHOD_WITH_ARGS("Plan", SD_BUS_NO_ARGS,
                                SD_BUS_RESULT("as", findings, "b", valid, "a(sss)", daemons),
                                object_plan, EVERYBODY),
        SD_BUS_METHOD_WITH_ARGS("Start", STEER, RESULT, call_start, EVERYBODY),
        SD_BUS_METHOD_WITH_ARGS("Stop", STEER, RESULT, call_stop, EVERYBODY),
        SD_BUS_METHOD_WITH_ARGS("Restart", STEER, RESULT, call_restart, EVERYBODY),
        SD_BUS_METHOD_WITH_ARGS("Freeze", NAMES, ROWS, call_freeze, EVERYBODY),
        SD_BUS_METHOD_WITH_ARGS("Drain", NAMES, ROWS, call_drain, EVERYBODY),
        SD_BUS_METHOD_WITH_ARGS("Thaw", NAMES, ROWS, call_thaw, EVERYBODY),
        SD_BUS_METHOD_WITH_ARGS("Signal", SD_BUS_ARGS("as", names, "i", signo), SD_BUS_NO_RESULT,
                                call_signal, EVERYBODY),
        SD_BUS_METHOD_WITH_ARGS("ReloadDaemons", SD_BUS_ARGS("as", names),
                                SD_BUS_RESULT("a(sssas)", daemons), call_reload_daemons, EVERYBODY),
        SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS,
                                SD_BUS_RESULT("s", verdict, "s", text, "as", findings),
                                call_reload, EVERYBODY),
        SD_BUS_METHOD_WITH_ARGS("Shutdown", SD_BUS_ARGS("b", fast), SD_BUS_NO_RESULT,
                                call_shutdown, EVERYBODY),
        SD_BUS_PROPERTY("Version", "s", object_get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Mode", "s", object_get, 0, 0),
        SD_BUS_PROPERTY("Status", "s", object_get, 0, 0),
        SD_BUS_PROPERTY("ConfigFile", "s", object_get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("ConfigDigest", "s", object_get, 0, 0),
        SD_BUS_PROPERTY("DaemonCount", "t", object_get, 0, 0),
        SD_BUS_SIGNAL_WITH_ARGS("DaemonChanged",
                                SD_BUS_ARGS("s", name, "s", state, "u", main_pid, "s", reason, "s",
                                            status, "t", deadline),
                                0),
        SD_BUS_SIGNAL_WITH_ARGS("StatusChanged", SD_BUS_ARGS("s", status), 0),
        SD_BUS_SIGNAL_WITH_ARGS("SetChanged", SD_BUS_NO_ARGS, 0),
        SD_BUS_VTABLE_END,
};

int object_add(Client *client) {
        return sd_bus_add_object_vtable(client->bus, NULL, CONTROL_PATH, CONTROL_INTERFACE,
                                        object_vtable, client);
}
