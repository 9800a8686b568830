/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The main process of a daemon. For a simple daemon it is the first process. A forking one names it
 * in its pidfile, or it is guessed: the oldest orphan of the tree. No number is believed before the
 * tree says that the process is one of the daemon's.
 */

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "child/object.h"
#include "sys/pidfile.h"

/*
 * A daemon that forks twice leaves a process for a moment that looks like the main one and exits
 * with 0. So long after a guess such an exit only means to guess again.
 */
#define GUESS_SETTLE    (2 * USEC_PER_SEC)
#define GUESS_LOOKS_MAX 10

/* Whoever puts itself into the background has done so by then, on a slow machine, too. */
#define TRACK_BACKGROUND (5 * USEC_PER_SEC)

/* Beside PIDFILE_E_…: the number is that of a process which is none of the daemon's. */
#define TRACK_E_FOREIGN 1000

static void track_drop_main(Child *child) {
        successor_forget(child);
        child->main_source = loop_source_free(child->main_source);
        reaper_remove(child->context->reaper, &child->main_process);
        pidref_done(&child->main);
        child->main_is_first = child->main_guessed = false;
}

void track_forget_main(Child *child) {
        track_drop_main(child);
        child->pidfile_watch = pathwatch_free(child->pidfile_watch);
        reaper_remove(child->context->reaper, &child->first);
        pidref_done(&child->first_ref);
        child->named = 0;
}

bool track_first_is_to_end(const DaemonConfig *daemon) {
        return daemon->type == DAEMON_FORKING || script_is_one(daemon);
}

bool track_awaits_first(const Child *child) {
        return child->state == STATE_STARTING && pidref_is_set(&child->first_ref) &&
               track_first_is_to_end(child->daemon);
}

/* The tree: empty or not. */

DaemonEvent track_empty_event(const Child *child) {
        bool is_done = child->completed && !child->ending &&
                       (child->state == STATE_STARTING || child->state == STATE_SWEEPING ||
                        child->state == STATE_KILLING);

        return is_done ? EVENT_COMPLETED : EVENT_TREE_EMPTY;
}

bool track_has_posted_empty(const Child *child) {
        return child_has_posted(child, EVENT_TREE_EMPTY) ||
               child_has_posted(child, EVENT_COMPLETED);
}

static void track_tree_is_empty(Child *child) {
        tree_unwatch(child->tree);
        if (finish_command_first(child))
                return; /* its end is looked at again */
        if (track_has_posted_empty(child))
                return;
        if (child->state != STATE_STARTING || child->completed)
                child_post(child, track_empty_event(child));
        else
                child_fail(child,
                           "its %s ended as it should, but nothing of it is left",
                           script_is_one(child->daemon) ? "command" : "first process");
}

static int track_on_tree(void *userdata) {
        Child *child = userdata;

        if (tree_is_empty(child->tree))
                track_tree_is_empty(child);
        return 0;
}

void track_check_tree(Child *child) {
        leftovers_spare(child);
        /* without a main process it is empty in most cases, and no watch is needed */
        if (pidref_is_set(&child->main) || !tree_is_empty(child->tree)) {
                int r = tree_watch(child->tree, track_on_tree, child);
                if (r < 0)
                        note(child, LOG_ERR, MESSAGE_NONE, "cannot watch its processes: %s",
                             strerror(-r));
                if (!tree_is_empty(child->tree))
                        return;
        }
        track_tree_is_empty(child);
}

/* The end of the main process. */

/* Whether the end may be that of a process in the middle of a double fork. */
static bool track_may_guess_again(const Child *child, const ExitStatus *status) {
        return child->main_guessed && status->known && !status->signaled && status->code == 0 &&
               (child->state == STATE_PROBING || child->state == STATE_RUNNING) &&
               usec_sub(loop_now(child->context->loop), child->main_since) < GUESS_SETTLE;
}

static bool track_guess(Child *child);
static int track_on_pidfile(void *userdata);

static bool track_is_success(const Child *child, const ExitStatus *status) {
        return status->known && !status->signaled &&
               status_set_is_success(&child->daemon->start.success, status->code);
}

