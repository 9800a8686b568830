/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A daemon's own reload: its configuration test, then its signal or command, then the look whether
 * it has survived, once it has taken the signal. An activity while it runs, no state: its table
 * knows nothing of it, and if the daemon leaves STATE_RUNNING meanwhile it has failed. What came of
 * it is read at settling.
 */

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "child/command.h"
#include "child/object.h"

/*
 * So long after it was told a daemon that says nothing must still live. Those that a bad file kills
 * at a reload read it as at a start: that took the slowest of them, postfix, 236 ms, most 10 to
 * 50 ms.
 */
#define SURVIVAL (500 * USEC_PER_MSEC)

#define OWN_RELOAD_TEXT_MAX 512

typedef enum OwnReloadStage {
        OWN_RELOAD_OVER,
        OWN_RELOAD_TESTING,  /* reload.check runs */
        OWN_RELOAD_TELLING,  /* reload.command runs */
        OWN_RELOAD_SETTLING, /* it was told, and must live on */
        OWN_RELOAD_AWAITING, /* it said RELOADING=1: now READY=1 must come */
} OwnReloadStage;

struct OwnReload {
        OwnReloadStage stage;
        ChildReload outcome;
        bool said_reloading, said_ready; /* since it was told */
        bool unheard;                    /* at the last look its signal was waiting for it */
        usec_t begun;
        LoopSource *timer; /* of the last two stages */
        Command *test, *command;
        uint64_t *files; /* as they were when it was told */
        char text[OWN_RELOAD_TEXT_MAX];
};

static bool own_reload_is_under_way(const Child *child) {
        return child->reload && child->reload->stage != OWN_RELOAD_OVER;
}

/* Those that run; what has ended keeps its words. */
static void own_reload_kill_commands(OwnReload *own) {
        if (own->test && !command_has_ended(own->test))
                own->test = command_free(own->test);
        if (own->command && !command_has_ended(own->command))
                own->command = command_free(own->command);
}

static void own_reload_note(const Child *child) {
        const OwnReload *own = child->reload;
        char elapsed[DURATION_TEXT_MAX];

        if (own->outcome == CHILD_RELOAD_DONE) {
                note(child, LOG_INFO, MESSAGE_DAEMON_RELOADED, "reloaded its own files after %s",
                     format_elapsed(elapsed, usec_sub(loop_now(child->context->loop), own->begun)));
                return;
        }
        note(child, LOG_ERR, MESSAGE_DAEMON_RELOAD_FAILED, "did not reload its own files: %s",
             own->text);
        for (char *const *line = child_reload_lines(child); *line; line++)
                note(child, LOG_ERR, MESSAGE_NONE, "%s", *line);
}

static void own_reload_end(Child *child, ChildReload outcome, const char *format, ...)
        PRINTF_LIKE(3, 4);

static void own_reload_end(Child *child, ChildReload outcome, const char *format, ...) {
        OwnReload *own = child->reload;
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(own->text, sizeof(own->text), format, arguments);
        va_end(arguments);

        own->stage = OWN_RELOAD_OVER;
        own->outcome = outcome;
        own->timer = loop_source_free(own->timer);
        own_reload_kill_commands(own);
        if (outcome == CHILD_RELOAD_DONE)
                files_set(child, TAKE(own->files));
        own_reload_note(child);
        child->context->sink.changed(child->context->sink.userdata, child);
}

static void own_reload_await(Child *child) {
        OwnReload *own = child->reload;

        if (own->said_ready) {
                own_reload_end(child, CHILD_RELOAD_DONE, "%s", "");
                return;
        }
        own->stage = OWN_RELOAD_AWAITING;
        loop_timer_set(own->timer,
                       usec_add(loop_now(child->context->loop), child->daemon->reload.timeout));
}

static void own_reload_settle(Child *child) {
        OwnReload *own = child->reload;

        own->stage = OWN_RELOAD_SETTLING;
        if (own->said_reloading)
                own_reload_await(child);
        else /* from now, not from when this turn of the loop began */
                loop_timer_set(own->timer, usec_add(clock_now(), SURVIVAL));
}

/*
 * Who is busy, or does not get a processor, takes the signal later and may die of it then: it has
 * its while from there on. True: it has to be looked again.
 */
