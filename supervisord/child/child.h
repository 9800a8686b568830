/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One daemon: its state, its processes, and everything that is done for it. From above it gets
 * orders; from below wake-ups; both become events of its state table (model/fsm.h). It never calls
 * its owner but to say "look at me" (ChildSink).
 */

#include <stdbool.h>
#include <sys/types.h>

#include "config/config.h"
#include "model/fsm.h"
#include "model/record.h"
#include "sys/cgroup.h"
#include "sys/intake.h"
#include "sys/loop.h"
#include "sys/reaper.h"

typedef struct Child Child;

/* The bare notice that a child changed; to be read later in the same round of the loop. */
typedef struct ChildSink {
        void (*changed)(void *userdata, Child *child);
        void *userdata;
} ChildSink;

/* What all children share; borrowed from the supervisor. */
typedef struct ChildContext {
        Loop *loop;
        Reaper *reaper;
        CgroupRoot *cgroups; /* NULL: trees are found by descent */
        Intake *intake;
        const char *notify_directory;
        const char *frozen_directory; /* a file for each daemon whose sockets are closed */
        struct rlimit descriptors; /* RLIMIT_NOFILE as supervisord found it, for the daemons */
        ChildSink sink;
} ChildContext;

/* Makes the object with everything that a stop will need; starts nothing. Takes a reference. */
int child_new(const ChildContext *context, Config *config, unsigned index, Child **ret);
/* Lets go of what it holds; kills nothing. Accepts NULL; returns NULL. */
Child *child_free(Child *child);
DEFINE_CLEANUP(Child, child_free)

/*
 * Gives it an order: EVENT_START, EVENT_FREEZE, EVENT_DRAIN, EVENT_CLEANUP, EVENT_THAW, one of the
 * phase deadlines, or EVENT_GRACE_OVER. Nothing is returned: its state tells what came of it.
 */
void child_order(Child *child, DaemonEvent order);

/* Why it is frozen and drained, which decides how its clients are treated. */
typedef enum ChildPurpose {
        PURPOSE_STOP,    /* clients shall go elsewhere */
        PURPOSE_RESTART, /* it will be back soon: clients may wait */
        PURPOSE_PAUSE,   /* an operator wants it out of service, and back later */
} ChildPurpose;

/* To be told before the order to freeze. With another one, what a pause had cut is forgotten. */
void child_set_purpose(Child *child, ChildPurpose purpose);

/* Whether an operator has taken it out of service: it is frozen, or drained, and stays so. */
bool child_is_paused(const Child *child);

/*
 * To be told before the order to drain: one that is drained already looks again whether its work is
 * finished, as if it had not.
 */
void child_look_again(Child *child);

/* Whether EVENT_THAW can undo its freeze; if not, it can only be started anew. */
bool child_can_thaw(const Child *child);

/*
 * What an earlier supervisor had closed when it died is opened again, as far as it has a name
 * (paths); the rest when the daemons' old processes are found. Once, before the first start.
 */
void child_recover_intake(const ChildContext *context);

/*
 * From now on it goes by the daemon of that index in another configuration (a reference is taken).
 */
void child_rebind(Child *child, Config *config, unsigned index);

/* It cannot be started because `other`, which it requires, is not there. */
void child_block(Child *child, const Child *other);

/* Signals its main process; false if there is none. */
bool child_signal(Child *child, int signo);

/* It shall not run: from now on it is not started again when it ends. */
void child_unwant(Child *child);

/* How a daemon that runs is, by what health.on looks at. */
typedef struct ChildHealth {
        const char *verdict; /* "well", "sick", "unknown" before the first look, "": not watched */
        usec_t looked;       /* when it was looked at last (CLOCK_MONOTONIC); 0: not yet */
        unsigned failures;   /* failed looks in a row */
        const char *text;    /* what was wrong at the last look; "" for nothing. Borrowed */
} ChildHealth;
void child_health(const Child *child, ChildHealth *ret);
bool child_is_sick(const Child *child);

/*
 * To be told after it was ordered off: it has failed, so that its restart policy decides what comes
 * after its end, and not who ended it. True until then.
 */
void child_end_as_failed(Child *child);
bool child_ends_as_failed(const Child *child);

/* What came of a daemon's own reload. */
typedef enum ChildReload {
        CHILD_RELOAD_NONE, /* there was none */
        CHILD_RELOAD_UNDER_WAY,
        CHILD_RELOAD_DONE,
        CHILD_RELOAD_REFUSED, /* its configuration test failed, it was told nothing */
        CHILD_RELOAD_FAILED,
} ChildReload;

/*
 * Begins its own reload: its configuration test, unless that was done (`tested`), then its signal
 * or command. The outcome is to be read at a later settling; one that cannot even begin has failed.
 * -ENOMEM: there is no outcome.
 */
int child_reload(Child *child, bool tested);
/* Of the last one. Text and lines are borrowed until the next one. */
ChildReload child_reload_outcome(const Child *child);
const char *child_reload_name(ChildReload outcome); /* "reloaded" */
const char *child_reload_text(const Child *child); /* why it failed or was refused; "" else */
char *const *child_reload_lines(const Child *child); /* what its command or test wrote last */

/*
 * The first of its own files, as `after` (another configuration of it) names them, that is another
 * one than the daemon has read; NULL: none. Borrowed from `after`. Looks at the files: may block.
 */
const char *child_changed_file(const Child *child, const DaemonConfig *after);

const DaemonConfig *child_config(const Child *child);
const char *child_name(const Child *child);
unsigned child_index(const Child *child);
DaemonState child_state(const Child *child);
usec_t child_state_since(const Child *child);
pid_t child_main_pid(const Child *child); /* 0: none known */
/*
 * Why it is stopped, or why it failed last; of one that is out of service: what is not as it should
 * be, what a deadline cut or that it has ended. "" for nothing.
 */
const char *child_reason(const Child *child);
/* When it was started last. */
usec_t child_started(const Child *child);
/* What is in flight while it drains, else what it said of itself by STATUS=; "" for nothing. */
const char *child_status(const Child *child);
/* Whether a deadline cut something short since the last call. */
bool child_take_forced(Child *child);

/*
 * The signals that its freeze, drain and cleanup sent last, in order of time; how many. SIGCONT,
 * which goes with every step of the stop schedule, is not among them.
 */
size_t child_signals(const Child *child, RecordSignal ret[static RECORD_SIGNALS_MAX]);

/* What was in flight at its drain, where that was measured: connections that were busy. */
typedef struct ChildInFlight {
        uint64_t first, last; /* at the first and at the last look */
        const char *peers;    /* "192.0.2.1:1025, …", if it was cut short; borrowed */
} ChildInFlight;

/* What of it was spared at an end since then: "2 left-over processes live on: sshd 7, …"; or "". */
const char *child_spared(const Child *child, usec_t since);

/* False if nothing was measured since then. */
bool child_in_flight(const Child *child, usec_t since, ChildInFlight *ret);

/*
 * What was found out about it rather than configured, and how: lines for people, "main process:
 * 12, the one that stayed". Looks at its sockets. 0 with a NULL-terminated vector, or -ENOMEM.
 */
int child_assumptions(const Child *child, char ***ret);

/* To be told after processes were reaped, where trees are found by descent. */
void child_processes_reaped(Child *child);
