/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What holds for those that a main process left and that are waited for. They are not signalled
 * before their time is over, unless they are said to be idle, or a deadline of a stop comes first.
 * Said to be idle they have nothing in flight; said to be cut they had all of their time. That no
 * replacement comes before their end is in watch.c.
 */

#include <string.h>

#include "sim/watch.h"

static bool watch_says(const char *text, const char *begin) {
        return strncmp(text, begin, strlen(begin)) == 0;
}

static void watch_left_begin(Watched *daemon) {
        daemon->left_since = world_now();
        daemon->left_until = usec_add(world_now(),
                                      daemon_config_wait(child_config(sim_child(daemon->name))));
        daemon->left_begun = true;
}

void watch_leftovers_line(MessageId message, const char *name, const char *text) {
        Watched *daemon = watch_daemon(name);

        if (watch_says(text, "its main process is gone, "))
                watch_left_begin(daemon);
        if (watch_says(text, "left-over processes idle after ")) {
                watch_judge_left_idle(name);
                daemon->left_until = 0;
        }
        if (message == MESSAGE_DAEMON_FORCED &&
            watch_says(text, "left-over processes forced after ")) {
                if (world_now() < daemon->left_until)
                        sim_fail("what %s left is cut before its time is over", name);
                daemon->left_until = 0;
        }
}

void watch_leftovers_order(unsigned node, DaemonEvent order) {
        if (order == EVENT_CLEANUP_DEADLINE || order == EVENT_GRACE_OVER)
                watch.nodes[node]->left_until = 0;
}

static void watch_judge_spurned(const Watched *daemon, const Child *child) {
        RecordSignal signals[RECORD_SIGNALS_MAX];
        size_t count = child_signals(child, signals);

        for (size_t i = 0; i < count; i++)
                if (signals[i].when > daemon->left_since && signals[i].when < daemon->left_until)
                        sim_fail("what %s left is signalled before its time is over",
                                 daemon->name);
}

void watch_judge_leftovers(unsigned node, DaemonState state) {
        const Child *child = watch.generation->children[node];
        Watched *daemon = watch.nodes[node];

        if (daemon->left_until == 0)
                return;
        if ((state != STATE_SWEEPING && state != STATE_STOPPING && state != STATE_KILLING) ||
            child_started(child) > daemon->left_since) { /* there is another one already */
                daemon->left_until = 0;
                return;
        }
        watch_judge_spurned(daemon, child);
        if (TAKE(daemon->left_begun) && state == STATE_SWEEPING)
                watch_judge_left_closed(node);
}
