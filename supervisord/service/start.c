/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who is started when: a pending daemon as soon as all that it needs is ready, so in parallel where
 * the graph allows.
 */

#include "model/start.h"

#include "service/object.h"

static void start_end_pending(Generation *generation, unsigned node) {
        generation->pending[node] = false;
        generation->pending_count--;
}

static StartVerdict start_judge(const Generation *generation,
                                unsigned node,
                                unsigned *ret_because) {
        StartView view = {
                .states = generation->states,
                .pending = generation->pending,
                .paused = generation->paused,
        };

        return start_verdict(generation->config->graph, &view, node, ret_because);
}

static void start_consider(Supervisor *supervisor, unsigned node) {
        Generation *generation = supervisor->generation;
        unsigned because = 0;

        if (!generation->pending[node])
                return;
        if (daemon_state_is_up(generation->states[node])) {
                start_end_pending(generation, node);
                return;
        }

        switch (start_judge(generation, node, &because)) {
        case START_NOW:
                start_end_pending(generation, node);
                child_order(generation->children[node], EVENT_START);
                generation_look(generation, node);
                break;
        case START_BLOCKED:
                start_end_pending(generation, node);
                child_block(generation->children[node], generation->children[because]);
                generation_look(generation, node);
                start_consider_after(supervisor, node); /* its state may be the same as before */
                break;
        case START_WAIT:
                break;
        }
}

void start_consider_after(Supervisor *supervisor, unsigned node) {
        Generation *generation = supervisor->generation;

        if (generation->pending_count == 0)
                return;

        GraphEdges waiting = graph_needed_by(generation->config->graph, node);
        for (size_t i = 0; i < waiting.count; i++)
                start_consider(supervisor, waiting.edges[i].node);
}

void start_begin(Supervisor *supervisor, const bool *set) {
        Generation *generation = supervisor->generation;

        for (size_t i = 0; i < generation->count; i++)
                if ((!set || set[i]) && !generation->pending[i]) {
                        generation->pending[i] = true;
                        generation->pending_count++;
                }
        for (unsigned i = 0; i < generation->count && generation->pending_count > 0; i++)
                start_consider(supervisor, i);
        loop_defer_arm(supervisor->settle);
}

/*
 * A daemon that is between two tries has had its chance, and so have those that wait for it: a
 * service that comes up in part is up. Who waits for one that is out of service waits for an
 * operator, and nobody shall wait for that.
 */
static bool start_has_had_its_chance(const Generation *generation, unsigned node) {
        unsigned because = 0;

        if (!generation->pending[node]) /* out of service it stays if it may not start */
                return daemon_state_is_settled(generation->states[node]) ||
                       generation->paused[node];
        if (start_judge(generation, node, &because) != START_WAIT)
                return false;
        return generation->pending[because] || generation->paused[because] ||
               generation->states[because] == STATE_DELAYED;
}

bool start_is_over(const Supervisor *supervisor, const bool *set) {
        const Generation *generation = supervisor->generation;

        for (unsigned i = 0; i < generation->count; i++)
                if ((!set || set[i]) && !start_has_had_its_chance(generation, i))
                        return false;
        return true;
}

void start_cancel(Supervisor *supervisor) {
        Generation *generation = supervisor->generation;

        for (size_t i = 0; i < generation->count; i++)
                generation->pending[i] = false;
        generation->pending_count = 0;
}
