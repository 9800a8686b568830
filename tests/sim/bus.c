/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What people ask for over the bus in a random scenario. */

#include "sim/bus.h"

#include <signal.h>
#include <stdio.h>

#include "sim/random.h"
#include "sim/sim.h"

#define CALL_MAX   64
#define CALL_NAMES 3
#define NAME_ROOM  16

typedef struct BusCall {
        BusVerb verb;
        bool now_only;
        char names[CALL_NAMES][NAME_ROOM];
        size_t count;
} BusCall;

static struct {
        LoopSource *source;
        BusCall waiting[CALL_MAX];
        size_t count;
} bus;

static void bus_request(const BusCall *call, RequestVerb verb) {
        const char *names[CALL_NAMES + 1] = { NULL };

        for (size_t i = 0; i < call->count; i++)
                names[i] = call->names[i];
        if (call->now_only)
                (void) sim_request_now_only(verb, names);
        else
                (void) sim_request(verb, names);
}

static void bus_signal(const BusCall *call) {
        static const int signals[] = { SIGHUP,  SIGUSR1, SIGUSR2, SIGQUIT,
                                        SIGTERM, SIGKILL, SIGURG };

        (void) supervisor_signal(sim_supervisor(), call->names[0],
                                 signals[world_choose(ELEMENTSOF(signals))]);
}

static void bus_trace(const BusCall *call) {
        static const char *const verbs[] = {
                [BUS_RELOAD] = "reload",  [BUS_PLAN] = "plan",     [BUS_SIGNAL] = "signal",
                [BUS_START] = "start",    [BUS_STOP] = "stop",     [BUS_RESTART] = "restart",
                [BUS_OWN] = "own reload", [BUS_FREEZE] = "freeze", [BUS_DRAIN] = "drain",
                [BUS_THAW] = "thaw",
        };

        world_trace("  asked for %s of %s %s %s%s", verbs[call->verb], call->names[0],
                    call->count > 1 ? call->names[1] : "", call->count > 2 ? call->names[2] : "",
                    call->now_only ? ", now only" : "");
}

static void bus_perform(const BusCall *call) {
        bus_trace(call);
        switch (call->verb) {
        case BUS_RELOAD:
                sim_reload();
                break;
        case BUS_PLAN:
                sim_plan();
                break;
        case BUS_SIGNAL:
                bus_signal(call);
                break;
        case BUS_START:
                bus_request(call, REQUEST_START);
                break;
        case BUS_STOP:
                bus_request(call, REQUEST_STOP);
                break;
        case BUS_RESTART:
                bus_request(call, REQUEST_RESTART);
                break;
        case BUS_OWN:
                bus_request(call, REQUEST_RELOAD);
                break;
        case BUS_FREEZE:
        case BUS_DRAIN:
                (void) sim_pause(call->verb == BUS_DRAIN, call->names[0]);
                break;
        case BUS_THAW:
                (void) sim_thaw(call->names[0]);
                break;
        case BUS_VERB_MAX_:
                break;
        }
}

static int bus_on_client(void *userdata) {
        BusCall call = bus.waiting[0];

        (void) userdata;
        bus.count--;
        for (size_t i = 0; i < bus.count; i++)
                bus.waiting[i] = bus.waiting[i + 1];
        if (bus.count > 0)
                loop_defer_arm(bus.source);
        bus_perform(&call);
        return 0;
}

/* ---- what is told to those who look on ---- */

static void bus_on_daemon(void *userdata, const Child *child) {
        const Generation *generation = sim_supervisor()->generation;

        (void) userdata;
        if (child_index(child) >= generation->count ||
            generation->children[child_index(child)] != child)
                sim_fail("%s changed, but is no daemon any more", child_name(child));
}

static void bus_on_status(void *userdata, const char *status) {
        (void) userdata;
        if (*status == '\0')
                sim_fail("an empty status is told");
}

static void bus_on_set(void *userdata) {
        const Generation *generation = sim_supervisor()->generation;

        (void) userdata;
        for (unsigned i = 0; i < generation->count; i++)
                if (!generation->children[i] || child_index(generation->children[i]) != i)
                        sim_fail("the daemons were renumbered, but not all of them");
}

void bus_open(void) {
        static const SupervisorObserver observer = {
                .daemon_changed = bus_on_daemon,
                .status_changed = bus_on_status,
                .set_changed = bus_on_set,
        };

        supervisor_observe(sim_supervisor(), &observer);
        bus.count = 0;
        if (loop_add_defer(sim_loop(), &bus.source, LOOP_CLIENT, "bus", bus_on_client, NULL) < 0)
                sim_fail("no memory");
}

void bus_close(void) {
        bus.source = loop_source_free(bus.source);
}

void bus_ask(BusVerb verb) {
        if (bus.count == CALL_MAX)
                return;
        BusCall *call = &bus.waiting[bus.count++];

        *call = (BusCall){
                .verb = verb,
                .now_only = random_once_in(2),
                .count = 1 + world_choose(CALL_NAMES),
        };
        for (size_t i = 0; i < call->count; i++)
                random_name(call->names[i], NAME_ROOM);
        if (random_once_in(20))
                snprintf(call->names[0], NAME_ROOM, "nobody");
        loop_defer_arm(bus.source);
}
