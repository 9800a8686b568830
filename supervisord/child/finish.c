/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ending a daemon: the stop schedule, each step only while something of it lives; then the whole
 * tree at once; then its cleanup command and its files. A failure here is logged and passed over.
 */

#include <signal.h>
#include <string.h>

#include "base/file.h"
#include "base/parse.h"
#include "child/object.h"

/* A killed process is gone within milliseconds, unless it hangs in the kernel. */
#define KILL_TIMEOUT (2 * USEC_PER_SEC)

/* Who ends what was in the way of a start looks again a little later, and never in a circle. */
#define SWEEP_PAUSE USEC_PER_MSEC

static void finish_remember_signal(Child *child, int signo, bool to_all) {
        if (signo != SIGCONT)
                child->signals[child->signals_sent++ % RECORD_SIGNALS_MAX] = (RecordSignal){
                        .when = loop_now(child->context->loop),
                        .signo = signo,
                        .to_all = to_all,
                };
}

static void finish_note_signal(Child *child, int signo, bool to_all, int outcome) {
        const char *to = to_all ? "all its processes" : "the main process";
        char name[SIGNAL_TEXT_MAX];

        format_signal(name, signo);
        if (outcome < 0) {
                note(child, LOG_ERR, MESSAGE_NONE, "cannot send SIG%s to %s: %s", name, to,
                     strerror(-outcome));
                return;
        }
        note(child, LOG_DEBUG, MESSAGE_NONE, "sent SIG%s to %s", name, to);
        finish_remember_signal(child, signo, to_all);
}

void finish_signal_main(Child *child, int signo) {
        if (pidref_is_set(&child->main))
                finish_note_signal(child, signo, false, pidref_signal(&child->main, signo));
}

size_t child_signals(const Child *child, RecordSignal ret[static RECORD_SIGNALS_MAX]) {
        size_t count = MIN_OF(child->signals_sent, (size_t) RECORD_SIGNALS_MAX);

        for (size_t i = 0; i < count; i++)
                ret[i] = child->signals[(child->signals_sent - count + i) % RECORD_SIGNALS_MAX];
        return count;
}

/* A step is for the main process; when that is gone, for whatever is left. */
static void finish_signal(Child *child, int signo) {
        if (pidref_is_set(&child->main))
                finish_signal_main(child, signo);
        else
                finish_note_signal(child, signo, true, tree_signal(child->tree, signo));
}

static int finish_count_one(void *userdata, pid_t pid) {
        size_t *count = userdata;

        (void) pid;
        (*count)++;
        return 0;
}

size_t finish_count(Child *child) {
        size_t count = 0;

        (void) tree_each(child->tree, finish_count_one, &count);
        return count;
}

/* What the phase allows a daemon whose last step has no time of its own. */
static usec_t finish_open_end(const Child *child) {
        if (child->daemon->cleanup.timeout != USEC_INFINITY)
                return child->daemon->cleanup.timeout;
        return child->config->supervisor.cleanup_timeout;
}

DaemonEvent finish_step_event(const Child *child) {
        const StopSchedule *schedule = &child->daemon->stop;

        if (child->step_again)
                return EVENT_STEP_DUE;
        if (child->stop_step < schedule->count &&
            schedule->steps[child->stop_step].signo != SIGKILL)
                return EVENT_STEP_DUE;
        return EVENT_STEPS_OVER;
}

static void finish_begin_schedule(Child *child) {
        if (!track_has_posted_empty(child) && !leftovers_begin_wait(child))
                child_post(child, finish_step_event(child));
}

/* stop.command, which comes first. */

static void finish_command_over(Child *child) {
        child->stop_command = STOP_COMMAND_OVER;
        loop_timer_disarm(child->timer);
        track_check_tree(child);
        if (child->state == STATE_STOPPING)
                finish_begin_schedule(child);
}

static void finish_on_stop_command(void *userdata, const HelperResult *result) {
        Child *child = userdata;
        char text[HELPER_TEXT_MAX];

        if (!helper_succeeded_with(result, &child->daemon->stop_by.success))
                note(child, LOG_WARNING, MESSAGE_HOOK_FAILED, "stop.command %s",
                     helper_text(text, result));
        finish_command_over(child);
}

/* For one that somebody wants stopped: after an accident there is nobody to tell. */
bool finish_command_first(Child *child) {
        char *const *command = child->daemon->stop_by.command;

        if (child->stop_command == STOP_COMMAND_RUNS)
                return true;
        if (!command || child->stop_command == STOP_COMMAND_OVER ||
            child->state != STATE_STOPPING ||
            !(child->completed || pidref_is_set(&child->main)))
                return false;

        child->stop_command = STOP_COMMAND_RUNS;
        loop_timer_set(child->timer, usec_add(loop_now(child->context->loop),
                                              child->daemon->stop_by.timeout));
        helper_start(child, command, finish_on_stop_command);
        return true;
}

static bool finish_cut_command(Child *child) {
        if (child->stop_command != STOP_COMMAND_RUNS)
                return false;
        note(child, LOG_WARNING, MESSAGE_HOOK_FAILED,
             "stop.command does not end, going on without it");
        child->stop_command = STOP_COMMAND_OVER;
        helper_cancel(&child->helper);
        return true;
}

bool finish_command_late(Child *child) {
        if (!finish_cut_command(child))
                return false;
        finish_command_over(child);
        return true;
}

void finish_forget_command(Child *child) {
        (void) finish_cut_command(child);
}

void finish_begin(Child *child) {
        freeze_resume(child);
        child->stop_step = 0;
        child->step_again = false;
        if (!finish_command_first(child))
                finish_begin_schedule(child);
}

