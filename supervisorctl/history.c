/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happened before: the records of sequences and reloads. */

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/parse.h"
#include "base/strv.h"
#include "command.h"
#include "control/names.h"
#include "json.h"
#include "terminal.h"

#define HISTORY_ALL     1000 /* more than there are */
#define HISTORY_INDENT  "      "
#define HISTORY_VISIBLE 1024

/* ---- asking ---- */

static int history_call(
        sd_bus *bus, const char *kind, uint64_t before, uint32_t limit, char ***ret) {
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        CLEANUP(sd_bus_message_donep) sd_bus_message *reply = NULL;

        int r = sd_bus_call_method(bus, NULL, CONTROL_PATH, CONTROL_INTERFACE, "ListRecords",
                                   &error, &reply, "stu", kind, before, limit);
        if (r >= 0)
                r = sd_bus_message_read_strv(reply, ret);
        return r < 0 ? client_explain(&error, r) : 0;
}

/* Adds them to the list; *ret_last is the id of the last one. */
static int history_add(json_t *list, char *const *texts, uint64_t *ret_last) {
        for (; texts && *texts; texts++) {
                json_t *record = json_loads(*texts, 0, NULL);

                if (json_array_append_new(list, record) != 0)
                        return client_explain(NULL, -EBADMSG);
                *ret_last = (uint64_t) json_integer_value(json_object_get(record, "id"));
        }
        return 0;
}

/* Long ones come in several answers. */
static int history_fetch(sd_bus *bus, const char *kind, size_t limit, json_t *list) {
        uint64_t before = 0;

        while (json_array_size(list) < limit) {
                CLEANUP(strv_freep) char **texts = NULL;

                int r = history_call(bus, kind, before,
                                     (uint32_t) (limit - json_array_size(list)), &texts);
                if (r == 0)
                        r = history_add(list, texts, &before);
                if (r != 0 || strv_length(texts) == 0)
                        return r;
        }
        return 0;
}

/* ---- showing ---- */

/* A member that is a text; "" for none. Whoever wrote it, it does no harm to a terminal. */
static const char *history_text(const json_t *object,
                                const char *key,
                                char buffer[static HISTORY_VISIBLE]) {
        const char *text = json_string_value(json_object_get(object, key));

        return format_visible(buffer, HISTORY_VISIBLE, text ? text : "");
}

static uint64_t history_number(const json_t *object, const char *key) {
        json_int_t number = json_integer_value(json_object_get(object, key));

        return number > 0 ? (uint64_t) number : 0;
}

static const char *history_colour(const char *result) {
        static const char *const good[] = { "done", "applied", "nothing-changed" };

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                if (strcmp(result, good[i]) == 0)
                        return TERMINAL_GREEN;
        return strcmp(result, "hurried") == 0 || strcmp(result, "canceled") == 0 ? TERMINAL_YELLOW
                                                                                 : TERMINAL_RED;
}

/* "  12  2026-11-26 12:37:23  0.06 s      done             " */
static void history_print_head(const json_t *record, const char *result) {
        const json_t *begin = json_object_get(record, "begin");
        const json_t *end = json_object_get(record, "end");
        usec_t from = history_number(begin, "monotonic"), to = history_number(end, "monotonic");
        time_t when = (time_t) (history_number(begin, "realtime") / USEC_PER_SEC);
        char date[32] = "?", elapsed[DURATION_TEXT_MAX];
        struct tm local;

        if (localtime_r(&when, &local))
                strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &local);
        printf("%4" PRIu64 "  %s  %-10s  %s%-15s%s  ", history_number(record, "id"), date,
               format_elapsed(elapsed, usec_sub(to, from)),
               terminal_colour(history_colour(result)), result, terminal_colour(TERMINAL_PLAIN));
}

/* Of a daemon in a phase or of its start; "": it had no part in it. */
static const char *history_outcome(const json_t *daemon, const char *part) {
        const char *outcome =
                json_string_value(json_object_get(json_object_get(daemon, part), "outcome"));

        return outcome ? outcome : "";
}

/* Whether a daemon was cut short in that phase. */
static bool history_is_cut(const json_t *daemon, const char *phase) {
        static const char *const cuts[] = { "forced", "failed", "stuck" };

        for (size_t i = 0; i < ELEMENTSOF(cuts); i++)
                if (strcmp(history_outcome(daemon, phase), cuts[i]) == 0)
                        return true;
        return false;
}

