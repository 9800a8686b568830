/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Records as JSON texts, one line each. Their members are described in supervisord-bus(5). Times in
 * them are microseconds, counted from the record's begin if not said otherwise.
 */

#include "model/record.h"
#include "model/record_reload.h"
#include "service/record_store.h"

/* malloc'ed; NULL: no memory. Too long a one comes without its daemons. */
char *record_text_of_sequence(const Record *record);
char *record_text_of_reload(const ReloadRecord *record);

enum { RECORD_TEXT_E_INVALID = 1 };

/*
 * Whether a text, which may come from anybody, is a record of that kind and id: *ret is the same in
 * plain ASCII, malloc'ed; unless it is `full`, without what was in the configuration. 0,
 * RECORD_TEXT_E_INVALID or -ENOMEM.
 */
int record_text_check(
        const char *text, size_t size, RecordKind kind, uint64_t id, bool full, char **ret);