void finish_step(Child *child) {
        if (!TAKE(child->step_again)) {
                child->step = child->daemon->stop.steps[child->stop_step++];
                child->step_deadline =
                        usec_add(loop_now(child->context->loop), child->step.wait != USEC_INFINITY
                                                                         ? child->step.wait
                                                                         : finish_open_end(child));
        }

        finish_signal(child, child->step.signo);
        finish_signal(child, SIGCONT); /* a stopped process would not hear it */
        loop_timer_set(child->timer, child->step_deadline);
}

/*
 * The main process had the signal and is gone; what it leaves may be finishing its work, or may
 * never have heard of the stop. So it is left alone for half of the step's time, then told too; or
 * for a time of its own, and then the schedule begins anew.
 */
void finish_pass_on(Child *child) {
        usec_t now = loop_now(child->context->loop);

        if (child->stop_step == 0 || track_has_posted_empty(child) ||
            leftovers_begin_wait(child))
                return;
        child->step_again = true;
        loop_timer_set(child->timer, usec_add(now, usec_sub(child->step_deadline, now) / 2));
}

/*
 * Those that are spared are never signalled: the end of the main process makes them such, and
 * that of the first one, where it is another one that still lives.
 */
static int finish_kill_by_policy(const Child *child) {
        int r;

        if (!leftovers_kill_main_only(child))
                return tree_kill(child->tree);
        if (pidref_is_set(&child->first_ref))
                (void) pidref_signal(&child->first_ref, SIGKILL);
        r = pidref_signal(&child->main, SIGKILL);
        return r == PIDREF_E_GONE ? 0 : r;
}

void finish_kill(Child *child) {
        bool to_all = !leftovers_kill_main_only(child);
        int r = finish_kill_by_policy(child);
        if (r < 0)
                note(child, LOG_ERR, MESSAGE_CLEANUP_FAILED, "cannot kill its processes: %s",
                     strerror(-r));
        else
                finish_remember_signal(child, SIGKILL, to_all);
        loop_timer_set(child->timer, usec_add(loop_now(child->context->loop), KILL_TIMEOUT));
        track_check_tree(child);
}

/* What comes after the end depends on whether it shall run. */
DaemonEvent finish_verdict(Child *child) {
        bool clean = child->was_ready && child->main_exit.known && !child->main_exit.signaled &&
                     child->main_exit.code == 0;

        /* an operator may have wanted it stopped since */
        if (TAKE(child->ends_as_failed) && !child->held) {
                child->wanted = true;
                clean = false;
        }
        if (!child->wanted)
                return EVENT_TIDIED_REST;
        if (TAKE(child->sweep_was_ours)) {
                child->restart_delay = SWEEP_PAUSE;
                return EVENT_TIDIED_CLEARED;
        }
        switch (restart_decide(child->daemon, &child->history, clean,
                               loop_now(child->context->loop), &child->restart_delay)) {
        case RESTART_RETRY:
                return EVENT_TIDIED_RETRY;
        case RESTART_GIVE_UP:
                return EVENT_TIDIED_GIVE_UP;
        case RESTART_AT_LIMIT:
                note_limit(child);
                return EVENT_TIDIED_GIVE_UP;
        default:
                child->wanted = false;
                return EVENT_TIDIED_REST;
        }
}

void finish_tidied(Child *child) {
        child_post(child, finish_verdict(child));
}

static void finish_on_command(void *userdata, const HelperResult *result) {
        Child *child = userdata;
        char text[HELPER_TEXT_MAX];

        if (!helper_succeeded(result))
                note(child, LOG_WARNING, MESSAGE_HOOK_FAILED, "cleanup.command %s",
                     helper_text(text, result));
        finish_tidied(child);
}

void finish_tidy(Child *child) {
        if (!child->daemon->cleanup.command) {
                finish_tidied(child);
                return;
        }
        loop_timer_set(child->timer,
                       usec_add(loop_now(child->context->loop),
                                child->out_of_time ? KILL_TIMEOUT : finish_open_end(child)));
        helper_start(child, child->daemon->cleanup.command, finish_on_command);
}

static void finish_note_removed(const Child *child, const char *path, int outcome) {
        if (outcome < 0)
                note(child, LOG_WARNING, MESSAGE_CLEANUP_FAILED, "cannot remove %s: %s", path,
                     strerror(-outcome));
}

/*
 * Who ended by itself and is due again starts in this very turn of the loop, and in the same
 * cgroup. Whoever ends others in an order has to see that it is gone.
 */
static bool finish_starts_at_once(const Child *child) {
        return child->state == STATE_DELAYED && child->restart_delay == 0 && !child->ending;
}

static void finish_release_tree(Child *child) {
        (void) tree_release(child->helper.tree);
        int r = tree_release(child->tree);
        switch (r) {
        case 0:
                break;
        case TREE_E_BUSY:
                note(child, LOG_WARNING, MESSAGE_CLEANUP_FAILED,
                     "its cgroup cannot be removed: it is in use");
                break;
        default:
                note(child, LOG_WARNING, MESSAGE_CLEANUP_FAILED, "its cgroup cannot be removed: %s",
                     strerror(-r));
                break;
        }
}

void finish_remove(Child *child) {
        if (child->daemon->pidfile)
                finish_note_removed(child, child->daemon->pidfile, pidpath_clear(child));
        for (char **path = child->daemon->cleanup.remove; path && *path; path++)
                finish_note_removed(child, *path, file_remove(*path));

        sockets_forget(child);
        if (!finish_starts_at_once(child))
                finish_release_tree(child);
}

void finish_delay(Child *child) {
        note_delay(child);
        if (finish_starts_at_once(child))
                child_post(child, EVENT_DELAY_OVER);
        else
                loop_timer_set(child->timer,
                               usec_add(loop_now(child->context->loop), child->restart_delay));
}
