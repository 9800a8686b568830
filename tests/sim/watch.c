/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What holds always: after each step, for each line of the log, at rest and at the end. */

#include "sim/watch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Watch watch;
Run watch_runs[RUN_MAX];
Order watch_orders[ORDER_MAX];

void sim_fail(const char *format, ...) {
        va_list arguments;

        fflush(stdout);
        fprintf(stderr, "at %.6f s: ", (double) sim_now() / (double) USEC_PER_SEC);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fputc('\n', stderr);
        abort();
}

Watched *watch_daemon(const char *name) {
        for (size_t i = 0; i < watch.daemon_count; i++)
                if (strcmp(watch.daemons[i].name, name) == 0)
                        return &watch.daemons[i];
        if (watch.daemon_count == DAEMON_MAX)
                sim_fail("so many daemons cannot be watched");

        Watched *daemon = &watch.daemons[watch.daemon_count++];
        char helper[WORLD_NAME_MAX];

        snprintf(helper, sizeof(helper), "%s.helper", name);
        *daemon = (Watched){ .tree = world_tree(name), .helper = world_tree(helper) };
        snprintf(daemon->name, sizeof(daemon->name), "%s", name);
        return daemon;
}

/* Who comes back is another one. */
static void watch_forget_removed(const Generation *generation) {
        for (size_t i = 0; i < watch.daemon_count; i++)
                if (!config_find(generation->config, watch.daemons[i].name))
                        watch.daemons[i].held = watch.daemons[i].started = false;
}

void watch_look_at_generation(void) {
        const Generation *generation = sim_supervisor()->generation;

        if (generation == watch.generation)
                return;
        if (watch.generation && watch_runs_are_active())
                sim_fail("the configuration changes in the middle of a sequence");
        watch.generation = generation;
        if (generation->count > DAEMON_MAX)
                sim_fail("so many daemons cannot be watched");
        for (size_t i = 0; i < watch.daemon_count; i++)
                watch.daemons[i].configured = false;
        watch_forget_removed(generation);
        for (size_t i = 0; i < generation->count; i++) {
                watch.nodes[i] = watch_daemon(child_name(generation->children[i]));
                watch.nodes[i]->configured = true;
        }
        if (graph_order(generation->config->graph, watch.order) < 0)
                sim_fail("no memory");
}

void watch_hold(const char *name) {
        if (sim_find(name))
                watch_daemon(name)->held = true;
}

void watch_release_all(void) {
        for (size_t i = 0; i < watch.daemon_count; i++)
                watch.daemons[i].held = false;
}

#define HELD_HEADER "supervisord-stopped 1\n"

/* Those that an earlier supervisor wrote down. */
static void watch_read_held(void) {
        char name[NAME_ROOM];
        const char *line;

        if (!world_read(SIM_STATE "/stopped", &line) || !line ||
            strncmp(line, HELD_HEADER, strlen(HELD_HEADER)) != 0)
                return;
        for (; *line; line += strcspn(line, "\n"), line += *line == '\n')
                if (sscanf(line, "%31[^ \n]", name) == 1)
                        watch_hold(name);
}

void watch_begin(void) {
        watch = (Watch){ .births = world_births() };
        watch_reload_reset();
        watch_records_begin();
        watch_look_at_generation();
        watch_read_held();
}

void watch_slept(usec_t duration) {
        watch.awake = world_now();
        watch.slept += duration;
}

bool watch_is_over(usec_t deadline) {
        return world_now() > MAX_OF(deadline, watch.awake);
}

void watch_allow_failures(void) {
        watch.doors = true;
}

void watch_allow_losses(void) {
        watch.lossy = true;
}

bool watch_allows_failures(void) {
        return watch.doors;
}

/* ---- lines ---- */

/* Whether something of it cannot die, or was on the way there until just now. */
static bool watch_is_unkillable(const Watched *daemon) {
        return daemon->tree->blocked > 0 ||
               (daemon->blocked > 0 && world_now() <= daemon->blocked + LOST_MOST);
}