/* "      forced: db (drain, cleanup), web (freeze)" */
static void history_print_forced(const json_t *record) {
        static const char *const phases[] = { "freeze", "drain", "cleanup" };
        const char *separator = HISTORY_INDENT "forced: ";
        char name[HISTORY_VISIBLE];
        const json_t *daemon;
        size_t index;

        json_array_foreach(json_object_get(record, "daemons"), index, daemon) {
                const char *inner = " (";

                for (size_t i = 0; i < ELEMENTSOF(phases); i++) {
                        if (!history_is_cut(daemon, phases[i]))
                                continue;
                        if (strcmp(inner, " (") == 0)
                                printf("%s%s", separator, history_text(daemon, "name", name));
                        printf("%s%s", inner, phases[i]);
                        inner = separator = ", ";
                }
                if (strcmp(inner, " (") != 0)
                        printf(")");
        }
        if (strcmp(separator, ", ") == 0)
                printf("\n");
}

/* "      not started: web: exited with status 1" */
static void history_print_failed(const json_t *record, const char *part, const char *what) {
        char name[HISTORY_VISIBLE], reason[HISTORY_VISIBLE];
        const json_t *daemon;
        size_t index;

        json_array_foreach(json_object_get(record, "daemons"), index, daemon) {
                const char *outcome = history_outcome(daemon, part);

                if (strcmp(outcome, "failed") != 0)
                        continue;
                history_text(daemon, "reason", reason);
                printf(HISTORY_INDENT "%s: %s%s%s\n", what, history_text(daemon, "name", name),
                       reason[0] != '\0' ? ": " : "", reason);
        }
}

/* "      of sshd 2 left-over processes live on: sshd 7, bash 9" */
static void history_print_spared(const json_t *record) {
        char name[HISTORY_VISIBLE], spared[HISTORY_VISIBLE];
        const json_t *daemon;
        size_t index;

        json_array_foreach(json_object_get(record, "daemons"), index, daemon) {
                history_text(daemon, "spared", spared);
                if (spared[0] != '\0')
                        printf(HISTORY_INDENT "of %s %s\n", history_text(daemon, "name", name),
                               spared);
        }
}

static void history_print_sequence(const json_t *record) {
        char result[HISTORY_VISIBLE], what[HISTORY_VISIBLE], who[HISTORY_VISIBLE];

        size_t count = json_array_size(json_object_get(record, "daemons"));

        history_print_head(record, history_text(record, "result", result));
        printf("%s (%zu %s), by %s\n", history_text(record, "what", what), count,
               PLURAL(count, "daemon", "daemons"), history_text(record, "who", who));
        history_print_forced(record);
        history_print_spared(record);
        history_print_failed(record, "start", "not started");
        history_print_failed(record, "reload", "not reloaded");
}

static void history_print_reload(const json_t *record) {
        char verdict[HISTORY_VISIBLE], text[HISTORY_VISIBLE], who[HISTORY_VISIBLE];
        char name[HISTORY_VISIBLE];
        const json_t *entry;
        size_t index;

        history_print_head(record, history_text(record, "verdict", verdict));
        printf("%s, by %s\n", history_text(record, "text", text), history_text(record, "who", who));
        json_array_foreach(json_object_get(record, "plan"), index, entry) {
                char action[HISTORY_VISIBLE], reason[HISTORY_VISIBLE];

                history_text(entry, "reason", reason);
                printf(HISTORY_INDENT "%s %s%s%s\n", history_text(entry, "action", action),
                       history_text(entry, "name", name), reason[0] != '\0' ? ": " : "", reason);
        }
        json_array_foreach(json_object_get(record, "findings"), index, entry)
                printf(HISTORY_INDENT "%s\n",
                       format_visible(name, sizeof(name),
                                      json_is_string(entry) ? json_string_value(entry) : ""));
}

static void history_print(const json_t *list, bool sequences, bool json) {
        const json_t *record;
        size_t index;

        if (json) {
                json_print(list);
                return;
        }
        json_array_foreach(list, index, record)
                (sequences ? history_print_sequence : history_print_reload)(record);
}

int command_history(sd_bus *bus, const Options *options) {
        const char *what = options->arguments[0] ? options->arguments[0] : "sequences";
        bool sequences = strcmp(what, "sequences") == 0;

        if (!sequences && strcmp(what, "reloads") != 0) {
                char visible[HISTORY_VISIBLE];

                fprintf(stderr,
                        "supervisorctl: there is no history of '%s'; write sequences or reloads\n",
                        format_visible(visible, sizeof(visible), what));
                return EXIT_USAGE;
        }

        json_t *list = json_array();
        int r = history_fetch(bus, sequences ? "sequence" : "reload",
                              options->number > 0 ? options->number : HISTORY_ALL, list);
        if (r == 0)
                history_print(list, sequences, options->json);
        json_decref(list);
        return r;
}
