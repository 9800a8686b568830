/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/tree.h on the fake world, for both ways of tracking. The two differ in what they are told:
 * a cgroup has an event of its own, which with a seed comes up to 10 ms late, as the kernel's does;
 * the walk has to be told of reaped processes.
 */

#include "sys/tree.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "fake/fake.h"
#include "fake/parts.h"

#define TREE_NOTICE_MOST (10 * USEC_PER_MSEC) /* CGROUP_FILE_NOTIFY_MIN_INTV of the kernel */

struct Tree {
        Tree *next;
        uint64_t id;
        Loop *loop;
        bool walk;
        WorldTree *tree;
        char invocation[WORLD_NAME_MAX];
        int cgroup_fd;      /* -1: there is no cgroup */
        LoopSource *source; /* NULL: nobody watches */
        LoopHandler handler;
        void *userdata;
};

static Tree *trees;
static uint64_t tree_ids;

static unsigned lost_per_mille;

void fake_lose_tree_notices(unsigned per_mille) {
        lost_per_mille = per_mille;
}

void fake_trees_reset(void) {
        lost_per_mille = 0;
        trees = NULL;
}

unsigned fake_cgroup_count(bool with_helpers) {
        unsigned count = 0;

        for (const Tree *tree = trees; tree; tree = tree->next)
                count += tree->cgroup_fd >= 0 &&
                         (with_helpers || !world_is_helper(tree->tree->name));
        return count;
}

WorldTree *fake_tree_of(const Tree *tree) {
        return tree->tree;
}

WorldTree *fake_tree_of_invocation(const char *invocation) {
        for (const Tree *tree = trees; tree; tree = tree->next)
                if (tree->walk && *tree->invocation && strcmp(tree->invocation, invocation) == 0)
                        return tree->tree;
        return world_tree("");
}

int tree_new(Loop *loop, CgroupRoot *root, const char *name, Tree **ret) {
        Tree *tree = calloc(1, sizeof(*tree));
        if (!tree)
                return -ENOMEM;

        *tree = (Tree){
                .next = trees,
                .id = ++tree_ids,
                .loop = loop,
                .walk = !root,
                .tree = world_tree(name),
                .cgroup_fd = -1,
        };
        trees = tree;
        *ret = tree;
        return 0;
}

Tree *tree_free(Tree *tree) {
        if (!tree)
                return NULL;

        Tree **place = &trees;
        while (*place != tree)
                place = &(*place)->next;
        *place = tree->next;

        tree_unwatch(tree);
        fd_close(tree->cgroup_fd);
        free(tree);
        return NULL;
}

int tree_prepare(Tree *tree) {
        int r = fake_door(DOOR_TREE_PREPARE);
        if (r < 0)
                return r;

        if (!tree->walk && tree->cgroup_fd < 0) {
                r = descriptor_new(DESCRIPTOR_CGROUP, NULL, tree->tree->name);
                if (r < 0)
                        return r;
                tree->cgroup_fd = r;
        }
        return tree->tree->population > 0 ? TREE_E_POPULATED : 0;
}

void tree_set_invocation(Tree *tree, const char *variable) {
        const char *value = strchr(variable, '=');

        snprintf(tree->invocation, sizeof(tree->invocation), "%s", value ? value + 1 : "");
}

void tree_set_leader(Tree *tree, pid_t pid) {
        (void) tree;
        (void) pid;
}

bool tree_was_killed(const Tree *tree) {
        (void) tree;
        return false; /* the fake kernel has not got that fault */
}

int tree_cgroup_fd(const Tree *tree) {
        return tree->cgroup_fd;
}

bool tree_contains(Tree *tree, pid_t pid) {
        world_race();
        const FakeProcess *process = process_find(pid);

        return process_is_alive(process) && process->tree == tree->tree;
}

bool tree_contained(Tree *tree, pid_t pid) {
        world_race();
        const FakeProcess *process = process_find(pid);

        return process && process->tree == tree->tree;
}

bool tree_is_empty(Tree *tree) {
        world_race();
        return tree->tree->population == 0;
}

int tree_each(Tree *tree, TreeVisitor visit, void *userdata) {
        unsigned cursor = 0;

        world_race();
        for (const FakeProcess *process; (process = process_each(&cursor));) {
                if (process->zombie || process->tree != tree->tree)
                        continue;
                int r = visit(userdata, process->pid);
                if (r != 0)
                        return r;
        }
        return 0;
}

