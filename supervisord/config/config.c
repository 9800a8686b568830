/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The life of a Config. What its fields hold is known from the schema alone. Pure memory, nothing
 * here can block.
 */

#include "config/config.h"

#include <errno.h>
#include <string.h>

#include "base/strv.h"
#include "config/identity.h"
#include "config/value.h"

/* Presets and origins of one object; on failure the caller clears it. */
static int config_object_init(const Setting *schema,
                              size_t count,
                              void *object,
                              SettingOrigin **ret_origins) {
        for (size_t i = 0; i < count; i++) {
                int r;

                /* A preset that is not of its own form would be a mistake of ours. */
                r = value_preset(&schema[i], object);
                if (r != 0)
                        return r < 0 ? r : -EINVAL;
        }
        *ret_origins = calloc(count, sizeof(SettingOrigin));
        return *ret_origins ? 0 : -ENOMEM;
}

static void config_object_clear(const Setting *schema,
                                size_t count,
                                void *object,
                                SettingOrigin **origins) {
        for (size_t i = 0; i < count; i++)
                value_free(&schema[i], object);
        free(*origins);
        *origins = NULL;
}

static void config_clear_daemon(DaemonConfig *daemon) {
        config_object_clear(schema_daemon, schema_daemon_count, daemon, &daemon->origins);
        identity_clear(&daemon->identity);
        free(daemon->name);
        daemon->name = NULL;
}

static Config *config_free(Config *config) {
        for (size_t i = 0; i < config->daemon_count; i++)
                config_clear_daemon(&config->daemons[i]);
        free(config->daemons);
        config_object_clear(schema_supervisor, schema_supervisor_count, &config->supervisor,
                            &config->supervisor.origins);
        graph_free(config->graph);
        strv_free(config->files);
        free(config);
        return NULL;
}

int config_new(Config **ret) {
        CLEANUP(config_unrefp) Config *config = NULL;
        int r;

        config = calloc(1, sizeof(Config));
        if (!config)
                return -ENOMEM;
        config->reference_count = 1;
        config->supervisor.admin_gid = config->supervisor.reader_gid = CONFIG_NO_GID;
        r = config_object_init(schema_supervisor, schema_supervisor_count, &config->supervisor,
                               &config->supervisor.origins);
        if (r < 0)
                return r;
        *ret = TAKE(config);
        return 0;
}

Config *config_ref(Config *config) {
        config->reference_count++;
        return config;
}

Config *config_unref(Config *config) {
        if (!config)
                return NULL;
        if (--config->reference_count > 0)
                return NULL;
        return config_free(config);
}

const DaemonConfig *config_find(const Config *config, const char *name) {
        for (size_t i = 0; i < config->daemon_count; i++)
                if (strcmp(config->daemons[i].name, name) == 0)
                        return &config->daemons[i];
        return NULL;
}

/* Room for one more; doubled each time, so that many daemons are no burden. */
static int config_grow(Config *config) {
        size_t count = config->daemon_count;
        DaemonConfig *grown;

        if ((count & (count - 1)) != 0)
                return 0;
        grown = reallocarray(config->daemons, count > 0 ? count * 2 : 1, sizeof(DaemonConfig));
        if (!grown)
                return -ENOMEM;
        config->daemons = grown;
        return 0;
}

int config_add_daemon(Config *config, const char *name, SettingOrigin origin, DaemonConfig **ret) {
        DaemonConfig *daemon;
        int r;

        r = config_grow(config);
        if (r < 0)
                return r;
        daemon = &config->daemons[config->daemon_count];
        *daemon = (DaemonConfig) { .origin = origin, .index = (unsigned) config->daemon_count };
        daemon->name = strdup(name);
        r = daemon->name ? config_object_init(schema_daemon, schema_daemon_count, daemon,
                                              &daemon->origins)
                         : -ENOMEM;
        if (r < 0) {
                config_clear_daemon(daemon);
                return r;
        }
        config->daemon_count++;
        *ret = daemon;
        return 0;
}

int config_add_file(Config *config, const char *file, const char **ret) {
        size_t count = strv_length(config->files);
        int r;

        for (size_t i = 0; i < count; i++)
                if (strcmp(config->files[i], file) == 0) {
                        *ret = config->files[i];
                        return 0;
                }
        r = strv_append(&config->files, file);
        if (r < 0)
                return r;
        *ret = config->files[count];
        return 0;
}

usec_t daemon_config_stop_total(const DaemonConfig *daemon) {
        usec_t command = daemon->stop_by.command ? daemon->stop_by.timeout : 0;

        return usec_add(usec_add(command, stop_schedule_total(&daemon->stop)),
                        daemon_config_wait(daemon));
}

bool status_set_is_empty(const StatusSet *set) {
        return memcmp(set, &(StatusSet){ 0 }, sizeof(*set)) == 0;
}

bool status_set_contains(const StatusSet *set, int status) {
        return status >= 0 && status < 256 && (set->bits[status / 32] >> status % 32 & 1) != 0;
}

bool status_set_is_success(const StatusSet *set, int status) {
        return status_set_is_empty(set) ? status == 0 : status_set_contains(set, status);
}

void status_set_add(StatusSet *set, int status) {
        set->bits[status / 32] |= UINT32_C(1) << status % 32;
}
