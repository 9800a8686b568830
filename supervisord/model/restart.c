/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Restart policy. The delay is a least time between two *starts*, so that a daemon which ran for
 * longer than that is replaced at once, and only one that keeps dying has to wait.
 */

#include "model/restart.h"

static usec_t restart_interval(const DaemonConfig *config, unsigned in_a_row) {
        usec_t interval = config->restart.delay;

        for (unsigned i = 0; i < in_a_row && interval < config->restart.delay_max; i++)
                interval = usec_add(interval, interval);
        return MIN_OF(interval, config->restart.delay_max);
}

RestartVerdict restart_decide(const DaemonConfig *config,
                              RestartHistory *history,
                              bool clean,
                              usec_t now,
                              usec_t *ret_delay) {
        if (clean && config->restart.policy != RESTART_ALWAYS)
                return RESTART_REST;
        if (config->restart.policy == RESTART_NEVER)
                return RESTART_GIVE_UP;

        if (usec_sub(now, history->started) >= config->restart.reset)
                history->in_a_row = 0;
        if (config->restart.limit > 0 && history->in_a_row >= config->restart.limit)
                return RESTART_GIVE_UP;

        usec_t due = usec_add(history->started, restart_interval(config, history->in_a_row));
        history->in_a_row++;
        *ret_delay = usec_sub(due, now);
        return RESTART_RETRY;
}
