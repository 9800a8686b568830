/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The fake world: what the fakes of sys/ look at and change instead of the kernel. It has
 * processes that play scripts, files, listening sockets, descriptors and a clock, all in memory.
 *
 * Time stands still until fake_step() (fake.h) moves it to the next thing that is due. Things that
 * are due at the same instant happen in an order of choice: as they were made, or, with a seed, in
 * an order drawn from it. The same seed gives the same run.
 *
 * There is one world, since the functions of sys/ have no argument that could carry it.
 */

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/macro.h"
#include "sys/spawn.h"

#define WORLD_SUPERVISOR  getpid() /* the real number: code under test may ask for it */
#define WORLD_FIRST_PID   ((pid_t) 100)
#define WORLD_PROCESS_MAX 512
#define WORLD_NAME_MAX    96

/* ---- scripts ---- */

typedef enum FakeActKind {
        ACT_END = 0,
        ACT_EXIT,            /* with status `number` */
        ACT_DIE,             /* of signal `number` */
        ACT_EXIT_ALONE,      /* with status `number`, once it has no children (any more) */
        ACT_FORK,            /* a child that plays program `text` */
        ACT_FORK_SESSION,    /* … in a session of its own */
        ACT_WATCH,           /* … anew `number` microseconds after each end but that with 0 */
        ACT_EXEC,            /* becomes program `text`, as the process that it is */
        ACT_SIGNAL_CHILDREN, /* with signal `number` */
        ACT_WRITE,           /* `content` into file `text` */
        ACT_WRITE_PID,       /* its own pid, as a pidfile has it */
        ACT_WRITE_CHILD,     /* … of the child that it made last */
        ACT_LINK,            /* a symbolic link at `text` */
        ACT_REMOVE,          /* file `text` */
        ACT_NOTIFY,          /* `content` to $NOTIFY_SOCKET */
        ACT_NOTIFY_MAIN,     /* MAINPID= of itself */
        ACT_NOTIFY_CHILD,    /* MAINPID= of the child that it made last */
        ACT_LISTEN,          /* on port `number`, or, if that is 0, on path `text` */
        ACT_BIND_UDP,        /* to port `number` */
        ACT_CLOSE,           /* all that it listens on */
        ACT_HAND_OVER,       /* … to the child that it made last */
        ACT_EXIT_SERVED,     /* with status `number`, once nothing of it is in flight */
        ACT_SAY,             /* `content`, where it writes */
        ACT_BLOCK,           /* no signal reaches it for `number` microseconds; 0: for ever */
} FakeActKind;

/* One thing that a program does, so long after its begin or after the signal that led to it. */
typedef struct FakeAct {
        FakeActKind kind;
        usec_t after;
        int64_t number;
        const char *text;
        const char *content;
} FakeAct;

/* What it does at a signal; SIGKILL cannot be caught. */
typedef struct FakeReaction {
        int signo;
        const FakeAct *acts; /* up to ACT_END; NULL: it ignores the signal */
} FakeReaction;

typedef struct FakeProgram {
        const char *path;              /* command[0] of those who start it */
        SpawnStep failing_step;        /* SPAWN_STEP_NONE: it can be executed */
        int error;                     /* positive errno of that step */
        usec_t exec_time;              /* from fork to exec, or to its failure */
        const FakeAct *acts;           /* up to ACT_END; NULL: runs until somebody ends it */
        const FakeReaction *reactions; /* up to signo 0; NULL: as signal(7) says */
        bool negligent;                /* does not reap its own children */
        const char *session;           /* plays it for each connection in a process of its own */
} FakeProgram;

/* ---- the world as a whole ---- */

/*
 * Begins afresh, with the clock at 1000 s, and with the programs that are known already. Seed 0:
 * things happen in the order in which they were made.
 */
void world_begin(uint64_t seed);
/* Forgets everything and gives the real clock back. */
void world_end(void);

usec_t world_now(void);
/* The same in ticks of 10 ms, by which the kernel tells when a process began. */
uint64_t world_ticks(void);
/* Moves the clock; whatever becomes due happens late. For pauses of the whole machine. */
void world_jump(usec_t duration);

/* A number in [0, count), from the seed; 0 without one. */
unsigned world_choose(unsigned count);
bool world_is_seeded(void);

/* Prints a line of the run, with its time, if SIM_TRACE is set in the environment. */
void world_trace(const char *format, ...) PRINTF_LIKE(1, 2);

