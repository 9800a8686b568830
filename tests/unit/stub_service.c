/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "stub_service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/strv.h"
#include "config/config.h"
#include "service/request.h"

#define DAEMONS 4
#define WAITING 512

struct Child {
        DaemonConfig config;
        DaemonState state;
        pid_t pid;
        const char *reason, *status;
};

/* A request or a reload that is not done yet. */
typedef struct Waiting {
        OperationHandler operation;
        ReloadHandler reload;
        void *userdata;
        bool slow, pauses;
} Waiting;

struct Supervisor {
        Loop *loop;
        Config config;
        struct Child children[DAEMONS];
        Waiting waiting[WAITING];
        size_t waiting_count;
        LoopSource *work;
        SupervisorObserver observer;
        Mode mode;
        unsigned signals;
        char status[64];
};

static char stub_names[DAEMONS][8] = { "web", "db", "slow", "idle" };
static char *stub_requires[] = { stub_names[1], NULL };

/* Ends what waits: all of it, or what is not slow. */
static void stub_finish(Supervisor *supervisor, bool slow) {
        size_t left = 0, count = supervisor->waiting_count;

        for (size_t i = 0; i < count; i++) {
                Waiting waiting = supervisor->waiting[i];
                Diag *diag = NULL;

                if (waiting.slow && !slow) {
                        supervisor->waiting[left++] = waiting;
                        continue;
                }
                if (waiting.operation)
                        waiting.operation(waiting.userdata, supervisor,
                                          supervisor->mode == MODE_RUNNING ? OPERATION_DONE
                                                                           : OPERATION_CANCELED);
                if (!waiting.reload || diag_new(&diag) < 0)
                        continue;
                diag_add(diag, SEVERITY_ERROR, "f\xff.conf", 3, "web.nice", "no number \xc3\x28");
                waiting.reload(waiting.userdata, RELOAD_REFUSED, "1 error\xff", diag);
                diag_free(diag);
        }
        supervisor->waiting_count = left;
}

static int stub_work(void *userdata) {
        stub_finish(userdata, false);
        return 0;
}

static int stub_wait(Supervisor *supervisor, const Waiting *waiting) {
        if (supervisor->waiting_count == WAITING)
                return -ENOMEM;
        supervisor->waiting[supervisor->waiting_count++] = *waiting;
        return loop_defer_arm(supervisor->work);
}

Supervisor *stub_new(Loop *loop, const char *control, gid_t admin, gid_t reader) {
        Supervisor *supervisor = calloc(1, sizeof(*supervisor));

        if (!supervisor ||
            loop_add_defer(loop, &supervisor->work, LOOP_SETTLE, "work", stub_work, supervisor) < 0)
                abort();
        supervisor->loop = loop;
        supervisor->mode = MODE_RUNNING;
        supervisor->config.supervisor.control = strdup(control);
        supervisor->config.supervisor.admin_gid = admin;
        supervisor->config.supervisor.reader_gid = reader;
        supervisor->children[0] = (struct Child) {
                .config = { .name = stub_names[0], .requires = stub_requires },
                .state = STATE_RUNNING,
                .pid = 11,
                .reason = "was \xff\xfe",
                .status = "\xe2\x82\xac \x80",
        };
        supervisor->children[1] = (struct Child) {
                .config = { .name = stub_names[1] },
                .state = STATE_RUNNING,
                .pid = 22,
                .reason = "",
                .status = "",
        };
        supervisor->children[2] = (struct Child) {
                .config = { .name = stub_names[2] },
                .state = STATE_RUNNING,
                .pid = 33,
                .reason = "",
                .status = "",
        };
        supervisor->children[3] = (struct Child) {
                .config = { .name = stub_names[3] },
                .state = STATE_STOPPED,
                .reason = "",
                .status = "",
        };
        return supervisor;
}

void stub_free(Supervisor *supervisor) {
        stub_finish(supervisor, true);
        loop_source_free(supervisor->work);
        free(supervisor->config.supervisor.control);
        free(supervisor);
}

static void stub_count(Supervisor *supervisor) {
        supervisor->signals++;
        if (supervisor->observer.status_changed)
                supervisor->observer.status_changed(supervisor->observer.userdata,
                                                    supervisor_status(supervisor));
}

static void stub_change(Supervisor *supervisor) {
        supervisor->children[1].status = "a\tb\nc\x1b\x7f d";
        for (size_t i = 0; i < DAEMONS && supervisor->observer.daemon_changed; i++)
                supervisor->observer.daemon_changed(supervisor->observer.userdata,
                                                    &supervisor->children[i]);
}

size_t supervisor_count(const Supervisor *supervisor) {
        (void) supervisor;
        return DAEMONS;
}

const Child *supervisor_child(const Supervisor *supervisor, size_t index) {
        return &supervisor->children[index];
}

