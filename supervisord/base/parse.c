/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Parsing and formatting of values. Everything is exact: what does not fit is refused, nothing is
 * rounded silently, and what is formatted is parsed back to the same value. Byte by byte in the
 * ASCII sense, whatever the locale. Pure, nothing here can block or allocate.
 */

#include "base/parse.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR   (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY    (24 * USEC_PER_HOUR)
#define USEC_PER_WEEK   (7 * USEC_PER_DAY)

#define WHITESPACE " \t\n\v\f\r"
#define DIGITS     "0123456789"
#define LETTERS    "abcdefghijklmnopqrstuvwxyz"
#define MICRO_SIGN "\302\265" /* U+00B5 in UTF-8 */

typedef struct DurationUnit {
        const char *name;
        usec_t usec;
} DurationUnit;

static const DurationUnit parse_duration_units[] = {
        { "us", 1 },
        { "usec", 1 },
        { MICRO_SIGN "s", 1 },
        { "ms", USEC_PER_MSEC },
        { "msec", USEC_PER_MSEC },
        { "s", USEC_PER_SEC },
        { "sec", USEC_PER_SEC },
        { "second", USEC_PER_SEC },
        { "seconds", USEC_PER_SEC },
        { "m", USEC_PER_MINUTE },
        { "min", USEC_PER_MINUTE },
        { "minute", USEC_PER_MINUTE },
        { "minutes", USEC_PER_MINUTE },
        { "h", USEC_PER_HOUR },
        { "hr", USEC_PER_HOUR },
        { "hour", USEC_PER_HOUR },
        { "hours", USEC_PER_HOUR },
        { "d", USEC_PER_DAY },
        { "day", USEC_PER_DAY },
        { "days", USEC_PER_DAY },
        { "w", USEC_PER_WEEK },
        { "week", USEC_PER_WEEK },
        { "weeks", USEC_PER_WEEK },
};

/* The units that durations are written in, the largest first. */
static const DurationUnit format_duration_units[] = {
        { "d", USEC_PER_DAY }, { "h", USEC_PER_HOUR },  { "min", USEC_PER_MINUTE },
        { "s", USEC_PER_SEC }, { "ms", USEC_PER_MSEC }, { "us", 1 },
};

/* What glibc does not call by its first name. */
static const struct {
        const char *name;
        int signo;
} parse_signal_aliases[] = {
        { "CLD", SIGCHLD },
        { "IO", SIGIO },
        { "IOT", SIGABRT },
        { "POLL", SIGPOLL },
};

/* Takes the digits at *text, one at least, and moves *text behind them. */
static int parse_digits(const char **text, unsigned base, uint64_t *ret) {
        const char *start = *text, *end = start;
        uint64_t value = 0;

        for (; *end >= '0' && *end < (char) ('0' + base); end++)
                if (__builtin_mul_overflow(value, base, &value) ||
                    __builtin_add_overflow(value, (unsigned) (*end - '0'), &value))
                        return PARSE_E_RANGE;
        if (end == start)
                return PARSE_E_SYNTAX;

        *text = end;
        *ret = value;
        return 0;
}

/* The unit's name at *text, however long; 0 if there is none of that name. */
static usec_t parse_duration_unit(const char **text) {
        size_t length = strspn(*text, LETTERS MICRO_SIGN);

        for (size_t i = 0; i < ELEMENTSOF(parse_duration_units); i++) {
                const DurationUnit *unit = &parse_duration_units[i];

                if (strlen(unit->name) == length && memcmp(*text, unit->name, length) == 0) {
                        *text += length;
                        return unit->usec;
                }
        }
        return 0;
}

/* What decimal digits behind the point are worth; refused if that is no whole number. */
static int parse_duration_fraction(const char *digits, size_t count, usec_t unit, usec_t *ret) {
        usec_t sum = 0;

        for (size_t i = 0; i < count; i++) {
                unit = unit % 10 == 0 ? unit / 10 : 0;
                if (unit == 0 && digits[i] != '0')
                        return PARSE_E_RANGE;
                sum += unit * (usec_t) (digits[i] - '0');
        }
        *ret = sum;
        return 0;
}

/* One "1.5 s", and *text behind it. */
static int parse_duration_term(const char **text, usec_t *ret) {
        const char *position = *text, *digits = NULL;
        size_t count = 0;
        uint64_t number;
        usec_t unit, part, sum;
        int r;

        r = parse_digits(&position, 10, &number);
        if (r != 0)
                return r;
        if (*position == '.') {
                digits = position + 1;
                count = strspn(digits, DIGITS);
                if (count == 0)
                        return PARSE_E_SYNTAX;
                position = digits + count;
        }

        position += strspn(position, WHITESPACE);
        unit = parse_duration_unit(&position);
        if (unit == 0)
                return PARSE_E_SYNTAX;

        r = parse_duration_fraction(digits, count, unit, &part);
        if (r != 0)
                return r;
        if (__builtin_mul_overflow(number, unit, &sum) || __builtin_add_overflow(sum, part, &sum))
                return PARSE_E_RANGE;

        *text = position;
        *ret = sum;
        return 0;
}

