/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From text to values. libconfig parses; what the parsed settings mean is in the schema. Every
 * setting is looked at, whatever was wrong with those before it; only what libconfig cannot parse
 * ends the text. Blocks where read_file() does.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "base/parse.h"
#include "base/strv.h"
#include "config/load.h"
#include "config/profile.h"
#include "config/read_file.h"
#include "config/read_value.h"
#include "config/source.h"
#include "config/value.h"

#define READ_NAME_MAX    64  /* of a daemon: it names cgroups and sockets */
#define READ_PATH_MAX    256 /* "web.drain.timeout"; what is longer is cut */
#define READ_EXCERPT_MAX 60
#define READ_ERRORS_MAX  1000 /* nobody reads more at once */

#define READ_SUPERVISOR "supervisor"
#define READ_DAEMONS    "daemons"

/* One text at hand. */
typedef struct Reader {
        Config *config;
        Diag *diag;
        const Source *source;
        bool is_profile; /* of settings of a daemon alone */
        size_t earlier;  /* daemons from other texts; libconfig finds doubled ones in one text */
} Reader;

/* One object at hand: the supervisor or a daemon. */
typedef struct ReadObject {
        const char *name; /* with which the names of its settings begin in findings */
        const Setting *schema;
        size_t count;
        void *object;
        SettingOrigin *origins;
} ReadObject;

static SettingOrigin read_origin(const Reader *reader, const config_setting_t *node) {
        SettingOrigin origin = source_place(reader->source, config_setting_source_line(node));

        origin.of_profile = reader->is_profile;
        return origin;
}

/* The name that the setting of this path has in `group`, or NULL if it stands elsewhere. */
static const char *read_name_in(const char *path, const char *group) {
        size_t length = strlen(group);

        return strncmp(path, group, length) == 0 && path[length] == '.' ? path + length + 1 : NULL;
}

static bool read_is_group(const ReadObject *object, const char *name) {
        for (size_t i = 0; i < object->count; i++)
                if (read_name_in(object->schema[i].path, name))
                        return true;
        return false;
}

/* The names that may stand in `group`; outside of all: settings, and groups by their own name. */
static int read_known_names(const ReadObject *object, const char *group, char ***ret) {
        CLEANUP(strv_freep) char **names = NULL;

        for (size_t i = 0; i < object->count; i++) {
                const char *path = object->schema[i].path;
                const char *member = group ? read_name_in(path, group) : path;
                CLEANUP(freep) char *name = NULL;
                int r;

                if (!member)
                        continue;
                name = strndup(member, strcspn(member, "."));
                if (!name)
                        return -ENOMEM;
                if (strv_contains(names, name))
                        continue;
                r = strv_append(&names, name);
                if (r < 0)
                        return r;
        }
        *ret = TAKE(names);
        return 0;
}

/* The path of a setting that has this name in another group, or NULL. */
static const char *read_name_elsewhere(const ReadObject *object, const char *name) {
        for (size_t i = 0; i < object->count; i++) {
                const char *path = object->schema[i].path, *dot = strchr(path, '.');

                if (strcmp(dot ? dot + 1 : path, name) == 0)
                        return path;
        }
        return NULL;
}

static int read_unknown(const Reader *reader,
                        const ReadObject *object,
                        const char *group,
                        const config_setting_t *node,
                        const char *path) {
        CLEANUP(strv_freep) char **known = NULL;
        SettingOrigin origin = read_origin(reader, node);
        const char *meant;
        int r;

        r = read_known_names(object, group, &known);
        if (r < 0)
                return r;
        meant = nearest_word(config_setting_name(node), (const char *const *) known,
                             strv_length(known));
        if (!meant)
                meant = read_name_elsewhere(object, config_setting_name(node));
        if (meant)
                diag_add(reader->diag, SEVERITY_ERROR, origin.file, origin.line, path,
                         "there is no such setting; did you mean \"%s\"?", meant);
        else
                diag_add(reader->diag, SEVERITY_ERROR, origin.file, origin.line, path,
                         "there is no such setting; remove it");
        return 0;
}

