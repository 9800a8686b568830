/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The table of all settings. The settings of one group stand together: --dump prints them as they
 * stand here. Constant data; nothing here can block.
 */

#include "config/schema.h"

#include <assert.h>
#include <string.h>

#include "config/config.h"

#define SECOND (1000 * 1000)
#define DAY    ((int64_t) 24 * 60 * 60 * SECOND)

#define SUPERVISOR(field) offsetof(SupervisorConfig, field)
#define DAEMON(field)     offsetof(DaemonConfig, field)

static const char *const schema_types[] = {
        [DAEMON_AUTO] = "auto",
        [DAEMON_SIMPLE] = "simple",
        [DAEMON_NOTIFY] = "notify",
        [DAEMON_FORKING] = "forking",
        [DAEMON_COMMAND] = "command",
        [DAEMON_ONESHOT] = "oneshot",
        [DAEMON_TYPE_MAX_] = NULL,
};
static_assert(ELEMENTSOF(schema_types) == DAEMON_TYPE_MAX_ + 1, "every type has its name");

static const char *const schema_ready[] = {
        [READY_AUTO] = "auto",       [READY_ANY] = "any",
        [READY_EXEC] = "exec",       [READY_EXIT] = "exit",
        [READY_NOTIFY] = "notify",   [READY_PIDFILE] = "pidfile", [READY_LISTEN] = "listen",
        [READY_TCP] = "tcp",         [READY_UNIX] = "unix",     [READY_FILE] = "file",
        [READY_COMMAND] = "command", [READY_LOG] = "log",       [READY_MAX_] = NULL,
};
static_assert(ELEMENTSOF(schema_ready) == READY_MAX_ + 1, "every readiness has its name");

static const char *const schema_health[] = {
        [HEALTH_NONE] = "none", [HEALTH_LISTEN] = "listen",   [HEALTH_TCP] = "tcp",
        [HEALTH_UNIX] = "unix", [HEALTH_FILE] = "file",       [HEALTH_COMMAND] = "command",
        [HEALTH_NOTIFY] = "notify", [HEALTH_MAX_] = NULL,
};
static_assert(ELEMENTSOF(schema_health) == HEALTH_MAX_ + 1, "every way to look has its name");

static const char *const schema_freeze[] = {
        [FREEZE_AUTO] = "auto",
        [FREEZE_SIGNAL] = "signal",
        [FREEZE_COMMAND] = "command",
        [FREEZE_SOCKETS] = "sockets",
        [FREEZE_REFUSE] = "refuse",
        [FREEZE_HOLD] = "hold",
        [FREEZE_RENAME] = "rename",
        [FREEZE_DISPATCHER] = "dispatcher",
        [FREEZE_CGROUP] = "cgroup",
        [FREEZE_NONE] = "none",
        [FREEZE_MAX_] = NULL,
};
static_assert(ELEMENTSOF(schema_freeze) == FREEZE_MAX_ + 1, "every method has its name");

static const char *const schema_drain[] = {
        [DRAIN_AUTO] = "auto",
        [DRAIN_EXIT] = "exit",
        [DRAIN_IDLE] = "idle",
        [DRAIN_CONNECTIONS] = "connections",
        [DRAIN_JOBS] = "jobs",
        [DRAIN_COMMAND] = "command",
        [DRAIN_FILE] = "file",
        [DRAIN_NO_FILE] = "no-file",
        [DRAIN_NONE] = "none",
        [DRAIN_MAX_] = NULL,
};
static_assert(ELEMENTSOF(schema_drain) == DRAIN_MAX_ + 1, "every criterion has its name");

static const char *const schema_count[] = {
        [COUNT_CAREFUL] = "careful", [COUNT_HTTP] = "http",     [COUNT_DATABASE] = "database",
        [COUNT_SESSION] = "session", [COUNT_STREAM] = "stream", [COUNT_UDP] = "udp",
        [COUNT_MAX_] = NULL,
};
static_assert(ELEMENTSOF(schema_count) == COUNT_MAX_ + 1, "every way to count has its name");

