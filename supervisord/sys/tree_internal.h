/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The inside of a Tree, for tree.c and its two back ends only. A back end embeds Tree as its first
 * member and answers the calls of tree.h with the functions of its TreeOps.
 */

#include "sys/tree.h"

typedef struct TreeOps {
        void (*free)(Tree *tree);
        int (*prepare)(Tree *tree);
        void (*set_invocation)(Tree *tree, const char *variable);
        void (*set_leader)(Tree *tree, pid_t pid);
        int (*cgroup_fd)(const Tree *tree);   /* NULL: it has none */
        bool (*was_killed)(const Tree *tree); /* NULL: never */
        bool (*contains)(Tree *tree, pid_t pid);
        bool (*contained)(Tree *tree, pid_t pid); /* if it is a zombie, and not otherwise */
        bool (*is_empty)(Tree *tree);
        int (*each)(Tree *tree, TreeVisitor visit, void *userdata);
        int (*signal)(Tree *tree, int signo);
        int (*pause)(Tree *tree, bool pause);
        int (*kill)(Tree *tree);
        int (*spare)(Tree *tree, TreeVisitor visit, void *userdata);
        int (*watch)(Tree *tree);
        void (*child_reaped)(Tree *tree);
        int (*release)(Tree *tree);
} TreeOps;

struct Tree {
        const TreeOps *ops;
        Loop *loop;
        LoopSource *source;  /* of the watch; NULL: nobody watches */
        LoopHandler handler; /* who watches */
        void *userdata;
};

/* A pass over all processes may find new ones, made by those that it was about to kill. */
#define TREE_KILL_PASSES 10

/* What the cgroup of those that were spared ends in, where a daemon's ends in ".daemon". */
#define TREE_SPARED_SUFFIX ".spared"

int tree_cgroup_new(const CgroupRoot *root, const char *name, Tree **ret);
int tree_walk_new(const char *name, Tree **ret);

/* How tree_kill() does it where cgroup.kill is missing (before Linux 5.14). */
int tree_cgroup_kill_frozen(Tree *tree);
