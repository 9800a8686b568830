/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What follows from the settings together: AUTO values are decided, and what contradicts itself or
 * has no effect is found. Most of it is in two tables. Pure, nothing here can block.
 */

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/parse.h"
#include "config/budget.h"
#include "config/load.h"
#include "config/order.h"
#include "config/probe.h"
#include "config/remark.h"
#include "config/value.h"

#define RESOLVE_CONTROL "control" /* the socket's name in the runtime directory */

#define BIT(value) (1u << (value))
/* Every choice but this one and the first, which is "none" or an "auto" that is none any more. */
#define ALL_BUT(value, end) ((BIT(end) - 1) & ~BIT(value) & ~BIT(0))

/* How long a connection must be quiet where nobody says so. */
#define RESOLVE_QUIET_CAREFUL (2 * USEC_PER_SEC)
#define RESOLVE_QUIET_ANSWER  (500 * USEC_PER_MSEC) /* of protocols in which one side waits */

/* A setting and the choices of another one with which it goes together. */
typedef struct ResolveRule {
        const char *path;
        const char *choice;
        unsigned values;
} ResolveRule;

/* With one of these choices the setting must be given. */
static const ResolveRule resolve_needed[] = {
        { "pidfile", "ready.on", BIT(READY_PIDFILE) },
        { "ready.address", "ready.on", BIT(READY_TCP) },
        { "ready.path", "ready.on", BIT(READY_UNIX) | BIT(READY_FILE) },
        { "ready.command", "ready.on", BIT(READY_COMMAND) },
        { "ready.line", "ready.on", BIT(READY_LOG) },
        { "health.address", "health.on", BIT(HEALTH_TCP) },
        { "health.path", "health.on", BIT(HEALTH_UNIX) | BIT(HEALTH_FILE) },
        { "health.command", "health.on", BIT(HEALTH_COMMAND) },
        { "freeze.signal", "freeze.method", BIT(FREEZE_SIGNAL) },
        { "freeze.command", "freeze.method", BIT(FREEZE_COMMAND) },
        { "drain.command", "drain.until", BIT(DRAIN_COMMAND) },
        { "drain.path", "drain.until", BIT(DRAIN_FILE) | BIT(DRAIN_NO_FILE) },
        { "output.file", "output.to", BIT(OUTPUT_FILE) },
};

/* Without one of these choices the setting has no effect. */
static const ResolveRule resolve_used[] = {
        { "ready.address", "ready.on", BIT(READY_TCP) },
        { "ready.port", "ready.on", BIT(READY_LISTEN) },
        { "ready.path", "ready.on", BIT(READY_UNIX) | BIT(READY_FILE) },
        { "ready.command", "ready.on", BIT(READY_COMMAND) },
        { "ready.line", "ready.on", BIT(READY_LOG) },
        { "ready.interval", "ready.on", BIT(READY_COMMAND) },
        { "ready.command_timeout", "ready.on", BIT(READY_COMMAND) },
        { "health.address", "health.on", BIT(HEALTH_TCP) },
        { "health.port", "health.on", BIT(HEALTH_LISTEN) },
        { "health.path", "health.on", BIT(HEALTH_UNIX) | BIT(HEALTH_FILE) },
        { "health.command", "health.on", BIT(HEALTH_COMMAND) },
        { "health.interval", "health.on", ALL_BUT(HEALTH_NOTIFY, HEALTH_MAX_) },
        { "health.timeout", "health.on", ALL_BUT(HEALTH_NONE, HEALTH_MAX_) },
        { "health.failures", "health.on", ALL_BUT(HEALTH_NOTIFY, HEALTH_MAX_) },
        { "health.successes", "health.on", ALL_BUT(HEALTH_NOTIFY, HEALTH_MAX_) },
        { "freeze.signal", "freeze.method", BIT(FREEZE_SIGNAL) },
        { "freeze.command", "freeze.method", BIT(FREEZE_COMMAND) },
        { "freeze.thaw_signal", "freeze.method", BIT(FREEZE_SIGNAL) },
        { "freeze.thaw_command", "freeze.method", BIT(FREEZE_COMMAND) },
        { "freeze.timeout", "freeze.method", ALL_BUT(FREEZE_NONE, FREEZE_MAX_) },
        { "drain.command", "drain.until", BIT(DRAIN_COMMAND) },
        { "drain.interval", "drain.until", BIT(DRAIN_COMMAND) },
        { "drain.path", "drain.until", BIT(DRAIN_FILE) | BIT(DRAIN_NO_FILE) },
        { "drain.count", "drain.until", BIT(DRAIN_IDLE) },
        { "drain.timeout", "drain.until", ALL_BUT(DRAIN_NONE, DRAIN_MAX_) },
        { "cleanup.wait", "cleanup.leftovers", BIT(LEFTOVERS_WAIT) },
        { "output.priority", "output.to", BIT(OUTPUT_JOURNAL) },
        { "start.success", "type",
          BIT(DAEMON_AUTO) | BIT(DAEMON_FORKING) | BIT(DAEMON_COMMAND) | BIT(DAEMON_ONESHOT) },
        { "restart.delay", "restart.policy", BIT(RESTART_ALWAYS) | BIT(RESTART_ON_FAILURE) },
        { "restart.delay_max", "restart.policy", BIT(RESTART_ALWAYS) | BIT(RESTART_ON_FAILURE) },
        { "restart.reset", "restart.policy", BIT(RESTART_ALWAYS) | BIT(RESTART_ON_FAILURE) },
        { "restart.jitter", "restart.policy", BIT(RESTART_ALWAYS) | BIT(RESTART_ON_FAILURE) },
        { "restart.limit", "restart.policy", BIT(RESTART_ALWAYS) | BIT(RESTART_ON_FAILURE) },
        { "restart.window", "restart.policy", BIT(RESTART_ALWAYS) | BIT(RESTART_ON_FAILURE) },
};

