/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Helper with a timer of its own and a Capture for its output. It has ended when nothing of it
 * lives any more; then everything is let go of but its words, so that its owner may look at any
 * later time.
 */

#include "child/command.h"

#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/strv.h"
#include "child/object.h"
#include "sys/capture.h"

/* What is killed is gone within milliseconds, unless it hangs in the kernel. */
#define COMMAND_KILL_TIMEOUT (2 * USEC_PER_SEC)

#define COMMAND_TEXT_MAX 320
#define COMMAND_NAME_MAX 128 /* of the command with its arguments, in the text */
#define COMMAND_LINE_MAX 256

struct Command {
        Config *config;
        const DaemonConfig *daemon;
        char *const *command;
        usec_t timeout;
        void (*ended)(void *userdata);
        void *userdata;

        Helper helper;
        LoopSource *timer;
        Capture *capture;
        bool alone;
        bool started; /* command_start() is over */
        bool ending;  /* its outcome is known, what it left is dying */
        bool over, succeeded;
        char text[COMMAND_TEXT_MAX];
        char **lines;
};

/* Keeps the last lines of what was written; without memory fewer. */
static void command_keep_lines(Command *command, const char *written) {
        const char *begin = written + strlen(written);
        unsigned count = 0;

        while (begin > written && begin[-1] == '\n')
                begin--;
        while (begin > written && (begin[-1] != '\n' || ++count < COMMAND_LINES_MAX))
                begin--;

        while (*begin != '\0') {
                size_t length = strcspn(begin, "\n");
                char line[COMMAND_LINE_MAX], shown[COMMAND_LINE_MAX];

                snprintf(line, sizeof(line), "%.*s", (int) length, begin);
                if (length > 0 &&
                    strv_append(&command->lines, format_visible(shown, sizeof(shown), line)) < 0)
                        return;
                begin += length + strspn(begin + length, "\n");
        }
}

/* A NUL would hide what comes after it. */
static void command_take_output(Command *command) {
        char written[CAPTURE_MAX + 1];
        size_t size;

        if (!command->capture)
                return;
        memcpy(written, capture_end(command->capture, &size), sizeof(written));
        for (size_t i = 0; i < size; i++)
                if (written[i] == '\0')
                        written[i] = '?';
        command_keep_lines(command, written);
}

static void command_end(Command *command) {
        (void) tree_release(command->helper.tree);
        command->timer = loop_source_free(command->timer);
        command->config = config_unref(command->config); /* an old one would live on with us */
        command->over = true;
        if (command->started)
                command->ended(command->userdata);
}

static int command_on_tree(void *userdata) {
        Command *command = userdata;

        if (!tree_is_empty(command->helper.tree))
                return 0;
        tree_unwatch(command->helper.tree);
        command_end(command);
        return 0;
}

/*
 * A cgroup can only be removed when it is empty; by descent there is nothing to remove, but the
 * next command may be one that must be alone.
 */
static void command_await_tree(Command *command) {
        Tree *tree = command->helper.tree;

        if ((tree_cgroup_fd(tree) < 0 && !command->alone) || tree_is_empty(tree)) {
                command_end(command);
                return;
        }
        command->ending = true;
        loop_timer_set(command->timer,
                       usec_add(loop_now(command->helper.context->loop), COMMAND_KILL_TIMEOUT));
        (void) tree_watch(tree, command_on_tree, command); /* without it the timer will do */
        (void) command_on_tree(command);
}

static void command_conclude(Command *command, bool succeeded, const char *outcome) {
        CLEANUP(freep) char *name = strv_join(command->command, " ");
        char shown[COMMAND_NAME_MAX];

        format_visible(shown, sizeof(shown), name ? name : command->command[0]);
        snprintf(command->text, sizeof(command->text), "%s %s", shown, outcome);
        command_take_output(command);
        command->succeeded = succeeded;
        command_await_tree(command);
}

static void command_on_exit(void *userdata, const HelperResult *result) {
        char text[HELPER_TEXT_MAX];

        command_conclude(userdata, helper_succeeded(result), helper_text(text, result));
}

static int command_on_timer(void *userdata) {
        Command *command = userdata;
        char timeout[DURATION_TEXT_MAX], text[COMMAND_NAME_MAX];

        if (command->ending) {
                tree_unwatch(command->helper.tree);
                command_end(command);
                return 0;
        }
        helper_cancel(&command->helper);
        snprintf(text, sizeof(text), "did not end within %s and was killed",
                 format_duration(timeout, command->timeout));
        command_conclude(command, false, text);
        return 0;
}

static int command_init(Command *command, const ChildContext *context, const char *purpose) {
        CLEANUP(freep) char *name = NULL;
        const char *source = command->daemon->name;

        if (asprintf(&name, "%s.%s.helper", source, purpose) < 0)
                return -ENOMEM;
        int r = helper_init(&command->helper, context, name);
        if (r >= 0)
                r = loop_add_timer(context->loop, &command->timer, LOOP_TIMER, source,
                                   command_on_timer, command);
        if (r >= 0)
                r = loop_timer_set(command->timer,
                                   usec_add(loop_now(context->loop), command->timeout));
        if (r >= 0)
                r = capture_new(context->loop, source, &command->capture);
        return r;
}

int command_start(const CommandOrder *order, Command **ret) {
        CLEANUP(command_freep) Command *command = calloc(1, sizeof(*command));
        if (!command)
                return -ENOMEM;

        command->config = config_ref(order->config);
        command->daemon = order->daemon;
        command->command = order->command;
        command->timeout = order->timeout;
        command->alone = order->alone;
        command->ended = order->ended;
        command->userdata = order->userdata;
        int r = command_init(command, order->context, order->purpose);
        if (r < 0)
                return r;

        helper_run(&command->helper, &(HelperOrder){
                                             .daemon = order->daemon,
                                             .command = order->command,
                                             .main_pid = order->main_pid,
                                             .output = capture_fd(command->capture),
                                             .handler = command_on_exit,
                                             .userdata = command,
                                     });
        if (!command->over)
                capture_started(command->capture);
        command->started = true;
        *ret = TAKE(command);
        return 0;
}

Command *command_free(Command *command) {
        if (!command)
                return NULL;
        helper_done(&command->helper);
        loop_source_free(command->timer);
        capture_free(command->capture);
        strv_free(command->lines);
        config_unref(command->config);
        free(command);
        return NULL;
}

void command_processes_reaped(Command *command) {
        if (command->ending && !command->over)
                tree_child_reaped(command->helper.tree);
}

bool command_has_ended(const Command *command) {
        return command->over;
}

bool command_succeeded(const Command *command) {
        return command->succeeded;
}

const char *command_text(const Command *command) {
        return command->text;
}

char *const *command_lines(const Command *command) {
        static char *const none[] = { NULL };

        return command->lines ? command->lines : none;
}
