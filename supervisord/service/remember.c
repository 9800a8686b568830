/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What operators stopped stays stopped when supervisord is started again: it is kept in a file of
 * the state directory, which is written once a round of the loop if a request or a reload has
 * changed it. A failure to write it is told and changes nothing else.
 */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "child/hold.h"
#include "service/object.h"
#include "service/stopped.h"

#define REMEMBER_FILE "stopped"

static int remember_compose(const Supervisor *supervisor, char **ret, size_t *ret_size) {
        const Generation *generation = supervisor->generation;
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        if (!stream)
                return -ENOMEM;
        stopped_write_begin(stream);
        for (size_t i = 0; i < generation->count; i++) {
                const Hold *hold = child_get_hold(generation->children[i]);

                if (hold)
                        stopped_write(stream, child_name(generation->children[i]), hold);
        }
        if (fclose(stream) != 0) {
                free(text);
                return -ENOMEM;
        }
        *ret = text;
        *ret_size = size;
        return 0;
}

static bool remember_on_daemon(void *userdata, const char *name, const Hold *hold) {
        const Generation *generation = userdata;
        const DaemonConfig *daemon = config_find(generation->config, name);

        if (daemon)
                child_hold(generation->children[daemon->index], hold);
        return daemon;
}

static void remember_log_findings(const Diag *diag) {
        for (size_t i = 0; i < diag_count(diag); i++) {
                CLEANUP(freep) char *text = finding_text(diag_get(diag, i));

                log_write(LOG_WARNING, &(LogContext){ .message = MESSAGE_STATE_LOST }, "%s",
                          text ? text : "a finding could not be shown: no memory");
        }
}

static const char *remember_outcome(int r) {
        switch (r) {
        case FILE_E_TOO_LARGE:
                return "it is too large";
        case FILE_E_NOT_REGULAR:
                return "it is no regular file";
        case FILE_E_DENIED:
                return "permission denied";
        default:
                return strerror(-r);
        }
}

static int remember_take(Supervisor *supervisor, const char *path, char *text, size_t size) {
        CLEANUP(diag_freep) Diag *diag = NULL;

        int r = diag_new(&diag);
        if (r < 0)
                return r;
        stopped_read(path, text, size, diag, remember_on_daemon, supervisor->generation);
        remember_log_findings(diag);
        return 0;
}

int remember_load(Supervisor *supervisor) {
        Remember *remember = &supervisor->remember;
        CLEANUP(freep) char *path = NULL;
        size_t size;

        if (!supervisor->state)
                return 0;
        if (asprintf(&path, "%s/" REMEMBER_FILE, state_directory_path(supervisor->state)) < 0)
                return -ENOMEM;

        int r = state_directory_read(supervisor->state, REMEMBER_FILE, STOPPED_SIZE_MAX,
                                     &remember->text, &size);
        switch (r) {
        case 0:
                return remember_take(supervisor, path, remember->text, size);
        case FILE_E_MISSING: /* as good as an empty list */
                return remember_compose(supervisor, &remember->text, &size);
        case -ENOMEM:
                return r;
        default:
                log_write(LOG_WARNING, &(LogContext){ .message = MESSAGE_STATE_LOST },
                          "%s is ignored, and what operators stopped is started: %s", path,
                          remember_outcome(r));
                return 0;
        }
}

void remember_done(Supervisor *supervisor) {
        free(TAKE(supervisor->remember.text));
}

/* Those that are not to be started: held ones, and all that require one of them. */
static void remember_mark_held(const Generation *generation, bool *set) {
        memset(set, 0, generation->count * sizeof(*set));
        for (unsigned i = 0; i < generation->count; i++)
                if (child_get_hold(generation->children[i]))
                        request_spread(generation, i, false, set);
}

/* One that it requires and that is in the set. */
static const Child *remember_find_cause(const Generation *generation,
                                        unsigned node,
                                        const bool *set) {
        GraphEdges needs = graph_needs(generation->config->graph, node);

        for (size_t i = 0; i < needs.count; i++)
                if (needs.edges[i].required && set[needs.edges[i].node])
                        return generation->children[needs.edges[i].node];
        return NULL;
}

static void remember_note(const Generation *generation, unsigned node, const bool *set) {
        Child *child = generation->children[node];
        const Child *cause = remember_find_cause(generation, node, set);

        if (child_get_hold(child))
                log_write(LOG_NOTICE,
                          &(LogContext){ .message = MESSAGE_DAEMON_HELD,
                                         .daemon = child_name(child) },
                          "not started: %s", child_reason(child));
        else if (cause)
                child_leave_stopped(child, cause);
}

size_t remember_select(const Supervisor *supervisor, bool *set) {
        const Generation *generation = supervisor->generation;
        size_t selected = 0;

        remember_mark_held(generation, set);
        for (unsigned i = 0; i < generation->count; i++)
                if (set[i])
                        remember_note(generation, i, set);
        for (unsigned i = 0; i < generation->count; i++) {
                set[i] = !set[i];
                selected += set[i];
        }
        return selected;
}

void remember_request(Supervisor *supervisor, const Request *request, const bool *start) {
        const Generation *generation = supervisor->generation;
        Hold hold = { .uid = request->uid, .when = clock_realtime() };

        for (char *const *name = request->names; *name && request->verb == REQUEST_STOP; name++) {
                Child *child = generation->children[config_find(generation->config, *name)->index];

                child_dismiss(child);
                if (!request->now_only)
                        child_hold(child, &hold);
        }
        for (size_t i = 0; i < generation->count && !request->now_only; i++)
                if (start[i])
                        child_release(generation->children[i]);
        supervisor->remember.changed |= !request->now_only;
}

static bool remember_is_new(const Remember *remember, const char *text) {
        return !remember->text || strcmp(remember->text, text) != 0;
}

void remember_settle(Supervisor *supervisor) {
        Remember *remember = &supervisor->remember;
        CLEANUP(freep) char *text = NULL;
        size_t size;

        if (!TAKE(remember->changed) || !supervisor->state)
                return;

        int r = remember_compose(supervisor, &text, &size);
        if (r == 0 && remember_is_new(remember, text))
                r = state_directory_write(supervisor->state, REMEMBER_FILE, text, size);
        if (r == 0) {
                free(remember->text);
                remember->text = TAKE(text);
                remember->failure[0] = '\0';
                return;
        }
        snprintf(remember->failure, sizeof(remember->failure),
                 "cannot write %s/" REMEMBER_FILE ": %s; this is not remembered over a restart of "
                 "supervisord",
                 state_directory_path(supervisor->state), strerror(-r));
        log_write(LOG_WARNING, &(LogContext){ .message = MESSAGE_STATE_LOST }, "%s",
                  remember->failure);
}

const char *supervisor_remark(const Supervisor *supervisor) {
        return supervisor->remember.failure;
}