void watch_line(MessageId message, const char *daemon, const char *text) {
        if (strncmp(text, "bug:", 4) == 0)
                sim_fail("%s", text);
        if (daemon)
                watch_intake_line(message, daemon, text);
        if (message == MESSAGE_DAEMON_READY)
                watch_ready_line(daemon);
        if (daemon)
                watch_leftovers_line(message, daemon, text);
        if (message == MESSAGE_DAEMON_EXITED)
                watch_ended_line(daemon);
        if (message == MESSAGE_SUPERVISOR_STOPPING)
                watch_grace_begin();
        if (message == MESSAGE_DAEMON_FORCED && daemon)
                watch_forced_line(daemon, text);
        if (message == MESSAGE_DAEMON_SPARED &&
            child_config(sim_child(daemon))->cleanup.leftovers != LEFTOVERS_SPARE)
                sim_fail("what %s left is spared, but nobody wants it", daemon);
        if (message == MESSAGE_DAEMON_SPARED && child_main_pid(sim_child(daemon)) > 0)
                sim_fail("%s is spared with its main process", daemon);
        if (message == MESSAGE_DAEMON_STUCK && !watch.doors && watch_is_over(0) &&
            !watch_is_unkillable(watch_daemon(daemon)))
                sim_fail("%s is given up as stuck, but could be killed", daemon);
        if (message == MESSAGE_DAEMON_STOPPED && watch_daemon(daemon)->started &&
            world_population(daemon) > 0)
                sim_fail("%s is said to have stopped, but lives", daemon);
}

/* In these states nothing of a daemon lives. */
static bool watch_must_be_empty(DaemonState state) {
        return state == STATE_STOPPED || state == STATE_DONE || state == STATE_ENDED ||
               state == STATE_TIDYING || state == STATE_CLEARED || state == STATE_DELAYED ||
               state == STATE_FAILED;
}

/* In these states the end of a daemon has to be noticed at once. */
static bool watch_somebody_waits(DaemonState state) {
        return daemon_state_is_live(state) && state != STATE_FROZEN && state != STATE_DRAINED &&
               state != STATE_STUCK;
}

static void watch_judge_processes(unsigned node, DaemonState state) {
        const Child *child = watch.generation->children[node];
        Watched *daemon = watch.nodes[node];
        unsigned population = daemon->tree->population;
        const FakeProcess *process = process_find(child_main_pid(child));

        if (daemon->tree->blocked > 0)
                daemon->blocked = world_now();
        daemon->stuck = state == STATE_STUCK;
        if (daemon->started && population > 0 && watch_must_be_empty(state))
                sim_fail("%s is %s, but %u processes of it live", watch_name(node),
                         daemon_state_name(state), population);
        if (process && process->tree != daemon->tree)
                sim_fail("the main process of %s is a stranger", watch_name(node));

        /* the end of a process may be known a little later */
        if (population > 0 || !watch_somebody_waits(state) ||
            (state == STATE_STOPPING && daemon->helper->population > 0)) /* its stop.command */
                daemon->empty_since = 0;
        else if (daemon->empty_since == 0)
                daemon->empty_since = world_now();
        else if (watch_is_over(daemon->empty_since + LOST_MOST) && !watch.doors &&
                 !watch.lossy)
                sim_fail("%s is said to be %s, but nothing of it lives", watch_name(node),
                         daemon_state_name(state));
}

static bool watch_has_fallen(unsigned node, DaemonState state) {
        const Generation *generation = watch.generation;

        if (!daemon_state_is_up(state))
                return false;
        GraphEdges needs = graph_needs(generation->config->graph, node);
        for (size_t i = 0; i < needs.count; i++)
                if (needs.edges[i].required && !generation->pending[needs.edges[i].node] &&
                    daemon_state_is_resting(watch_state(needs.edges[i].node)))
                        return true;
        return false;
}

static bool watch_may_start(unsigned node) {
        const Generation *generation = watch.generation;

        if (!generation->pending[node])
                return false;
        GraphEdges needs = graph_needs(generation->config->graph, node);
        for (size_t i = 0; i < needs.count; i++) {
                unsigned other = needs.edges[i].node;
                bool settled = (daemon_state_is_settled(watch_state(other)) ||
                                watch_is_paused(other)) &&
                               !generation->pending[other];
                if (needs.edges[i].required ? !daemon_state_is_ready(watch_state(other)) : !settled)
                        return false;
        }
        return true;
}

