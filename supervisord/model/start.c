/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of a start; see the header. */

#include "model/start.h"

static StartVerdict start_verdict_of_edge(const GraphEdge *edge, DaemonState state, bool pending) {
        if (state == STATE_RUNNING)
                return START_NOW;
        if (pending || !daemon_state_is_settled(state))
                return START_WAIT;
        if (!edge->required)
                return START_NOW;
        /* a delayed one will try again, a resting one will not */
        return daemon_state_is_resting(state) ? START_BLOCKED : START_WAIT;
}

StartVerdict start_verdict(const Graph *graph,
                           const DaemonState *states,
                           const bool *pending,
                           unsigned node,
                           unsigned *ret_because) {
        GraphEdges needs = graph_needs(graph, node);
        StartVerdict verdict = START_NOW;

        for (size_t i = 0; i < needs.count; i++) {
                unsigned other = needs.edges[i].node;
                StartVerdict v =
                        start_verdict_of_edge(&needs.edges[i], states[other], pending[other]);

                if (v > verdict) {
                        verdict = v;
                        *ret_because = other;
                }
        }
        return verdict;
}
