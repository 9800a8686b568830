/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A tree without a cgroup, found by descent in a snapshot of all processes.
 *
 * We are the subreaper, so the chain of parents of every process of a daemon ends at us, and all in
 * between belong to the same daemon. Of those below us a process is a member if it
 *
 *   - is the first process of the start,
 *   - or carries the invocation in its environment,
 *   - or has a parent that is a member, or is in the session of a member of the last walk, or wears
 *     the mark of the start (tree_mark.h), and does not carry another invocation.
 *
 * A session id stays taken as long as anybody is in the session, so that those seen in the last
 * walk are the ones to remember. Until an invocation is set, SUPERVISOR_DAEMON=NAME in the
 * environment of a child of ours is what counts: leftovers of an earlier run.
 *
 * A walk reads /proc/PID/stat of all processes and, of those below us, the environment. Nothing
 * here waits; memory is kept from one walk to the next.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "sys/pidref.h"
#include "sys/procfs.h"
#include "sys/tree_internal.h"
#include "sys/tree_mark.h"
#include "sys/tree_walk_spared.h"

#define INVOCATION_MAX     SPARED_INVOCATION_MAX
#define WALK_ENTRIES_FIRST 256
#define WALK_LOOKS_MAX     10

typedef enum WalkVerdict {
        VERDICT_OPEN,    /* not decided yet */
        VERDICT_OUTSIDE, /* not below us */
        VERDICT_OTHER,   /* below us, but not of this tree */
        VERDICT_MEMBER,
} WalkVerdict;

typedef struct WalkEntry {
        pid_t pid, ppid, sid;
        WalkVerdict verdict;
        bool killed; /* SIGKILL is on its way */
        uint64_t start_time;
} WalkEntry;

/* By pid, ascending. The memory is kept for the next walk. */
typedef struct WalkTable {
        WalkEntry *entries;
        size_t count, capacity;
} WalkTable;

typedef struct TreeWalk {
        Tree tree;
        char *name_variable; /* "SUPERVISOR_DAEMON=…" */
        char invocation[INVOCATION_MAX]; /* "": none yet */
        bool over; /* it is known that nobody of this invocation is left */
        rlim_t limit_mark;
        pid_t leader; /* 0: none yet */
        uint64_t leader_start_time;
        WalkTable processes; /* the last snapshot */
        WalkTable members;   /* what it showed to be ours */
        size_t dead;         /* children of ours in it that ended and are not reaped yet */
        WalkSpared spared;
} TreeWalk;

static void tree_walk_free(Tree *tree) {
        TreeWalk *self = (TreeWalk *) tree;

        free(self->processes.entries);
        free(self->members.entries);
        free(self->name_variable);
        walk_spared_done(&self->spared);
        free(self);
}

static int walk_table_add(WalkTable *table, const WalkEntry *entry) {
        if (table->count == table->capacity) {
                size_t capacity = table->capacity == 0 ? WALK_ENTRIES_FIRST : table->capacity * 2;
                WalkEntry *entries = reallocarray(table->entries, capacity, sizeof(*entries));

                if (!entries)
                        return -ENOMEM;
                table->entries = entries;
                table->capacity = capacity;
        }
        table->entries[table->count++] = *entry;
        return 0;
}