static int read_setting(const Reader *reader,
                        const ReadObject *object,
                        const Setting *setting,
                        const config_setting_t *node,
                        const char *path) {
        SettingOrigin *origin = &object->origins[setting - object->schema];
        ValuePlace place = { .diag = reader->diag, .origin = read_origin(reader, node),
                             .name = path };

        if (origin->of_profile && !reader->is_profile) {
                value_free(setting, object->object);
        } else if (origin->file) {
                diag_add(reader->diag, SEVERITY_ERROR, place.origin.file, place.origin.line, path,
                         "this is also set in %s:%u; remove one of them", origin->file,
                         origin->line);
                return 0;
        }
        /* Also a value that is refused was given: nobody shall then say that it is missing. */
        *origin = place.origin;
        return read_value(&place, setting, node, object->object);
}

/* Whether reading is worth going on. */
static int read_check_errors(const Reader *reader, const config_setting_t *node) {
        SettingOrigin origin = read_origin(reader, node);

        if (diag_errors(reader->diag) < READ_ERRORS_MAX)
                return 0;
        diag_add(reader->diag, SEVERITY_ERROR, origin.file, origin.line, NULL,
                 "there are %d errors or more up to here; mend these first", READ_ERRORS_MAX);
        return CONFIG_E_INVALID;
}

static int read_group(const Reader *reader,
                      const ReadObject *object,
                      const char *group,
                      const config_setting_t *node);

static int read_member(const Reader *reader,
                       const ReadObject *object,
                       const char *group,
                       const config_setting_t *node) {
        const char *name = config_setting_name(node);
        char path[READ_PATH_MAX];
        const Setting *setting;
        int r, start;

        r = read_check_errors(reader, node);
        if (r != 0)
                return r;
        start = snprintf(path, sizeof(path), "%s.", object->name);
        (void) snprintf(path + start, sizeof(path) - (size_t) start, "%s%s%s", group ? group : "",
                        group ? "." : "", name);

        setting = schema_find(object->schema, object->count, path + start);
        if (setting && reader->is_profile && strcmp(setting->path, "profile") == 0) {
                SettingOrigin origin = read_origin(reader, node);

                diag_add(reader->diag, SEVERITY_ERROR, origin.file, origin.line, path,
                         "a profile cannot begin with another one; write its settings here");
                return 0;
        }
        if (setting)
                return read_setting(reader, object, setting, node, path);
        if (group || !read_is_group(object, name))
                return read_unknown(reader, object, group, node, path);
        if (config_setting_type(node) != CONFIG_TYPE_GROUP) {
                SettingOrigin origin = read_origin(reader, node);

                diag_add(reader->diag, SEVERITY_ERROR, origin.file, origin.line, path,
                         "this is a group of settings; write %s: { … };", name);
                return 0;
        }
        return read_group(reader, object, name, node);
}

/* All members of the object, or of one group in it. */
static int read_group(const Reader *reader,
                      const ReadObject *object,
                      const char *group,
                      const config_setting_t *node) {
        int count = config_setting_length(node);

        for (int i = 0; i < count; i++) {
                int r;

                r = read_member(reader, object, group, config_setting_get_elem(node, (unsigned) i));
                if (r != 0)
                        return r;
        }
        return 0;
}

static int read_supervisor(const Reader *reader, const config_setting_t *node) {
        SupervisorConfig *supervisor = &reader->config->supervisor;
        ReadObject object = { .name = READ_SUPERVISOR, .schema = schema_supervisor,
                              .count = schema_supervisor_count, .object = supervisor,
                              .origins = supervisor->origins };

        return read_group(reader, &object, NULL, node);
}

/* Whether a daemon of that name may be added. */
static bool read_check_daemon(const Reader *reader, const char *name, SettingOrigin origin) {
        if (strlen(name) > READ_NAME_MAX || strchr(name, '*')) {
                diag_add(reader->diag, SEVERITY_ERROR, origin.file, origin.line, NULL,
                         "\"%.*s\" cannot name a daemon; write at most %d letters, digits, \"-\" "
                         "and \"_\"",
                         READ_NAME_MAX, name, READ_NAME_MAX);
                return false;
        }
        for (size_t i = 0; i < reader->earlier; i++) {
                const DaemonConfig *other = &reader->config->daemons[i];

                if (strcmp(other->name, name) != 0)
                        continue;
                diag_add(reader->diag, SEVERITY_ERROR, origin.file, origin.line, name,
                         "a daemon of this name is also in %s:%u; remove or rename one of them",
                         other->origin.file, other->origin.line);
                return false;
        }
        return true;
}

