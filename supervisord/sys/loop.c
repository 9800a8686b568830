/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sys/loop.h"

/*
 * The only file that knows sd-event(3). Each LoopSource owns one reference to one sd_event_source
 * and is the userdata of its callback. sd-event keeps a source whose callback frees it until that
 * callback has returned, and calls the destroy callback after that: so a LoopSource is freed by
 * its sd_event_source and by nobody else, and a handler may end its own source.
 *
 * Sources hold a reference to the loop of sd-event themselves and may outlive the Loop.
 *
 * Nothing blocks but loop_run(), which sleeps without any wake-up of its own.
 */

#include <signal.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/error.h"

#define LOOP_TIMER_ACCURACY USEC_PER_MSEC

struct Loop {
        sd_event *event;
        sd_event_source *inotify_keeper; /* see loop_keep_inotify() */
        uint64_t work;                   /* see loop_work() */
};

struct LoopSource {
        sd_event_source *event_source;
        union {
                LoopHandler plain;
                LoopIoHandler io;
                LoopInotifyHandler inotify;
        } handler;
        void *userdata;
        Loop *loop;
        bool works; /* is counted by loop_work() */
        LoopSender sender; /* of a signal */
};

int loop_new(Loop **ret) {
        CLEANUP(freep) Loop *loop = calloc(1, sizeof(*loop));
        int r;

        if (!loop)
                return -ENOMEM;

        r = sd_event_new(&loop->event);
        if (r < 0)
                return r;

        *ret = TAKE(loop);
        return 0;
}

Loop *loop_free(Loop *loop) {
        if (!loop)
                return NULL;

        sd_event_source_unref(loop->inotify_keeper);
        sd_event_unref(loop->event);
        free(loop);
        return NULL;
}

int loop_run(Loop *loop) {
        return sd_event_loop(loop->event);
}

int loop_exit(Loop *loop, int code) {
        return sd_event_exit(loop->event, code);
}

usec_t loop_now(const Loop *loop) {
        int state = sd_event_get_state(loop->event);
        uint64_t now;

        /* Between two rounds sd-event would still answer with the time of the last one. */
        if (state != SD_EVENT_RUNNING && state != SD_EVENT_EXITING)
                return clock_now();
        if (sd_event_now(loop->event, CLOCK_MONOTONIC, &now) < 0)
                return clock_now();
        return now;
}

uint64_t loop_work(const Loop *loop) {
        return loop->work;
}

int loop_enable_watchdog(Loop *loop) {
        int r = sd_event_set_watchdog(loop->event, true);

        return r < 0 ? r : r > 0;
}

/* What each kind of source calls: sd-event's callback, turned into ours. */

/* The source whose turn it is. */
static LoopSource *loop_source_begin(void *userdata) {
        LoopSource *source = userdata;

        source->loop->work += source->works;
        return source;
}

static int loop_on_signal(sd_event_source *event_source,
                          const struct signalfd_siginfo *info,
                          void *userdata) {
        LoopSource *source = loop_source_begin(userdata);

        (void) event_source;
        source->sender = (LoopSender){ 0 };
        if (info->ssi_code <= 0) /* a process, not the kernel (sigaction(2)) */
                source->sender = (LoopSender){ (pid_t) info->ssi_pid, info->ssi_uid };
        return source->handler.plain(source->userdata);
}

static int loop_on_timer(sd_event_source *event_source, uint64_t when, void *userdata) {
        LoopSource *source = loop_source_begin(userdata);

        (void) event_source;
        (void) when;
        return source->handler.plain(source->userdata);
}

static int loop_on_defer(sd_event_source *event_source, void *userdata) {
        LoopSource *source = loop_source_begin(userdata);

        (void) event_source;
        return source->handler.plain(source->userdata);
}

static int loop_on_io(sd_event_source *event_source, int fd, uint32_t revents, void *userdata) {
        LoopSource *source = loop_source_begin(userdata);

        (void) event_source;
        (void) fd;
        return source->handler.io(source->userdata, revents);
}

static int loop_on_inotify(sd_event_source *event_source,
                           const struct inotify_event *event,
                           void *userdata) {
        LoopSource *source = loop_source_begin(userdata);

        (void) event_source;
        return source->handler.inotify(source->userdata, event);
}

static LoopSource *loop_source_new(Loop *loop, void *userdata) {
        LoopSource *source = calloc(1, sizeof(*source));

        if (source) {
                source->loop = loop;
                source->userdata = userdata;
        }
        return source;
}

/* Takes over a source that has just been added and gives it what every source has. */
static int loop_source_finish(LoopSource *source,
                              LoopPriority priority,
                              const char *name,
                              LoopSource **ret) {
        sd_event_source *event_source = source->event_source;
        int r;

        r = sd_event_source_set_destroy_callback(event_source, free);
        if (r < 0) {
                sd_event_source_unref(event_source);
                free(source);
                return r;
        }

        r = sd_event_source_set_description(event_source, name);
        if (r >= 0)
                r = sd_event_source_set_priority(event_source, priority);
        if (r >= 0)
                r = sd_event_source_set_exit_on_failure(event_source, true);
        if (r < 0) {
                sd_event_source_unref(event_source);
                return r;
        }

        source->works = priority < LOOP_CLIENT;
        *ret = source;
        return 0;
}

