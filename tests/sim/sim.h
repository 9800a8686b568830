/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A whole supervisor in the fake world: the real service, child and model, with a configuration
 * given as a text and programs given as scripts. Every step is watched (watch.c): whatever a
 * scenario is about, the promises that hold always are checked as well.
 *
 * Times are counted from the begin of the simulation, unless they are said to be absolute.
 */

#include "base/message.h"
#include "config/config.h"
#include "fake/fake.h"
#include "model/fsm.h"
#include "model/mode.h"
#include "service/object.h"

#define SIM_RUNTIME "/run/sim"
#define SIM_STATE   "/var/lib/sim"
#define SEC         USEC_PER_SEC
#define MS          USEC_PER_MSEC

/* Makes the supervisor out of the daemons of `config` (the group "daemons" of a configuration). */
void sim_begin(uint64_t seed, const char *config);
/* The same with further settings of the supervisor. */
void sim_begin_with(uint64_t seed, const char *settings, const char *config);
/*
 * Makes a supervisor in the world as it is; false: it could not be made, since doors fail, and all
 * of it is freed.
 */
bool sim_try_make(const char *settings, const char *config);
/* As SIGKILL does: the supervisor is gone without a word, what was below it is init's. */
void sim_kill(void);
/* Frees all of the supervisor, as sim_end(); the world goes on. */
void sim_leave(void);
/* Frees everything and proves that nothing is held any more. */
void sim_end(void);
/*
 * The same, and then another supervisor begins in the same world, with the files as they are, and
 * with times and messages counted afresh.
 */
void sim_restart(const char *config);

/* The file that configurations stand in from now on (borrowed); profiles are beside it. */
void sim_set_config_file(const char *path);

void sim_start(void);
/* Until then, or until the loop was left. */
void sim_run_until(usec_t when);
void sim_run_for(usec_t duration);
/* Until the loop was left; fails if it never is. */
void sim_run_to_exit(void);
/* Like a machine that stood still: what became due in that time happens at its end. */
void sim_sleep(usec_t duration);
/* So long it did, all together. */
usec_t sim_slept(void);
bool sim_step(void);

usec_t sim_now(void);
Supervisor *sim_supervisor(void);
Loop *sim_loop(void);
/* The supervisor, which is gone after sim_end(), left the loop with that code. */
bool sim_exited(void);
int sim_code(void);

Mode sim_mode(void);
Child *sim_child(const char *name);
Child *sim_find(const char *name); /* NULL: the configuration in force does not know it */
DaemonState sim_state(const char *name);
pid_t sim_main_pid(const char *name);
/* Live processes of a daemon. */
unsigned sim_population(const char *name);

/* ---- reloads ---- */

/*
 * What a reload finds from now on: the configuration that was set last (0), an invalid one (1), or
 * an error of the system.
 */
void sim_set_reload(int outcome);
/* … or another configuration. */
void sim_set_config(const char *daemons);
void sim_set_config_with(const char *settings, const char *daemons);
/* Whether there is nothing wrong with a configuration. */
bool sim_is_valid(const char *settings, const char *daemons);

/* ---- ask.c: what is asked for from outside ---- */

void ask_begin(void);

/* Asks for a reload, and waits for its verdict. */
void sim_reload(void);
/* Asks what a reload would do. */
void sim_plan(void);
/* Verdicts that were given to those who waited, and the last one; its first finding, "": none. */
unsigned sim_verdicts(void);
ReloadVerdict sim_verdict(void);
const char *sim_verdict_text(void);
const char *sim_verdict_finding(void);
/* The fields of its line, each with a newline. */
const char *sim_verdict_fields(void);
/* All of its findings, 16 at most. */
unsigned sim_findings(void);
const char *sim_finding(unsigned index);

/* What supervisor_request() says. */
int sim_request(RequestVerb verb, const char *const *names);
#define sim_ask(verb, ...) sim_request((verb), (const char *const[]){ __VA_ARGS__, NULL })
/* The same, and nothing of it is to be remembered. */
int sim_request_now_only(RequestVerb verb, const char *const *names);
/* What supervisor_pause() and supervisor_thaw() say. */
int sim_pause(bool drain, const char *name);
int sim_pause_all(bool drain, const char *const *names);
int sim_thaw(const char *name);
/* Requests that ended so. */
unsigned sim_ended(OperationOutcome outcome);

/* ---- what was said ---- */

/* How often a message came, of one daemon or (NULL) of any. */
unsigned sim_said(MessageId message, const char *daemon);
/* When it came last; USEC_INFINITY: never. */
usec_t sim_said_when(MessageId message, const char *daemon);
/* Its last text; "" for none. */
const char *sim_said_text(MessageId message, const char *daemon);
/* SUPERVISOR_FORCED= of the last line of that message; -1: it has none. */
int sim_said_forced(MessageId message);

/* ---- what was ordered ---- */

unsigned sim_ordered(const char *name, DaemonEvent order);
/* When it was ordered last; USEC_INFINITY: never. */
usec_t sim_ordered_when(const char *name, DaemonEvent order);
/* All orders so far as one text, for comparing two runs. malloc'ed. */
char *sim_orders(void);

/* ---- watch.c ---- */

/* Ends the program with a message that says when it was. */
void sim_fail(const char *format, ...) PRINTF_LIKE(1, 2) __attribute__((noreturn));

void watch_begin(void);
/* After each step. */
void watch_step(void);
/* When nothing will happen any more by itself. */
void watch_rest(void);
/* After the loop was left, before anything is freed. */
void watch_exit(void);
void watch_line(MessageId message, const char *daemon, const char *text);
/* The machine stood still until now. */
void watch_slept(usec_t duration);
/* The end may come before anybody is at rest: for a machine that is too slow. */
void watch_allow_abandoning(void);
/* An operator stopped it for good; asked for a start. */
void watch_hold(const char *name);
void watch_release_all(void);
/* From now on something may be left behind or take its time, since doors fail. */
void watch_allow_failures(void);
bool watch_allows_failures(void);
/* From now on the notice that a tree is empty may be lost. */
void watch_allow_losses(void);
