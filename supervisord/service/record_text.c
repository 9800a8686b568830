/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The only file of supervisord that knows jansson(3). Members are put in one after the other; the
 * first that fails, which is for no memory, ends it all.
 */

#include "service/record_text.h"

#include <jansson.h>
#include <string.h>

#include "base/error.h"
#include "base/parse.h"

#define TEXT_VERSION 1
#define TEXT_FLAGS   (JSON_COMPACT | JSON_ENSURE_ASCII)

static void json_donep(json_t **value) {
        json_decref(*value);
}

static bool text_set(json_t *object, const char *key, json_t *value) {
        return json_object_set_new(object, key, value) == 0;
}

/* What a daemon or a path is called may be no UTF-8, of which JSON is made. */
static json_t *text_string(const char *text) {
        CLEANUP(freep) char *copy = NULL;
        json_t *string = json_string(text);

        if (string)
                return string;
        copy = strdup(text);
        for (char *byte = copy; byte && *byte; byte++)
                if ((unsigned char) *byte >= 0x80)
                        *byte = '?';
        return copy ? json_string(copy) : NULL;
}

static json_t *text_count(uint64_t count) {
        return json_integer((json_int_t) count);
}

static json_t *text_offset(const RecordMoment *zero, usec_t when) {
        return text_count(usec_sub(when, zero->monotonic));
}

static bool text_set_moment(json_t *object, const char *key, const RecordMoment *moment) {
        json_t *value = json_object();

        return text_set(object, key, value) &&
               text_set(value, "realtime", text_count(moment->realtime)) &&
               text_set(value, "monotonic", text_count(moment->monotonic));
}

/* What both kinds have. */
static json_t *text_begin(RecordKind kind,
                          uint64_t id,
                          const char *who,
                          const RecordMoment *begun,
                          const RecordMoment *ended) {
        json_t *object = json_object();

        if (text_set(object, "kind", text_string(record_kind_name(kind))) &&
            text_set(object, "version", text_count(TEXT_VERSION)) &&
            text_set(object, "id", text_count(id)) && text_set(object, "who", text_string(who)) &&
            text_set_moment(object, "begin", begun) && text_set_moment(object, "end", ended))
                return object;
        json_decref(object);
        return NULL;
}

/* ---- a sequence ---- */

static const char *text_result(const Record *record) {
        if (record->result == RECORD_BROKEN_OFF)
                return "canceled";
        return record->hurried > 0 ? "hurried" : "done";
}

static bool text_set_phases(json_t *object, const Record *record) {
        json_t *phases = json_object();

        if (!text_set(object, "phases", phases))
                return false;
        for (Phase i = PHASE_FREEZE; i < PHASE_MAX_; i++) {
                const RecordPhase *phase = &record->phases[i];
                json_t *value;

                if (phase->begun == 0)
                        continue;
                value = json_object();
                if (!text_set(phases, phase_name(i), value) ||
                    !text_set(value, "begin", text_offset(&record->begun, phase->begun)) ||
                    !text_set(value, "end", text_offset(&record->begun, phase->ended)) ||
                    !text_set(value, "daemons", text_count(phase->total)) ||
                    !text_set(value, "forced", text_count(phase->forced)) ||
                    !text_set(value, "skipped", text_count(phase->skipped)))
                        return false;
        }
        return true;
}

static bool text_set_span(json_t *object,
                          const char *key,
                          const RecordSpan *span,
                          const RecordMoment *zero) {
        json_t *value;

        if (span->outcome == RECORD_NONE)
                return true;
        value = json_object();
        return text_set(object, key, value) &&
               (span->begun == 0 || text_set(value, "begin", text_offset(zero, span->begun))) &&
               (span->ended == 0 || text_set(value, "end", text_offset(zero, span->ended))) &&
               text_set(value, "outcome", text_string(record_outcome_name(span->outcome)));
}

static bool text_set_signals(json_t *object, const RecordRow *row, const RecordMoment *zero) {
        json_t *signals;

        if (row->signal_count == 0)
                return true;
        signals = json_array();
        if (!text_set(object, "signals", signals))
                return false;
        for (size_t i = 0; i < row->signal_count; i++) {
                const RecordSignal *sent = &row->signals[i];
                json_t *value = json_object();
                char name[SIGNAL_TEXT_MAX];

                if (json_array_append_new(signals, value) != 0 ||
                    !text_set(value, "at", text_offset(zero, sent->when)) ||
                    !text_set(value, "signal", text_string(format_signal(name, sent->signo))) ||
                    !text_set(value, "to", text_string(sent->to_all ? "all" : "main")))
                        return false;
        }
        return true;
}

