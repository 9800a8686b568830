/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Values by type. Each function is one switch over SettingType, so that a new setting needs a line
 * in the schema and nothing here, and a new type is a warning of the compiler in each function that
 * has to know it. Pure, nothing here can block.
 */

#include "config/value.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <syslog.h>

#include "base/parse.h"
#include "base/strv.h"
#include "config/config.h"
#include "config/schedule.h"

const char *const value_priorities[] = {
        [LOG_EMERG] = "emerg",   [LOG_ALERT] = "alert", [LOG_CRIT] = "crit",
        [LOG_ERR] = "err",       [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
        [LOG_INFO] = "info",     [LOG_DEBUG] = "debug", NULL,
};

#define VALUE_STATUS_MAX 255

#define FIELD(Type, setting, object) (*(Type *) value_field(setting, object))

/* Enumerations of C have the size of an unsigned int, which the schema's authors rely on. */
static_assert(sizeof(DaemonType) == sizeof(unsigned), "enumerations are read as unsigned");

bool value_is_list(SettingType type) {
        return type == SETTING_COMMAND || type == SETTING_STRINGS || type == SETTING_PATHS ||
               type == SETTING_NAMES || type == SETTING_VARIABLES || type == SETTING_STATUSES;
}

/* Text that can stand in a log line or an argument of a system call. */
static bool value_is_plain(const char *text) {
        for (const char *c = text; *c; c++)
                if (iscntrl((unsigned char) *c))
                        return false;
        return text[0] != '\0';
}

/* "KEY=value", where KEY is a name that a shell could use. */
static bool value_is_variable(const char *text) {
        const char *c = text;

        if (isdigit((unsigned char) *c))
                return false;
        while (isalnum((unsigned char) *c) || *c == '_')
                c++;
        return c > text && *c == '=';
}

static int value_parse_string(const Setting *setting, const char *text, void *object) {
        char *copy;

        if (!value_is_plain(text) || (setting->type == SETTING_PATH && text[0] != '/'))
                return VALUE_E_FORM;
        copy = strdup(text);
        if (!copy)
                return -ENOMEM;
        free(FIELD(char *, setting, object));
        FIELD(char *, setting, object) = copy;
        return 0;
}

static int value_parse_bool(const char *text, bool *ret) {
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
                return VALUE_E_FORM;
        *ret = text[0] == 't';
        return 0;
}

static int value_parse_choice(const char *const *choices, const char *text, unsigned *ret) {
        for (unsigned i = 0; choices[i]; i++)
                if (strcmp(choices[i], text) == 0) {
                        *ret = i;
                        return 0;
                }
        return VALUE_E_FORM;
}

/* "1024" for both, "1024:4096" for the soft and the hard limit. */
static int value_parse_limit(const char *text, struct rlimit *ret) {
        const char *colon = strchr(text, ':');
        CLEANUP(freep) char *soft_text = NULL;
        uint64_t soft, hard;
        int r;

        soft_text = colon ? strndup(text, (size_t) (colon - text)) : strdup(text);
        if (!soft_text)
                return -ENOMEM;
        r = parse_size(soft_text, &soft);
        if (r == 0)
                r = parse_size(colon ? colon + 1 : text, &hard);
        if (r != 0)
                return r;
        if (soft > hard)
                return PARSE_E_RANGE;
        *ret = (struct rlimit) { .rlim_cur = soft, .rlim_max = hard };
        return 0;
}

static int value_from_parse(int r) {
        switch (r) {
        case PARSE_E_SYNTAX:
                return VALUE_E_FORM;
        case PARSE_E_RANGE:
                return VALUE_E_RANGE;
        default:
                return r;
        }
}

static int value_parse_duration(const Setting *setting, const char *text, usec_t *ret) {
        usec_t duration;
        int r;

        r = parse_duration(text, &duration);
        if (r != 0)
                return value_from_parse(r);
        if (duration < (usec_t) setting->minimum || duration > (usec_t) setting->maximum)
                return VALUE_E_RANGE;
        *ret = duration;
        return 0;
}

static int value_parse_schedule(const char *text, StopSchedule *field) {
        StopSchedule schedule;
        int r;

        r = stop_schedule_parse(text, &schedule);
        if (r != 0)
                return value_from_parse(r);
        stop_schedule_clear(field);
        *field = schedule;
        return 0;
}

static int value_parse_limit_field(const Setting *setting, const char *text, Limits *limits) {
        int r;

        r = value_parse_limit(text, &limits->value[setting->limit]);
        if (r == 0)
                limits->set[setting->limit] = true;
        return value_from_parse(r);
}

int value_parse(const Setting *setting, const char *text, void *object) {
        switch (setting->type) {
        case SETTING_STRING:
        case SETTING_PATH:
                return value_parse_string(setting, text, object);
        case SETTING_BOOL:
                return value_parse_bool(text, &FIELD(bool, setting, object));
        case SETTING_INT:
                return value_from_parse(parse_int(text, setting->minimum, setting->maximum,
                                                  &FIELD(int64_t, setting, object)));
        case SETTING_DURATION:
                return value_parse_duration(setting, text, &FIELD(usec_t, setting, object));
        case SETTING_ENUM:
                return value_parse_choice(setting->choices, text,
                                          &FIELD(unsigned, setting, object));
        case SETTING_PRIORITY:
                return value_parse_choice(value_priorities, text,
                                          (unsigned *) &FIELD(int, setting, object));
        case SETTING_MODE:
                return value_from_parse(parse_mode(text, &FIELD(mode_t, setting, object)));
        case SETTING_SIGNAL:
                return value_from_parse(parse_signal(text, &FIELD(int, setting, object)));
        case SETTING_SCHEDULE:
                return value_parse_schedule(text, &FIELD(StopSchedule, setting, object));
        case SETTING_LIMIT:
                return value_parse_limit_field(setting, text, &FIELD(Limits, setting, object));
        case SETTING_COMMAND:
        case SETTING_STRINGS:
        case SETTING_PATHS:
        case SETTING_NAMES:
        case SETTING_VARIABLES:
        case SETTING_STATUSES:
                break;
        }
        return VALUE_E_FORM;
}

static int value_append_status(const char *word, StatusSet *set) {
        int64_t status;

        int r = value_from_parse(parse_int(word, 0, VALUE_STATUS_MAX, &status));
        if (r == 0)
                status_set_add(set, (int) status);
        return r;
}

int value_append(const Setting *setting, const char *word, void *object) {
        bool good;

        switch (setting->type) {
        case SETTING_COMMAND: /* arguments may be anything, the program may not */
                good = FIELD(char **, setting, object) || value_is_plain(word);
                break;
        case SETTING_PATHS:
                good = word[0] == '/' && value_is_plain(word);
                break;
        case SETTING_VARIABLES:
                good = value_is_variable(word);
                break;
        case SETTING_STATUSES:
                return value_append_status(word, &FIELD(StatusSet, setting, object));
        default:
                good = value_is_plain(word);
        }
        return good ? strv_append(&FIELD(char **, setting, object), word) : VALUE_E_FORM;
}

int value_preset(const Setting *setting, void *object) {
        if (setting->preset)
                return value_parse(setting, setting->preset, object);
        if (setting->type == SETTING_DURATION)
                FIELD(usec_t, setting, object) = USEC_INFINITY;
        return 0;
}

bool value_is_set(const Setting *setting, const void *object) {
        switch (setting->type) {
        case SETTING_STRING:
        case SETTING_PATH:
                return FIELD(char *, setting, object);
        case SETTING_COMMAND:
        case SETTING_STRINGS:
        case SETTING_PATHS:
        case SETTING_NAMES:
        case SETTING_VARIABLES:
                return FIELD(char **, setting, object);
        case SETTING_DURATION:
                return FIELD(usec_t, setting, object) != USEC_INFINITY;
        case SETTING_SIGNAL:
                return FIELD(int, setting, object) != 0;
        case SETTING_SCHEDULE:
                return FIELD(StopSchedule, setting, object).count > 0;
        case SETTING_LIMIT:
                return FIELD(Limits, setting, object).set[setting->limit];
        case SETTING_STATUSES:
                return !status_set_is_empty(&FIELD(StatusSet, setting, object));
        case SETTING_BOOL:
        case SETTING_INT:
        case SETTING_ENUM:
        case SETTING_PRIORITY:
        case SETTING_MODE:
                break;
        }
        return true;
}

static bool value_string_equal(const char *a, const char *b) {
        return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool value_limit_equal(const Limits *a, const Limits *b, int limit) {
        if (!a->set[limit] || !b->set[limit])
                return a->set[limit] == b->set[limit];
        return a->value[limit].rlim_cur == b->value[limit].rlim_cur &&
               a->value[limit].rlim_max == b->value[limit].rlim_max;
}

bool value_equal(const Setting *setting, const void *a, const void *b) {
        switch (setting->type) {
        case SETTING_STRING:
        case SETTING_PATH:
                return value_string_equal(FIELD(char *, setting, a), FIELD(char *, setting, b));
        case SETTING_COMMAND:
        case SETTING_STRINGS:
        case SETTING_PATHS:
        case SETTING_NAMES:
        case SETTING_VARIABLES:
                return strv_equal(FIELD(char **, setting, a), FIELD(char **, setting, b));
        case SETTING_BOOL:
                return FIELD(bool, setting, a) == FIELD(bool, setting, b);
        case SETTING_INT:
                return FIELD(int64_t, setting, a) == FIELD(int64_t, setting, b);
        case SETTING_DURATION:
                return FIELD(usec_t, setting, a) == FIELD(usec_t, setting, b);
        case SETTING_ENUM:
                return FIELD(unsigned, setting, a) == FIELD(unsigned, setting, b);
        case SETTING_PRIORITY:
        case SETTING_SIGNAL:
                return FIELD(int, setting, a) == FIELD(int, setting, b);
        case SETTING_MODE:
                return FIELD(mode_t, setting, a) == FIELD(mode_t, setting, b);
        case SETTING_SCHEDULE:
                return stop_schedule_equal(&FIELD(StopSchedule, setting, a),
                                           &FIELD(StopSchedule, setting, b));
        case SETTING_LIMIT:
                return value_limit_equal(&FIELD(Limits, setting, a), &FIELD(Limits, setting, b),
                                         setting->limit);
        case SETTING_STATUSES:
                return memcmp(&FIELD(StatusSet, setting, a), &FIELD(StatusSet, setting, b),
                              sizeof(StatusSet)) == 0;
        }
        return false;
}

void value_free(const Setting *setting, void *object) {
        switch (setting->type) {
        case SETTING_STRING:
        case SETTING_PATH:
                free(TAKE(FIELD(char *, setting, object)));
                break;
        case SETTING_COMMAND:
        case SETTING_STRINGS:
        case SETTING_PATHS:
        case SETTING_NAMES:
        case SETTING_VARIABLES:
                strv_free(TAKE(FIELD(char **, setting, object)));
                break;
        case SETTING_SCHEDULE:
                stop_schedule_clear(&FIELD(StopSchedule, setting, object));
                break;
        case SETTING_STATUSES:
                FIELD(StatusSet, setting, object) = (StatusSet){ 0 };
                break;
        case SETTING_BOOL:
        case SETTING_INT:
        case SETTING_DURATION:
        case SETTING_ENUM:
        case SETTING_PRIORITY:
        case SETTING_MODE:
        case SETTING_SIGNAL:
        case SETTING_LIMIT:
                break;
        }
}
