/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The names are read once, at the begin; from then on it is known what there is. Reading and
 * writing may block where the file system does.
 */

#include "service/record_store.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/strv.h"
#include "service/record_text.h"

#define STORE_FOLDER   "records"
#define STORE_SUFFIX   ".json"
#define STORE_HALF     STORE_SUFFIX ".new" /* what file_replace() leaves if it is killed */
#define STORE_DIGITS   15
#define STORE_ID_MAX   INT64_C(900000000000000) /* above it a name is none of ours */
#define STORE_NAME_MAX 64

typedef struct StoreEntry {
        uint64_t id;
        char *text; /* it is in memory only; NULL: it is in its file */
        bool bad;   /* the file holds no such record */
} StoreEntry;

typedef struct StoreList {
        StoreEntry entries[RECORD_KEEP]; /* oldest first */
        size_t count;
        uint64_t last; /* the newest id there ever was */
} StoreList;

struct RecordStore {
        const StateDirectory *directory;
        StoreList lists[RECORD_KIND_MAX_];
        bool failed; /* the last one could not be written; logged */
};

const char *record_kind_name(RecordKind kind) {
        static const char *const names[] = {
                [RECORD_KIND_SEQUENCE] = "sequence",
                [RECORD_KIND_RELOAD] = "reload",
        };
        static_assert(ELEMENTSOF(names) == RECORD_KIND_MAX_, "every kind has a name");
        return names[kind];
}

static const char *store_name(char buffer[static STORE_NAME_MAX], RecordKind kind, uint64_t id) {
        snprintf(buffer, STORE_NAME_MAX, STORE_FOLDER "/%s-%0*" PRIu64 STORE_SUFFIX,
                 record_kind_name(kind), STORE_DIGITS, id);
        return buffer;
}

static void store_remove(const RecordStore *store, const char *name) {
        int r = state_directory_remove(store->directory, name);

        if (r < 0)
                log_warning("cannot remove %s/%s: %s", state_directory_path(store->directory), name,
                            strerror(-r));
}

/* The oldest one goes. */
static void store_drop_oldest(RecordStore *store, RecordKind kind) {
        StoreList *list = &store->lists[kind];
        char name[STORE_NAME_MAX];

        if (!list->entries[0].text)
                store_remove(store, store_name(name, kind, list->entries[0].id));
        free(list->entries[0].text);
        list->count--;
        memmove(list->entries, list->entries + 1, list->count * sizeof(list->entries[0]));
}

/* Puts it in its place by id; of too many the oldest one goes, which may be itself. */
static void store_insert(RecordStore *store, RecordKind kind, StoreEntry entry) {
        StoreList *list = &store->lists[kind];
        size_t place = list->count;
        char name[STORE_NAME_MAX];

        if (list->count == RECORD_KEEP && entry.id < list->entries[0].id) {
                store_remove(store, store_name(name, kind, entry.id));
                return;
        }
        if (list->count == RECORD_KEEP) {
                store_drop_oldest(store, kind);
                place--;
        }
        while (place > 0 && list->entries[place - 1].id > entry.id)
                place--;
        memmove(list->entries + place + 1, list->entries + place,
                (list->count - place) * sizeof(list->entries[0]));
        list->entries[place] = entry;
        list->count++;
        list->last = MAX_OF(list->last, entry.id);
}

/* "sequence-000000000000042", with nothing behind it but `suffix`; *ret is its id. */
static bool store_parse_name(const char *name, RecordKind kind, const char *suffix, int64_t *ret) {
        size_t length = strlen(record_kind_name(kind)) + 1;
        char digits[STORE_DIGITS + 1];

        if (strncmp(name, record_kind_name(kind), length - 1) != 0 || name[length - 1] != '-' ||
            strlen(name) != length + STORE_DIGITS + strlen(suffix) ||
            strcmp(name + length + STORE_DIGITS, suffix) != 0)
                return false;
        memcpy(digits, name + length, STORE_DIGITS);
        digits[STORE_DIGITS] = '\0';
        return strspn(digits, "0123456789") == STORE_DIGITS &&
               parse_int(digits, 1, STORE_ID_MAX, ret) == 0;
}

/* Whatever else lies there is left alone. */
static void store_on_name(void *userdata, const char *name) {
        RecordStore *store = userdata;
        int64_t id;

        for (RecordKind kind = 0; kind < RECORD_KIND_MAX_; kind++) {
                char half[STORE_NAME_MAX];

                if (store_parse_name(name, kind, STORE_SUFFIX, &id))
                        store_insert(store, kind, (StoreEntry){ .id = (uint64_t) id });
                if (!store_parse_name(name, kind, STORE_HALF, &id))
                        continue;
                snprintf(half, sizeof(half), STORE_FOLDER "/%s", name);
                store_remove(store, half);
        }
}

