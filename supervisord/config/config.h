/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the administrator asked for: the whole configuration, read, checked and from then on never
 * changed. It is reference-counted, so that a daemon can hold the one that it was made from while
 * a newer one exists. Everything that a stop needs is in here, looked up at load time: users and
 * groups as numbers, schedules as steps, the order as a graph.
 */

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/macro.h"
#include "config/graph.h"
#include "config/schema.h"

/* How a daemon behaves when it is started. */
typedef enum DaemonType {
        DAEMON_AUTO,    /* what it does tells: it stays, or leaves another process and exits */
        DAEMON_SIMPLE,  /* stays in the foreground */
        DAEMON_NOTIFY,  /* stays in the foreground and speaks sd_notify(3) */
        DAEMON_FORKING, /* the first process exits, another one stays */
        DAEMON_COMMAND, /* the command is a script that starts it and exits */
        DAEMON_ONESHOT, /* the command does something and exits */
        DAEMON_TYPE_MAX_,
} DaemonType;

/* What shows that a daemon is ready for work. */
typedef enum ReadyOn {
        READY_AUTO,    /* command or log if given; by type: exec, notify, pidfile, exit */
        READY_ANY,     /* READY=1, a socket of its tree that listens, or that it lives on */
        READY_EXEC,    /* its program was executed */
        READY_EXIT,    /* its first process exited with 0 (forking) */
        READY_NOTIFY,  /* READY=1 on its private socket */
        READY_PIDFILE, /* its pidfile names a process of its tree */
        READY_LISTEN,  /* a socket of its tree listens (on ready.port, if given) */
        READY_TCP,     /* ready.address accepts a connection */
        READY_UNIX,    /* ready.path accepts a connection */
        READY_FILE,    /* ready.path exists */
        READY_COMMAND, /* ready.command exits with 0 */
        READY_LOG,     /* a line of its output matches ready.line */
        READY_MAX_,
} ReadyOn;

/* What shows, again and again, that a daemon that runs is well. */
typedef enum HealthOn {
        HEALTH_NONE,
        HEALTH_LISTEN,  /* a socket of its tree listens (on health.port, if given) */
        HEALTH_TCP,     /* health.address accepts a connection */
        HEALTH_UNIX,    /* health.path accepts a connection */
        HEALTH_FILE,    /* health.path exists */
        HEALTH_COMMAND, /* health.command exits with 0 */
        HEALTH_NOTIFY,  /* WATCHDOG=1 on its private socket, at least every health.timeout */
        HEALTH_MAX_,
} HealthOn;

/* How a daemon stops taking in new work. From FREEZE_SOCKETS to FREEZE_RENAME without its help. */
typedef enum FreezeMethod {
        FREEZE_AUTO,       /* command or signal if given, else sockets */
        FREEZE_SIGNAL,     /* freeze.signal */
        FREEZE_COMMAND,    /* freeze.command */
        FREEZE_SOCKETS,    /* its sockets: hold for a restart, else refuse; paths are renamed */
        FREEZE_REFUSE,     /* new connections are refused */
        FREEZE_HOLD,       /* new connections wait */
        FREEZE_RENAME,     /* the paths of its UNIX sockets are renamed, nothing else */
        FREEZE_DISPATCHER, /* its main process is stopped, jobs go on */
        FREEZE_CGROUP,     /* all of its processes are stopped */
        FREEZE_NONE,
        FREEZE_MAX_,
} FreezeMethod;

/* What shows that the work in flight is finished. */
typedef enum DrainUntil {
        /*
         * command if given; exit if a freeze or drain signal is given; idle, jobs or none by the
         * freeze method
         */
        DRAIN_AUTO,
        DRAIN_EXIT,        /* its tree is empty */
        DRAIN_IDLE,        /* nothing waits and no connection is busy, by drain.count */
        DRAIN_CONNECTIONS, /* there is no connection at all */
        DRAIN_JOBS,        /* nothing but its main process is left in its tree */
        DRAIN_COMMAND,     /* drain.command exits with 0 */
        DRAIN_FILE,        /* drain.path exists */
        DRAIN_NO_FILE,     /* drain.path does not exist */
        DRAIN_NONE,
        DRAIN_MAX_,
} DrainUntil;

/* Which of its connections count as work in flight, with DRAIN_IDLE. */
typedef enum DrainCount {
        COUNT_CAREFUL,  /* busy until drain.quiet after the daemon's last word */
        COUNT_HTTP,     /* the same; idle ones are nudged in the last third */
        COUNT_DATABASE, /* the same, and never nudged */
        COUNT_SESSION,  /* only those that were not accepted yet */
        COUNT_STREAM,   /* all */
        COUNT_UDP,      /* none: nothing to read in its UDP sockets for drain.quiet */
        COUNT_MAX_,
} DrainCount;

