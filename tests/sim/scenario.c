/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sim/scenario.h"

#include <signal.h>

#include "sim/accidents.h"
#include "sim/bus.h"
#include "sim/random.h"
#include "sim/sim.h"

#define RUN_MOST  (150 * SEC)
#define STOP_MOST (2000 * SEC) /* on top of the times that the machine stood still */

/* Of the scenario at hand: doors fail; notices are lost. */
static bool failures, lossy;

static unsigned choose_count(void) {
        switch (world_choose(16)) {
        case 0:
                return 1 + world_choose(RANDOM_DAEMON_MAX);
        case 1:
        case 2:
        case 3:
        case 4:
                return 1 + world_choose(RANDOM_DAEMON_MAX / 2);
        default:
                return 1 + world_choose(4);
        }
}

static usec_t choose_stop(void) {
        usec_t stop =
                random_once_in(3) ? random_time() : random_time() + random_time() + random_time();

        /* long enough for reloads to come to their end */
        return random_once_in(2) ? stop : usec_add(30 * SEC, 10 * random_time());
}

/* Until it has stopped, or until it is to be killed. */
static void run_life(usec_t end) {
        usec_t limit = usec_add(world_now(), RUN_MOST + STOP_MOST);

        while (!sim_exited() && world_now() < end) {
                if (!sim_step() && !sim_exited())
                        sim_fail("nothing can happen any more, but the stop is not over");
                if (world_now() > usec_add(limit, sim_slept()))
                        sim_fail("the stop takes for ever");
        }
        world_drop_plans();
        bus_close();
}

/* What is left of the daemons, as systemd does for a service that is gone. */
static void kill_the_rest(void) {
        unsigned cursor = 0;

        for (FakeProcess *process; (process = process_each(&cursor));)
                if (*process->tree->name)
                        process_hear(process, SIGKILL);
}

/* A supervisor that is killed at some time, or a whole one; false: there is none. */
static bool live(bool first, bool killed) {
        if (!sim_try_make(random_settings(), random_config())) {
                if (!failures)
                        sim_fail("the supervisor cannot be made");
                return false;
        }
        if (failures)
                watch_allow_failures();
        if (lossy) {
                fake_lose_tree_notices(250);
                watch_allow_losses();
        }
        bus_open();
        if (first)
                accidents_plan_strangers();

        usec_t stop = choose_stop();
        accidents_plan_stop(stop);
        accidents_plan(stop);
        sim_start();
        run_life(killed ? usec_add(world_now(), stop + random_time()) : USEC_INFINITY);
        return true;
}

void scenario_run(uint64_t seed) {
        world_begin(seed);
        random_daemons(choose_count());
        world_trace("supervisor: %s\n%s", random_settings(), random_config());
        failures = accidents_plan_failures();
        lossy = random_once_in(8);

        bool first = true;
        while (random_once_in(6)) {
                bool killed = random_once_in(2);

                if (live(first, killed)) {
                        if (sim_exited())
                                sim_leave();
                        else
                                sim_kill();
                }
                if (random_once_in(2))
                        kill_the_rest();
                world_pass(random_time());
                first = false;
        }
        if (live(first, false))
                sim_end();
        else
                world_end();
}