static int walk_entry_compare(const void *a, const void *b) {
        const WalkEntry *x = a, *y = b;

        return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static WalkEntry *walk_table_find(const WalkTable *table, pid_t pid) {
        WalkEntry key = { .pid = pid };

        if (table->count == 0)
                return NULL;
        return bsearch(&key, table->entries, table->count, sizeof(key), walk_entry_compare);
}

/* A process that is older than the first process of the start cannot come from it. */
static int tree_walk_collect(void *userdata, const ProcStat *process) {
        TreeWalk *self = userdata;

        if (process->start_time < self->leader_start_time)
                return 0;
        if (procfs_is_dead(process)) {
                self->dead += process->ppid == getpid();
                return 0;
        }
        return walk_table_add(&self->processes, &(WalkEntry){
                .pid = process->pid,
                .ppid = process->ppid,
                .sid = process->sid,
                .start_time = process->start_time,
        });
}

static bool tree_walk_is_leader(const TreeWalk *self, const WalkEntry *entry) {
        return self->leader > 0 && entry->pid == self->leader
                && entry->start_time == self->leader_start_time;
}

/* Whether a member of the last walk was in that session. */
static bool tree_walk_knows_session(const TreeWalk *self, pid_t sid) {
        for (size_t i = 0; i < self->members.count; i++)
                if (self->members.entries[i].sid == sid)
                        return true;
        return false;
}

/* Whether an earlier run has left it. Deeper down the same name may be another supervisor's. */
static bool tree_walk_is_leftover(const TreeWalk *self, const WalkEntry *entry) {
        return entry->ppid == getpid() && procfs_has_variable(entry->pid, self->name_variable) > 0;
}

/* Decides about a process whose parent is decided. */
static bool tree_walk_judge(const TreeWalk *self, const WalkEntry *entry, WalkVerdict parent) {
        bool related = parent == VERDICT_MEMBER || tree_walk_knows_session(self, entry->sid);

        if (walk_spared_has(&self->spared, entry->pid, entry->start_time))
                return false;
        if (self->invocation[0] == '\0')
                return related || tree_walk_is_leftover(self, entry);
        if (tree_walk_is_leader(self, entry))
                return true;
        switch (procfs_compare_variable(entry->pid, self->invocation)) {
        case PROCFS_VARIABLE_SAME:
                return true;
        case PROCFS_VARIABLE_OTHER:
                return false;
        default:
                return related || tree_mark_is_on(entry->pid, self->limit_mark);
        }
}

/* One pass over the snapshot; whether it decided anything. */
static bool tree_walk_judge_all(TreeWalk *self) {
        pid_t own = getpid();
        bool changed = false;

        for (size_t i = 0; i < self->processes.count; i++) {
                WalkEntry *entry = &self->processes.entries[i];
                WalkVerdict parent = VERDICT_OTHER;

                if (entry->verdict != VERDICT_OPEN)
                        continue;
                if (entry->ppid != own) {
                        const WalkEntry *found = walk_table_find(&self->processes, entry->ppid);

                        parent = found ? found->verdict : VERDICT_OUTSIDE;
                }
                if (parent == VERDICT_OPEN)
                        continue;
                if (parent == VERDICT_OUTSIDE)
                        entry->verdict = VERDICT_OUTSIDE;
                else if (tree_walk_judge(self, entry, parent))
                        entry->verdict = VERDICT_MEMBER;
                else
                        entry->verdict = VERDICT_OTHER;
                changed = true;
        }
        return changed;
}

/*
 * The members of the snapshot take the place of those of the last one, in its own memory. What was
 * killed already is still known to be.
 */
static void tree_walk_remember(TreeWalk *self) {
        WalkTable found = self->processes;
        pid_t own_sid = getsid(0);

        found.count = 0;
        for (size_t i = 0; i < self->processes.count; i++) {
                WalkEntry member = self->processes.entries[i];
                const WalkEntry *before = walk_table_find(&self->members, member.pid);

                if (member.verdict != VERDICT_MEMBER)
                        continue;
                /* Not yet in its own session: never take all that is in ours for members. */
                if (member.sid == own_sid)
                        member.sid = tree_walk_is_leader(self, &member) ? member.pid : 0;
                member.killed = before && before->killed && before->start_time == member.start_time;
                found.entries[found.count++] = member;
        }
        self->processes = self->members;
        self->members = found;
}

static int tree_walk_look(TreeWalk *self) {
        WalkTable *processes = &self->processes;
        int r;

        processes->count = 0;
        self->dead = 0;
        r = procfs_each(tree_walk_collect, self);
        if (r < 0)
                return r;
        if (processes->count > 1)
                qsort(processes->entries, processes->count, sizeof(*processes->entries),
                      walk_entry_compare);

        /* Parents mostly have lower numbers, so that the second pass finds nothing to do. */
        while (tree_walk_judge_all(self))
                ;
        tree_walk_remember(self);
        return 0;
}

static bool walk_entry_is_alive(const WalkEntry *entry) {
        ProcStat stat;

        return procfs_stat(entry->pid, &stat) == 0 && stat.start_time == entry->start_time
                && !procfs_is_dead(&stat);
}

/*
 * A process that was listed, made another one and ended before it was read hides that one. It is
 * ours then and a zombie as long as we do not reap, so that nobody can hide in a look that shows no
 * more zombies than the one before. In doubt there is still somebody: that costs time, the opposite
 * would cost a daemon.
 */
static bool tree_walk_finds_nobody(TreeWalk *self) {
        size_t dead = 0;

        for (unsigned look = 0; look < WALK_LOOKS_MAX; look++) {
                if (tree_walk_look(self) < 0 || self->members.count > 0)
                        return false;
                if (self->dead == dead)
                        return true;
                dead = self->dead;
        }
        return false;
}

/*
 * Who was a member stays one, and where nobody is left nobody comes without a start: most questions
 * are answered without a walk.
 */
static bool tree_walk_is_empty(Tree *tree) {
        TreeWalk *self = (TreeWalk *) tree;

        if (self->over)
                return true;

        for (size_t i = 0; i < self->members.count; i++)
                if (walk_entry_is_alive(&self->members.entries[i]))
                        return false;

        if (!tree_walk_finds_nobody(self))
                return false;
        self->over = self->invocation[0] != '\0';
        return true;
}

static bool tree_walk_contains(Tree *tree, pid_t pid) {
        TreeWalk *self = (TreeWalk *) tree;
        const WalkEntry *member = walk_table_find(&self->members, pid);

        if (member && walk_entry_is_alive(member))
                return true;
        return tree_walk_look(self) >= 0 && walk_table_find(&self->members, pid);
}

/* Its environment is gone; its parent, its session and its number are not. */
static bool tree_walk_contained(Tree *tree, pid_t pid) {
        const TreeWalk *self = (const TreeWalk *) tree;
        ProcStat stat;

        return procfs_stat(pid, &stat) == 0 && procfs_is_dead(&stat) &&
               ((pid == self->leader && stat.start_time == self->leader_start_time) ||
                tree_walk_knows_session(self, stat.sid) ||
                (stat.ppid != getpid() && tree_walk_contains(tree, stat.ppid)));
}

static void tree_walk_forget_run(TreeWalk *self) {
        self->invocation[0] = '\0';
        self->over = false;
        self->limit_mark = TREE_MARK_NONE;
        self->leader = 0;
        self->leader_start_time = 0;
}

static int tree_walk_prepare(Tree *tree) {
        TreeWalk *self = (TreeWalk *) tree;

        if (self->invocation[0] != '\0' && !tree_walk_is_empty(tree))
                return TREE_E_POPULATED;

        tree_walk_forget_run(self);
        return tree_walk_is_empty(tree) ? 0 : TREE_E_POPULATED;
}

static void tree_walk_set_invocation(Tree *tree, const char *variable) {
        TreeWalk *self = (TreeWalk *) tree;

        snprintf(self->invocation, sizeof(self->invocation), "%s", variable);
        self->over = false;
        self->limit_mark = tree_mark_begin(variable);
}

static void tree_walk_set_leader(Tree *tree, pid_t pid) {
        TreeWalk *self = (TreeWalk *) tree;
        ProcStat stat;

        if (procfs_stat(pid, &stat) != 0)
                return;
        self->over = false;
        self->leader = pid;
        self->leader_start_time = stat.start_time;

        /* Its session is known from the start: whatever begins a daemon begins a session. */
        self->members.count = 0;
        (void) walk_table_add(&self->members, &(WalkEntry){
                .pid = pid, .ppid = stat.ppid, .sid = pid, .start_time = stat.start_time,
        });
}

static int tree_walk_each(Tree *tree, TreeVisitor visit, void *userdata) {
        TreeWalk *self = (TreeWalk *) tree;
        int r;

        r = tree_walk_look(self);
        for (size_t i = 0; r == 0 && i < self->members.count; i++)
                r = visit(userdata, self->members.entries[i].pid);
        return r;
}

/* Signals a member if it still is the same process; 1 if it was, 0 if it is gone. */
static int walk_entry_signal(WalkEntry *member, int signo) {
        CLEANUP(pidref_done) PidRef process = PIDREF_NONE;
        int r;

        r = pidref_open(member->pid, &process);
        if (r != 0 || process.start_time != member->start_time)
                return r < 0 ? r : 0;
        r = pidref_signal(&process, signo);
        if (r != 0)
                return r < 0 ? r : 0;
        member->killed = signo == SIGKILL;
        return 1;
}

/* Looks, then signals all members or only those that were not killed before. */
static int tree_walk_pass(TreeWalk *self, int signo, bool all) {
        int error = 0, count = 0, r;

        r = tree_walk_look(self);
        if (r < 0)
                return r;
        for (size_t i = 0; i < self->members.count; i++) {
                WalkEntry *member = &self->members.entries[i];

                if (!all && member->killed)
                        continue;
                r = walk_entry_signal(member, signo);
                if (r >= 0)
                        count += r;
                else if (error == 0)
                        error = r;
        }
        return error < 0 ? error : count;
}

static int tree_walk_signal(Tree *tree, int signo) {
        return tree_walk_pass((TreeWalk *) tree, signo, true);
}

static int tree_walk_pause(Tree *tree, bool pause) {
        int r = tree_walk_signal(tree, pause ? SIGSTOP : SIGCONT);

        return r < 0 ? r : 0;
}

/* Looks again for those made meanwhile, until nobody can hide; see tree_walk_finds_nobody(). */
static int tree_walk_kill(Tree *tree) {
        TreeWalk *self = (TreeWalk *) tree;
        size_t dead = 0;

        for (unsigned pass = 0; pass < TREE_KILL_PASSES; pass++) {
                int r = tree_walk_pass(self, SIGKILL, false);

                if (r < 0 || (r == 0 && self->dead == dead))
                        return r;
                dead = self->dead;
        }
        return 0;
}

/* Its whole run is spared with it, so that what is being made just now is known too. */
static int tree_walk_spare(Tree *tree, TreeVisitor visit, void *userdata) {
        TreeWalk *self = (TreeWalk *) tree;

        int r = tree_walk_look(self);
        if (r < 0)
                return r;
        for (size_t i = 0; i < self->members.count; i++) {
                const WalkEntry *member = &self->members.entries[i];

                (void) visit(userdata, member->pid);
                r = walk_spared_add(&self->spared, member->pid, member->start_time);
                if (r < 0)
                        return r;
        }
        walk_spared_add_run(&self->spared, self->invocation, self->limit_mark);
        tree_walk_forget_run(self);
        int count = (int) self->members.count;
        self->members.count = 0;
        return count;
}

static int tree_walk_on_defer(void *userdata) {
        const Tree *tree = userdata;

        return tree->handler(tree->userdata);
}

static int tree_walk_watch(Tree *tree) {
        return loop_add_defer(tree->loop, &tree->source, LOOP_TREE, "tree", tree_walk_on_defer,
                              tree);
}

static void tree_walk_child_reaped(Tree *tree) {
        (void) loop_defer_arm(tree->source);
}

static int tree_walk_release(Tree *tree) {
        const TreeWalk *self = (const TreeWalk *) tree;
        bool used = self->invocation[0] != '\0' || self->members.count > 0;

        if (used && !tree_walk_is_empty(tree)) /* a walk for each of a thousand takes its time */
                return TREE_E_BUSY;
        tree_unwatch(tree);
        return 0;
}

static const TreeOps tree_walk_ops = {
        .free = tree_walk_free,
        .prepare = tree_walk_prepare,
        .set_invocation = tree_walk_set_invocation,
        .set_leader = tree_walk_set_leader,
        .contains = tree_walk_contains,
        .contained = tree_walk_contained,
        .is_empty = tree_walk_is_empty,
        .each = tree_walk_each,
        .signal = tree_walk_signal,
        .pause = tree_walk_pause,
        .kill = tree_walk_kill,
        .spare = tree_walk_spare,
        .watch = tree_walk_watch,
        .child_reaped = tree_walk_child_reaped,
        .release = tree_walk_release,
};

int tree_walk_new(const char *name, Tree **ret) {
        TreeWalk *self = calloc(1, sizeof(*self));

        if (!self)
                return -ENOMEM;
        self->tree.ops = &tree_walk_ops;
        self->limit_mark = TREE_MARK_NONE;
        if (asprintf(&self->name_variable, "SUPERVISOR_DAEMON=%s", name) < 0) {
                free(self);
                return -ENOMEM;
        }

        *ret = &self->tree;
        return 0;
}
