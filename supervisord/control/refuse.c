/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the service layer refuses, in words for people and as an error for programs. */

#include "base/nearest.h"
#include "control/object.h"
#include "control/text.h"

#define REFUSE_NAME_MAX 256 /* of a name in a message */

/* The names in force that a mistyped one may have meant; NULL: none, or no memory. */
static const char *refuse_find_nearest(const Supervisor *supervisor, const char *name) {
        size_t count = supervisor_count(supervisor);
        CLEANUP(freep) const char **words = calloc(count + 1, sizeof(*words));

        if (!words)
                return NULL;
        for (size_t i = 0; i < count; i++)
                words[i] = child_name(supervisor_child(supervisor, i));
        return nearest_word(name, words, count);
}

static int refuse_unknown(const Supervisor *supervisor, const char *name, sd_bus_error *ret_error) {
        const char *nearest = refuse_find_nearest(supervisor, name);
        char shown[REFUSE_NAME_MAX];

        text_show(shown, sizeof(shown), name);
        if (nearest)
                return sd_bus_error_setf(ret_error, CONTROL_ERROR_UNKNOWN_DAEMON,
                                         "there is no daemon \"%s\"; did you mean \"%s\"?", shown,
                                         nearest);
        return sd_bus_error_setf(ret_error, CONTROL_ERROR_UNKNOWN_DAEMON,
                                 "there is no daemon \"%s\"", shown);
}

static int refuse_state(const Child *child,
                        const char *error,
                        const char *wanted,
                        sd_bus_error *ret_error) {
        return sd_bus_error_setf(ret_error, error, "%s is %s, not %s", child_name(child),
                                 daemon_state_name(child_state(child)), wanted);
}

static int refuse_thaw(const Child *child, sd_bus_error *ret_error) {
        const char *method = child_config(child)->freeze.method == FREEZE_COMMAND
                                     ? "freeze.command"
                                     : "freeze.signal";

        return sd_bus_error_setf(ret_error, CONTROL_ERROR_NO_THAW,
                                 "%s was frozen by %s, from which there is no way back; restart it",
                                 child_name(child), method);
}

int refuse(const Supervisor *supervisor, int outcome, const char *name, sd_bus_error *ret_error) {
        const Child *child = name ? supervisor_find(supervisor, name) : NULL;

        switch (outcome) {
        case REQUEST_E_UNKNOWN:
                return refuse_unknown(supervisor, name, ret_error);
        case REQUEST_E_BUSY:
                return sd_bus_error_setf(ret_error, CONTROL_ERROR_BUSY,
                                         "supervisord is %s; try again later",
                                         mode_name(supervisor_mode(supervisor)));
        case REQUEST_E_ENDING:
                return sd_bus_error_setf(ret_error, CONTROL_ERROR_BUSY,
                                         "%s is being stopped or restarted", name);
        case REQUEST_E_NO_PROCESS:
                return sd_bus_error_setf(ret_error, CONTROL_ERROR_NO_PROCESS,
                                         "%s has no main process now", name);
        case REQUEST_E_NO_RELOAD:
                return sd_bus_error_setf(ret_error, CONTROL_ERROR_NO_RELOAD,
                                         "%s cannot be told to read its own files anew: set "
                                         "reload.signal or reload.command in its configuration",
                                         name);
        case REQUEST_E_NOT_RUNNING:
                return refuse_state(child, CONTROL_ERROR_NOT_RUNNING, "running", ret_error);
        case REQUEST_E_NOT_FROZEN:
                return refuse_state(child, CONTROL_ERROR_NOT_FROZEN, "frozen or drained",
                                    ret_error);
        case REQUEST_E_NO_THAW:
                return refuse_thaw(child, ret_error);
        default:
                return outcome;
        }
}