/* Type auto: the exit of its first process was no end, but the begin of another one's work. */
static bool track_has_forked(const Child *child, const ExitStatus *status) {
        usec_t lived = usec_sub(loop_now(child->context->loop), child->history.started);

        return child->daemon->type == DAEMON_AUTO && track_is_success(child, status) &&
               (child->state == STATE_PROBING || child->state == STATE_RUNNING) &&
               lived < child->daemon->ready.timeout && !tree_is_empty(child->tree);
}

/* It goes by what there is; the pidfile may say better at any time. */
static void track_search_later(Child *child) {
        child->forked = true;
        if (!track_guess(child)) {
                child_post(child, EVENT_MAIN_EXITED);
                return;
        }
        child_post(child, EVENT_MAIN_FOUND);
        if (!child->daemon->pidfile)
                return;
        int r = pathwatch_new(child->context->loop, child->daemon->pidfile, track_on_pidfile, child,
                              &child->pidfile_watch);
        if (r < 0)
                note(child, LOG_WARNING, MESSAGE_NONE, "its pidfile %s cannot be watched: %s",
                     child->daemon->pidfile, strerror(-r));
        else
                (void) track_on_pidfile(child);
}

bool track_went_to_background(Child *child) {
        const ExitStatus *status = &child->main_exit;
        DaemonType type = child->daemon->type;

        return (type == DAEMON_SIMPLE || type == DAEMON_NOTIFY) && status->known &&
               !status->signaled && status->code == 0 && child->successor.told_when == 0 &&
               finish_count(child) > 0 &&
               usec_sub(loop_now(child->context->loop), child->history.started) < TRACK_BACKGROUND;
}

static void track_main_ended(Child *child, const ExitStatus *status) {
        bool again = track_may_guess_again(child, status);
        bool was_first = child->main_is_first;
        pid_t old = child->main.pid;

        child->main_exit = *status;
        track_drop_main(child);
        if (child_is_paused(child)) {
                note_lost(child);
                child->context->sink.changed(child->context->sink.userdata, child);
        }
        if (again && track_guess(child))
                child_post(child, EVENT_MAIN_FOUND);
        else if (was_first && track_has_forked(child, status))
                track_search_later(child);
        else if (track_went_to_background(child) || !successor_seek(child, old, status))
                child_post(child, EVENT_MAIN_EXITED);
}

static int track_main_exited(void *userdata, const Process *process, const ExitStatus *status) {
        (void) process;
        track_main_ended(userdata, status);
        return 0;
}

/* Comes first, but where the process has become a child of ours, the reaper knows its status. */
static int track_on_main_pidfd(void *userdata, uint32_t revents) {
        Child *child = userdata;
        pid_t pid = child->main.pid;
        ProcStat stat;

        (void) revents;
        child->main_source = loop_source_free(child->main_source);
        int r = notified_hear(child);
        if (r < 0 || child->main.pid != pid) /* it has named its successor */
                return r;
        if (procfs_stat(child->main.pid, &stat) == 0 && stat.ppid == getpid())
                return 0;
        track_main_ended(child, &(ExitStatus){ .known = false });
        return 0;
}

/* Taking a main process. */

/* Of one that is our child the reaper knows; NULL then. */
static int track_open_watch(Child *child, const PidRef *main, LoopSource **ret) {
        ProcStat stat;

        *ret = NULL;
        if (procfs_stat(main->pid, &stat) == 0 && stat.ppid == getpid())
                return 0;
        return loop_add_io(child->context->loop, ret, main->pidfd, EPOLLIN, LOOP_PROCESS,
                           child_name(child), track_on_main_pidfd, child);
}

