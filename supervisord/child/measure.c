/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Draining by looking at the daemon's connections from outside. Nobody tells when the last one has
 * been served, so there is a look every 100 ms while it drains, more rarely where a look is dear:
 * never more than a twentieth of a processor.
 */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "child/object.h"

#define MEASURE_INTERVAL   (100 * USEC_PER_MSEC)
#define MEASURE_SHARE      20           /* of the time a look has taken is waited for */
#define MEASURE_RESCAN     USEC_PER_SEC /* the walk over its descriptors costs more than a look */
#define MEASURE_NOTE_GAP   USEC_PER_SEC
#define MEASURE_NUDGES_MAX 64 /* at one look */
#define MEASURE_NAMES_MAX  8  /* of peers */

/* One look. */
typedef struct MeasureLook {
        FlightRule rule;
        FlightCounts counts;
        usec_t when; /* it may be as old as that of another daemon */
        bool nudge;
        uint64_t idle[MEASURE_NUDGES_MAX]; /* to be nudged */
        size_t idle_count;
        char *names; /* of peers that are busy; NULL: not wanted */
        unsigned named;
} MeasureLook;

static FlightSample measure_sample(const IntakeConnection *connection) {
        return (FlightSample){
                .accepted = connection->inode != 0,
                .closing = connection->closing,
                .has_times = connection->has_times,
                .unread = connection->unread,
                .unsent = connection->unsent,
                .received = connection->received,
                .sent = connection->sent,
                .since_received = connection->since_received,
                .since_sent = connection->since_sent,
        };
}

/* A client chooses its name at a path: nothing that a terminal would obey. */
static void measure_name_peer(MeasureLook *look, const char *peer) {
        size_t used = strlen(look->names);
        char shown[INTAKE_NAME_MAX];

        format_visible(shown, sizeof(shown), peer);
        if (look->named++ < MEASURE_NAMES_MAX)
                snprintf(look->names + used, MEASURE_PEERS_MAX - used, "%s%s",
                         look->named > 1 ? ", " : "", shown);
        else if (look->named == MEASURE_NAMES_MAX + 1)
                snprintf(look->names + used, MEASURE_PEERS_MAX - used, ", …");
}

static void measure_on_connection(void *userdata, const IntakeConnection *connection) {
        MeasureLook *look = userdata;
        FlightSample sample = measure_sample(connection);
        FlightKind kind = flight_judge(&look->rule, &sample);

        flight_add(&look->counts, kind);
        if (look->nudge && look->idle_count < MEASURE_NUDGES_MAX &&
            flight_may_nudge(&look->rule, &sample))
                look->idle[look->idle_count++] = connection->inode;
        if (look->names && (kind == FLIGHT_BUSY || kind == FLIGHT_WAITING))
                measure_name_peer(look, connection->peer);
}

static void measure_on_queue(void *userdata, const IntakeQueue *queue) {
        MeasureLook *look = userdata;

        switch (queue->socket->kind) {
        case INTAKE_UDP:
                look->counts.unread += queue->waiting;
                break;
        case INTAKE_TCP: /* they come one by one as well */
                break;
        default:
                look->counts.waiting += queue->waiting;
                break;
        }
}

static int measure_look(Child *child, MeasureLook *look) {
        IntakeVisitor visitor = {
                .queue = measure_on_queue,
                .connection = measure_on_connection,
                .userdata = look,
        };

        look->rule = flight_rule(child->daemon);
        return intake_measure(child->context->intake, child->sockets.list, child->sockets.count,
                              &visitor, &look->when);
}

static usec_t measure_time(const Child *child) {
        const DaemonConfig *daemon = child->daemon;

        return daemon->drain.timeout != USEC_INFINITY ? daemon->drain.timeout
                                                      : child->config->supervisor.drain_timeout;
}

/* In the last third of its time. */
static bool measure_may_nudge(const Child *child, usec_t now) {
        const LeftoversWait *waiting = &child->waiting;

        if (waiting->until > 0)
                return usec_sub(now, waiting->since) >=
                       usec_sub(waiting->until, waiting->since) / 3 * 2;
        return usec_sub(now, child->phase_since) >= measure_time(child) / 3 * 2;
}

static void measure_nudge(Child *child, const MeasureLook *look) {
        size_t count = 0;

        if (look->idle_count == 0)
                return;
        int r = intake_nudge(child->context->intake, child->tree, look->idle, look->idle_count,
                             &count);
        if (r == 0)
                note(child, LOG_DEBUG, MESSAGE_NONE, "hung up on %zu idle connections", count);
}

static void measure_set_progress(Child *child) {
        Measuring *measuring = &child->measuring;
        char flight[FLIGHT_TEXT_MAX];
        size_t count = child->waiting.count;

        flight_text(flight, &measuring->flight.last);
        if (child->waiting.until > 0)
                snprintf(measuring->progress, sizeof(measuring->progress), "%zu %s, %s", count,
                         PLURAL(count, "left-over process", "left-over processes"), flight);
        else
                snprintf(measuring->progress, sizeof(measuring->progress), "%s", flight);
}