static bool own_reload_is_unheard(Child *child) {
        OwnReload *own = child->reload;
        bool before = own->unheard;

        own->unheard = own->stage == OWN_RELOAD_SETTLING && !child->daemon->reload.command &&
                       procfs_has_pending(child->main.pid, child->daemon->reload.signo);
        return own->unheard || before;
}

static bool own_reload_is_out_of_time(const Child *child) {
        return loop_now(child->context->loop) >=
               usec_add(child->successor.told_when, child->daemon->reload.timeout);
}

static int own_reload_on_timer(void *userdata) {
        Child *child = userdata;
        char timeout[DURATION_TEXT_MAX], name[SIGNAL_TEXT_MAX];
        bool unheard = own_reload_is_unheard(child);

        format_duration(timeout, child->daemon->reload.timeout);
        if (child->reload->unheard && own_reload_is_out_of_time(child))
                own_reload_end(child, CHILD_RELOAD_FAILED, "it did not take SIG%s within %s",
                               format_signal(name, child->daemon->reload.signo), timeout);
        else if (unheard || successor_is_awaited(child)) /* no successor: it has not survived it */
                loop_timer_set(child->reload->timer,
                               usec_add(loop_now(child->context->loop), SURVIVAL));
        else if (child->reload->stage == OWN_RELOAD_SETTLING)
                own_reload_end(child, CHILD_RELOAD_DONE, "%s", "");
        else
                own_reload_end(child, CHILD_RELOAD_FAILED,
                               "it said RELOADING=1, but not READY=1 within %s", timeout);
        return 0;
}

static int own_reload_start(Child *child,
                            char *const *command,
                            void (*ended)(void *userdata),
                            Command **ret) {
        return command_start(
                &(CommandOrder){
                        .context = child->context,
                        .config = child->config,
                        .daemon = child->daemon,
                        .purpose = "reload",
                        .command = command,
                        .main_pid = child->main.pid,
                        .timeout = child->daemon->reload.timeout,
                        .ended = ended,
                        .userdata = child,
                },
                ret);
}

static void own_reload_on_command(void *userdata) {
        Child *child = userdata;
        const Command *command = child->reload->command;

        if (command_succeeded(command))
                own_reload_settle(child);
        else
                own_reload_end(child, CHILD_RELOAD_FAILED, "%s", command_text(command));
}

static int own_reload_signal(Child *child) {
        int signo = child->daemon->reload.signo;
        char name[SIGNAL_TEXT_MAX];

        int r = pidref_is_set(&child->main) ? pidref_signal(&child->main, signo) : PIDREF_E_GONE;
        if (r < 0)
                return r;
        if (r == PIDREF_E_GONE) {
                own_reload_end(child, CHILD_RELOAD_FAILED, "its main process is gone");
                return 0;
        }
        note(child, LOG_INFO, MESSAGE_NONE, "told to reload its own files by SIG%s",
             format_signal(name, signo));
        own_reload_settle(child);
        return 0;
}

static int own_reload_tell(Child *child) {
        OwnReload *own = child->reload;

        own->files = files_take(child->daemon);
        own->stage = OWN_RELOAD_TELLING;
        successor_mark_told(child, child->daemon->reload.signo);
        if (!child->daemon->reload.command)
                return own_reload_signal(child);

        int r = own_reload_start(child, child->daemon->reload.command, own_reload_on_command,
                                 &own->command);
        if (r < 0)
                return r;
        note(child, LOG_INFO, MESSAGE_NONE, "told to reload its own files by reload.command");
        if (command_has_ended(own->command))
                own_reload_on_command(child);
        return 0;
}

static void own_reload_give_up(Child *child, int error) {
        own_reload_end(child, CHILD_RELOAD_FAILED, "%s", strerror(-error));
}

static void own_reload_on_test(void *userdata) {
        Child *child = userdata;
        const Command *test = child->reload->test;

        if (!command_succeeded(test)) {
                own_reload_end(child, CHILD_RELOAD_REFUSED, "its configuration test failed: %s",
                               command_text(test));
                return;
        }
        int r = own_reload_tell(child);
        if (r < 0)
                own_reload_give_up(child, r);
}

static int own_reload_test(Child *child) {
        OwnReload *own = child->reload;

        own->stage = OWN_RELOAD_TESTING;
        int r = own_reload_start(child, child->daemon->reload.check, own_reload_on_test,
                                 &own->test);
        if (r < 0)
                return r;
        if (command_has_ended(own->test))
                own_reload_on_test(child);
        return 0;
}