static const char *const schema_leftovers[] = {
        [LEFTOVERS_KILL] = "kill",
        [LEFTOVERS_WAIT] = "wait",
        [LEFTOVERS_SPARE] = "spare",
        [LEFTOVERS_MAX_] = NULL,
};
static_assert(ELEMENTSOF(schema_leftovers) == LEFTOVERS_MAX_ + 1, "every policy has its name");

static const char *const schema_restart[] = {
        [RESTART_ALWAYS] = "always",
        [RESTART_ON_FAILURE] = "on-failure",
        [RESTART_NEVER] = "never",
        [RESTART_MAX_] = NULL,
};
static_assert(ELEMENTSOF(schema_restart) == RESTART_MAX_ + 1, "every policy has its name");

static const char *const schema_output[] = {
        [OUTPUT_JOURNAL] = "journal", [OUTPUT_FILE] = "file", [OUTPUT_INHERIT] = "inherit",
        [OUTPUT_NULL] = "null",       [OUTPUT_MAX_] = NULL,
};
static_assert(ELEMENTSOF(schema_output) == OUTPUT_MAX_ + 1, "every output has its name");

const Setting schema_supervisor[] = {
        { .path = "freeze_timeout", .type = SETTING_DURATION,
          .offset = SUPERVISOR(freeze_timeout), .preset = "5s", .maximum = DAY,
          .help = "how long all daemons together may take to stop taking in new work" },
        { .path = "drain_timeout", .type = SETTING_DURATION,
          .offset = SUPERVISOR(drain_timeout), .preset = "20s", .maximum = DAY,
          .help = "how long work in flight may take to finish" },
        { .path = "cleanup_timeout", .type = SETTING_DURATION,
          .offset = SUPERVISOR(cleanup_timeout), .preset = "10s", .maximum = DAY,
          .help = "how long ending and tidying up what is left may take" },
        { .path = "grace", .type = SETTING_DURATION, .offset = SUPERVISOR(grace),
          .minimum = 2 * SECOND, .maximum = DAY,
          .help = "how long a whole stop may take, where that is given from outside" },
        { .path = "runtime_directory", .type = SETTING_PATH,
          .offset = SUPERVISOR(runtime_directory), .preset = "/run/supervisord",
          .effect = EFFECT_RESTART,
          .help = "the directory of everything that a run needs; one for each supervisor" },
        { .path = "state_directory", .type = SETTING_PATH,
          .offset = SUPERVISOR(state_directory), .preset = "/var/lib/supervisord",
          .effect = EFFECT_RESTART,
          .help = "the directory of what outlives a run; one for each supervisor" },
        { .path = "control", .type = SETTING_PATH, .offset = SUPERVISOR(control),
          .effect = EFFECT_RESTART,
          .help = "the socket of supervisorctl, if not the file control in the runtime directory" },
        { .path = "admin_group", .type = SETTING_STRING, .offset = SUPERVISOR(admin_group),
          .help = "the group whose members may do everything by supervisorctl, as root may" },
        { .path = "reader_group", .type = SETTING_STRING, .offset = SUPERVISOR(reader_group),
          .help = "the group whose members may look by supervisorctl, and nothing else" },
        { .path = "cgroups", .type = SETTING_BOOL, .offset = SUPERVISOR(cgroups),
          .preset = "true", .effect = EFFECT_RESTART,
          .help = "whether each daemon gets a cgroup of its own, where that is possible" },
        { .path = "log_priority", .type = SETTING_PRIORITY, .offset = SUPERVISOR(log_priority),
          .preset = "info", .help = "the least important priority that is logged" },
};
const size_t schema_supervisor_count = ELEMENTSOF(schema_supervisor);

#define LIMIT(name, number, text)                                                                  \
        { .path = "limits." name, .type = SETTING_LIMIT, .offset = DAEMON(limits),                 \
          .limit = (number), .effect = EFFECT_RESTART, .help = (text) }

