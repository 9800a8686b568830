/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Fitting the times of a stop into supervisor.grace. The worst case need not shrink when a time
 * does: who waited for longer than the phase lasts gets the phase's time afresh. So every percent
 * is tried, from the top. Pure, nothing here can block.
 */

#include "config/budget.h"

#include <errno.h>
#include <stdlib.h>

#include "base/parse.h"
#include "config/budget_text.h"
#include "config/phase.h"
#include "config/remark.h"
#include "config/value.h"

#define BUDGET_RESERVE_LEAST USEC_PER_SEC
#define BUDGET_RESERVE_MOST  (5 * USEC_PER_SEC)
#define BUDGET_EXIT          (500 * USEC_PER_MSEC)
#define BUDGET_PERCENT_LEAST 1u
#define BUDGET_PERCENT_POOR  10u /* what is left of a time then is worth a word */

typedef struct Budget {
        Config *config;
        const Config *defaults;
        unsigned *order;
        PhaseWindow *windows; /* of the phase that was planned last */
        size_t scalable;      /* times that nobody wrote */
} Budget;

usec_t budget_reserve(usec_t grace) {
        usec_t tenth = grace / 10 / USEC_PER_MSEC * USEC_PER_MSEC;

        return MIN_OF(MAX_OF(tenth, BUDGET_RESERVE_LEAST), BUDGET_RESERVE_MOST);
}

usec_t budget_phases(usec_t grace) {
        return usec_sub(grace, budget_reserve(grace));
}

usec_t budget_end(usec_t grace) {
        return usec_sub(grace, BUDGET_EXIT);
}

/* The shortest grace, in whole seconds, that has so much time for the phases. */
static usec_t budget_grace_for(usec_t phases) {
        usec_t grace = usec_add(phases, MAX_OF(phases / 9, BUDGET_RESERVE_LEAST));

        grace = MIN_OF(grace, usec_add(phases, BUDGET_RESERVE_MOST));
        return usec_add(grace, USEC_PER_SEC - 1) / USEC_PER_SEC * USEC_PER_SEC;
}

static const Setting *budget_setting(Phase phase) {
        return schema_find(schema_supervisor, schema_supervisor_count, phase_setting(phase));
}

static void budget_mark(SettingOrigin *origin, unsigned percent) {
        origin->scaled = percent < 100 ? percent : 0;
}

static void budget_scale_phase(Budget *budget, Phase phase, unsigned percent) {
        const Setting *setting = budget_setting(phase);
        SupervisorConfig *supervisor = &budget->config->supervisor;
        SettingOrigin *origin = &supervisor->origins[setting - schema_supervisor];
        const usec_t *from = value_field(setting, &budget->defaults->supervisor);
        usec_t *to = value_field(setting, supervisor);

        if (origin->file)
                return;
        *to = *from / 100 * percent;
        budget_mark(origin, percent);
        budget->scalable++;
}

/* Where the daemon has its own time for cleanup, the schedule adds nothing to the worst case. */
static void budget_scale_schedule(Budget *budget,
                                  DaemonConfig *daemon,
                                  SettingOrigin *origin,
                                  unsigned percent) {
        const StopSchedule *from = &budget->defaults->daemons[0].stop;

        if (origin->file || daemon->cleanup.timeout != USEC_INFINITY)
                return;
        for (size_t i = 0; i < from->count; i++)
                if (from->steps[i].wait != USEC_INFINITY)
                        daemon->stop.steps[i].wait = from->steps[i].wait / 100 * percent;
        budget_mark(origin, percent);
        budget->scalable++;
}

static void budget_scale(Budget *budget, unsigned percent) {
        const Setting *setting = schema_find(schema_daemon, schema_daemon_count, "stop.signals");
        Config *config = budget->config;

        budget->scalable = 0;
        for (Phase phase = 0; phase < PHASE_MAX_; phase++)
                budget_scale_phase(budget, phase, percent);
        for (size_t i = 0; i < config->daemon_count; i++)
                budget_scale_schedule(budget, &config->daemons[i],
                                      &config->daemons[i].origins[setting - schema_daemon],
                                      percent);
}

static usec_t budget_worst(const Budget *budget) {
        usec_t worst = 0;

        for (Phase phase = 0; phase < PHASE_MAX_; phase++)
                worst = usec_add(worst, phase_plan(&(PhasePlan){
                                                .config = budget->config,
                                                .phase = phase,
                                                .order = budget->order,
                                                .windows = budget->windows,
                                        }));
        return worst;
}

/* The grace with which nothing has to be scaled. */
static usec_t budget_enough(Budget *budget, unsigned percent) {
        budget_scale(budget, 100);
        usec_t enough = budget_grace_for(budget_worst(budget));
        budget_scale(budget, percent);
        return enough;
}

/* The largest percentage that fits, which is in force then; 0: none does. */
static unsigned budget_fit(Budget *budget) {
        usec_t room = budget_phases(budget->config->supervisor.grace);

        for (unsigned percent = 100; percent >= BUDGET_PERCENT_LEAST; percent--) {
                budget_scale(budget, percent);
                if (budget_worst(budget) <= room)
                        return percent;
                if (budget->scalable == 0)
                        break;
        }
        return 0;
}

static int budget_refuse(Budget *budget, Diag *diag) {
        CLEANUP(freep) char *text = NULL;
        usec_t enough = budget_enough(budget, BUDGET_PERCENT_LEAST);

        int r = budget_text(budget->config, budget->order,
                            budget->scalable > 0 ? BUDGET_PERCENT_LEAST : 0, enough, &text);
        if (r < 0)
                return r;
        remark_supervisor_error(diag, &budget->config->supervisor, "grace", "%s", text);
        return 0;
}

static void budget_warn(Budget *budget, unsigned percent, Diag *diag) {
        const SupervisorConfig *supervisor = &budget->config->supervisor;
        char time[DURATION_TEXT_MAX], enough[DURATION_TEXT_MAX];

        remark_supervisor_warning(diag, supervisor, "grace",
                                  "\"%s\" leaves %u%% of the times that nobody wrote; write those "
                                  "that matter, or grace = \"%s\" for all of them",
                                  format_duration(time, supervisor->grace), percent,
                                  format_duration(enough, budget_enough(budget, percent)));
}

int budget_resolve(Config *config, const Config *defaults, Diag *diag) {
        CLEANUP(freep) unsigned *order = NULL;
        CLEANUP(freep) PhaseWindow *windows = NULL;
        size_t count = config->daemon_count, cycle = 0;

        if (config->supervisor.grace == USEC_INFINITY || count == 0)
                return 0;

        order = calloc(count, sizeof(*order));
        windows = calloc(count, sizeof(*windows));
        if (!order || !windows)
                return -ENOMEM;
        int r = graph_find_cycle(config->graph, order, &cycle);
        if (r < 0 || cycle > 0) /* which was said already */
                return r;
        r = graph_order(config->graph, order);
        if (r < 0)
                return r;

        Budget budget = {
                .config = config,
                .defaults = defaults,
                .order = order,
                .windows = windows,
        };
        unsigned percent = budget_fit(&budget);
        if (percent == 0)
                return budget_refuse(&budget, diag);
        if (percent < BUDGET_PERCENT_POOR)
                budget_warn(&budget, percent, diag);
        return 0;
}
