/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A look at the text of a configuration before libconfig gets it. It knows of the language what it
 * needs: comments, texts, brackets and numbers. It refuses what libconfig would handle badly, and
 * says more about what libconfig would only call a syntax error. What it lets pass, libconfig still
 * judges.
 */

#include <stdbool.h>

#include "base/diag.h"
#include "config/schema.h"

#define SCAN_BRACKETS_MAX 32 /* within each other; our settings need four */

typedef struct ScanBracket {
        char kind;            /* what opened it; 0 for the outside of all */
        SettingOrigin origin; /* where */
        size_t members;       /* settings or elements so far */
} ScanBracket;

/* One text, which may consist of several files. Zeroed at first, but for diag. */
typedef struct Scan {
        Diag *diag;
        ScanBracket brackets[SCAN_BRACKETS_MAX + 1];
        unsigned depth; /* brackets[depth] is the innermost open one */
        size_t work;
        char before; /* with which the token before began; 0: there is none */
} Scan;

/* One of its files, and how far it was looked at. */
typedef struct ScanFile {
        const char *name;
        const char *start;
        const char *at;
        unsigned line;  /* of `at` */
        unsigned depth; /* brackets that were open before it */
} ScanFile;

/* Takes a blank, a comment or a token: 0, or CONFIG_E_INVALID (load.h) with a finding. */
int scan_step(Scan *scan, ScanFile *file);

/* At the end of the file: whether all its brackets are closed. As above. */
int scan_end(Scan *scan, const ScanFile *file);

/* Whether `word` stands at file->at and only blanks stand before it on its line. */
bool scan_is_directive(const ScanFile *file, const char *word);

SettingOrigin scan_here(const ScanFile *file);
