/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A fair client of the control socket: makes COUNT calls, with so many of them in flight, and says
 * how many were answered in which time. Status 1 if one was not.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "common.h"

static const char usage[] = "caller SOCKET COUNT [IN-FLIGHT]\n";

#define OBJECT    "/org/supervisord"
#define INTERFACE "org.supervisord.Supervisor1"

static int answered, failed;

static int on_answer(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        (void) userdata;
        (void) ret_error;
        answered++;
        failed += sd_bus_message_is_method_error(message, NULL) > 0;
        return 0;
}

static void check(int r, const char *what) {
        if (r < 0)
                die("%s: %s", what, strerror(-r));
}

static sd_bus *connect_to(const char *path) {
        char address[256];
        sd_bus *bus = NULL;

        (void) snprintf(address, sizeof(address), "unix:path=%s", path);
        check(sd_bus_new(&bus), "new");
        check(sd_bus_set_address(bus, address), "address");
        check(sd_bus_start(bus), "start");
        return bus;
}

int main(int argc, char *argv[]) {
        int count = argc >= 3 ? number(argv[2]) : 0, in_flight = argc >= 4 ? number(argv[3]) : 1;
        int sent = 0, r;

        if (argc < 3)
                die("%s", usage);
        sd_bus *bus = connect_to(argv[1]);
        long long begun = now_ms();

        while (answered < count) {
                while (sent < count && sent - answered < in_flight) {
                        check(sd_bus_call_method_async(bus, NULL, NULL, OBJECT,
                                                       "org.freedesktop.DBus.Properties", "Get",
                                                       on_answer, NULL, "ss", INTERFACE, "Mode"),
                              "call");
                        sent++;
                }
                r = sd_bus_process(bus, NULL);
                check(r, "process");
                if (r == 0)
                        check(sd_bus_wait(bus, UINT64_MAX), "wait");
        }
        printf("%d of %d answered, %d of them with an error, in %lld ms\n", answered, count, failed,
               now_ms() - begun);
        sd_bus_flush_close_unref(bus);
        return answered == count && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
