/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The inside of a Child, for the files of this folder only. Each of them does one thing for it:
 *
 *   child.c        the object: events in, table asked, state set
 *   act.c          actions of the table, each to its function
 *   launch.c       starting the first process            environment.c, output.c: its surroundings
 *   script.c       … where that is a command that ends: what it writes, how it ends
 *   track.c        the main process: finding, following, its end
 *   successor.c    … which may change
 *   assume.c       what was found out about it, for people
 *   ready.c        readiness                             notified.c: what it says by sd_notify
 *   look.c         one look at it from outside, for readiness and health
 *   health.c       health
 *   freeze.c       closing the intake, and opening it again
 *   sockets.c      … by its sockets, without its help
 *   drain.c        finishing the work in flight
 *   measure.c      … which is seen by its connections
 *   finish.c       stop schedule, kill, tidying up
 *   leftovers.c    what the main process leaves: draining it, waiting for it, sparing it
 *   hold.c         that an operator wants it stopped
 *   reload.c       its own reload                        files.c: its own files, as it read them
 *   helper.c       the commands of freeze, drain and cleanup
 *   command.c      those of its own reload and of probes
 *   note.c         its journal lines
 */

#include <regex.h>

#include "base/error.h"
#include "base/log.h"
#include "child/child.h"
#include "child/helper.h"
#include "child/hold.h"
#include "child/look.h"
#include "config/permit.h"
#include "model/flight.h"
#include "model/health.h"
#include "model/restart.h"
#include "sys/capture.h"
#include "sys/follow.h"
#include "sys/notifysocket.h"
#include "sys/pathwatch.h"
#include "sys/pidref.h"
#include "sys/procfs.h"
#include "sys/spawn.h"
#include "sys/tree.h"

#define CHILD_QUEUE_MAX  8
#define CHILD_REASON_MAX 512

/* What showed it ready, where that was not told by the configuration. */
typedef enum ReadySign {
        READY_SIGN_NONE,
        READY_SIGN_NOTIFIED,
        READY_SIGN_LISTENS,
        READY_SIGN_LIVES,
} ReadySign;

/* How readiness is looked for; empty outside STATE_PROBING, but for what was prepared. */
typedef struct Probe {
        LoopSource *timer; /* next look, where nothing tells */
        usec_t interval;
        PathWatch *watch;
        Look look;
        Follow *follow; /* what it writes; from before its first process on */
        regex_t *line;
} Probe;

/* How it is while it runs; all but `told` is empty outside STATE_RUNNING. */
typedef struct Health {
        LoopSource *timer; /* next look, or the end of one; NULL: it is not looked at */
        Look look;
        HealthCount count;
        usec_t looked; /* when the last look was over; 0: there was none */
        usec_t told;   /* within which time it was told to speak, in this run; 0: it was not */
        char text[LOOK_TEXT_MAX]; /* what was wrong at the last look; "" for nothing */
} Health;

/* The main process as it was found among those that stayed. */
typedef struct Guess {
        ProcStat best;
        unsigned count;   /* live processes */
        unsigned orphans; /* of them those that came to us by the end of their parent */
} Guess;

/* stop.command, before the schedule. */
typedef enum StopCommand {
        STOP_COMMAND_NONE, /* not run yet */
        STOP_COMMAND_RUNS,
        STOP_COMMAND_OVER,
} StopCommand;

typedef struct OwnReload OwnReload;

/* What shows which process may follow on the main one, and the search for it. */
typedef struct Successor {
        uint64_t program;     /* of the main process, procfs_program() */
        uint64_t since, told; /* procfs_now() when it was ready, and when it was told something */
        usec_t told_when;     /* by a signal of an operator or its own reload; 0: never */
        int told_signo;
        pid_t of;             /* who is gone, while it is not known or not noted */
        LoopSource *timer;    /* NULL: none is awaited */
        PathWatch *watch;     /* of the pidfile */
} Successor;

