/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/loop.h on the fake world. As with sd-event, one step runs the handler of one source, the
 * pending one with the lowest priority number, and a handler that fails ends the loop. Among equals
 * the seed chooses; sd-event promises no order there either. loop_add_inotify() is not here: only
 * sys/ itself calls it, and the fakes have no need of it.
 */

#include "sys/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "fake/fake.h"
#include "fake/parts.h"

/* Handlers at one instant; far more than thirty daemons need, so it can only be a busy loop. */
#define LOOP_INSTANT_MAX 100000

typedef enum SourceKind {
        SOURCE_SIGNAL,
        SOURCE_TIMER,
        SOURCE_IO,
        SOURCE_DEFER,
} SourceKind;

struct LoopSource {
        Loop *loop;
        LoopSource *next;
        SourceKind kind;
        LoopPriority priority;
        const char *name;
        union {
                LoopHandler plain;
                LoopIoHandler io;
        } handler;
        void *userdata;
        int number; /* signal or descriptor */
        uint32_t events;
        bool armed;         /* timer, defer */
        usec_t when;        /* of an armed timer */
        bool running, dead; /* freed by its own handler: the memory goes after it */
};

struct Loop {
        LoopSource *sources;
        bool exited;
        int code;
        uint64_t dispatched;
        usec_t instant;
        unsigned in_instant;
};

static uint64_t signals_pending; /* bit signo */

void fake_signals_reset(void) {
        signals_pending = 0;
}

void fake_signal(int signo) {
        world_trace("  SIG %d for the supervisor", signo);
        signals_pending |= UINT64_C(1) << signo;
}

/* ---- the loop ---- */

int loop_new(Loop **ret) {
        Loop *loop = calloc(1, sizeof(*loop));
        if (!loop)
                return -ENOMEM;

        *ret = loop;
        return 0;
}

Loop *loop_free(Loop *loop) {
        free(loop);
        return NULL;
}

int loop_exit(Loop *loop, int code) {
        loop->exited = true;
        loop->code = code;
        return 0;
}

usec_t loop_now(const Loop *loop) {
        (void) loop;
        return clock_now();
}

int loop_enable_watchdog(Loop *loop) {
        (void) loop;
        return 0;
}

int loop_run(Loop *loop) {
        fake_run(loop);
        return loop->exited ? loop->code : -EDEADLK;
}

/* ---- choosing and running ---- */

static bool source_is_pending(const LoopSource *source) {
        switch (source->kind) {
        case SOURCE_SIGNAL:
                return signals_pending & (UINT64_C(1) << source->number);
        case SOURCE_TIMER:
                return source->armed && source->when <= world_now();
        case SOURCE_IO:
                return descriptor_events(source->number) & (source->events | EPOLLHUP | EPOLLERR);
        default:
                return source->armed;
        }
}

/* Newer sources stand before older ones: without a seed the oldest one is taken. */
static LoopSource *loop_pick(const Loop *loop) {
        LoopSource *best = NULL;
        unsigned seen = 0;

        for (LoopSource *source = loop->sources; source; source = source->next) {
                if (!source_is_pending(source))
                        continue;
                if (!best || source->priority < best->priority) {
                        best = source;
                        seen = 1;
                } else if (source->priority == best->priority && world_choose(++seen) == 0)
                        best = source;
        }
        return best;
}

static int source_run(LoopSource *source) {
        switch (source->kind) {
        case SOURCE_SIGNAL:
                signals_pending &= ~(UINT64_C(1) << source->number);
                break;
        case SOURCE_IO:
                return source->handler.io(source->userdata, descriptor_events(source->number));
        default:
                source->armed = false;
                break;
        }
        return source->handler.plain(source->userdata);
}

bool fake_is_at_rest(const Loop *loop) {
        for (const LoopSource *source = loop->sources; source; source = source->next)
                if (source_is_pending(source) || (source->kind == SOURCE_TIMER && source->armed))
                        return false;
        return world_is_at_rest();
}

/* Whoever makes the loop turn without end at one instant would eat a processor. */
static void loop_count(Loop *loop, const LoopSource *source) {
        if (loop->instant != world_now()) {
                loop->instant = world_now();
                loop->in_instant = 0;
        }
        if (++loop->in_instant == LOOP_INSTANT_MAX) {
                fprintf(stderr, "source %s keeps the loop busy\n", source->name);
                abort();
        }
        loop->dispatched++;
}

static void loop_dispatch(Loop *loop, LoopSource *source) {
        loop_count(loop, source);
        world_trace("%s", source->name);

        source->running = true;
        int r = source_run(source);
        source->running = false;

        if (source->dead)
                free(source);
        if (r < 0)
                loop_exit(loop, r);
}

usec_t fake_next_timer(const Loop *loop) {
        usec_t next = USEC_INFINITY;

        for (const LoopSource *source = loop->sources; source; source = source->next)
                if (source->kind == SOURCE_TIMER && source->armed)
                        next = MIN_OF(next, source->when);
        return next;
}

/* What there is to do at this instant; false: nothing. */
static bool loop_step_now(Loop *loop) {
        LoopSource *source = loop_pick(loop);

        /* with a seed the world is at times ahead of us and at times behind */
        bool world_first = !source || !world_is_seeded() || world_choose(2) == 0;
        if (world_first && world_happen())
                return true;
        if (source)
                loop_dispatch(loop, source);
        return source != NULL;
}

