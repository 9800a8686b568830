/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two queues, a source that empties them one by one, and the store; see the header. */

#include "service/records.h"

#include <inttypes.h>

#include "base/error.h"
#include "base/log.h"
#include "service/record_text.h"

struct Records {
        LoopSource *writer;
        RecordStore *store;
        RecordList sequences; /* over and not written, oldest first */
        ReloadRecordList reloads;
        bool held;
};

static void records_keep(Records *records, RecordKind kind, uint64_t id, char *text_consume) {
        CLEANUP(freep) char *text = text_consume;

        if (text)
                record_store_add(records->store, kind, id, text);
        else
                log_warning("the record of %s %" PRIu64 " is lost: no memory",
                            record_kind_name(kind), id);
}

/* The next one; false: there is none. */
static bool records_write_one(Records *records) {
        CLEANUP(record_freep) Record *sequence = TAILQ_FIRST(&records->sequences);
        CLEANUP(reload_record_freep) ReloadRecord *reload = TAILQ_FIRST(&records->reloads);

        if (sequence) {
                reload = NULL; /* another time */
                TAILQ_REMOVE(&records->sequences, sequence, link);
                records_keep(records, RECORD_KIND_SEQUENCE, sequence->id,
                             record_text_of_sequence(sequence));
                return true;
        }
        if (reload) {
                TAILQ_REMOVE(&records->reloads, reload, link);
                records_keep(records, RECORD_KIND_RELOAD, reload->id,
                             record_text_of_reload(reload));
        }
        return reload != NULL;
}

static bool records_are_waiting(const Records *records) {
        return !TAILQ_EMPTY(&records->sequences) || !TAILQ_EMPTY(&records->reloads);
}

static int records_on_time(void *userdata) {
        Records *records = userdata;

        if (records->held || !records_write_one(records) || !records_are_waiting(records))
                return 0;
        return loop_defer_arm(records->writer);
}

int records_new(Loop *loop, const StateDirectory *directory, Records **ret) {
        CLEANUP(records_freep) Records *records = calloc(1, sizeof(*records));
        if (!records)
                return -ENOMEM;

        TAILQ_INIT(&records->sequences);
        TAILQ_INIT(&records->reloads);
        int r = record_store_new(directory, &records->store);
        if (r >= 0)
                r = loop_add_defer(loop, &records->writer, LOOP_RECORD, "records", records_on_time,
                                   records);
        if (r < 0)
                return r;
        *ret = TAKE(records);
        return 0;
}

Records *records_free(Records *records) {
        Record *sequence;
        ReloadRecord *reload;

        if (!records)
                return NULL;
        while ((sequence = TAILQ_FIRST(&records->sequences))) {
                TAILQ_REMOVE(&records->sequences, sequence, link);
                record_free(sequence);
        }
        while ((reload = TAILQ_FIRST(&records->reloads))) {
                TAILQ_REMOVE(&records->reloads, reload, link);
                reload_record_free(reload);
        }
        loop_source_free(records->writer);
        record_store_free(records->store);
        free(records);
        return NULL;
}

uint64_t records_take_sequence(Records *records, Record *record_consume) {
        if (!record_consume)
                return 0;
        record_consume->id = record_store_next(records->store, RECORD_KIND_SEQUENCE);
        TAILQ_INSERT_TAIL(&records->sequences, record_consume, link);
        loop_defer_arm(records->writer);
        return record_consume->id;
}

uint64_t records_take_reload(Records *records, ReloadRecord *record_consume) {
        if (!record_consume)
                return 0;
        record_consume->id = record_store_next(records->store, RECORD_KIND_RELOAD);
        TAILQ_INSERT_TAIL(&records->reloads, record_consume, link);
        loop_defer_arm(records->writer);
        return record_consume->id;
}

void records_hold(Records *records) {
        records->held = true;
}

void records_flush(Records *records) {
        while (records_write_one(records))
                ;
}

int records_list(Records *records, const RecordQuery *query, char ***ret) {
        if (!records->held)
                records_flush(records); /* who asks after its end shall find it */
        return record_store_list(records->store, query, ret);
}