/* The sockets by which work comes in, as far as they were looked for in this run. */
typedef struct Sockets {
        IntakeSocket *list; /* also those that are not there any more: connections may be */
        size_t count, capacity;
        bool recorded; /* its file in the directory of frozen ones exists */
        bool hold_denied; /* noted */
} Sockets;

/* The wait for what its main process left; empty outside of it. */
typedef struct LeftoversWait {
        usec_t since, until; /* until 0: nothing is waited for */
        size_t count;        /* processes, when they were counted last */
} LeftoversWait;

#define MEASURE_TEXT_MAX (FLIGHT_TEXT_MAX + 48)

/*
 * The measuring of what is in flight; only while it drains, or what is left of it does. The last
 * one is remembered.
 */
typedef struct Measuring {
        bool active;
        Flight flight;
        FlightCounts first;
        usec_t begun;
        char peers[RECORD_NOTE_MAX]; /* that were busy when it was cut short */
        usec_t looked;  /* when what was seen last was so */
        usec_t scanned; /* when its sockets were looked for last */
        usec_t noted;
        char text[MEASURE_TEXT_MAX];     /* as noted last */
        char progress[MEASURE_TEXT_MAX]; /* to be seen; "": nothing is awaited */
} Measuring;

struct Child {
        const ChildContext *context;
        Config *config;
        const DaemonConfig *daemon; /* in config */

        DaemonState state;
        usec_t state_since;
        usec_t phase_since; /* when it was ordered into the phase at hand */
        ChildPurpose purpose;
        bool wanted;
        bool forced;         /* not yet taken by child_take_forced() */
        bool intake_open;    /* its freeze was skipped */
        bool was_ready;      /* in this run */
        bool completed;      /* its command, all that there is to it, has ended with success */
        bool ending;         /* it was ordered into cleanup since it was started */
        bool out_of_time;    /* the cleanup deadline is over: nothing may take long any more */
        bool ends_as_failed; /* its restart policy decides what comes after this end */
        bool sweep_was_ours; /* what is being swept was in the way of a start, no failure of it */
        RestartHistory history;
        bool quiet;    /* this run is one of many that end alike: not a word of it */
        usec_t spoken; /* when the last one began of which there was one */
        char reason[CHILD_REASON_MAX];
        bool held;
        Hold hold;
        char hold_text[HOLD_TEXT_MAX + RECORD_NOTE_MAX];

        DaemonEvent queue[CHILD_QUEUE_MAX]; /* events that came while one was being handled */
        size_t queue_length;
        bool handling;

        Tree *tree;
        LoopSource *timer; /* what the state at hand waits for at most */
        usec_t restart_delay;

        Process first; /* the first process of a start */
        PidRef first_ref;
        int report_fd; /* whether its exec succeeded */
        LoopSource *report;
        Capture *words; /* of a command that starts it: what is written there */

        PidRef main;
        Process main_process;    /* unless it is the first one */
        LoopSource *main_source; /* its pidfd, where it is no child of ours */
        bool main_is_first;
        bool main_guessed;
        pid_t named; /* said by the daemon to be its main one, while its first process was to end */
        bool forked; /* type auto: its first process has left another one and exited */
        ReadySign ready_sign;
        Guess guess;
        usec_t main_since;
        ExitStatus main_exit;
        Successor successor;
        PathWatch *pidfile_watch;
        int pidfile_outcome; /* the last one that was noted */

        NotifySocket *notify;
        bool notified; /* READY=1 came */
        unsigned notify_refused;
        char status[NOTIFY_STATUS_MAX];

