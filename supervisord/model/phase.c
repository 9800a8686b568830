/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arithmetic of the phases' time windows; see the header for the rules. */

#include "model/phase.h"

const char *phase_name(Phase phase) {
        static const char *const names[PHASE_MAX_] = {
                [PHASE_FREEZE] = "freeze",
                [PHASE_DRAIN] = "drain",
                [PHASE_CLEANUP] = "cleanup",
        };
        return names[phase];
}

PhaseWindow phase_window(PhaseTimes times, usec_t wait) {
        PhaseWindow window;

        if (times.own != USEC_INFINITY)
                window = (PhaseWindow){ .from_begin = 0, .from_order = times.own };
        else
                window = (PhaseWindow){
                        .from_begin = times.phase,
                        .from_order = MAX_OF(times.least, wait > times.phase ? times.phase : 0),
                };

        window.latest = MAX_OF(window.from_begin, usec_add(wait, window.from_order));
        return window;
}

usec_t phase_window_deadline(const PhaseWindow *window, usec_t begun, usec_t ordered) {
        return MAX_OF(usec_add(begun, window->from_begin), usec_add(ordered, window->from_order));
}
