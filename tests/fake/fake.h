/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The handles of the fakes: how a test moves the loop and sees what was asked of systemd, and how
 * the world tells the fakes that something happened.
 */

#include "fake/world.h"
#include "sys/loop.h"
#include "sys/reaper.h"

/* ---- the loop ---- */

/*
 * Does one thing: lets something of the world happen, or runs the handler of one source, or moves
 * the clock to what is due next. False: nothing can happen any more, or the loop was left.
 */
bool fake_step(Loop *loop);
/* Whether nothing will happen, but for what the test has planned. */
bool fake_is_at_rest(const Loop *loop);
/* Steps until everything is done that is due at `when` or before; then it is `when`. */
void fake_run_until(Loop *loop, usec_t when);
void fake_run_for(Loop *loop, usec_t duration);
/* Steps until nothing can happen or the loop was left. */
void fake_run(Loop *loop);

/* Whether the loop was left, and with which code. */
bool fake_loop_exited(const Loop *loop);
int fake_loop_code(const Loop *loop);
/* Handlers run so far. */
uint64_t fake_loop_dispatched(const Loop *loop);

/* Sources there are, and the name of one of them for a message. */
unsigned fake_source_count(const Loop *loop);
const char *fake_source_name(const Loop *loop, unsigned index);
/* Timers that are armed, and when the next one is due; USEC_INFINITY: never. */
unsigned fake_timer_count(const Loop *loop);
usec_t fake_next_timer(const Loop *loop);
/* A number that is another one if any source was made, freed, armed or disarmed. */
uint64_t fake_loop_digest(const Loop *loop);

/* A signal to us. */
void fake_signal(int signo);

/* ---- what is held ---- */

/* Processes that are waited for. */
unsigned fake_reaper_waits(const Reaper *reaper);
/* Cgroups there are, with those of helper commands or without. */
unsigned fake_cgroup_count(bool with_helpers);
unsigned fake_notify_socket_count(void);
/* Until when somebody asked for time by the notify socket of that path; 0: nobody did. */
usec_t fake_extended(const char *path);
/* Whether a process of the tree that the path is named after said READY=1 there. */
bool fake_said_ready(const char *path);

/* ---- what systemd was told ---- */

typedef enum NotifyKind {
        NOTIFY_READY,
        NOTIFY_RELOADING,
        NOTIFY_STOPPING,
        NOTIFY_STATUS,
        NOTIFY_EXTEND,
        NOTIFY_KIND_MAX_,
} NotifyKind;

unsigned fake_notify_count(NotifyKind kind);
/* When it was said last; 0: never. */
usec_t fake_notify_when(NotifyKind kind);
const char *fake_notify_status(void);
/* systemd starts us, and expects READY in time. */
void fake_notify_begin(void);
/* Whether in a start or a stop systemd would have lost patience with us at any time. */
bool fake_notify_overdue(void);
/* The machine stood still, and systemd with it. */
void fake_notify_slept(usec_t duration);
void fake_notify_reset(void);

/* ---- notices of the world to the fakes ---- */

/* A process of that tree died. */
void fake_tree_changed(const WorldTree *tree);
/* From now on so many of a thousand notices that a tree is empty are lost, by the seed. */
void fake_lose_tree_notices(unsigned per_mille);
/* A notice of it that has no cause. */
void fake_tree_wake(const WorldTree *tree);
/* Something at that path changed. */
void fake_path_changed(const char *path);
/* A datagram; also for strangers who found the path. */
void fake_datagram(const char *path, pid_t sender, const char *text);
/* A connection that had been accepted ended. */
void fake_connection_ended(void);

/* ---- what we may do ---- */

typedef enum FakePrivilege {
        MAY_LOOK = 1 << 0,   /* into processes, and take descriptors out of them */
        MAY_REOPEN = 1 << 1, /* CAP_NET_RAW */
        MAY_HOLD = 1 << 2,   /* CAP_NET_ADMIN */
        MAY_DIAG = 1 << 3,   /* there is a sock_diag at all */
} FakePrivilege;

/* All of them in the beginning. */
void fake_allow(unsigned privileges);
bool fake_allows_all(void);