        Probe probe;
        Health health;
        Sockets sockets;
        Measuring measuring;
        bool paused;     /* all of its processes are stopped */
        LoopSource *job; /* drain until "jobs": a process that is waited for */
        PidRef job_ref;
        PathWatch *drain_watch; /* drain until "file", "no-file" */
        Helper helper;
        uint64_t *files;   /* of reload.files, as it read them; NULL: not known, or none */
        OwnReload *reload; /* the last one, or one that is under way; NULL: there was none */
        StopCommand stop_command;
        size_t stop_step;     /* the next one of the schedule */
        StopStep step;        /* the one at hand; the schedule may be another one since */
        usec_t step_deadline; /* of the one at hand */
        bool step_again;      /* its signal goes to what is left too */
        LeftoversWait waiting;
        unsigned spared; /* processes, the last time that there were any */
        usec_t spared_when;
        char spared_text[RECORD_NOTE_MAX];
        RecordSignal signals[RECORD_SIGNALS_MAX]; /* sent last; a ring */
        size_t signals_sent;
};

/* child.c */

/* Hands an event to the table; now, or when the one at hand is done. */
void child_post(Child *child, DaemonEvent event);
/* Whether the event waits for the one at hand. */
bool child_has_posted(const Child *child, DaemonEvent event);
/* Remembers why it failed, then posts EVENT_START_FAILED. */
void child_fail(Child *child, const char *format, ...) PRINTF_LIKE(2, 3);
/* A deadline has cut something short. */
void child_mark_forced(Child *child);
void child_set_reason(Child *child, const char *format, ...) PRINTF_LIKE(2, 3);
/* … after what it says already. */
void child_add_reason(Child *child, const char *text);

/* act.c */
void child_act(Child *child, DaemonState from, DaemonEvent event, uint32_t actions);

/* launch.c */
typedef struct LaunchOrder {
        const DaemonConfig *daemon; /* whose surroundings it gets */
        char *const *command;
        char *const *variables; /* for its environment, beside the daemon's */
        Tree *tree;             /* prepared */
        int output;             /* for stdout and stderr (borrowed); -1: where the daemon writes */
} LaunchOrder;

/* Spawns a process with a daemon's surroundings: the daemon itself, or a helper. */
int launch_spawn(const ChildContext *context, const LaunchOrder *order, Spawned *ret);
void launch_begin(Child *child);
/* Reads the report whether the exec succeeded, if it is there and was not read yet. */
void launch_read_report(Child *child);
void launch_forget(Child *child); /* the report; the process lives on */

/* track.c: how the main process was found, "the one that stayed". Returns buffer or a constant. */
#define TRACK_GUESS_MAX 64
const char *track_found_text(const Child *child, char buffer[static TRACK_GUESS_MAX]);

/* assume.c: notes what was found out, once it is ready. */
void assume_note(Child *child);

/* script.c */
/* Whether the first process is a command that starts it, and no daemon itself. */
bool script_is_one(const DaemonConfig *daemon);
/* Makes the pipe that it writes to; *ret is its end, borrowed. */
int script_open_output(Child *child, int *ret);
/* Its end is no failure; who inherited its output goes on writing. */
void script_ended_well(Child *child);
/* Adds the last lines that it wrote to the reason. */
void script_add_words(Child *child);
void script_forget(Child *child);

/* environment.c: the environment of a process of the daemon; `more` is appended. */
int environment_new(const DaemonConfig *daemon,
                    const char *invocation,
                    char *const *more,
                    char ***ret);
#define INVOCATION_TEXT_MAX 64
/* "SUPERVISOR_INVOCATION=…" with a fresh id. */
void invocation_new(char ret[static INVOCATION_TEXT_MAX]);

/* output.c: where it writes; -1: nowhere. *ret is the caller's. */
int output_open(const DaemonConfig *daemon, int *ret);
/* Reads it back from now on: 0, FOLLOW_E_ABSENT or a negative errno. */
int output_follow(const Child *child, Follow **ret);

/* track.c */
int track_first_exited(void *userdata, const Process *process, const ExitStatus *status);
void track_first_executed(Child *child);
void track_follow(Child *child);
void track_stop_search(Child *child);
void track_forget_main(Child *child);
/*
 * Whether its main process, which was to stay in the foreground, made others and exited at once,
 * and nobody had told it anything.
 */
