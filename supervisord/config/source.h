/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The text of one configuration file with its @include lines replaced by what they name, and from
 * which file and line each of its lines came. libconfig gets this text and never opens a file
 * itself, so that included files are checked as the others are.
 */

#include "base/diag.h"
#include "config/config.h"

/* A run of lines that stand together in one file. */
typedef struct SourcePart {
        unsigned line; /* its first one in Source.text, from 1 */
        SettingOrigin origin;
} SourcePart;

typedef struct Source {
        char *text;
        size_t size;
        SourcePart *parts; /* by line */
        size_t part_count;
} Source;

/*
 * Expands `text`, which stands in `file` (one of the configuration's, config_add_file()). An
 * @include is relative to the directory of the file that it stands in. Also refuses what would be a
 * burden to libconfig (scan.h). 0, CONFIG_E_INVALID (load.h) with a finding, or a negative errno.
 */
int source_expand(Config *config, const char *file, const char *text, Diag *diag, Source *ret);
void source_clear(Source *source);

/* Where a line of the text came from. */
SettingOrigin source_place(const Source *source, unsigned line);
