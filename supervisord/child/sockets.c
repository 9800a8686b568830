/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Closing the intake by its sockets, without the daemon's help. What was found is kept until the
 * daemon is at rest: connections are told by the socket that they came by, also after that is gone.
 *
 * Before anything is closed a file says so, for the supervisor that comes after one that died. It
 * names the paths that are moved aside; sockets carry their own sign (sys/intake.h).
 *
 * Memory is taken here for the list. Without it the intake stays open, and the stop goes on.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "child/object.h"

#define SOCKETS_ROUNDS 3 /* a daemon may open another one meanwhile */

bool sockets_are_closable(const Child *child) {
        switch (child->daemon->freeze.method) {
        case FREEZE_SOCKETS:
        case FREEZE_REFUSE:
        case FREEZE_HOLD:
        case FREEZE_RENAME:
                return true;
        case FREEZE_SIGNAL:
        case FREEZE_COMMAND:
                return child->waiting.until > 0;
        default:
                return false;
        }
}

static IntakeSocket *sockets_find(Sockets *sockets, uint64_t inode) {
        for (size_t i = 0; i < sockets->count; i++)
                if (sockets->list[i].inode == inode)
                        return &sockets->list[i];
        return NULL;
}

static int sockets_add(Sockets *sockets, const IntakeSocket *socket) {
        if (sockets->count == sockets->capacity) {
                size_t capacity = sockets->capacity == 0 ? 4 : sockets->capacity * 2;
                IntakeSocket *list = reallocarray(sockets->list, capacity, sizeof(*list));

                if (!list)
                        return -ENOMEM;
                sockets->list = list;
                sockets->capacity = capacity;
        }
        sockets->list[sockets->count++] = *socket;
        return 0;
}

/*
 * Takes over what there is now; the number of those that are new or in other hands, or a negative
 * errno.
 */
static int sockets_update(Child *child) {
        const IntakeSocket *found;
        size_t count, denied;
        int fresh = 0;

        int r = intake_find(child->context->intake, child->tree, &found, &count, &denied);
        if (r != 0)
                return r < 0 ? r : -EOPNOTSUPP;
        if (denied > 0)
                note(child, LOG_WARNING, MESSAGE_NONE,
                     "the sockets of %zu of its processes cannot be seen: our privileges do not "
                     "suffice (CAP_SYS_PTRACE)",
                     denied);

        for (size_t i = 0; i < count; i++) {
                IntakeSocket *known = sockets_find(&child->sockets, found[i].inode);

                fresh += !known || known->pid != found[i].pid;
                if (known)
                        *known = found[i];
                else if (sockets_add(&child->sockets, &found[i]) < 0)
                        return -ENOMEM;
        }
        return fresh;
}

void sockets_scan(Child *child) {
        int r = sockets_update(child);

        if (r < 0)
                note(child, LOG_WARNING, MESSAGE_NONE, "its sockets cannot be looked for: %s",
                     strerror(-r));
}

/* The file for whoever comes after us. */

static char *sockets_record_path(const ChildContext *context, const char *name) {
        char *path;

        return asprintf(&path, "%s/%s", context->frozen_directory, name) < 0 ? NULL : path;
}

/* Without it a path stays aside if we die: no reason to leave the intake open. */
static void sockets_write_record(Child *child) {
        CLEANUP(freep) char *path = sockets_record_path(child->context, child_name(child));
        CLEANUP(freep) char *text = strdup("");

        for (size_t i = 0; text && i < child->sockets.count; i++) {
                const IntakeSocket *socket = &child->sockets.list[i];
                char *more;

                if (socket->kind != INTAKE_UNIX)
                        continue;
                int r = asprintf(&more, "%s%s\n", text, socket->name);
                free(text);
                text = r < 0 ? NULL : more;
        }
        child->sockets.recorded = true;
        /* the directory does not outlive the machine: nobody has to wait for a disk */
        int r = path && text ? file_replace_soon(AT_FDCWD, path, text, strlen(text), 0600)
                             : -ENOMEM;
        if (r < 0)
                note(child, LOG_WARNING, MESSAGE_NONE,
                     "it cannot be recorded that its sockets are closed: %s", strerror(-r));
}

static void sockets_remove_record(Child *child) {
        if (!TAKE(child->sockets.recorded))
                return;

        CLEANUP(freep) char *path = sockets_record_path(child->context, child_name(child));
        int r = path ? file_remove(path) : -ENOMEM;
        if (r < 0)
                note(child, LOG_WARNING, MESSAGE_CLEANUP_FAILED,
                     "the record of its closed sockets cannot be removed: %s", strerror(-r));
}

/* Closing. */

/* That of an earlier order says nothing of left-overs: they end, and their sockets with them. */
static ChildPurpose sockets_purpose(const Child *child) {
        return child->waiting.until > 0 ? PURPOSE_STOP : child->purpose;
}

/* Whether the daemon's method concerns the socket, and how. */
static bool sockets_method(const Child *child, const IntakeSocket *socket, IntakeMethod *ret) {
        FreezeMethod method = child->daemon->freeze.method;
        bool is_path = socket->kind == INTAKE_UNIX;

        *ret = INTAKE_REFUSE;
        if (socket->kind == INTAKE_UDP) /* it may be one by which answers come in */
                return false;
        if (method == FREEZE_RENAME)
                return is_path;
        if (!is_path && (method == FREEZE_HOLD || (method == FREEZE_SOCKETS &&
                                                   sockets_purpose(child) == PURPOSE_RESTART)))
                *ret = INTAKE_HOLD;
        return true;
}

