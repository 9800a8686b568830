/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * sys/spawn.h on the fake world. The process is there at once, and its exec, or the failure of it,
 * comes as a thing of its own, so that a signal or a race can come between, unless it takes no
 * time.
 */

#include "sys/spawn.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "fake/fake.h"
#include "fake/parts.h"

#define EXIT_NOT_EXECUTED 127

const char *spawn_step_text(SpawnStep step) {
        static const char *const texts[SPAWN_STEP_MAX_] = {
                [SPAWN_STEP_NONE] = "nothing",        [SPAWN_STEP_CGROUP] = "cgroup",
                [SPAWN_STEP_DESCRIPTORS] = "streams", [SPAWN_STEP_LIMITS] = "limits",
                [SPAWN_STEP_PRIORITY] = "priority",   [SPAWN_STEP_GROUPS] = "groups",
                [SPAWN_STEP_USER] = "user",           [SPAWN_STEP_PRIVILEGES] = "privileges",
                [SPAWN_STEP_DIRECTORY] = "directory", [SPAWN_STEP_EXEC] = "exec",
        };
        return texts[step];
}

/* The value of "KEY=value" in the environment of a request, "" if it is not there. */
static const char *request_variable(const SpawnRequest *request, const char *key) {
        size_t length = strlen(key);

        for (char *const *e = request->environment; e && *e; e++)
                if (strncmp(*e, key, length) == 0 && (*e)[length] == '=')
                        return *e + length + 1;
        return "";
}

static SpawnReport spawn_execute(FakeProcess *process) {
        const FakeProgram *program = process->program;
        SpawnReport report = { SPAWN_STEP_EXEC, ENOENT };

        if (program)
                report = (SpawnReport){ program->failing_step, program->error };
        if (report.failed_step == SPAWN_STEP_NONE) {
                process_execute(process);
                return report;
        }
        process->executed = true;
        process_exit(process, false, EXIT_NOT_EXECUTED);
        return report;
}

static void spawn_executed(void *userdata, uint64_t key) {
        FakeProcess *process = process_by_key(key);

        (void) userdata;
        if (process_is_alive(process))
                descriptor_report(process, spawn_execute(process));
}

static void spawn_begin(FakeProcess *process, Spawned *ret) {
        usec_t duration = process->program ? process->program->exec_time : 0;

        if (duration == 0) {
                ret->report = spawn_execute(process);
                return;
        }
        process->report_fd = ret->report_fd = descriptor_new(DESCRIPTOR_REPORT, process, NULL);
        world_at(usec_add(world_now(), duration), spawn_executed, NULL, process_key(process));
}

/* The tree that a new process is born in. */
static WorldTree *spawn_tree(const SpawnRequest *request) {
        const Descriptor *cgroup = descriptor_get(request->cgroup_fd);

        if (cgroup)
                return world_tree(cgroup->name);
        return fake_tree_of_invocation(request_variable(request, "SUPERVISOR_INVOCATION"));
}

int spawn(const SpawnRequest *request, Spawned *ret) {
        int r = fake_door(DOOR_SPAWN);
        if (r < 0)
                return r;

        const FakeProgram *program = world_find_program(request->command[0]);
        WorldTree *tree = spawn_tree(request);

        world_count_doubled(tree);
        FakeProcess *process = process_add_to(tree, WORLD_SUPERVISOR, program);
        if (!process)
                return -EAGAIN;

        tree->spawned = process->generation;
        tree->spawned_when = world_now();
        tree->first_ended = false;
        strncat(process->notify_path, request_variable(request, "NOTIFY_SOCKET"),
                WORLD_NAME_MAX - 1);
        strncat(process->invocation, request_variable(request, "SUPERVISOR_INVOCATION"),
                WORLD_NAME_MAX - 1);

        fake_capture_process(request->output, process);
        world_trace("  process %d is spawned (%s)", process->pid, request->command[0]);
        *ret = (Spawned){
                .pid = process->pid,
                .pidfd = descriptor_new(DESCRIPTOR_PIDFD, process, NULL),
                .report_fd = -1,
        };
        spawn_begin(process, ret);
        return 0;
}

int spawn_report_read(int report_fd, SpawnReport *ret) {
        const Descriptor *report = descriptor_get(report_fd);
        if (!report || report->kind != DESCRIPTOR_REPORT)
                return -EBADF;
        if (!report->ready)
                return -EAGAIN;

        *ret = report->report;
        return 0;
}