int loop_hold_signal(int signo) {
        sigset_t set;

        if (sigemptyset(&set) < 0 || sigaddset(&set, signo) < 0 ||
            sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return errno_negative();
        return 0;
}

int loop_add_signal(Loop *loop,
                    LoopSource **ret,
                    int signo,
                    LoopPriority priority,
                    const char *name,
                    LoopHandler handler,
                    void *userdata) {
        CLEANUP(freep) LoopSource *source = loop_source_new(loop, userdata);
        int r;

        if (!source)
                return -ENOMEM;
        source->handler.plain = handler;

        /* sd-event refuses a signal that is not blocked. */
        r = loop_hold_signal(signo);
        if (r < 0)
                return r;

        r = sd_event_add_signal(loop->event, &source->event_source, signo, loop_on_signal, source);
        if (r < 0)
                return r;
        return loop_source_finish(TAKE(source), priority, name, ret);
}

LoopSender loop_signal_sender(const LoopSource *source) {
        return source->sender;
}

int loop_add_timer(Loop *loop,
                   LoopSource **ret,
                   LoopPriority priority,
                   const char *name,
                   LoopHandler handler,
                   void *userdata) {
        CLEANUP(freep) LoopSource *source = loop_source_new(loop, userdata);
        int r;

        if (!source)
                return -ENOMEM;
        source->handler.plain = handler;

        r = sd_event_add_time(loop->event, &source->event_source, CLOCK_MONOTONIC, USEC_INFINITY,
                              LOOP_TIMER_ACCURACY, loop_on_timer, source);
        if (r < 0)
                return r;

        r = sd_event_source_set_enabled(source->event_source, SD_EVENT_OFF);
        if (r < 0) {
                sd_event_source_unref(source->event_source);
                return r;
        }
        return loop_source_finish(TAKE(source), priority, name, ret);
}

int loop_timer_set(LoopSource *source, usec_t when) {
        int r;

        if (when == USEC_INFINITY)
                return loop_timer_disarm(source);

        r = sd_event_source_set_time(source->event_source, when);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(source->event_source, SD_EVENT_ONESHOT);
}

int loop_timer_disarm(LoopSource *source) {
        return sd_event_source_set_enabled(source->event_source, SD_EVENT_OFF);
}

usec_t loop_timer_get(const LoopSource *source) {
        uint64_t when;

        if (sd_event_source_get_enabled(source->event_source, NULL) <= 0 ||
            sd_event_source_get_time(source->event_source, &when) < 0)
                return USEC_INFINITY;
        return when;
}

int loop_add_io(Loop *loop,
                LoopSource **ret,
                int fd,
                uint32_t events,
                LoopPriority priority,
                const char *name,
                LoopIoHandler handler,
                void *userdata) {
        CLEANUP(freep) LoopSource *source = loop_source_new(loop, userdata);
        int r;

        if (!source)
                return -ENOMEM;
        source->handler.io = handler;

        r = sd_event_add_io(loop->event, &source->event_source, fd, events, loop_on_io, source);
        if (r < 0)
                return r;
        return loop_source_finish(TAKE(source), priority, name, ret);
}

int loop_io_set_events(LoopSource *source, uint32_t events) {
        return sd_event_source_set_io_events(source->event_source, events);
}

int loop_io_limit(LoopSource *source, usec_t interval, unsigned burst) {
        return sd_event_source_set_ratelimit(source->event_source, interval, burst);
}

static int loop_on_nothing(
        sd_event_source *event_source, const struct inotify_event *event, void *userdata) {
        (void) event_source;
        (void) event;
        (void) userdata;
        return 0;
}

/*
 * With its last source sd-event closes its inotify instance, and the kernel makes that wait for
 * some 10 ms. So there is one of our own that stays and never has anything to tell.
 */
static int loop_keep_inotify(Loop *loop) {
        if (loop->inotify_keeper)
                return 0;
        return sd_event_add_inotify(
                loop->event, &loop->inotify_keeper, "/", IN_DELETE_SELF, loop_on_nothing, NULL);
}

int loop_add_inotify(Loop *loop,
                     LoopSource **ret,
                     const char *path,
                     uint32_t mask,
                     LoopPriority priority,
                     const char *name,
                     LoopInotifyHandler handler,
                     void *userdata) {
        CLEANUP(freep) LoopSource *source = loop_source_new(loop, userdata);
        int r;

        if (!source)
                return -ENOMEM;
        source->handler.inotify = handler;

        r = loop_keep_inotify(loop);
        if (r < 0)
                return r;

        r = sd_event_add_inotify(loop->event, &source->event_source, path, mask, loop_on_inotify,
                                 source);
        if (r < 0)
                return r;
        return loop_source_finish(TAKE(source), priority, name, ret);
}

int loop_add_defer(Loop *loop,
                   LoopSource **ret,
                   LoopPriority priority,
                   const char *name,
                   LoopHandler handler,
                   void *userdata) {
        CLEANUP(freep) LoopSource *source = loop_source_new(loop, userdata);
        int r;

        if (!source)
                return -ENOMEM;
        source->handler.plain = handler;

        r = sd_event_add_defer(loop->event, &source->event_source, loop_on_defer, source);
        if (r < 0)
                return r;

        r = sd_event_source_set_enabled(source->event_source, SD_EVENT_OFF);
        if (r < 0) {
                sd_event_source_unref(source->event_source);
                return r;
        }
        return loop_source_finish(TAKE(source), priority, name, ret);
}

int loop_defer_arm(LoopSource *source) {
        return sd_event_source_set_enabled(source->event_source, SD_EVENT_ONESHOT);
}

LoopSource *loop_source_free(LoopSource *source) {
        if (source)
                sd_event_source_unref(source->event_source);
        return NULL;
}
