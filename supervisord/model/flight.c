/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judging connections; see the header. The figures behind the times were measured. */

#include "model/flight.h"

#include <stdio.h>

#define FLIGHT_LOOKS 2

/*
 * The kernel tells the times in steps: a request that comes in the same step as the answer before
 * it looks like an idle connection. So who seems to have spoken at once counts as busy for longer.
 * A first request that comes in the step in which the connection was made is told by its bytes.
 */
#define FLIGHT_TIE USEC_PER_SEC

/*
 * An idle connection is nudged only if nothing was on its way just now. Here a tie counts as idle:
 * a fast server answers within the step in which it was asked, and one that has been asked again
 * since still reads and answers that.
 */
#define FLIGHT_NUDGE_QUIET (50 * USEC_PER_MSEC)

#define FLIGHT_UDP_QUIET USEC_PER_SEC

FlightRule flight_rule(const DaemonConfig *config) {
        return (FlightRule){
                .count = config->drain.count,
                .all = config->drain.until == DRAIN_CONNECTIONS,
                .quiet = config->drain.quiet,
        };
}

/* Whether the daemon spoke last and has been quiet for so long. */
static bool flight_is_quiet(const FlightSample *sample, usec_t quiet) {
        if (sample->since_received < sample->since_sent ||
            (sample->received > 0 && sample->sent == 0))
                return false;
        if (sample->since_received == sample->since_sent)
                quiet = MAX_OF(quiet, FLIGHT_TIE);
        return sample->since_sent >= quiet;
}

FlightKind flight_judge(const FlightRule *rule, const FlightSample *sample) {
        if (!sample->accepted)
                return FLIGHT_WAITING; /* also if its peer has said all it had to say already */
        if (rule->all || rule->count == COUNT_STREAM)
                return FLIGHT_BUSY;
        if (rule->count == COUNT_SESSION || rule->count == COUNT_UDP)
                return FLIGHT_IDLE;
        if (sample->unread > 0 || sample->unsent > 0)
                return FLIGHT_BUSY;
        if (!sample->has_times) /* a UNIX socket: only who needs no times for it calls it idle */
                return rule->count == COUNT_CAREFUL ? FLIGHT_BUSY : FLIGHT_IDLE;
        return flight_is_quiet(sample, rule->quiet) ? FLIGHT_IDLE : FLIGHT_BUSY;
}

void flight_add(FlightCounts *counts, FlightKind kind) {
        counts->waiting += kind == FLIGHT_WAITING;
        counts->busy += kind == FLIGHT_BUSY;
        counts->idle += kind == FLIGHT_IDLE;
}

bool flight_may_nudge(const FlightRule *rule, const FlightSample *sample) {
        return rule->count == COUNT_HTTP && !rule->all && sample->accepted && !sample->closing &&
               sample->has_times && sample->unread == 0 && sample->unsent == 0 &&
               sample->sent > 0 && sample->since_received >= sample->since_sent &&
               sample->since_sent >= FLIGHT_NUDGE_QUIET;
}

bool flight_is_new(const FlightSample *sample) {
        return !sample->accepted || (sample->has_times && sample->sent == 0);
}

bool flight_is_finished(const FlightCounts *counts) {
        return counts->waiting == 0 && counts->busy == 0 && counts->unread == 0;
}

bool flight_look(Flight *flight, const FlightRule *rule, const FlightCounts *counts, usec_t now) {
        bool finished = flight_is_finished(counts);

        /* what was read from a UDP socket is being worked on, and nothing shows it */
        if (flight->looks == 0 || counts->unread > 0)
                flight->loud = now;
        if (rule->count == COUNT_UDP && usec_sub(now, flight->loud) < FLIGHT_UDP_QUIET)
                finished = false;

        flight->looks++;
        if (!finished)
                flight->done_looks = 0;
        else if (flight->done_looks == 0 || counts->idle != flight->last.idle)
                flight->done_looks = 1; /* something moves: look again */
        else
                flight->done_looks++;
        flight->last = *counts;
        return flight->done_looks >= FLIGHT_LOOKS;
}

const char *flight_text(char buffer[static FLIGHT_TEXT_MAX], const FlightCounts *counts) {
        if (counts->waiting == 0 && counts->busy == 0 && counts->idle == 0 && counts->unread == 0)
                snprintf(buffer, FLIGHT_TEXT_MAX, "nothing in flight");
        else if (counts->unread > 0)
                snprintf(buffer, FLIGHT_TEXT_MAX, "%u waiting, %u busy, %u idle, %u bytes unread",
                         counts->waiting, counts->busy, counts->idle, counts->unread);
        else
                snprintf(buffer, FLIGHT_TEXT_MAX, "%u waiting, %u busy, %u idle", counts->waiting,
                         counts->busy, counts->idle);
        return buffer;
}