int parse_duration(const char *text, usec_t *ret) {
        usec_t sum = 0;

        if (strcmp(text, "infinity") == 0) {
                *ret = USEC_INFINITY;
                return 0;
        }
        if (strcmp(text, "0") == 0) {
                *ret = 0;
                return 0;
        }

        for (;;) {
                usec_t term;
                int r;

                r = parse_duration_term(&text, &term);
                if (r != 0)
                        return r;
                /* The largest number means infinity, which has to be asked for by name. */
                if (__builtin_add_overflow(sum, term, &sum) || sum == USEC_INFINITY)
                        return PARSE_E_RANGE;
                if (*text == '\0')
                        break;
                text += strspn(text, WHITESPACE);
        }
        *ret = sum;
        return 0;
}

int parse_size(const char *text, uint64_t *ret) {
        static const char suffixes[] = "KMGT";
        uint64_t value, factor = 1;
        int r;

        if (strcmp(text, "infinity") == 0) {
                *ret = UINT64_MAX;
                return 0;
        }

        r = parse_digits(&text, 10, &value);
        if (r != 0)
                return r;
        if (*text != '\0') {
                const char *suffix = strchr(suffixes, *text);

                if (!suffix || text[1] != '\0')
                        return PARSE_E_SYNTAX;
                factor = UINT64_C(1) << (10 * (suffix - suffixes + 1));
        }
        if (__builtin_mul_overflow(value, factor, &value) || value == UINT64_MAX)
                return PARSE_E_RANGE;

        *ret = value;
        return 0;
}

int parse_int(const char *text, int64_t minimum, int64_t maximum, int64_t *ret) {
        bool negative = *text == '-';
        uint64_t magnitude;
        int64_t value;
        int r;

        if (negative)
                text++;
        r = parse_digits(&text, 10, &magnitude);
        if (r != 0)
                return r;
        if (*text != '\0')
                return PARSE_E_SYNTAX;

        if (negative ? __builtin_sub_overflow(0, magnitude, &value)
                     : __builtin_add_overflow(0, magnitude, &value))
                return PARSE_E_RANGE;
        if (value < minimum || value > maximum)
                return PARSE_E_RANGE;

        *ret = value;
        return 0;
}

int parse_mode(const char *text, mode_t *ret) {
        uint64_t value;
        int r;

        r = parse_digits(&text, 8, &value);
        if (r != 0)
                return r;
        if (*text != '\0')
                return PARSE_E_SYNTAX;
        if (value > 07777)
                return PARSE_E_RANGE;

        *ret = (mode_t) value;
        return 0;
}

/* "RTMIN", "RTMIN+3", "RTMAX-2". */
static int parse_signal_realtime(const char *name, int *ret) {
        bool from_top = strncasecmp(name, "RTMAX", 5) == 0;
        int span = SIGRTMAX - SIGRTMIN;
        uint64_t offset = 0;
        int r;

        if (!from_top && strncasecmp(name, "RTMIN", 5) != 0)
                return PARSE_E_SYNTAX;
        name += 5;
        if (*name != '\0') {
                if (*name++ != (from_top ? '-' : '+'))
                        return PARSE_E_SYNTAX;
                r = parse_digits(&name, 10, &offset);
                if (r != 0)
                        return r;
                if (*name != '\0')
                        return PARSE_E_SYNTAX;
                if (offset > (uint64_t) span)
                        return PARSE_E_RANGE;
        }
        *ret = from_top ? SIGRTMAX - (int) offset : SIGRTMIN + (int) offset;
        return 0;
}

int parse_signal(const char *text, int *ret) {
        if (*text >= '0' && *text <= '9') {
                int64_t number;
                int r;

                r = parse_int(text, 1, SIGRTMAX, &number);
                if (r == 0)
                        *ret = (int) number;
                return r;
        }

        if (strncasecmp(text, "SIG", 3) == 0)
                text += 3;
        for (int signo = 1; signo < SIGRTMIN; signo++) {
                const char *name = sigabbrev_np(signo);

                if (name && strcasecmp(text, name) == 0) {
                        *ret = signo;
                        return 0;
                }
        }
        for (size_t i = 0; i < ELEMENTSOF(parse_signal_aliases); i++)
                if (strcasecmp(text, parse_signal_aliases[i].name) == 0) {
                        *ret = parse_signal_aliases[i].signo;
                        return 0;
                }
        return parse_signal_realtime(text, ret);
}

