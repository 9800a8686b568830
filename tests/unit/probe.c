/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "probe.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/file.h"
#include "unit.h"

Loop *probe_loop;
char probe_trace[PROBE_TRACE_MAX];

static size_t probe_length;

void probe_setup(void) {
        probe_length = 0;
        memset(probe_trace, 0, sizeof(probe_trace));
        ck_assert_int_eq(loop_new(&probe_loop), 0);
}

void probe_teardown(void) {
        probe_loop = loop_free(probe_loop);
}

static void probe_trace_add(char letter) {
        ck_assert_uint_lt(probe_length, sizeof(probe_trace) - 1);
        probe_trace[probe_length++] = letter;
}

int probe_run(void *userdata) {
        Probe *probe = userdata;

        probe_trace_add(probe->letter);
        switch (probe->action) {
        case PROBE_NOTHING:
                return 0;
        case PROBE_FREE_ITSELF:
                probe->source = loop_source_free(probe->source);
                return 0;
        case PROBE_FREE_OTHER:
                probe->other->source = loop_source_free(probe->other->source);
                return 0;
        case PROBE_ARM_OTHER:
                return loop_defer_arm(probe->other->source);
        case PROBE_AGAIN:
                return probe->again-- > 0 ? loop_defer_arm(probe->source) : 0;
        case PROBE_FAIL:
                return PROBE_FAILURE;
        case PROBE_EXIT:
                return loop_exit(probe_loop, probe->code);
        }
        return PROBE_FAILURE;
}

int probe_run_io(void *userdata, uint32_t revents) {
        Probe *probe = userdata;
        char byte;

        ck_assert_uint_ne(revents & EPOLLIN, 0);
        if (probe->fd >= 0)
                while (read(probe->fd, &byte, 1) == 1)
                        ;
        return probe_run(probe);
}

void probe_add_defer(Probe *probe, LoopPriority priority) {
        ck_assert_int_eq(
                loop_add_defer(probe_loop, &probe->source, priority, "test", probe_run, probe), 0);
}

void probe_arm_defer(Probe *probe, LoopPriority priority) {
        probe_add_defer(probe, priority);
        ck_assert_int_eq(loop_defer_arm(probe->source), 0);
}

void probe_add_timer(Probe *probe, LoopPriority priority) {
        ck_assert_int_eq(
                loop_add_timer(probe_loop, &probe->source, priority, "test", probe_run, probe), 0);
}

void probe_add_signal(Probe *probe, int signo, LoopPriority priority) {
        ck_assert_int_eq(loop_add_signal(probe_loop, &probe->source, signo, priority, "test",
                                         probe_run, probe),
                         0);
}

void probe_add_pipe(Probe *probe, int fds[2], LoopPriority priority) {
        ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
        ck_assert_int_eq(write(fds[1], "x", 1), 1);
        ck_assert_int_eq(loop_add_io(probe_loop, &probe->source, fds[0], EPOLLIN, priority, "test",
                                     probe_run_io, probe),
                         0);
}

void probe_close_pipe(int fds[2]) {
        fd_close(fds[0]);
        fd_close(fds[1]);
}

void probe_run_out(void) {
        Probe last = { .letter = '.', .action = PROBE_EXIT, .code = 7 };

        probe_arm_defer(&last, LOOP_SETTLE + 100);
        ck_assert_int_eq(loop_run(probe_loop), 7);
        loop_source_free(last.source);
}
