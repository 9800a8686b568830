/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The sum in words: each phase with the way to its end, which is found backwards from the daemon
 * that may take longest. Pure, nothing here can block.
 */

#include "config/budget_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/parse.h"
#include "config/budget.h"
#include "config/phase.h"
#include "config/remark.h"

#define BUDGET_LINKS_SHOWN 3u

/* A part of the way to the end of a phase. */
typedef struct BudgetLink {
        enum {
                BUDGET_PHASE, /* the phase's time */
                BUDGET_ANEW,  /* the same after a longer wait */
                BUDGET_OWN,   /* the daemon's time for the phase */
                BUDGET_LEAST, /* its stop schedule */
        } kind;
        Phase phase;
        unsigned node;
        usec_t time;
} BudgetLink;

/* The way to the end of a phase, backwards. */
typedef struct BudgetWay {
        PhasePlan plan;
        usec_t latest;
        BudgetLink *links; /* room for all nodes */
        size_t count;
} BudgetWay;

/* What is decisive for the end of `node`, in whole or as the last part of it. */
static BudgetLink budget_link(const PhasePlan *plan, unsigned node, usec_t wait) {
        PhaseTimes times = phase_times(plan->config, plan->phase, node);
        const PhaseWindow *window = &plan->windows[node];
        BudgetLink link = { .phase = plan->phase, .node = node, .time = window->from_order };

        if (times.own != USEC_INFINITY) {
                link.kind = BUDGET_OWN;
        } else if (usec_add(wait, window->from_order) <= window->from_begin) {
                link.kind = BUDGET_PHASE;
                link.time = window->from_begin;
        } else {
                link.kind = window->from_order > times.least ? BUDGET_ANEW : BUDGET_LEAST;
        }
        return link;
}

static unsigned budget_last_node(const PhasePlan *plan) {
        unsigned last = 0;

        for (unsigned i = 1; i < plan->config->daemon_count; i++)
                if (plan->windows[i].latest > plan->windows[last].latest)
                        last = i;
        return last;
}

static void budget_trace(BudgetWay *way) {
        unsigned node = budget_last_node(&way->plan);

        way->count = 0;
        while (node != PHASE_NOBODY) {
                unsigned before = phase_plan_waits_for(&way->plan, node);
                usec_t wait = before == PHASE_NOBODY ? 0 : way->plan.windows[before].latest;
                BudgetLink link = budget_link(&way->plan, node, wait);

                if (link.time > 0)
                        way->links[way->count++] = link;
                if (link.kind == BUDGET_PHASE)
                        break;
                node = before;
        }
}

static bool budget_is_written(const Config *config, const BudgetLink *link) {
        switch (link->kind) {
        case BUDGET_OWN:
                return remark_is_own(&config->daemons[link->node], phase_own_setting(link->phase));
        case BUDGET_LEAST:
                return remark_is_own(&config->daemons[link->node], "stop.signals") ||
                       remark_is_own(&config->daemons[link->node], "cleanup.wait");
        default:
                return remark_supervisor_is_written(&config->supervisor,
                                                    phase_setting(link->phase));
        }
}

/* The setting that the time comes from. */
static void budget_print_setting(const Config *config, const BudgetLink *link, FILE *stream) {
        const char *daemon = config->daemons[link->node].name;
        bool with_command = config->daemons[link->node].stop_by.command;
        bool waits = daemon_config_wait(&config->daemons[link->node]) > 0;

        switch (link->kind) {
        case BUDGET_OWN:
                (void) fprintf(stream, "%s.%s", daemon, phase_own_setting(link->phase));
                break;
        case BUDGET_LEAST:
                (void) fprintf(stream, "%s.stop.signals%s", daemon,
                               with_command && waits ? ", command_timeout and cleanup.wait"
                               : with_command        ? " and command_timeout"
                               : waits               ? " and cleanup.wait"
                                                     : "");
                break;
        default:
                (void) fprintf(stream, "supervisor.%s", phase_setting(link->phase));
                break;
        }
}

static void budget_print_link(const Config *config, const BudgetLink *link, FILE *stream) {
        char time[DURATION_TEXT_MAX];

        if (link->kind == BUDGET_ANEW)
                (void) fprintf(stream, "%s anew", config->daemons[link->node].name);
        else
                budget_print_setting(config, link, stream);
        (void) fprintf(stream, " %s", format_duration(time, link->time));
}