static bool text_set_in_flight(json_t *object, const RecordRow *row) {
        json_t *value;

        if (!row->measured)
                return true;
        value = json_object();
        return text_set(object, "in_flight", value) &&
               text_set(value, "first", text_count(row->in_flight_first)) &&
               text_set(value, "last", text_count(row->in_flight_last));
}

/* "a, b" as a list. */
static bool text_set_peers(json_t *object, const char *text) {
        json_t *peers = json_array();

        if (!text_set(object, "peers", peers))
                return false;
        while (*text) {
                size_t length = strcspn(text, ",");
                CLEANUP(freep) char *peer = strndup(text, length);

                if (!peer || json_array_append_new(peers, text_string(peer)) != 0)
                        return false;
                text += length;
                text += strspn(text, ", ");
        }
        return true;
}

/* The last of each kind counts. */
static bool text_set_notes(json_t *object, const Record *record, unsigned node) {
        for (size_t i = 0; i < record->note_count; i++) {
                const RecordNote *note = &record->notes[i];

                if (note->node != node)
                        continue;
                if (note->kind == RECORD_PEERS
                            ? !text_set_peers(object, note->text)
                            : !text_set(object, note->kind == RECORD_SPARED ? "spared" : "reason",
                                        text_string(note->text)))
                        return false;
        }
        return true;
}

static json_t *text_daemon(const Record *record, const RecordRow *row) {
        json_t *object = json_object();
        bool good = text_set(object, "name", text_string(record->config->daemons[row->node].name));

        for (Phase i = PHASE_FREEZE; good && i < PHASE_MAX_; i++)
                good = text_set_span(object, phase_name(i), &row->phases[i], &record->begun);
        if (good && text_set_span(object, "start", &row->start, &record->begun) &&
            text_set_span(object, "reload", &row->reload, &record->begun) &&
            text_set_signals(object, row, &record->begun) && text_set_in_flight(object, row) &&
            text_set_notes(object, record, row->node))
                return object;
        json_decref(object);
        return NULL;
}

static bool text_set_daemons(json_t *object, const Record *record) {
        json_t *forced = json_array(), *daemons = json_array();

        if (!text_set(object, "forced", forced) || !text_set(object, "daemons", daemons))
                return false;
        for (size_t i = 0; i < record->row_count; i++) {
                const RecordRow *row = &record->rows[i];
                const char *name = record->config->daemons[row->node].name;

                if (json_array_append_new(daemons, text_daemon(record, row)) != 0 ||
                    (record_row_is_cut(row) &&
                     json_array_append_new(forced, text_string(name)) != 0))
                        return false;
        }
        return true;
}

static bool text_set_hurry(json_t *object, const Record *record) {
        json_t *value;

        if (record->fast && !text_set(object, "fast", json_true()))
                return false;
        if (record->hurried == 0)
                return true;
        value = json_object();
        return text_set(object, "hurried", value) &&
               text_set(value, "at", text_offset(&record->begun, record->hurried)) &&
               text_set(value, "who", text_string(record->hurried_by));
}

/* What is too long to be kept is kept in short. */
static char *text_dump(json_t *object) {
        char *text = json_dumps(object, TEXT_FLAGS);

        if (!text || strlen(text) <= RECORD_SIZE_MAX)
                return text;
        free(text);
        (void) json_object_del(object, "daemons");
        (void) json_object_del(object, "plan");
        return text_set(object, "shortened", json_true()) ? json_dumps(object, TEXT_FLAGS) : NULL;
}

char *record_text_of_sequence(const Record *record) {
        CLEANUP(json_donep) json_t *object = text_begin(RECORD_KIND_SEQUENCE, record->id,
                                                        record->who, &record->begun,
                                                        &record->ended);

        if (object && text_set(object, "what", text_string(record->what)) &&
            text_set(object, "result", text_string(text_result(record))) &&
            text_set_hurry(object, record) && (!record->stops || text_set_phases(object, record)) &&
            text_set_daemons(object, record) &&
            (record->notes_lost == 0 ||
             text_set(object, "notes_lost", text_count(record->notes_lost))))
                return text_dump(object);
        return NULL;
}

