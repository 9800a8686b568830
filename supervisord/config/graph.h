/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The order of the daemons as a graph over their indexes: who must be ready before whom. `requires`
 * and `after` both make an edge; only `requires` makes a required one.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"

typedef struct GraphEdge {
        unsigned node;
        bool required;
} GraphEdge;

typedef struct GraphEdges {
        const GraphEdge *edges;
        size_t count;
} GraphEdges;

typedef struct Graph Graph;

/*
 * A graph of `count` nodes and the given edges: edge i says that from[i] needs to[i] first. Doubled
 * edges are merged (required wins).
 */
typedef struct GraphInput {
        unsigned from;
        unsigned to;
        bool required;
} GraphInput;

int graph_new(size_t count, const GraphInput *edges, size_t edge_count, Graph **ret);
Graph *graph_free(Graph *graph);
DEFINE_CLEANUP(Graph, graph_free)

size_t graph_size(const Graph *graph);
/* What `node` needs first. */
GraphEdges graph_needs(const Graph *graph, unsigned node);
/* Who needs `node` first. */
GraphEdges graph_needed_by(const Graph *graph, unsigned node);

/*
 * Finds a cycle: 0 and *ret_length = 0 if there is none, else its nodes in order in ret_cycle (room
 * for graph_size(), the first is not repeated).
 */
int graph_find_cycle(const Graph *graph, unsigned *ret_cycle, size_t *ret_length);

/*
 * All nodes, each after everything that it needs, in ret_order (room for graph_size()). -ELOOP if
 * there is a cycle.
 */
int graph_order(const Graph *graph, unsigned *ret_order);
