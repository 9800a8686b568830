/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Daemons for tests of sys/tree: shells with something to do, which say on descriptor 3 what
 * processes they have made.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "place.h"
#include "sys/cgroup.h"
#include "sys/loop.h"
#include "sys/tree.h"
#include "unit.h"

#define TREES_ID       "SUPERVISOR_INVOCATION=0123"
#define TREES_OTHER_ID "SUPERVISOR_INVOCATION=4567"
#define TREES_MARK     "SUPERVISOR_DAEMON=web"

typedef enum TreesWay {
        TREES_WALK,
        TREES_CGROUP,
} TreesWay;

/* Whether a cgroup can be made here, and whether there are pidfds (not under an old valgrind). */
extern bool trees_with_cgroup, trees_with_pidfd;

/* What the test works on: the tree of a daemon called "web". */
extern TreesWay trees_way;
extern Loop *loop;
extern CgroupRoot *root;
extern Tree *tree;

/* The main body: makes a cgroup for the program and lets `make` know if there is none, and why. */
int trees_main(Suite *(*make)(const char *unable));

/* Checked fixtures. */
void trees_setup_walk(void);
void trees_setup_cgroup(void);
void trees_teardown(void);

/* A tree by the way of the test. */
Tree *trees_new(const char *name);

/* Runs a shell in a session of its own, with these two variables and a PATH. */
pid_t trees_run(const char *script, int cgroup_fd, const char *first, const char *second);
/* Starts the daemon. */
pid_t trees_start_as(const char *script, const char *invocation);
pid_t trees_start(const char *script);
/* The next process that a daemon tells of. */
pid_t trees_reported(void);

bool trees_live(pid_t pid);
/* Kills a child and reaps it. */
void trees_end(pid_t pid);
/* The same for all there is, by the means of the test and not of what it tests. */
void trees_end_all(void);
void trees_reap_all(void);

typedef struct PidList {
        pid_t pids[512];
        unsigned count;
} PidList;

/* A TreeVisitor. */
int pid_list_add(void *userdata, pid_t pid);
bool pid_list_has(const PidList *list, pid_t pid);

/* The tree consists of these, whichever way it is asked. */
void trees_assert_members(const pid_t *pids, unsigned count);

/* A daemon of so many processes: children, orphans, some with a session of their own. */
#define TREES_FAMILY 5
void trees_start_family(pid_t pids[static TREES_FAMILY]);