/* ---- a reload ---- */

static bool text_set_config(json_t *object, const char *key, const RecordConfig *config) {
        json_t *value;

        if (config->digest[0] == '\0')
                return true;
        value = json_object();
        return text_set(object, key, value) &&
               text_set(value, "digest", text_string(config->digest)) &&
               text_set(value, "loaded", text_count(config->loaded));
}

static bool text_set_findings(json_t *object, const ReloadRecord *record) {
        json_t *findings = json_array();

        if (!text_set(object, "findings", findings))
                return false;
        for (char **finding = record->findings; finding && *finding; finding++)
                if (json_array_append_new(findings, text_string(*finding)) != 0)
                        return false;
        return record->findings_lost == 0 ||
               text_set(object, "findings_lost", text_count(record->findings_lost));
}

static bool text_set_plan(json_t *object, const ReloadRecord *record) {
        json_t *plan = json_array();

        if (!text_set(object, "kept", text_count(record->kept)) || !text_set(object, "plan", plan))
                return false;
        for (size_t i = 0; i < record->plan_count; i++) {
                const RecordPlanned *planned = &record->plan[i];
                json_t *value = json_object();

                if (json_array_append_new(plan, value) != 0 ||
                    !text_set(value, "name", text_string(planned->daemon)) ||
                    !text_set(value, "action", text_string(planned->action)) ||
                    !text_set(value, "reason", text_string(planned->reason)))
                        return false;
        }
        return true;
}

static bool text_set_steps(json_t *object, const ReloadRecord *record) {
        json_t *steps = json_array();

        if (!text_set(object, "steps", steps))
                return false;
        for (size_t i = 0; i < record->step_count; i++) {
                const RecordStep *step = &record->steps[i];
                json_t *value = json_object();

                if (json_array_append_new(steps, value) != 0 ||
                    !text_set(value, "name", text_string(step->name)) ||
                    !text_set(value, "begin", text_offset(&record->begun, step->begun)) ||
                    !text_set(value, "end", text_offset(&record->begun, step->ended)) ||
                    !text_set(value, "outcome",
                              text_string(record_step_outcome_name(step->outcome))) ||
                    (step->sequence > 0 &&
                     !text_set(value, "sequence", text_count(step->sequence))))
                        return false;
        }
        return true;
}

char *record_text_of_reload(const ReloadRecord *record) {
        CLEANUP(json_donep) json_t *object = text_begin(RECORD_KIND_RELOAD, record->id, record->who,
                                                        &record->begun, &record->ended);

        if (object && text_set(object, "verdict", text_string(record->verdict)) &&
            text_set(object, "text", text_string(record->text)) &&
            text_set_config(object, "before", &record->before) &&
            text_set_config(object, "after", &record->after) && text_set_steps(object, record) &&
            text_set_plan(object, record) && text_set_findings(object, record))
                return text_dump(object);
        return NULL;
}

/* ---- what comes back ---- */

static bool text_is_record(const json_t *object, RecordKind kind, uint64_t id) {
        const char *name = json_string_value(json_object_get(object, "kind"));
        const json_t *number = json_object_get(object, "id");

        return json_is_object(object) && name && strcmp(name, record_kind_name(kind)) == 0 &&
               json_is_integer(number) && json_integer_value(number) == (json_int_t) id;
}

/* Findings and reasons hold values of settings, which not everybody may see who may look. */
static void text_strip(json_t *object) {
        json_t *entry;
        size_t index;

        (void) json_object_del(object, "findings");
        json_array_foreach(json_object_get(object, "plan"), index, entry)
                (void) json_object_del(entry, "reason");
}

int record_text_check(
        const char *text, size_t size, RecordKind kind, uint64_t id, bool full, char **ret) {
        CLEANUP(json_donep) json_t *object = NULL;
        json_error_t error;

        object = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
        if (!object && json_error_code(&error) == json_error_out_of_memory)
                return -ENOMEM;
        if (!text_is_record(object, kind, id))
                return RECORD_TEXT_E_INVALID;
        if (!full)
                text_strip(object);

        char *checked = json_dumps(object, TEXT_FLAGS);
        if (!checked)
                return -ENOMEM;
        *ret = checked;
        return 0;
}
