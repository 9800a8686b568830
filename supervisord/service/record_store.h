/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Where records are kept: the last ones of each kind, a file for each, in the state directory. What
 * cannot be written is kept in memory as long as this run lasts. Nothing here fails for its caller:
 * a loss is logged, once as long as it lasts.
 *
 *         records/sequence-000000000000042.json
 *         records/reload-000000000000007.json
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "sys/statedir.h"

typedef enum RecordKind {
        RECORD_KIND_SEQUENCE,
        RECORD_KIND_RELOAD,
        RECORD_KIND_MAX_,
} RecordKind;

const char *record_kind_name(RecordKind kind); /* "sequence" */

#define RECORD_KEEP       32             /* of each kind */
#define RECORD_SIZE_MAX   (4u << 20)     /* bytes of one */
#define RECORD_MEMORY_MAX (256u << 10)   /* … that is kept in memory */

typedef struct RecordStore RecordStore;

/*
 * Looks which records there are and takes away what is too old, or was left half-written by a
 * supervisord that was killed. The directory is borrowed; NULL: there is none. 0 or -ENOMEM.
 */
int record_store_new(const StateDirectory *directory, RecordStore **ret);
RecordStore *record_store_free(RecordStore *store);
DEFINE_CLEANUP(RecordStore, record_store_free)

/* The id of the next record of that kind: one more than that of any before. */
uint64_t record_store_next(RecordStore *store, RecordKind kind);

/* Keeps a text under an id that is newer than all others; the oldest one of its kind goes. */
void record_store_add(RecordStore *store, RecordKind kind, uint64_t id, const char *text);

/* What is asked for: the newest ones that are older than `before` (0: of all). */
typedef struct RecordQuery {
        RecordKind kind;
        uint64_t before;
        size_t limit;
        size_t bytes; /* at most, in all; but the first one comes whatever its length is */
        bool full;    /* with what is not for every reader's eyes */
} RecordQuery;

/*
 * The texts, newest first; *ret is freed by strv_free(). What was found in a file is the work of
 * strangers: if it is no such record, it is left out. 0 or -ENOMEM.
 */
int record_store_list(RecordStore *store, const RecordQuery *query, char ***ret);