static void store_warn(RecordStore *store, const char *why) {
        if (store->failed)
                return;
        store->failed = true;
        log_write(LOG_WARNING, &(LogContext){ .message = MESSAGE_STATE_LOST },
                  "cannot keep records in %s/" STORE_FOLDER
                  " (%s): the last ones are known until supervisord ends",
                  state_directory_path(store->directory), why);
}

int record_store_new(const StateDirectory *directory, RecordStore **ret) {
        RecordStore *store = calloc(1, sizeof(*store));
        if (!store)
                return -ENOMEM;

        store->directory = directory;
        if (directory) {
                int r = state_directory_make(directory, STORE_FOLDER);
                if (r == 0)
                        r = state_directory_each(directory, STORE_FOLDER, store_on_name, store);
                if (r < 0)
                        store_warn(store, strerror(-r));
        }
        *ret = store;
        return 0;
}

RecordStore *record_store_free(RecordStore *store) {
        if (!store)
                return NULL;
        for (RecordKind kind = 0; kind < RECORD_KIND_MAX_; kind++)
                for (size_t i = 0; i < store->lists[kind].count; i++)
                        free(store->lists[kind].entries[i].text);
        free(store);
        return NULL;
}

uint64_t record_store_next(RecordStore *store, RecordKind kind) {
        return ++store->lists[kind].last;
}

/* In its file; false: that did not work. */
static bool store_write(RecordStore *store, RecordKind kind, uint64_t id, const char *text) {
        char name[STORE_NAME_MAX];

        if (!store->directory) /* which was said already */
                return false;
        int r = state_directory_write_soon(store->directory, store_name(name, kind, id), text,
                                           strlen(text));
        if (r < 0) {
                store_warn(store, strerror(-r));
                return false;
        }
        store->failed = false;
        return true;
}

void record_store_add(RecordStore *store, RecordKind kind, uint64_t id, const char *text) {
        StoreEntry entry = { .id = id };

        if (!store_write(store, kind, id, text)) {
                entry.text = strlen(text) <= RECORD_MEMORY_MAX ? strdup(text) : NULL;
                if (!entry.text) {
                        log_warning("the record of %s %" PRIu64 " is lost: it is too large to be "
                                    "kept in memory",
                                    record_kind_name(kind), id);
                        return;
                }
        }
        store_insert(store, kind, entry);
}

static void store_note_bad(const RecordStore *store, const char *name, StoreEntry *entry) {
        entry->bad = true;
        log_write(LOG_WARNING, &(LogContext){ .message = MESSAGE_STATE_LOST },
                  "%s/%s is no record that supervisord wrote, it is left out",
                  state_directory_path(store->directory), name);
}

/* *ret is NULL if there is nothing to show. */
static int store_read(const RecordStore *store,
                      const RecordQuery *query,
                      StoreEntry *entry,
                      char **ret) {
        CLEANUP(freep) char *text = NULL;
        char name[STORE_NAME_MAX];
        size_t size;

        *ret = NULL;
        if (entry->bad)
                return 0;
        if (entry->text)
                return record_text_check(entry->text, strlen(entry->text), query->kind, entry->id,
                                         query->full, ret);

        store_name(name, query->kind, entry->id);
        int r = state_directory_read(store->directory, name, RECORD_SIZE_MAX, &text, &size);
        if (r == -ENOMEM || r == FILE_E_MISSING) /* somebody took it away */
                return r == FILE_E_MISSING ? 0 : r;
        if (r == 0)
                r = record_text_check(text, size, query->kind, entry->id, query->full, ret);
        if (r == -ENOMEM)
                return r;
        if (r != 0)
                store_note_bad(store, name, entry);
        return 0;
}

int record_store_list(RecordStore *store, const RecordQuery *query, char ***ret) {
        CLEANUP(strv_freep) char **texts = NULL;
        StoreList *list = &store->lists[query->kind];
        size_t bytes = 0, count = 0;

        for (size_t i = list->count; i-- > 0 && count < query->limit;) {
                CLEANUP(freep) char *text = NULL;

                if (query->before > 0 && list->entries[i].id >= query->before)
                        continue;
                int r = store_read(store, query, &list->entries[i], &text);
                if (r < 0)
                        return r;
                if (!text)
                        continue;
                bytes += strlen(text);
                if (count > 0 && bytes > query->bytes)
                        break;
                r = strv_append(&texts, text);
                if (r < 0)
                        return r;
                count++;
        }
        *ret = TAKE(texts);
        return 0;
}
