/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * One value of any setting, handled by its type alone: read from text, unset, compared, printed.
 * `object` is the DaemonConfig or SupervisorConfig that the setting belongs to.
 */

#include <stdbool.h>
#include <stdio.h>

#include "base/macro.h"
#include "config/schema.h"

enum {
        VALUE_E_FORM = 1, /* not of the form that value_form() describes */
        VALUE_E_RANGE,    /* outside of what value_range() describes */
};

/* Where the value is, for those who know its C type. */
static inline void *value_field(const Setting *setting, const void *object) {
        return (char *) object + setting->offset;
}

/* Whether the type is a vector of strings, filled by value_append() instead of value_parse(). */
bool value_is_list(SettingType type);

/* Sets the field from text: 0, VALUE_E_FORM, VALUE_E_RANGE or -ENOMEM. */
int value_parse(const Setting *setting, const char *text, void *object);
/* Appends one string to the field: as above. */
int value_append(const Setting *setting, const char *word, void *object);

/* Sets a fresh (zeroed) field to the setting's default. */
int value_preset(const Setting *setting, void *object);
/* Whether the field holds anything; a type that has no empty value always does. */
bool value_is_set(const Setting *setting, const void *object);
bool value_equal(const Setting *setting, const void *a, const void *b);
/* Releases what the field holds and zeroes it. */
void value_free(const Setting *setting, void *object);

/* Prints the field as it is written in a file. */
void value_print(const Setting *setting, const void *object, FILE *stream);
/* Prints text as a string of a file: in quotes, with escapes. */
void value_print_string(const char *text, FILE *stream);

/* "a duration with its unit, in quotes", and an example of it. */
const char *value_form(SettingType type);
const char *value_example(SettingType type);

#define VALUE_RANGE_MAX 256
/* "a duration from 0 to 1d": what the setting's bounds allow. Returns buffer. */
const char *value_range(const Setting *setting, char buffer[static VALUE_RANGE_MAX]);

/* The names of SETTING_PRIORITY, by value, NULL-terminated. */
extern const char *const value_priorities[];
