/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Configurations for tests: from a text, or from files in a folder of the test's own.
 */

#include <sys/types.h>

#include "base/diag.h"
#include "config/config.h"

/* The name of the file that texts stand in. */
#define CONFIGS_FILE "test.conf"

/* Reads a text, whatever findings there are; the caller's. */
Config *configs_read(const char *text, Diag *diag);
/* Reads a text and resolves it. */
Config *configs_resolve(const char *text, Diag *diag);

/*
 * The finding number `index` (they are sorted before) begins with `begin`, a place and a setting,
 * and holds `part`, what is to be written.
 */
void configs_expect(Diag *diag, size_t index, const char *begin, const char *part);
/* There are so many findings. */
void configs_expect_count(const Diag *diag, size_t count);

/* One text, resolved: exactly one finding, as above. */
void configs_expect_one(const char *text, const char *begin, const char *part);
/* One text, resolved: no findings. */
void configs_expect_good(const char *text);

/* The same for one daemon "web" that has these settings; the text is the caller's. */
char *web_text(const char *settings);
void web_expect(const char *settings, const char *begin, const char *part);
void web_is_good(const char *settings);

/* Two configurations are equal, field by field. */
void configs_expect_equal(const Config *a, const Config *b);

#define CONFIGS_FOLDER_MAX 64

/* Makes an empty folder, writable by us alone. */
void configs_folder_make(char folder[static CONFIGS_FOLDER_MAX]);
void configs_folder_remove(const char *folder);
/* The path of a name in it; malloc'ed. */
char *configs_path(const char *folder, const char *name);
void configs_write(const char *folder, const char *name, const char *text);
void configs_write_bytes(const char *folder, const char *name, const void *bytes, size_t size);
