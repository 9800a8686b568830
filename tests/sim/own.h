/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Daemons with configuration files of their own, for the tests of reloads that concern these: words
 * for configurations, and the programs "/d" (hears SIGHUP, gone 1 s after SIGTERM) and "/t/…" for
 * their configuration tests.
 */

#include "fake/script.h"
#include "sim/sim.h"

#define FILE_A "/etc/a.conf"

/* Settings of a daemon's reload: a test, within 5 s. */
#define CHECK(path)    "check = [ \"" path "\", \"-t\" ]; timeout = \"5s\";"
#define CHECK_OF(path) "reload: { " CHECK(path) " };"

/* Daemons: one that reads FILE_A at SIGHUP, one that is told by a command, one without anything. */
#define OWN_OF(name, program, more)                                                                \
        #name ": { command = [ \"" program "\" ]; reload: { signal = \"HUP\"; "                    \
              "files = [ \"" FILE_A "\" ]; " more " }; };\n"
#define OWN(name, more)   OWN_OF(name, "/d", more)
#define PLAIN(name, more) #name ": { command = [ \"/d\" ]; " more " };\n"
#define BY_COMMAND(name, path)                                                                     \
        #name ": { command = [ \"/d\" ]; reload: { command = [ \"" path "\" ]; "                   \
              "files = [ \"" FILE_A "\" ]; timeout = \"5s\"; }; };\n"

extern const FakeAct own_gone[];           /* 1 s after SIGTERM */
extern const FakeReaction own_reactions[]; /* of "/d" */
extern const FakeReaction own_mortal[];    /* of one that dies of SIGHUP, in 100 ms */

/* Begins with the programs and FILE_A, and runs until 10 s. */
void own_begin(const char *config);
/* Stops everything: nothing may be left. */
void own_end(void);
/* A reload, with that verdict within 20 s. */
void own_reload(ReloadVerdict verdict);
/* The one verdict so far. */
void own_assert_verdict(ReloadVerdict verdict, const char *text);
void own_assert_says(const char *part);
/* How often a daemon (NULL: any) has reloaded its own files. */
unsigned own_told(const char *name);
