/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See the header. The program of the daemon is /d: it says READY=1 and listens on port 80. Its
 * commands /c, /f and /t succeed, /never does not, and /hangs does not end.
 */

#include "sim/matrix.h"

#include <string.h>

#include "base/macro.h"

#define LIMIT(name) { "limits." name, "limits: { " name " = \"64\"; };",                           \
                      "limits: { " name " = \"65\"; };" }

/* What is sick stays so, until it is well by itself. */
#define NEVER "restart: { policy = \"never\"; };"

const MatrixRow matrix_daemon[] = {
        { "profile", "profile = \"one\";", "profile = \"two\";" },
        { "command", "command = [ \"/d\" ];", "command = [ \"/d\", \"-x\" ];" },
        { "type", "", "type = \"notify\";" },
        { "pidfile", "", "pidfile = \"/run/d.pid\";" },
        { "requires", "", "requires = [ \"other\" ];" },
        { "after", "after = [ \"other\" ];", "" },
        { "essential", "", "essential = true;" },
        { "user", "user = \"1\";", "user = \"2\";" },
        { "group", "group = \"1\";", "group = \"2\";" },
        { "groups", "groups = [ \"1\" ];", "groups = [ \"1\", \"2\" ];" },
        { "directory", "", "directory = \"/tmp\";" },
        { "umask", "umask = \"0027\";", "umask = \"0077\";" },
        { "environment", "environment = [ \"A=1\" ];", "environment = [ \"A=2\" ];" },
        { "nice", "", "nice = 5;" },
        { "oom_score_adjust", "oom_score_adjust = 10;", "" },
        { "no_new_privileges", "", "no_new_privileges = true;" },
        LIMIT("nofile"), LIMIT("nproc"), LIMIT("core"), LIMIT("memlock"), LIMIT("as"),
        LIMIT("data"), LIMIT("stack"), LIMIT("fsize"), LIMIT("cpu"), LIMIT("rss"), LIMIT("locks"),
        LIMIT("sigpending"), LIMIT("msgqueue"), LIMIT("rtprio"), LIMIT("rttime"),
        { "output.to", "", "output: { to = \"null\"; };" },
        { "output.file", "output: { to = \"file\"; file = \"/var/log/a\"; };",
          "output: { to = \"file\"; file = \"/var/log/b\"; };" },
        { "output.identifier", "", "output: { identifier = \"x\"; };" },
        { "output.priority", "", "output: { priority = \"err\"; };" },
        { "ready.on", "", "ready: { on = \"listen\"; };" },
        { "ready.timeout", "ready: { on = \"listen\"; timeout = \"9s\"; };",
          "ready: { on = \"listen\"; timeout = \"8s\"; };" },
        { "ready.address", "ready: { on = \"tcp\"; address = \"80\"; };",
          "ready: { on = \"tcp\"; address = \"127.0.0.1:81\"; };" },
        { "ready.port", "ready: { on = \"listen\"; port = 80; };", "ready: { on = \"listen\"; };" },
        { "ready.path", "ready: { on = \"file\"; path = \"/ready\"; };",
          "ready: { on = \"file\"; path = \"/else\"; };" },
        { "ready.line", "ready: { line = \"^listening\"; };", "ready: { line = \"r.*y$\"; };" },
        { "ready.command", "ready: { command = [ \"/c\" ]; };",
          "ready: { command = [ \"/f\" ]; };" },
        { "ready.interval", "ready: { command = [ \"/c\" ]; };",
          "ready: { command = [ \"/c\" ]; interval = \"2s\"; };" },
        { "ready.command_timeout", "ready: { command = [ \"/c\" ]; };",
          "ready: { command = [ \"/c\" ]; command_timeout = \"2s\"; };" },
        { "start.success", "", "start: { success = [ 0, 3 ]; };" },
        { "health.on", "", "health: { on = \"listen\"; };" },
        { "health.address", "health: { on = \"tcp\"; address = \"80\"; };",
          "health: { on = \"tcp\"; address = \"127.0.0.1:81\"; };" },
        { "health.port", "health: { on = \"listen\"; port = 80; };",
          "health: { on = \"listen\"; port = 81; };" },
        { "health.path", "health: { on = \"file\"; path = \"/ready\"; };",
          "health: { on = \"file\"; path = \"/else\"; };" },
        { "health.command", "health: { on = \"command\"; command = [ \"/c\" ]; };",
          "health: { on = \"command\"; command = [ \"/f\" ]; };" },
        { "health.interval", "health: { on = \"file\"; path = \"/ready\"; };",
          "health: { on = \"file\"; path = \"/ready\"; interval = \"7s\"; };" },
        { "health.timeout", "health: { on = \"command\"; command = [ \"/c\" ]; };",
          "health: { on = \"command\"; command = [ \"/c\" ]; timeout = \"4s\"; };" },
        { "health.failures", "health: { on = \"file\"; path = \"/ready\"; };",
          "health: { on = \"file\"; path = \"/ready\"; failures = 1; };" },
        { "health.successes", "health: { on = \"file\"; path = \"/ready\"; };" NEVER,
          "health: { on = \"file\"; path = \"/ready\"; successes = 3; };" NEVER },
        { "freeze.method", "freeze: { method = \"sockets\"; };",
          "freeze: { method = \"none\"; };" },
        { "freeze.signal", "freeze: { signal = \"USR1\"; };", "freeze: { signal = \"USR2\"; };" },
        { "freeze.command", "freeze: { command = [ \"/f\" ]; };",
          "freeze: { command = [ \"/c\", \"-x\" ]; };" },
        { "freeze.thaw_signal", "freeze: { signal = \"USR1\"; };",
          "freeze: { signal = \"USR1\"; thaw_signal = \"USR2\"; };" },
        { "freeze.thaw_command", "freeze: { command = [ \"/f\" ]; };",
          "freeze: { command = [ \"/f\" ]; thaw_command = [ \"/t\" ]; };" },
        { "freeze.timeout", "freeze: { timeout = \"1s\"; };", "freeze: { timeout = \"2s\"; };" },
        { "drain.until", "drain: { until = \"idle\"; };", "drain: { until = \"connections\"; };" },
        { "drain.signal", "drain: { signal = \"USR1\"; };", "drain: { signal = \"USR2\"; };" },
        { "drain.command", "drain: { command = [ \"/c\" ]; };",
          "drain: { command = [ \"/f\", \"-x\" ]; };" },
        { "drain.interval", "drain: { command = [ \"/never\" ]; };",
          "drain: { command = [ \"/never\" ]; interval = \"2s\"; };" },
        { "drain.path", "drain: { until = \"file\"; path = \"/a\"; };",
          "drain: { until = \"file\"; path = \"/b\"; };" },
        { "drain.count", "drain: { until = \"idle\"; count = \"http\"; };",
          "drain: { until = \"idle\"; count = \"stream\"; };" },
        { "drain.quiet", "drain: { quiet = \"1s\"; };", "drain: { quiet = \"3s\"; };" },
        { "drain.timeout", "", "drain: { timeout = \"7s\"; };" },
        { "stop.signals", "", "stop: { signals = \"INT 3s, KILL\"; };" },
        { "stop.command", "", "stop: { command = [ \"/c\" ]; };" },
        { "stop.command_timeout", "stop: { command = [ \"/hangs\" ]; };",
          "stop: { command = [ \"/hangs\" ]; command_timeout = \"3s\"; };" },
        { "stop.success", "stop: { command = [ \"/never\" ]; };",
          "stop: { command = [ \"/never\" ]; success = [ 0, 1 ]; };" },
        { "cleanup.leftovers", "", "cleanup: { leftovers = \"spare\"; };" },
        { "cleanup.wait", "cleanup: { leftovers = \"wait\"; };",
          "cleanup: { leftovers = \"wait\"; wait = \"1s\"; };" },
        { "cleanup.command", "", "cleanup: { command = [ \"/c\" ]; };" },
        { "cleanup.remove", "cleanup: { remove = [ \"/run/a\" ]; };", "" },
        { "cleanup.timeout", "", "cleanup: { timeout = \"6s\"; };" },
        { "restart.policy", "", "restart: { policy = \"on-failure\"; };" },
        { "restart.delay", "restart: { delay = \"1s\"; };", "restart: { delay = \"2s\"; };" },
        { "restart.delay_max", "restart: { limit = 0; };",
          "restart: { limit = 0; delay_max = \"3s\"; };" },
        { "restart.reset", "", "restart: { reset = \"7s\"; };" },
        { "restart.jitter", "restart: { delay = \"5s\"; };",
          "restart: { delay = \"5s\"; jitter = 90; };" },
        { "restart.limit", "", "restart: { limit = 3; };" },
        { "restart.window", "restart: { limit = 2; reset = \"5s\"; };",
          "restart: { limit = 2; reset = \"5s\"; window = \"1min\"; };" },
        { "reload.check", "reload: { signal = \"HUP\"; };",
          "reload: { signal = \"HUP\"; check = [ \"/c\" ]; };" },
        { "reload.signal", "reload: { signal = \"HUP\"; };", "reload: { signal = \"USR1\"; };" },
        { "reload.command", "", "reload: { command = [ \"/c\" ]; };" },
        { "reload.files", "reload: { signal = \"HUP\"; };",
          "reload: { signal = \"HUP\"; files = [ \"/etc/d\" ]; };" },
        { "reload.timeout", "reload: { command = [ \"/hangs\" ]; timeout = \"8s\"; };",
          "reload: { command = [ \"/hangs\" ]; timeout = \"9s\"; };" },
};
const size_t matrix_daemon_count = ELEMENTSOF(matrix_daemon);

const MatrixRow matrix_supervisor[] = {
        { "freeze_timeout", "", "freeze_timeout = \"6s\";" },
        { "drain_timeout", "", "drain_timeout = \"21s\";" },
        { "cleanup_timeout", "", "cleanup_timeout = \"11s\";" },
        { "grace", "grace = \"2min\";", "grace = \"3min\";" },
        { "runtime_directory", "runtime_directory = \"/run/sim\";",
          "runtime_directory = \"/run/else\";" },
        { "state_directory", "state_directory = \"/var/lib/sim\";",
          "state_directory = \"/var/lib/else\";" },
        { "control", "control = \"/run/sim/a\";", "control = \"/run/sim/b\";" },
        { "admin_group", "", "admin_group = \"1\";" },
        { "reader_group", "", "reader_group = \"1\";" },
        { "cgroups", "", "cgroups = false;" },
        { "log_priority", "", "log_priority = \"debug\";" },
};
const size_t matrix_supervisor_count = ELEMENTSOF(matrix_supervisor);

const MatrixRow *matrix_find(const MatrixRow *rows, size_t count, const char *path) {
        for (size_t i = 0; i < count; i++)
                if (strcmp(rows[i].path, path) == 0)
                        return &rows[i];
        return NULL;
}
