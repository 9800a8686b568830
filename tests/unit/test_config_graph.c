/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * config/graph: both directions, merged edges, cycles, orders; also with very many nodes.
 */

#include <stdlib.h>

#include "config/graph.h"
#include "unit.h"

#define MANY 100000

static Graph *make(size_t count, const GraphInput *edges, size_t edge_count) {
        Graph *graph = NULL;

        ck_assert_int_eq(graph_new(count, edges, edge_count, &graph), 0);
        ck_assert_uint_eq(graph_size(graph), count);
        return graph;
}

static size_t find_cycle(const Graph *graph, unsigned *cycle) {
        size_t length = 4711;

        ck_assert_int_eq(graph_find_cycle(graph, cycle, &length), 0);
        return length;
}

static bool has_edge(const Graph *graph, unsigned from, unsigned to) {
        GraphEdges needs = graph_needs(graph, from);

        for (size_t i = 0; i < needs.count; i++)
                if (needs.edges[i].node == to)
                        return true;
        return false;
}

/* Each node once, and after all that it needs. */
static void assert_order(const Graph *graph) {
        CLEANUP(freep) unsigned *order = calloc(graph_size(graph) + 1, sizeof(unsigned));
        CLEANUP(freep) bool *seen = calloc(graph_size(graph) + 1, sizeof(bool));

        ck_assert_int_eq(graph_order(graph, order), 0);
        for (size_t i = 0; i < graph_size(graph); i++) {
                GraphEdges needs = graph_needs(graph, order[i]);

                ck_assert(!seen[order[i]]);
                for (size_t j = 0; j < needs.count; j++)
                        ck_assert(seen[needs.edges[j].node]);
                seen[order[i]] = true;
        }
}

START_TEST(test_empty) {
        CLEANUP(graph_freep) Graph *graph = make(0, NULL, 0);
        unsigned cycle[1];

        ck_assert_uint_eq(find_cycle(graph, cycle), 0);
        assert_order(graph);
        ck_assert_ptr_null(graph_free(NULL));
}
END_TEST

START_TEST(test_edges) {
        const GraphInput edges[] = { { 2, 0, true }, { 2, 1, false }, { 0, 1, false } };
        CLEANUP(graph_freep) Graph *graph = make(3, edges, ELEMENTSOF(edges));
        GraphEdges needs = graph_needs(graph, 2), needed_by = graph_needed_by(graph, 1);

        ck_assert_uint_eq(needs.count, 2);
        ck_assert_uint_eq(needs.edges[0].node, 0);
        ck_assert(needs.edges[0].required);
        ck_assert_uint_eq(needs.edges[1].node, 1);
        ck_assert(!needs.edges[1].required);
        ck_assert_uint_eq(needed_by.count, 2);
        ck_assert_uint_eq(needed_by.edges[0].node, 0);
        ck_assert_uint_eq(needed_by.edges[1].node, 2);
        ck_assert_uint_eq(graph_needs(graph, 1).count, 0);
        ck_assert_uint_eq(graph_needed_by(graph, 2).count, 0);
        assert_order(graph);
}
END_TEST

START_TEST(test_doubled_edges) {
        const GraphInput edges[] = {
                { 0, 1, false }, { 0, 1, true }, { 0, 1, false }, { 1, 2, false }, { 1, 2, false }
        };
        CLEANUP(graph_freep) Graph *graph = make(3, edges, ELEMENTSOF(edges));

        ck_assert_uint_eq(graph_needs(graph, 0).count, 1);
        ck_assert(graph_needs(graph, 0).edges[0].required);
        ck_assert_uint_eq(graph_needed_by(graph, 1).count, 1);
        ck_assert(graph_needed_by(graph, 1).edges[0].required);
        ck_assert_uint_eq(graph_needs(graph, 1).count, 1);
        ck_assert(!graph_needs(graph, 1).edges[0].required);
}
END_TEST

START_TEST(test_order_keeps_places) {
        CLEANUP(graph_freep) Graph *graph = make(4, NULL, 0);
        unsigned order[4];

        ck_assert_int_eq(graph_order(graph, order), 0);
        for (unsigned i = 0; i < 4; i++)
                ck_assert_uint_eq(order[i], i);
}
END_TEST