const Setting schema_daemon[] = {
        { .path = "profile", .type = SETTING_STRING, .offset = DAEMON(profile),
          .help = "the profile of a known daemon, with whose settings this one begins" },
        { .path = "command", .type = SETTING_COMMAND, .offset = DAEMON(command),
          .effect = EFFECT_RESTART, .help = "the program with its arguments (required)" },
        { .path = "type", .type = SETTING_ENUM, .offset = DAEMON(type), .preset = "auto",
          .choices = schema_types, .effect = EFFECT_RESTART,
          .help = "auto finds out; simple and notify stay in the foreground, forking does not, "
                  "command is a script that starts it, oneshot ends and is done" },
        { .path = "pidfile", .type = SETTING_PATH, .offset = DAEMON(pidfile),
          .effect = EFFECT_RESTART, .help = "the file in which the daemon writes its process id" },
        { .path = "requires", .type = SETTING_NAMES, .offset = DAEMON(requires),
          .help = "daemons that must be ready first and without which this one does not start" },
        { .path = "after", .type = SETTING_NAMES, .offset = DAEMON(after),
          .help = "daemons that come first, whether they become ready or fail" },
        { .path = "essential", .type = SETTING_BOOL, .offset = DAEMON(essential),
          .preset = "false", .help = "whether everything stops when this daemon is given up" },

        { .path = "user", .type = SETTING_STRING, .offset = DAEMON(user),
          .effect = EFFECT_RESTART, .help = "the user that the daemon runs as, by name or number" },
        { .path = "group", .type = SETTING_STRING, .offset = DAEMON(group),
          .effect = EFFECT_RESTART, .help = "its group, if not the user's own" },
        { .path = "groups", .type = SETTING_STRINGS, .offset = DAEMON(groups),
          .effect = EFFECT_RESTART, .help = "further groups, besides those of the user" },
        { .path = "directory", .type = SETTING_PATH, .offset = DAEMON(directory), .preset = "/",
          .effect = EFFECT_RESTART, .help = "its working directory" },
        { .path = "umask", .type = SETTING_MODE, .offset = DAEMON(umask), .preset = "0022",
          .effect = EFFECT_RESTART, .help = "permissions that its new files do not get" },
        { .path = "environment", .type = SETTING_VARIABLES, .offset = DAEMON(environment),
          .effect = EFFECT_RESTART, .help = "its environment variables" },
        { .path = "nice", .type = SETTING_INT, .offset = DAEMON(nice), .preset = "0",
          .minimum = -20, .maximum = 19, .effect = EFFECT_RESTART,
          .help = "its share of the processors, from -20 (most) to 19 (least)" },
        { .path = "oom_score_adjust", .type = SETTING_INT, .offset = DAEMON(oom_score_adjust),
          .preset = "0", .minimum = -1000, .maximum = 1000, .effect = EFFECT_RESTART,
          .help = "how soon it is killed without memory, from -1000 (never) to 1000 (first)" },
        { .path = "no_new_privileges", .type = SETTING_BOOL, .offset = DAEMON(no_new_privileges),
          .preset = "false", .effect = EFFECT_RESTART,
          .help = "whether set-user-id programs lose their power in it" },

        LIMIT("nofile", RLIMIT_NOFILE, "open files"),
        LIMIT("nproc", RLIMIT_NPROC, "processes of its user"),
        LIMIT("core", RLIMIT_CORE, "size of a core dump"),
        LIMIT("memlock", RLIMIT_MEMLOCK, "locked memory"),
        LIMIT("as", RLIMIT_AS, "address space"),
        LIMIT("data", RLIMIT_DATA, "size of the data segment"),
        LIMIT("stack", RLIMIT_STACK, "size of the stack"),
        LIMIT("fsize", RLIMIT_FSIZE, "size of a file that it writes"),
        LIMIT("cpu", RLIMIT_CPU, "seconds of processor time"),
        LIMIT("rss", RLIMIT_RSS, "resident memory (without effect on Linux)"),
        LIMIT("locks", RLIMIT_LOCKS, "file locks (without effect on Linux)"),
        LIMIT("sigpending", RLIMIT_SIGPENDING, "queued signals"),
        LIMIT("msgqueue", RLIMIT_MSGQUEUE, "bytes in POSIX message queues"),
        LIMIT("rtprio", RLIMIT_RTPRIO, "highest real-time priority"),
        LIMIT("rttime", RLIMIT_RTTIME, "microseconds of real-time run without a system call"),

        { .path = "output.to", .type = SETTING_ENUM, .offset = DAEMON(output.to),
          .preset = "journal", .choices = schema_output, .effect = EFFECT_RESTART,
          .help = "where its output goes: journal, file, inherit (as supervisord) or null" },
        { .path = "output.file", .type = SETTING_PATH, .offset = DAEMON(output.file),
          .effect = EFFECT_RESTART, .help = "the file for to = \"file\", which is appended to" },
        { .path = "output.identifier", .type = SETTING_STRING, .offset = DAEMON(output.identifier),
          .effect = EFFECT_RESTART,
          .help = "its SYSLOG_IDENTIFIER in the journal, if not the daemon's name" },
        { .path = "output.priority", .type = SETTING_PRIORITY, .offset = DAEMON(output.priority),
          .preset = "info", .effect = EFFECT_RESTART,
          .help = "the priority of its lines in the journal" },

        { .path = "start.success", .type = SETTING_STATUSES, .offset = DAEMON(start.success),
          .effect = EFFECT_RESTART,
          .help = "for forking, command, oneshot: the exit statuses of a good start, if not 0" },

        { .path = "ready.on", .type = SETTING_ENUM, .offset = DAEMON(ready.on), .preset = "auto",
          .choices = schema_ready,
          .help = "what shows it ready: any, exec, exit, notify, pidfile, listen, tcp, unix, file, "
                  "command or log" },
        { .path = "ready.timeout", .type = SETTING_DURATION, .offset = DAEMON(ready.timeout),
          .preset = "30s", .minimum = SECOND / 1000, .maximum = DAY,
          .help = "how long it may take to become ready" },
        { .path = "ready.address", .type = SETTING_STRING, .offset = DAEMON(ready.address),
          .help = "for tcp: the address that accepts, \"127.0.0.1:80\" or \"[::1]:80\"" },
        { .path = "ready.port", .type = SETTING_INT, .offset = DAEMON(ready.port), .preset = "0",
          .maximum = 65535, .help = "for listen: the port that must listen; 0: any" },
        { .path = "ready.path", .type = SETTING_PATH, .offset = DAEMON(ready.path),
          .help = "for unix and file: the path of the socket or file" },
        { .path = "ready.line", .type = SETTING_STRING, .offset = DAEMON(ready.line),
          .help = "for log: the regular expression of the line of its output that shows it" },
        { .path = "ready.command", .type = SETTING_COMMAND, .offset = DAEMON(ready.command),
          .help = "for command: the command that exits with 0 once it is ready" },
        { .path = "ready.interval", .type = SETTING_DURATION, .offset = DAEMON(ready.interval),
          .preset = "1s", .minimum = SECOND / 100, .maximum = DAY,
          .help = "the time between two runs of ready.command" },
        { .path = "ready.command_timeout", .type = SETTING_DURATION,
          .offset = DAEMON(ready.command_timeout), .preset = "5s", .minimum = SECOND / 1000,
          .maximum = DAY, .help = "how long one run of ready.command may take" },

        { .path = "health.on", .type = SETTING_ENUM, .offset = DAEMON(health.on),
          .preset = "none", .choices = schema_health,
          .help = "what shows that it is well: none, listen, tcp, unix, file, command or notify" },
        { .path = "health.address", .type = SETTING_STRING, .offset = DAEMON(health.address),
          .help = "for tcp: the address that accepts, \"127.0.0.1:80\" or \"[::1]:80\"" },
        { .path = "health.port", .type = SETTING_INT, .offset = DAEMON(health.port),
          .preset = "0", .maximum = 65535, .help = "for listen: the port that listens; 0: any" },
        { .path = "health.path", .type = SETTING_PATH, .offset = DAEMON(health.path),
          .help = "for unix and file: the path of the socket or file" },
        { .path = "health.command", .type = SETTING_COMMAND, .offset = DAEMON(health.command),
          .help = "for command: the command that exits with 0 while it is well" },
        { .path = "health.interval", .type = SETTING_DURATION, .offset = DAEMON(health.interval),
          .preset = "10s", .minimum = SECOND / 10, .maximum = DAY,
          .help = "the time between two looks" },
        { .path = "health.timeout", .type = SETTING_DURATION, .offset = DAEMON(health.timeout),
          .preset = "5s", .minimum = SECOND / 1000, .maximum = DAY,
          .help = "how long one look may take; for notify: between two times WATCHDOG=1" },
        { .path = "health.failures", .type = SETTING_INT, .offset = DAEMON(health.failures),
          .preset = "3", .minimum = 1, .maximum = 1000,
          .help = "so many failed looks in a row make it sick" },
        { .path = "health.successes", .type = SETTING_INT, .offset = DAEMON(health.successes),
          .preset = "1", .minimum = 1, .maximum = 1000,
          .help = "so many good looks in a row make a sick one well" },

        { .path = "freeze.method", .type = SETTING_ENUM, .offset = DAEMON(freeze.method),
          .preset = "auto", .choices = schema_freeze,
          .help = "how it stops taking in new work: sockets, refuse, hold, rename, signal, "
                  "command, dispatcher, cgroup or none" },
        { .path = "freeze.signal", .type = SETTING_SIGNAL, .offset = DAEMON(freeze.signo),
          .help = "the signal that makes the daemon stop taking in new work" },
        { .path = "freeze.command", .type = SETTING_COMMAND, .offset = DAEMON(freeze.command),
          .help = "the command that makes the daemon stop taking in new work" },
        { .path = "freeze.thaw_signal", .type = SETTING_SIGNAL,
          .offset = DAEMON(freeze.thaw_signo), .help = "the signal that undoes freeze.signal" },
        { .path = "freeze.thaw_command", .type = SETTING_COMMAND,
          .offset = DAEMON(freeze.thaw_command), .help = "the command that undoes freeze.command" },
        { .path = "freeze.timeout", .type = SETTING_DURATION, .offset = DAEMON(freeze.timeout),
          .maximum = DAY, .help = "its own time for freezing, if not the supervisor's" },

        { .path = "drain.until", .type = SETTING_ENUM, .offset = DAEMON(drain.until),
          .preset = "auto", .choices = schema_drain,
          .help = "what shows that its work is finished: idle, connections, exit, jobs, command, "
                  "file, no-file or none" },
        { .path = "drain.signal", .type = SETTING_SIGNAL, .offset = DAEMON(drain.signo),
          .help = "the signal that makes the daemon finish its work" },
        { .path = "drain.command", .type = SETTING_COMMAND, .offset = DAEMON(drain.command),
          .help = "the command that exits with 0 once the work is finished" },
        { .path = "drain.interval", .type = SETTING_DURATION, .offset = DAEMON(drain.interval),
          .preset = "1s", .minimum = SECOND / 100, .maximum = DAY,
          .help = "the time between two runs of drain.command" },
        { .path = "drain.path", .type = SETTING_PATH, .offset = DAEMON(drain.path),
          .help = "for file and no-file: the path that shows it" },
        { .path = "drain.count", .type = SETTING_ENUM, .offset = DAEMON(drain.count),
          .preset = "careful", .choices = schema_count,
          .help = "for idle: which connections count: careful, http, database, session, stream or "
                  "udp" },
        { .path = "drain.quiet", .type = SETTING_DURATION, .offset = DAEMON(drain.quiet),
          .minimum = SECOND / 20, .maximum = DAY,
          .help = "for idle: how long a connection must be quiet (2s; http, database 500ms)" },
        { .path = "drain.timeout", .type = SETTING_DURATION, .offset = DAEMON(drain.timeout),
          .maximum = DAY, .help = "its own time for draining, if not the supervisor's" },

        { .path = "stop.signals", .type = SETTING_SCHEDULE, .offset = DAEMON(stop),
          .preset = "TERM 5s, KILL",
          .help = "the signals that end it, each with the time that it is given" },
        { .path = "stop.command", .type = SETTING_COMMAND, .offset = DAEMON(stop_by.command),
          .help = "the command that ends it, before the signals" },
        { .path = "stop.command_timeout", .type = SETTING_DURATION,
          .offset = DAEMON(stop_by.timeout), .preset = "5s", .minimum = SECOND / 1000,
          .maximum = DAY, .help = "how long stop.command may take" },
        { .path = "stop.success", .type = SETTING_STATUSES, .offset = DAEMON(stop_by.success),
          .help = "the exit statuses with which stop.command has succeeded, if not 0" },

        { .path = "cleanup.leftovers", .type = SETTING_ENUM, .offset = DAEMON(cleanup.leftovers),
          .preset = "kill", .choices = schema_leftovers,
          .help = "what becomes of processes that its main one leaves: kill, wait or spare" },
        { .path = "cleanup.wait", .type = SETTING_DURATION, .offset = DAEMON(cleanup.wait),
          .preset = "10s", .maximum = DAY,
          .help = "for wait: how long they may take to end by themselves" },
        { .path = "cleanup.command", .type = SETTING_COMMAND, .offset = DAEMON(cleanup.command),
          .help = "a command that runs once all of its processes are gone or spared" },
        { .path = "cleanup.remove", .type = SETTING_PATHS, .offset = DAEMON(cleanup.remove),
          .help = "files and sockets to remove once all of its processes are gone" },
        { .path = "cleanup.timeout", .type = SETTING_DURATION, .offset = DAEMON(cleanup.timeout),
          .maximum = DAY, .help = "its own time for cleaning up, if not the supervisor's" },

        { .path = "restart.policy", .type = SETTING_ENUM, .offset = DAEMON(restart.policy),
          .preset = "always", .choices = schema_restart,
          .help = "after which ends it is started again: always, on-failure or never" },
        { .path = "restart.delay", .type = SETTING_DURATION, .offset = DAEMON(restart.delay),
          .preset = "200ms", .minimum = 10 * (int64_t) USEC_PER_MSEC, .maximum = DAY,
          .help = "the least time between two starts, before it grows" },
        { .path = "restart.delay_max", .type = SETTING_DURATION,
          .offset = DAEMON(restart.delay_max), .preset = "30s", .maximum = DAY,
          .help = "the delay doubles with each restart in a row, up to this" },
        { .path = "restart.reset", .type = SETTING_DURATION, .offset = DAEMON(restart.reset),
          .preset = "60s", .maximum = DAY,
          .help = "after so long a run the next restart counts as the first one again" },
        { .path = "restart.jitter", .type = SETTING_INT, .offset = DAEMON(restart.jitter),
          .preset = "10", .maximum = 100,
          .help = "by up to so many percent the delay is longer, differently for each daemon" },
        { .path = "restart.limit", .type = SETTING_INT, .offset = DAEMON(restart.limit),
          .preset = "5", .maximum = 1000000,
          .help = "restarts in a row before it is given up; 0: no limit" },
        { .path = "restart.window", .type = SETTING_DURATION, .offset = DAEMON(restart.window),
          .minimum = SECOND, .maximum = DAY,
          .help = "if given, the limit is on restarts within so long, not in a row" },

        { .path = "reload.check", .type = SETTING_COMMAND, .offset = DAEMON(reload.check),
          .help = "the command that exits with 0 if the daemon's own configuration is good" },
        { .path = "reload.signal", .type = SETTING_SIGNAL, .offset = DAEMON(reload.signo),
          .help = "the signal that makes it read its own configuration anew" },
        { .path = "reload.command", .type = SETTING_COMMAND, .offset = DAEMON(reload.command),
          .help = "the command that makes it read its own configuration anew" },
        { .path = "reload.files", .type = SETTING_PATHS, .offset = DAEMON(reload.files),
          .help = "its own configuration: files, and directories with the files in them" },
        { .path = "reload.timeout", .type = SETTING_DURATION, .offset = DAEMON(reload.timeout),
          .preset = "30s", .minimum = SECOND / 1000, .maximum = DAY,
          .help = "how long its test may take, and then to read its own configuration anew" },
};
const size_t schema_daemon_count = ELEMENTSOF(schema_daemon);

const Setting *schema_find(const Setting *schema, size_t count, const char *path) {
        for (size_t i = 0; i < count; i++)
                if (schema[i].path[0] == path[0] && strcmp(schema[i].path, path) == 0)
                        return &schema[i];
        return NULL;
}
