/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The successor of a main process: some daemons change it while they work, by executing themselves
 * and going into the background again (sshd, exim4 at SIGHUP) or by starting the next one beside
 * them (nginx, gunicorn at SIGUSR2, haproxy -sf). So before a main process that was ready is called
 * dead, one is looked for: in the pidfile, and in the tree, where it must be the only one of its
 * kind. A pidfile may be written a little later; for that there is a short time, in which the
 * daemon counts as running. A crash is none of this: it is answered at once.
 */

#include <unistd.h>

#include "child/object.h"
#include "sys/pidfile.h"
#include "sys/procfs.h"

/* exim4 wrote its pidfile 7 to 16 ms after its old main process was gone, sshd 3 ms. */
#define SUCCESSOR_WAIT USEC_PER_SEC

/* So long after a signal or a reload an end that is no clean one may come of it. */
#define SUCCESSOR_CAUSE (10 * USEC_PER_SEC)

void successor_mark_ready(Child *child) {
        child->successor.since = child->successor.told = procfs_now();
        child->successor.told_when = 0;
        child->successor.program = procfs_program(child->main.pid);
}

void successor_mark_told(Child *child, int signo) {
        child->successor.told = procfs_now();
        child->successor.told_when = loop_now(child->context->loop);
        child->successor.told_signo = signo;
        child->successor.program = procfs_program(child->main.pid);
}

void successor_forget(Child *child) {
        if (!child->successor.timer)
                return;
        child->successor.timer = loop_source_free(child->successor.timer);
        child->successor.watch = pathwatch_free(child->successor.watch);
        tree_unwatch(child->tree);
}

bool successor_is_awaited(const Child *child) {
        return child->successor.timer;
}

/* ---- looking ---- */

/* What the tree shows: processes that nobody in it has made, and that run the same program. */
typedef struct SuccessorLook {
        const Child *child;
        pid_t self;
        pid_t since_ready, since_told; /* the last one */
        unsigned ready_count, told_count;
} SuccessorLook;

/*
 * Times are ticks of 10 ms. Who began in the very tick in which the daemon was ready may as well be
 * what it is made of (a watchdog above the main process), so only a later one counts.
 */
static int successor_consider(void *userdata, pid_t pid) {
        SuccessorLook *look = userdata;
        const Successor *known = &look->child->successor;
        uint64_t program;
        ProcStat stat;

        if (procfs_stat(pid, &stat) != 0 || stat.state == 'Z' || stat.ppid != look->self ||
            stat.start_time <= known->since)
                return 0;
        program = procfs_program(pid);
        if (program != 0 && known->program != 0 && program != known->program)
                return 0;
        look->since_ready = pid;
        look->ready_count++;
        if (stat.start_time >= known->told) {
                look->since_told = pid;
                look->told_count++;
        }
        return 0;
}

static bool successor_take_only_one(Child *child) {
        SuccessorLook look = { .child = child, .self = getpid() };

        if (tree_each(child->tree, successor_consider, &look) < 0)
                return false;
        if (look.ready_count == 1)
                return track_claim(child, look.since_ready, false);
        return child->successor.told_when > 0 && look.told_count == 1 &&
               track_claim(child, look.since_told, false);
}

/* The old number may still be in it, or one that was never ours. */
static bool successor_take_named_one(Child *child) {
        pid_t pid;

        return child->daemon->pidfile && pidfile_read(child->daemon->pidfile, &pid) == 0 &&
               pid != child->successor.of && track_claim(child, pid, false);
}

/* ---- waiting ---- */

static void successor_give_up(Child *child) {
        successor_forget(child);
        child->successor.of = 0;
        child_post(child, EVENT_MAIN_EXITED);
}

static int successor_on_timer(void *userdata) {
        successor_give_up(userdata);
        return 0;
}

static int successor_on_tree(void *userdata) {
        Child *child = userdata;

        if (tree_is_empty(child->tree))
                successor_give_up(child);
        return 0;
}

static int successor_on_pidfile(void *userdata) {
        Child *child = userdata;

        if (successor_take_named_one(child))
                child_post(child, EVENT_MAIN_FOUND);
        return 0;
}

/* Who neither writes a pidfile nor speaks has nothing to be waited for. */
static bool successor_await(Child *child) {
        Successor *successor = &child->successor;
        Loop *loop = child->context->loop;

        if (!child->daemon->pidfile && !child->notify)
                return false;
        int r = loop_add_timer(loop, &successor->timer, LOOP_TIMER, child_name(child),
                               successor_on_timer, child);
        if (r >= 0)
                r = tree_watch(child->tree, successor_on_tree, child);
        if (r >= 0 && child->daemon->pidfile)
                r = pathwatch_new(loop, child->daemon->pidfile, successor_on_pidfile, child,
                                  &successor->watch);
        if (r < 0 || tree_is_empty(child->tree)) {
                successor_forget(child);
                return false;
        }
        loop_timer_set(successor->timer, usec_add(loop_now(loop), SUCCESSOR_WAIT));
        (void) successor_on_pidfile(child); /* it may have been written meanwhile */
        return true;
}

/* ---- the end of a main process ---- */

/* Whoever dies of another signal than the one that it was sent has crashed. */
static bool successor_has_cause(const Child *child, const ExitStatus *status) {
        usec_t told = child->successor.told_when, now = loop_now(child->context->loop);

        if (status->signaled && status->code != child->successor.told_signo)
                return false;
        return told > 0 && usec_sub(now, told) < SUCCESSOR_CAUSE;
}

bool successor_seek(Child *child, pid_t old, const ExitStatus *status) {
        bool clean = !status->known || (!status->signaled && status->code == 0);

        if (child->state != STATE_RUNNING || (!clean && !successor_has_cause(child, status)) ||
            tree_is_empty(child->tree))
                return false;
        child->successor.of = old;
        if (successor_take_named_one(child) || (clean && successor_take_only_one(child))) {
                child_post(child, EVENT_MAIN_FOUND);
                return true;
        }
        if (successor_await(child))
                return true;
        child->successor.of = 0;
        return false;
}
