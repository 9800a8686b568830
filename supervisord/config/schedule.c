/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Stop schedules as text. Here only the form is looked at; whether the steps make sense together is
 * for config_resolve() to say. Pure, nothing here can block.
 */

#include "config/schedule.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

#define SCHEDULE_BLANKS " \t"
/* A signal, a blank and a duration fit many times over. */
#define SCHEDULE_STEP_MAX 128

/* One step, "TERM 5s" or "TERM"; text[0..length) has no comma. */
static int schedule_parse_step(const char *text, size_t length, StopStep *ret) {
        char buffer[SCHEDULE_STEP_MAX], *word, *rest;
        StopStep step = { .wait = USEC_INFINITY };
        int r;

        if (length >= sizeof(buffer))
                return PARSE_E_SYNTAX;
        memcpy(buffer, text, length);
        buffer[length] = '\0';

        word = strtok_r(buffer, SCHEDULE_BLANKS, &rest);
        if (!word)
                return PARSE_E_SYNTAX;
        r = parse_signal(word, &step.signo);
        if (r != 0)
                return r;

        rest += strspn(rest, SCHEDULE_BLANKS);
        if (*rest != '\0') {
                for (char *end = rest + strlen(rest); strchr(SCHEDULE_BLANKS, end[-1]); end--)
                        end[-1] = '\0';
                r = parse_duration(rest, &step.wait);
                if (r != 0)
                        return r;
        }
        *ret = step;
        return 0;
}

static int schedule_append(StopSchedule *schedule, StopStep step) {
        StopStep *grown = reallocarray(schedule->steps, schedule->count + 1, sizeof(StopStep));

        if (!grown)
                return -ENOMEM;
        grown[schedule->count] = step;
        schedule->steps = grown;
        schedule->count++;
        return 0;
}

int stop_schedule_parse(const char *text, StopSchedule *ret) {
        CLEANUP(stop_schedule_clear) StopSchedule schedule = {};
        const char *piece = text;

        for (;;) {
                size_t length = strcspn(piece, ",");
                StopStep step;
                int r;

                r = schedule_parse_step(piece, length, &step);
                if (r == 0)
                        r = schedule_append(&schedule, step);
                if (r != 0)
                        return r;
                if (piece[length] == '\0')
                        break;
                piece += length + 1;
        }
        *ret = TAKE(schedule);
        return 0;
}

void stop_schedule_clear(StopSchedule *schedule) {
        free(schedule->steps);
        *schedule = (StopSchedule) {};
}

bool stop_schedule_equal(const StopSchedule *a, const StopSchedule *b) {
        if (a->count != b->count)
                return false;
        for (size_t i = 0; i < a->count; i++)
                if (a->steps[i].signo != b->steps[i].signo || a->steps[i].wait != b->steps[i].wait)
                        return false;
        return true;
}

char *stop_schedule_text(const StopSchedule *schedule) {
        const size_t step_max = SIGNAL_TEXT_MAX + DURATION_TEXT_MAX + strlen(", ");
        char signal_text[SIGNAL_TEXT_MAX], duration[DURATION_TEXT_MAX];
        char *text, *end;

        text = malloc(schedule->count * step_max + 1);
        if (!text)
                return NULL;
        end = text;
        *end = '\0';
        for (size_t i = 0; i < schedule->count; i++) {
                const StopStep *step = &schedule->steps[i];

                if (i > 0)
                        end = stpcpy(end, ", ");
                end = stpcpy(end, format_signal(signal_text, step->signo));
                if (step->wait != USEC_INFINITY)
                        end += sprintf(end, " %s", format_duration(duration, step->wait));
        }
        return text;
}

usec_t stop_schedule_total(const StopSchedule *schedule) {
        usec_t total = 0;

        for (size_t i = 0; i < schedule->count && schedule->steps[i].signo != SIGKILL; i++)
                total = usec_add(total, schedule->steps[i].wait);
        return total;
}
