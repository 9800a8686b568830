/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Restart policy. The delay is a least time between two *starts*, so that a daemon which ran for
 * longer than that is replaced at once, and only one that keeps dying has to wait. Whoever waits
 * waits a little longer by a part of its own, so that those that died together are not started
 * together; it is made of the daemon's name, and needs no dice.
 */

#include "model/restart.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/parse.h"

static usec_t restart_interval(const DaemonConfig *config, unsigned in_a_row) {
        usec_t interval = config->restart.delay;

        for (unsigned i = 0; i < in_a_row && interval < config->restart.delay_max; i++)
                interval = usec_add(interval, interval);
        return MIN_OF(interval, config->restart.delay_max);
}

/* From nothing to restart.jitter percent of the interval. */
static usec_t restart_jitter(const DaemonConfig *config, usec_t interval, unsigned in_a_row) {
        uint64_t hash = HASH_BASIS;

        if (config->name)
                hash = hash_add(hash, config->name, strlen(config->name));
        hash = hash_add(hash, &in_a_row, sizeof(in_a_row));
        return interval / 100 * (usec_t) config->restart.jitter / 1000 * (hash % 1001);
}

/* Of the restarts that are remembered, those that were no longer ago than the window. */
static unsigned restart_count_in_window(const DaemonConfig *config,
                                        const RestartHistory *history,
                                        usec_t now,
                                        usec_t *ret_first) {
        unsigned count = 0, most = MIN_OF(history->end_count, (unsigned) RESTART_WINDOW_MAX);

        *ret_first = now;
        for (; count < most; count++) {
                usec_t end = history->ends[(history->end_count - 1 - count) % RESTART_WINDOW_MAX];

                if (usec_sub(now, end) >= config->restart.window)
                        break;
                *ret_first = end;
        }
        return count;
}

/* What the limit limits, and since when that is counted. */
static unsigned restart_count(const DaemonConfig *config,
                              const RestartHistory *history,
                              usec_t now,
                              usec_t *ret_first) {
        if (config->restart.window != USEC_INFINITY)
                return restart_count_in_window(config, history, now, ret_first);
        *ret_first = history->row_begun;
        return history->in_a_row;
}

RestartVerdict restart_decide(const DaemonConfig *config,
                              RestartHistory *history,
                              bool clean,
                              usec_t now,
                              usec_t *ret_delay) {
        usec_t first;

        if (clean && config->restart.policy != RESTART_ALWAYS)
                return RESTART_REST;
        if (config->restart.policy == RESTART_NEVER)
                return RESTART_GIVE_UP;

        if (usec_sub(now, history->started) >= config->restart.reset)
                history->in_a_row = 0;
        if (config->restart.limit > 0 &&
            restart_count(config, history, now, &first) >= config->restart.limit)
                return RESTART_AT_LIMIT;

        usec_t interval = restart_interval(config, history->in_a_row);
        usec_t delay = usec_sub(usec_add(history->started, interval), now);
        if (delay > 0)
                delay = usec_add(delay, restart_jitter(config, interval, history->in_a_row));
        if (history->in_a_row++ == 0)
                history->row_begun = now;
        history->ends[history->end_count++ % RESTART_WINDOW_MAX] = now;
        *ret_delay = delay;
        return RESTART_RETRY;
}

void restart_forget(RestartHistory *history) {
        history->in_a_row = history->end_count = 0;
}

const char *restart_limit_text(char buffer[static RESTART_TEXT_MAX],
                               const DaemonConfig *config,
                               const RestartHistory *history,
                               usec_t now) {
        char elapsed[DURATION_TEXT_MAX];
        usec_t first;
        unsigned count = restart_count(config, history, now, &first);

        snprintf(buffer, RESTART_TEXT_MAX, "%u %s in %s", count,
                 PLURAL(count, "restart", "restarts"),
                 format_elapsed(elapsed, usec_sub(now, first)));
        return buffer;
}

const char *restart_count_text(char buffer[static RESTART_TEXT_MAX],
                               const DaemonConfig *config,
                               const RestartHistory *history,
                               usec_t now) {
        usec_t first;
        unsigned count = restart_count(config, history, now, &first);

        if (config->restart.limit > 0)
                snprintf(buffer, RESTART_TEXT_MAX, "restart %u of %lld", count,
                         (long long) config->restart.limit);
        else
                snprintf(buffer, RESTART_TEXT_MAX, "restart %u in a row", history->in_a_row);
        return buffer;
}
