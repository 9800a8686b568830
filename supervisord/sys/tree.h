/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The tree of a daemon: every process that comes from it. With a cgroup it is the cgroup (nobody
 * leaves it); without one it is found by descent: children of ours that carry the daemon's
 * invocation id in their environment, wear its mark or belong to a session seen before, and their
 * descendants.
 * Both are back ends behind the same functions (tree_cgroup.c, tree_walk.c).
 */

#include <stdbool.h>
#include <sys/types.h>

#include "sys/cgroup.h"
#include "sys/loop.h"

typedef struct Tree Tree;

enum {
        TREE_E_POPULATED = 1, /* processes of an earlier run are in it */
        TREE_E_BUSY,          /* it could not be removed */
};

/* For `name`; root == NULL chooses the walk. Does no I/O. */
int tree_new(Loop *loop, CgroupRoot *root, const char *name, Tree **ret);
Tree *tree_free(Tree *tree);
DEFINE_CLEANUP(Tree, tree_free)

/* Makes it ready for a start: 0, or TREE_E_POPULATED. */
int tree_prepare(Tree *tree);

/*
 * For the walk: the "SUPERVISOR_INVOCATION=…" that the next start carries (to be set before the
 * fork: what is forked from then on is marked as of this tree), and its first process.
 */
void tree_set_invocation(Tree *tree, const char *variable);
void tree_set_leader(Tree *tree, pid_t pid);

/* The descriptor of the cgroup directory for clone3(2), or -1. Borrowed. */
int tree_cgroup_fd(const Tree *tree);

/*
 * Whether it was killed since it was prepared anew: Linux (6.18, and fixes of other versions) kills
 * what clone3(2) puts into a cgroup that ever was, at its birth. Who comes later is not concerned.
 */
bool tree_was_killed(const Tree *tree);

/* Whether a live process belongs to it. */
bool tree_contains(Tree *tree, pid_t pid);

/* The same, or whether one belonged to it that has ended and still has its number: a zombie. */
bool tree_contained(Tree *tree, pid_t pid);

/* Whether nothing of it lives (zombies do not live). */
bool tree_is_empty(Tree *tree);

/*
 * Calls `visit` for each live process of it; a result other than 0 ends the walk and is returned.
 * `visit` must not call functions of the same tree.
 */
typedef int (*TreeVisitor)(void *userdata, pid_t pid);
int tree_each(Tree *tree, TreeVisitor visit, void *userdata);

/* Signals every process of it; the number of processes, or a negative errno. */
int tree_signal(Tree *tree, int signo);

/*
 * Stops every process of it where it stands, or lets them go on: the cgroup freezer, which nobody
 * notices, or with the walk SIGSTOP and SIGCONT, which parents can see.
 */
int tree_pause(Tree *tree, bool pause);

/* SIGKILL to all at once (cgroup.kill), without a gap for forks. */
int tree_kill(Tree *tree);

/*
 * What is in it belongs to it no more: it is neither found nor signalled by any function here from
 * now on, nor in the way of the next start, nor is what it makes. With a cgroup it is moved into
 * another one, NAME.spared; the walk remembers it by identity, and what it makes by the invocation
 * and the mark, which they hand down. `visit` is called for each; the number of processes, or a
 * negative errno: then some may be in it still. Only when no run goes on.
 */
int tree_spare(Tree *tree, TreeVisitor visit, void *userdata);

/*
 * SIGKILL to every process below this one, whatever tree it is of, but not to those in a cgroup of
 * spared ones, at a cost that does not grow with the number of trees, and without memory. One that
 * is being made just now may be missed: for an end that cannot wait. As the first process of a
 * namespace it leaves that to the kernel, which does it when we end.
 */
int tree_kill_below(void);

/*
 * Calls the handler once something happened after which the tree may be empty; look with
 * tree_is_empty(), also once directly after this call. The walk has no event of its own: it relies
 * on tree_child_reaped().
 */
int tree_watch(Tree *tree, LoopHandler handler, void *userdata);
void tree_unwatch(Tree *tree);

/* To be called when any process was reaped: lets a watching walk look again. */
void tree_child_reaped(Tree *tree);

/* Removes the cgroup, cgroups below it included: 0, TREE_E_BUSY or a negative errno. */
int tree_release(Tree *tree);
