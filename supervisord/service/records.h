/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The records that are over and those who ask for them. A record is taken when it is complete, and
 * written down afterwards, when nothing else is to be done; on the way down not before its end.
 */

#include "model/record.h"
#include "model/record_reload.h"
#include "service/record_store.h"
#include "sys/loop.h"

typedef struct Records Records;

/* The directory is borrowed; NULL: there is none. */
int records_new(Loop *loop, const StateDirectory *directory, Records **ret);
/* Writes nothing more. Accepts NULL; returns NULL. */
Records *records_free(Records *records);
DEFINE_CLEANUP(Records, records_free)

/* Takes a record over (NULL: there is none) and gives it its id; 0: there is none. */
uint64_t records_take_sequence(Records *records, Record *record_consume);
uint64_t records_take_reload(Records *records, ReloadRecord *record_consume);

/* From now on nothing is written but by records_flush(). */
void records_hold(Records *records);
/* Writes all that is left. */
void records_flush(Records *records);

/* As record_store_list(). */
int records_list(Records *records, const RecordQuery *query, char ***ret);