const Child *supervisor_find(const Supervisor *supervisor, const char *name) {
        for (size_t i = 0; i < DAEMONS; i++)
                if (strcmp(supervisor->children[i].config.name, name) == 0)
                        return &supervisor->children[i];
        return NULL;
}

bool supervisor_is_pending(const Supervisor *supervisor, const Child *child) {
        return child == &supervisor->children[3];
}

Mode supervisor_mode(const Supervisor *supervisor) {
        return supervisor->mode;
}

usec_t supervisor_deadline(const Supervisor *supervisor, const Child *child) {
        (void) supervisor;
        return child->state == STATE_DRAINING ? STUB_DEADLINE : USEC_INFINITY;
}

const char *supervisor_status(const Supervisor *supervisor) {
        char *status = ((Supervisor *) (uintptr_t) supervisor)->status;

        snprintf(status, sizeof(supervisor->status), STUB_STATUS "%u", supervisor->signals);
        return status;
}

const char *supervisor_config_path(const Supervisor *supervisor) {
        (void) supervisor;
        return "/etc/stub\xff.conf";
}

const Config *supervisor_config(const Supervisor *supervisor) {
        return &supervisor->config;
}

void supervisor_observe(Supervisor *supervisor, const SupervisorObserver *observer) {
        supervisor->observer = *observer;
}

int supervisor_request(Supervisor *supervisor, const Request *request, const char **ret_unknown) {
        for (char *const *name = request->names; *name; name++)
                if (!supervisor_find(supervisor, *name)) {
                        *ret_unknown = *name;
                        return REQUEST_E_UNKNOWN;
                }
        if (supervisor->mode != MODE_RUNNING)
                return REQUEST_E_BUSY;
        if (request->verb == REQUEST_RELOAD && strv_contains(request->names, "idle")) {
                *ret_unknown = "idle";
                return REQUEST_E_NO_RELOAD;
        }
        return stub_wait(supervisor, &(Waiting) {
                                             .operation = request->handler,
                                             .userdata = request->userdata,
                                             .slow = strv_contains(request->names, "slow"),
                                     });
}

const char *supervisor_remark(const Supervisor *supervisor) {
        (void) supervisor;
        return STUB_REMARK "\xff";
}

const char *record_kind_name(RecordKind kind) {
        return kind == RECORD_KIND_SEQUENCE ? "sequence" : "reload";
}