/* Something that happens by itself at `when`. Twice the same is twice. */
typedef void (*WorldHandler)(void *userdata, uint64_t argument);
void world_at(usec_t when, WorldHandler handler, void *userdata, uint64_t argument);
/* The same for what a test does from outside: the world is at rest all the same. */
void world_plan(usec_t when, WorldHandler handler, void *userdata, uint64_t argument);
/* Nothing comes from outside any more. */
void world_drop_plans(void);
/* Whether nothing but plans will happen. */
bool world_is_at_rest(void);
/* When the next thing of either kind happens, USEC_INFINITY: never. */
usec_t world_next(void);
/* Lets one thing happen that is due; false: there is none. */
bool world_happen(void);
/* Lets time pass while there is nobody whom it could wake up. */
void world_pass(usec_t duration);
/* Called by doors at their begin: with a seed, now and then the world is faster than we are. */
void world_race(void);
/* How often it was: what a door said may have been true before. */
uint64_t world_races(void);

/* ---- programs and processes ---- */

/* Makes it known; borrowed until world_end(). A second one of the same path takes its place. */
void world_add_program(const FakeProgram *program);
const FakeProgram *world_find_program(const char *path);

/* A cgroup, or what stands for one: each process is in one of them. */
typedef struct WorldTree {
        char name[WORLD_NAME_MAX]; /* "": none of ours */
        unsigned population;       /* live processes */
        unsigned blocked;          /* processes that no signal reaches */
        uint64_t spawned;          /* the generation of what we started in it last, … */
        usec_t spawned_when;
        bool paused;               /* its processes stand where they are */
        bool first_ended;          /* that one did, and how */
        bool first_signaled;
        int first_code;
        pid_t crashed; /* the child of ours in it that died of SIGSEGV last */
} WorldTree;

/* The tree of that name, made if need be; as long as the world. */
WorldTree *world_tree(const char *name);

typedef struct FakeProcess {
        pid_t pid; /* 0: free */
        pid_t ppid, pgid, sid;
        unsigned generation; /* differs between processes that have the same place in turn */
        uint64_t start_time; /* in ticks, as the kernel counts it */
        bool executed;
        usec_t blocked_until; /* 0: it is not */
        bool stopped;         /* by SIGSTOP, until SIGCONT */
        bool zombie;
        bool exits_alone, exits_served;
        int exit_alone_status;
        uint64_t pending; /* signals that came while it was blocked, bit signo */
        int killed_by;    /* about to die of that signal */
        bool signaled;    /* of a zombie: how it ended */
        int code;
        pid_t last_child;
        uint16_t images; /* how often it has executed itself: what it was about to do is void */
        const FakeAct *watching; /* its ACT_WATCH */
        const FakeProgram *program;
        int report_fd;
        WorldTree *tree;
        char invocation[WORLD_NAME_MAX]; /* SUPERVISOR_INVOCATION=… of its environment */
        char notify_path[WORLD_NAME_MAX];
} FakeProcess;

/* A process of the world that plays `program` (may be NULL) from now on. */
FakeProcess *process_add(pid_t ppid, const char *tree, const FakeProgram *program);
FakeProcess *process_add_to(WorldTree *tree, pid_t ppid, const FakeProgram *program);
/* The process of that pid, zombies included, or NULL. */
FakeProcess *process_find(pid_t pid);
/* The first one at or after `*cursor`, which moves behind it; NULL: no more. */
FakeProcess *process_each(unsigned *cursor);
/* Its identity, and the process of that identity, or NULL if it was reaped. */
uint64_t process_key(const FakeProcess *process);
FakeProcess *process_by_key(uint64_t key);

/* Becomes its program, unless that cannot be executed. */
void process_execute(FakeProcess *process);
void process_play(FakeProcess *process, const FakeAct *acts);
/* … that one only, and so long after now. */
void process_play_later(FakeProcess *process, const FakeAct *act, usec_t after);
void process_signal(FakeProcess *process, int signo);
/* The same from another one of the world: no harm of ours. */
void process_hear(FakeProcess *process, int signo);
/* Whether it does nothing for now, be it blocked, stopped or paused. */
bool process_stands(const FakeProcess *process);
/* It is of the tree NAME.spared from now on, with all that it makes; we must not signal it. */
void process_spare(FakeProcess *process);
/* Whether a tree is one of those. */
bool world_is_spared(const char *name);
/* What it was about to do, and does when it goes on. */
void process_postpone(FakeProcess *process,
                      WorldHandler handler,
                      void *userdata,
                      uint64_t argument);
/* As the freezer of cgroups: only SIGKILL comes through. */
void world_pause(WorldTree *tree, bool pause);
/* As a process in uninterruptible sleep: signals wait. 0: for ever. */
void process_block(FakeProcess *process, usec_t duration);
void process_exit(FakeProcess *process, bool signaled, int code);
/* Takes the zombie away. */
void process_reap(FakeProcess *process);

static inline bool process_is_alive(const FakeProcess *process) {
        return process && process->pid > 0 && !process->zombie;
}

