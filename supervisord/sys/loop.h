/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The door to sd-event: the one loop. Every wake-up of the program comes through a source made
 * here, each with a name and a priority. A handler that returns below 0 ends the loop with that
 * error (sd-event alone would silently switch the source off).
 *
 * One round of the loop dispatches the pending source with the lowest priority number first.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <sys/types.h>

#include "base/macro.h"

typedef struct Loop Loop;
typedef struct LoopSource LoopSource;

typedef enum LoopPriority {
        LOOP_STOP = -100,   /* SIGTERM, SIGINT, SIGQUIT */
        LOOP_NOTIFY = -40,  /* datagrams of daemons: before their death is seen */
        LOOP_SPAWN = -30,   /* whether an exec succeeded: before the death is seen */
        LOOP_PROCESS = -20, /* pidfds: before SIGCHLD reaps */
        LOOP_CHILD = -10,   /* SIGCHLD */
        LOOP_TREE = 0,      /* cgroup.events, inotify: see loop_add_inotify() */
        LOOP_NORMAL = 2,    /* SIGHUP, SIGUSR1 */
        LOOP_TIMER = 5,     /* deadlines: after what may have met them */
        LOOP_SETTLE = 100,   /* after everything that happened in this round */
        LOOP_PROBE = 102,    /* looks: however many are due, what was seen is settled first */
        LOOP_RECORD = 105,   /* what is written down of it */
        LOOP_CLIENT = 110,   /* those who ask: however much they do, all of the above goes on */
        LOOP_ACCEPT = 120,   /* … and those who are in already come before new ones */
} LoopPriority;

typedef int (*LoopHandler)(void *userdata);
typedef int (*LoopIoHandler)(void *userdata, uint32_t revents);
typedef int (*LoopInotifyHandler)(void *userdata, const struct inotify_event *event);

int loop_new(Loop **ret);
Loop *loop_free(Loop *loop);
DEFINE_CLEANUP(Loop, loop_free)

/*
 * Runs until loop_exit(). Returns the code given there, or a negative errno. One round's time
 * is loop_now().
 */
int loop_run(Loop *loop);
int loop_exit(Loop *loop, int code);

/* The time of this round (CLOCK_MONOTONIC); clock_now() outside the loop. */
usec_t loop_now(const Loop *loop);

/*
 * How often handlers of a priority before LOOP_CLIENT have run. As long as it is the same, nothing
 * but clients has come in, and what was found out about the daemons still holds.
 */
uint64_t loop_work(const Loop *loop);

/*
 * Answers WatchdogSec= of systemd if it is set (sd_event_set_watchdog(3)). 1: yes, 0: not asked
 * for.
 */
int loop_enable_watchdog(Loop *loop);

/* Blocks a signal that is going to be added: if it comes before that, it is an event then. */
int loop_hold_signal(int signo);

/*
 * Blocks the signal in this process and makes it an event. Signals that came while the handler did
 * not run are one event.
 */
int loop_add_signal(Loop *loop,
                    LoopSource **ret,
                    int signo,
                    LoopPriority priority,
                    const char *name,
                    LoopHandler handler,
                    void *userdata);

/* Who sent the signal that its handler ran for last; 0 both: the kernel, or nobody yet. */
typedef struct LoopSender {
        pid_t pid;
        uid_t uid;
} LoopSender;
LoopSender loop_signal_sender(const LoopSource *source);

/* A timer, created disarmed. Accurate to 1 ms. */
int loop_add_timer(Loop *loop,
                   LoopSource **ret,
                   LoopPriority priority,
                   const char *name,
                   LoopHandler handler,
                   void *userdata);
/* Fires once at `when` (CLOCK_MONOTONIC); USEC_INFINITY disarms. Never allocates. */
int loop_timer_set(LoopSource *source, usec_t when);
int loop_timer_disarm(LoopSource *source);
/* When it will fire; USEC_INFINITY if it is disarmed. */
usec_t loop_timer_get(const LoopSource *source);

/* A descriptor (borrowed), with EPOLLIN and so on. */
int loop_add_io(Loop *loop,
                LoopSource **ret,
                int fd,
                uint32_t events,
                LoopPriority priority,
                const char *name,
                LoopIoHandler handler,
                void *userdata);

/* From now on it waits for these events instead. */
int loop_io_set_events(LoopSource *source, uint32_t events);

/*
 * Lets the source run at most `burst` times per `interval`; after that it rests until the interval
 * is over. Without it a flood on an important descriptor would hold up all that is less important.
 */
int loop_io_limit(LoopSource *source, usec_t interval, unsigned burst);

/*
 * An inotify(7) watch on a path; several on the same inode are fine. At a priority other than 0,
 * with which sd-event makes its sources, each costs a millisecond or more for an inotify instance
 * that is made in vain.
 */
int loop_add_inotify(Loop *loop,
                     LoopSource **ret,
                     const char *path,
                     uint32_t mask,
                     LoopPriority priority,
                     const char *name,
                     LoopInotifyHandler handler,
                     void *userdata);

/*
 * A bare "look at me": runs once after loop_defer_arm(), however often that was called. Created
 * disarmed.
 */
int loop_add_defer(Loop *loop,
                   LoopSource **ret,
                   LoopPriority priority,
                   const char *name,
                   LoopHandler handler,
                   void *userdata);
int loop_defer_arm(LoopSource *source);

/* Ends a source of any kind, also from inside its own handler; accepts NULL; returns NULL. */
LoopSource *loop_source_free(LoopSource *source);
