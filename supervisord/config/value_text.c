/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Values as people see them: printed in the syntax of the configuration, and described for
 * findings. Nothing here can block but the stream.
 */

#include "config/value.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "config/config.h"
#include "config/schedule.h"

#define FIELD(Type, setting, object) (*(Type const *) value_field(setting, object))

void value_print_string(const char *text, FILE *stream) {
        (void) fputc('"', stream);
        for (const char *c = text; *c; c++)
                switch (*c) {
                case '"':
                case '\\':
                        (void) fprintf(stream, "\\%c", *c);
                        break;
                case '\n':
                        (void) fputs("\\n", stream);
                        break;
                case '\r':
                        (void) fputs("\\r", stream);
                        break;
                case '\t':
                        (void) fputs("\\t", stream);
                        break;
                case '\f':
                        (void) fputs("\\f", stream);
                        break;
                default:
                        if (iscntrl((unsigned char) *c))
                                (void) fprintf(stream, "\\x%02x", (unsigned char) *c);
                        else
                                (void) fputc(*c, stream);
                }
        (void) fputc('"', stream);
}

static void value_print_list(char *const *list, FILE *stream) {
        (void) fputc('[', stream);
        for (size_t i = 0; list && list[i]; i++) {
                (void) fputs(i > 0 ? ", " : " ", stream);
                value_print_string(list[i], stream);
        }
        (void) fputs(" ]", stream);
}

static void value_print_statuses(const StatusSet *set, FILE *stream) {
        const char *separator = " ";

        (void) fputc('[', stream);
        for (int status = 0; status < 256; status++) {
                if (!status_set_contains(set, status))
                        continue;
                (void) fprintf(stream, "%s%d", separator, status);
                separator = ", ";
        }
        (void) fputs(" ]", stream);
}

static void value_print_schedule(const StopSchedule *schedule, FILE *stream) {
        CLEANUP(freep) char *text = stop_schedule_text(schedule);

        value_print_string(text ? text : "", stream);
}

static void value_print_rlimit(rlim_t limit, FILE *stream) {
        if (limit == RLIM_INFINITY)
                (void) fputs("infinity", stream);
        else
                (void) fprintf(stream, "%ju", (uintmax_t) limit);
}

static void value_print_limit(const struct rlimit *limit, FILE *stream) {
        (void) fputc('"', stream);
        value_print_rlimit(limit->rlim_cur, stream);
        if (limit->rlim_max != limit->rlim_cur) {
                (void) fputc(':', stream);
                value_print_rlimit(limit->rlim_max, stream);
        }
        (void) fputc('"', stream);
}

void value_print(const Setting *setting, const void *object, FILE *stream) {
        char duration[DURATION_TEXT_MAX], signal_text[SIGNAL_TEXT_MAX];

        switch (setting->type) {
        case SETTING_STRING:
        case SETTING_PATH:
                value_print_string(FIELD(char *, setting, object), stream);
                break;
        case SETTING_BOOL:
                (void) fputs(FIELD(bool, setting, object) ? "true" : "false", stream);
                break;
        case SETTING_INT:
                (void) fprintf(stream, "%" PRId64, FIELD(int64_t, setting, object));
                break;
        case SETTING_DURATION:
                (void) fprintf(stream, "\"%s\"",
                               format_duration(duration, FIELD(usec_t, setting, object)));
                break;
        case SETTING_ENUM:
                (void) fprintf(stream, "\"%s\"",
                               setting->choices[FIELD(unsigned, setting, object)]);
                break;
        case SETTING_PRIORITY:
                (void) fprintf(stream, "\"%s\"", value_priorities[FIELD(int, setting, object)]);
                break;
        case SETTING_MODE:
                (void) fprintf(stream, "\"%04o\"", FIELD(mode_t, setting, object));
                break;
        case SETTING_SIGNAL:
                (void) fprintf(stream, "\"%s\"",
                               format_signal(signal_text, FIELD(int, setting, object)));
                break;
        case SETTING_SCHEDULE:
                value_print_schedule(&FIELD(StopSchedule, setting, object), stream);
                break;
        case SETTING_LIMIT:
                value_print_limit(&FIELD(Limits, setting, object).value[setting->limit], stream);
                break;
        case SETTING_COMMAND:
        case SETTING_STRINGS:
        case SETTING_PATHS:
        case SETTING_NAMES:
        case SETTING_VARIABLES:
                value_print_list(FIELD(char **, setting, object), stream);
                break;
        case SETTING_STATUSES:
                value_print_statuses(&FIELD(StatusSet, setting, object), stream);
                break;
        }
}

static const struct {
        const char *form, *example;
} value_texts[] = {
        [SETTING_STRING] = { "a text without control characters", "\"web\"" },
        [SETTING_PATH] = { "an absolute path", "\"/run/web.pid\"" },
        [SETTING_BOOL] = { "true or false without quotes", "true" },
        [SETTING_INT] = { "a whole number without quotes", "10" },
        [SETTING_DURATION] = { "a duration with its unit", "\"1min 30s\"" },
        [SETTING_ENUM] = { "a known choice", NULL },
        [SETTING_MODE] = { "an octal mode in quotes", "\"0022\"" },
        [SETTING_SIGNAL] = { "a signal", "\"TERM\"" },
        [SETTING_PRIORITY] = { "a priority", "\"info\"" },
        [SETTING_COMMAND] = { "a command as an array of strings",
                              "[ \"/usr/sbin/nginx\", \"-g\", \"daemon off;\" ]" },
        [SETTING_STRINGS] = { "an array of strings", "[ \"adm\", \"ssl-cert\" ]" },
        [SETTING_PATHS] = { "an array of absolute paths",
                            "[ \"/run/web.pid\", \"/run/web.sock\" ]" },
        [SETTING_NAMES] = { "an array of names of daemons", "[ \"db\", \"cache\" ]" },
        [SETTING_VARIABLES] = { "an array of \"NAME=value\"", "[ \"LANG=C\", \"TZ=UTC\" ]" },
        [SETTING_STATUSES] = { "an array of exit statuses from 0 to 255", "[ 0, 3 ]" },
        [SETTING_SCHEDULE] = { "signals, each but the last with its time",
                               "\"QUIT 20s, TERM 5s, KILL\"" },
        [SETTING_LIMIT] = { "a limit, or a soft and a hard one",
                            "\"1024\", \"1024:4096\" or \"infinity\"" },
};

const char *value_form(SettingType type) {
        return value_texts[type].form;
}

const char *value_example(SettingType type) {
        return value_texts[type].example;
}

const char *value_range(const Setting *setting, char buffer[static VALUE_RANGE_MAX]) {
        char minimum[DURATION_TEXT_MAX], maximum[DURATION_TEXT_MAX];

        switch (setting->type) {
        case SETTING_INT:
                (void) snprintf(buffer, VALUE_RANGE_MAX, "a number from %" PRId64 " to %" PRId64,
                                setting->minimum, setting->maximum);
                break;
        case SETTING_DURATION:
                (void) snprintf(buffer, VALUE_RANGE_MAX, "a duration from %s to %s",
                                format_duration(minimum, (usec_t) setting->minimum),
                                format_duration(maximum, (usec_t) setting->maximum));
                break;
        case SETTING_LIMIT:
                (void) snprintf(buffer, VALUE_RANGE_MAX,
                                "a soft limit not above the hard one, as in \"1024:4096\"");
                break;
        default:
                (void) snprintf(buffer, VALUE_RANGE_MAX, "%s, as in %s", value_form(setting->type),
                                value_example(setting->type));
        }
        return buffer;
}