/* We are dead: init takes what was below us. */
void process_leave_to_init(void);
/* By descent, what an earlier run left cannot be told from strangers. */
void world_forget_trees(void);
/* How many processes there were so far; it is the `generation` of the last one. */
uint64_t world_births(void);
/* How many live processes there are in a tree; in all trees together for NULL. */
unsigned world_population(const char *name);
/* How many processes there are below us, zombies included. */
unsigned world_descendants(void);
/* How often a process that is no business of ours was signalled. */
unsigned world_harmed(void);
/* How often a program was spawned into a tree in which something lived, but for helpers' trees. */
unsigned world_doubled(void);
void world_count_doubled(const WorldTree *tree);
/* Whether a tree is that of a helper command. */
bool world_is_helper(const char *name);

/* ---- files ---- */

/* `content` NULL: a symbolic link. */
void world_write(const char *path, const char *content);
void world_remove(const char *path);
bool world_exists(const char *path);
/* Each path there is; it may be removed meanwhile. */
void world_each_file(void (*handler)(void *userdata, const char *path), void *userdata);
/* False: there is none. *ret is NULL for a symbolic link. */
bool world_read(const char *path, const char **ret);

/* ---- listening sockets; more of them in world_intake.h ---- */

/* The process that listens there, or NULL. port 0 and path NULL: anywhere at all. */
FakeProcess *world_listener(const WorldTree *tree, unsigned port, const char *path);

/* ---- descriptors: real ones, so that closing them is real, with a fake meaning ---- */

typedef enum DescriptorKind {
        DESCRIPTOR_NONE,
        DESCRIPTOR_PIDFD,  /* readable once the process is dead */
        DESCRIPTOR_REPORT, /* readable once the report is there */
        DESCRIPTOR_CGROUP,
        DESCRIPTOR_CONNECTION, /* writable once it is decided */
        DESCRIPTOR_STREAM,
} DescriptorKind;

typedef struct Descriptor {
        DescriptorKind kind;
        uint64_t process; /* key */
        bool ready;
        bool connected;
        SpawnReport report;
        char name[WORLD_NAME_MAX];
} Descriptor;

/* A new one; -EMFILE if there is no room. */
int descriptor_new(DescriptorKind kind, FakeProcess *process, const char *name);
/* Its meaning, NULL if it has none. */
Descriptor *descriptor_get(int fd);
/* The report pipe of a process that was spawned comes to its end. */
void descriptor_report(const FakeProcess *process, SpawnReport report);
/* What epoll(7) would say of it. */
uint32_t descriptor_events(int fd);
/* Descriptors of this process that are open, of any kind. */
unsigned descriptor_count(void);

/* Nothing happens any more by itself. */
void world_stop(void);

/* ---- doors that fail ---- */

typedef enum FakeDoor {
        DOOR_SPAWN,
        DOOR_PIDREF_OPEN,
        DOOR_PIDREF_TAKE,
        DOOR_PIDREF_SIGNAL,
        DOOR_PIDFILE_READ,
        DOOR_PROCFS,
        DOOR_PATHWATCH,
        DOOR_TREE_PREPARE,
        DOOR_TREE_SIGNAL,
        DOOR_TREE_KILL,
        DOOR_TREE_PAUSE,
        DOOR_TREE_SPARE,
        DOOR_TREE_WATCH,
        DOOR_TREE_RELEASE,
        DOOR_TREE_BUSY, /* tree_release() finds it busy; any error will do */
        DOOR_NOTIFY_SOCKET,
        DOOR_JOURNAL,
        DOOR_SOCKET_LISTENS,
        DOOR_SOCKET_CONNECT,
        DOOR_INTAKE_FIND,
        DOOR_INTAKE_CLOSE,
        DOOR_INTAKE_OPEN,
        DOOR_INTAKE_MEASURE,
        DOOR_INTAKE_NUDGE,
        DOOR_INTAKE_WATCH,
        DOOR_CAPTURE,
        DOOR_FOLLOW, /* ENOENT: it cannot be read back */
        DOOR_LOOP_IO,
        DOOR_CGROUP_ROOT, /* EPERM: there are none */
        DOOR_RUNTIME,     /* EBUSY: another one holds it */
        DOOR_FILE_REMOVE,
        DOOR_FILE_REPLACE,
        DOOR_STATE_OPEN,
        DOOR_STATE_READ,
        DOOR_STATE_WRITE,
        DOOR_STATE_RECORD, /* what is written without waiting for it, in folders */
        DOOR_MAX_,
} FakeDoor;

/* From its nth call on (1: the next one) the door fails `times` times with -error. */
void fake_fail(FakeDoor door, int error, unsigned nth, unsigned times);
/* Just before its nth call from now on something happens. */
void fake_interrupt(FakeDoor door, unsigned nth, void (*interruption)(void));
/* Each call fails with that chance, drawn from the seed. */
void fake_fail_randomly(FakeDoor door, int error, unsigned per_mille);
/* For the fakes: 0, or the negative errno with which the call has to fail. */
int fake_door(FakeDoor door);
/* As for a process that is dead: until they are opened again nothing comes of anything. */
void fake_doors_shut(bool shut);
/* How often a door was asked. */
unsigned fake_door_count(FakeDoor door);
