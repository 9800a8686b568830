/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counting looks, and placing them; see the header. */

#include "model/health.h"

/* 2^32 by the golden ratio: multiples of it are spread evenly, however many there are. */
#define HEALTH_SPREAD UINT32_C(2654435769)

HealthVerdict health_count(const DaemonConfig *daemon, HealthCount *count, bool good) {
        bool decides = daemon->health.on == HEALTH_NOTIFY;
        unsigned failures = decides ? 1 : (unsigned) daemon->health.failures;
        unsigned successes = decides ? 1 : (unsigned) daemon->health.successes;
        bool was_sick = count->sick;

        if (good) {
                count->failures = 0;
                count->successes += count->successes < successes;
                count->sick = was_sick && count->successes < successes;
        } else {
                count->successes = 0;
                count->failures += count->failures < UINT32_MAX;
                count->sick = was_sick || count->failures >= failures;
        }
        return count->sick == was_sick ? HEALTH_AS_BEFORE
               : count->sick           ? HEALTH_FELL_SICK
                                       : HEALTH_GOT_WELL;
}

usec_t health_next(const DaemonConfig *daemon, usec_t now) {
        usec_t interval = daemon->health.interval;
        uint32_t place = ((uint32_t) daemon->index * HEALTH_SPREAD) >> 16;
        usec_t offset = (interval * place) >> 16;
        usec_t due = now - now % interval + offset;

        return due > now ? due : due + interval;
}
