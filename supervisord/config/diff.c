/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Comparing by the schema: what a setting is does not matter here, only whether it is equal. Users
 * and groups count by what they were resolved to, too. Pure memory.
 */

#include "config/diff.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "config/value.h"

static bool identity_equal(const Identity *a, const Identity *b) {
        return a->switch_user == b->switch_user && a->uid == b->uid && a->gid == b->gid &&
               a->group_count == b->group_count &&
               (a->group_count == 0 ||
                memcmp(a->groups, b->groups, a->group_count * sizeof(*a->groups)) == 0);
}

/* Whether a setting differs; the number behind a user's name belongs to `user`. */
static bool setting_differs(const Setting *setting, const DaemonConfig *a, const DaemonConfig *b) {
        if (!value_equal(setting, a, b))
                return true;
        return strcmp(setting->path, "user") == 0 && !identity_equal(&a->identity, &b->identity);
}

static int daemon_diff_compare(DaemonDiff *diff,
                               const DaemonConfig *before,
                               const DaemonConfig *after) {
        diff->settings = calloc(schema_daemon_count, sizeof(*diff->settings));
        if (!diff->settings)
                return -ENOMEM;

        diff->kind = DIFF_SAME;
        for (size_t i = 0; i < schema_daemon_count; i++) {
                diff->settings[i] = setting_differs(&schema_daemon[i], before, after);
                if (diff->settings[i])
                        diff->kind = DIFF_CHANGED;
        }
        return 0;
}

static int config_diff_add_present(ConfigDiff *diff, unsigned index) {
        const DaemonConfig *after = &diff->after->daemons[index];
        const DaemonConfig *before = config_find(diff->before, after->name);
        DaemonDiff *daemon = &diff->daemons[diff->count++];

        *daemon = (DaemonDiff){
                .kind = DIFF_ADDED,
                .name = after->name,
                .before = before ? before->index : DIFF_NO_INDEX,
                .after = index,
        };
        return before ? daemon_diff_compare(daemon, before, after) : 0;
}

static void config_diff_add_removed(ConfigDiff *diff, unsigned index) {
        const DaemonConfig *before = &diff->before->daemons[index];

        if (config_find(diff->after, before->name))
                return;
        diff->daemons[diff->count++] = (DaemonDiff){
                .kind = DIFF_REMOVED,
                .name = before->name,
                .before = index,
                .after = DIFF_NO_INDEX,
        };
}

static void config_diff_supervisor(ConfigDiff *diff) {
        for (size_t i = 0; i < schema_supervisor_count; i++) {
                diff->supervisor[i] = !value_equal(&schema_supervisor[i], &diff->before->supervisor,
                                                   &diff->after->supervisor);
                if (diff->supervisor[i])
                        diff->same = false;
        }
}

int config_diff_new(const Config *before, const Config *after, ConfigDiff **ret) {
        CLEANUP(config_diff_freep) ConfigDiff *diff = calloc(1, sizeof(*diff));
        if (!diff)
                return -ENOMEM;

        diff->before = before;
        diff->after = after;
        diff->same = true;
        diff->daemons =
                calloc(before->daemon_count + after->daemon_count + 1, sizeof(*diff->daemons));
        diff->supervisor = calloc(schema_supervisor_count, sizeof(*diff->supervisor));
        if (!diff->daemons || !diff->supervisor)
                return -ENOMEM;

        for (unsigned i = 0; i < after->daemon_count; i++) {
                int r = config_diff_add_present(diff, i);
                if (r < 0)
                        return r;
        }
        for (unsigned i = 0; i < before->daemon_count; i++)
                config_diff_add_removed(diff, i);

        config_diff_supervisor(diff);
        for (size_t i = 0; i < diff->count; i++)
                if (diff->daemons[i].kind != DIFF_SAME)
                        diff->same = false;

        *ret = TAKE(diff);
        return 0;
}

ConfigDiff *config_diff_free(ConfigDiff *diff) {
        if (!diff)
                return NULL;
        for (size_t i = 0; diff->daemons && i < diff->count; i++)
                free(diff->daemons[i].settings);
        free(diff->daemons);
        free(diff->supervisor);
        free(diff);
        return NULL;
}

bool daemon_diff_needs_restart(const DaemonDiff *diff) {
        for (size_t i = 0; diff->settings && i < schema_daemon_count; i++)
                if (diff->settings[i] && schema_daemon[i].effect == EFFECT_RESTART)
                        return true;
        return false;
}

static void value_print_or_unset(const Setting *setting, const void *object, FILE *stream) {
        if (value_is_set(setting, object))
                value_print(setting, object, stream);
        else
                fputs("unset", stream);
}

char *daemon_diff_text(const ConfigDiff *diff, const DaemonDiff *daemon) {
        char *text = NULL;
        size_t size = 0;
        const char *separator = "";

        FILE *stream = open_memstream(&text, &size);
        if (!stream)
                return NULL;

        for (size_t i = 0; daemon->settings && i < schema_daemon_count; i++) {
                if (!daemon->settings[i])
                        continue;
                fprintf(stream, "%s%s ", separator, schema_daemon[i].path);
                value_print_or_unset(&schema_daemon[i], &diff->before->daemons[daemon->before],
                                     stream);
                fputs(" -> ", stream);
                value_print_or_unset(&schema_daemon[i], &diff->after->daemons[daemon->after],
                                     stream);
                separator = ", ";
        }
        return fclose(stream) == 0 ? text : NULL;
}

static uint64_t digest_object(const Setting *schema,
                              size_t count,
                              const char *name,
                              const void *object) {
        uint64_t digest = hash_add(HASH_BASIS, name, strlen(name) + 1);
        CLEANUP(freep) char *text = NULL;
        size_t size = 0;

        FILE *stream = open_memstream(&text, &size);
        if (!stream)
                return digest;
        for (size_t i = 0; i < count; i++) {
                fprintf(stream, "%s=", schema[i].path);
                value_print_or_unset(&schema[i], object, stream);
                fputc('\n', stream);
        }
        if (fclose(stream) != 0)
                return digest;
        return hash_add(digest, text, size);
}

void config_digest(const Config *config, char ret[static CONFIG_DIGEST_MAX]) {
        uint64_t digest =
                digest_object(schema_supervisor, schema_supervisor_count, "", &config->supervisor);

        /* a sum: the order of the daemons does not matter */
        for (size_t i = 0; i < config->daemon_count; i++)
                digest += digest_object(schema_daemon, schema_daemon_count, config->daemons[i].name,
                                        &config->daemons[i]);
        snprintf(ret, CONFIG_DIGEST_MAX, "%016" PRIx64, digest);
}
