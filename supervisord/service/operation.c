/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operations in line. Each has a sequence of its own, made when it is asked for, so that several
 * run side by side; what they hold is told apart by their sets.
 */

#include "service/operation.h"

#include <string.h>

#include "service/object.h"

struct Operation {
        TAILQ_ENTRY(Operation) link;
        OperationStage stage;
        char *what;
        OperationDepth depth;
        bool *stop, *start, *returns, *tell; /* by index */
        bool tested, as_failed;
        Sequence *sequence;
        Record *record;
        OperationHandler handler;
        void *userdata;
};

static Operation *operation_free(Operation *operation) {
        if (!operation)
                return NULL;
        sequence_free(operation->sequence);
        record_free(operation->record);
        free(operation->what);
        free(operation->stop);
        free(operation->start);
        free(operation->returns);
        free(operation->tell);
        free(operation);
        return NULL;
}

DEFINE_CLEANUP(Operation, operation_free)

static bool *operation_copy_set(const bool *set, size_t count) {
        bool *copy = calloc(MAX_OF(count, (size_t) 1), sizeof(*copy));

        if (copy && set)
                memcpy(copy, set, count * sizeof(*copy));
        return copy;
}

int operation_new(Supervisor *supervisor, const OperationRequest *request) {
        const Generation *generation = supervisor->generation;
        CLEANUP(operation_freep) Operation *operation = calloc(1, sizeof(*operation));
        if (!operation)
                return -ENOMEM;

        operation->depth = request->depth;
        operation->handler = request->handler;
        operation->userdata = request->userdata;
        operation->what = strdup(request->what);
        operation->stop = operation_copy_set(request->stop, generation->count);
        operation->start = operation_copy_set(request->start, generation->count);
        operation->returns = operation_copy_set(
                request->returns ? request->returns : request->start, generation->count);
        operation->tell = operation_copy_set(request->tell, generation->count);
        operation->tested = request->tested;
        operation->as_failed = request->as_failed;
        if (!operation->what || !operation->stop || !operation->start || !operation->returns ||
            !operation->tell)
                return -ENOMEM;
        int r = sequence_new(generation->config, &operation->sequence);
        if (r >= 0)
                r = record_new(generation->config, operation->what,
                               &(RecordSets){
                                       .stops = operation->stop,
                                       .starts = operation->start,
                                       .reloads = operation->tell,
                               },
                               &operation->record);
        if (r < 0)
                return r;

        record_begin(operation->record, request->who ? request->who : "supervisord",
                     recording_moment(supervisor));
        TAILQ_INSERT_TAIL(&supervisor->operations, operation, link);
        operation = NULL;
        loop_defer_arm(supervisor->settle);
        return 0;
}

static void operation_end(Supervisor *supervisor, Operation *operation, OperationOutcome outcome) {
        OperationHandler handler = operation->handler;
        void *userdata = operation->userdata;

        TAILQ_REMOVE(&supervisor->operations, operation, link);
        (void) recording_over(supervisor, TAKE(operation->record),
                              outcome == OPERATION_DONE ? RECORD_OVER : RECORD_BROKEN_OFF);
        operation_free(operation);
        if (handler)
                handler(userdata, supervisor, outcome);
}

static bool operation_holds(const Operation *operation, unsigned index) {
        return operation->stop[index] || operation->start[index] || operation->tell[index];
}

/* Whether an earlier one holds a daemon of it. */
static bool operation_has_to_wait(const Supervisor *supervisor, const Operation *operation) {
        const Operation *other;

        TAILQ_FOREACH(other, &supervisor->operations, link) {
                if (other == operation)
                        return false;
                for (unsigned i = 0; i < supervisor->generation->count; i++)
                        if (operation_holds(other, i) && operation_holds(operation, i))
                                return true;
        }
        return false;
}

static void operation_tell(Supervisor *supervisor, const Operation *operation) {
        Generation *generation = supervisor->generation;

        for (size_t i = 0; i < generation->count; i++) {
                Child *child = generation->children[i];

                if (operation->tell[i] && child_reload(child, operation->tested) < 0)
                        log_error("%s cannot be told to reload: no memory", child_name(child));
        }
}

static bool operation_all_told(Supervisor *supervisor, const Operation *operation) {
        const Generation *generation = supervisor->generation;
        bool all = true;

        for (unsigned i = 0; i < generation->count; i++) {
                if (!operation->tell[i])
                        continue;
                if (child_reload_outcome(generation->children[i]) == CHILD_RELOAD_UNDER_WAY)
                        all = false;
                else
                        recording_own_reload(supervisor, operation->record, i);
        }
        return all;
}

