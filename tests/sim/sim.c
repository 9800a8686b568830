/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Setting up, running and taking down a simulation; what was said is kept here. */

#include "sim/sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "config/load.h"
#include "config/remark.h"
#include "sim/watch.h"

#define LINE_MAX_     4096
#define LINE_TEXT_MAX 200
#define LINE_NAME_MAX 32
#define CONFIG_MAX    64
#define CONFIG_PATH   SIM_RUNTIME "/supervisord.conf"

typedef struct SimLine {
        usec_t when;
        MessageId message;
        int forced; /* SUPERVISOR_FORCED=, -1: none */
        char daemon[LINE_NAME_MAX];
        char text[LINE_TEXT_MAX];
} SimLine;

static struct {
        Loop *loop;
        Config *configs[CONFIG_MAX]; /* all there were */
        size_t config_count;
        Supervisor *supervisor;
        usec_t zero;
        usec_t slept;
        bool planning;        /* a configuration is only looked at */
        unsigned descriptors; /* open before it began */
        int reload_outcome;
        Config *reload_config; /* what a reload finds */
        size_t line_count;
        char fields[2048];
} sim;

static SimLine sim_lines[LINE_MAX_]; /* those with a message */

/* ---- what was said ---- */

static int field_number(const LogContext *context, const char *key) {
        for (const char *const *field = context->fields; field && *field; field++)
                if (strncmp(*field, key, strlen(key)) == 0)
                        return atoi(*field + strlen(key));
        return -1;
}

/* Of a verdict. */
static void sim_keep_fields(const LogContext *context) {
        size_t used = 0;

        for (const char *const *field = context->fields; field && *field; field++)
                if (used < sizeof(sim.fields))
                        used += (size_t) snprintf(sim.fields + used, sizeof(sim.fields) - used,
                                                  "%s\n", *field);
}

const char *sim_verdict_fields(void) {
        return sim.fields;
}

static void sim_on_line(void *userdata, int priority, const LogContext *context, const char *text) {
        static const LogContext nothing;

        (void) userdata;
        if (!context)
                context = &nothing;
        world_trace("    <%d> %s%s%s", priority, context->daemon ? context->daemon : "",
                    context->daemon ? ": " : "", text);
        watch_line(context->message, context->daemon, text);
        if (context->message == MESSAGE_RELOAD_DONE || context->message == MESSAGE_RELOAD_REFUSED ||
            context->message == MESSAGE_RELOAD_ROLLED_BACK)
                sim_keep_fields(context);

        if (context->message == MESSAGE_NONE || sim.line_count == LINE_MAX_)
                return;
        SimLine *line = &sim_lines[sim.line_count++];
        *line = (SimLine){
                .when = sim_now(),
                .message = context->message,
                .forced = field_number(context, "SUPERVISOR_FORCED="),
        };
        snprintf(line->daemon, sizeof(line->daemon), "%s", context->daemon ? context->daemon : "");
        snprintf(line->text, sizeof(line->text), "%s", text);
}

/* The last line of that message at or before `from`, or NULL. */
static const SimLine *sim_find_line(MessageId message, const char *daemon) {
        for (size_t i = sim.line_count; i-- > 0;) {
                const SimLine *line = &sim_lines[i];
                if (line->message == message && (!daemon || strcmp(line->daemon, daemon) == 0))
                        return line;
        }
        return NULL;
}

unsigned sim_said(MessageId message, const char *daemon) {
        unsigned count = 0;

        for (size_t i = 0; i < sim.line_count; i++)
                count += sim_lines[i].message == message &&
                         (!daemon || strcmp(sim_lines[i].daemon, daemon) == 0);
        return count;
}

usec_t sim_said_when(MessageId message, const char *daemon) {
        const SimLine *line = sim_find_line(message, daemon);

        return line ? line->when : USEC_INFINITY;
}

const char *sim_said_text(MessageId message, const char *daemon) {
        const SimLine *line = sim_find_line(message, daemon);

        return line ? line->text : "";
}

int sim_said_forced(MessageId message) {
        const SimLine *line = sim_find_line(message, NULL);

        return line ? line->forced : -1;
}

/* ---- reloading: config_load() comes in by the linker's --wrap= ---- */

int __wrap_config_load(const char *path, Diag *diag, Config **ret);

