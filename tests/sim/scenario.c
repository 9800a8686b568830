/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sim/scenario.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "config/load.h"
#include "sim/random.h"
#include "sim/sim.h"

#define ACCIDENT_MAX 12
#define RUN_MOST     (150 * SEC)
#define STOP_MOST    (600 * SEC)

/*
 * What is asked for over the bus comes as a wake-up of the loop, never in the middle of anything.
 */
static struct {
        LoopSource *source;
        unsigned reloads, requests; /* that wait */
} bus;

/* ---- supervisor.grace ---- */

/* Chosen apart, out of the same seed: with or without it, all else is the same scenario. */
static uint64_t grace_choice;

static unsigned choose_apart(unsigned count) {
        grace_choice = grace_choice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (unsigned) (grace_choice >> 33) % count;
}

/*
 * The settings of the supervisor: at times the whole stop has a limit, into which the times of the
 * phases are scaled if they are left out, unless the daemons of now cannot fit.
 */
static const char *choose_settings(void) {
        static const char *const graces[] = { "3s", "10s", "30s", "1min", "3min" };
        static char text[512];
        const char *settings = random_settings();

        if (choose_apart(3) > 0)
                return settings;
        snprintf(text, sizeof(text), "%s grace = \"%s\";",
                 choose_apart(2) > 0 ? settings : strstr(settings, "cgroups"),
                 graces[choose_apart(ELEMENTSOF(graces))]);
        return sim_is_valid(text, random_config()) ? text : settings;
}

/* ---- accidents ---- */

static FakeProcess *any_process(void) {
        FakeProcess *chosen = NULL;
        unsigned cursor = 0, seen = 0;

        for (FakeProcess *process; (process = process_each(&cursor));)
                if (!process->zombie && *process->tree->name && world_choose(++seen) == 0)
                        chosen = process;
        return chosen;
}

static void accident_kill(void) {
        FakeProcess *process = any_process();

        if (process)
                process_signal(process, random_once_in(2) ? SIGKILL : SIGTERM);
}

static void accident_lie(void) {
        char path[32];

        snprintf(path, sizeof(path), "/run/d%u.pid", world_choose(RANDOM_DAEMON_MAX));
        world_write(path, random_once_in(2) ? "1\n" : "");
}

static void accident_stranger(void) {
        FakeProcess *stranger = process_add(1, "", NULL);
        char path[64], text[32];

        if (!stranger)
                return;
        snprintf(path, sizeof(path), SIM_RUNTIME "/notify/d%u", world_choose(RANDOM_DAEMON_MAX));
        snprintf(text, sizeof(text), "READY=1\nMAINPID=%d\n", stranger->pid);
        fake_datagram(path, stranger->pid, text);
        snprintf(path, sizeof(path), "/run/d%u.pid", world_choose(RANDOM_DAEMON_MAX));
        snprintf(text, sizeof(text), "%d\n", stranger->pid);
        world_write(path, text);
}

static void ask_reload(void) {
        bus.reloads++;
        loop_defer_arm(bus.source);
}

static void ask_request(void) {
        bus.requests++;
        loop_defer_arm(bus.source);
}

static void accident_reload(void) {
        random_change();
        const char *settings = choose_settings();
        world_trace("another configuration: %s\n%s", settings, random_config());
        sim_set_config_with(settings, random_config());
        if (random_once_in(2))
                ask_reload();
        else
                fake_signal(SIGHUP);
}

static void bus_request(void) {
        static const RequestVerb verbs[] = { REQUEST_START, REQUEST_STOP, REQUEST_RESTART };
        char names[2][16];

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                snprintf(names[i], sizeof(names[i]), "d%u", world_choose(RANDOM_DAEMON_MAX / 5));
        (void) sim_ask(verbs[world_choose(ELEMENTSOF(verbs))], names[0], names[1]);
}

static int bus_on_client(void *userdata) {
        (void) userdata;
        for (; bus.reloads > 0; bus.reloads--)
                sim_reload();
        for (; bus.requests > 0; bus.requests--)
                bus_request();
        return 0;
}

static void bus_open(void) {
        bus.reloads = bus.requests = 0;
        if (loop_add_defer(sim_loop(), &bus.source, LOOP_CLIENT, "bus", bus_on_client, NULL) < 0)
                sim_fail("no memory");
}

