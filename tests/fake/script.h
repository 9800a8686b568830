/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Short words for scripts: each writes one FakeAct, `t` after the begin of its list. PROGRAM()
 * writes a whole program and makes it known.
 */

#include "fake/world.h"

#define EXIT(t, status)          { ACT_EXIT, (t), (status), NULL, NULL }
#define DIE(t, signo)            { ACT_DIE, (t), (signo), NULL, NULL }
#define EXIT_ALONE(t)            { ACT_EXIT_ALONE, (t), 0, NULL, NULL }
#define FORK(t, path)            { ACT_FORK, (t), 0, (path), NULL }
#define FORK_SESSION(t, path)    { ACT_FORK_SESSION, (t), 0, (path), NULL }
#define WATCH(t, path, delay)    { ACT_WATCH, (t), (int64_t) (delay), (path), NULL }
#define EXEC(t, path)            { ACT_EXEC, (t), 0, (path), NULL }
#define SIGNAL_CHILDREN(t, signo) { ACT_SIGNAL_CHILDREN, (t), (signo), NULL, NULL }
#define WRITE(t, path, text)     { ACT_WRITE, (t), 0, (path), (text) }
#define WRITE_PID(t, path)       { ACT_WRITE_PID, (t), 0, (path), NULL }
#define WRITE_CHILD(t, path)     { ACT_WRITE_CHILD, (t), 0, (path), NULL }
#define WRITE_LINK(t, path)      { ACT_LINK, (t), 0, (path), NULL }
#define REMOVE(t, path)          { ACT_REMOVE, (t), 0, (path), NULL }
#define NOTIFY(t, text)          { ACT_NOTIFY, (t), 0, NULL, (text) }
#define NOTIFY_MAIN(t)           { ACT_NOTIFY_MAIN, (t), 0, NULL, NULL }
#define NOTIFY_CHILD(t)          { ACT_NOTIFY_CHILD, (t), 0, NULL, NULL }
#define LISTEN(t, port)          { ACT_LISTEN, (t), (port), NULL, NULL }
#define LISTEN_UNIX(t, path)     { ACT_LISTEN, (t), 0, (path), NULL }
#define BIND_UDP(t, port)        { ACT_BIND_UDP, (t), (port), NULL, NULL }
#define CLOSE(t)                 { ACT_CLOSE, (t), 0, NULL, NULL }
#define HAND_OVER(t)             { ACT_HAND_OVER, (t), 0, NULL, NULL }
#define EXIT_SERVED(t, status)   { ACT_EXIT_SERVED, (t), (status), NULL, NULL }
#define SAY(t, text)             { ACT_SAY, (t), 0, NULL, (text) }
#define BLOCK(t, duration)       { ACT_BLOCK, (t), (int64_t) (duration), NULL, NULL }

#define ACTS(...) ((const FakeAct[]) { __VA_ARGS__, { 0 } })

/* For FakeReaction. */
#define ON(signo, ...) { (signo), ACTS(__VA_ARGS__) }
#define DEAF(signo)    { (signo), NULL }

#define REACTIONS(...) ((const FakeReaction[]) { __VA_ARGS__, { 0 } })

/* Valid until the end of the block that it stands in. */
#define PROGRAM(...) world_add_program(&(const FakeProgram) { __VA_ARGS__ })
