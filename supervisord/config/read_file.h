/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The text of a file of the configuration, if the file can be trusted: a regular file that nobody
 * but root and the user of supervisord could have written, and that holds text.
 */

#include <sys/stat.h>

#include "base/diag.h"
#include "config/schema.h"

/*
 * Reads a file. `from` is the place that includes it; without one (from.file is NULL) findings
 * stand at the file itself. 0, CONFIG_E_INVALID (load.h) with a finding, or -ENOMEM.
 */
int read_file(const char *path, SettingOrigin from, Diag *diag, char **ret, size_t *ret_size);

/* Whether a file or directory belongs to somebody else or can be written by everybody: as above. */
int read_file_trust(const char *path, SettingOrigin from, const struct stat *st, Diag *diag);