/* The one that is known is only given up for one that can be watched. */
bool track_claim(Child *child, pid_t pid, bool guessed) {
        PidRef main = PIDREF_NONE;
        LoopSource *source;

        if (pidref_open(pid, &main) != 0)
                return false;
        /* only now: the number cannot change its meaning any more */
        if (!pidref_is_alive(&main) || !tree_contains(child->tree, pid)) {
                pidref_done(&main);
                return false;
        }
        int r = track_open_watch(child, &main, &source);
        if (r < 0) {
                note(child, LOG_ERR, MESSAGE_NONE, "cannot watch process %d: %s", (int) pid,
                     strerror(-r));
                pidref_done(&main);
                return false;
        }

        track_drop_main(child);
        child->main = main;
        child->main_source = source;
        child->main_guessed = guessed;
        child->main_is_first = pid == child->first_ref.pid;
        child->main_since = loop_now(child->context->loop);
        if (!child->main_is_first) {
                reaper_add(child->context->reaper, &child->main_process, pid, track_main_exited,
                           child);
                reaper_hear(&child->main_process, notified_hear);
        }
        return true;
}

/* Finding it. */

static int track_consider(void *userdata, pid_t pid) {
        Guess *guess = userdata;
        ProcStat stat;

        if (procfs_stat(pid, &stat) != 0 || stat.state == 'Z')
                return 0;

        bool is_orphan = stat.ppid == getpid(), best_is_orphan = guess->best.ppid == getpid();
        bool better = guess->best.pid == 0 || (is_orphan && !best_is_orphan) ||
                      (is_orphan == best_is_orphan && stat.start_time < guess->best.start_time);
        if (better)
                guess->best = stat;
        guess->count++;
        guess->orphans += is_orphan;
        return 0;
}

/*
 * Who is found may end before it is held, as the middle one of a double fork does, and one that is
 * made just then may be missed: so it is looked again while there is anybody.
 */
static bool track_guess(Child *child) {
        for (unsigned look = 0; look < GUESS_LOOKS_MAX; look++) {
                child->guess = (Guess){ 0 };
                if (tree_each(child->tree, track_consider, &child->guess) < 0)
                        return false;
                if (child->guess.best.pid > 0 && track_claim(child, child->guess.best.pid, true))
                        return true;
                if (tree_is_empty(child->tree))
                        return false;
        }
        return false;
}

/* All others come from it if it is the only one whose parent is gone. */
const char *track_found_text(const Child *child, char buffer[static TRACK_GUESS_MAX]) {
        const Guess *guess = &child->guess;
        const size_t room = TRACK_GUESS_MAX;

        if (child->main_is_first)
                return "its first process";
        if (!child->main_guessed)
                return "named by its pidfile or by itself";
        if (guess->count == 1)
                return "the one that stayed";
        if (guess->orphans == 1)
                snprintf(buffer, room, "the one from which the %u others come", guess->count - 1);
        else
                snprintf(buffer, room, "the oldest of the %u that stayed", guess->count);
        return buffer;
}

void track_follow(Child *child) {
        pid_t old = TAKE(child->successor.of);
        char text[TRACK_GUESS_MAX];

        if (old > 0 && old != child->main.pid)
                note(child, LOG_NOTICE, MESSAGE_MAIN_CHANGED,
                     "its main process is now %d, the successor of %d", (int) child->main.pid,
                     (int) old);
        else if (child->main_guessed && !child->main_is_first)
                note(child, LOG_INFO, MESSAGE_NONE, "main process is %d (found as %s)",
                     (int) child->main.pid, track_found_text(child, text));
        else if (!child->main_is_first)
                note(child, LOG_INFO, MESSAGE_NONE, "main process is %d", (int) child->main.pid);
        if (child->forked && child->state == STATE_RUNNING) /* it was told to be a simple one */
                assume_note(child);
}

static void track_note_pidfile(Child *child, int outcome, pid_t pid) {
        bool harmless = outcome == PIDFILE_E_MISSING || outcome == PIDFILE_E_EMPTY;

        if (outcome == child->pidfile_outcome)
                return;
        child->pidfile_outcome = outcome;

        if (outcome == TRACK_E_FOREIGN)
                child_set_reason(child,
                                 "pidfile %s names process %d, which is none of this daemon's",
                                 child->daemon->pidfile, (int) pid);
        else
                child_set_reason(child, "pidfile %s %s", child->daemon->pidfile,
                                 pidfile_outcome_text(outcome));
        note(child, harmless ? LOG_DEBUG : LOG_WARNING,
             harmless ? MESSAGE_NONE : MESSAGE_PIDFILE_REFUSED, "%s, waiting for a better one",
             child->reason);
}