static const Setting *resolve_setting(const char *path) {
        return schema_find(schema_daemon, schema_daemon_count, path);
}

/* The value of a SETTING_ENUM. */
static unsigned resolve_choice(const DaemonConfig *daemon, const Setting *setting) {
        return *(const unsigned *) value_field(setting, daemon);
}

static const char *resolve_choice_name(const DaemonConfig *daemon, const Setting *setting) {
        return setting->choices[resolve_choice(daemon, setting)];
}

static DrainUntil resolve_drain_auto(const DaemonConfig *daemon) {
        if (daemon->drain.command)
                return DRAIN_COMMAND;
        if (daemon->drain.signo != 0)
                return DRAIN_EXIT;

        switch (daemon->freeze.method) {
        case FREEZE_SIGNAL:
                return DRAIN_EXIT;
        case FREEZE_DISPATCHER:
                return DRAIN_JOBS;
        case FREEZE_CGROUP: /* nothing of it goes on */
        case FREEZE_NONE:   /* new work would go on coming */
                return DRAIN_NONE;
        default:
                return DRAIN_IDLE;
        }
}

static void resolve_auto(DaemonConfig *daemon) {
        static const ReadyOn by_type[] = { [DAEMON_AUTO] = READY_ANY,
                                           [DAEMON_SIMPLE] = READY_EXEC,
                                           [DAEMON_NOTIFY] = READY_NOTIFY,
                                           [DAEMON_FORKING] = READY_EXIT,
                                           [DAEMON_COMMAND] = READY_EXIT,
                                           [DAEMON_ONESHOT] = READY_EXIT };
        static_assert(ELEMENTSOF(by_type) == DAEMON_TYPE_MAX_, "every type has its readiness");

        if (daemon->ready.on == READY_AUTO && daemon->ready.command)
                daemon->ready.on = READY_COMMAND;
        if (daemon->ready.on == READY_AUTO && daemon->ready.line)
                daemon->ready.on = READY_LOG;
        if (daemon->ready.on == READY_AUTO)
                daemon->ready.on = by_type[daemon->type] == READY_EXIT && daemon->pidfile &&
                                                   daemon->type != DAEMON_ONESHOT
                                           ? READY_PIDFILE
                                           : by_type[daemon->type];
        if (daemon->freeze.method == FREEZE_AUTO)
                daemon->freeze.method = daemon->freeze.command ? FREEZE_COMMAND
                                        : daemon->freeze.signo != 0 ? FREEZE_SIGNAL
                                                                    : FREEZE_SOCKETS;
        if (daemon->drain.until == DRAIN_AUTO)
                daemon->drain.until = resolve_drain_auto(daemon);
        if (daemon->drain.quiet == USEC_INFINITY)
                daemon->drain.quiet = daemon->drain.count == COUNT_HTTP ||
                                                      daemon->drain.count == COUNT_DATABASE
                                              ? RESOLVE_QUIET_ANSWER
                                              : RESOLVE_QUIET_CAREFUL;
}

