/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who is started when: a pending daemon as soon as all that it needs is ready, so in parallel where
 * the graph allows.
 */

#include "model/start.h"
#include "service/object.h"

static void start_end_pending(Supervisor *supervisor, unsigned node) {
        supervisor->pending[node] = false;
        supervisor->pending_count--;
}

static void start_consider(Supervisor *supervisor, unsigned node) {
        unsigned because = 0;

        if (!supervisor->pending[node])
                return;

        switch (start_verdict(supervisor->config->graph, supervisor->states, supervisor->pending, node,
                              &because)) {
        case START_NOW:
                start_end_pending(supervisor, node);
                child_order(supervisor->children[node], EVENT_START);
                supervisor->states[node] = child_state(supervisor->children[node]);
                break;
        case START_BLOCKED:
                start_end_pending(supervisor, node);
                child_block(supervisor->children[node], supervisor->children[because]);
                break;
        case START_WAIT:
                break;
        }
}

void start_consider_all(Supervisor *supervisor) {
        for (unsigned i = 0; i < supervisor->count && supervisor->pending_count > 0; i++)
                start_consider(supervisor, i);
}

void start_consider_after(Supervisor *supervisor, unsigned node) {
        if (supervisor->pending_count == 0)
                return;

        GraphEdges waiting = graph_needed_by(supervisor->config->graph, node);
        for (size_t i = 0; i < waiting.count; i++)
                start_consider(supervisor, waiting.edges[i].node);
}

void start_begin(Supervisor *supervisor) {
        for (size_t i = 0; i < supervisor->count; i++)
                supervisor->pending[i] = true;
        supervisor->pending_count = supervisor->count;
        start_consider_all(supervisor);
        report_now(supervisor);
        loop_defer_arm(supervisor->settle);
}

/*
 * A daemon that is between two tries has had its chance, and so have those that wait for it: a
 * service that comes up in part is up.
 */
static bool start_has_had_its_chance(const Supervisor *supervisor, unsigned node) {
        unsigned because = 0;

        if (!supervisor->pending[node])
                return daemon_state_is_settled(supervisor->states[node]);
        if (start_verdict(supervisor->config->graph, supervisor->states, supervisor->pending, node,
                          &because) != START_WAIT)
                return false;
        return supervisor->pending[because] || supervisor->states[because] == STATE_DELAYED;
}

bool start_is_over(const Supervisor *supervisor) {
        for (unsigned i = 0; i < supervisor->count; i++)
                if (!start_has_had_its_chance(supervisor, i))
                        return false;
        return true;
}

void start_cancel(Supervisor *supervisor) {
        for (size_t i = 0; i < supervisor->count; i++)
                supervisor->pending[i] = false;
        supervisor->pending_count = 0;
}