static void own_reload_reset(OwnReload *own) {
        own->test = command_free(own->test);
        own->command = command_free(own->command);
        own->timer = loop_source_free(own->timer);
        free(TAKE(own->files));
        own->said_reloading = own->said_ready = own->unheard = false;
        own->text[0] = '\0';
}

static int own_reload_begin(Child *child, bool tested) {
        OwnReload *own = child->reload;

        int r = loop_add_timer(child->context->loop, &own->timer, LOOP_TIMER, child_name(child),
                               own_reload_on_timer, child);
        if (r < 0)
                return r;
        return child->daemon->reload.check && !tested ? own_reload_test(child)
                                                      : own_reload_tell(child);
}

int child_reload(Child *child, bool tested) {
        if (own_reload_is_under_way(child))
                return 0;
        if (!child->reload)
                child->reload = calloc(1, sizeof(*child->reload));
        if (!child->reload)
                return -ENOMEM;

        OwnReload *own = child->reload;
        own_reload_reset(own);
        own->begun = loop_now(child->context->loop);
        own->outcome = CHILD_RELOAD_UNDER_WAY;
        if (child->state != STATE_RUNNING) {
                own_reload_end(child, CHILD_RELOAD_FAILED, "it is not running, but %s",
                               daemon_state_name(child->state));
                return 0;
        }
        if (!daemon_config_can_reload(child->daemon)) {
                own_reload_end(child, CHILD_RELOAD_FAILED,
                               "neither reload.signal nor reload.command is set");
                return 0;
        }
        int r = own_reload_begin(child, tested);
        if (r < 0)
                own_reload_give_up(child, r);
        return 0;
}

void own_reload_notified(Child *child, const NotifyMessage *message) {
        OwnReload *own = child->reload;

        if (!own || own->stage < OWN_RELOAD_TELLING)
                return;
        if (message->reloading) {
                own->said_reloading = true;
                own->said_ready = false;
                if (own->stage == OWN_RELOAD_SETTLING)
                        own_reload_await(child);
        }
        if (message->extend > 0 && own->stage == OWN_RELOAD_AWAITING)
                loop_timer_set(own->timer,
                               MAX_OF(loop_timer_get(own->timer),
                                      usec_add(loop_now(child->context->loop), message->extend)));
        if (message->ready && own->said_reloading) {
                own->said_ready = true;
                if (own->stage == OWN_RELOAD_AWAITING)
                        own_reload_await(child);
        }
}

void own_reload_left_running(Child *child) {
        if (!own_reload_is_under_way(child))
                return;
        if (child->state != STATE_SWEEPING)
                own_reload_end(child, CHILD_RELOAD_FAILED, "it is being stopped");
        else if (child->reload->stage == OWN_RELOAD_TESTING)
                own_reload_end(child, CHILD_RELOAD_FAILED, "it ended before it was told: %s",
                               child->reason);
        else
                own_reload_end(child, CHILD_RELOAD_FAILED, "it did not survive it: %s",
                               child->reason);
}

void own_reload_forget(Child *child) {
        if (!child->reload)
                return;
        own_reload_reset(child->reload);
        free(TAKE(child->reload));
}

ChildReload child_reload_outcome(const Child *child) {
        return child->reload ? child->reload->outcome : CHILD_RELOAD_NONE;
}

const char *child_reload_name(ChildReload outcome) {
        static const char *const names[] = {
                [CHILD_RELOAD_NONE] = "none",        [CHILD_RELOAD_UNDER_WAY] = "under-way",
                [CHILD_RELOAD_DONE] = "reloaded",    [CHILD_RELOAD_REFUSED] = "refused",
                [CHILD_RELOAD_FAILED] = "failed",
        };
        static_assert(ELEMENTSOF(names) == CHILD_RELOAD_FAILED + 1, "every outcome has a name");
        return names[outcome];
}

const char *child_reload_text(const Child *child) {
        return child->reload ? child->reload->text : "";
}

char *const *child_reload_lines(const Child *child) {
        static char *const none[] = { NULL };
        const OwnReload *own = child->reload;

        if (own && own->command)
                return command_lines(own->command);
        return own && own->test ? command_lines(own->test) : none;
}