static int resolve_identifier(DaemonConfig *daemon) {
        if (daemon->output.identifier)
                return 0;
        daemon->output.identifier = strdup(daemon->name);
        return daemon->output.identifier ? 0 : -ENOMEM;
}

static void resolve_check_needed(const DaemonConfig *daemon, Diag *diag) {
        for (size_t i = 0; i < ELEMENTSOF(resolve_needed); i++) {
                const ResolveRule *rule = &resolve_needed[i];
                const Setting *choice = resolve_setting(rule->choice);

                if ((rule->values & BIT(resolve_choice(daemon, choice))) == 0 ||
                    remark_is_written(daemon, rule->path))
                        continue;
                remark_error(diag, daemon, rule->choice,
                             "\"%s\" needs %s; set that too, or make another choice here",
                             resolve_choice_name(daemon, choice), rule->path);
        }
}

/* Left-overs of a crash are measured, although a stop may be over by something else. */
static bool resolve_counts_leftovers(const DaemonConfig *daemon, const ResolveRule *rule) {
        return strcmp(rule->path, "drain.count") == 0 &&
               daemon->cleanup.leftovers == LEFTOVERS_WAIT &&
               daemon->drain.until != DRAIN_CONNECTIONS && daemon->drain.until != DRAIN_JOBS &&
               daemon->drain.until != DRAIN_NONE;
}

/* What is as it would be anyway does no harm, so that a dump reads back without a word. */
static void resolve_check_used(const DaemonConfig *daemon,
                               const DaemonConfig *defaults,
                               Diag *diag) {
        for (size_t i = 0; i < ELEMENTSOF(resolve_used); i++) {
                const ResolveRule *rule = &resolve_used[i];
                const Setting *choice = resolve_setting(rule->choice);
                const char *actual = resolve_choice_name(daemon, choice);
                const char *wanted = choice->choices[__builtin_ctz(rule->values)];

                if ((rule->values & BIT(resolve_choice(daemon, choice))) != 0 ||
                    value_equal(resolve_setting(rule->path), daemon, defaults) ||
                    resolve_counts_leftovers(daemon, rule))
                        continue;
                remark_warning(diag, daemon, rule->path,
                               "it has no effect with %s = \"%s\"; remove it or write %s = \"%s\"",
                               rule->choice, actual, rule->choice, wanted);
        }
}

static void resolve_check_ready(const DaemonConfig *daemon, Diag *diag) {
        if (daemon->type == DAEMON_ONESHOT && daemon->ready.on != READY_EXIT)
                remark_error(diag, daemon, "ready.on",
                             "a oneshot is ready when its command has ended with success; remove "
                             "it or write ready.on = \"exit\"");
        if (daemon->type == DAEMON_ONESHOT && daemon->pidfile)
                remark_warning(diag, daemon, "pidfile",
                               "nothing of a oneshot stays that it could name; remove it");
        if (daemon->ready.on == READY_EXIT && daemon->type != DAEMON_FORKING &&
            daemon->type != DAEMON_COMMAND && daemon->type != DAEMON_ONESHOT)
                remark_error(diag, daemon, "ready.on",
                             "\"exit\" is for daemons that put themselves into the background; "
                             "write type = \"forking\" or ready.on = \"exec\"");
}

/* Who names a file expects the output to be in it: more than a warning. */
static void resolve_check_output(const DaemonConfig *daemon, Diag *diag) {
        if (daemon->output.file && daemon->output.to != OUTPUT_FILE)
                remark_error(diag, daemon, "output.file",
                             "nothing is written to it; remove it or write output.to = \"file\"");
}

static void resolve_check_drain(const DaemonConfig *daemon, Diag *diag) {
        if (daemon->drain.until == DRAIN_EXIT && daemon->drain.signo == 0 &&
            daemon->freeze.method != FREEZE_SIGNAL && daemon->freeze.method != FREEZE_COMMAND)
                remark_warning(diag, daemon, "drain.until",
                               "nothing tells it to exit, so that each drain will last to its end; "
                               "set drain.signal or freeze.signal");
}