int __wrap_config_load(const char *path, Diag *diag, Config **ret) {
        if (!sim.planning)
                watch_reload_begin(sim.reload_outcome == 0 ? sim.reload_config : NULL);
        if (sim.reload_outcome == 0)
                *ret = config_ref(sim.reload_config);
        if (sim.reload_outcome == CONFIG_E_INVALID)
                diag_add(diag, SEVERITY_ERROR, path, 1, NULL, "it is invalid");
        return sim.reload_outcome;
}

void sim_plan(void) {
        CLEANUP(request_plan_freep) RequestPlan *plan = NULL;

        sim.planning = true;
        int r = supervisor_plan(sim.supervisor, &plan);
        sim.planning = false;
        if (r == 0 && (plan->config == NULL) != (sim.reload_outcome == CONFIG_E_INVALID))
                sim_fail("a plan is not of what there is");
}

void sim_set_reload(int outcome) {
        sim.reload_outcome = outcome;
}

/* Reads the configuration; false: it has errors, and they are printed if `loud`. */
static const char *sim_config_file = CONFIG_PATH;

void sim_set_config_file(const char *path) {
        sim_config_file = path;
}

/* Scenarios are about daemons that stay, and ready at once, where they do not say anything else. */
static void sim_set_types(Config *config) {
        for (size_t i = 0; i < config->daemon_count; i++)
                if (!remark_is_written(&config->daemons[i], "type"))
                        config->daemons[i].type = DAEMON_SIMPLE;
}

static bool sim_read_config(const char *settings, const char *daemons, bool loud, Config **ret) {
        CLEANUP(diag_freep) Diag *diag = NULL;
        CLEANUP(config_unrefp) Config *config = NULL;
        CLEANUP(freep) char *text = NULL;

        /* unless the scenario is about just these */
        const char *runtime = strstr(settings, "runtime_directory")
                                      ? ""
                                      : "runtime_directory = \"" SIM_RUNTIME "\";";
        const char *state = strstr(settings, "state_directory")
                                    ? ""
                                    : "state_directory = \"" SIM_STATE "\";";
        if (asprintf(&text, "supervisor: { %s %s %s };\ndaemons: {\n%s\n};\n", runtime, state,
                     settings, daemons) < 0 ||
            diag_new(&diag) < 0 || config_new(&config) < 0)
                sim_fail("no memory");

        config->loaded = clock_realtime();
        int r = config_read_text(text, sim_config_file, diag, config);
        sim_set_types(config);
        if (r == 0)
                r = config_resolve(config, diag);
        if (r < 0)
                sim_fail("a configuration cannot be read: %d", r);
        if (diag_errors(diag) > 0) {
                if (loud)
                        diag_print(diag, stderr);
                return false;
        }
        *ret = TAKE(config);
        return true;
}

bool sim_is_valid(const char *settings, const char *daemons) {
        CLEANUP(config_unrefp) Config *config = NULL;

        return sim_read_config(settings, daemons, false, &config);
}

static Config *sim_make_config(const char *settings, const char *daemons) {
        Config *config;

        if (!sim_read_config(settings, daemons, true, &config))
                sim_fail("the configuration of the scenario is wrong: %s\n%s", settings, daemons);
        if (sim.config_count == CONFIG_MAX)
                sim_fail("so many configurations cannot be kept");
        return sim.configs[sim.config_count++] = config;
}

void sim_set_config_with(const char *settings, const char *daemons) {
        sim.reload_outcome = 0;
        sim.reload_config = sim_make_config(settings, daemons);
}

void sim_set_config(const char *daemons) {
        sim_set_config_with("", daemons);
}

/* ---- begin and end ---- */

static void sim_free(void) {
        sim.supervisor = supervisor_free(sim.supervisor);
        for (unsigned i = 0; fake_source_name(sim.loop, i); i++)
                sim_fail("source \"%s\" is still there after the end",
                         fake_source_name(sim.loop, i));
        sim.loop = loop_free(sim.loop);
        for (size_t i = 0; i < sim.config_count; i++) {
                if (sim.configs[i]->reference_count != 1)
                        sim_fail("%u references to a configuration are left",
                                 sim.configs[i]->reference_count - 1);
                config_unref(sim.configs[i]);
        }
        if (fake_notify_socket_count() > 0)
                sim_fail("a notify socket is left");
        if (descriptor_count() != sim.descriptors)
                sim_fail("%u descriptors are open, %u were before", descriptor_count(),
                         sim.descriptors);

        log_use(NULL, NULL);
}

