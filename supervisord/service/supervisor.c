/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The object: made whole before anything is started, so that a stop needs nothing more. The signals
 * come in here as events of the loop.
 */

#include "service/supervisor.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "service/object.h"
#include "sys/limits.h"

/* The signals whose sender is of interest, by their place in the list. */
enum { SIGNAL_TERM, SIGNAL_INT, SIGNAL_QUIT, SIGNAL_HUP };

/* "SIGTERM from uid 0 (process 1)"; returns buffer. */
static const char *supervisor_sender(const Supervisor *supervisor,
                                     size_t index,
                                     const char *name,
                                     char buffer[static RECORD_WHO_MAX]) {
        LoopSender sender = loop_signal_sender(supervisor->signals[index]);

        if (sender.pid > 0)
                snprintf(buffer, RECORD_WHO_MAX, "%s from uid %u (process %d)", name,
                         (unsigned) sender.uid, (int) sender.pid);
        else
                snprintf(buffer, RECORD_WHO_MAX, "%s", name);
        return buffer;
}

static int supervisor_on_term(void *userdata) {
        char who[RECORD_WHO_MAX];

        supervisor_stop(userdata, false, supervisor_sender(userdata, SIGNAL_TERM, "SIGTERM", who));
        return 0;
}

static int supervisor_on_int(void *userdata) {
        char who[RECORD_WHO_MAX];

        supervisor_stop(userdata, false, supervisor_sender(userdata, SIGNAL_INT, "SIGINT", who));
        return 0;
}

static int supervisor_on_quit(void *userdata) {
        char who[RECORD_WHO_MAX];

        supervisor_stop(userdata, true, supervisor_sender(userdata, SIGNAL_QUIT, "SIGQUIT", who));
        return 0;
}

static int supervisor_on_reload(void *userdata) {
        char who[RECORD_WHO_MAX];

        (void) reload_request(userdata, supervisor_sender(userdata, SIGNAL_HUP, "SIGHUP", who),
                              NULL, NULL);
        return 0;
}

static int supervisor_on_state(void *userdata) {
        supervisor_log_state(userdata);
        return 0;
}

/* Signals of which nobody shall die: a pipe whose reader is gone is an error of write(2). */
static int supervisor_on_ignored(void *userdata) {
        (void) userdata;
        return 0;
}