static void measure_note(Child *child, usec_t now) {
        Measuring *measuring = &child->measuring;

        measure_set_progress(child);
        if (strcmp(measuring->progress, measuring->text) == 0 ||
            (measuring->noted > 0 && usec_sub(now, measuring->noted) < MEASURE_NOTE_GAP))
                return;
        memcpy(measuring->text, measuring->progress, sizeof(measuring->text));
        measuring->noted = now;
        note(child, LOG_INFO, MESSAGE_DAEMON_DRAINING, "draining: %s", measuring->text);
        child->context->sink.changed(child->context->sink.userdata, child);
}

/* A listener that was opened late is closed late, if it is not that of a session. */
static void measure_scan(Child *child, usec_t now) {
        child->measuring.scanned = now;
        if (child->waiting.until > 0)
                child->waiting.count = finish_count(child);
        if (sockets_are_closable(child) && child->daemon->drain.count != COUNT_SESSION)
                sockets_close_late(child);
        else
                sockets_scan(child);
}

static void measure_rescan(Child *child, usec_t now) {
        if (usec_sub(now, child->measuring.scanned) >= MEASURE_RESCAN)
                measure_scan(child, now);
}

static void measure_give_up(Child *child, int outcome) {
        const char *why = outcome == INTAKE_E_DENIED        ? "our privileges do not suffice"
                          : outcome == INTAKE_E_UNSUPPORTED ? "there is no sock_diag(7)"
                          : outcome == INTAKE_E_GONE        ? "nobody is left in its network"
                                                            : strerror(-outcome);

        note(child, LOG_WARNING, MESSAGE_NONE, "what is in flight cannot be seen: %s", why);
        child_post(child, EVENT_DRAIN_FAILED);
}

/* The same look twice says nothing new. */
static bool measure_take(Child *child, const MeasureLook *look, usec_t now) {
        Measuring *measuring = &child->measuring;

        if (measuring->flight.looks > 0 && look->when == measuring->looked)
                return false;
        measuring->looked = look->when;
        if (measuring->flight.looks == 0)
                measuring->first = look->counts;
        bool finished = flight_look(&measuring->flight, &look->rule, &look->counts, now);
        measure_note(child, now);
        return finished;
}

void measure_again(Child *child) {
        usec_t now = loop_now(child->context->loop), begun = clock_now();

        measure_rescan(child, now);
        MeasureLook look = { .nudge = measure_may_nudge(child, now) };
        int r = measure_look(child, &look);
        if (r != 0) {
                measure_give_up(child, r);
                return;
        }

        if (measure_take(child, &look, now)) {
                child_post(child, EVENT_DRAIN_DONE);
                return;
        }
        measure_nudge(child, &look);
        usec_t cost = usec_sub(clock_now(), begun);
        usec_t next = usec_add(now, MAX_OF(MEASURE_INTERVAL, cost * MEASURE_SHARE));
        loop_timer_set(child->timer, child->waiting.until > 0 ? MIN_OF(next, child->waiting.until)
                                                              : next);
}

void measure_begin(Child *child) {
        child->measuring = (Measuring){ .active = true };
        child->measuring.begun = loop_now(child->context->loop);
        measure_scan(child, child->measuring.begun);
        if (child->sockets.count == 0)
                child_post(child, EVENT_DRAIN_DONE);
        else
                measure_again(child);
}

void measure_forget(Child *child) {
        child->measuring.active = false;
        child->measuring.progress[0] = '\0';
}

const char *measure_peers(Child *child, char buffer[static MEASURE_PEERS_MAX]) {
        char names[MEASURE_PEERS_MAX] = "", text[FLIGHT_TEXT_MAX];
        MeasureLook look = { .names = names };

        buffer[0] = '\0';
        if (child->sockets.count == 0 || measure_look(child, &look) != 0)
                return buffer;
        child->measuring.flight.last = look.counts;
        snprintf(child->measuring.peers, sizeof(child->measuring.peers), "%s", names);
        flight_text(text, &look.counts);
        snprintf(buffer, MEASURE_PEERS_MAX, names[0] != '\0' ? "%s (%s)" : "%s", text, names);
        return buffer;
}

/* ---- who has just come ---- */

static void newcomers_on_connection(void *userdata, const IntakeConnection *connection) {
        bool *found = userdata;
        FlightSample sample = measure_sample(connection);

        *found |= flight_is_new(&sample);
}

static void newcomers_on_queue(void *userdata, const IntakeQueue *queue) {
        bool *found = userdata;

        *found |= queue->waiting > 0 && queue->socket->kind != INTAKE_UDP;
}

bool measure_finds_newcomers(Child *child) {
        bool found = false;
        IntakeVisitor visitor = {
                .queue = newcomers_on_queue,
                .connection = newcomers_on_connection,
                .userdata = &found,
        };

        return child->sockets.count > 0 &&
               intake_measure(child->context->intake, child->sockets.list, child->sockets.count,
                              &visitor, NULL) == 0 &&
               found;
}

static uint64_t measure_sum(const FlightCounts *counts) {
        return (uint64_t) counts->waiting + counts->busy;
}

bool child_in_flight(const Child *child, usec_t since, ChildInFlight *ret) {
        const Measuring *measuring = &child->measuring;

        if (measuring->begun < since || measuring->flight.looks == 0)
                return false;
        *ret = (ChildInFlight){
                .first = measure_sum(&measuring->first),
                .last = measure_sum(&measuring->flight.last),
                .peers = measuring->peers,
        };
        return true;
}
