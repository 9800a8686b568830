/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An event loop of the client's own: the answer, the signals of supervisord, a clock, our signals.
 */

#include "wait.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/parse.h"
#include "client.h"
#include "control/names.h"
#include "progress.h"
#include "terminal.h"

#define WAIT_TICK (250 * USEC_PER_MSEC)
#define WAIT_TEXT 256

typedef struct Wait {
        sd_event *event;
        sd_bus_message *reply;
        usec_t begun;
        char status[WAIT_TEXT]; /* of supervisord */
        Progress progress;      /* of the daemons */
} Wait;

static void wait_done(Wait *wait) {
        progress_done(&wait->progress);
        sd_bus_message_unref(wait->reply);
        sd_event_unref(wait->event);
}

/* A line for supervisord, and one for each daemon on its way, as far as they find room. */
static void wait_show(const Wait *wait) {
        const Progress *progress = &wait->progress;
        char text[PROGRESS_TEXT_MAX];
        usec_t now = clock_now();
        size_t room = terminal_live_room() - 1;
        size_t shown = progress->count <= room ? progress->count : room - 1;
        Live live = { .count = 0 };

        live_add(&live, "%s  %s", format_elapsed(text, usec_sub(now, wait->begun)), wait->status);
        for (size_t i = 0; i < shown; i++)
                live_add(&live, "  %s", progress_row_text(text, &progress->rows[i],
                                                          progress_width(progress), now));
        if (shown < progress->count)
                live_add(&live, "  … and %zu more", progress->count - shown);
        terminal_live(&live);
}

static int wait_on_reply(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Wait *wait = userdata;

        (void) error;
        wait->reply = sd_bus_message_ref(message);
        return sd_event_exit(wait->event, 0);
}

static int wait_on_status(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Wait *wait = userdata;
        const char *status;

        (void) error;
        if (sd_bus_message_read(message, "s", &status) >= 0)
                snprintf(wait->status, sizeof(wait->status), "%s", status);
        wait_show(wait);
        return 0;
}

static int wait_on_daemon(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Wait *wait = userdata;
        const char *reason;
        ProgressNews news;
        uint32_t pid;

        (void) error;
        if (sd_bus_message_read(message, CONTROL_CHANGED, &news.name, &news.state, &pid, &reason,
                                &news.status, &news.deadline) >= 0)
                progress_update(&wait->progress, &news);
        wait_show(wait);
        return 0;
}

static int wait_on_tick(sd_event_source *source, uint64_t now, void *userdata) {
        wait_show(userdata);
        sd_event_source_set_time(source, now + WAIT_TICK);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* The waiting ends, the work goes on. */
static int wait_on_signal(sd_event_source *source,
                          const struct signalfd_siginfo *info,
                          void *userdata) {
        Wait *wait = userdata;

        (void) source;
        (void) info;
        return sd_event_exit(wait->event, -EINTR);
}

static int wait_add_signals(Wait *wait) {
        static const int signals[] = { SIGTERM, SIGINT };
        sigset_t mask;

        sigemptyset(&mask);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                sigaddset(&mask, signals[i]);
        sigprocmask(SIG_BLOCK, &mask, NULL);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                int r = sd_event_add_signal(wait->event, NULL, signals[i], wait_on_signal, wait);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int wait_add_live_lines(Wait *wait, sd_bus *bus) {
        if (!terminal_is_live())
                return 0;

        int r = sd_bus_match_signal(bus, NULL, NULL, CONTROL_PATH, CONTROL_INTERFACE,
                                    "StatusChanged", wait_on_status, wait);
        if (r >= 0)
                r = sd_bus_match_signal(bus, NULL, NULL, CONTROL_PATH, CONTROL_INTERFACE,
                                        "DaemonChanged", wait_on_daemon, wait);
        if (r >= 0)
                r = sd_event_add_time(wait->event, NULL, CLOCK_MONOTONIC, clock_now() + WAIT_TICK,
                                      0, wait_on_tick, wait);
        return r;
}

static int wait_run(Wait *wait, sd_bus *bus, sd_bus_message *call, usec_t timeout) {
        int r = sd_event_new(&wait->event);
        if (r >= 0)
                r = wait_add_signals(wait);
        if (r >= 0) /* the end of the waiting is not that of the connection */
                r = sd_bus_set_close_on_exit(bus, false);
        if (r >= 0)
                r = sd_bus_attach_event(bus, wait->event, 0);
        if (r >= 0)
                r = wait_add_live_lines(wait, bus);
        if (r >= 0)
                r = sd_bus_call_async(bus, NULL, call, wait_on_reply, wait, timeout);
        if (r >= 0)
                r = sd_event_loop(wait->event);
        terminal_live_end();
        sd_bus_detach_event(bus);
        return r;
}

int wait_call(sd_bus *bus, sd_bus_message *call, usec_t timeout, sd_bus_message **ret_reply) {
        CLEANUP(wait_done) Wait wait = { .begun = clock_now() };

        int r = wait_run(&wait, bus, call, timeout);
        if (r == -EINTR) {
                fprintf(stderr,
                        "supervisorctl: not waiting any longer; supervisord goes on with it\n");
                return 0;
        }
        if (r < 0)
                return client_explain(NULL, r);

        const sd_bus_error *error = sd_bus_message_get_error(wait.reply);
        if (error) {
                r = sd_bus_error_get_errno(error);
                return client_explain(error, r > 0 ? -r : -EIO);
        }
        *ret_reply = TAKE(wait.reply);
        return 0;
}