static void resolve_check_stop(const DaemonConfig *daemon, Diag *diag) {
        const StopSchedule *stop = &daemon->stop;
        char signal_text[SIGNAL_TEXT_MAX];

        for (size_t i = 0; i + 1 < stop->count; i++) {
                if (stop->steps[i].signo == SIGKILL) {
                        remark_error(diag, daemon, "stop.signals",
                                     "nothing is left after KILL; remove what follows it");
                        return;
                }
                if (stop->steps[i].wait == USEC_INFINITY) {
                        format_signal(signal_text, stop->steps[i].signo);
                        remark_error(diag, daemon, "stop.signals",
                                     "the step \"%s\" has no time, so that the next one would "
                                     "never come; write \"%s 5s\"",
                                     signal_text, signal_text);
                        return;
                }
        }
}

static void resolve_check_stop_command(const DaemonConfig *daemon,
                                       const DaemonConfig *defaults,
                                       Diag *diag) {
        static const char *const settings[] = { "stop.command_timeout", "stop.success" };

        for (size_t i = 0; i < ELEMENTSOF(settings) && !daemon->stop_by.command; i++)
                if (!value_equal(resolve_setting(settings[i]), daemon, defaults))
                        remark_warning(diag, daemon, settings[i],
                                       "it has no effect without stop.command; remove it or set "
                                       "that");
}

/* The least time in which so many restarts can come, each after the shortest delay. */
static usec_t resolve_least_time(const DaemonConfig *daemon) {
        usec_t interval = daemon->restart.delay, sum = 0;

        for (int64_t i = 0; i < daemon->restart.limit; i++) {
                sum = usec_add(sum, interval);
                interval = MIN_OF(usec_add(interval, interval), daemon->restart.delay_max);
        }
        return sum;
}

static void resolve_check_window(const DaemonConfig *daemon, Diag *diag) {
        char window[DURATION_TEXT_MAX], least[DURATION_TEXT_MAX];

        if (daemon->restart.window == USEC_INFINITY)
                return;
        if (daemon->restart.limit == 0) {
                remark_warning(diag, daemon, "restart.window",
                               "it has no effect with restart.limit = 0; remove it or set a limit");
                return;
        }
        if (daemon->restart.limit > RESTART_WINDOW_MAX) {
                remark_error(diag, daemon, "restart.window",
                             "no more than %d restarts can be counted in a window; "
                             "write a lower restart.limit, or remove it",
                             RESTART_WINDOW_MAX);
                return;
        }
        if (resolve_least_time(daemon) < daemon->restart.window)
                return;
        format_duration(window, daemon->restart.window);
        format_duration(least, resolve_least_time(daemon));
        remark_error(diag, daemon, "restart.window",
                     "%lld restarts take at least %s by their growing delays, so that there will "
                     "never be as many within %s; write a longer window than that, or a lower "
                     "restart.limit or restart.delay_max",
                     (long long) daemon->restart.limit, least, window);
}

static void resolve_check_restart(const DaemonConfig *daemon, Diag *diag) {
        char delay[DURATION_TEXT_MAX], delay_max[DURATION_TEXT_MAX];

        resolve_check_window(daemon, diag);
        if (daemon->restart.delay <= daemon->restart.delay_max)
                return;
        format_duration(delay, daemon->restart.delay);
        format_duration(delay_max, daemon->restart.delay_max);
        remark_error(diag, daemon,
                     remark_is_written(daemon, "restart.delay") ? "restart.delay"
                                                                : "restart.delay_max",
                     "the first delay of %s is longer than the longest one of %s; "
                     "write delay_max = \"%s\" or more",
                     delay, delay_max, delay);
}

static void resolve_check_reload(const DaemonConfig *daemon,
                                 const DaemonConfig *defaults,
                                 Diag *diag) {
        char signal_text[SIGNAL_TEXT_MAX];

        if (daemon->reload.signo > 0 && daemon->reload.command)
                remark_error(diag, daemon, "reload.command",
                             "reload.signal is given too; remove one of them");
        if (daemon->reload.signo == SIGKILL || daemon->reload.signo == SIGSTOP)
                remark_error(diag, daemon, "reload.signal",
                             "no daemon reads anything at %s; write the one that its manual names, "
                             "often \"HUP\"",
                             format_signal(signal_text, daemon->reload.signo));
        if (daemon->reload.timeout != defaults->reload.timeout && !daemon->reload.check &&
            !daemon_config_can_reload(daemon))
                remark_warning(diag, daemon, "reload.timeout",
                               "nothing takes that time; set reload.check, reload.signal or "
                               "reload.command, or remove it");
}