/* The begin of a line of the text, without blanks around it. */
static void read_excerpt(const Source *source,
                         unsigned line,
                         char buffer[static READ_EXCERPT_MAX]) {
        const char *at = source->text;
        CLEANUP(freep) char *copy = NULL;

        while (--line > 0 && *at) {
                at += strcspn(at, "\n");
                at += *at == '\n';
        }
        at += strspn(at, " \t");
        copy = strndup(at, strcspn(at, "\r\n"));
        format_visible(buffer, READ_EXCERPT_MAX, copy ? copy : "");
}

/* libconfig ends with the first thing that it cannot parse. */
static int read_refuse(const Reader *reader, const config_t *parsed) {
        unsigned line = (unsigned) MAX_OF(config_error_line(parsed), 1);
        SettingOrigin origin = source_place(reader->source, line);
        const char *text = config_error_text(parsed);
        char excerpt[READ_EXCERPT_MAX];

        read_excerpt(reader->source, line, excerpt);
        if (text && strstr(text, "duplicate"))
                diag_add(reader->diag, SEVERITY_ERROR, origin.file, origin.line, NULL,
                         "this setting stands here for the second time: \"%s\"; remove one",
                         excerpt);
        else if (text && strstr(text, "array"))
                diag_add(reader->diag, SEVERITY_ERROR, origin.file, origin.line, NULL,
                         "the elements of an array must be of one kind: \"%s\"; put each in quotes",
                         excerpt);
        else
                diag_add(reader->diag, SEVERITY_ERROR, origin.file, origin.line, NULL,
                         "%s at or before \"%s\"; write NAME = VALUE; or NAME: { … }; with texts, "
                         "durations and signals in quotes",
                         text ? text : "syntax error", excerpt);
        return CONFIG_E_INVALID;
}

/* Where the profile is named, if it can be found; a finding otherwise. */
static int read_find_profile(const Reader *reader,
                             const config_setting_t *node,
                             const char *daemon,
                             char **ret) {
        SettingOrigin origin = read_origin(reader, node);
        const char *name = config_setting_get_string(node), *main_file = reader->config->files[0];
        CLEANUP(strv_freep) char **known = NULL;
        CLEANUP(freep) char *path = NULL;

        int r = asprintf(&path, "%s.profile", daemon) < 0 ? -ENOMEM : 0;
        if (r == 0)
                r = profile_find(main_file, name, ret);
        if (r <= 0)
                return r;
        r = profile_names(main_file, &known);
        if (r < 0)
                return r;
        const char *meant = nearest_word(name, (const char *const *) known, strv_length(known));
        diag_add(reader->diag, SEVERITY_ERROR, origin.file, origin.line, path,
                 "there is no profile \"%.*s\"%s%s%s", READ_NAME_MAX, name,
                 meant ? "; did you mean \"" : "; see: supervisorctl profiles", meant ? meant : "",
                 meant ? "\"?" : "");
        return CONFIG_E_INVALID;
}

/* The settings of the daemon's profile, before its own; one that is wrong is only a finding. */
static int read_profile(const Reader *reader,
                        const ReadObject *object,
                        const config_setting_t *node) {
        const config_setting_t *member = config_setting_get_member(node, "profile");
        CLEANUP(config_destroy) config_t parsed;
        CLEANUP(source_clear) Source source = {};
        CLEANUP(freep) char *path = NULL, *text = NULL;
        Reader inner = { .config = reader->config, .diag = reader->diag, .source = &source,
                         .is_profile = true };
        const char *file;
        size_t size;

        config_init(&parsed);
        if (!member || config_setting_type(member) != CONFIG_TYPE_STRING)
                return 0;
        int r = read_find_profile(reader, member, object->name, &path);
        if (r == 0)
                r = read_file(path, read_origin(reader, member), reader->diag, &text, &size);
        if (r == 0)
                r = config_add_file(reader->config, path, &file);
        if (r == 0)
                r = source_expand(reader->config, file, text, reader->diag, &source);
        if (r == 0 && !config_read_string(&parsed, source.text))
                r = read_refuse(&inner, &parsed);
        if (r == 0)
                r = read_group(&inner, object, NULL, config_root_setting(&parsed));
        if (r > 0) /* nobody shall miss what it would have brought */
                object->origins[schema_find(object->schema, object->count, "command") -
                                object->schema] = (SettingOrigin) {
                        .file = read_origin(reader, member).file,
                        .line = read_origin(reader, member).line,
                        .of_profile = true,
                };
        return r < 0 ? r : 0;
}

