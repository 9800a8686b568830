/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Event sources for tests of sys/loop: each leaves its letter in a trace when it runs.
 */

#include <errno.h>

#include "sys/loop.h"

#define PROBE_FAILURE   (-ENOTRECOVERABLE)
#define PROBE_TRACE_MAX 64

/* What a probe does when it runs. */
typedef enum ProbeAction {
        PROBE_NOTHING,
        PROBE_FREE_ITSELF,
        PROBE_FREE_OTHER,
        PROBE_ARM_OTHER,
        PROBE_AGAIN, /* a defer source arms itself */
        PROBE_FAIL,
        PROBE_EXIT,
} ProbeAction;

typedef struct Probe Probe;

struct Probe {
        char letter;
        ProbeAction action;
        LoopSource *source;
        Probe *other;
        int code;
        int fd; /* read empty when it runs; -1: none */
        unsigned again;
};

/* The loop of the test, and what ran in it: one letter each. */
extern Loop *probe_loop;
extern char probe_trace[PROBE_TRACE_MAX];

/* A checked fixture. */
void probe_setup(void);
void probe_teardown(void);

/* The handlers, for sources that are made otherwise. */
int probe_run(void *userdata);
int probe_run_io(void *userdata, uint32_t revents);

void probe_add_defer(Probe *probe, LoopPriority priority);
void probe_arm_defer(Probe *probe, LoopPriority priority);
void probe_add_timer(Probe *probe, LoopPriority priority);
void probe_add_signal(Probe *probe, int signo, LoopPriority priority);

/* A pipe with something in it, whose reading end is watched. */
void probe_add_pipe(Probe *probe, int fds[2], LoopPriority priority);
void probe_close_pipe(int fds[2]);

/* Runs until nothing is left to do, by a source less important than all others: letter '.'. */
void probe_run_out(void);
