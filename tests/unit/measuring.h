/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * For tests of what sys/intake measures: a puppet, its sockets, and the last answer.
 */

#include "sys/intake.h"

#define MEASURING_BACKLOG 50

extern Intake *intake;
extern IntakeSocket sockets[8]; /* what was found last */
extern size_t socket_count;

/* The puppet's only listener, unless the test makes others. */
extern int family, listener;
extern uint16_t port;

/* A connection that it has accepted, and its client. */
extern int client, accepted;

typedef struct MeasuringAnswer {
        IntakeQueue queues[8];
        IntakeConnection connections[128];
        size_t queue_count, connection_count;
        usec_t when;
} MeasuringAnswer;

extern MeasuringAnswer answer;

/* Checked fixtures; those of puppet.h are part of them. `family` is AF_INET. */
void measuring_setup(void);
void measuring_teardown(void);

void measuring_find(void);
/* A puppet with a listener, and with a connection. */
void measuring_start(void);
void measuring_start_connected(void);

/* What intake_measure() says. */
int measuring_try(void);
/* Measures, and how many connections there are. */
size_t measure(void);
/* … afresh. */
size_t measure_now(void);
/* … the only one, which is accepted. */
const IntakeConnection *measure_one(void);
/* Of the only queue, and of the connections: how many wait. */
unsigned measured_waiting(void);
unsigned measured_not_accepted(void);