bool track_went_to_background(Child *child);
/* Whether its first process is not the daemon, but is to end: that says what came of it. */
bool track_first_is_to_end(const DaemonConfig *daemon);
/* … and is waited for. */
bool track_awaits_first(const Child *child);
/* A process said to be the main one: takes it if it is of the tree. */
bool track_claim(Child *child, pid_t pid, bool guessed);
/* Reads the pidfile: true and *ret if it names a process of the tree. */
bool track_pidfile_names_process(Child *child, pid_t *ret);
/* Arms the notice that the tree is empty, and looks at once. */
void track_check_tree(Child *child);
/* What it means that the tree is empty now, and whether that was posted already. */
DaemonEvent track_empty_event(const Child *child);
bool track_has_posted_empty(const Child *child);

/* successor.c */
/* It is ready; it is told something after which its main process may be another one. */
void successor_mark_ready(Child *child);
void successor_mark_told(Child *child, int signo); /* 0: not by a signal */
/* The main process `old` has ended: whether another one was found, or may come yet. */
bool successor_seek(Child *child, pid_t old, const ExitStatus *status);
bool successor_is_awaited(const Child *child);
void successor_forget(Child *child); /* awaits it no more */

/* ready.c */
/* Before its first process: what it writes from now on may show it. */
void ready_prepare(Child *child);
void ready_begin(Child *child);
/* At its deadline: whether it is seen to be ready, and said so, though nobody has looked lately. */
bool ready_look_at_last(Child *child);
void ready_forget(Child *child);

/* health.c */
void health_begin(Child *child); /* it runs from now on */
void health_forget(Child *child);
/* It goes by another configuration than `before`. */
void health_rebound(Child *child, const DaemonConfig *before);
/* It said WATCHDOG=1, perhaps. */
void health_notified(Child *child, const NotifyMessage *message);
/* Adds to the environment of its first process what makes it speak, if it shall. */
int health_tell(Child *child, char ***variables);

/* pidpath.c; of a daemon with a pidfile. */
/* What keeps it from writing its pidfile, in words; "": nothing is known. */
const char *pidpath_obstacle(const Child *child, char buffer[static PERMIT_TEXT_MAX]);
/* The same into the log, when it is started. */
void pidpath_warn(const Child *child);
/*
 * Removes its pidfile, or empties one that was made for it beforehand: 0 (also if there is none) or
 * a negative errno.
 */
int pidpath_clear(const Child *child);

/* notified.c */
/* Makes its private socket, if it shall have one, and names it in *ret_variables (NULL: none). */
int notified_open(Child *child, char ***ret_variables);
/* What it has said by now, before its end is looked at; of type LoopHandler. */
int notified_hear(void *userdata);
void notified_close(Child *child);

/* helper.c: starts the child's own one; see helper_run(). */
void helper_start(Child *child, char *const *command, HelperHandler handler);

/* freeze.c */
void freeze_begin(Child *child);
/* The same at the begin of the drain, which follows by itself. */
void freeze_late(Child *child);
void freeze_undo(Child *child);
/* Before it is ended: lets processes run that were stopped. */
void freeze_resume(Child *child);

/* sockets.c */
/* Looks for its sockets and closes those that are open; how many stay open. */
size_t sockets_close(Child *child);
/* Closes those that were opened, or went to another process, since. */
void sockets_close_late(Child *child);
/* Opens them again; how many stay closed. */
size_t sockets_open(Child *child);
/* Looks for them without touching any. */
void sockets_scan(Child *child);
/* Opens what an earlier supervisor closed in the processes that it left. */
void sockets_recover(Child *child);
/* It is at rest: nothing of them is left, nor the paths aside. */
void sockets_forget(Child *child);
/*
 * Whether its freeze method is one of sockets. So is any that would tell its main process, while
 * that is gone and its left-overs are waited for.
 */
bool sockets_are_closable(const Child *child);

/* drain.c */
void drain_begin(Child *child);
void drain_again(Child *child); /* the time between two looks is over */
void drain_forget(Child *child);

