/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sim/scenario.h"

#include "sim/accidents.h"
#include "sim/bus.h"
#include "sim/random.h"
#include "sim/sim.h"

#define RUN_MOST  (150 * SEC)
#define STOP_MOST (2000 * SEC) /* on top of the times that the machine stood still */

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

void scenario_run(uint64_t seed) {
        world_begin(seed);
        random_daemons(choose_count());
        world_trace("supervisor: %s\n%s", random_settings(), random_config());

        sim_begin_with(seed, random_settings(), random_config());
        bus_open();
        accidents_plan_strangers();
        accidents_plan_failures();
        usec_t stop = choose_stop();
        accidents_plan_stop(stop);
        accidents_plan(stop);

        sim_start();
        usec_t limit = usec_add(world_now(), RUN_MOST + STOP_MOST);
        while (!sim_exited()) {
                if (!sim_step() && !sim_exited())
                        sim_fail("nothing can happen any more, but the stop is not over");
                if (world_now() > usec_add(limit, sim_slept()))
                        sim_fail("the stop takes for ever");
        }
        world_drop_plans();
        bus_close();
        sim_end();
}
