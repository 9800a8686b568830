/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is remembered of a sequence, or of an operation, which is a sequence, a start and the own
 * reloads of daemons: who asked, when which phase was, and what became of each daemon in it. Pure.
 * All memory exists from record_new() on: what is noted on the way down is only written into it.
 *
 * Notes about daemons that have no part in it mean nothing, and a record that could not be had
 * (NULL) takes all notes for nothing, so that everything may be told to every record. The struct is
 * for reading; it is written by the functions below alone.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "config/config.h"
#include "model/fsm.h"
#include "model/sequence.h"

#define RECORD_WHAT_MAX    256
#define RECORD_WHO_MAX     96
#define RECORD_SIGNALS_MAX 8  /* of a daemon, the last ones */
#define RECORD_NOTES_MAX   64 /* of all daemons together */
#define RECORD_NOTE_MAX    192

/* A moment on both clocks: one to count from, one for people. */
typedef struct RecordMoment {
        usec_t monotonic;
        usec_t realtime; /* since 1970 */
} RecordMoment;

/* What became of a daemon in a phase, at its start, or of its own reload. */
typedef enum RecordOutcome {
        RECORD_NONE = 0, /* it has no part in it, or it did not come so far */
        RECORD_OPEN,     /* it is not over */
        RECORD_DONE,     /* it did what it was ordered */
        RECORD_ALREADY,  /* there was nothing to do: it was so far when it began */
        RECORD_LATE,     /* it serves others of the set: its freeze comes with its drain */
        RECORD_ENDED,    /* nothing of it lived any more before its order, or instead of it */
        RECORD_FORCED,   /* a deadline cut it short */
        RECORD_FAILED,   /* what was to be done for it failed; or it did not come up */
        RECORD_SKIPPED,  /* the phase was left before it was done */
        RECORD_STUCK,    /* something of it could not be killed */
        RECORD_WAITING,  /* not started yet: it waits for another one */
        RECORD_CANCELED, /* a stop of everything broke in */
        RECORD_OUTCOME_MAX_,
} RecordOutcome;

const char *record_outcome_name(RecordOutcome outcome); /* "done" */

/* All times are of CLOCK_MONOTONIC; 0: never. */
typedef struct RecordSpan {
        usec_t begun; /* its order */
        usec_t ended;
        RecordOutcome outcome;
        bool cut; /* a deadline or a failure cut it short: it counts as forced */
} RecordSpan;

typedef struct RecordSignal {
        usec_t when;
        int signo;
        bool to_all; /* to all of its processes, not just to the main one */
} RecordSignal;

typedef struct RecordRow {
        unsigned node; /* in the configuration */
        bool stops, starts, reloads;
        bool overdue; /* its deadline in the phase at hand was given */
        RecordSpan phases[PHASE_MAX_];
        RecordSpan start;
        RecordSpan reload;
        bool measured; /* its work in flight was */
        uint64_t in_flight_first, in_flight_last;
        size_t signal_count;
        RecordSignal signals[RECORD_SIGNALS_MAX];
} RecordRow;

typedef struct RecordPhase {
        usec_t begun; /* 0: never */
        usec_t ended;
        size_t total;   /* daemons that took part */
        size_t forced;  /* of them cut short */
        size_t skipped; /* of them not done when it was left */
} RecordPhase;

typedef enum RecordNoteKind {
        RECORD_PEERS,  /* who had a connection that was cut: "192.0.2.1:1025, …" */
        RECORD_REASON, /* why it failed */
        RECORD_SPARED, /* what of it lives on, as it shall */
} RecordNoteKind;

typedef struct RecordNote {
        unsigned node;
        RecordNoteKind kind;
        char text[RECORD_NOTE_MAX];
} RecordNote;

typedef enum RecordResult {
        RECORD_RUNNING,
        RECORD_OVER,       /* to its end; daemons may have failed */
        RECORD_BROKEN_OFF, /* a stop of everything broke in */
} RecordResult;

typedef struct Record {
        TAILQ_ENTRY(Record) link; /* for the owner */
        uint64_t id;              /* likewise; 0: none yet */
        Config *config;           /* a reference; nodes are indexes into it */
        char *what;               /* "restart of web" */
        char who[RECORD_WHO_MAX]; /* "SIGTERM from uid 0 (process 1)" */
        RecordMoment begun;       /* when it was asked for */
        RecordMoment ended;
        RecordResult result;
        bool fast;      /* straight to cleanup from the begin */
        usec_t hurried; /* when it skipped to cleanup; 0: it did not */
        char hurried_by[RECORD_WHO_MAX];

        bool stops; /* whether anything in it does */
        bool in_phase;
        Phase phase; /* the one at hand, or the last one */
        RecordPhase phases[PHASE_MAX_];
        RecordRow *rows; /* those that have a part in it, by index */
        size_t row_count;
        RecordNote *notes; /* in the order in which they came */
        size_t note_count, note_room;
        unsigned notes_lost;
} Record;

typedef TAILQ_HEAD(RecordList, Record) RecordList;

/* Who has a part in it, by index; NULL: nobody. */
typedef struct RecordSets {
        const bool *stops;
        const bool *starts;
        const bool *reloads;
} RecordSets;

/* Room for the daemons of the sets; NULL: of the stop of all. Takes a reference. */
int record_new(Config *config, const char *what, const RecordSets *sets, Record **ret);
Record *record_free(Record *record);
DEFINE_CLEANUP(Record, record_free)

/* Begins, or begins anew. */
void record_begin(Record *record, const char *who, RecordMoment now);
/* Closes whatever is open. */
void record_end(Record *record, RecordResult result, RecordMoment now);

/* ---- the sequence ---- */

/* `counts` says who takes part in it, by index, as `states`. */
void record_phase_begun(Record *record,
                        const SequenceProgress *progress,
                        const bool *counts,
                        const DaemonState *states);
void record_phase_ended(Record *record, const SequenceProgress *progress, usec_t now);
void record_ordered(Record *record, SequenceOrder order, usec_t now);
/* A daemon's state may be another one; `cut`: it was cut short since the last time. */
void record_observe(Record *record, unsigned node, DaemonState state, bool cut, usec_t now);
void record_hurried(Record *record, const char *who, usec_t now);
/* What was sent to it, in order of time; what was sent before the record's begin is left out. */
void record_signals(Record *record, unsigned node, const RecordSignal *signals, size_t count);

/* ---- the start ---- */

/* From here on those that start are open, but for those that run already. */
void record_starting(Record *record, const DaemonState *states, usec_t now);
/* What came of one: begun and ended as the daemon itself says; 0: it does not know. */
void record_started(
        Record *record, unsigned node, RecordOutcome outcome, usec_t begun, usec_t ended);

/* ---- own reloads ---- */

void record_reloading(Record *record, usec_t now);
/* What came of one; the first answer counts. */
void record_reloaded(Record *record, unsigned node, RecordOutcome outcome, usec_t now);

/* ---- what more is known of a daemon ---- */

/* Its work in flight, whenever it is counted: the first and the last count are kept. */
void record_in_flight(Record *record, unsigned node, uint64_t count);
/* A peer that was still busy when it was cut, or why it failed; cut to what fits. */
void record_note(Record *record, unsigned node, RecordNoteKind kind, const char *text);

/* ---- reading ---- */

/* Whether a deadline or a failure cut the daemon short in any phase. */
bool record_row_is_cut(const RecordRow *row);
/* How many daemons were. */
size_t record_count_cut(const Record *record);
