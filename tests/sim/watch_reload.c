/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What holds for reloads. The begin of one is seen by config_load(), its verdict by the linker's
 * --wrap= of reload_conclude(): which configuration is in force then, and what became of each
 * daemon.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/watch.h"

typedef struct Before {
        char name[NAME_ROOM];
        bool up, waited; /* for its start */
} Before;

static struct {
        const Config *before, *after; /* NULL: none was to be had */
        Before daemons[DAEMON_MAX];
        size_t count;
        size_t orders; /* given before it */
} reload;

static bool watch_is_up(unsigned node) {
        return !daemon_state_is_resting(watch_state(node)) || watch.generation->pending[node];
}

/* Whether it cannot be started, since what it requires is not there. */
static bool watch_is_blocked(unsigned node) {
        GraphEdges needs = graph_needs(watch.generation->config->graph, node);

        for (size_t i = 0; i < needs.count; i++)
                if (needs.edges[i].required &&
                    daemon_state_is_resting(watch_state(needs.edges[i].node)))
                        return true;
        return false;
}

void watch_reload_reset(void) {
        memset(&reload, 0, sizeof(reload));
}

void watch_reload_begin(const Config *found) {
        watch_look_at_generation();
        reload.before = sim_supervisor()->generation->config;
        reload.after = found;
        reload.orders = watch.order_count;
        reload.count = watch_count();
        for (unsigned i = 0; i < reload.count; i++) {
                snprintf(reload.daemons[i].name, sizeof(reload.daemons[i].name), "%s",
                         watch_name(i));
                reload.daemons[i].up = watch_is_up(i);
                reload.daemons[i].waited = watch.generation->pending[i];
        }
}

/* Orders of a sequence since it began, to one or (NULL) to anybody. */
static unsigned watch_stopped_since(const char *name) {
        unsigned count = 0;

        for (size_t i = reload.orders; i < watch.order_count; i++)
                if (watch_orders[i].event != EVENT_START &&
                    (!name || strcmp(watch_orders[i].daemon->name, name) == 0))
                        count++;
        return count;
}

static void watch_judge_kept(void) {
        const Plan *plan = sim_supervisor()->reload.plan;

        for (size_t i = 0; plan && i < plan->count; i++) {
                const PlanEntry *entry = &plan->entries[i];

                if (entry->action <= PLAN_RELOAD && watch_stopped_since(entry->diff->name) > 0)
                        sim_fail("%s was to be left alone by a reload", entry->diff->name);
        }
}

static void watch_judge_undone(const char *text) {
        for (size_t i = 0; i < reload.count; i++) {
                const Before *before = &reload.daemons[i];
                unsigned node = child_index(sim_child(before->name));

                if (before->up && !watch_is_up(node) && watch_stopped_since(before->name) > 0 &&
                    !strstr(text, "again") && !(before->waited && watch_is_blocked(node)))
                        sim_fail("%s was up before the reload and is not now", before->name);
                if (!before->up && daemon_state_is_up(watch_state(node)))
                        sim_fail("%s was not up before the reload and is now", before->name);
        }
}

static void watch_judge_verdict(ReloadVerdict verdict, const char *text) {
        const Config *in_force = sim_supervisor()->generation->config;

        switch (verdict) {
        case RELOAD_APPLIED:
                if (in_force != reload.after)
                        sim_fail("a reload was applied, but its configuration is not in force");
                watch_judge_kept();
                break;
        case RELOAD_NOTHING:
        case RELOAD_REFUSED:
                if (in_force != reload.before || watch_stopped_since(NULL) > 0)
                        sim_fail("a reload was refused, but something was touched");
                break;
        case RELOAD_ROLLED_BACK:
                if (in_force != reload.before)
                        sim_fail("a reload was undone, but its configuration is in force");
                watch_judge_kept();
                watch_judge_undone(text);
                break;
        default: /* a stop broke in; perhaps before it began */
                if (reload.before && in_force != reload.before && in_force != reload.after)
                        sim_fail("a reload was canceled, and a third configuration is in force");
                break;
        }
}

void __real_reload_conclude(Supervisor *supervisor, ReloadVerdict verdict, const char *format, ...)
        PRINTF_LIKE(3, 4);
void __wrap_reload_conclude(Supervisor *supervisor, ReloadVerdict verdict, const char *format, ...)
        PRINTF_LIKE(3, 4);

void __wrap_reload_conclude(Supervisor *supervisor,
                            ReloadVerdict verdict,
                            const char *format,
                            ...) {
        char text[512];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        watch_look_at_generation();
        watch_judge_verdict(verdict, text);
        watch_reload_reset();
        __real_reload_conclude(supervisor, verdict, "%s", text);
}
