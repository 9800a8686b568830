/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Findings: what a human wrote wrongly. All of them are collected, sorted by place and shown at
 * once, each as `file:line: setting: what is wrong; what to write`.
 */

#include <stdio.h>

#include "base/macro.h"

typedef enum Severity {
        SEVERITY_ERROR,   /* the configuration is refused */
        SEVERITY_WARNING, /* it is taken, but the person should know */
} Severity;

typedef struct Finding {
        Severity severity;
        char *file;    /* NULL: no place */
        unsigned line; /* 0: the file as a whole */
        char *setting; /* "web.drain.timeout", NULL: none */
        char *text;
} Finding;

typedef struct Diag Diag;

int diag_new(Diag **ret);
Diag *diag_free(Diag *diag);
DEFINE_CLEANUP(Diag, diag_free)

/*
 * Adds a finding; file and setting may be NULL and are copied. Control characters are made
 * visible. Without memory the finding is only counted: an error never gets lost altogether.
 */
void diag_add(Diag *diag,
              Severity severity,
              const char *file,
              unsigned line,
              const char *setting,
              const char *format,
              ...) PRINTF_LIKE(6, 7);

size_t diag_count(const Diag *diag);  /* of what diag_get() gives */
size_t diag_errors(const Diag *diag); /* errors that could only be counted included */
const Finding *diag_get(const Diag *diag, size_t index);

/* Sorts by file (in order of first appearance), line and setting; keeps the order otherwise. */
void diag_sort(Diag *diag);

/*
 * "file:line: setting: text", malloc'ed; a warning begins its text with "warning: ". NULL: no
 * memory.
 */
char *finding_text(const Finding *finding);

/* Every finding on a line of its own. */
void diag_print(const Diag *diag, FILE *stream);