/* measure.c */
void measure_begin(Child *child);
void measure_again(Child *child);
void measure_forget(Child *child);
/* Whether a connection waits to be accepted, or nothing has been said on it by the daemon yet. */
bool measure_finds_newcomers(Child *child);
#define MEASURE_PEERS_MAX 384
/* Who is still busy: "2 waiting, 3 busy (127.0.0.1:4711, …)"; "" if that is not measured. */
const char *measure_peers(Child *child, char buffer[static MEASURE_PEERS_MAX]);

/* finish.c */
void finish_begin(Child *child);
void finish_step(Child *child);
/* Whether stop.command comes first, or runs; begins it if it is its time. */
bool finish_command_first(Child *child);
/* Its time is over; false: it does not run. */
bool finish_command_late(Child *child);
void finish_forget_command(Child *child);
DaemonEvent finish_step_event(const Child *child); /* what the end of a step's time means */
void finish_pass_on(Child *child);
void finish_kill(Child *child);
void finish_tidy(Child *child);
void finish_tidied(Child *child);
/* What comes after its end. */
DaemonEvent finish_verdict(Child *child);
void finish_remove(Child *child);
void finish_delay(Child *child); /* until its restart, which may be due at once */
/* Signals the main process, if there is one. */
void finish_signal_main(Child *child, int signo);
size_t finish_count(Child *child); /* processes of the tree */

/* leftovers.c */
/* If they are to be spared, and nothing else is left: takes them out of the tree. */
void leftovers_spare(Child *child);
/* What was spared at the end of the last run, in words; "" for nothing. Borrowed. */
const char *leftovers_text(const Child *child);
/*
 * If they are to be waited for, and nothing else is left: they have that time, until which their
 * work is measured if nobody asked for the end.
 */
bool leftovers_begin_wait(Child *child);
/* The timer: false if their time is over, or nothing was waited for. */
bool leftovers_go_on(Child *child);
/* EVENT_DRAIN_DONE, EVENT_DRAIN_FAILED: they are ended now, or left alone from now on. */
void leftovers_drained(Child *child, DaemonEvent event);
void leftovers_forget(Child *child); /* waits no more */
/* Whether SIGKILL is for the main process alone. */
bool leftovers_kill_main_only(const Child *child);

/* hold.c: the text of its reason is made anew. */
void hold_compose(Child *child);

/* reload.c */
/* It said RELOADING=1, READY=1 or asked for more time. */
void own_reload_notified(Child *child, const NotifyMessage *message);
/* It does not run any more: a reload that is under way has failed. */
void own_reload_left_running(Child *child);
void own_reload_forget(Child *child);

/* files.c */
/* What they are now, malloc'ed; NULL: there are none, or no memory. */
uint64_t *files_take(const DaemonConfig *daemon);
void files_set(Child *child, uint64_t *taken_consume);
/* For another configuration: as it read them; those that are named only now, as they are now. */
uint64_t *files_take_over(const Child *child, const DaemonConfig *after);

/* note.c */
void note(const Child *child, int priority, MessageId message, const char *format, ...)
        PRINTF_LIKE(4, 5);
/* A run begins: whether it is worth words. */
void note_choose_words(Child *child);
/* … or debug level, where a daemon ends again and again. */
int note_priority(const Child *child, int priority);
void note_ready(Child *child);
void note_failure(Child *child, DaemonState from, DaemonEvent event);
void note_forced(Child *child, DaemonEvent event);
/* The work of what it left is cut: who was still busy. */
void note_left_forced(const Child *child, usec_t after, const char *peers);
void note_skipped(Child *child, DaemonEvent event);
void note_stuck(Child *child);
/* So many restarts are enough: to be seen in the reason, before that of the last end. */
void note_limit(Child *child);
void note_end(Child *child);
/* The end of the main process while an operator has it out of service. */
void note_lost(Child *child);
void note_thawed(Child *child);
void note_delay(Child *child);