bool track_pidfile_names_process(Child *child, pid_t *ret) {
        pid_t pid = 0;

        int r = pidfile_read(child->daemon->pidfile, &pid);
        if (r == 0 && !tree_contains(child->tree, pid))
                r = TRACK_E_FOREIGN;
        if (r < 0)
                note(child, LOG_WARNING, MESSAGE_NONE, "cannot read %s: %s", child->daemon->pidfile,
                     strerror(-r));
        if (r > 0)
                track_note_pidfile(child, r, pid);
        if (r != 0)
                return false;

        *ret = pid;
        return true;
}

static int track_on_pidfile(void *userdata) {
        Child *child = userdata;
        pid_t pid;

        if (!track_pidfile_names_process(child, &pid))
                return 0;
        if (child->forked)
                child->pidfile_watch = pathwatch_free(child->pidfile_watch);
        if (pid != child->main.pid && track_claim(child, pid, false))
                child_post(child, EVENT_MAIN_FOUND);
        return 0;
}

void track_stop_search(Child *child) {
        child->pidfile_watch = pathwatch_free(child->pidfile_watch);
        tree_unwatch(child->tree);
}

/* The first process of a forking daemon has exited as it should: now there must be another one. */
static void track_search(Child *child) {
        if (child->named > 0 && track_claim(child, child->named, false)) {
                child_post(child, EVENT_MAIN_FOUND);
                return;
        }
        if (!child->daemon->pidfile) {
                if (track_guess(child))
                        child_post(child, EVENT_MAIN_FOUND);
                else
                        track_check_tree(child);
                return;
        }

        int r = pathwatch_new(child->context->loop, child->daemon->pidfile, track_on_pidfile, child,
                              &child->pidfile_watch);
        if (r < 0) {
                child_fail(child, "its pidfile %s cannot be watched: %s", child->daemon->pidfile,
                           strerror(-r));
                return;
        }
        track_on_pidfile(child);
        if (child->state == STATE_STARTING && !pidref_is_set(&child->main))
                track_check_tree(child);
}

/* The first process. */

void track_first_executed(Child *child) {
        if (track_awaits_first(child))
                return; /* its end will tell */
        child->main = TAKE(child->first_ref);
        child->first_ref = PIDREF_NONE;
        child->main_is_first = true;
        child->main_since = loop_now(child->context->loop);
        child_post(child, EVENT_MAIN_FOUND);
}

/* There is nothing more to it than its command, and nothing of that shall stay. */
static void track_completed(Child *child) {
        child->completed = true;
        if (tree_is_empty(child->tree)) {
                track_tree_is_empty(child);
                return;
        }
        note(child, LOG_WARNING, MESSAGE_LEFTOVERS,
             "its command ended with success, but not all of its processes; ending the rest");
        child_post(child, EVENT_LEFTOVERS);
}

int track_first_exited(void *userdata, const Process *process, const ExitStatus *status) {
        Child *child = userdata;
        char text[EXIT_STATUS_TEXT_MAX];

        (void) process;
        launch_read_report(child); /* it may have come after this round had begun */
        pidref_done(&child->first_ref);
        if (!daemon_state_is_live(child->state))
                return 0; /* it was one of a failed exec, and with it all was over */
        if (child->main_is_first) {
                track_main_ended(child, status);
                return 0;
        }
        if (pidref_is_set(&child->main)) /* named by the daemon itself before */
                return 0;

        child->main_exit = *status;
        if (child->state != STATE_STARTING) {
                child_post(child, EVENT_MAIN_EXITED);
        } else if (track_is_success(child, status)) {
                script_ended_well(child);
                if (child->daemon->type == DAEMON_ONESHOT)
                        track_completed(child);
                else
                        track_search(child);
        } else {
                child_set_reason(child, "its %s %s",
                                 script_is_one(child->daemon) ? "command" : "first process",
                                 exit_status_text(text, status));
                script_add_words(child);
                child_post(child, EVENT_START_FAILED);
        }
        return 0;
}