/* As many as are wanted, each of 100 kB; what was asked for stands at the begin. */
int supervisor_list_records(Supervisor *supervisor, const RecordQuery *query, char ***ret) {
        static const size_t size = 100000;
        size_t count = MIN_OF(MIN_OF(query->limit, query->bytes / size), (size_t) RECORD_KEEP);

        (void) supervisor;
        for (size_t i = 0; i < count; i++) {
                CLEANUP(freep) char *text = malloc(size);

                if (!text)
                        return -ENOMEM;
                memset(text, ' ', size - 1);
                text[size - 1] = '\0';
                text[snprintf(text, size, "%s %u before %u%s", record_kind_name(query->kind),
                              (unsigned) i, (unsigned) query->before,
                              query->full ? " full" : "")] = ' ';
                int r = strv_append(ret, text);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool stub_may_pause(const Child *child) {
        return child->state == STATE_RUNNING || daemon_state_is_taken_out(child->state);
}

int supervisor_pause(Supervisor *supervisor, const PauseRequest *request, const char **ret_name) {
        bool slow = strv_contains(request->names, "slow");

        for (char *const *name = request->names; *name; name++) {
                const Child *child = supervisor_find(supervisor, *name);

                *ret_name = *name;
                if (!child)
                        return REQUEST_E_UNKNOWN;
                if (!stub_may_pause(child))
                        return REQUEST_E_NOT_RUNNING;
        }
        if (supervisor->mode != MODE_RUNNING)
                return REQUEST_E_BUSY;
        for (char *const *name = request->names; *name; name++)
                supervisor->children[child_index(supervisor_find(supervisor, *name))].state =
                        !request->drain ? STATE_FROZEN
                        : slow          ? STATE_DRAINING
                                        : STATE_DRAINED;
        return stub_wait(supervisor, &(Waiting) {
                                             .operation = request->handler,
                                             .userdata = request->userdata,
                                             .slow = slow,
                                             .pauses = true,
                                     });
}

static int stub_check_thaw(const Child *child) {
        if (!child)
                return REQUEST_E_UNKNOWN;
        if (!daemon_state_is_taken_out(child->state))
                return REQUEST_E_NOT_FROZEN;
        return strcmp(child->config.name, "db") == 0 ? REQUEST_E_NO_THAW : 0;
}

static void stub_call_off(Supervisor *supervisor) {
        size_t left = 0, count = supervisor->waiting_count;

        for (size_t i = 0; i < count; i++) {
                Waiting waiting = supervisor->waiting[i];

                if (waiting.pauses)
                        waiting.operation(waiting.userdata, supervisor, OPERATION_CALLED_OFF);
                else
                        supervisor->waiting[left++] = waiting;
        }
        supervisor->waiting_count = left;
}

int supervisor_thaw(Supervisor *supervisor, char *const *names, const char **ret_name) {
        for (char *const *name = names; *name; name++) {
                int r = stub_check_thaw(supervisor_find(supervisor, *name));

                *ret_name = *name;
                if (r != 0)
                        return r;
        }
        if (supervisor->mode != MODE_RUNNING)
                return REQUEST_E_BUSY;
        if (strv_contains(names, "slow"))
                stub_call_off(supervisor);
        for (char *const *name = names; *name; name++)
                supervisor->children[child_index(supervisor_find(supervisor, *name))].state =
                        STATE_RUNNING;
        return 0;
}

int supervisor_signal(Supervisor *supervisor, const char *name, int signo) {
        if (signo == SIGUSR1 && strcmp(name, "slow") == 0)
                stub_finish(supervisor, true);
        if (signo == SIGUSR2 && strcmp(name, "web") == 0)
                stub_change(supervisor);
        if (signo == SIGHUP && strcmp(name, "web") == 0 && supervisor->observer.set_changed)
                supervisor->observer.set_changed(supervisor->observer.userdata);
        stub_count(supervisor);
        return 0;
}

int supervisor_plan(const Supervisor *supervisor, RequestPlan **ret) {
        RequestPlan *plan = calloc(1, sizeof(*plan));

        (void) supervisor;
        if (!plan || diag_new(&plan->diag) < 0)
                abort();
        diag_add(plan->diag, SEVERITY_ERROR, "f.conf", 1, NULL, "it is \xff");
        *ret = plan;
        return 0;
}

RequestPlan *request_plan_free(RequestPlan *plan) {
        diag_free(plan->diag);
        free(plan);
        return NULL;
}

int reload_request(Supervisor *supervisor, const char *who, ReloadHandler handler, void *userdata) {
        (void) who;
        return stub_wait(supervisor, &(Waiting) { .reload = handler, .userdata = userdata });
}

const char *reload_verdict_name(ReloadVerdict verdict) {
        return verdict == RELOAD_REFUSED ? "refused" : "?";
}

void supervisor_stop(Supervisor *supervisor, bool fast, const char *who) {
        (void) who;
        supervisor->mode = MODE_CLEANING;
        stub_finish(supervisor, true);
        loop_exit(supervisor->loop, fast ? 7 : 0);
}

const DaemonConfig *child_config(const Child *child) {
        return &child->config;
}

const char *child_name(const Child *child) {
        return child->config.name;
}

unsigned child_index(const Child *child) {
        return strcmp(child->config.name, "web") == 0    ? 0
               : strcmp(child->config.name, "db") == 0   ? 1
               : strcmp(child->config.name, "slow") == 0 ? 2
                                                         : 3;
}

DaemonState child_state(const Child *child) {
        return child->state;
}

void child_health(const Child *child, ChildHealth *ret) {
        *ret = (ChildHealth){
                .verdict = child->state == STATE_RUNNING ? "sick" : "",
                .looked = (usec_t) child->pid * 1000,
                .failures = 3,
                .text = "no answer",
        };
}

bool child_is_paused(const Child *child) {
        return daemon_state_is_taken_out(child->state);
}

usec_t child_state_since(const Child *child) {
        return (usec_t) child->pid * 1000;
}

ChildReload child_reload_outcome(const Child *child) {
        return strcmp(child->config.name, "web") == 0 ? CHILD_RELOAD_DONE : CHILD_RELOAD_REFUSED;
}

const char *child_reload_name(ChildReload outcome) {
        return outcome == CHILD_RELOAD_DONE ? "reloaded" : "refused";
}

int child_assumptions(const Child *child, char ***ret) {
        (void) child;
        *ret = NULL;
        return strv_append(ret, "main process: 4711, the one that stayed\n");
}

const char *child_reload_text(const Child *child) {
        return strcmp(child->config.name, "web") == 0 ? "" : "its test failed\xff";
}

char *const *child_reload_lines(const Child *child) {
        static char line[] = "line 1 is \xfe";
        static char *const none[] = { NULL }, *const lines[] = { line, NULL };

        return strcmp(child->config.name, "web") == 0 ? none : lines;
}

pid_t child_main_pid(const Child *child) {
        return child->pid;
}

const char *child_reason(const Child *child) {
        return child->reason;
}

usec_t child_started(const Child *child) {
        return (usec_t) child->pid * 100;
}

const char *child_status(const Child *child) {
        return child->status;
}
