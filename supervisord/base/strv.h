/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Vectors of strings: a malloc'ed, NULL-terminated char **, as execve(2) takes it.
 */

#include <stdbool.h>

#include "base/macro.h"

/* Frees the strings and the vector; accepts NULL; returns NULL. */
char **strv_free(char **vector);
DEFINE_CLEANUP(char *, strv_free)

size_t strv_length(char *const *vector);
bool strv_contains(char *const *vector, const char *word);
bool strv_equal(char *const *a, char *const *b);

/* Appends a copy of text. 0 or -ENOMEM; on failure the vector is as it was. */
int strv_append(char ***vector, const char *text);

/* A deep copy, or NULL for no memory. */
char **strv_copy(char *const *vector);

/* The strings joined by `separator`, malloc'ed, or NULL for no memory. */
char *strv_join(char *const *vector, const char *separator);
