/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Values in libconfig's natural form: durations, signals, modes and schedules are strings, numbers
 * and truth values are bare, commands are arrays of strings. Findings quote what was written, cut
 * to a readable length, and say what to write instead, as near to it as can be guessed.
 * Nothing here can block.
 */

#include "config/read_value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/nearest.h"
#include "base/parse.h"
#include "config/value.h"

#define READ_VALUE_QUOTE_MAX 60
#define READ_VALUE_BLANKS    " \t\r\n"

static bool read_value_is_int(const config_setting_t *value) {
        int type = config_setting_type(value);

        return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
}

static bool read_value_is_string(const config_setting_t *value) {
        return config_setting_type(value) == CONFIG_TYPE_STRING;
}

static bool read_value_is_vector(const config_setting_t *value) {
        int type = config_setting_type(value);

        return type == CONFIG_TYPE_ARRAY || type == CONFIG_TYPE_LIST;
}

static long long read_value_int(const config_setting_t *value) {
        return config_setting_type(value) == CONFIG_TYPE_INT ? config_setting_get_int(value)
                                                             : config_setting_get_int64(value);
}

/* What was written, for the begin of a finding. */
static void read_value_quote(const config_setting_t *value, FILE *stream) {
        switch (config_setting_type(value)) {
        case CONFIG_TYPE_STRING: {
                const char *text = config_setting_get_string(value);
                char start[READ_VALUE_QUOTE_MAX];

                format_visible(start, sizeof(start), text);
                (void) fprintf(stream, "\"%s%s\"", start,
                               strlen(text) >= sizeof(start) ? "…" : "");
                break;
        }
        case CONFIG_TYPE_INT:
        case CONFIG_TYPE_INT64:
                (void) fprintf(stream, "%lld", read_value_int(value));
                break;
        case CONFIG_TYPE_FLOAT:
                (void) fprintf(stream, "%g", config_setting_get_float(value));
                break;
        case CONFIG_TYPE_BOOL:
                (void) fputs(config_setting_get_bool(value) ? "true" : "false", stream);
                break;
        case CONFIG_TYPE_GROUP:
                (void) fputs("a group", stream);
                break;
        case CONFIG_TYPE_LIST:
                (void) fputs("a list", stream);
                break;
        default:
                (void) fputs("an array", stream);
        }
}

/* "one of "always", "on-failure"", or the one that was probably meant. */
static void read_value_suggest_choice(const char *const *choices, const char *text, FILE *stream) {
        const char *nearest = NULL;
        size_t count = 0;

        while (choices[count])
                count++;
        if (text)
                nearest = nearest_word(text, choices, count);
        if (nearest) {
                (void) fprintf(stream, "\"%s\"", nearest);
                return;
        }
        (void) fputs("one of", stream);
        for (size_t i = 0; i < count; i++)
                (void) fprintf(stream, "%s \"%s\"", i > 0 ? "," : "", choices[i]);
}

/* The command line as an array: by words, or through a shell if it needs one. */
static void read_value_suggest_command(const char *text, FILE *stream) {
        const char *separator = "[ ";

        if (strpbrk(text, "'\"\\|&;<>()$`*?[]~")) {
                (void) fputs("[ \"/bin/sh\", \"-c\", ", stream);
                value_print_string(text, stream);
                (void) fputs(" ]", stream);
                return;
        }
        for (text += strspn(text, READ_VALUE_BLANKS); *text;
             text += strspn(text, READ_VALUE_BLANKS)) {
                int length = (int) strcspn(text, READ_VALUE_BLANKS);

                (void) fprintf(stream, "%s\"%.*s\"", separator, length, text);
                separator = ", ";
                text += length;
        }
        (void) fputs(" ]", stream);
}

static bool read_value_suggest_bool(const config_setting_t *value, FILE *stream) {
        static const char *const words[][2] = {
                { "true", "true" }, { "yes", "true" },  { "on", "true" },  { "1", "true" },
                { "false", "false" }, { "no", "false" }, { "off", "false" }, { "0", "false" },
        };
        const char *text = read_value_is_string(value) ? config_setting_get_string(value) : "";

        if (read_value_is_int(value))
                text = read_value_int(value) != 0 ? "1" : "0";
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strcasecmp(text, words[i][0]) == 0) {
                        (void) fputs(words[i][1], stream);
                        return true;
                }
        return false;
}

/* What a bare number was meant to be. */
static bool read_value_suggest_for_int(SettingType type, long long number, FILE *stream) {
        char buffer[SIGNAL_TEXT_MAX];

        if (number < 0)
                return false;
        switch (type) {
        case SETTING_DURATION:
                (void) fprintf(stream, "\"%llds\"", number);
                return true;
        case SETTING_MODE: /* the leading zeros are lost */
                (void) fprintf(stream, "\"%04lld\"", number);
                return true;
        case SETTING_SIGNAL:
                if (number == 0 || number > 64)
                        return false;
                (void) fprintf(stream, "\"%s\"", format_signal(buffer, (int) number));
                return true;
        case SETTING_STRING:
                (void) fprintf(stream, "\"%lld\"", number);
                return true;
        default:
                return false;
        }
}

