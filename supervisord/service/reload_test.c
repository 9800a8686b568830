/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The configuration tests of the daemons themselves, before the commit line: a bad file of its own
 * would kill many a daemon at its reload, and keep it from starting again. All of them run, so that
 * all findings are there at once.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "child/command.h"
#include "config/remark.h"
#include "service/object.h"

/* So many at a time: a thousand new processes at once would be felt by those that serve. */
#define RELOAD_TESTS_SIDE_BY_SIDE 64

struct ReloadTest {
        const DaemonConfig *daemon; /* of the configuration that is to come */
        pid_t main_pid;
        Command *command; /* NULL: not started yet, or `error` */
        int error;
};

/* Whether it will read its own files, and knows how to test them. */
static bool reload_is_tested(const Reload *reload, const PlanEntry *entry) {
        return (entry->action == PLAN_RELOAD || entry->action == PLAN_RESTART ||
                entry->action == PLAN_START) &&
               reload->diff->after->daemons[entry->diff->after].reload.check;
}

int reload_tests_new(Reload *reload) {
        const Plan *plan = reload->plan;

        reload->tests = calloc(MAX_OF(plan->count, (size_t) 1), sizeof(*reload->tests));
        if (!reload->tests)
                return -ENOMEM;
        for (size_t i = 0; i < plan->count; i++) {
                const PlanEntry *entry = &plan->entries[i];

                if (!reload_is_tested(reload, entry))
                        continue;
                reload->tests[reload->test_count++] = (ReloadTest){
                        .daemon = &reload->after->config->daemons[entry->diff->after],
                        .main_pid = child_main_pid(reload->after->children[entry->diff->after]),
                };
        }
        return 0;
}

void reload_tests_free(Reload *reload) {
        for (size_t i = 0; i < reload->test_count; i++)
                command_free(reload->tests[i].command);
        free(TAKE(reload->tests));
        reload->test_count = reload->tests_begun = 0;
}

static void reload_on_test(void *userdata) {
        Supervisor *supervisor = userdata;

        loop_defer_arm(supervisor->settle);
}

static void reload_test_start(Supervisor *supervisor, ReloadTest *test) {
        test->error = command_start(
                &(CommandOrder){
                        .context = &supervisor->child_context,
                        .config = supervisor->reload.after->config,
                        .daemon = test->daemon,
                        .purpose = "reload",
                        .command = test->daemon->reload.check,
                        .main_pid = test->main_pid,
                        .timeout = test->daemon->reload.timeout,
                        .ended = reload_on_test,
                        .userdata = supervisor,
                },
                &test->command);
}

static bool reload_test_runs(const ReloadTest *test) {
        return test->command && !command_has_ended(test->command);
}

bool reload_tests_drive(Supervisor *supervisor) {
        Reload *reload = &supervisor->reload;
        size_t running = 0;

        for (size_t i = 0; i < reload->tests_begun; i++)
                running += reload_test_runs(&reload->tests[i]);
        while (running < RELOAD_TESTS_SIDE_BY_SIDE && reload->tests_begun < reload->test_count) {
                ReloadTest *test = &reload->tests[reload->tests_begun++];

                reload_test_start(supervisor, test);
                running += reload_test_runs(test);
        }
        return running == 0;
}

static const char *reload_test_text(const ReloadTest *test) {
        return test->command ? command_text(test->command) : strerror(-test->error);
}

static void reload_test_remark(const ReloadTest *test, Diag *diag) {
        remark_error(diag, test->daemon, "reload.check",
                     "%s; correct the daemon's own configuration", reload_test_text(test));
        for (char *const *line = test->command ? command_lines(test->command) : NULL; line && *line;
             line++)
                remark_error(diag, test->daemon, "reload.check", "it says: %s", *line);
}

size_t reload_tests_judge(Reload *reload) {
        size_t failed = 0;

        for (size_t i = 0; i < reload->test_count; i++) {
                const ReloadTest *test = &reload->tests[i];

                if (test->command && command_succeeded(test->command))
                        continue;
                reload_test_remark(test, reload->diag);
                if (failed++ == 0)
                        snprintf(reload->failure, sizeof(reload->failure),
                                 "the configuration test of %s failed: %s", test->daemon->name,
                                 reload_test_text(test));
        }
        return failed;
}
