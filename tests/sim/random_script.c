/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "sim/random_parts.h"

void script_begin(Script *script, const char *kind, unsigned index) {
        memset(script, 0, sizeof(*script));
        snprintf(script->path, sizeof(script->path), "/%s%u", kind, index);
        script->program = (FakeProgram){ .path = script->path };
}

void script_act(Script *script, FakeAct act) {
        if (script->act_count + 1 < RANDOM_ACT_MAX)
                script->acts[script->act_count++] = act;
}

void script_end(Script *script) {
        script->program.acts = script->acts;
        script->program.reactions = script->reactions;
        world_add_program(&script->program);
}

FakeAct *script_react(Script *script, int signo) {
        FakeReaction *reaction = &script->reactions[script->reaction_count];
        FakeAct *acts = script->reaction_acts[script->reaction_count++];

        *reaction = (FakeReaction){ signo, acts };
        return acts;
}

void script_react_to_stop(Script *script, int signo, bool has_workers) {
        FakeAct *acts;

        switch (world_choose(9)) {
        case 0: /* as signal(7) says */
                return;
        case 1: /* deaf */
                script->reactions[script->reaction_count++] = (FakeReaction) DEAF(signo);
                return;
        case 2:
                acts = script_react(script, signo);
                acts[0] = (FakeAct) DIE(random_time(), signo);
                return;
        case 3: /* it hangs in the kernel before it can do so */
                acts = script_react(script, signo);
                acts[0] = (FakeAct) BLOCK(0, random_time());
                acts[1] = (FakeAct) EXIT(random_time(), 0);
                return;
        case 4: /* as a well-bred server */
                acts = script_react(script, signo);
                acts[0] = (FakeAct) CLOSE(0);
                acts[1] = (FakeAct) EXIT_SERVED(random_time() / 10, 0);
                return;
        default:
                acts = script_react(script, signo);
                if (has_workers) {
                        acts[0] = (FakeAct) SIGNAL_CHILDREN(0, signo);
                        acts[1] = (FakeAct) EXIT_ALONE(random_time());
                } else
                        acts[0] = (FakeAct) EXIT(random_time(), random_once_in(4));
                return;
        }
}

void script_react_to_all(Script *script, bool has_workers) {
        script_react_to_stop(script, SIGTERM, has_workers);
        script_react_to_stop(script, SIGQUIT, has_workers);
        script_react_to_stop(script, SIGUSR1, has_workers); /* freeze.signal */
        script_react_to_stop(script, SIGUSR2, has_workers); /* drain.signal */
}

void script_react_to_reload(Script *script, bool tells) {
        FakeAct *acts;

        if (random_once_in(6)) /* as signal(7) says: it dies */
                return;
        acts = script_react(script, SIGHUP);
        if (random_once_in(6))
                acts[0] = (FakeAct) EXIT(random_time(), 1);
        else if (random_once_in(4)) { /* it executes itself into the background, as it were */
                acts[0] = (FakeAct) FORK_SESSION(0, script->path);
                acts[1] = (FakeAct) EXIT(random_once_in(2) ? 0 : random_time(), 0);
        }
        else if (tells) {
                acts[0] = (FakeAct) NOTIFY(0, "RELOADING=1\n");
                if (!random_once_in(6))
                        acts[1] = (FakeAct) NOTIFY(random_time(), "READY=1\n");
        }
}

void script_misfortune(Script *script) {
        if (random_once_in(6))
                ACT(script, EXIT(random_time() + random_time(), world_choose(2)));
        if (random_once_in(10))
                ACT(script, DIE(random_time() + random_time(), SIGSEGV));
        if (random_once_in(20))
                ACT(script, BLOCK(random_time() + random_time(), random_time()));
}

void script_unable(Script *script) {
        static const struct {
                SpawnStep step;
                int error;
        } failures[] = {
                { SPAWN_STEP_EXEC, EACCES },      { SPAWN_STEP_CGROUP, EBUSY },
                { SPAWN_STEP_USER, EAGAIN },      { SPAWN_STEP_DESCRIPTORS, EMFILE },
                { SPAWN_STEP_DIRECTORY, ENOENT },
        };

        script->program.exec_time = random_once_in(2) ? 0 : random_time() / 10;
        if (!random_once_in(25))
                return;
        unsigned which = world_choose(ELEMENTSOF(failures));
        script->program.failing_step = failures[which].step;
        script->program.error = failures[which].error;
}