static int supervisor_add_signals(Supervisor *supervisor) {
        static const struct {
                int signo;
                LoopPriority priority;
                const char *name;
                LoopHandler handler;
        } signals[SUPERVISOR_SIGNALS] = {
                [SIGNAL_TERM] = { SIGTERM, LOOP_STOP, "SIGTERM", supervisor_on_term },
                [SIGNAL_INT] = { SIGINT, LOOP_STOP, "SIGINT", supervisor_on_int },
                [SIGNAL_QUIT] = { SIGQUIT, LOOP_STOP, "SIGQUIT", supervisor_on_quit },
                [SIGNAL_HUP] = { SIGHUP, LOOP_NORMAL, "SIGHUP", supervisor_on_reload },
                { SIGUSR1, LOOP_NORMAL, "SIGUSR1", supervisor_on_state },
                { SIGUSR2, LOOP_NORMAL, "SIGUSR2", supervisor_on_ignored },
                { SIGPIPE, LOOP_NORMAL, "SIGPIPE", supervisor_on_ignored },
        };

        for (size_t i = 0; i < SUPERVISOR_SIGNALS; i++) {
                int r = loop_add_signal(supervisor->loop, &supervisor->signals[i], signals[i].signo,
                                        signals[i].priority, signals[i].name, signals[i].handler,
                                        supervisor);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int supervisor_add_sources(Supervisor *supervisor) {
        Loop *loop = supervisor->loop;

        int r = loop_add_defer(loop, &supervisor->settle, LOOP_SETTLE, "settle", settle_run,
                               supervisor);
        if (r >= 0)
                r = loop_add_timer(loop, &supervisor->deadline, LOOP_TIMER, "phase deadline",
                                   settle_run, supervisor);
        if (r >= 0)
                r = loop_add_timer(loop, &supervisor->end, LOOP_STOP, "end of the stop",
                                   stop_on_end, supervisor);
        if (r >= 0)
                r = loop_add_timer(loop, &supervisor->tick, LOOP_SETTLE, "report", report_on_tick,
                                   supervisor);
        if (r >= 0)
                r = reload_init(supervisor);
        return r < 0 ? r : supervisor_add_signals(supervisor);
}

static int supervisor_on_reaped(void *userdata, unsigned strangers) {
        Supervisor *supervisor = userdata;

        if (strangers > 0)
                log_debug("reaped %u %s", strangers, PLURAL(strangers, "orphan", "orphans"));
        if (supervisor->cgroups)
                return 0;
        for (size_t i = 0; i < supervisor->generation->count; i++)
                child_processes_reaped(supervisor->generation->children[i]);
        return 0;
}

static int supervisor_open_runtime(Supervisor *supervisor, const SupervisorConfig *config) {
        const char *path = config->runtime_directory;
        pid_t holder = 0;

        int r = runtime_directory_open(path, &supervisor->runtime, &holder);
        switch (r) {
        case 0:
                break;
        case RUNTIME_E_LOCKED:
                log_error("another supervisord (process %d) runs in %s; give this one a "
                          "supervisor.runtime_directory of its own",
                          (int) holder, path);
                return SUPERVISOR_E_LOCKED;
        default:
                log_error("cannot use the runtime directory %s: %s", path, strerror(-r));
                return r;
        }

        if (asprintf(&supervisor->notify_directory, "%s/notify", path) < 0 ||
            asprintf(&supervisor->frozen_directory, "%s/frozen", path) < 0)
                return -ENOMEM;
        r = directory_make(supervisor->notify_directory, 0711);
        return r < 0 ? r : directory_make(supervisor->frozen_directory, 0700);
}

/* Nothing that runs depends on it: without it we only forget. */
static int supervisor_open_state(Supervisor *supervisor, const SupervisorConfig *config) {
        const char *why = "another supervisord uses it";

        int r = state_directory_open(config->state_directory, &supervisor->state);
        if (r == 0)
                return 0;
        if (r == -ENOMEM)
                return r;
        if (r != STATE_DIRECTORY_E_LOCKED)
                why = strerror(-r);
        log_write(LOG_WARNING, &(LogContext){ .message = MESSAGE_STATE_LOST },
                  "cannot use the state directory %s (%s): going on, but nothing is remembered "
                  "over a restart of supervisord",
                  config->state_directory, why);
        return 0;
}

static int supervisor_open_cgroups(Supervisor *supervisor, const SupervisorConfig *config) {
        const char *why = "supervisor.cgroups is false";
        int r = CGROUP_E_UNUSABLE;

        if (config->cgroups)
                r = cgroup_root_open(config->runtime_directory, &supervisor->cgroups, &why);
        switch (r) {
        case 0:
                log_debug("daemons live below %s", cgroup_root_path(supervisor->cgroups));
                return 0;
        case CGROUP_E_UNUSABLE:
                log_write(LOG_NOTICE, &(LogContext){ .message = MESSAGE_TRACKING_LIMITED },
                          "daemons are tracked by descent, without cgroups: %s", why);
                return 0;
        default:
                log_error("cannot use cgroups: %s", strerror(-r));
                return r;
        }
}

static int supervisor_make_children(Supervisor *supervisor) {
        supervisor->child_context = (ChildContext){
                .loop = supervisor->loop,
                .reaper = supervisor->reaper,
                .cgroups = supervisor->cgroups,
                .intake = supervisor->intake,
                .notify_directory = supervisor->notify_directory,
                .frozen_directory = supervisor->frozen_directory,
                .sink = { .changed = settle_changed, .userdata = supervisor },
        };
        int r = limits_raise_descriptors(&supervisor->child_context.descriptors);
        if (r < 0)
                return r;

        Generation *generation = supervisor->generation;
        for (unsigned i = 0; r >= 0 && i < generation->count; i++)
                r = child_new(&supervisor->child_context, generation->config, i,
                              &generation->children[i]);
        return r;
}

int supervisor_new(Loop *loop, const char *config_path, Config *config, Supervisor **ret) {
        CLEANUP(supervisor_freep) Supervisor *supervisor = calloc(1, sizeof(*supervisor));
        if (!supervisor)
                return -ENOMEM;

        supervisor->loop = loop;
        TAILQ_INIT(&supervisor->operations);
        supervisor->repeat_noted = PHASE_MAX_;
        supervisor->stop_end = USEC_INFINITY;
        supervisor->config_path = strdup(config_path);
        if (!supervisor->config_path)
                return -ENOMEM;

        int r = supervisor_open_runtime(supervisor, &config->supervisor);
        if (r != 0)
                return r;
        r = supervisor_open_state(supervisor, &config->supervisor);
        if (r >= 0)
                r = supervisor_open_cgroups(supervisor, &config->supervisor);
        if (r >= 0)
                r = reaper_new(loop, &supervisor->reaper);
        if (r >= 0)
                r = intake_new(loop, &supervisor->intake);
        if (r >= 0)
                r = records_new(loop, supervisor->state, &supervisor->records);
        if (r >= 0)
                r = supervisor_add_sources(supervisor);
        if (r >= 0)
                r = generation_new(config, &supervisor->generation);
        if (r >= 0)
                r = supervisor_make_children(supervisor);
        if (r >= 0)
                r = remember_load(supervisor);
        if (r < 0)
                return r;

        reaper_on_reaped(supervisor->reaper, supervisor_on_reaped, supervisor);
        *ret = TAKE(supervisor);
        return 0;
}

Supervisor *supervisor_free(Supervisor *supervisor) {
        if (!supervisor)
                return NULL;

        reload_done(supervisor);
        operations_cancel(supervisor);
        for (size_t i = 0; supervisor->generation && i < supervisor->generation->count; i++)
                child_free(supervisor->generation->children[i]);
        generation_free(supervisor->generation);
        remember_done(supervisor);
        record_free(supervisor->starting);
        records_free(supervisor->records);
        for (size_t i = 0; i < SUPERVISOR_SIGNALS; i++)
                loop_source_free(supervisor->signals[i]);
        loop_source_free(supervisor->settle);
        loop_source_free(supervisor->deadline);
        loop_source_free(supervisor->end);
        loop_source_free(supervisor->tick);
        reaper_free(supervisor->reaper);
        intake_free(supervisor->intake);
        cgroup_root_close(supervisor->cgroups);
        if (supervisor->notify_directory)
                (void) file_remove(supervisor->notify_directory);
        if (supervisor->frozen_directory)
                (void) file_remove(supervisor->frozen_directory);
        runtime_directory_close(supervisor->runtime);
        state_directory_close(supervisor->state);

        free(supervisor->notify_directory);
        free(supervisor->frozen_directory);
        free(supervisor->config_path);
        free(supervisor);
        return NULL;
}

void supervisor_start(Supervisor *supervisor) {
        bool *set = supervisor->generation->in_set;
        size_t count = remember_select(supervisor, set);

        log_write(LOG_INFO, &(LogContext){ .message = MESSAGE_SUPERVISOR_STARTED },
                  "supervisord %s starts %zu of %zu %s of %s", PACKAGE_VERSION, count,
                  supervisor->generation->count,
                  PLURAL(supervisor->generation->count, "daemon", "daemons"),
                  supervisor->config_path);
        child_recover_intake(&supervisor->child_context);
        recording_start(supervisor, set);
        start_begin(supervisor, set);
        report_now(supervisor);
}

static void supervisor_note_repeat(Supervisor *supervisor) {
        SequenceProgress progress;

        sequence_progress(supervisor->generation->sequence, &progress);
        if (supervisor->repeat_noted == progress.phase)
                return;
        supervisor->repeat_noted = progress.phase;
        log_write(
                LOG_INFO,
                &(LogContext){ .message = MESSAGE_STOP_REPEATED,
                               .phase = phase_name(progress.phase) },
                "a stop is under way already (%s), a further signal changes nothing; SIGQUIT goes "
                "to cleanup at once",
                phase_name(progress.phase));
}

void supervisor_stop(Supervisor *supervisor, bool fast, const char *who) {
        switch (mode_step(&supervisor->mode, fast ? MODE_EVENT_QUIT : MODE_EVENT_STOP)) {
        case MODE_BEGIN_STOP:
                stop_begin(supervisor, false, who);
                break;
        case MODE_BEGIN_QUIT:
                stop_begin(supervisor, true, who);
                break;
        case MODE_HURRY:
                log_notice("going to cleanup at once");
                sequence_hurry(supervisor->generation->sequence);
                record_hurried(supervisor->generation->record, who, loop_now(supervisor->loop));
                loop_defer_arm(supervisor->settle);
                break;
        case MODE_REPEAT:
                supervisor_note_repeat(supervisor);
                break;
        default:
                break;
        }
}
