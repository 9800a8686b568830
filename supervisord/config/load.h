/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * From files to a Config: read, merge, check, look up. Nothing outside memory is changed.
 */

#include <stdio.h>

#include "base/diag.h"
#include "config/config.h"

#define CONFIG_DEFAULT_FILE SYSCONFDIR "/supervisord/supervisord.conf"
#define CONFIG_FILE_MAX     (16u << 20) /* bytes; a dump of 1000 daemons has 4 MiB */

/*
 * Reads `path` and the *.conf files of the directory conf.d beside it (in order of their names),
 * checks everything, resolves defaults, users and the order. All findings go into diag; with errors
 * among them no configuration is returned and the result is CONFIG_E_INVALID. Reads the user
 * database (may block): call it at load time only.
 */
enum { CONFIG_E_INVALID = 1 };
int config_load(const char *path, Diag *diag, Config **ret);

/*
 * The steps of config_load(), for its own use and for tests.
 *
 * config_read_files: files to values; form, bounds, unknown and doubled settings. CONFIG_E_INVALID:
 * something could not be read at all, so that nothing can be said about the whole.
 * config_read_text: the same for one text, as if it stood in a file of that name.
 * config_resolve: AUTO values, default identifiers, the graph; what contradicts itself.
 * config_check_system: users, groups, commands, directories: what this machine lacks.
 */
int config_read_files(const char *path, Diag *diag, Config *config);
int config_read_text(const char *text, const char *file, Diag *diag, Config *config);
int config_resolve(Config *config, Diag *diag);
int config_check_system(Config *config, Diag *diag);

/*
 * Prints the effective configuration in its own syntax, each line with a comment that says where
 * the value came from. What it prints can be read back to an equal configuration.
 */
int config_dump(const Config *config, FILE *stream);
