/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* supervisord: set up, run, tear down. */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"
#include "base/log.h"
#include "config/load.h"
#include "control/server.h"
#include "options.h"
#include "service/supervisor.h"

#define EXIT_USAGE 2

static void main_log_findings(const Diag *diag) {
        for (size_t i = 0; i < diag_count(diag); i++) {
                const Finding *finding = diag_get(diag, i);
                CLEANUP(freep) char *text = finding_text(finding);
                bool fatal = finding->severity == SEVERITY_ERROR;

                log_write(fatal ? LOG_ERR : LOG_WARNING,
                          &(LogContext){ .message = fatal ? MESSAGE_CONFIG_INVALID : MESSAGE_NONE },
                          "%s", text ? text : "a finding could not be shown: no memory");
        }
}

/* Exit status; *ret is set with EX_OK only. */
static int main_load(const char *path, bool for_person, Config **ret) {
        CLEANUP(diag_freep) Diag *diag = NULL;

        int r = diag_new(&diag);
        if (r >= 0)
                r = config_load(path, diag, ret);

        if (diag && for_person)
                diag_print(diag, stderr);
        else if (diag)
                main_log_findings(diag);

        switch (r) {
        case 0:
                return EX_OK;
        case CONFIG_E_INVALID:
                return EX_CONFIG;
        default:
                log_error("cannot read the configuration: %s", strerror(-r));
                return EXIT_FAILURE;
        }
}

static int main_check(const Options *options) {
        CLEANUP(config_unrefp) Config *config = NULL;
        int status = main_load(options->config, true, &config);

        if (status == EX_OK)
                printf("%s: valid, %zu %s\n", options->config, config->daemon_count,
                       PLURAL(config->daemon_count, "daemon", "daemons"));
        return status;
}

static int main_dump(const Options *options) {
        CLEANUP(config_unrefp) Config *config = NULL;
        int status = main_load(options->config, true, &config);

        if (status != EX_OK)
                return status;
        return config_dump(config, stdout) < 0 ? EXIT_FAILURE : EX_OK;
}

static int main_supervise(Loop *loop, const char *path, Config *config) {
        CLEANUP(supervisor_freep) Supervisor *supervisor = NULL;
        CLEANUP(control_freep) Control *control = NULL; /* released before the supervisor */

        int r = supervisor_new(loop, path, config, &supervisor);
        switch (r) {
        case 0:
                break;
        case SUPERVISOR_E_LOCKED:
                return EX_TEMPFAIL;
        default:
                log_error("cannot set up: %s", strerror(-r));
                return EXIT_FAILURE;
        }

        r = control_new(loop, supervisor, &control);
        switch (r) {
        case 0:
                break;
        case CONTROL_E_SOCKET:
                return EXIT_FAILURE;
        default:
                log_error("cannot set up the control socket: %s", strerror(-r));
                return EXIT_FAILURE;
        }

        supervisor_start(supervisor);
        r = loop_run(loop);
        if (r < 0) {
                log_error("the event loop failed: %s", strerror(-r));
                return EXIT_FAILURE;
        }
        return r;
}

/* To the first process of a container no signal comes that it does not await: it would be lost. */
static int main_await_stop(void) {
        static const int signals[] = { SIGTERM, SIGINT, SIGQUIT };
        int r = 0;

        for (size_t i = 0; getpid() == 1 && r == 0 && i < ELEMENTSOF(signals); i++)
                r = loop_hold_signal(signals[i]);
        return r;
}

static int main_run(const Options *options) {
        CLEANUP(config_unrefp) Config *config = NULL;
        CLEANUP(loop_freep) Loop *loop = NULL;

        int r = main_await_stop();
        if (r < 0)
                log_warning("a signal may be lost until the configuration is read: %s",
                            strerror(-r));
        int status = main_load(options->config, false, &config);
        if (status != EX_OK)
                return status;
        log_set_priority(config->supervisor.log_priority);

        r = loop_new(&loop);
        if (r >= 0)
                r = loop_enable_watchdog(loop);
        if (r < 0) {
                log_error("cannot set up the event loop: %s", strerror(-r));
                return EXIT_FAILURE;
        }
        return main_supervise(loop, options->config, config);
}

int main(int argc, char *argv[]) {
        Options options;

        if (file_open_standard() < 0)
                return EXIT_FAILURE;
        if (options_parse(argc, argv, &options) != 0)
                return EXIT_USAGE;
        umask(0022);
        log_open(LOG_AUTO);

        switch (options.action) {
        case OPTIONS_CHECK:
                return main_check(&options);
        case OPTIONS_DUMP:
                return main_dump(&options);
        case OPTIONS_RUN:
                return main_run(&options);
        default:
                return EXIT_SUCCESS;
        }
}