static const char *sockets_outcome_text(int outcome) {
        switch (outcome) {
        case INTAKE_E_DENIED:
                return "our privileges do not suffice";
        case INTAKE_E_FOREIGN:
                return "somebody else has put a filter or an interface on it";
        case INTAKE_E_UNSUPPORTED:
                return "nothing of that kind can be closed from outside";
        default:
                return strerror(-outcome);
        }
}

static int sockets_close_by(Child *child, const IntakeSocket *socket, IntakeMethod method) {
        Intake *intake = child->context->intake;

        /* who is to come back may not be closed for good */
        if (method == INTAKE_REFUSE && socket->kind == INTAKE_TCP &&
            sockets_purpose(child) == PURPOSE_PAUSE && !intake_can_reopen(intake))
                return INTAKE_E_DENIED;

        int r = intake_close(intake, socket, method);
        if (method != INTAKE_HOLD || r == 0 || r == INTAKE_E_GONE || r == INTAKE_E_FOREIGN)
                return r;
        if (!child->sockets.hold_denied)
                note(child, LOG_NOTICE, MESSAGE_NONE,
                     "new connections to %s cannot be held (%s), refusing them instead",
                     socket->name, sockets_outcome_text(r));
        child->sockets.hold_denied = true;
        return sockets_close_by(child, socket, INTAKE_REFUSE);
}

/* Whether it stays open. *gone: its process does not hold it any more, but another one may. */
static bool sockets_close_one(Child *child, IntakeSocket *socket, bool *gone) {
        IntakeMethod method;

        if (socket->closed || !sockets_method(child, socket, &method))
                return false;

        int r = sockets_close_by(child, socket, method);
        if (r == INTAKE_E_GONE) {
                *gone = true;
                return false;
        }
        socket->closed = r == 0;
        if (r == 0)
                note(child, LOG_DEBUG, MESSAGE_NONE, "closed %s", socket->name);
        else
                note(child, LOG_WARNING, MESSAGE_INTAKE_OPEN, "%s stays open: %s", socket->name,
                     sockets_outcome_text(r));
        return r != 0;
}

static size_t sockets_close_known(Child *child, bool *gone) {
        size_t open = 0;

        *gone = false;
        for (size_t i = 0; i < child->sockets.count; i++)
                open += sockets_close_one(child, &child->sockets.list[i], gone);
        return open;
}

/* Unless `all` are to be closed: those that are new, for what would not be closed will not now. */
static size_t sockets_close_rounds(Child *child, bool all) {
        bool gone = all;
        size_t open = 0;

        for (unsigned round = 0; round < SOCKETS_ROUNDS; round++) {
                int r = sockets_update(child);

                if (r == 0 && !gone)
                        return open;
                if (r < 0) {
                        note(child, LOG_WARNING, MESSAGE_NONE, "its intake cannot be closed: %s",
                             strerror(-r));
                        return 1;
                }
                if (child->sockets.count == 0)
                        return 0; /* no time was spent in which another one could be opened */
                if (r > 0 || !child->sockets.recorded)
                        sockets_write_record(child);
                open = sockets_close_known(child, &gone);
        }
        return open;
}

size_t sockets_close(Child *child) {
        return sockets_close_rounds(child, true);
}

void sockets_close_late(Child *child) {
        (void) sockets_close_rounds(child, false);
}

/* Opening. */

size_t sockets_open(Child *child) {
        size_t closed = 0;

        (void) sockets_update(child); /* they may be in the hands of other processes by now */
        for (size_t i = 0; i < child->sockets.count; i++) {
                IntakeSocket *socket = &child->sockets.list[i];

                if (socket->kind == INTAKE_UDP || !socket->closed)
                        continue;
                int r = intake_open(child->context->intake, socket);
                socket->closed = r != 0 && r != INTAKE_E_GONE;
                closed += socket->closed;
                if (socket->closed)
                        note(child, LOG_WARNING, MESSAGE_NONE, "%s stays closed: %s", socket->name,
                             sockets_outcome_text(r));
        }
        if (closed == 0)
                sockets_remove_record(child);
        return closed;
}

static bool sockets_any_closed(const Sockets *sockets) {
        for (size_t i = 0; i < sockets->count; i++)
                if (sockets->list[i].closed)
                        return true;
        return false;
}

void sockets_recover(Child *child) {
        sockets_scan(child);
        if (sockets_any_closed(&child->sockets) && sockets_open(child) == 0)
                note(child, LOG_NOTICE, MESSAGE_INTAKE_RECOVERED,
                     "its intake was left closed by an earlier supervisord and is open again");
        sockets_forget(child);
}

void sockets_forget(Child *child) {
        Sockets *sockets = &child->sockets;

        for (size_t i = 0; i < sockets->count; i++) {
                if (sockets->list[i].kind != INTAKE_UNIX || !sockets->list[i].closed)
                        continue;
                int r = intake_restore(sockets->list[i].name); /* nobody serves it: removed */
                if (r < 0)
                        note(child, LOG_WARNING, MESSAGE_CLEANUP_FAILED,
                             "what is left of %s cannot be removed: %s", sockets->list[i].name,
                             strerror(-r));
        }
        sockets_remove_record(child);
        free(sockets->list);
        *sockets = (Sockets){ 0 };
}
