/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests become operations; see the header. */

#include "service/request.h"

#include <stdio.h>
#include <string.h>

#include "base/strv.h"
#include "config/load.h"
#include "service/object.h"

size_t supervisor_count(const Supervisor *supervisor) {
        return supervisor->generation->count;
}

const Child *supervisor_child(const Supervisor *supervisor, size_t index) {
        return supervisor->generation->children[index];
}

const Child *supervisor_find(const Supervisor *supervisor, const char *name) {
        const DaemonConfig *daemon = config_find(supervisor->generation->config, name);

        return daemon ? supervisor->generation->children[daemon->index] : NULL;
}

bool supervisor_is_pending(const Supervisor *supervisor, const Child *child) {
        return supervisor->generation->pending[child_index(child)];
}

usec_t supervisor_deadline(const Supervisor *supervisor, const Child *child) {
        unsigned node = child_index(child);

        return MIN_OF(sequence_deadline_of(supervisor->generation->sequence, node),
                      operations_deadline_of(supervisor, node));
}

Mode supervisor_mode(const Supervisor *supervisor) {
        return supervisor->mode;
}

const char *supervisor_status(const Supervisor *supervisor) {
        return supervisor->status;
}

const char *supervisor_config_path(const Supervisor *supervisor) {
        return supervisor->config_path;
}

const Config *supervisor_config(const Supervisor *supervisor) {
        return supervisor->generation->config;
}

void supervisor_observe(Supervisor *supervisor, const SupervisorObserver *observer) {
        supervisor->observer = *observer;
}

int supervisor_list_records(Supervisor *supervisor, const RecordQuery *query, char ***ret) {
        return records_list(supervisor->records, query, ret);
}

void request_spread(const Generation *generation, unsigned node, bool downwards, bool *set) {
        if (set[node])
                return;
        set[node] = true;

        GraphEdges edges = downwards ? graph_needs(generation->config->graph, node)
                                     : graph_needed_by(generation->config->graph, node);
        for (size_t i = 0; i < edges.count; i++)
                if (edges.edges[i].required)
                        request_spread(generation, edges.edges[i].node, downwards, set);
}

static int request_check_name(const Supervisor *supervisor, RequestVerb verb, const char *name) {
        const Child *child = supervisor_find(supervisor, name);

        if (!child)
                return REQUEST_E_UNKNOWN;
        if (verb == REQUEST_RELOAD && !daemon_config_can_reload(child_config(child)))
                return REQUEST_E_NO_RELOAD;
        return 0;
}

static int request_check_names(const Supervisor *supervisor,
                               const Request *request,
                               const char **ret_name) {
        for (char *const *name = request->names; *name; name++) {
                int r = request_check_name(supervisor, request->verb, *name);

                if (r != 0) {
                        *ret_name = *name;
                        return r;
                }
        }
        return 0;
}

/* Whether it is up, or will be once what was asked for before is done. */
static bool request_is_up(const Supervisor *supervisor, unsigned node) {
        const Generation *generation = supervisor->generation;

        return !daemon_state_is_resting(generation->states[node]) || generation->pending[node] ||
               operations_start(supervisor, node);
}

/* Those that are named, without any other. */
static void request_name_set(const Supervisor *supervisor, char *const *names, bool *set) {
        for (; *names; names++)
                set[child_index(supervisor_find(supervisor, *names))] = true;
}

/* Which daemons stop and which start for a request. */
static void request_sets(const Supervisor *supervisor,
                         const Request *request,
                         bool *stop,
                         bool *start) {
        const Generation *generation = supervisor->generation;

        for (char *const *name = request->names; *name; name++) {
                unsigned node = child_index(supervisor_find(supervisor, *name));

                if (request->verb != REQUEST_START)
                        request_spread(generation, node, false, stop);
                if (request->verb != REQUEST_STOP)
                        request_spread(generation, node, true, start);
        }
        if (request->verb == REQUEST_RESTART)
                for (unsigned i = 0; i < generation->count; i++)
                        start[i] |= stop[i] && request_is_up(supervisor, i);
        for (unsigned i = 0; i < generation->count; i++)
                stop[i] &= request_is_up(supervisor, i);
}

