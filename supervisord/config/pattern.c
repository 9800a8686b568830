/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checking regular expressions; see the header. Pure but for the memory that regcomp(3) takes. */

#include "config/pattern.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

/* Of its length, multiplied by all of its repeats: glibc takes megabytes from there on. */
#define PATTERN_COST_MAX 20000

/* The highest number of a repeat, "{2,5}"; 1 if it is none. */
static unsigned long pattern_repeat(const char *brace) {
        unsigned long low, high;
        char *end;

        low = strtoul(brace + 1, &end, 10);
        if (*end != ',' || end[1] == '}')
                return MAX_OF(low, 1ul);
        high = strtoul(end + 1, NULL, 10);
        return MAX_OF(high, MAX_OF(low, 1ul));
}

/* Higher than it is where repeats stand beside each other, which does no harm. */
static bool pattern_is_bearable(const char *pattern) {
        unsigned long cost = strlen(pattern);

        for (const char *at = strchr(pattern, '{'); at; at = strchr(at + 1, '{')) {
                unsigned long repeat = pattern_repeat(at);

                if (cost > PATTERN_COST_MAX || repeat > PATTERN_COST_MAX)
                        return false;
                cost *= repeat;
        }
        return cost <= PATTERN_COST_MAX;
}

bool pattern_is_valid(const char *pattern, char ret_why[static PATTERN_WHY_MAX]) {
        regex_t regex;

        if (!pattern_is_bearable(pattern)) {
                snprintf(ret_why, PATTERN_WHY_MAX, "it repeats too much");
                return false;
        }
        int r = regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB);
        if (r == 0) {
                regfree(&regex);
                return true;
        }
        (void) regerror(r, &regex, ret_why, PATTERN_WHY_MAX);
        return false;
}