/* "drain 45s (web.drain.timeout)", "cleanup 35s (web.stop.signals 25s, then db anew 10s)" */
static void budget_print_way(const BudgetWay *way, FILE *stream) {
        const Config *config = way->plan.config;
        char time[DURATION_TEXT_MAX];

        (void) fprintf(stream, "%s %s", phase_name(way->plan.phase),
                       format_duration(time, way->latest));
        if (way->count == 1 && budget_is_written(config, &way->links[0])) {
                (void) fputs(" (", stream);
                budget_print_setting(config, &way->links[0], stream);
                (void) fputc(')', stream);
        }
        if (way->count < 2)
                return;
        for (size_t i = 0; i < way->count && i < BUDGET_LINKS_SHOWN; i++) {
                (void) fputs(i == 0 ? " (" : ", then ", stream);
                budget_print_link(config, &way->links[way->count - 1 - i], stream);
        }
        if (way->count > BUDGET_LINKS_SHOWN)
                (void) fprintf(stream, ", then %zu more", way->count - BUDGET_LINKS_SHOWN);
        (void) fputc(')', stream);
}

/* The longest time that somebody wrote, if it is longer than that in *ret. */
static void budget_find_culprit(const BudgetWay *way, BudgetLink *ret) {
        for (size_t i = 0; i < way->count; i++)
                if (way->links[i].time > ret->time &&
                    budget_is_written(way->plan.config, &way->links[i]))
                        *ret = way->links[i];
}

static void budget_print_remedy(const Config *config,
                                const BudgetLink *culprit,
                                usec_t enough,
                                FILE *stream) {
        const Setting *setting = schema_find(schema_supervisor, schema_supervisor_count, "grace");
        char time[DURATION_TEXT_MAX];

        if (culprit->time > 0) {
                (void) fputs("; shorten ", stream);
                budget_print_setting(config, culprit, stream);
        } else {
                (void) fputs("; let fewer daemons wait for each other", stream);
        }
        if (enough <= (usec_t) setting->maximum)
                (void) fprintf(stream, ", or write grace = \"%s\" or more",
                               format_duration(time, enough));
}

static void budget_print(BudgetWay *way, unsigned percent, usec_t enough, FILE *stream) {
        const Config *config = way->plan.config;
        usec_t grace = config->supervisor.grace, reserve = budget_reserve(grace), sum = reserve;
        char time[DURATION_TEXT_MAX];
        BudgetLink culprit = { 0 };

        (void) fprintf(stream, "\"%s\" is not enough: ", format_duration(time, grace));
        for (Phase phase = 0; phase < PHASE_MAX_; phase++) {
                way->plan.phase = phase;
                way->latest = phase_plan(&way->plan);
                sum = usec_add(sum, way->latest);
                budget_trace(way);
                budget_print_way(way, stream);
                budget_find_culprit(way, &culprit);
                (void) fputs(" + ", stream);
        }
        (void) fprintf(stream, "reserve %s", format_duration(time, reserve));
        (void) fprintf(stream, " = %s", format_duration(time, sum));
        if (percent > 0)
                (void) fprintf(stream, ", even with %u%% of the times that nobody wrote", percent);
        budget_print_remedy(config, &culprit, enough, stream);
}

int budget_text(
        const Config *config, const unsigned *order, unsigned percent, usec_t enough, char **ret) {
        CLEANUP(freep) BudgetLink *links = NULL;
        CLEANUP(freep) PhaseWindow *windows = NULL;
        size_t size = 0;

        links = calloc(config->daemon_count, sizeof(*links));
        windows = calloc(config->daemon_count, sizeof(*windows));
        if (!links || !windows)
                return -ENOMEM;
        FILE *stream = open_memstream(ret, &size);
        if (!stream)
                return -ENOMEM;

        BudgetWay way = {
                .plan = { .config = config, .order = order, .windows = windows },
                .links = links,
        };
        budget_print(&way, percent, enough, stream);
        return fclose(stream) == 0 ? 0 : -ENOMEM;
}