/* Who waits for others is started as soon as they are there. */
static void watch_judge_pending(unsigned node) {
        Watched *daemon = watch.nodes[node];

        if (!watch_may_start(node) || mode_is_stopping(sim_mode()))
                daemon->startable_since = 0;
        else if (daemon->startable_since == 0)
                daemon->startable_since = world_now();
        else if (watch_is_over(daemon->startable_since))
                sim_fail("%s waits for its start, but for nothing else", watch_name(node));
}

/* Who lost what it requires is stopped, unless others are being stopped or started just now. */
static void watch_judge_fallen(unsigned node, DaemonState state) {
        Watched *daemon = watch.nodes[node];

        if (!watch_has_fallen(node, state) || mode_is_stopping(sim_mode()) ||
            sim_mode() == MODE_RELOADING || operations_are_active(sim_supervisor()))
                daemon->fallen_since = 0;
        else if (daemon->fallen_since == 0)
                daemon->fallen_since = world_now();
        else if (watch_is_over(daemon->fallen_since))
                sim_fail("%s is up, but something that it requires is gone", watch_name(node));
}

/* One that is sick runs on only if its policy or something that has to come first wants it so. */
static void watch_judge_sick(unsigned node, DaemonState state) {
        const Child *child = watch.generation->children[node];
        Watched *daemon = watch.nodes[node];

        if (child_is_sick(child) && state != STATE_RUNNING)
                sim_fail("%s is %s and sick", watch_name(node), daemon_state_name(state));
        if (!child_is_sick(child) || child_config(child)->restart.policy == RESTART_NEVER ||
            mode_is_stopping(sim_mode()) || sim_mode() == MODE_RELOADING ||
            operations_hold(sim_supervisor(), node))
                daemon->sick_since = 0;
        else if (daemon->sick_since == 0)
                daemon->sick_since = world_now();
        else if (watch_is_over(daemon->sick_since))
                sim_fail("%s is sick, and nothing comes of it", watch_name(node));
        if (child_ends_as_failed(child) && !operations_hold(sim_supervisor(), node))
                sim_fail("%s is ended as one that has failed, but by nobody", watch_name(node));
}

/* Anybody who found its socket may ask, but only those of its own are heard. */
static usec_t watch_extended(unsigned node) {
        char path[WORLD_NAME_MAX];

        snprintf(path, sizeof(path), SIM_RUNTIME "/notify/%s", watch_name(node));
        return fake_extended(path);
}

static void watch_judge_start_time(unsigned node, DaemonState state) {
        const Child *child = watch.generation->children[node];

        if (state != STATE_STARTING && state != STATE_PROBING)
                return;
        usec_t begun = MAX_OF(child_started(child), watch.nodes[node]->tree->spawned_when);
        usec_t end = usec_add(begun, child_config(child)->ready.timeout);
        if (watch_is_over(end) && watch_is_over(watch_extended(node)))
                sim_fail("%s was not given up when its time to become ready was over",
                         watch_name(node));
}

/* Of a daemon that is not configured any more nothing lives. */
static void watch_judge_removed(void) {
        for (size_t i = 0; i < watch.daemon_count; i++) {
                const Watched *daemon = &watch.daemons[i];

                if (!daemon->configured && daemon->started && daemon->tree->population > 0 &&
                    !daemon->stuck && !watch.doors)
                        sim_fail("%s was removed, but lives", daemon->name);
        }
}

void watch_step(void) {
        if (sim_exited() && sim_code() < 0)
                sim_fail("the loop failed: %s", strerror(-sim_code()));
        if (world_harmed() > 0)
                sim_fail("a stranger was signalled");
        if (world_doubled() > 0)
                sim_fail("a daemon was started while another one of it lived");
        watch_judge_repeat();
        watch_look_at_generation();
        watch_judge_missed();
        watch_judge_grace();
        watch_judge_removed();
        for (unsigned i = 0; i < watch_count(); i++) {
                DaemonState state = watch_state(i);

                watch_judge_processes(i, state);
                watch_judge_main(i, state);
                watch_judge_start_time(i, state);
                watch_judge_fallen(i, state);
                watch_judge_sick(i, state);
                watch_judge_pending(i);
                watch_note_schedule(i, state);
                watch_judge_intake(i, state);
                watch_judge_leftovers(i, state);
                watch.nodes[i]->forced_now = false;
        }
        watch.races = world_races();
        if (fake_notify_overdue())
                sim_fail("systemd has lost patience");
        if (fake_notify_count(NOTIFY_STOPPING) > 1)
                sim_fail("systemd was told twice of the stop");
}

