/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What is in flight: from single connections, as the kernel tells of them, to "the work is
 * finished". Pure.
 *
 * A connection is busy while bytes of it wait in either direction, while its peer has spoken last
 * (a request is being worked on), and until the daemon has been quiet for a while after its own
 * last word (an answer that comes in pieces is no idle connection). Work is finished once two looks
 * in a row find nothing waiting and nothing busy: between two looks nothing can be on its way from
 * one place to another unseen. The two must be alike in the number of idle connections as well.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

/* One connection that came in by a socket of the daemon. */
typedef struct FlightSample {
        bool accepted;
        bool closing;           /* one side has ended it */
        bool has_times;         /* the last four members are known */
        uint32_t unread;        /* bytes */
        uint32_t unsent;        /* bytes */
        uint64_t received;      /* bytes so far, from its peer, … */
        uint64_t sent;          /* … and from the daemon */
        usec_t since_received;  /* since its peer spoke last; in steps of a millisecond or more */
        usec_t since_sent;      /* since the daemon did */
} FlightSample;

/* What was found at one look. */
typedef struct FlightCounts {
        unsigned waiting; /* connections that were not accepted yet */
        unsigned busy;
        unsigned idle;
        unsigned unread; /* bytes that wait in UDP sockets */
} FlightCounts;

/* How the daemon's connections are counted; from its settings. */
typedef struct FlightRule {
        DrainCount count;
        bool all; /* every connection counts, whatever `count` says */
        usec_t quiet;
} FlightRule;

FlightRule flight_rule(const DaemonConfig *config);

typedef enum FlightKind {
        FLIGHT_WAITING,
        FLIGHT_BUSY,
        FLIGHT_IDLE,
} FlightKind;

FlightKind flight_judge(const FlightRule *rule, const FlightSample *sample);
void flight_add(FlightCounts *counts, FlightKind kind);

/*
 * Whether the daemon has done nothing with it yet that could be seen from outside: it waits to be
 * accepted, or was accepted and nothing was said on it (of TCP, where that is told).
 */
bool flight_is_new(const FlightSample *sample);

/* Whether an idle connection may be ended from outside now (FLIGHT_IDLE, or about to be). */
bool flight_may_nudge(const FlightRule *rule, const FlightSample *sample);

/* The looks so far. */
typedef struct Flight {
        FlightCounts last;
        unsigned looks;     /* 0: none yet */
        unsigned done_looks; /* alike, in a row, that found nothing in flight */
        usec_t loud;        /* when something was found to be read last, of UDP */
} Flight;

bool flight_is_finished(const FlightCounts *counts);
/* Takes note of a look; true: the work is finished. */
bool flight_look(Flight *flight, const FlightRule *rule, const FlightCounts *counts, usec_t now);

#define FLIGHT_TEXT_MAX 96
/* "2 waiting, 5 busy, 3 idle", "nothing in flight". Returns buffer. */
const char *flight_text(char buffer[static FLIGHT_TEXT_MAX], const FlightCounts *counts);
