/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is remembered of a reload: who asked, which configurations it was about, what was planned
 * for each daemon and why, its steps, its verdict. Pure. What allocates is noted before anything
 * live is touched; from then on notes are only written into it.
 */

#include <sys/queue.h>

#include "config/diff.h"
#include "model/plan.h"
#include "model/record.h"

#define RELOAD_RECORD_STEPS_MAX    8
#define RELOAD_RECORD_FINDINGS_MAX 64
#define RELOAD_RECORD_WHO_MAX      256
#define RELOAD_RECORD_TEXT_MAX     256
#define RELOAD_RECORD_REASON_MAX   512 /* also of a finding */

/* How a configuration is told from others. */
typedef struct RecordConfig {
        char digest[CONFIG_DIGEST_MAX]; /* "": there was none */
        usec_t loaded;                  /* when it was read, since 1970 */
} RecordConfig;

typedef struct RecordPlanned {
        char *daemon;
        const char *action; /* "restart" */
        char *reason;
} RecordPlanned;

typedef enum RecordStepOutcome {
        RECORD_STEP_OPEN,
        RECORD_STEP_DONE,
        RECORD_STEP_FAILED, /* it turned the way around, or ended it */
        RECORD_STEP_CANCELED,
        RECORD_STEP_OUTCOME_MAX_,
} RecordStepOutcome;

const char *record_step_outcome_name(RecordStepOutcome outcome); /* "done" */

typedef struct RecordStep {
        const char *name; /* "start"; not copied */
        usec_t begun, ended;
        RecordStepOutcome outcome;
        uint64_t sequence; /* the id of its record; 0: none */
} RecordStep;

typedef struct ReloadRecord {
        TAILQ_ENTRY(ReloadRecord) link; /* for the owner */
        uint64_t id;                    /* likewise; 0: none yet */
        char who[RELOAD_RECORD_WHO_MAX];
        RecordMoment begun, ended;
        RecordConfig before, after;
        RecordPlanned *plan; /* of each daemon that was not to be left as it was */
        size_t plan_count;
        size_t kept; /* those that were */
        RecordStep steps[RELOAD_RECORD_STEPS_MAX];
        size_t step_count;
        char **findings; /* NULL: none */
        size_t findings_lost;
        const char *verdict; /* "applied"; not copied */
        char text[RELOAD_RECORD_TEXT_MAX];
} ReloadRecord;

typedef TAILQ_HEAD(ReloadRecordList, ReloadRecord) ReloadRecordList;

int reload_record_new(const char *who, RecordMoment now, ReloadRecord **ret);
ReloadRecord *reload_record_free(ReloadRecord *record);
DEFINE_CLEANUP(ReloadRecord, reload_record_free)

/* Of all that follow, a record of NULL takes nothing. */

void reload_record_describe(RecordConfig *ret, const Config *config);
/* What is to be done; a copy is kept. */
int reload_record_plan(ReloadRecord *record, const ConfigDiff *diff, const Plan *plan);
/* One thing that the check found. */
int reload_record_find(ReloadRecord *record, const char *finding);

/* A step begins; one that is open is done. */
void reload_record_step(ReloadRecord *record, const char *name, usec_t now);
/* The step at hand is over; `sequence` is the id of its record, 0: it has none. */
void reload_record_step_over(ReloadRecord *record,
                             RecordStepOutcome outcome,
                             uint64_t sequence,
                             usec_t now);
/* The last step, which seemed to be done, was in vain. */
void reload_record_step_failed(ReloadRecord *record);
/* The verdict; a step that is open is canceled. */
void reload_record_end(ReloadRecord *record,
                       const char *verdict,
                       const char *text,
                       RecordMoment now);