static bool loop_step_until(Loop *loop, usec_t limit) {
        if (loop->exited)
                return false;
        if (loop_step_now(loop))
                return true;

        usec_t next = MIN_OF(fake_next_timer(loop), world_next());
        if (next > limit || next == USEC_INFINITY)
                return false;
        world_jump(next - world_now());
        return true;
}

bool fake_step(Loop *loop) {
        return loop_step_until(loop, USEC_INFINITY);
}

void fake_run_until(Loop *loop, usec_t when) {
        while (loop_step_until(loop, when))
                ;
        if (!loop->exited && when > world_now())
                world_jump(when - world_now());
}

void fake_run_for(Loop *loop, usec_t duration) {
        fake_run_until(loop, usec_add(world_now(), duration));
}

void fake_run(Loop *loop) {
        while (fake_step(loop))
                ;
}

bool fake_loop_exited(const Loop *loop) {
        return loop->exited;
}

int fake_loop_code(const Loop *loop) {
        return loop->code;
}

uint64_t fake_loop_dispatched(const Loop *loop) {
        return loop->dispatched;
}

/* ---- sources ---- */

unsigned fake_source_count(const Loop *loop) {
        unsigned count = 0;

        for (const LoopSource *source = loop->sources; source; source = source->next)
                count++;
        return count;
}

const char *fake_source_name(const Loop *loop, unsigned index) {
        const LoopSource *source = loop->sources;

        while (source && index-- > 0)
                source = source->next;
        return source ? source->name : NULL;
}

unsigned fake_timer_count(const Loop *loop) {
        unsigned count = 0;

        for (const LoopSource *source = loop->sources; source; source = source->next)
                count += source->kind == SOURCE_TIMER && source->armed;
        return count;
}

uint64_t fake_loop_digest(const Loop *loop) {
        uint64_t digest = 0;

        for (const LoopSource *source = loop->sources; source; source = source->next)
                digest = digest * 31 + (uintptr_t) source + (source->armed ? source->when : 0);
        return digest;
}

static LoopSource *source_new(
        Loop *loop, SourceKind kind, LoopPriority priority, const char *name, void *userdata) {
        LoopSource *source = calloc(1, sizeof(*source));
        if (!source)
                return NULL;

        *source = (LoopSource){
                .loop = loop,
                .next = loop->sources,
                .kind = kind,
                .priority = priority,
                .name = name,
                .userdata = userdata,
                .when = USEC_INFINITY,
        };
        loop->sources = source;
        return source;
}

int loop_add_signal(Loop *loop,
                    LoopSource **ret,
                    int signo,
                    LoopPriority priority,
                    const char *name,
                    LoopHandler handler,
                    void *userdata) {
        LoopSource *source = source_new(loop, SOURCE_SIGNAL, priority, name, userdata);
        if (!source)
                return -ENOMEM;

        source->number = signo;
        source->handler.plain = handler;
        *ret = source;
        return 0;
}

LoopSender loop_signal_sender(const LoopSource *source) {
        (void) source;
        return (LoopSender){ .pid = 1 };
}

int loop_add_timer(Loop *loop,
                   LoopSource **ret,
                   LoopPriority priority,
                   const char *name,
                   LoopHandler handler,
                   void *userdata) {
        LoopSource *source = source_new(loop, SOURCE_TIMER, priority, name, userdata);
        if (!source)
                return -ENOMEM;

        source->handler.plain = handler;
        *ret = source;
        return 0;
}

int loop_timer_set(LoopSource *source, usec_t when) {
        source->armed = when != USEC_INFINITY;
        source->when = when;
        return 0;
}

int loop_timer_disarm(LoopSource *source) {
        source->armed = false;
        return 0;
}

usec_t loop_timer_get(const LoopSource *source) {
        return source->armed ? source->when : USEC_INFINITY;
}

int loop_add_io(Loop *loop,
                LoopSource **ret,
                int fd,
                uint32_t events,
                LoopPriority priority,
                const char *name,
                LoopIoHandler handler,
                void *userdata) {
        int r = fake_door(DOOR_LOOP_IO);
        if (r < 0)
                return r;
        LoopSource *source = source_new(loop, SOURCE_IO, priority, name, userdata);
        if (!source)
                return -ENOMEM;

        source->number = fd;
        source->events = events;
        source->handler.io = handler;
        *ret = source;
        return 0;
}

int loop_io_limit(LoopSource *source, usec_t interval, unsigned burst) {
        (void) source;
        (void) interval;
        (void) burst;
        return 0;
}

int loop_add_defer(Loop *loop,
                   LoopSource **ret,
                   LoopPriority priority,
                   const char *name,
                   LoopHandler handler,
                   void *userdata) {
        LoopSource *source = source_new(loop, SOURCE_DEFER, priority, name, userdata);
        if (!source)
                return -ENOMEM;

        source->handler.plain = handler;
        *ret = source;
        return 0;
}

int loop_defer_arm(LoopSource *source) {
        source->armed = true;
        return 0;
}

LoopSource *loop_source_free(LoopSource *source) {
        if (!source)
                return NULL;

        LoopSource **place = &source->loop->sources;
        while (*place != source)
                place = &(*place)->next;
        *place = source->next;

        source->dead = true;
        if (!source->running)
                free(source);
        return NULL;
}