int parse_pid(const char *text, pid_t *ret) {
        uint64_t value;
        int r;

        text += strspn(text, WHITESPACE);
        r = parse_digits(&text, 10, &value);
        if (r != 0)
                return r;
        if (text[strspn(text, WHITESPACE)] != '\0')
                return PARSE_E_SYNTAX;
        if (value < 1 || value > INT_MAX)
                return PARSE_E_RANGE;

        *ret = (pid_t) value;
        return 0;
}

char *format_digits(char at[static NUMBER_TEXT_MAX], uint64_t number) {
        char digits[NUMBER_TEXT_MAX];
        size_t count = 0;

        do {
                digits[count++] = (char) ('0' + number % 10);
                number /= 10;
        } while (number > 0);
        while (count > 0)
                *at++ = digits[--count];
        *at = '\0';
        return at;
}

const char *format_duration(char buffer[static DURATION_TEXT_MAX], usec_t duration) {
        int length = 0;

        if (duration == USEC_INFINITY)
                return strcpy(buffer, "infinity");
        if (duration == 0)
                return strcpy(buffer, "0");

        for (size_t i = 0; i < ELEMENTSOF(format_duration_units); i++) {
                const DurationUnit *unit = &format_duration_units[i];

                if (duration < unit->usec)
                        continue;
                length += snprintf(buffer + length, (size_t) (DURATION_TEXT_MAX - length),
                                   "%s%" PRIu64 "%s", length > 0 ? " " : "", duration / unit->usec,
                                   unit->name);
                duration %= unit->usec;
        }
        return buffer;
}

/* To the nearest multiple, without an overflow at the top. */
static uint64_t format_rounded(usec_t duration, usec_t step) {
        return duration / step + (duration % step >= step / 2);
}

static void format_two(
        char *at, uint64_t first, const char *between, uint64_t second, const char *behind) {
        at = stpcpy(format_digits(at, first), between);
        (void) stpcpy(format_digits(at, second), behind);
}

const char *format_elapsed(char buffer[static DURATION_TEXT_MAX], usec_t duration) {
        uint64_t hundredths = format_rounded(duration, 10 * USEC_PER_MSEC);
        uint64_t seconds = format_rounded(duration, USEC_PER_SEC);
        uint64_t minutes = format_rounded(duration, USEC_PER_MINUTE);

        if (duration == USEC_INFINITY)
                return strcpy(buffer, "infinity");
        if (hundredths < 1000)
                format_two(buffer, hundredths / 100, hundredths % 100 < 10 ? ".0" : ".",
                           hundredths % 100, " s");
        else if (seconds < 60)
                (void) stpcpy(format_digits(buffer, seconds), " s");
        else if (seconds < 60 * 60)
                format_two(buffer, seconds / 60, " min ", seconds % 60, " s");
        else
                format_two(buffer, minutes / 60, " h ", minutes % 60, " min");
        return buffer;
}

const char *format_signal(char buffer[static SIGNAL_TEXT_MAX], int signo) {
        const char *name = sigabbrev_np(signo);

        if (name)
                (void) snprintf(buffer, SIGNAL_TEXT_MAX, "%s", name);
        else if (signo == SIGRTMIN)
                (void) snprintf(buffer, SIGNAL_TEXT_MAX, "RTMIN");
        else if (signo > SIGRTMIN && signo <= SIGRTMAX)
                (void) snprintf(buffer, SIGNAL_TEXT_MAX, "RTMIN+%d", signo - SIGRTMIN);
        else
                (void) snprintf(buffer, SIGNAL_TEXT_MAX, "%d", signo);
        return buffer;
}

/* Whether the byte is one of a character of UTF-8, but not its first. */
static bool format_visible_continues(char byte) {
        return ((unsigned char) byte & 0xc0) == 0x80;
}

/* Where to cut so that no character of UTF-8 is halved; what is no UTF-8 at all is cut anywhere. */
static size_t format_visible_cut(const char *buffer, size_t length, char next) {
        size_t start = length;

        if (!format_visible_continues(next))
                return length;
        while (start > 0 && length - start < 3 && format_visible_continues(buffer[start - 1]))
                start--;
        return start > 0 && ((unsigned char) buffer[start - 1] & 0xc0) == 0xc0 ? start - 1 : length;
}

const char *format_visible(char *buffer, size_t size, const char *text) {
        size_t length = 0;

        for (; *text; text++) {
                unsigned char byte = (unsigned char) *text;
                bool control = (byte < ' ' && byte != '\t') || byte == 0x7f;
                size_t need = control ? 4 : 1;

                if (length + need >= size) {
                        length = format_visible_cut(buffer, length, *text);
                        break;
                }
                if (control)
                        (void) snprintf(buffer + length, 5, "\\x%02x", byte);
                else
                        buffer[length] = *text;
                length += need;
        }
        buffer[length] = '\0';
        return buffer;
}