START_TEST(test_cycle) {
        /* A tail 0 -> 1 leads into the cycle 1 -> 2 -> 3 -> 1. */
        const GraphInput edges[] = {
                { 0, 1, true }, { 1, 2, true }, { 2, 3, false }, { 3, 1, true }, { 3, 4, true }
        };
        CLEANUP(graph_freep) Graph *graph = make(5, edges, ELEMENTSOF(edges));
        unsigned cycle[5], order[5];
        size_t length = find_cycle(graph, cycle);

        ck_assert_uint_eq(length, 3);
        for (size_t i = 0; i < length; i++)
                ck_assert(has_edge(graph, cycle[i], cycle[(i + 1) % length]));
        ck_assert_int_lt(graph_order(graph, order), 0);
}
END_TEST

START_TEST(test_cycle_of_one) {
        const GraphInput edges[] = { { 1, 1, true } };
        CLEANUP(graph_freep) Graph *graph = make(2, edges, ELEMENTSOF(edges));
        unsigned cycle[2];

        ck_assert_uint_eq(find_cycle(graph, cycle), 1);
        ck_assert_uint_eq(cycle[0], 1);
}
END_TEST

START_TEST(test_diamond_is_no_cycle) {
        const GraphInput edges[] = {
                { 0, 1, true }, { 0, 2, true }, { 1, 3, true }, { 2, 3, true }
        };
        CLEANUP(graph_freep) Graph *graph = make(4, edges, ELEMENTSOF(edges));
        unsigned cycle[4];

        ck_assert_uint_eq(find_cycle(graph, cycle), 0);
        assert_order(graph);
}
END_TEST

/* A chain needs no stack, and its end makes it a cycle. */
START_TEST(test_long_chain) {
        CLEANUP(freep) GraphInput *edges = calloc(MANY, sizeof(GraphInput));
        CLEANUP(freep) unsigned *cycle = calloc(MANY, sizeof(unsigned));

        ck_assert_ptr_nonnull(edges);
        ck_assert_ptr_nonnull(cycle);
        for (unsigned i = 0; i < MANY; i++)
                edges[i] = (GraphInput) { .from = i, .to = (i + 1) % MANY };
        for (size_t closed = 0; closed < 2; closed++) {
                CLEANUP(graph_freep) Graph *graph = make(MANY, edges, MANY - 1 + closed);

                ck_assert_uint_eq(find_cycle(graph, cycle), closed ? MANY : 0);
                if (!closed)
                        assert_order(graph);
        }
}
END_TEST

/* Random graphs, acyclic as each node needs only later ones; one edge back makes a cycle. */
START_TEST(test_random) {
        GraphInput edges[120];
        unsigned seed = 1, cycle[40];

        for (unsigned round = 0; round < 200; round++) {
                CLEANUP(graph_freep) Graph *graph = NULL, *cyclic = NULL;
                size_t length;

                for (size_t i = 0; i + 1 < ELEMENTSOF(edges); i++) {
                        unsigned from = (unsigned) rand_r(&seed) % 39;
                        unsigned to = from + 1 + (unsigned) rand_r(&seed) % (39 - from);

                        edges[i] = (GraphInput) { .from = from,
                                                 .to = to,
                                                 .required = rand_r(&seed) % 2 };
                }
                graph = make(40, edges, ELEMENTSOF(edges) - 1);
                ck_assert_uint_eq(find_cycle(graph, cycle), 0);
                assert_order(graph);

                edges[ELEMENTSOF(edges) - 1] =
                        (GraphInput) { .from = edges[0].to, .to = edges[0].from };
                cyclic = make(40, edges, ELEMENTSOF(edges));
                length = find_cycle(cyclic, cycle);
                ck_assert_uint_ge(length, 2);
                for (size_t i = 0; i < length; i++)
                        ck_assert(has_edge(cyclic, cycle[i], cycle[(i + 1) % length]));
        }
}
END_TEST

static Suite *make_suite(void) {
        Suite *suite = suite_create("config/graph");
        TCase *tcase = tcase_create("graph");

        tcase_add_test(tcase, test_empty);
        tcase_add_test(tcase, test_edges);
        tcase_add_test(tcase, test_doubled_edges);
        tcase_add_test(tcase, test_order_keeps_places);
        tcase_add_test(tcase, test_cycle);
        tcase_add_test(tcase, test_cycle_of_one);
        tcase_add_test(tcase, test_diamond_is_no_cycle);
        tcase_add_test(tcase, test_long_chain);
        tcase_add_test(tcase, test_random);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_main(make_suite());
}
