/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The order of the daemons by name. Of each cycle one edge is left out after it was reported, so
 * that others are found as well. Pure, nothing here can block.
 */

#include "config/order.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "base/strv.h"
#include "config/remark.h"

/* Enough to see what is wrong; each costs a walk over the whole graph. */
#define ORDER_CYCLES_MAX 16
/* So many findings get a "did you mean"; each is compared with the names of all daemons. */
#define ORDER_NEAREST_MAX 100

typedef struct Order {
        Config *config;
        Diag *diag;
        const DaemonConfig **sorted; /* the daemons by name */
        const char **names;          /* their names, in the same order */
        GraphInput *edges;
        size_t edge_count;
} Order;

static void order_clear(Order *order) {
        free(order->sorted);
        free(order->names);
        free(order->edges);
}

static int order_compare(const void *a, const void *b) {
        const DaemonConfig *const *x = a, *const *y = b;

        return strcmp((*x)->name, (*y)->name);
}

static int order_compare_name(const void *name, const void *element) {
        return strcmp(name, (*(const DaemonConfig *const *) element)->name);
}

static const DaemonConfig *order_find(const Order *order, const char *name) {
        const DaemonConfig **found = bsearch(name, order->sorted, order->config->daemon_count,
                                             sizeof(*order->sorted), order_compare_name);

        return found ? *found : NULL;
}

/* Room for all edges that the names could make. */
static int order_prepare(Order *order) {
        Config *config = order->config;
        size_t count = config->daemon_count, edges = 0;

        for (size_t i = 0; i < count; i++)
                edges += strv_length(config->daemons[i].requires) +
                         strv_length(config->daemons[i].after);
        order->sorted = calloc(count + 1, sizeof(*order->sorted));
        order->names = calloc(count + 1, sizeof(*order->names));
        order->edges = calloc(edges + 1, sizeof(*order->edges));
        if (!order->sorted || !order->names || !order->edges)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++)
                order->sorted[i] = &config->daemons[i];
        qsort(order->sorted, count, sizeof(*order->sorted), order_compare);
        for (size_t i = 0; i < count; i++)
                order->names[i] = order->sorted[i]->name;
        return 0;
}

static void order_add_edge(Order *order,
                           const DaemonConfig *daemon,
                           const char *path,
                           const char *name) {
        const DaemonConfig *needed = order_find(order, name);
        const char *nearest = NULL;

        if (needed == daemon) {
                remark_error(order->diag, daemon, path, "it cannot wait for itself; remove \"%s\"",
                             name);
                return;
        }
        if (needed) {
                order->edges[order->edge_count++] = (GraphInput) {
                        .from = daemon->index,
                        .to = needed->index,
                        .required = strcmp(path, "requires") == 0,
                };
                return;
        }
        if (diag_errors(order->diag) < ORDER_NEAREST_MAX)
                nearest = nearest_word(name, order->names, order->config->daemon_count);
        if (nearest)
                remark_error(order->diag, daemon, path,
                             "there is no daemon \"%.64s\"; did you mean \"%s\"?", name, nearest);
        else
                remark_error(order->diag, daemon, path,
                             "there is no daemon \"%.64s\"; configure it or remove it here", name);
}

static void order_add_edges(Order *order, const DaemonConfig *daemon) {
        for (char **name = daemon->requires; name && *name; name++)
                order_add_edge(order, daemon, "requires", *name);
        for (char **name = daemon->after; name && *name; name++)
                order_add_edge(order, daemon, "after", *name);
}

/* "web -> app -> db -> web" */
static int order_report_cycle(const Order *order, const unsigned *cycle, size_t length) {
        const DaemonConfig *daemons = order->config->daemons, *first = &daemons[cycle[0]];
        const char *next = daemons[cycle[1]].name;
        CLEANUP(strv_freep) char **names = NULL;
        CLEANUP(freep) char *path = NULL;
        int r;

        for (size_t i = 0; i <= length; i++) {
                r = strv_append(&names, daemons[cycle[i % length]].name);
                if (r < 0)
                        return r;
        }
        path = strv_join(names, " -> ");
        if (!path)
                return -ENOMEM;
        remark_error(order->diag, first,
                     strv_contains(first->requires, next) ? "requires" : "after",
                     "these daemons wait for each other: %s; remove one of the arrows", path);
        return 0;
}

/* Leaves out every edge from the one node to the other. */
static void order_cut(Order *order, unsigned from, unsigned to) {
        size_t kept = 0;

        for (size_t i = 0; i < order->edge_count; i++)
                if (order->edges[i].from != from || order->edges[i].to != to)
                        order->edges[kept++] = order->edges[i];
        order->edge_count = kept;
}

/* Makes the graph and reports a cycle in it; *ret_acyclic says whether there was none. */
static int order_try(Order *order, unsigned *cycle, bool *ret_acyclic) {
        Config *config = order->config;
        size_t length;
        int r;

        config->graph = graph_free(config->graph);
        r = graph_new(config->daemon_count, order->edges, order->edge_count, &config->graph);
        if (r < 0)
                return r;
        r = graph_find_cycle(config->graph, cycle, &length);
        if (r < 0)
                return r;
        *ret_acyclic = length == 0;
        if (length == 0)
                return 0;
        order_cut(order, cycle[length - 1], cycle[0]);
        return order_report_cycle(order, cycle, length);
}

int order_resolve(Config *config, Diag *diag) {
        CLEANUP(order_clear) Order order = { .config = config, .diag = diag };
        CLEANUP(freep) unsigned *cycle = NULL;
        bool acyclic = false;
        int r;

        r = order_prepare(&order);
        if (r < 0)
                return r;
        cycle = calloc(config->daemon_count + 1, sizeof(unsigned));
        if (!cycle)
                return -ENOMEM;
        for (size_t i = 0; i < config->daemon_count; i++)
                order_add_edges(&order, &config->daemons[i]);
        for (unsigned i = 0; i < ORDER_CYCLES_MAX && !acyclic; i++) {
                r = order_try(&order, cycle, &acyclic);
                if (r < 0)
                        return r;
        }
        return 0;
}