/* What becomes of processes that the main one leaves when it ends. */
typedef enum Leftovers {
        LEFTOVERS_KILL,  /* they are ended with it */
        LEFTOVERS_WAIT,  /* they get cleanup.wait to end by themselves */
        LEFTOVERS_SPARE, /* they live on, and are no business of ours any more */
        LEFTOVERS_MAX_,
} Leftovers;

typedef enum RestartPolicy {
        RESTART_ALWAYS,
        RESTART_ON_FAILURE, /* not after a clean end: exit status 0 */
        RESTART_NEVER,
        RESTART_MAX_,
} RestartPolicy;

/* The most restarts that can be counted in a window. */
#define RESTART_WINDOW_MAX 64

typedef enum OutputTo {
        OUTPUT_JOURNAL, /* straight into journald; stderr of supervisord where there is none */
        OUTPUT_FILE,    /* appended to output.file */
        OUTPUT_INHERIT, /* supervisord's own stdout and stderr */
        OUTPUT_NULL,
        OUTPUT_MAX_,
} OutputTo;

/* One step of stop.signals: send the signal, give the tree that much time. */
typedef struct StopStep {
        int signo;  /* SIGKILL goes to the whole tree, others to the main process */
        usec_t wait; /* USEC_INFINITY for a last step without a time */
} StopStep;

typedef struct StopSchedule {
        StopStep *steps;
        size_t count;
} StopSchedule;

/* Statuses with which a command may exit; none at all: 0 only. */
typedef struct StatusSet {
        uint32_t bits[8];
} StatusSet;

bool status_set_is_empty(const StatusSet *set);
/* As it is written: an empty set has no status. */
bool status_set_contains(const StatusSet *set, int status);
/* As it is meant: an empty set has the status 0. */
bool status_set_is_success(const StatusSet *set, int status);
void status_set_add(StatusSet *set, int status);

/* Who a daemon runs as; looked up when the configuration is read. */
typedef struct Identity {
        bool switch_user; /* false: as supervisord itself, nothing below is used */
        uid_t uid;
        gid_t gid;
        gid_t *groups; /* supplementary groups */
        size_t group_count;
        char *user_name;
        char *home;
        char *shell;
} Identity;

#define LIMIT_COUNT RLIM_NLIMITS

/* limits.*: one entry per RLIMIT_ number. */
typedef struct Limits {
        bool set[LIMIT_COUNT];
        struct rlimit value[LIMIT_COUNT];
} Limits;