/* What systemd shows has to be the truth when nothing is on its way any more. */
static void watch_judge_status(void) {
        unsigned running = 0, said = 0, all = 0;

        for (unsigned i = 0; i < watch_count(); i++)
                running += daemon_state_is_ready(watch_state(i));
        if (sscanf(fake_notify_status(), "running: %u of %u", &said, &all) != 2 ||
            said != running || all != watch_count())
                sim_fail("%u of %zu daemons run, but systemd shows \"%s\"", running, watch_count(),
                         fake_notify_status());
}

/* Whether it requires one that is paused, or something that waits for such. */
static bool watch_waits_for_operator(unsigned node) {
        GraphEdges needs = graph_needs(watch.generation->config->graph, node);

        for (size_t i = 0; i < needs.count; i++) {
                unsigned other = needs.edges[i].node;

                if ((needs.edges[i].required && watch_is_paused(other)) ||
                    (watch.generation->pending[other] && watch_waits_for_operator(other)))
                        return true;
        }
        return false;
}

void watch_rest(void) {
        if (sim_mode() != MODE_RUNNING)
                sim_fail("nothing can happen any more, and the supervisor is %s",
                         mode_name(sim_mode()));
        if (sim_supervisor()->reload.wanted)
                sim_fail("nothing can happen any more, and a reload is wanted");
        if (operations_are_active(sim_supervisor()) || watch_runs_are_active())
                sim_fail("nothing can happen any more, and an operation is not over");
        for (unsigned i = 0; i < watch_count(); i++) {
                if (!daemon_state_is_ready(watch_state(i)) &&
                    !daemon_state_is_resting(watch_state(i)) &&
                    !child_is_paused(sim_supervisor()->generation->children[i]))
                        sim_fail("nothing can happen any more, and %s is %s", watch_name(i),
                                 daemon_state_name(watch_state(i)));
                watch_judge_open(i);
                if (watch.generation->pending[i] && !watch_waits_for_operator(i))
                        sim_fail("nothing can happen any more, and %s waits for its start",
                                 watch_name(i));
        }
        watch_judge_status();
}

/* Helper commands end with what they were for, or are at least being killed. */
static void watch_judge_helpers(void) {
        unsigned cursor = 0;

        for (const FakeProcess *process; (process = process_each(&cursor));)
                if (!process->zombie && world_is_helper(process->tree->name) && !watch.doors &&
                    process->tree->spawned > watch.births && process->killed_by == 0 &&
                    process->blocked_until == 0)
                        sim_fail("a process of %s is left", process->tree->name);
}

void watch_exit(void) {
        unsigned cut = 0, stuck = 0;

        if (watch.abandoned)
                return;
        for (unsigned i = 0; i < watch_count(); i++) {
                DaemonState state = watch_state(i);

                if (!daemon_state_is_resting(state))
                        sim_fail("%s is %s after the end", watch_name(i), daemon_state_name(state));
                if (watch.nodes[i]->started && state != STATE_STUCK &&
                    world_population(watch_name(i)) > 0)
                        sim_fail("%u processes of %s are left", world_population(watch_name(i)),
                                 watch_name(i));
                cut += watch.nodes[i]->cut;
                stuck += state == STATE_STUCK;
        }
        if ((int) cut != sim_said_forced(MESSAGE_SUPERVISOR_STOPPED))
                sim_fail("%u daemons were forced, %d were counted", cut,
                         sim_said_forced(MESSAGE_SUPERVISOR_STOPPED));
        watch_judge_helpers();
        watch_judge_records();
        if (stuck == 0 && !watch.doors && fake_cgroup_count(false) > 0)
                sim_fail("%u cgroups are left", fake_cgroup_count(false));
        if (stuck == 0 && fake_reaper_waits(sim_supervisor()->reaper) > 0)
                sim_fail("%u processes are waited for after the end",
                         fake_reaper_waits(sim_supervisor()->reaper));
        if (sim_said(MESSAGE_SUPERVISOR_STOPPED, NULL) != 1)
                sim_fail("the end was not said once");
        if (watch_stop_records() != 1)
                sim_fail("there are %u records of the stop", watch_stop_records());
}