/* "restart of web, db" */
static char *request_what(const Request *request) {
        static const char *const verbs[] = {
                [REQUEST_START] = "start",
                [REQUEST_STOP] = "stop",
                [REQUEST_RESTART] = "restart",
                [REQUEST_RELOAD] = "own reload",
        };
        CLEANUP(freep) char *names = strv_join(request->names, ", ");
        char *what = NULL;

        if (!names || asprintf(&what, "%s of %s", verbs[request->verb], names) < 0)
                return NULL;
        return what;
}

int supervisor_request(Supervisor *supervisor, const Request *request, const char **ret_name) {
        size_t count = MAX_OF(supervisor->generation->count, (size_t) 1);

        int r = request_check_names(supervisor, request, ret_name);
        if (r != 0)
                return r;
        if (supervisor->mode != MODE_RUNNING && supervisor->mode != MODE_STARTING)
                return REQUEST_E_BUSY;

        CLEANUP(freep) bool *stop = calloc(count, sizeof(*stop));
        CLEANUP(freep) bool *start = calloc(count, sizeof(*start));
        CLEANUP(freep) bool *tell = calloc(count, sizeof(*tell));
        CLEANUP(freep) char *what = request_what(request);
        if (!stop || !start || !tell || !what)
                return -ENOMEM;

        if (request->verb == REQUEST_RELOAD)
                request_name_set(supervisor, request->names, tell);
        else
                request_sets(supervisor, request, stop, start);
        r = operation_new(supervisor, &(OperationRequest){
                                              .what = what,
                                              .who = request->who,
                                              .stop = stop,
                                              .start = start,
                                              .tell = tell,
                                              .handler = request->handler,
                                              .userdata = request->userdata,
                                      });
        if (r == 0 && request->verb != REQUEST_RELOAD)
                remember_request(supervisor, request, start);
        return r;
}

int supervisor_signal(Supervisor *supervisor, const char *name, int signo) {
        const DaemonConfig *daemon = config_find(supervisor->generation->config, name);

        if (!daemon)
                return REQUEST_E_UNKNOWN;
        return child_signal(supervisor->generation->children[daemon->index], signo)
                       ? 0
                       : REQUEST_E_NO_PROCESS;
}

/* What a reload would refuse although the configuration is valid by itself. */
static void request_add_refusal(RequestPlan *plan) {
        const Setting *setting = plan->diff ? reload_unchangeable(plan->diff) : NULL;
        CLEANUP(freep) char *name = NULL;

        if (!setting || asprintf(&name, "supervisor.%s", setting->path) < 0)
                return;
        diag_add(plan->diag, SEVERITY_ERROR, NULL, 0, name,
                 "it cannot be changed by a reload; restart supervisord for it");
}

int supervisor_plan(const Supervisor *supervisor, RequestPlan **ret) {
        CLEANUP(request_plan_freep) RequestPlan *plan = calloc(1, sizeof(*plan));
        if (!plan)
                return -ENOMEM;

        int r = diag_new(&plan->diag);
        if (r == 0)
                r = config_load(supervisor->config_path, plan->diag, &plan->config);
        if (r == 0)
                r = config_diff_new(supervisor->generation->config, plan->config, &plan->diff);
        if (r == 0)
                r = reload_plan_new(supervisor->generation, plan->diff, &plan->plan);
        if (r < 0)
                return r;
        request_add_refusal(plan);

        *ret = TAKE(plan); /* also an invalid one: its findings are the answer */
        return 0;
}

RequestPlan *request_plan_free(RequestPlan *plan) {
        if (!plan)
                return NULL;
        plan_free(plan->plan);
        config_diff_free(plan->diff);
        config_unref(plan->config);
        diag_free(plan->diag);
        free(plan);
        return NULL;
}