bool sim_try_make(const char *settings, const char *daemons) {
        memset(&sim, 0, sizeof(sim));
        sim.descriptors = descriptor_count();
        sim.zero = world_now();
        ask_begin();
        log_use(sim_on_line, NULL);
        log_set_priority(LOG_DEBUG);

        sim.reload_config = sim_make_config(settings, daemons);
        if (loop_new(&sim.loop) < 0)
                sim_fail("no memory");
        int r = supervisor_new(sim.loop, CONFIG_PATH, sim.reload_config, &sim.supervisor);
        if (r != 0) {
                sim_free();
                return false;
        }
        if (!sim.supervisor->cgroups)
                world_forget_trees();
        watch_begin();
        return true;
}

static void sim_make(const char *settings, const char *daemons) {
        if (!sim_try_make(settings, daemons))
                sim_fail("the supervisor cannot be made");
}

void sim_begin_with(uint64_t seed, const char *settings, const char *daemons) {
        world_begin(seed);
        sim_make(settings, daemons);
}

void sim_begin(uint64_t seed, const char *daemons) {
        sim_begin_with(seed, "", daemons);
}

void sim_kill(void) {
        world_trace("the supervisor is killed");
        log_use(NULL, NULL);
        fake_doors_shut(true);
        sim_free();
        fake_doors_shut(false);
        process_leave_to_init();
        fake_notify_reset();
}

void sim_leave(void) {
        if (sim_exited())
                watch_exit();
        sim_free();
        process_leave_to_init();
        fake_notify_reset();
}

void sim_end(void) {
        world_stop(); /* what is half taken down is not asked for anything */
        sim_leave();
        world_end();
}

void sim_restart(const char *daemons) {
        sim_leave();
        sim_make("", daemons);
}

/* ---- running ---- */

void sim_start(void) {
        fake_notify_begin();
        supervisor_start(sim.supervisor);
}

bool sim_step(void) {
        if (!sim_exited() && fake_is_at_rest(sim.loop))
                watch_rest();
        bool stepped = fake_step(sim.loop);
        watch_step();
        return stepped;
}

/* A timer of nobody's, so that the clock stops at that moment and not behind it. */
static void sim_nothing(void *userdata, uint64_t argument) {
        (void) userdata;
        (void) argument;
}

void sim_run_until(usec_t when) {
        usec_t absolute = usec_add(sim.zero, when);

        if (absolute <= world_now())
                return;
        world_plan(absolute, sim_nothing, NULL, 0);
        while (world_now() < absolute && sim_step())
                ;
        fake_run_until(sim.loop, absolute);
        watch_step();
}

void sim_run_for(usec_t duration) {
        sim_run_until(usec_add(sim_now(), duration));
}

void sim_run_to_exit(void) {
        while (!sim_exited())
                if (!sim_step() && !sim_exited())
                        sim_fail("nothing can happen any more, and the loop was not left");
}

void sim_sleep(usec_t duration) {
        world_trace("the machine stands still");
        world_jump(duration);
        sim.slept += duration;
        fake_notify_slept(duration);
        watch_slept(duration);
}

usec_t sim_slept(void) {
        return sim.slept;
}

/* ---- looking ---- */

usec_t sim_now(void) {
        return world_now() - sim.zero;
}

Supervisor *sim_supervisor(void) {
        return sim.supervisor;
}

Loop *sim_loop(void) {
        return sim.loop;
}

bool sim_exited(void) {
        return fake_loop_exited(sim.loop);
}

int sim_code(void) {
        return fake_loop_code(sim.loop);
}

Mode sim_mode(void) {
        return sim.supervisor->mode;
}

Child *sim_find(const char *name) {
        const Generation *generation = sim.supervisor->generation;
        const DaemonConfig *daemon = config_find(generation->config, name);

        return daemon ? generation->children[daemon->index] : NULL;
}

Child *sim_child(const char *name) {
        Child *child = sim_find(name);

        if (!child)
                sim_fail("there is no daemon %s", name);
        return child;
}

DaemonState sim_state(const char *name) {
        return child_state(sim_child(name));
}

pid_t sim_main_pid(const char *name) {
        return child_main_pid(sim_child(name));
}

unsigned sim_population(const char *name) {
        return world_population(name);
}