static int read_daemon(const Reader *reader, const config_setting_t *node) {
        const char *name = config_setting_name(node);
        SettingOrigin origin = read_origin(reader, node);
        ReadObject object = { .name = name, .schema = schema_daemon, .count = schema_daemon_count };
        DaemonConfig *daemon;
        int r;

        r = read_check_errors(reader, node);
        if (r != 0)
                return r;
        if (!read_check_daemon(reader, name, origin))
                return 0;
        if (config_setting_type(node) != CONFIG_TYPE_GROUP) {
                diag_add(reader->diag, SEVERITY_ERROR, origin.file, origin.line, name,
                         "a daemon is a group of settings; write %s: { command = %s; };", name,
                         "[ \"/usr/sbin/…\" ]");
                return 0;
        }
        r = config_add_daemon(reader->config, name, origin, &daemon);
        if (r < 0)
                return r;
        object.object = daemon;
        object.origins = daemon->origins;
        r = read_profile(reader, &object, node);
        if (r < 0)
                return r;
        return read_group(reader, &object, NULL, node);
}

static int read_daemons(const Reader *reader, const config_setting_t *node) {
        int count = config_setting_length(node);

        for (int i = 0; i < count; i++) {
                int r;

                r = read_daemon(reader, config_setting_get_elem(node, (unsigned) i));
                if (r != 0)
                        return r;
        }
        return 0;
}

/* One of the two groups that a file consists of. */
static int read_section(const Reader *reader, const config_setting_t *node) {
        static const char *const sections[] = { READ_SUPERVISOR, READ_DAEMONS };
        const char *name = config_setting_name(node);
        const char *meant = nearest_word(name, sections, ELEMENTSOF(sections));
        SettingOrigin origin = read_origin(reader, node);

        if (!meant || strcmp(meant, name) != 0) {
                diag_add(reader->diag, SEVERITY_ERROR, origin.file, origin.line, NULL,
                         "there is no group \"%.*s\"; write %s", READ_NAME_MAX, name,
                         meant ? meant : "daemons: { NAME: { … }; }; around daemons");
                return 0;
        }
        if (config_setting_type(node) != CONFIG_TYPE_GROUP) {
                diag_add(reader->diag, SEVERITY_ERROR, origin.file, origin.line, name,
                         "this is a group; write %s: { … };", name);
                return 0;
        }
        return meant == sections[0] ? read_supervisor(reader, node) : read_daemons(reader, node);
}

static int read_parsed(const Reader *reader, const config_t *parsed) {
        const config_setting_t *root = config_root_setting(parsed);
        int count = config_setting_length(root);

        for (int i = 0; i < count; i++) {
                int r;

                r = read_section(reader, config_setting_get_elem(root, (unsigned) i));
                if (r != 0)
                        return r;
        }
        return 0;
}

int config_read_text(const char *text, const char *file, Diag *diag, Config *config) {
        CLEANUP(config_destroy) config_t parsed;
        CLEANUP(source_clear) Source source = {};
        Reader reader = { .config = config, .diag = diag, .source = &source,
                          .earlier = config->daemon_count };
        const char *kept_file;
        int r;

        config_init(&parsed);
        r = config_add_file(config, file, &kept_file);
        if (r < 0)
                return r;
        r = source_expand(config, kept_file, text, diag, &source);
        if (r != 0)
                return r;
        if (!config_read_string(&parsed, source.text))
                return read_refuse(&reader, &parsed);
        return read_parsed(&reader, &parsed);
}
