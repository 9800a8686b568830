/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The words of the bus between supervisord and its clients: supervisorctl, busctl, programs. The
 * whole interface is described in supervisord-bus(5).
 */

#define CONTROL_SOCKET    "control" /* in the runtime directory, unless supervisor.control says */
/* … where nothing else is configured, not even the runtime directory. */
#define CONTROL_DEFAULT_SOCKET "/run/supervisord/" CONTROL_SOCKET
#define CONTROL_PATH      "/org/supervisord"
#define CONTROL_INTERFACE "org.supervisord.Supervisor1"

#define CONTROL_DAEMON  "ssbuttssasbt(stus)" /* as ListDaemons tells of one */
#define CONTROL_CHANGED "ssusst"       /* … and DaemonChanged */
/* The first line of the table of StatusTable(). Later versions may have further columns behind. */
#define CONTROL_TABLE_COLUMNS                                                                      \
        "name\tstate\tpending\tpid\tsince\tstarted\treason\tstatus\tpaused\tdeadline"

#define CONTROL_ERROR_UNKNOWN_DAEMON "org.supervisord.Error.UnknownDaemon"
#define CONTROL_ERROR_BUSY           "org.supervisord.Error.Busy" /* with what goes before */
#define CONTROL_ERROR_NO_PROCESS     "org.supervisord.Error.NoProcess"
#define CONTROL_ERROR_NO_RELOAD  "org.supervisord.Error.NoReload" /* nothing is configured for it */
#define CONTROL_ERROR_NOT_RUNNING    "org.supervisord.Error.NotRunning"
#define CONTROL_ERROR_NOT_FROZEN     "org.supervisord.Error.NotFrozen"
#define CONTROL_ERROR_NO_THAW        "org.supervisord.Error.NoThaw" /* it takes a restart */
#define CONTROL_ERROR_CANCELED       "org.supervisord.Error.Canceled" /* by a stop or a thaw */
#define CONTROL_ERROR_DENIED         "org.freedesktop.DBus.Error.AccessDenied"
/* … and org.freedesktop.DBus.Error.InvalidArgs, LimitsExceeded and those of sd-bus(3). */

/*
 * Methods (all but ListDaemons, StatusTable, Describe and ListRecords need full access):
 *
 *   ListDaemons() -> a(ssbuttssasbt(stus))
 *           name, state, pending, main pid (0: none), since, started (CLOCK_MONOTONIC, usec),
 *           reason, status text (while it drains: what is in flight), requires, whether an operator
 *           took it out of service, deadline of the phase that it is in (as since; 0: none), and
 *           its health: well, sick, unknown or "" (not looked at), when it was looked at last (as
 *           since; 0: not yet), failed looks in a row, what was wrong at the last one
 *   StatusTable() -> s config file, s table
 *           the same as one text, for thousands of daemons: a line of column names, then a line for
 *           each daemon, with tabs between the columns; control characters in them are "?"
 *   Describe(s name) -> as
 *           what was found out about a daemon, for people: "main process: 12, the one that stayed"
 *   Start, Stop, Restart(as names, b now_only) -> (a(sss), s remark)
 *           answered when done: name, state, reason of each daemon named; "" or why it will not be
 *           remembered over a restart of supervisord
 *   Freeze(as), Drain(as) -> a(sss)
 *           answered when done. A frozen or drained one with a reason is not wholly so
 *   Thaw(as) -> a(sss)
 *           the same, at once
 *   Signal(as names, i signo)
 *           to all of them, or (NoProcess, UnknownDaemon) to none
 *   ReloadDaemons(as names) -> a(sssas)
 *           the daemons' own reloads, answered when done: name, outcome (reloaded, refused by its
 *           configuration test, failed), why, the last lines that its test or command wrote
 *   Reload() -> (s verdict, s text, as findings)
 *           answered when the verdict is known; a refused one is an answer, not an error. Verdicts:
 *           applied, nothing-changed, refused, rolled-back, canceled
 *   ListRecords(s kind, t before, u limit) -> as
 *           of the kind "sequence" or "reload", the newest whose ids are below `before` (0: of
 *           all), newest first, as JSON; fewer than `limit` where they are long: ask again with the
 *           id of the last one. Readers get those of reloads without findings and reasons
 *   Plan() -> (as findings, b valid, a(sss))
 *           name, action, reason
 *   Shutdown(b fast)
 *           answered before it begins
 *
 * Properties: Version s, Mode s, Status s, ConfigFile s, ConfigDigest s, DaemonCount t.
 *
 * Signals, to everybody who has made a call: DaemonChanged(s name, s state, u main pid, s reason,
 * s status text, t deadline), StatusChanged(s status), SetChanged() (other daemons or another
 * order: ask again). They tell the state at the time of sending, so that a slow reader may miss
 * what came and went in between.
 *
 * A client has a few seconds to make its first call, reads its answers, and waits for at most 16 of
 * them at a time (LimitsExceeded); otherwise the connection is closed. Hello() is answered but not
 * needed.
 */
