/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Between the parts of the world and the fakes only: each forgets what it holds when the world
 * begins and ends; and what they have to know of each other.
 */

#include "fake/world.h"
#include "sys/tree.h"

void world_trees_reset(void);
void world_processes_reset(void);
void world_script_reset(void);
void world_files_reset(void);
void world_sockets_reset(void);
void world_connections_reset(void);
void world_descriptors_reset(void);
void world_doors_reset(void);

void fake_signals_reset(void);
void fake_trees_reset(void);
void fake_paths_reset(void);
void fake_datagrams_reset(void);
void fake_intake_reset(void);
void fake_captures_reset(void);
void fake_follows_reset(void);

WorldTree *fake_tree_of(const Tree *tree);
/* The walked tree with that invocation, or the one of the name "". */
WorldTree *fake_tree_of_invocation(const char *invocation);

/* Sockets and connections have inodes of one kind. */
uint64_t world_new_inode(void);
/* What waits at a socket of a process (key) ends; and what a process has accepted. */
void world_cut_waiting(uint64_t socket, uint64_t process);
void world_cut_process(FakeProcess *process);

/* For a connection that it accepts: a child in a session of its own, or NULL. */
FakeProcess *process_begin_session(FakeProcess *process, const char *path);

/* A process was spawned with that output. */
void fake_capture_process(int fd, const FakeProcess *process);
void fake_capture_say(const FakeProcess *process, const char *text);
/* … and for who reads its output back. */
void fake_follow_say(const FakeProcess *process, const char *text);