static void operation_begin(Supervisor *supervisor, Operation *operation) {
        static const Phase last[] = {
                [OPERATION_ENDS] = PHASE_CLEANUP,
                [OPERATION_FREEZES] = PHASE_FREEZE,
                [OPERATION_DRAINS] = PHASE_DRAIN,
        };
        Generation *generation = supervisor->generation;

        for (unsigned i = 0; i < generation->count; i++) {
                if (operation->as_failed && !child_is_sick(generation->children[i]))
                        operation->stop[i] = false; /* in the meantime */
                if (!operation->stop[i])
                        continue;
                child_set_purpose(generation->children[i],
                                  operation->depth != OPERATION_ENDS ? PURPOSE_PAUSE
                                  : operation->returns[i]            ? PURPOSE_RESTART
                                                                     : PURPOSE_STOP);
                if (operation->depth == OPERATION_DRAINS)
                        child_look_again(generation->children[i]);
                generation_look(generation, i);
        }
        operation->stage = OPERATION_STOPPING;
        drive_begin(supervisor, operation->sequence,
                    (SequenceSpan){ PHASE_FREEZE, last[operation->depth] }, operation->stop);
        for (unsigned i = 0; operation->as_failed && i < generation->count; i++)
                if (operation->stop[i])
                        child_end_as_failed(generation->children[i]);
}

/* One step on; false if it waits for something. */
static bool operation_advance(Supervisor *supervisor, Operation *operation) {
        switch (operation->stage) {
        case OPERATION_QUEUED:
                if (operation_has_to_wait(supervisor, operation))
                        return false;
                operation_begin(supervisor, operation);
                return true;
        case OPERATION_STOPPING:
                if (!drive_sequence(supervisor, operation->sequence, operation->record,
                                    operation->what))
                        return false;
                operation->stage = OPERATION_STARTING;
                record_starting(operation->record, supervisor->generation->states,
                                loop_now(supervisor->loop));
                start_begin(supervisor, operation->start);
                return true;
        case OPERATION_STARTING:
                if (!start_is_over(supervisor, operation->start))
                        return false;
                operation->stage = OPERATION_TELLING;
                record_reloading(operation->record, loop_now(supervisor->loop));
                operation_tell(supervisor, operation);
                return true;
        case OPERATION_TELLING:
                break;
        }
        if (!operation_all_told(supervisor, operation))
                return false;
        operation_end(supervisor, operation, OPERATION_DONE);
        return true;
}

/* The first one that gets on; the list may be another one afterwards. */
static bool operations_advance_one(Supervisor *supervisor) {
        Operation *operation;

        TAILQ_FOREACH(operation, &supervisor->operations, link)
        if (operation_advance(supervisor, operation))
                return true;
        return false;
}

bool operations_drive(Supervisor *supervisor) {
        bool any = false;

        /* what changed by it is settled first: a start is judged by its states */
        while (operations_advance_one(supervisor)) {
                any = true;
                if (supervisor->generation->changed_count > 0)
                        break;
        }
        return any;
}

/* For its sequence and record one that its policy has taken over is at rest, whatever it does. */
static DaemonState operation_state(const Supervisor *supervisor,
                                   const Operation *operation,
                                   unsigned index,
                                   DaemonState state) {
        return operation->as_failed && operation->stage == OPERATION_STOPPING &&
                               operation->stop[index] &&
                               !child_ends_as_failed(supervisor->generation->children[index])
                       ? STATE_STOPPED
                       : state;
}

void operations_observe(Supervisor *supervisor, unsigned index, DaemonState state, bool forced) {
        Operation *operation;

        TAILQ_FOREACH(operation, &supervisor->operations, link) {
                DaemonState shown = operation_state(supervisor, operation, index, state);

                if (forced)
                        sequence_note_forced(operation->sequence, index);
                sequence_observe(operation->sequence, index, shown);
                record_observe(operation->record, index, shown, forced, loop_now(supervisor->loop));
        }
}

usec_t operations_deadline(const Supervisor *supervisor) {
        usec_t deadline = USEC_INFINITY;
        const Operation *operation;

        TAILQ_FOREACH(operation, &supervisor->operations, link)
        deadline = MIN_OF(deadline, sequence_deadline(operation->sequence));
        return deadline;
}

usec_t operations_deadline_of(const Supervisor *supervisor, unsigned index) {
        usec_t deadline = USEC_INFINITY;
        const Operation *operation;

        TAILQ_FOREACH(operation, &supervisor->operations, link)
        deadline = MIN_OF(deadline, sequence_deadline_of(operation->sequence, index));
        return deadline;
}

