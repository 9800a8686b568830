/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Prints what the lints compare with files: `tables messages` a line "ID NAME" for each message,
 * `tables settings` a line "PATH DEFAULT" for each setting, or "PATH" if it has none, and
 * `tables effects` a line "PATH live" or "PATH restart" for each setting.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "config/schema.h"

static int tables_messages(void) {
        for (MessageId id = MESSAGE_NONE + 1; id < MESSAGE_MAX_; id++)
                printf("%s %s\n", message_id_text(id), message_id_name(id));
        return EXIT_SUCCESS;
}

static void tables_setting(const Setting *setting) {
        const char *preset = setting->preset;

        printf("%s%s%s\n", setting->path, preset ? " " : "", preset ? preset : "");
}

static void tables_effect(const Setting *setting) {
        printf("%s %s\n", setting->path, setting->effect == EFFECT_RESTART ? "restart" : "live");
}

static int tables_settings(void (*print)(const Setting *setting)) {
        for (size_t i = 0; i < schema_supervisor_count; i++)
                print(&schema_supervisor[i]);
        for (size_t i = 0; i < schema_daemon_count; i++)
                print(&schema_daemon[i]);
        return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        if (argc == 2 && strcmp(argv[1], "messages") == 0)
                return tables_messages();
        if (argc == 2 && strcmp(argv[1], "settings") == 0)
                return tables_settings(tables_setting);
        if (argc == 2 && strcmp(argv[1], "effects") == 0)
                return tables_settings(tables_effect);
        fprintf(stderr, "Usage: %s messages|settings|effects\n", argv[0]);
        return EXIT_FAILURE;
}
