/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What supervisor.grace promises, computed anew: from the begin of the stop of everything to its
 * end it is kept, whatever happens meanwhile, unless the machine stood still. Barriers hold as long
 * as there is time for the phases, and only then is anything cut.
 */

#include "sim/watch.h"

#define RESERVE_LEAST (1 * SEC)
#define RESERVE_MOST  (5 * SEC)
#define EXIT_TIME     (500 * MS) /* for what comes after the loop */

void watch_grace_begin(void) {
        watch.stop_begun = world_now();
        watch.grace = sim_supervisor()->generation->config->supervisor.grace;
}

void watch_allow_abandoning(void) {
        watch.abandoned = true;
}

static bool watch_is_limited(void) {
        return watch.stop_begun > 0 && watch.grace != USEC_INFINITY;
}

static usec_t watch_grace_end(void) {
        return watch.stop_begun + watch.grace - EXIT_TIME;
}

usec_t watch_cut(const Run *run) {
        usec_t reserve = watch.grace / 10 / MS * MS;

        if (!watch_is_limited() || run->sequence != sim_supervisor()->generation->sequence)
                return USEC_INFINITY;
        reserve = MAX_OF(reserve, RESERVE_LEAST);
        return watch.stop_begun + watch.grace - MIN_OF(reserve, RESERVE_MOST);
}

void watch_judge_left(const Run *run, unsigned node) {
        if (watch_cut(run) == USEC_INFINITY || !run->deadline_given[node])
                sim_fail("%s is left behind without a reason", watch_name(node));
        if (world_now() < watch_grace_end() || watch_is_over(watch_grace_end()))
                sim_fail("%s is left behind at another moment than the end", watch_name(node));
}

void watch_judge_grace(void) {
        if (watch_is_limited() && watch_is_over(watch_grace_end()))
                sim_fail("the stop takes longer than its grace of %llu us",
                         (unsigned long long) watch.grace);
}
