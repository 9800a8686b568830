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

/* A time that may be scaled: nobody wrote it for this very daemon. */
typedef struct BudgetTime {
        usec_t *time;
        usec_t from; /* what it is unscaled */
        SettingOrigin *origin;
} BudgetTime;

typedef struct Budget {
        Config *config;
        unsigned *order;
        PhaseWindow *windows; /* of the phase that was planned last */
        BudgetTime *times;
        size_t count;
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

static bool budget_is_given(const SettingOrigin *origin) {
        return origin->file && !origin->of_profile;
}

static void budget_add(Budget *budget, usec_t *time, SettingOrigin *origin) {
        if (*time == USEC_INFINITY || budget_is_given(origin))
                return;
        budget->times[budget->count++] = (BudgetTime){ time, *time, origin };
}

static void budget_add_supervisor(Budget *budget) {
        SupervisorConfig *supervisor = &budget->config->supervisor;

        for (Phase phase = 0; phase < PHASE_MAX_; phase++) {
                const Setting *setting = schema_find(schema_supervisor, schema_supervisor_count,
                                                     phase_setting(phase));

                budget_add(budget, value_field(setting, supervisor),
                           &supervisor->origins[setting - schema_supervisor]);
        }
}

/* A daemon's own times are defaults where they come from its profile. */
static void budget_add_daemon(Budget *budget,
                              DaemonConfig *daemon,
                              const Setting *const own[static PHASE_MAX_],
                              const Setting *schedule,
                              const Setting *command,
                              const Setting *wait) {
        const SettingOrigin *cleanup = &daemon->origins[own[PHASE_CLEANUP] - schema_daemon];

        for (Phase phase = 0; phase < PHASE_MAX_; phase++)
                budget_add(budget, value_field(own[phase], daemon),
                           &daemon->origins[own[phase] - schema_daemon]);

        /* with a time of its own for cleanup, what it does in it is its own affair */
        if (budget_is_given(cleanup))
                return;
        for (size_t i = 0; i < daemon->stop.count; i++)
                budget_add(budget, &daemon->stop.steps[i].wait,
                           &daemon->origins[schedule - schema_daemon]);
        if (daemon->cleanup.leftovers == LEFTOVERS_WAIT)
                budget_add(budget, &daemon->cleanup.wait, &daemon->origins[wait - schema_daemon]);
        if (daemon->stop_by.command)
                budget_add(budget, &daemon->stop_by.timeout,
                           &daemon->origins[command - schema_daemon]);
}

static size_t budget_room(const Config *config) {
        size_t room = PHASE_MAX_;

        for (size_t i = 0; i < config->daemon_count; i++)
                room += PHASE_MAX_ + config->daemons[i].stop.count + 2;
        return room;
}

static void budget_collect(Budget *budget) {
        const Setting *schedule = schema_find(schema_daemon, schema_daemon_count, "stop.signals");
        const Setting *command =
                schema_find(schema_daemon, schema_daemon_count, "stop.command_timeout");
        const Setting *wait = schema_find(schema_daemon, schema_daemon_count, "cleanup.wait");
        const Setting *own[PHASE_MAX_];

        for (Phase phase = 0; phase < PHASE_MAX_; phase++)
                own[phase] = schema_find(schema_daemon, schema_daemon_count,
                                         phase_own_setting(phase));
        budget_add_supervisor(budget);
        for (size_t i = 0; i < budget->config->daemon_count; i++)
                budget_add_daemon(budget, &budget->config->daemons[i], own, schedule, command,
                                  wait);
}

static void budget_scale(Budget *budget, unsigned percent) {
        for (size_t i = 0; i < budget->count; i++) {
                const BudgetTime *time = &budget->times[i];

                *time->time = percent < 100 ? time->from / 100 * percent : time->from;
                time->origin->scaled = percent < 100 ? percent : 0;
        }
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
                if (budget->count == 0)
                        break;
        }
        return 0;
}

static int budget_refuse(Budget *budget, Diag *diag) {
        CLEANUP(freep) char *text = NULL;
        usec_t enough = budget_enough(budget, BUDGET_PERCENT_LEAST);

        int r = budget_text(budget->config, budget->order,
                            budget->count > 0 ? BUDGET_PERCENT_LEAST : 0, enough, &text);
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

int budget_resolve(Config *config, Diag *diag) {
        CLEANUP(freep) unsigned *order = NULL;
        CLEANUP(freep) PhaseWindow *windows = NULL;
        CLEANUP(freep) BudgetTime *times = NULL;
        size_t count = config->daemon_count, cycle = 0;

        if (config->supervisor.grace == USEC_INFINITY || count == 0)
                return 0;

        order = calloc(count, sizeof(*order));
        windows = calloc(count, sizeof(*windows));
        times = calloc(budget_room(config), sizeof(*times));
        if (!order || !windows || !times)
                return -ENOMEM;
        int r = graph_find_cycle(config->graph, order, &cycle);
        if (r < 0 || cycle > 0) /* which was said already */
                return r;
        r = graph_order(config->graph, order);
        if (r < 0)
                return r;

        Budget budget = {
                .config = config,
                .order = order,
                .windows = windows,
                .times = times,
        };
        budget_collect(&budget);
        unsigned percent = budget_fit(&budget);
        if (percent == 0)
                return budget_refuse(&budget, diag);
        if (percent < BUDGET_PERCENT_POOR)
                budget_warn(&budget, percent, diag);
        return 0;
}