static int resolve_daemon(DaemonConfig *daemon, const DaemonConfig *defaults, Diag *diag) {
        resolve_auto(daemon);
        if (!remark_is_written(daemon, "command"))
                remark_error(diag, daemon, "command",
                             "it is missing; write command = [ \"/usr/sbin/…\" ];");
        resolve_check_needed(daemon, diag);
        resolve_check_used(daemon, defaults, diag);
        resolve_check_ready(daemon, diag);
        probe_check(daemon, diag);
        resolve_check_output(daemon, diag);
        resolve_check_drain(daemon, diag);
        resolve_check_stop(daemon, diag);
        resolve_check_stop_command(daemon, defaults, diag);
        resolve_check_restart(daemon, diag);
        resolve_check_reload(daemon, defaults, diag);
        return resolve_identifier(daemon);
}

static int resolve_compare_pidfiles(const void *a, const void *b) {
        const DaemonConfig *x = *(const DaemonConfig *const *) a;
        const DaemonConfig *y = *(const DaemonConfig *const *) b;
        int r = strcmp(x->pidfile, y->pidfile);

        return r != 0 ? r : (x->index > y->index) - (x->index < y->index);
}

/* Two daemons that write the same pidfile would be taken for each other. */
static int resolve_check_pidfiles(const Config *config, Diag *diag) {
        CLEANUP(freep) const DaemonConfig **daemons = NULL;
        size_t count = 0;

        daemons = calloc(config->daemon_count + 1, sizeof(*daemons));
        if (!daemons)
                return -ENOMEM;
        for (size_t i = 0; i < config->daemon_count; i++)
                if (config->daemons[i].pidfile)
                        daemons[count++] = &config->daemons[i];
        qsort(daemons, count, sizeof(*daemons), resolve_compare_pidfiles);
        for (size_t i = 1; i < count; i++)
                if (strcmp(daemons[i - 1]->pidfile, daemons[i]->pidfile) == 0)
                        remark_error(diag, daemons[i], "pidfile",
                                     "\"%.200s\" is also the pidfile of %s; give each its own",
                                     daemons[i]->pidfile, daemons[i - 1]->name);
        return 0;
}

/* The path of a socket has little room. */
static int resolve_control(SupervisorConfig *supervisor, Diag *diag) {
        const size_t room = sizeof(((struct sockaddr_un *) NULL)->sun_path) - 1;
        bool given = supervisor->control;

        if (!given && asprintf(&supervisor->control, "%s/" RESOLVE_CONTROL,
                               supervisor->runtime_directory) < 0) {
                supervisor->control = NULL;
                return -ENOMEM;
        }
        if (strlen(supervisor->control) > room)
                remark_supervisor_error(diag, supervisor, given ? "control" : "runtime_directory",
                                        "\"%.200s\" is too long for the path of a socket; write "
                                        "one of at most %zu bytes",
                                        supervisor->control,
                                        room - (given ? 0 : strlen("/" RESOLVE_CONTROL)));
        return 0;
}

int config_resolve(Config *config, Diag *diag) {
        CLEANUP(config_unrefp) Config *scratch = NULL;
        DaemonConfig *defaults;
        int r;

        if (config->daemon_count == 0 && diag_errors(diag) == 0)
                diag_add(diag, SEVERITY_ERROR, config->files ? config->files[0] : NULL, 0, NULL,
                         "no daemons are configured; write "
                         "daemons: { NAME: { command = [ \"/usr/sbin/…\" ]; }; };");
        r = resolve_control(&config->supervisor, diag);
        if (r == 0)
                r = config_new(&scratch);
        if (r == 0)
                r = config_add_daemon(scratch, "", (SettingOrigin) {}, &defaults);
        if (r < 0)
                return r;
        for (size_t i = 0; i < config->daemon_count; i++) {
                r = resolve_daemon(&config->daemons[i], defaults, diag);
                if (r < 0)
                        return r;
        }
        r = resolve_check_pidfiles(config, diag);
        if (r == 0)
                r = order_resolve(config, diag);
        return r < 0 ? r : budget_resolve(config, diag);
}