void operations_cancel(Supervisor *supervisor) {
        while (!TAILQ_EMPTY(&supervisor->operations))
                operation_end(supervisor, TAILQ_FIRST(&supervisor->operations), OPERATION_CANCELED);
}

bool operations_are_active(const Supervisor *supervisor) {
        return !TAILQ_EMPTY(&supervisor->operations);
}

/* Whether it is up although something that it requires is not, nor will be. */
static bool operation_has_fallen(const Generation *generation, unsigned node) {
        if (!daemon_state_is_up(generation->states[node]))
                return false;

        GraphEdges needs = graph_needs(generation->config->graph, node);
        for (size_t i = 0; i < needs.count; i++)
                if (needs.edges[i].required && !generation->pending[needs.edges[i].node] &&
                    daemon_state_is_resting(generation->states[needs.edges[i].node]))
                        return true;
        return false;
}

bool operations_hold(const Supervisor *supervisor, unsigned index) {
        const Operation *operation;

        TAILQ_FOREACH(operation, &supervisor->operations, link)
        if (operation_holds(operation, index))
                return true;
        return false;
}

bool operations_start(const Supervisor *supervisor, unsigned index) {
        const Operation *operation;

        TAILQ_FOREACH(operation, &supervisor->operations, link)
        if (operation->start[index])
                return true;
        return false;
}

bool operations_end(const Supervisor *supervisor, unsigned index) {
        const Operation *operation;

        TAILQ_FOREACH(operation, &supervisor->operations, link)
        if (operation->depth == OPERATION_ENDS && operation->stop[index])
                return true;
        return false;
}

static bool operation_pauses(const Operation *operation, const bool *set, size_t count) {
        for (size_t i = 0; operation->depth != OPERATION_ENDS && i < count; i++)
                if (operation->stop[i] && set[i])
                        return true;
        return false;
}

void operations_cancel_pauses(Supervisor *supervisor, const bool *set) {
        Operation *operation = TAILQ_FIRST(&supervisor->operations);

        while (operation) {
                Operation *next = TAILQ_NEXT(operation, link);

                if (operation_pauses(operation, set, supervisor->generation->count))
                        operation_end(supervisor, operation, OPERATION_CALLED_OFF);
                operation = next;
        }
}

static bool operation_has_to_end(const Supervisor *supervisor, unsigned node) {
        const Child *child = supervisor->generation->children[node];

        return child_is_sick(child) && child_config(child)->restart.policy != RESTART_NEVER &&
               !operations_hold(supervisor, node);
}

static void operation_end_sick(Supervisor *supervisor, unsigned node) {
        Generation *generation = supervisor->generation;
        const char *name = child_name(generation->children[node]);
        CLEANUP(freep) char *what = NULL;
        int r = -ENOMEM;

        memset(generation->in_set, 0, generation->count * sizeof(*generation->in_set));
        generation->in_set[node] = true;
        if (asprintf(&what, "restart of %s, which is sick", name) >= 0)
                r = operation_new(supervisor, &(OperationRequest){
                                                      .what = what,
                                                      .stop = generation->in_set,
                                                      .returns = generation->in_set,
                                                      .as_failed = true,
                                              });
        if (r < 0)
                log_error("%s is sick, but cannot be restarted: %s", name, strerror(-r));
}

void operations_end_sick(Supervisor *supervisor) {
        if (supervisor->mode == MODE_RELOADING)
                return;
        for (unsigned i = 0; i < supervisor->generation->count; i++)
                if (operation_has_to_end(supervisor, i))
                        operation_end_sick(supervisor, i);
}

/* Only those that require it directly: when they are at rest, those that require them come next. */
void operations_stop_fallen(Supervisor *supervisor) {
        Generation *generation = supervisor->generation;
        bool any = false;

        if (supervisor->mode ==
            MODE_RELOADING) /* what requires what is about to be another matter */
                return;
        for (unsigned i = 0; i < generation->count; i++) {
                generation->in_set[i] =
                        operation_has_fallen(generation, i) && !operations_hold(supervisor, i);
                if (!generation->in_set[i])
                        continue;
                any = true;
                log_write(LOG_WARNING,
                          &(LogContext){ .daemon = child_name(generation->children[i]) },
                          "stopping: a daemon that it requires is gone");
        }
        if (!any)
                return;

        int r = operation_new(supervisor,
                              &(OperationRequest){
                                      .what = "stop of what lost a daemon that it requires",
                                      .stop = generation->in_set,
                              });
        if (r < 0)
                log_error("cannot stop what lost a daemon that it requires: %s", strerror(-r));
}