static int tree_signal_all(Tree *tree, int signo) {
        unsigned cursor = 0;
        int count = 0;

        for (FakeProcess *process; (process = process_each(&cursor));)
                if (!process->zombie && process->tree == tree->tree) {
                        process_signal(process, signo);
                        count++;
                }
        return count;
}

int tree_signal(Tree *tree, int signo) {
        int r = fake_door(DOOR_TREE_SIGNAL);

        return r < 0 ? r : tree_signal_all(tree, signo);
}

int tree_pause(Tree *tree, bool pause) {
        int r = fake_door(DOOR_TREE_PAUSE);
        if (r < 0)
                return r;

        world_pause(tree->tree, pause);
        return 0;
}

int tree_kill(Tree *tree) {
        int r = fake_door(DOOR_TREE_KILL);
        if (r < 0)
                return r;

        tree_signal_all(tree, SIGKILL);
        return 0;
}

int tree_kill_below(void) {
        unsigned cursor = 0;

        for (FakeProcess *process; (process = process_each(&cursor));)
                if (!process->zombie && *process->tree->name &&
                    !world_is_spared(process->tree->name))
                        process_signal(process, SIGKILL);
        return 0;
}

/* One pass: how many are spared by it. */
static int tree_spare_pass(const Tree *tree, TreeVisitor visit, void *userdata) {
        unsigned cursor = 0;
        int count = 0;

        for (FakeProcess *process; (process = process_each(&cursor));)
                if (!process->zombie && process->tree == tree->tree) {
                        (void) visit(userdata, process->pid);
                        if (!process_is_alive(process)) /* it ended while it was looked at */
                                continue;
                        process_spare(process);
                        count++;
                }
        return count;
}

/* What is made while they are looked at is spared as well. */
int tree_spare(Tree *tree, TreeVisitor visit, void *userdata) {
        int count = 0, more;

        int r = fake_door(DOOR_TREE_SPARE);
        if (r < 0)
                return r;
        while ((more = tree_spare_pass(tree, visit, userdata)) > 0)
                count += more;
        return count;
}

/* ---- the notice ---- */

static void tree_notice(void *userdata, uint64_t id) {
        (void) userdata;
        for (Tree *tree = trees; tree; tree = tree->next)
                if (tree->id == id && tree->source)
                        loop_defer_arm(tree->source);
}

void fake_tree_changed(const WorldTree *changed) {
        if (changed->population > 0)
                return;

        usec_t late = world_choose(TREE_NOTICE_MOST);
        if (lost_per_mille > 0 && world_choose(1000) < lost_per_mille)
                return;
        for (const Tree *tree = trees; tree; tree = tree->next)
                if (!tree->walk && tree->tree == changed)
                        world_at(usec_add(world_now(), late), tree_notice, NULL, tree->id);
}

void fake_tree_wake(const WorldTree *woken) {
        for (const Tree *tree = trees; tree; tree = tree->next)
                if (tree->tree == woken && tree->source)
                        loop_defer_arm(tree->source);
}

static int tree_on_notice(void *userdata) {
        Tree *tree = userdata;

        return tree->handler(tree->userdata);
}

int tree_watch(Tree *tree, LoopHandler handler, void *userdata) {
        tree->handler = handler;
        tree->userdata = userdata;
        if (tree->source)
                return 0;

        int r = fake_door(DOOR_TREE_WATCH);
        if (r < 0)
                return r;
        return loop_add_defer(tree->loop, &tree->source, LOOP_TREE, "tree", tree_on_notice, tree);
}

void tree_unwatch(Tree *tree) {
        tree->source = loop_source_free(tree->source);
}

void tree_child_reaped(Tree *tree) {
        if (tree->walk && tree->source)
                loop_defer_arm(tree->source);
}

int tree_release(Tree *tree) {
        int r = fake_door(DOOR_TREE_RELEASE);
        if (r < 0)
                return r;
        if (tree->tree->population > 0 || fake_door(DOOR_TREE_BUSY) < 0)
                return TREE_E_BUSY;

        tree_unwatch(tree);
        tree->cgroup_fd = fd_close(tree->cgroup_fd);
        world_pause(tree->tree, false); /* the next one is another cgroup */
        return 0;
}