/* What to write instead. */
static void read_value_suggest(const Setting *setting,
                               const config_setting_t *value,
                               FILE *stream) {
        const char *text = read_value_is_string(value) ? config_setting_get_string(value) : NULL;
        int64_t number;

        switch (setting->type) {
        case SETTING_ENUM:
                read_value_suggest_choice(setting->choices, text, stream);
                return;
        case SETTING_PRIORITY:
                read_value_suggest_choice(value_priorities, text, stream);
                return;
        case SETTING_BOOL:
                if (read_value_suggest_bool(value, stream))
                        return;
                break;
        case SETTING_INT:
                if (text && parse_int(text, INT64_MIN, INT64_MAX, &number) == 0) {
                        (void) fputs(text, stream);
                        return;
                }
                break;
        case SETTING_COMMAND:
                if (text && text[strspn(text, READ_VALUE_BLANKS)] != '\0') {
                        read_value_suggest_command(text, stream);
                        return;
                }
                break;
        default:
                if (read_value_is_int(value) &&
                    read_value_suggest_for_int(setting->type, read_value_int(value), stream))
                        return;
        }
        (void) fputs(value_example(setting->type), stream);
}

static int read_value_refuse(const ValuePlace *place,
                             const Setting *setting,
                             const config_setting_t *value,
                             int outcome) {
        CLEANUP(freep) char *text = NULL;
        char range[VALUE_RANGE_MAX];
        size_t size;
        FILE *stream;

        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;
        read_value_quote(value, stream);
        if (outcome == VALUE_E_RANGE) {
                (void) fprintf(stream, " is out of range; write %s", value_range(setting, range));
        } else {
                (void) fprintf(stream, " is not %s; write ", value_form(setting->type));
                read_value_suggest(setting, value, stream);
        }
        if (fclose(stream) != 0)
                return -ENOMEM;
        diag_add(place->diag, SEVERITY_ERROR, place->origin.file, place->origin.line, place->name,
                 "%s", text);
        return 0;
}

static int read_value_settle(const ValuePlace *place,
                             const Setting *setting,
                             const config_setting_t *value,
                             int outcome) {
        switch (outcome) {
        case VALUE_E_FORM:
        case VALUE_E_RANGE:
                return read_value_refuse(place, setting, value, outcome);
        default:
                return outcome;
        }
}

/* Takes numbers and truth values where they stand bare, and everything else as a string. */
static int read_value_scalar(const Setting *setting, const config_setting_t *value, void *object) {
        bool bare = setting->type == SETTING_INT || setting->type == SETTING_BOOL;
        char number[32];

        if (config_setting_type(value) == CONFIG_TYPE_BOOL && setting->type == SETTING_BOOL)
                return value_parse(setting, config_setting_get_bool(value) ? "true" : "false",
                                   object);
        if (read_value_is_string(value) && !bare)
                return value_parse(setting, config_setting_get_string(value), object);
        if (!read_value_is_int(value) ||
            config_setting_get_format(value) != CONFIG_FORMAT_DEFAULT)
                return VALUE_E_FORM;
        if (setting->type == SETTING_INT || setting->type == SETTING_LIMIT ||
            (setting->type == SETTING_DURATION && read_value_int(value) == 0)) {
                (void) snprintf(number, sizeof(number), "%lld", read_value_int(value));
                return value_parse(setting, number, object);
        }
        return VALUE_E_FORM;
}

/* A bare number. */
static int read_value_status(const Setting *setting, const config_setting_t *value, void *object) {
        char number[32];

        if (!read_value_is_int(value))
                return VALUE_E_FORM;
        (void) snprintf(number, sizeof(number), "%lld", read_value_int(value));
        return value_append(setting, number, object);
}

static int read_value_list(const ValuePlace *place,
                           const Setting *setting,
                           const config_setting_t *value,
                           void *object) {
        int count = config_setting_length(value);

        if (count == 0 && setting->type == SETTING_COMMAND)
                return read_value_refuse(place, setting, value, VALUE_E_FORM);
        for (int i = 0; i < count; i++) {
                const config_setting_t *element = config_setting_get_elem(value, (unsigned) i);
                int r = VALUE_E_FORM;

                if (setting->type == SETTING_STATUSES)
                        r = read_value_status(setting, element, object);
                else if (read_value_is_string(element))
                        r = value_append(setting, config_setting_get_string(element), object);
                r = read_value_settle(place, setting, element, r);
                if (r < 0)
                        return r;
        }
        return 0;
}

int read_value(const ValuePlace *place,
               const Setting *setting,
               const config_setting_t *value,
               void *object) {
        int r;

        if (!value_is_list(setting->type))
                r = read_value_scalar(setting, value, object);
        else if (read_value_is_vector(value))
                return read_value_list(place, setting, value, object);
        else if (setting->type == SETTING_STATUSES)
                r = read_value_status(setting, value, object);
        else if (read_value_is_string(value) && setting->type != SETTING_COMMAND)
                r = value_append(setting, config_setting_get_string(value), object);
        else
                r = VALUE_E_FORM;
        return read_value_settle(place, setting, value, r);
}