typedef struct DaemonConfig {
        char *name;
        SettingOrigin origin; /* where the daemon itself stands */
        unsigned index;       /* its place in Config.daemons and in the graph */

        char *profile; /* its settings are among those of the daemon */
        DaemonType type;
        char **command; /* command[0] is an absolute path */
        char *pidfile;
        char **requires;
        char **after;
        bool essential;

        char *user;
        char *group;
        char **groups;
        Identity identity;
        char *directory;
        mode_t umask;
        char **environment; /* "KEY=value" */
        Limits limits;
        int64_t nice;
        int64_t oom_score_adjust;
        bool no_new_privileges;

        struct {
                OutputTo to;
                char *file;
                char *identifier; /* never NULL after the check: the daemon's name */
                int priority;     /* LOG_INFO, … */
        } output;

        struct {
                ReadyOn on; /* never READY_AUTO after the check */
                usec_t timeout;
                char *address; /* "127.0.0.1:6379", "[::1]:80" */
                int64_t port;  /* 0: any */
                char *path;
                char *line; /* a regular expression, regex(7), extended */
                char **command;
                usec_t interval;        /* from the end of one run of it to the next one */
                usec_t command_timeout; /* of one run */
        } ready;

        struct {
                HealthOn on;
                char *address;
                int64_t port; /* 0: any */
                char *path;
                char **command;
                usec_t interval;
                usec_t timeout;    /* of one look; with HEALTH_NOTIFY between two words of it */
                int64_t failures;  /* so many in a row make it sick */
                int64_t successes; /* … and so many well again */
        } health;

        struct {
                FreezeMethod method; /* never FREEZE_AUTO after the check */
                int signo;           /* 0: none */
                char **command;
                int thaw_signo; /* undoes the signal; 0: nothing does */
                char **thaw_command;
                usec_t timeout; /* USEC_INFINITY: the phase's */
        } freeze;

        struct {
                DrainUntil until; /* never DRAIN_AUTO after the check */
                int signo;        /* 0: none; sent to the main process when the drain begins */
                char **command;
                usec_t interval; /* between two runs of the command */
                char *path;
                DrainCount count;
                usec_t quiet;   /* never USEC_INFINITY after the check */
                usec_t timeout; /* USEC_INFINITY: the phase's */
        } drain;

        struct {
                StatusSet success; /* of the command, where its end is no end of the daemon */
        } start;

        StopSchedule stop;

        struct {
                char **command; /* before the schedule */
                usec_t timeout;
                StatusSet success;
        } stop_by;

        struct {
                Leftovers leftovers;
                usec_t wait; /* LEFTOVERS_WAIT: so long they are left alone */
                char **command;
                char **remove; /* paths */
                usec_t timeout; /* USEC_INFINITY: the phase's, or stop's if that is longer */
        } cleanup;

        struct {
                RestartPolicy policy;
                usec_t delay;     /* before the first restart */
                usec_t delay_max; /* the delay doubles up to this */
                usec_t reset;     /* after so long a run the next restart is a first one again */
                int64_t jitter;   /* percent that a delay may be longer by */
                int64_t limit;    /* restarts in a row before giving up; 0: no limit */
                usec_t window;    /* … or within so long; USEC_INFINITY: in a row */
        } restart;

        struct {
                char **check;   /* exits with 0 if the daemon's own configuration is good */
                int signo;      /* 0: none */
                char **command; /* … or this; both: never after the check */
                char **files;   /* the daemon's own configuration */
                usec_t timeout; /* of each command, and from RELOADING=1 to READY=1 */
        } reload;

        SettingOrigin *origins; /* where each value came from, by index into schema_daemon */
} DaemonConfig;

/* Whether it can be told to read its own configuration anew. */
static inline bool daemon_config_can_reload(const DaemonConfig *daemon) {
        return daemon->reload.signo > 0 || daemon->reload.command;
}

#define CONFIG_NO_GID ((gid_t) -1)

typedef struct SupervisorConfig {
        usec_t freeze_timeout;
        usec_t drain_timeout;
        usec_t cleanup_timeout;
        usec_t grace; /* for a whole stop; USEC_INFINITY: no limit. The others fit in */
        char *runtime_directory;
        char *state_directory;
        char *control; /* never NULL after the check: in the runtime directory */
        char *admin_group;
        char *reader_group;
        gid_t admin_gid;  /* looked up when the configuration is read; CONFIG_NO_GID: nobody */
        gid_t reader_gid;
        bool cgroups; /* false: never use cgroups, even where they could be */
        int log_priority;

        SettingOrigin *origins; /* by index into schema_supervisor */
} SupervisorConfig;

typedef struct Config {
        unsigned reference_count;
        SupervisorConfig supervisor;
        DaemonConfig *daemons; /* in order of the files */
        size_t daemon_count;
        Graph *graph;
        char **files; /* every file that was read; SettingOrigin.file points in here */
        usec_t loaded; /* when they were read, since 1970 */
} Config;

/* An empty configuration with one reference and the supervisor's defaults. */
int config_new(Config **ret);
Config *config_ref(Config *config);
/* Drops a reference; accepts NULL; returns NULL. */
Config *config_unref(Config *config);
DEFINE_CLEANUP(Config, config_unref)

/* The daemon of that name, or NULL. Borrowed. */
const DaemonConfig *config_find(const Config *config, const char *name);

/*
 * For the reader: appends a daemon with all defaults (it is moved by the next call, borrow it no
 * longer), and a file name that lives as long as the configuration.
 */
int config_add_daemon(Config *config, const char *name, SettingOrigin origin, DaemonConfig **ret);
int config_add_file(Config *config, const char *file, const char **ret);

/* How long processes that its main one leaves are left alone before they are ended. */
static inline usec_t daemon_config_wait(const DaemonConfig *daemon) {
        return daemon->cleanup.leftovers == LEFTOVERS_WAIT ? daemon->cleanup.wait : 0;
}

/* What ending the daemon may take: stop.command, schedule, wait; USEC_INFINITY as below. */
usec_t daemon_config_stop_total(const DaemonConfig *daemon);

/* Sum of the steps' times; USEC_INFINITY if a step has none. The steps from SIGKILL on count 0. */
usec_t stop_schedule_total(const StopSchedule *schedule);
