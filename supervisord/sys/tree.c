/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A tree is one of two back ends, chosen when it is made; each call goes to the chosen one. What
 * they share is the watch: one source of the loop, whose wake-up is handed on as it is.
 */

#include "sys/tree.h"

#include "base/error.h"
#include "sys/tree_internal.h"

int tree_new(Loop *loop, CgroupRoot *root, const char *name, Tree **ret) {
        Tree *tree;
        int r;

        r = root ? tree_cgroup_new(root, name, &tree) : tree_walk_new(name, &tree);
        if (r < 0)
                return r;

        tree->loop = loop;
        *ret = tree;
        return 0;
}

Tree *tree_free(Tree *tree) {
        if (!tree)
                return NULL;

        tree_unwatch(tree);
        tree->ops->free(tree);
        return NULL;
}

int tree_prepare(Tree *tree) {
        return tree->ops->prepare(tree);
}

void tree_set_invocation(Tree *tree, const char *variable) {
        tree->ops->set_invocation(tree, variable);
}

void tree_set_leader(Tree *tree, pid_t pid) {
        tree->ops->set_leader(tree, pid);
}

int tree_cgroup_fd(const Tree *tree) {
        return tree->ops->cgroup_fd ? tree->ops->cgroup_fd(tree) : -1;
}

bool tree_was_killed(const Tree *tree) {
        return tree->ops->was_killed && tree->ops->was_killed(tree);
}

bool tree_contains(Tree *tree, pid_t pid) {
        return tree->ops->contains(tree, pid);
}

bool tree_contained(Tree *tree, pid_t pid) {
        return tree->ops->contains(tree, pid) || tree->ops->contained(tree, pid);
}

bool tree_is_empty(Tree *tree) {
        return tree->ops->is_empty(tree);
}

int tree_each(Tree *tree, TreeVisitor visit, void *userdata) {
        return tree->ops->each(tree, visit, userdata);
}

int tree_signal(Tree *tree, int signo) {
        return tree->ops->signal(tree, signo);
}

int tree_pause(Tree *tree, bool pause) {
        return tree->ops->pause(tree, pause);
}

int tree_kill(Tree *tree) {
        return tree->ops->kill(tree);
}

int tree_spare(Tree *tree, TreeVisitor visit, void *userdata) {
        return tree->ops->spare(tree, visit, userdata);
}

int tree_watch(Tree *tree, LoopHandler handler, void *userdata) {
        tree->handler = handler;
        tree->userdata = userdata;
        return tree->source ? 0 : tree->ops->watch(tree);
}

void tree_unwatch(Tree *tree) {
        tree->source = loop_source_free(tree->source);
}

void tree_child_reaped(Tree *tree) {
        if (tree->source)
                tree->ops->child_reaped(tree);
}

int tree_release(Tree *tree) {
        return tree->ops->release(tree);
}
