/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of commands. */

#include "command.h"

const Command commands[] = {
        { "status", "[DAEMON]...", "how the daemons stand; of one alone: all there is to know", 0,
          -1, false, command_status },
        { "start", "DAEMON...", "start, with what they require", 1, -1, false, command_start },
        { "stop", "DAEMON...", "freeze, drain and clean up, with what requires them", 1, -1, false,
          command_stop },
        { "restart", "DAEMON...", "stop, then start", 1, -1, false, command_restart },
        { "drain", "DAEMON...", "take out of service, and wait until work in flight is done", 1, -1,
          false, command_drain },
        { "freeze", "DAEMON...", "let in no new work, and go on with the work in flight", 1, -1,
          false, command_freeze },
        { "thaw", "DAEMON...", "back into service", 1, -1, false, command_thaw },
        { "signal", "SIGNAL DAEMON...", "signal the main process", 2, -1, false, command_signal },
        { "pid", "[DAEMON]...", "the main processes", 0, -1, false, command_pid },
        { "reload", "[DAEMON]...",
          "bring the configuration on disk into force; of daemons: their own", 0, -1, false,
          command_reload },
        { "plan", "", "what a reload would do, and why", 0, 0, false, command_plan },
        { "check", "", "what is wrong with the configuration on disk", 0, 0, true, command_check },
        { "history", "[sequences|reloads]", "what was stopped, started and reloaded before", 0, 1,
          false, command_history },
        { "tail", "DAEMON... [OPTION]", "their lines in the journal (journalctl options after --)",
          1, -1, true, command_tail },
        { "profiles", "[PROFILE]...", "known daemons; of one: its settings, explained", 0, -1, true,
          command_profiles },
        { "shutdown", "", "stop everything, and supervisord", 0, 0, false, command_shutdown },
        { "version", "", "the versions of supervisorctl and supervisord", 0, 0, false,
          command_version },
        /* the words of Python Supervisor */
        { "update", "", NULL, 0, 0, false, command_reload },
        { "reread", "", NULL, 0, 0, false, command_plan },
        { "avail", "", "the names of all daemons", 0, 0, false, command_avail },
        { 0 },
};

bool command_is_remembered(const Command *command) {
        return command->run == command_start || command->run == command_stop ||
               command->run == command_restart;
}