static void accident_happen(void *userdata, uint64_t argument) {
        (void) userdata;
        (void) argument;
        switch (world_choose(12)) {
        case 0:
        case 1:
        case 2:
                accident_kill();
                break;
        case 3:
                accident_lie();
                break;
        case 4:
                accident_stranger();
                break;
        case 5:
                fake_signal(SIGUSR1);
                break;
        case 6:
        case 7:
                accident_reload();
                break;
        case 8:
                ask_request();
                break;
        case 9:
                sim_set_reload(random_once_in(2) ? -ENOMEM : CONFIG_E_INVALID);
                fake_signal(SIGHUP);
                break;
        case 10:
                fake_signal(SIGPIPE);
                break;
        default:
                if (random_once_in(3))
                        sim_sleep(random_time());
                break;
        }
}

/* Accidents on the way down too. */
static void plan_accidents(usec_t stop) {
        unsigned count = world_choose(ACCIDENT_MAX);

        for (unsigned i = 0; i < count; i++) {
                usec_t when = random_once_in(2) ? random_time() : stop + random_time();
                if (stop > 20 * SEC && !random_once_in(4))
                        when = world_choose((unsigned) (stop / MS)) * MS;
                world_plan(usec_add(world_now(), when), accident_happen, NULL, 0);
        }
}

static void plan_failing_doors(void) {
        static const int errors[] = { ENOMEM, EMFILE, EPERM, EIO };

        if (!random_once_in(3))
                return;
        for (unsigned i = 0; i <= world_choose(3); i++)
                fake_fail_randomly(world_choose(DOOR_MAX_),
                                   errors[world_choose(ELEMENTSOF(errors))],
                                   random_once_in(4) ? 1000 : 20 + world_choose(300));
        watch_allow_failures();
}

static void raise_stop(void *userdata, uint64_t signo) {
        (void) userdata;
        fake_signal((int) signo);
}

static void plan_stop(usec_t stop) {
        static const int signals[] = { SIGTERM, SIGTERM, SIGTERM, SIGINT, SIGQUIT };
        usec_t when = usec_add(world_now(), stop);

        world_plan(when, raise_stop, NULL, (uint64_t) signals[world_choose(ELEMENTSOF(signals))]);
        for (unsigned i = world_choose(4); i > 0; i--)
                world_plan(usec_add(when, random_time()), raise_stop, NULL,
                           random_once_in(3) ? SIGQUIT : SIGTERM);
}

/*
 * The first process of the world is nobody's; scripts that lie name it, as 100. Others are of an
 * earlier run; by descent they are only found if they are below us.
 */
static void plan_strangers(unsigned daemons) {
        bool descent = strstr(random_settings(), "cgroups = false") != NULL;
        char tree[16];

        (void) process_add(1, "", NULL);
        while (random_once_in(5)) {
                snprintf(tree, sizeof(tree), "d%u", world_choose(daemons));
                (void) process_add(descent ? WORLD_SUPERVISOR : 1, tree,
                                   world_find_program("/h/hang"));
        }
}

/* ---- one run ---- */

void scenario_run(uint64_t seed) {
        usec_t stop, limit;

        world_begin(seed);
        grace_choice = seed;
        unsigned count =
                random_once_in(2) ? 1 + world_choose(4) : 1 + world_choose(RANDOM_DAEMON_MAX);
        random_daemons(count);
        const char *settings = choose_settings();
        world_trace("supervisor: %s\n%s", settings, random_config());

        sim_begin_with(seed, settings, random_config());
        bus_open();
        plan_strangers(count);
        plan_failing_doors();
        stop = random_once_in(3) ? random_time() : random_time() + random_time() + random_time();
        if (random_once_in(2)) /* long enough for reloads to come to their end */
                stop = usec_add(30 * SEC, 10 * random_time());
        plan_stop(stop);
        plan_accidents(stop);

        sim_start();
        limit = usec_add(world_now(), RUN_MOST + STOP_MOST);
        while (!sim_exited()) {
                if (!sim_step() && !sim_exited())
                        sim_fail("nothing can happen any more, but the stop is not over");
                if (world_now() > limit)
                        sim_fail("the stop takes for ever");
        }
        world_drop_plans();
        bus.source = loop_source_free(bus.source);
        sim_end();
}
