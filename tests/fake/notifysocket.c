/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/notifysocket.h on the fake world. Datagrams wait in the socket until their turn comes; they
 * are read by the real notify_message_parse().
 */

#include "sys/notifysocket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fake/fake.h"
#include "fake/parts.h"

#define DATAGRAM_MAX      64
#define DATAGRAM_TEXT_MAX 128

typedef struct Datagram {
        pid_t sender;
        char text[DATAGRAM_TEXT_MAX];
} Datagram;

struct NotifySocket {
        NotifySocket *next;
        LoopSource *source;
        NotifyHandler handler;
        void *userdata;
        char path[WORLD_NAME_MAX];
        Datagram waiting[DATAGRAM_MAX];
        size_t waiting_count;
        usec_t extended; /* until then its daemon has time, as it said */
        bool said_ready; /* it, and no stranger */
};

static NotifySocket *sockets;

void fake_datagrams_reset(void) {
        sockets = NULL;
}

unsigned fake_notify_socket_count(void) {
        unsigned count = 0;

        for (const NotifySocket *notify = sockets; notify; notify = notify->next)
                count++;
        return count;
}

usec_t fake_extended(const char *path) {
        for (const NotifySocket *notify = sockets; notify; notify = notify->next)
                if (strcmp(notify->path, path) == 0)
                        return notify->extended;
        return 0;
}

bool fake_said_ready(const char *path) {
        for (const NotifySocket *notify = sockets; notify; notify = notify->next)
                if (strcmp(notify->path, path) == 0)
                        return notify->said_ready;
        return false;
}

static bool notify_is_readiness(const NotifySocket *notify, pid_t sender, const char *text) {
        const FakeProcess *process = process_find(sender);
        const char *name = strrchr(notify->path, '/');

        return strstr(text, "READY=1") && process && name &&
               strcmp(process->tree->name, name + 1) == 0;
}

void fake_datagram(const char *path, pid_t sender, const char *text) {
        world_trace("  process %d says %s", sender, text);
        for (NotifySocket *notify = sockets; notify; notify = notify->next) {
                if (strcmp(notify->path, path) != 0 || notify->waiting_count == DATAGRAM_MAX)
                        continue;
                Datagram *datagram = &notify->waiting[notify->waiting_count++];
                datagram->sender = sender;
                notify->said_ready |= notify_is_readiness(notify, sender, text);
                snprintf(datagram->text, sizeof(datagram->text), "%s", text);
                loop_defer_arm(notify->source);
        }
}

/* One at a time; the handler may free the socket. */
static int notify_socket_dispatch(void *userdata) {
        NotifySocket *notify = userdata;
        Datagram datagram = notify->waiting[0];
        NotifyMessage message;

        if (notify->waiting_count == 0) /* it was heard out of its turn */
                return 0;
        notify->waiting_count--;
        memmove(notify->waiting, notify->waiting + 1, notify->waiting_count * sizeof(Datagram));
        if (notify->waiting_count > 0)
                loop_defer_arm(notify->source);

        int outcome = notify_message_parse(datagram.text, strlen(datagram.text), &message);
        if (outcome == 0 && message.extend > 0)
                notify->extended = MAX_OF(notify->extended, usec_add(world_now(), message.extend));
        return notify->handler(notify->userdata, datagram.sender, outcome,
                               outcome == 0 ? &message : NULL);
}

static bool notify_socket_exists(const NotifySocket *notify) {
        for (const NotifySocket *other = sockets; other; other = other->next)
                if (other == notify)
                        return true;
        return false;
}

int notify_socket_hear(NotifySocket *notify) {
        int r = 0;

        while (r >= 0 && notify_socket_exists(notify) && notify->waiting_count > 0)
                r = notify_socket_dispatch(notify);
        return r;
}

int notify_socket_new(Loop *loop,
                      const char *path,
                      uid_t uid,
                      NotifyHandler handler,
                      void *userdata,
                      NotifySocket **ret) {
        int r = fake_door(DOOR_NOTIFY_SOCKET);
        if (r < 0)
                return r;

        NotifySocket *notify = calloc(1, sizeof(*notify));
        if (!notify)
                return -ENOMEM;
        (void) uid;
        notify->handler = handler;
        notify->userdata = userdata;
        strncat(notify->path, path, sizeof(notify->path) - 1);
        r = loop_add_defer(loop, &notify->source, LOOP_NOTIFY, "notify", notify_socket_dispatch,
                           notify);
        if (r < 0) {
                free(notify);
                return r;
        }

        notify->next = sockets;
        sockets = notify;
        *ret = notify;
        return 0;
}

NotifySocket *notify_socket_free(NotifySocket *notify) {
        if (!notify)
                return NULL;

        NotifySocket **place = &sockets;
        while (*place != notify)
                place = &(*place)->next;
        *place = notify->next;

        loop_source_free(notify->source);
        free(notify);
        return NULL;
}
