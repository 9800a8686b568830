/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * There is no message bus between us and a client, but busctl and other libraries speak to one
 * first. They get what they need to go on; every message comes to us and every signal goes out
 * anyway.
 */

#include "control/object.h"

#define BROKER_PATH    "/org/freedesktop/DBus"
#define BROKER_NAME    "org.freedesktop.DBus"
#define BROKER_MONITOR "org.freedesktop.DBus.Monitoring"
#define BROKER_CLIENT  ":1.1" /* the name of whoever asks */
#define BROKER_SERVICE "org.supervisord"

static int broker_hello(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        (void) userdata;
        (void) ret_error;
        return sd_bus_reply_method_return(message, "s", BROKER_CLIENT);
}

static int broker_list_names(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        (void) userdata;
        (void) ret_error;
        return sd_bus_reply_method_return(message, "as", 1, BROKER_SERVICE);
}

static int broker_list_none(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        (void) userdata;
        (void) ret_error;
        return sd_bus_reply_method_return(message, "as", 0);
}

/* AddMatch, RemoveMatch: nothing has to be done for it. */
static int broker_accept(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        (void) userdata;
        (void) ret_error;
        return sd_bus_reply_method_return(message, NULL);
}

/* A monitor begins to show what it sees when it hears that it is no common client any more. */
static int broker_become_monitor(sd_bus_message *message,
                                 void *userdata,
                                 sd_bus_error *ret_error) {
        const Client *client = userdata;

        (void) ret_error;
        int r = sd_bus_reply_method_return(message, NULL);
        if (r < 0)
                return r;
        r = sd_bus_emit_signal(client->bus, BROKER_PATH, BROKER_NAME, "NameLost", "s",
                               BROKER_CLIENT);
        return r < 0 ? r : 1;
}

static const sd_bus_vtable broker_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Hello", NULL, "s", broker_hello, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListNames", NULL, "as", broker_list_names, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListActivatableNames", NULL, "as", broker_list_none,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("AddMatch", "s", NULL, broker_accept, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("RemoveMatch", "s", NULL, broker_accept, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static const sd_bus_vtable broker_monitor_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("BecomeMonitor", "asu", NULL, broker_become_monitor,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

int broker_add(Client *client) {
        int r = sd_bus_add_object_vtable(client->bus, NULL, BROKER_PATH, BROKER_NAME, broker_vtable,
                                         client);

        if (r < 0)
                return r;
        return sd_bus_add_object_vtable(client->bus, NULL, BROKER_PATH, BROKER_MONITOR,
                                        broker_monitor_vtable, client);
}
