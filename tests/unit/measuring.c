/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "measuring.h"

#include <string.h>
#include <sys/socket.h>

#include "puppet.h"
#include "sockets.h"
#include "unit.h"

Intake *intake;
IntakeSocket sockets[8];
size_t socket_count;
int family, listener, client, accepted;
uint16_t port;
MeasuringAnswer answer;

void measuring_setup(void) {
        puppet_setup();
        family = AF_INET;
        ck_assert_int_eq(intake_new(puppet_loop, &intake), 0);
}

void measuring_teardown(void) {
        intake = intake_free(intake);
        puppet_teardown();
}

void measuring_find(void) {
        const IntakeSocket *found;

        ck_assert_int_eq(intake_find(intake, puppet_tree, &found, &socket_count, NULL), 0);
        ck_assert_uint_le(socket_count, ELEMENTSOF(sockets));
        memcpy(sockets, found, socket_count * sizeof(*found));
}

void measuring_start(void) {
        puppet_start(NULL, NULL);
        listener = puppet_do(PUPPET_LISTEN, family, MEASURING_BACKLOG, NULL);
        port = (uint16_t) puppet_do(PUPPET_PORT, listener, 0, NULL);
        measuring_find();
        ck_assert_uint_eq(socket_count, 1);
}

static void keep_queue(void *userdata, const IntakeQueue *queue) {
        (void) userdata;
        answer.queues[answer.queue_count++] = *queue;
}

static void keep_connection(void *userdata, const IntakeConnection *connection) {
        (void) userdata;
        answer.connections[answer.connection_count++] = *connection;
}

int measuring_try(void) {
        IntakeVisitor visitor = { keep_queue, keep_connection, NULL };

        answer.queue_count = answer.connection_count = 0;
        return intake_measure(intake, sockets, socket_count, &visitor, &answer.when);
}

size_t measure(void) {
        ck_assert_int_eq(measuring_try(), 0);
        return answer.connection_count;
}

size_t measure_now(void) {
        IntakeSocket none = { .kind = INTAKE_ABSTRACT };

        (void) intake_close(intake, &none, INTAKE_REFUSE);
        return measure();
}

unsigned measured_waiting(void) {
        ck_assert_uint_eq(answer.queue_count, 1);
        ck_assert_ptr_eq(answer.queues[0].socket, &sockets[0]);
        return answer.queues[0].waiting;
}

unsigned measured_not_accepted(void) {
        unsigned count = 0;

        for (size_t i = 0; i < answer.connection_count; i++)
                count += answer.connections[i].inode == 0;
        return count;
}

void measuring_start_connected(void) {
        measuring_start();
        client = sockets_connect(family, port);
        accepted = puppet_do(PUPPET_ACCEPT, listener, 0, NULL);
        ck_assert_int_ge(accepted, 0);
}

const IntakeConnection *measure_one(void) {
        ck_assert_uint_eq(measure_now(), 1);
        ck_assert_uint_gt(answer.connections[0].inode, 0);
        ck_assert_ptr_eq(answer.connections[0].socket, &sockets[0]);
        return &answer.connections[0];
}
