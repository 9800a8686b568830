/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The effective configuration in its own syntax. Every setting gets a line, what is not set a
 * comment that says what it would do. Only the stream can block.
 */

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "config/load.h"
#include "config/value.h"

#define DUMP_STEP "        "

/* A file name in a comment may hold anything but the end of the line. */
static void dump_file(const char *file, FILE *stream) {
        for (const char *c = file; *c; c++)
                (void) fputc(iscntrl((unsigned char) *c) ? '?' : *c, stream);
}

static void dump_origin(const SettingOrigin *origin, FILE *stream) {
        (void) fputs(" # ", stream);
        if (origin->file) {
                dump_file(origin->file, stream);
                (void) fprintf(stream, ":%u", origin->line);
        } else {
                (void) fputs("default", stream);
        }
        if (origin->scaled > 0)
                (void) fprintf(stream, ", scaled to %u%% to fit supervisor.grace", origin->scaled);
        (void) fputc('\n', stream);
}

static void dump_setting(const Setting *setting,
                         const void *object,
                         const SettingOrigin *origin,
                         const char *indent,
                         FILE *stream) {
        const char *dot = strchr(setting->path, '.');
        const char *name = dot ? dot + 1 : setting->path;

        (void) fprintf(stream, "%s%s", indent, dot ? DUMP_STEP : "");
        if (!value_is_set(setting, object)) {
                (void) fprintf(stream, "# %s: %s\n", name, setting->help);
                return;
        }
        (void) fprintf(stream, "%s = ", name);
        value_print(setting, object, stream);
        (void) fputc(';', stream);
        dump_origin(origin, stream);
}

/* The length of the group's name, 0 for a setting in none. */
static size_t dump_group_length(const Setting *setting) {
        const char *dot = strchr(setting->path, '.');

        return dot ? (size_t) (dot - setting->path) : 0;
}

/* Settings of one group stand together in the schema. */
static void dump_object(const Setting *schema,
                        size_t count,
                        const void *object,
                        const SettingOrigin *origins,
                        const char *indent,
                        FILE *stream) {
        const char *group = "";
        size_t length = 0;

        for (size_t i = 0; i < count; i++) {
                const Setting *setting = &schema[i];
                size_t its_length = dump_group_length(setting);

                if (its_length != length || strncmp(setting->path, group, length) != 0) {
                        if (length > 0)
                                (void) fprintf(stream, "%s};\n", indent);
                        group = setting->path;
                        length = its_length;
                        if (length > 0)
                                (void) fprintf(stream, "%s%.*s: {\n", indent, (int) length, group);
                }
                dump_setting(setting, object, &origins[i], indent, stream);
        }
        if (length > 0)
                (void) fprintf(stream, "%s};\n", indent);
}

static void dump_daemon(const DaemonConfig *daemon, FILE *stream) {
        (void) fprintf(stream, DUMP_STEP "%s: {", daemon->name);
        dump_origin(&daemon->origin, stream);
        dump_object(schema_daemon, schema_daemon_count, daemon, daemon->origins,
                    DUMP_STEP DUMP_STEP, stream);
        (void) fputs(DUMP_STEP "};\n", stream);
}

int config_dump(const Config *config, FILE *stream) {
        (void) fputs("supervisor: {\n", stream);
        dump_object(schema_supervisor, schema_supervisor_count, &config->supervisor,
                    config->supervisor.origins, DUMP_STEP, stream);
        (void) fputs("};\ndaemons: {\n", stream);
        for (size_t i = 0; i < config->daemon_count; i++)
                dump_daemon(&config->daemons[i], stream);
        (void) fputs("};\n", stream);
        return fflush(stream) == 0 && !ferror(stream) ? 0 : -EIO;
}
