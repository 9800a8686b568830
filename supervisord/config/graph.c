/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The graph as two tables of edges, sorted by node: one for each direction. Walks use a stack of
 * their own, so that a chain of any length is safe. Pure, nothing here can block.
 */

#include "config/graph.h"

#include <errno.h>

/* The edges of node n are edges[first[n]] … edges[first[n + 1] - 1]. */
typedef struct GraphTable {
        size_t *first;
        GraphEdge *edges;
} GraphTable;

struct Graph {
        size_t count;
        GraphTable needs;
        GraphTable needed_by;
};

static int graph_compare(const void *a, const void *b) {
        const GraphInput *x = a, *y = b;

        if (x->from != y->from)
                return x->from < y->from ? -1 : 1;
        if (x->to != y->to)
                return x->to < y->to ? -1 : 1;
        return y->required - x->required;
}

/* Sorts and merges the edges; of doubled ones the required one stands first and stays. */
static size_t graph_merge(GraphInput *edges, size_t count) {
        size_t kept = 0;

        qsort(edges, count, sizeof(GraphInput), graph_compare);
        for (size_t i = 0; i < count; i++)
                if (kept == 0 || edges[kept - 1].from != edges[i].from ||
                    edges[kept - 1].to != edges[i].to)
                        edges[kept++] = edges[i];
        return kept;
}

/* Fills the table from sorted edges. */
static int graph_table_fill(GraphTable *table,
                            size_t node_count,
                            const GraphInput *edges,
                            size_t edge_count) {
        size_t edge = 0;

        table->first = calloc(node_count + 1, sizeof(size_t));
        table->edges = calloc(edge_count + 1, sizeof(GraphEdge));
        if (!table->first || !table->edges)
                return -ENOMEM;
        for (size_t node = 0; node < node_count; node++) {
                table->first[node] = edge;
                for (; edge < edge_count && edges[edge].from == node; edge++)
                        table->edges[edge] = (GraphEdge) { .node = edges[edge].to,
                                                           .required = edges[edge].required };
        }
        table->first[node_count] = edge;
        return 0;
}

static void graph_turn(GraphInput *edges, size_t count) {
        for (size_t i = 0; i < count; i++)
                edges[i] = (GraphInput) { .from = edges[i].to, .to = edges[i].from,
                                          .required = edges[i].required };
}

int graph_new(size_t count, const GraphInput *edges, size_t edge_count, Graph **ret) {
        CLEANUP(graph_freep) Graph *graph = NULL;
        CLEANUP(freep) GraphInput *sorted = NULL;
        int r;

        graph = calloc(1, sizeof(Graph));
        sorted = calloc(edge_count + 1, sizeof(GraphInput));
        if (!graph || !sorted)
                return -ENOMEM;
        graph->count = count;
        for (size_t i = 0; i < edge_count; i++)
                sorted[i] = edges[i];

        edge_count = graph_merge(sorted, edge_count);
        r = graph_table_fill(&graph->needs, count, sorted, edge_count);
        if (r < 0)
                return r;
        graph_turn(sorted, edge_count);
        edge_count = graph_merge(sorted, edge_count);
        r = graph_table_fill(&graph->needed_by, count, sorted, edge_count);
        if (r < 0)
                return r;
        *ret = TAKE(graph);
        return 0;
}

Graph *graph_free(Graph *graph) {
        if (!graph)
                return NULL;
        free(graph->needs.first);
        free(graph->needs.edges);
        free(graph->needed_by.first);
        free(graph->needed_by.edges);
        free(graph);
        return NULL;
}

size_t graph_size(const Graph *graph) {
        return graph->count;
}

static GraphEdges graph_table_get(const GraphTable *table, unsigned node) {
        return (GraphEdges) { .edges = table->edges + table->first[node],
                              .count = table->first[node + 1] - table->first[node] };
}

GraphEdges graph_needs(const Graph *graph, unsigned node) {
        return graph_table_get(&graph->needs, node);
}

GraphEdges graph_needed_by(const Graph *graph, unsigned node) {
        return graph_table_get(&graph->needed_by, node);
}

typedef struct GraphVisit {
        enum { GRAPH_UNSEEN, GRAPH_OPEN, GRAPH_DONE } state;
        size_t next; /* the edge to follow next */
} GraphVisit;

/*
 * Follows needs from `start` as far as it goes; path[0..*length) are the open nodes. Returns the
 * place in the path to which an edge leads back, or SIZE_MAX once everything below is done.
 */
static size_t graph_follow(const Graph *graph,
                           unsigned start,
                           GraphVisit *visits,
                           unsigned *path,
                           size_t *length) {
        path[0] = start;
        *length = 1;
        visits[start].state = GRAPH_OPEN;
        while (*length > 0) {
                unsigned node = path[*length - 1], next;
                GraphEdges needs = graph_needs(graph, node);

                if (visits[node].next == needs.count) {
                        visits[node].state = GRAPH_DONE;
                        (*length)--;
                        continue;
                }
                next = needs.edges[visits[node].next++].node;
                if (visits[next].state == GRAPH_UNSEEN) {
                        visits[next].state = GRAPH_OPEN;
                        path[(*length)++] = next;
                } else if (visits[next].state == GRAPH_OPEN) {
                        size_t back = *length - 1;

                        while (path[back] != next)
                                back--;
                        return back;
                }
        }
        return SIZE_MAX;
}

int graph_find_cycle(const Graph *graph, unsigned *ret_cycle, size_t *ret_length) {
        CLEANUP(freep) GraphVisit *visits = NULL;
        CLEANUP(freep) unsigned *path = NULL;

        visits = calloc(graph->count + 1, sizeof(GraphVisit));
        path = calloc(graph->count + 1, sizeof(unsigned));
        if (!visits || !path)
                return -ENOMEM;
        for (unsigned start = 0; start < graph->count; start++) {
                size_t length, back;

                if (visits[start].state != GRAPH_UNSEEN)
                        continue;
                back = graph_follow(graph, start, visits, path, &length);
                if (back == SIZE_MAX)
                        continue;
                for (size_t i = back; i < length; i++)
                        ret_cycle[i - back] = path[i];
                *ret_length = length - back;
                return 0;
        }
        *ret_length = 0;
        return 0;
}

int graph_order(const Graph *graph, unsigned *ret_order) {
        CLEANUP(freep) size_t *missing = NULL;
        size_t placed = 0;

        missing = calloc(graph->count + 1, sizeof(size_t));
        if (!missing)
                return -ENOMEM;
        for (unsigned node = 0; node < graph->count; node++) {
                missing[node] = graph_needs(graph, node).count;
                if (missing[node] == 0)
                        ret_order[placed++] = node;
        }
        /* The order itself is the queue of nodes whose dependents may follow. */
        for (size_t done = 0; done < placed; done++) {
                GraphEdges needed_by = graph_needed_by(graph, ret_order[done]);

                for (size_t i = 0; i < needed_by.count; i++)
                        if (--missing[needed_by.edges[i].node] == 0)
                                ret_order[placed++] = needed_by.edges[i].node;
        }
        return placed == graph->count ? 0 : -ELOOP;
}
