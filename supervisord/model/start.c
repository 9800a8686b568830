/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order of a start; see the header. */

#include "model/start.h"

static StartVerdict start_verdict_of_edge(const GraphEdge *edge, const StartView *view) {
        DaemonState state = view->states[edge->node];

        if (daemon_state_is_ready(state))
                return START_NOW;
        if (view->pending[edge->node])
                return START_WAIT;
        if (view->paused[edge->node])
                return edge->required ? START_WAIT : START_NOW;
        if (!daemon_state_is_settled(state))
                return START_WAIT;
        if (!edge->required)
                return START_NOW;
        /* a delayed one will try again, a resting one will not */
        return daemon_state_is_resting(state) ? START_BLOCKED : START_WAIT;
}

StartVerdict start_verdict(const Graph *graph,
                           const StartView *view,
                           unsigned node,
                           unsigned *ret_because) {
        GraphEdges needs = graph_needs(graph, node);
        StartVerdict verdict = START_NOW;

        for (size_t i = 0; i < needs.count; i++) {
                StartVerdict v = start_verdict_of_edge(&needs.edges[i], view);

                if (v > verdict) {
                        verdict = v;
                        *ret_because = needs.edges[i].node;
                }
        }
        return verdict;
}
