/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies of what will be gone when the record is read; see the header. */

#include "model/record_reload.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/strv.h"

const char *record_step_outcome_name(RecordStepOutcome outcome) {
        static const char *const names[] = {
                [RECORD_STEP_OPEN] = "open",
                [RECORD_STEP_DONE] = "done",
                [RECORD_STEP_FAILED] = "failed",
                [RECORD_STEP_CANCELED] = "canceled",
        };
        static_assert(ELEMENTSOF(names) == RECORD_STEP_OUTCOME_MAX_, "every outcome has a name");
        return names[outcome];
}

int reload_record_new(const char *who, RecordMoment now, ReloadRecord **ret) {
        ReloadRecord *record = calloc(1, sizeof(*record));
        if (!record)
                return -ENOMEM;

        snprintf(record->who, sizeof(record->who), "%s", who);
        record->begun = now;
        *ret = record;
        return 0;
}

static void reload_record_drop_plan(ReloadRecord *record) {
        for (size_t i = 0; i < record->plan_count; i++) {
                free(record->plan[i].daemon);
                free(record->plan[i].reason);
        }
        free(TAKE(record->plan));
        record->plan_count = record->kept = 0;
}

ReloadRecord *reload_record_free(ReloadRecord *record) {
        if (!record)
                return NULL;
        reload_record_drop_plan(record);
        strv_free(record->findings);
        free(record);
        return NULL;
}

void reload_record_describe(RecordConfig *ret, const Config *config) {
        config_digest(config, ret->digest);
        ret->loaded = config->loaded;
}

static int reload_record_add_entry(ReloadRecord *record,
                                   const ConfigDiff *diff,
                                   const PlanEntry *entry) {
        CLEANUP(freep) char *reason = plan_entry_reason(diff, entry);
        RecordPlanned *planned = &record->plan[record->plan_count];

        if (!reason)
                return -ENOMEM;
        planned->action = plan_action_name(entry->action);
        planned->daemon = strdup(entry->diff->name);
        planned->reason = strndup(reason, RELOAD_RECORD_REASON_MAX);
        record->plan_count++;
        return planned->daemon && planned->reason ? 0 : -ENOMEM;
}

int reload_record_plan(ReloadRecord *record, const ConfigDiff *diff, const Plan *plan) {
        int r = 0;

        if (!record)
                return 0;
        reload_record_drop_plan(record);
        record->plan = calloc(MAX_OF(plan->count, (size_t) 1), sizeof(*record->plan));
        if (!record->plan)
                return -ENOMEM;
        for (size_t i = 0; r == 0 && i < plan->count; i++)
                if (plan->entries[i].action == PLAN_KEEP)
                        record->kept++;
                else
                        r = reload_record_add_entry(record, diff, &plan->entries[i]);
        if (r < 0)
                reload_record_drop_plan(record); /* not half of it */
        return r;
}

int reload_record_find(ReloadRecord *record, const char *finding) {
        CLEANUP(freep) char *copy = NULL;

        if (!record)
                return 0;
        if (strv_length(record->findings) >= RELOAD_RECORD_FINDINGS_MAX) {
                record->findings_lost++;
                return 0;
        }
        copy = strndup(finding, RELOAD_RECORD_REASON_MAX);
        return copy ? strv_append(&record->findings, copy) : -ENOMEM;
}

static RecordStep *reload_record_last_step(ReloadRecord *record) {
        return record && record->step_count > 0 ? &record->steps[record->step_count - 1] : NULL;
}

void reload_record_step(ReloadRecord *record, const char *name, usec_t now) {
        reload_record_step_over(record, RECORD_STEP_DONE, 0, now);
        if (record && record->step_count < RELOAD_RECORD_STEPS_MAX)
                record->steps[record->step_count++] = (RecordStep){ .name = name, .begun = now };
}

void reload_record_step_over(ReloadRecord *record,
                             RecordStepOutcome outcome,
                             uint64_t sequence,
                             usec_t now) {
        RecordStep *step = reload_record_last_step(record);

        if (!step || step->outcome != RECORD_STEP_OPEN)
                return;
        step->outcome = outcome;
        step->sequence = sequence;
        step->ended = now;
}

void reload_record_step_failed(ReloadRecord *record) {
        RecordStep *step = reload_record_last_step(record);

        if (step)
                step->outcome = RECORD_STEP_FAILED;
}

void reload_record_end(ReloadRecord *record,
                       const char *verdict,
                       const char *text,
                       RecordMoment now) {
        if (!record)
                return;
        reload_record_step_over(record, RECORD_STEP_CANCELED, 0, now.monotonic);
        record->verdict = verdict;
        snprintf(record->text, sizeof(record->text), "%s", text);
        record->ended = now;
}
